"""Layout: where managed rules stand among bystanders, and which of them are never reached."""

from itertools import permutations

import pytest

from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.layout import arrange, lay_out, shadowed
from vocabulary.builders import configuration, rule

LAST = rule(service="http_status:503")
APP = "app.example.com"


def told(rules: tuple[IngressRule, ...]) -> list[str]:
    """Return each rule as its hostname and path; the rules of hands in brackets."""
    return [
        f"{each.hostname}{each.path}" if each.service == "http://ours" else f"[{each.hostname}{each.path}]"
        for each in rules
    ]


def ours(*names: str) -> list[IngressRule]:
    return [
        rule(host, "http://ours", slash and "/" + path) for host, slash, path in (name.partition("/") for name in names)
    ]


def by_hand(*names: str) -> list[IngressRule]:
    return [rule(host, path=slash and "/" + path) for host, slash, path in (name.partition("/") for name in names)]


@pytest.mark.parametrize(
    ("bystanders", "managed", "expected"),
    [
        pytest.param([], [APP], [APP], id="alone"),
        pytest.param(["hand.example.com"], [APP], ["[hand.example.com]", APP], id="no broader one - at the end"),
        pytest.param(["*.example.com"], [APP], [APP, "[*.example.com]"], id="before the wildcard above it"),
        pytest.param(["*.com"], [APP], [APP, "[*.com]"], id="before a wildcard far above it"),
        pytest.param(["/x"], [APP], [APP, "[/x]"], id="before a rule of every host"),
        pytest.param(["*/x"], [APP], [APP, "[*/x]"], id="before a rule of every host that has a star"),
        pytest.param(["*.example.org"], [APP], ["[*.example.org]", APP], id="not before a wildcard elsewhere"),
        pytest.param(
            ["*.app.example.com"], [APP], ["[*.app.example.com]", APP], id="a wildcard below it is not broader"
        ),
        pytest.param(
            ["*.com", "*.example.com"], [APP], [APP, "[*.com]", "[*.example.com]"], id="before the first broader one"
        ),
        pytest.param(
            ["hand.example.com", "*.example.com", "/x"],
            ["*.com"],
            ["[hand.example.com]", "[*.example.com]", "*.com", "[/x]"],
            id="behind the last narrower one",
        ),
        pytest.param(
            ["/x", "hand.example.com"],
            ["*.example.com"],
            ["[/x]", "[hand.example.com]", "*.example.com"],
            id="behind it even behind a broader one",
        ),
        pytest.param(
            ["*.example.com", "x.dev.example.com"],
            ["*.dev.example.com"],
            ["*.dev.example.com", "[*.example.com]", "[x.dev.example.com]"],
            id="a dead one does not count",
        ),
        pytest.param(
            ["*.example.com/x", "x.dev.example.com"],
            ["*.dev.example.com"],
            ["[*.example.com/x]", "[x.dev.example.com]", "*.dev.example.com"],
            id="behind one with a path it is not dead",
        ),
        pytest.param(
            ["x.dev.example.com", "x.dev.example.com", "*.example.com"],
            ["*.dev.example.com"],
            ["[x.dev.example.com]", "[x.dev.example.com]", "*.dev.example.com", "[*.example.com]"],
            id="a duplicate is dead",
        ),
        pytest.param(
            ["Hand.Example.com"],
            ["*.example.com"],
            ["[Hand.Example.com]", "*.example.com"],
            id="an alias is a pattern as well",
        ),
        pytest.param(
            ["*.example.com"],
            ["*.example.org", "b.example.com"],
            ["b.example.com", "[*.example.com]", "*.example.org"],
            id="each at its own place",
        ),
        pytest.param(
            ["*.example.com", "*.org"],
            ["*.dev.example.com", "a.org"],
            ["*.dev.example.com", "[*.example.com]", "a.org", "[*.org]"],
            id="two places",
        ),
    ],
)
def test_a_managed_rule_has_its_place_among_bystanders(
    bystanders: list[str], managed: list[str], expected: list[str]
) -> None:
    assert told(arrange([*by_hand(*bystanders), LAST], ours(*managed))) == [*expected, "[]"]


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(["z.example.com", "*.a.example.com"], id="exact before wildcard"),
        pytest.param(["z.b.example.com", "a.example.com"], id="more labels first"),
        pytest.param(["*.b.example.com", "*.example.com"], id="more labels of wildcards first"),
        pytest.param(["a.example.com", "b.example.com"], id="hostnames in order"),
        pytest.param([f"{APP}/z", APP], id="with a path before without"),
        pytest.param([f"{APP}/longer", f"{APP}/a"], id="longer path first"),
        pytest.param([f"{APP}/a", f"{APP}/b"], id="paths in order"),
        pytest.param([f"{APP}/b", APP, "b.example.com/x", "b.example.com"], id="a hostname stays together"),
    ],
)
def test_managed_rules_at_one_place_have_an_order_whatever_the_order_of_the_input(expected: list[str]) -> None:
    for managed in permutations(ours(*expected)):
        assert told(arrange([LAST], managed)) == [*expected, "[]"]


