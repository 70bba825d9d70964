"""Layout: where managed rules go among bystanders, and which managed hostnames lose requests to other rules.

`Go bug N` names what the Go reference got wrong there.
"""

from itertools import permutations

import pytest

from tunnel_webhook.domain.claimed_paths import EVERY_PATH, ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.layout import Displaced, arrange, displaced, lay_out
from vocabulary.builders import configuration, rule

LAST = rule(service="http_status:503")
APP = "app.example.com"


def patterns(rules: tuple[IngressRule, ...]) -> list[str]:
    """Return the hostname and path of each rule, in brackets for a bystander."""
    names = [f"{laid.hostname}{laid.path}" for laid in rules]
    return [name if laid.service == "http://ours" else f"[{name}]" for name, laid in zip(names, rules, strict=True)]


def ours(*names: str) -> list[IngressRule]:
    """Return managed rules, each given as its hostname and path."""
    return [rule(host, "http://ours", slash + path) for host, slash, path in (name.partition("/") for name in names)]


def by_hand(*names: str) -> list[IngressRule]:
    """Return bystanders, each given as its hostname and path."""
    return [rule(host, path=slash + path) for host, slash, path in (name.partition("/") for name in names)]


def every(*names: str) -> dict[str, ClaimedPaths]:
    """Return claims of every path of these hostnames."""
    return dict.fromkeys(names, EVERY_PATH)


@pytest.mark.parametrize(
    ("bystanders", "managed", "expected"),
    [
        pytest.param([], [APP], [APP], id="no bystander"),
        pytest.param(["hand.example.com"], [APP], ["[hand.example.com]", APP], id="at the end if none is broader"),
        pytest.param(["*.example.com"], [APP], [APP, "[*.example.com]"], id="before a wildcard that covers it"),
        pytest.param(
            ["*.com"], [APP], [APP, "[*.com]"], id="before a wildcard that covers it from several labels above"
        ),
        pytest.param(["/x"], [APP], [APP, "[/x]"], id="before a rule of every host"),
        pytest.param(["*/x"], [APP], [APP, "[*/x]"], id="before a rule of every host, written with a star"),
        pytest.param(
            ["*.example.org"], [APP], ["[*.example.org]", APP], id="not before a wildcard that does not cover it"
        ),
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
            id="after the last narrower one",
        ),
        pytest.param(
            ["/x", "hand.example.com"],
            ["*.example.com"],
            ["[/x]", "[hand.example.com]", "*.example.com"],
            id="after a narrower one, although a broader one comes before that",
        ),
        pytest.param(
            ["*.example.com", "x.dev.example.com"],
            ["*.dev.example.com"],
            ["*.dev.example.com", "[*.example.com]", "[x.dev.example.com]"],
            id="a dead bystander does not count",
        ),
        pytest.param(
            ["*.example.com/x", "x.dev.example.com"],
            ["*.dev.example.com"],
            ["[*.example.com/x]", "[x.dev.example.com]", "*.dev.example.com"],
            id="a bystander after one with a path is not dead",
        ),
        pytest.param(
            ["x.dev.example.com", "x.dev.example.com", "*.example.com"],
            ["*.dev.example.com"],
            ["[x.dev.example.com]", "[x.dev.example.com]", "*.dev.example.com", "[*.example.com]"],
            id="a duplicate is dead, the first one counts",
        ),
        pytest.param(
            ["Hand.Example.com"],
            ["*.example.com"],
            ["[Hand.Example.com]", "*.example.com"],
            id="an alias is a pattern too",
        ),
        pytest.param(
            ["*.example.com"],
            ["*.example.org", "b.example.com"],
            ["b.example.com", "[*.example.com]", "*.example.org"],
            id="each in its own place",
        ),
        pytest.param(
            ["*.example.com", "*.org"],
            ["*.dev.example.com", "a.org"],
            ["*.dev.example.com", "[*.example.com]", "a.org", "[*.org]"],
            id="two places among wildcards",
        ),
    ],
)
def test_a_managed_rule_has_one_place_among_bystanders(
    bystanders: list[str], managed: list[str], expected: list[str]
) -> None:
    assert patterns(arrange([*by_hand(*bystanders), LAST], ours(*managed))) == [*expected, "[]"]


@pytest.mark.parametrize(
    "expected",
    [
        pytest.param(["z.example.com", "*.a.example.com"], id="exact before wildcard"),
        pytest.param(["z.b.example.com", "a.example.com"], id="more labels first"),
        pytest.param(["*.b.example.com", "*.example.com"], id="more labels first among wildcards"),
        pytest.param(["a.example.com", "b.example.com"], id="hostnames in order"),
        pytest.param([f"{APP}/z", APP], id="with a path before the one without"),
        pytest.param([f"{APP}/longer", f"{APP}/a"], id="longer path first"),
        pytest.param([f"{APP}/a", f"{APP}/b"], id="paths in order"),
        pytest.param([f"{APP}/b", APP, "b.example.com/x", "b.example.com"], id="a hostname stays together"),
    ],
)
def test_managed_rules_in_one_place_are_ordered_whatever_the_order_of_the_input(expected: list[str]) -> None:
    for managed in permutations(ours(*expected)):
        assert patterns(arrange([LAST], managed)) == [*expected, "[]"]


