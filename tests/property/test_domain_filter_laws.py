"""The domain filter and zones: a zone that the filter does not concern holds no hostname that passes it."""

from hypothesis import example, given
from hypothesis import strategies as st

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.hostname import Hostname, zone_of

NAMES = st.lists(st.sampled_from(["a", "b", "xa"]), min_size=1, max_size=4).map(".".join)
HOSTNAMES = st.tuples(st.sampled_from(["", "*."]), NAMES).map("".join).map(Hostname)
ENTRIES = st.tuples(st.sampled_from(["", "."]), HOSTNAMES).map("".join)
LISTS = st.builds(
    lambda include, exclude: DomainFilter(tuple(include), tuple(exclude)),
    st.lists(ENTRIES, max_size=3),
    st.lists(ENTRIES, max_size=3),
)
EXPRESSIONS = st.builds(
    lambda include, exclude: DomainFilter(regex_include=include, regex_exclude=exclude),
    st.sampled_from(["", r"\.a$", "^b", "x"]),
    st.sampled_from(["", r"\.b$", "^a"]),
)


@given(LISTS | EXPRESSIONS, st.frozensets(NAMES, min_size=1), HOSTNAMES)
@example(DomainFilter(("a.b",), ()), frozenset({"b"}), Hostname("x.a.b"))
@example(DomainFilter((".b",), ("a.b",)), frozenset({"b", "a.b"}), Hostname("x.b"))
def test_no_hostname_that_passes_is_in_a_zone_that_is_not_concerned(
    domain_filter: DomainFilter, zones: frozenset[str], hostname: Hostname
) -> None:
    zone = zone_of(hostname, {name: name for name in zones})
    if zone and domain_filter.matches(hostname):
        assert domain_filter.concerns(zone)


@given(st.lists(st.tuples(st.sampled_from(["", "."]), NAMES).map("".join), min_size=1, max_size=3), NAMES)
def test_a_zone_that_includes_concern_holds_a_name_that_passes(include: list[str], zone: str) -> None:
    domain_filter = DomainFilter(tuple(include))
    likely = (f"x.{zone}", *(f"x.{name.removeprefix('.')}" for name in include))
    below = [Hostname(name) for name in likely if name.endswith(f".{zone}")]
    assert domain_filter.concerns(zone) == any(map(domain_filter.matches, below))
