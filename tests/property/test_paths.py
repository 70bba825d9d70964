"""What the paths of rules cost cloudflared, and that it matches them as their documentation says."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from oracles.cloudflared import Answer, Cloudflared, running_cloudflared
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.path import MAX_PROGRAM, MAX_PROGRAMS, path_expression, regex_size
from tunnel_webhook.domain.hostname import Hostname

pytestmark = [pytest.mark.cloudflared, pytest.mark.timeout(600)]
many = settings(max_examples=4 * settings().max_examples)

PIECES = ("a", "b?", "(a?)", "a*", "[a-z]+", ".", "(a|aa)", r"\.", "/", "x{2,5}", "^", "$", r"\w", "(?i:ab)", "é")
EXPRESSIONS = st.lists(
    st.one_of(st.sampled_from(PIECES), st.builds("({}){{{}}}".format, st.sampled_from(PIECES[:7]), st.integers(1, 30))),
    min_size=1,
    max_size=8,
).map("".join)
SLOWEST = ("((a?){5}){4}!", "(a|aa){18}!", ".*a.*a.*a.*a.*a!", "([a-z]+/)+x$", "(a?){22}!", "[^/]*a[^/]{35}!")


@pytest.fixture(scope="module")
def cloudflared(program: Callable[[str], Path]) -> Iterator[Cloudflared]:
    """Run the genuine cloudflared, or skip."""
    with running_cloudflared(program("cloudflared")) as process:
        yield process


def ask(cloudflared: Cloudflared, rules: list[tuple[str, str]], requests: list[tuple[str, str]]) -> Answer:
    """Return what cloudflared makes of rules, given as hostname and path, and of requests."""
    ingress = [{"hostname": host, "path": path, "service": "http://a"} for host, path in rules]
    return cloudflared.ask(json.dumps({"ingress": [*ingress, {"service": "http_status:404"}]}), requests)


@many
@given(EXPRESSIONS)
def test_an_expression_is_as_large_as_the_program_of_cloudflared(cloudflared: Cloudflared, expression: str) -> None:
    assume(regex_size(expression))
    genuine = ask(cloudflared, [("a.example.com", expression)], []).rules[0].size
    assert genuine <= 2 * regex_size(expression) + 10


@pytest.mark.parametrize("expression", SLOWEST)
def test_h1_the_largest_expressions_that_a_tunnel_may_have_answer_a_request_in_a_second(
    cloudflared: Cloudflared, expression: str
) -> None:
    assert path_expression(expression, "regex")
    number = MAX_PROGRAMS // regex_size(expression)
    rules = [(f"h{each}.example.com", expression) for each in range(number)]
    answer = ask(cloudflared, rules, [("other.example.com", "/" + "a" * 8000)] * 3)
    assert regex_size(expression) <= MAX_PROGRAM
    assert min(answer.took) < 1_000_000


def test_prefix_paths_by_the_thousand_cost_next_to_nothing(cloudflared: Cloudflared) -> None:
    rules = [(f"h{each}.example.com", path_expression(f"/api/v{each}", "prefix")) for each in range(5000)]
    answer = ask(cloudflared, rules, [("other.example.com", "/" + "a" * 8000)] * 3)
    assert min(answer.took) < 100_000


URL_PATHS = st.text(
    st.characters(min_codepoint=0x20, exclude_characters="?#*\x7f", exclude_categories=["Cs"]), max_size=20
)


@many
@given(URL_PATHS, st.sampled_from(("prefix", "exact")), st.sampled_from((str, quote)))
def test_a_path_that_is_accepted_matches_the_request_for_it_as_it_arrives(
    cloudflared: Cloudflared, text: str, match: str, write: Callable[[str], str]
) -> None:
    written = "/" + write(text)
    try:
        expression = path_expression(written, match)
    except InvalidEndpoint:
        assume(condition=False)
    if not expression:
        return
    arrives = unquote(written)
    answer = ask(
        cloudflared, [("a.example.com", expression)], [("a.example.com", arrives), ("a.example.com", arrives + "x")]
    )
    assert not answer.error
    assert answer.matches[0] == 0
    assert answer.matches[1] == (0 if arrives.endswith("/") and match == "prefix" else 1)


LABELS = st.text(st.sampled_from("aé☃🍪ßИא中-\u200d\uff21。x1_"), min_size=1, max_size=6)


@many
@given(LABELS)
def test_a_name_in_unicode_is_published_under_the_name_that_cloudflared_gives_it(
    cloudflared: Cloudflared, label: str
) -> None:
    name = f"{label}.example.com"
    try:
        hostname = Hostname.parse(name)
    except InvalidEndpoint:
        hostname = Hostname("refused.example.com")
    taken = ask(cloudflared, [(name, "")], [(hostname, "/")]).matches[0] == 0
    assume("_" not in name)
    assert taken is (hostname != "refused.example.com")
    if taken:
        assert ask(cloudflared, [(hostname, "")], [(hostname, "/")]).matches == (0,)
