"""Paths: the expression that `webhook/path` and `webhook/path-match` become, and the URL paths that it matches."""

import pytest

from tunnel_webhook.domain.cloudflared.re2_syntax import compile_re2
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.path import path_expression, regex_size


@pytest.mark.parametrize(
    ("match", "path", "expression", "matched", "others"),
    [
        pytest.param(
            "prefix", "/api", "^/api(/|$)", ["/api", "/api/", "/api/x"], ["/apis", "/x/api", "/"], id="prefix"
        ),
        pytest.param("prefix", "/api/", "^/api(/|$)", ["/api", "/api/x"], ["/apis"], id="prefix with a trailing slash"),
        pytest.param("prefix", "/", "", ["", "/", "/x"], [], id="prefix of everything"),
        pytest.param("prefix", "//", "", ["", "/", "/x"], [], id="prefix of slashes only"),
        pytest.param("exact", "/api", "^/api$", ["/api"], ["/api/", "/apis", "/x/api"], id="exact"),
        pytest.param("exact", "/", "^/$", ["/"], ["", "/x"], id="exact root"),
        pytest.param("regex", "a[pb]i", "a[pb]i", ["/v1/apiary", "/abi"], ["/ai"], id="regex"),
        pytest.param("regex", "", "", ["", "/x"], [], id="empty regex"),
        pytest.param("prefix", "/x%20y", "^/x y(/|$)", ["/x y", "/x y/z"], ["/x%20y", "/x"], id="an escaped space"),
        pytest.param("exact", "/%C3%BC%3f%2A%25", r"^/ü\?\*%$", ["/ü?*%"], ["/ü"], id="every kind of escape"),
        pytest.param("prefix", "/@name", "^/@name(/|$)", ["/@name"], [], id="an at sign"),
    ],
)
def test_a_path_becomes_an_expression(
    match: str, path: str, expression: str, matched: list[str], others: list[str]
) -> None:
    assert path_expression(path, match) == expression
    compiled = compile_re2(expression)
    assert [url_path for url_path in (*matched, *others) if compiled.search(url_path)] == matched


@pytest.mark.parametrize("match", ["prefix", "exact"])
def test_a_path_is_taken_literally(match: str) -> None:
    path = r"/a.b+c(f)g|h[i]j{k}l^m$n\o p-q~é"
    compiled = compile_re2(path_expression(path, match))
    assert compiled.search(path)
    assert not compiled.search(path.replace(".", "x"))


@pytest.mark.parametrize(
    ("match", "path", "sentence"),
    [
        pytest.param("Prefix", "/api", "accepted are prefix, exact and regex", id="an unknown match"),
        pytest.param("prefix", "api", "does not start with '/'", id="a prefix without a leading slash"),
        pytest.param("exact", "", "does not start with '/'", id="an empty exact path"),
        pytest.param("regex", "(", "is not a regular expression that RE2 accepts", id="an open group"),
        pytest.param("regex", "(?=a)", "is not a regular expression that RE2 accepts", id="a look-ahead"),
        pytest.param("prefix", "/" + "a" * 1024, "too long: at most 1024 characters", id="1025 characters"),
        pytest.param("exact", "/" + "." * 600, "longer than 1024 characters", id="1202 characters once escaped"),
        pytest.param("regex", "a\nb", "control characters", id="a control character"),
        pytest.param("exact", "/a\x7f", "control characters", id="a delete character"),
        pytest.param("prefix", "/api/*", "a prefix needs no '\\*'", id="a prefix with a star"),
        pytest.param("exact", "/*.js", "webhook/path-match: regex", id="an exact path with a star"),
        pytest.param("prefix", "/api?v=1", "a query is not part of the path", id="a query"),
        pytest.param("exact", "/a#b", "nothing of what follows a '#'", id="a fragment"),
        pytest.param("prefix", "/100%", "write %25", id="a percent sign that is not an escape"),
        pytest.param("prefix", "/a%zz", "write %25", id="an escape that is not hexadecimal"),
        pytest.param("prefix", "/a%2fb", "does not distinguish from a '/'", id="an escaped slash"),
        pytest.param("prefix", "/%FF", "not UTF-8", id="an escape that is not UTF-8"),
        pytest.param("exact", "/a%0Ab", "control characters", id="an escaped line feed"),
        pytest.param("regex", "((a?){10}){3}!", "has 1[0-9]{2} instructions, and 100", id="H1: a large program"),
        pytest.param("regex", "a" * 101, "too large", id="a long literal"),
        pytest.param("regex", "(https://user:secret@host", "accepts$", id="an open group beside a secret"),
    ],
)
def test_an_invalid_path_is_refused(match: str, path: str, sentence: str) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence):
        path_expression(path, match)


def test_a_path_of_1024_characters_is_accepted() -> None:
    path = "/" + "a" * 1017
    assert path_expression(path, "prefix") == f"^{path}(/|$)"
    assert len(path_expression(path, "prefix")) == 1024


@pytest.mark.parametrize(
    ("path", "match"),
    [("/api", "prefix"), ("/", "prefix"), ("/a.b(c)$^|{1}", "exact"), ("/" + "x" * 900, "prefix"), ("/ü%20", "exact")],
)
def test_a_prefix_and_an_exact_path_run_no_program(path: str, match: str) -> None:
    assert regex_size(path_expression(path, match)) == 0


@pytest.mark.parametrize(
    "expression", [r"\.php$", "^/v[0-9]+/", "^/api", "/api(/|$)", "^/a.b$", "^/(de|en)(/|$)", "^a|b$"]
)
def test_any_other_expression_runs_one(expression: str) -> None:
    assert 0 < regex_size(expression) < 40


@pytest.mark.parametrize("expression", ["((a?){30}){30}!", "(" * 2000, r"\pL" * 500])
def test_what_a_person_stored_counts_at_least_as_much_as_the_largest_of_ours(expression: str) -> None:
    assert regex_size(expression) >= 100