def test_even_rules_for_one_path_have_an_order_whatever_the_order_of_the_input() -> None:
    one, two = rule(APP, "http://a"), rule(APP, "http://b")
    assert arrange([LAST], [one, two]) == arrange([LAST], [two, one])


def test_a_wildcard_created_later_shadows_nobody() -> None:
    earlier = configuration(*by_hand("a.example.com", "b.example.com"))
    wildcard = Hostname("*.example.com")
    laid = lay_out(earlier, {wildcard: ours(wildcard)}, {wildcard})
    assert told(laid.rules) == ["[a.example.com]", "[b.example.com]", "*.example.com", "[]"]


def test_a_missing_catch_all_is_added_to_a_document_that_was_never_written() -> None:
    laid = lay_out(TunnelConfiguration(), {Hostname(APP): ours(APP)}, {APP})
    assert [each.service for each in laid.rules] == ["http://ours", "http_status:404"]


def test_a_missing_catch_all_is_added_behind_what_is_there() -> None:
    assert told(arrange(by_hand("*.example.com"), ours(APP))) == [APP, "[*.example.com]", "[]"]


@pytest.mark.parametrize(
    "last", [LAST, rule("*", "http://default"), IngressRule.parse('{ "service" : "http:\\/\\/x" }')]
)
def test_a_catch_all_is_never_changed(last: IngressRule) -> None:
    assert arrange([last], ours(APP))[-1] is last


def test_rules_are_replaced_as_the_whole_set_of_a_hostname() -> None:
    base = configuration(*ours(f"{APP}/old", APP), *by_hand("hand.example.com"))
    laid = lay_out(base, {Hostname(APP): ours(f"{APP}/new")}, {APP})
    assert told(laid.rules) == ["[hand.example.com]", f"{APP}/new", "[]"]


def test_no_rules_for_a_hostname_take_it_away_and_nothing_else() -> None:
    base = configuration(*by_hand("hand.example.com"), *ours(APP, "b.example.com"))
    assert told(lay_out(base, {Hostname(APP): ()}, {APP, "b.example.com"}).rules) == [
        "[hand.example.com]",
        "b.example.com",
        "[]",
    ]


def test_every_managed_rule_is_laid_out_anew_whoever_owns_it() -> None:
    base = configuration(*ours("*.example.com", "b.example.com"), *by_hand("hand.example.com"))
    laid = lay_out(base, {Hostname(APP): ours(APP)}, {APP, "b.example.com", "*.example.com"})
    assert told(laid.rules) == ["[hand.example.com]", APP, "b.example.com", "*.example.com", "[]"]


def test_a_hostname_in_another_spelling_is_replaced_as_well() -> None:
    base = configuration(*by_hand("App.Example.com"))
    assert told(lay_out(base, {Hostname(APP): ours(APP)}, {APP}).rules) == [APP, "[]"]


def test_bystanders_keep_their_bytes_and_the_document_its_members() -> None:
    base = TunnelConfiguration.parse(
        '{"x":1.0,"ingress":[{ "hostname":"Hand.de", "service":"http://a", "n":1E2 },{"service":"x"}],"y":2}'
    )
    laid = lay_out(base, {Hostname(APP): ours(APP)}, {APP})
    assert laid.text == (
        '{"x":1.0,"ingress":[{ "hostname":"Hand.de", "service":"http://a", "n":1E2 },'
        '{"hostname":"app.example.com","service":"http://ours"},{"service":"x"}],"y":2}'
    )


def test_laying_out_what_is_laid_out_changes_nothing() -> None:
    base = configuration(*by_hand("/x", "*.example.com"))
    once = lay_out(base, {Hostname(APP): ours(f"{APP}/a", APP)}, {APP})
    assert lay_out(once, {}, {APP}) == once


@pytest.mark.parametrize(
    ("before", "found"),
    [
        pytest.param([], False, id="first"),
        pytest.param(["b.example.com"], False, id="behind another hostname"),
        pytest.param(["*.example.com"], True, id="behind a wildcard"),
        pytest.param(["*.com"], True, id="behind a wildcard far above"),
        pytest.param(["*.example.com/x"], True, id="behind a wildcard with a path"),
        pytest.param(["*"], True, id="behind a rule that matches everything"),
        pytest.param([APP], True, id="behind itself without a path"),
        pytest.param([f"{APP}/y"], False, id="behind its own path that is as long"),
        pytest.param([f"{APP}/yy"], False, id="behind its own path that is longer"),
        pytest.param([f"{APP}/"], True, id="behind its own path that is shorter"),
        pytest.param(["App.example.com"], True, id="behind another spelling of it"),
    ],
)
def test_a_hostname_is_shadowed_when_something_before_it_takes_its_requests(before: list[str], *, found: bool) -> None:
    rules = [*by_hand(*before), *ours(f"{APP}/x"), LAST]
    assert shadowed(rules, {APP}) == ({APP} if found else set())


def test_a_shadowed_bystander_is_none_of_our_business() -> None:
    assert shadowed(by_hand("*.example.com", APP), set()) == set()
