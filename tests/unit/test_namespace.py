"""Namespaces: read from a resource, and matched by patterns."""

import pytest

from tunnel_webhook.domain.external_dns.namespace import NamespacePattern, namespace_digest, namespace_of


@pytest.mark.parametrize(
    ("resource", "namespace"),
    [
        pytest.param("ingress/team-a/web", "team-a", id="a resource in a namespace"),
        pytest.param("HTTPRoute/team-a/web", "team-a", id="whatever the case of the kind"),
        pytest.param("", "", id="no resource"),
        pytest.param("node/worker-1", "", id="two parts"),
        pytest.param("crd//cluster-wide", "", id="cluster-scoped"),
        pytest.param("ingress/team-a/web/x", "", id="four parts"),
        pytest.param("ingress/team-a/", "", id="no name"),
        pytest.param("/team-a/web", "", id="no kind"),
        pytest.param("ingress/../web", "", id="M5: a path is not a namespace"),
        pytest.param("ingress/%2e%2e/web", "", id="M5: nor is an escaped one"),
        pytest.param("ingress/Team-A/web", "", id="upper case"),
        pytest.param(f"ingress/{'a' * 64}/web", "", id="longer than a label"),
        pytest.param("ingress/-a/web", "", id="a leading hyphen"),
        pytest.param("ingress/a\n/web", "", id="a line break"),
        pytest.param("~AbCd_", "", id="the digest of a resource"),
    ],
)
def test_a_resource_names_its_namespace_only_in_three_parts(resource: str, namespace: str) -> None:
    assert namespace_of(resource) == namespace


@pytest.mark.parametrize(
    ("pattern", "matched", "others"),
    [
        pytest.param("team-a", ["team-a"], ["team-ab", "team", ""], id="a name"),
        pytest.param("team-*", ["team-a", "team-"], ["team", "xteam-a", ""], id="a beginning"),
        pytest.param("*", ["a", "team-a"], [""], id="every namespace, but not none"),
        pytest.param("", [""], ["a"], id="no namespace"),
    ],
)
def test_a_pattern_matches_namespaces(pattern: str, matched: list[str], others: list[str]) -> None:
    parsed = NamespacePattern(pattern)
    assert [each for each in [*matched, *others] if parsed.matches(each)] == matched


@pytest.mark.parametrize("pattern", ["*-a", "a*b", "**", "team_a", "Team", "a b", "?", "[a]"])
def test_any_other_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is not a namespace: accepted are team-a, team-b-"):
        NamespacePattern(pattern)


def test_the_digest_of_a_namespace_is_five_characters_and_that_of_none_is_empty() -> None:
    assert namespace_digest("team-a") == "lsKIb"
    assert namespace_digest("") == ""