def test_even_rules_for_one_path_are_ordered_whatever_the_order_of_the_input() -> None:
    first, second = rule(APP, "http://a"), rule(APP, "http://b")
    assert arrange([LAST], [first, second]) == arrange([LAST], [second, first]) == (first, second, LAST)


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        pytest.param(
            by_hand("a.example.com", "b.example.com"),
            ["[a.example.com]", "[b.example.com]", "*.example.com", "[]"],
            id="after bystanders (Go bug 18)",
        ),
        pytest.param(
            [*ours(APP), *by_hand("hand.example.com")],
            ["[hand.example.com]", APP, "*.example.com", "[]"],
            id="after a managed rule (Go bug 18)",
        ),
    ],
)
def test_a_wildcard_created_later_shadows_no_exact_hostname(existing: list[IngressRule], expected: list[str]) -> None:
    wildcard = Hostname("*.example.com")
    document = lay_out(configuration(*existing), {wildcard: ours(wildcard)}, every(wildcard, APP))
    assert patterns(document.rules) == expected


def test_the_order_of_rules_does_not_depend_on_history() -> None:
    names = [APP, "*.example.com", "*.dev.example.com", "b.dev.example.com"]
    documents: set[TunnelConfiguration] = set()
    for history in permutations(names):
        document = TunnelConfiguration()
        for count, name in enumerate(history, start=1):
            document = lay_out(document, {Hostname(name): ours(name)}, every(*history[:count]))
        documents.add(document)
    (only,) = documents
    assert patterns(only.rules) == ["b.dev.example.com", APP, "*.dev.example.com", "*.example.com", "[]"], "Go bug 18"


def test_a_missing_catch_all_is_added_to_an_empty_document() -> None:
    laid = lay_out(TunnelConfiguration(), {Hostname(APP): ours(APP)}, every(APP))
    assert [added.service for added in laid.rules] == ["http://ours", "http_status:404"]


def test_a_missing_catch_all_is_added_after_the_other_rules() -> None:
    assert patterns(arrange(by_hand("*.example.com"), ours(APP))) == [APP, "[*.example.com]", "[]"]


def test_a_catch_all_that_was_added_is_added_once() -> None:
    once = lay_out(TunnelConfiguration(), {Hostname(APP): ours(APP)}, every(APP))
    assert lay_out(once, {}, every(APP)) == once


@pytest.mark.parametrize(
    "catch_all",
    [
        pytest.param(LAST, id="a status"),
        pytest.param(rule("*", "http://default"), id="a star"),
        pytest.param(IngressRule.parse('{ "service" : "http:\\/\\/x" }'), id="in another spelling"),
    ],
)
def test_an_existing_catch_all_is_never_changed(catch_all: IngressRule) -> None:
    assert arrange([catch_all], ours(APP))[-1] is catch_all


def test_all_rules_of_a_hostname_are_replaced_at_once() -> None:
    base = configuration(*ours(f"{APP}/old", APP), *by_hand("hand.example.com"))
    laid = lay_out(base, {Hostname(APP): ours(f"{APP}/new")}, every(APP))
    assert patterns(laid.rules) == ["[hand.example.com]", f"{APP}/new", "[]"]


def test_a_hostname_without_new_rules_is_removed_and_no_other() -> None:
    base = configuration(*by_hand("hand.example.com"), *ours(APP, "b.example.com"))
    laid = lay_out(base, {Hostname(APP): ()}, every(APP, "b.example.com"))
    assert patterns(laid.rules) == ["[hand.example.com]", "b.example.com", "[]"]


def test_every_managed_rule_is_laid_out_whoever_owns_it() -> None:
    base = configuration(*ours("*.example.com", "b.example.com"), *by_hand("hand.example.com"))
    laid = lay_out(base, {Hostname(APP): ours(APP)}, every(APP, "b.example.com", "*.example.com"))
    assert patterns(laid.rules) == ["[hand.example.com]", APP, "b.example.com", "*.example.com", "[]"]


def test_a_hostname_in_another_spelling_is_replaced_too() -> None:
    base = configuration(*by_hand("App.Example.com"))
    assert patterns(lay_out(base, {Hostname(APP): ours(APP)}, every(APP)).rules) == [APP, "[]"]


def test_bystanders_and_the_other_members_of_the_document_keep_their_bytes() -> None:
    base = TunnelConfiguration.parse(
        '{"x":1.0,"ingress":[{ "hostname":"Hand.de", "service":"http://a", "n":1E2 },{"service":"x"}],"y":2}'
    )
    laid = lay_out(base, {Hostname(APP): ours(APP)}, every(APP))
    assert laid.text == (
        '{"x":1.0,"ingress":[{ "hostname":"Hand.de", "service":"http://a", "n":1E2 },'
        '{"hostname":"app.example.com","service":"http://ours"},{"service":"x"}],"y":2}'
    )


