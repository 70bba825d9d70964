"""The decision about one endpoint, and the sentence that names the nearest table and field."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.external_dns.origin_pattern import OriginScope
from tunnel_webhook.domain.external_dns.permissions import Ask
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.hostname import Hostname

TEAM_A = '[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.a.example.com"]\n'
ASK = Ask(
    namespace="team-a",
    hostname=Hostname("app.a.example.com"),
    origins=("http://app.team-a.svc.cluster.local:80",),
    tunnel=frozenset({"default", "blue", "id-1"}),
    properties=frozenset({"path", "connect-timeout"}),
    requires_access=False,
)


def objection(text: str, ask: Ask = ASK) -> str:
    return parse_policy_file(f"version = 1\n{text}").objection(ask, OriginScope(ask.namespace))


def asks(**changes: object) -> Ask:
    return replace(ASK, **changes)  # type: ignore[arg-type]  # -- any field


def test_what_one_table_accepts_is_allowed() -> None:
    assert objection(TEAM_A) == ""


@pytest.mark.parametrize(
    ("text", "ask", "sentence"),
    [
        pytest.param(
            TEAM_A,
            asks(namespace="team-b"),
            "the nearest table is [[allow]] 1, and its namespaces does not name namespace team-b",
            id="another namespace",
        ),
        pytest.param(
            TEAM_A,
            asks(namespace=""),
            "the nearest table is [[allow]] 1, and its namespaces does not name an endpoint that names no namespace",
            id="no namespace",
        ),
        pytest.param(
            TEAM_A,
            asks(hostname=Hostname("a.example.com")),
            "the nearest table is [[allow]] 1, and its hostnames does not cover a.example.com",
            id="M1: an apex that is not written",
        ),
        pytest.param(
            TEAM_A + 'except = ["app.a.example.com"]',
            ASK,
            "the nearest table is [[allow]] 1, and its except takes app.a.example.com out",
            id="an exception",
        ),
        pytest.param(
            TEAM_A,
            asks(hostname=Hostname("*.a.example.com")),
            "the nearest table is [[allow]] 1, and its wildcards is false, and *.a.example.com is a wildcard",
            id="M2: a wildcard",
        ),
        pytest.param(
            TEAM_A + 'wildcards = true\nexcept = ["secret.a.example.com"]',
            asks(hostname=Hostname("*.a.example.com")),
            "the nearest table is [[allow]] 1, and its except takes *.a.example.com out",
            id="M2: a wildcard that would serve an exception",
        ),
        pytest.param(
            TEAM_A,
            asks(tunnel=frozenset({"green"})),
            "the nearest table is [[allow]] 1, and its tunnels does not list green",
            id="another tunnel",
        ),
        pytest.param(
            TEAM_A,
            asks(origins=(*ASK.origins, "http://app.team-b.svc.cluster.local:80")),
            "the nearest table is [[allow]] 1, and its origins does not list http://app.team-b.svc.cluster.local:80",
            id="H2: one of several targets is not allowed",
        ),
        pytest.param(
            TEAM_A + 'origins = ["any"]',
            asks(origins=("http://169.254.169.254",)),
            "the nearest table is [[allow]] 1, and its origins does not name exactly http://169.254.169.254, which is a"
            " metadata service of the cloud",
            id="H4: a built-in denial",
        ),
        pytest.param(
            TEAM_A,
            asks(properties=frozenset({"path", "no-tls-verify", "path-regex"})),
            "the nearest table is [[allow]] 1, and its properties does not list no-tls-verify, path-regex",
            id="M4: properties that are not safe",
        ),
        pytest.param(
            TEAM_A + 'access = "required"',
            ASK,
            "[[allow]] 1: access is required for app.a.example.com, and the endpoint does not require Access",
            id="C5: Access that is required",
        ),
        pytest.param(
            TEAM_A + '[[deny]]\nhostnames = ["app.a.example.com"]',
            ASK,
            "[[deny]] 1 denies app.a.example.com to namespace team-a",
            id="a deny",
        ),
        pytest.param(
            TEAM_A + '[[deny]]\nhostnames = ["x.a.example.com"]\n[[deny]]\nproperties = ["connect-timeout"]',
            ASK,
            "[[deny]] 2 denies app.a.example.com to namespace team-a",
            id="the second deny",
        ),
        pytest.param(
            '[[allow]]\nnamespaces = ["*"]\nhostnames = ["*.b.example.com"]\n' + TEAM_A + 'origins = ["http://x"]',
            ASK,
            "the nearest table is [[allow]] 2, and its origins does not list http://app.team-a.svc.cluster.local:80",
            id="the nearest of two tables",
        ),
    ],
)
def test_what_no_table_accepts_is_denied_in_a_sentence(text: str, ask: Ask, sentence: str) -> None:
    assert objection(text, ask) == sentence


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        pytest.param(
            TEAM_A + 'origins = ["http://localhost:8080"]', asks(origins=("http://localhost:8080",)), id="exact"
        ),
        pytest.param(TEAM_A + "wildcards = true", asks(hostname=Hostname("*.a.example.com")), id="a wildcard"),
        pytest.param(TEAM_A + "wildcards = true", asks(hostname=Hostname("*.b.a.example.com")), id="a wildcard below"),
        pytest.param(TEAM_A + 'access = "required"', asks(requires_access=True), id="Access"),
        pytest.param(TEAM_A + 'tunnels = ["blue"]', ASK, id="a tunnel by its name"),
        pytest.param(TEAM_A + 'tunnels = ["id-1"]', ASK, id="a tunnel by its id"),
        pytest.param(
            TEAM_A + '[[deny]]\nnamespaces = ["team-b"]\nhostnames = ["*.example.com"]', ASK, id="a deny of others"
        ),
        pytest.param(
            TEAM_A + '[[deny]]\nproperties = ["no-tls-verify"]\norigins = ["http://10.0.0.0/8:*"]',
            ASK,
            id="a deny of something else",
        ),
    ],
)
def test_what_the_operator_names_is_allowed(text: str, ask: Ask) -> None:
    assert objection(text, ask) == ""


def test_m3_a_broad_optional_table_does_not_hide_a_narrow_required_one() -> None:
    broad = '[[allow]]\nnamespaces = ["*"]\nhostnames = ["*.example.com"]\nwildcards = true\n'
    for text in (f'{broad}{TEAM_A}access = "required"\n', f'{TEAM_A}access = "required"\n{broad}'):
        assert "access is required for app.a.example.com" in objection(text)
        assert "access is required for *.example.com" in objection(text, asks(hostname=Hostname("*.example.com")))
        assert objection(text, asks(namespace="team-b", origins=("http_status:404",))) == ""


def test_a_deny_reaches_a_wildcard_that_would_serve_what_is_denied() -> None:
    text = TEAM_A + 'wildcards = true\n[[deny]]\nhostnames = ["x.internal.a.example.com"]'
    assert objection(text, asks(hostname=Hostname("*.a.example.com"))).startswith("[[deny]] 1")
    assert objection(text) == ""


@pytest.mark.parametrize(
    ("hostname", "namespace", "allowed"),
    [
        ("app.a.example.com", "team-a", True),
        ("app.a.example.com", "team-b", False),
        ("app.a.example.com", "", False),
        ("a.example.com", "team-a", False),
        ("*.a.example.com", "team-a", False),
    ],
)
def test_adoption_is_allowed_by_a_table_that_covers_both(hostname: str, namespace: str, allowed: bool) -> None:  # noqa: FBT001 -- a table
    permissions = parse_policy_file(f"version = 1\n{TEAM_A}adopt = true")
    assert permissions.may_adopt(Hostname(hostname), namespace) is allowed
    assert not parse_policy_file(f"version = 1\n{TEAM_A}").may_adopt(Hostname(hostname), namespace)