def test_laying_out_a_document_again_changes_nothing() -> None:
    base = configuration(*by_hand("/x", "*.example.com"))
    once = lay_out(base, {Hostname(APP): ours(f"{APP}/a", APP)}, every(APP))
    assert lay_out(once, {}, every(APP)) == once


@pytest.mark.parametrize(
    ("before", "is_shadowed"),
    [
        pytest.param([], False, id="the first rule"),
        pytest.param(["b.example.com"], False, id="after another hostname"),
        pytest.param(["*.example.com"], True, id="after a wildcard"),
        pytest.param(["*.com"], True, id="after a wildcard from several labels above"),
        pytest.param(["*.example.com/x"], True, id="after a wildcard with a path"),
        pytest.param(["*"], True, id="after a rule that matches everything"),
        pytest.param([APP], True, id="after its own rule without a path"),
        pytest.param([f"{APP}/y"], False, id="after a path of its own that is as long"),
        pytest.param([f"{APP}/yy"], False, id="after a path of its own that is longer"),
        pytest.param([f"{APP}/"], True, id="after a path of its own that is shorter"),
        pytest.param(["App.example.com"], True, id="after another spelling of it"),
    ],
)
def test_a_hostname_is_shadowed_when_an_earlier_rule_takes_its_requests(
    before: list[str], *, is_shadowed: bool
) -> None:
    rules = [*by_hand(*before), *ours(f"{APP}/x"), LAST]
    assert displaced(rules, every(APP)) == Displaced(frozenset({APP} if is_shadowed else ()))


def test_a_bystander_is_never_reported_as_shadowed() -> None:
    assert displaced(by_hand("*.example.com", APP), {}) == Displaced()


# A person's rules under a claimed hostname.


ROOT = ClaimedPaths.of([""])


@pytest.mark.parametrize(
    ("bystanders", "managed", "expected"),
    [
        pytest.param([f"{APP}/admin"], [APP], [f"[{APP}/admin]", APP], id="one with a path is reached first"),
        pytest.param([f"{APP}/x"], [f"{APP}/api"], [f"[{APP}/x]", f"{APP}/api"], id="before a path of ours as well"),
        pytest.param(
            [APP], [f"{APP}/api"], [f"{APP}/api", f"[{APP}]"], id="one without a path comes after a path of ours"
        ),
        pytest.param(
            ["*.example.com", f"{APP}/admin"],
            [APP],
            [APP, "[*.example.com]", f"[{APP}/admin]"],
            id="one that no request reaches changes nothing",
        ),
        pytest.param(
            [f"{APP}/admin", "*.example.com"],
            [APP, f"{APP}/api"],
            [f"[{APP}/admin]", f"{APP}/api", APP, "[*.example.com]"],
            id="before the wildcard that covers both",
        ),
        pytest.param(
            ["*.example.com/x"], ["*.example.com"], ["[*.example.com/x]", "*.example.com"], id="of a wildcard hostname"
        ),
    ],
)
def test_a_rule_of_a_person_under_a_claimed_hostname_keeps_its_requests(
    bystanders: list[str], managed: list[str], expected: list[str]
) -> None:
    for order in permutations(ours(*managed)):
        assert patterns(arrange([*by_hand(*bystanders), LAST], order))[:-1] == expected


def test_only_the_rules_that_the_claim_names_are_laid_out() -> None:
    base = configuration(*ours(APP), *by_hand(f"{APP}/admin"))
    laid = lay_out(base, {Hostname(APP): ours(APP)}, {APP: ROOT})
    assert patterns(laid.rules)[:-1] == [f"[{APP}/admin]", APP]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(
            [*ours(APP), *by_hand(f"{APP}/admin")], Displaced(hiding=frozenset({APP})), id="ours is before it"
        ),
        pytest.param([*by_hand(f"{APP}/admin"), *ours(APP)], Displaced(), id="ours is after it"),
        pytest.param([*by_hand(APP), *ours(f"{APP}/api")], Displaced(shadowed=frozenset({APP})), id="it takes ours"),
        pytest.param(
            [*by_hand("*.example.com"), *ours(APP)], Displaced(shadowed=frozenset({APP})), id="a wildcard takes ours"
        ),
    ],
)
def test_a_hostname_whose_rules_hide_those_of_a_person_is_displaced(
    rules: list[IngressRule], expected: Displaced
) -> None:
    named = {APP: ClaimedPaths.of(each.path for each in rules if each.service == "http://ours")}
    assert displaced(rules, named) == expected
    assert displaced(lay_out(TunnelConfiguration(tuple(rules)), {}, named).rules, named) == Displaced()
