"""L14 and the laws of the decision: random policy files and endpoints, and a naive reading of both as the oracle."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.consent import is_literal_path
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.namespace import namespace_of
from tunnel_webhook.domain.external_dns.origin_pattern import OriginScope
from tunnel_webhook.domain.external_dns.permissions import Ask, Permissions
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import RuleChange
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, POLICY
from vocabulary.strategies import NAMES, SERVICES, WILDCARDS, endpoints, published, worlds

SAFE = {"service", "port", "scheme", "path", "path-match", "connect-timeout"}
NAMESPACES = ("prod", "team-a", "team-b")
PATTERNS = ("*.example.com", "*.a.example.com", "a.example.com", "a*.a.example.com", "*.b.example.com", "example.com")
ORIGINS = ("same-namespace", "any", "http://one", "http://*.prod.svc.cluster.local:*", "http_status:204")
PROPERTIES = ("safe", "path-regex", "no-tls-verify", "access-required", "http-host-header")
RESOURCES = ("", "ingress/prod/one", "service/team-a/x", "crd/team-b/y", "node/worker", "a/b/c/d")


def some(*texts: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(texts), min_size=1, max_size=3, unique=True)


@st.composite
def allow_tables(draw: st.DrawFn) -> dict[str, Any]:
    table: dict[str, Any] = {
        "namespaces": draw(some("prod", "team-*", "*", "")),
        "hostnames": draw(some(*PATTERNS)),
        "origins": draw(some(*ORIGINS)),
        "properties": draw(st.lists(st.sampled_from(PROPERTIES), max_size=4)),
    }
    if draw(st.booleans()):
        table["except"] = draw(some(*PATTERNS))
    for flag in ("wildcards", "adopt"):
        table[flag] = draw(st.booleans())
    table["access"] = draw(st.sampled_from(("optional", "optional", "required")))
    table["tunnels"] = draw(some("default", "green"))
    return table


@st.composite
def deny_tables(draw: st.DrawFn) -> dict[str, Any]:
    selectors = {
        "namespaces": some("prod", "team-*"),
        "hostnames": some(*PATTERNS),
        "origins": some(*ORIGINS),
        "properties": some(*PROPERTIES),
    }
    given = draw(st.lists(st.sampled_from(sorted(selectors)), min_size=1, max_size=3, unique=True))
    return {selector: draw(selectors[selector]) for selector in given}


def lines(kind: str, table: dict[str, Any]) -> Iterator[str]:
    yield f"[[{kind}]]"
    for field, value in table.items():
        yield f"{field} = {str(value).lower() if isinstance(value, bool) else repr(value)}"


def parsed(allow: list[dict[str, Any]], deny: list[dict[str, Any]]) -> Permissions:
    tables = [line for table in allow for line in lines("allow", table)]
    tables += [line for table in deny for line in lines("deny", table)]
    return parse_policy_file("\n".join(["version = 1", *tables]))


@st.composite
def generous_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Return a table that says no in one or two ways only, so that about half of what is asked is allowed."""
    table: dict[str, Any] = {
        "namespaces": ["*", ""],
        "hostnames": ["*.example.com", "example.com"],
        "origins": ["any"],
        "properties": [*PROPERTIES, "proxy-type", "ip-rules", "access-team-name", "access-aud-tag"],
        "wildcards": True,
        "access": "optional",
        "tunnels": ["default", "green"],
    }
    strict = draw(allow_tables())
    return table | {field: strict[field] for field in draw(st.lists(st.sampled_from(sorted(table)), max_size=2))}


ALLOWS, DENIES = st.lists(allow_tables(), min_size=1, max_size=3), st.lists(deny_tables(), max_size=2)
ASKS = st.builds(
    Ask,
    namespace=st.sampled_from((*NAMESPACES, "")),
    hostname=st.sampled_from((*NAMES, *WILDCARDS)).map(Hostname),
    origins=st.lists(
        st.sampled_from((*SERVICES, "http://x.team-a.svc.cluster.local:80", "http://169.254.169.254")),
        min_size=1,
        max_size=2,
    ).map(tuple),
    tunnel=st.sampled_from((frozenset({"default", "blue"}), frozenset({"green"}))),
    properties=st.frozensets(st.sampled_from((*SAFE, *PROPERTIES[1:])), max_size=3),
    requires_access=st.booleans(),
)


def is_allowed(permissions: Permissions, ask: Ask) -> bool:
    return not permissions.objection(ask, OriginScope(ask.namespace))


@given(ALLOWS, DENIES, ASKS, st.randoms())
def test_the_order_of_tables_means_nothing(
    allow: list[dict[str, Any]], deny: list[dict[str, Any]], ask: Ask, random: Any
) -> None:
    decision = is_allowed(parsed(allow, deny), ask)
    random.shuffle(allow)
    random.shuffle(deny)
    assert is_allowed(parsed(allow, deny), ask) == decision


@given(ALLOWS, DENIES, deny_tables(), ASKS)
def test_an_added_deny_never_allows(
    allow: list[dict[str, Any]], deny: list[dict[str, Any]], added: dict[str, Any], ask: Ask
) -> None:
    assert not is_allowed(parsed(allow, [*deny, added]), ask) or is_allowed(parsed(allow, deny), ask)


@given(ALLOWS, allow_tables(), ASKS)
def test_an_added_allow_never_takes_back_that_access_is_required(
    allow: list[dict[str, Any]], added: dict[str, Any], ask: Ask
) -> None:
    required = [{**table, "access": "required"} for table in allow]
    covered = is_allowed(parsed(required, []), replace(ask, requires_access=True))
    assert not covered or not is_allowed(parsed([*required, added], []), replace(ask, requires_access=False))


# The oracle reads a policy file as its page describes it, without any of the code above.


def reads(pattern: str, hostname: str) -> bool:
    """Whether a pattern covers a hostname."""
    star = {True: r"(?:.+\.)", False: r"[^.*]*"}[pattern.startswith("*.")]
    body = re.escape(pattern.removeprefix("*.")).replace(r"\*", "[^.*]*")
    return re.fullmatch((star if pattern.startswith("*.") else "") + body, hostname) is not None


def serves(hostname: str, pattern: str) -> bool:
    """Whether a hostname stands for any name that a pattern means, tried with names that each of them could mean."""
    below = [name.replace("*", part) for name in (hostname, pattern) for part in ("x", "x.y", "a", "a.x", "")]
    probes = {name.replace("*", "x").removeprefix(".") for name in below}
    meant = {name for name in probes if reads(hostname, name) or name == hostname}
    return any(reads(pattern, name) for name in meant) or reads(pattern, hostname)


def names(pattern: str, namespace: str) -> bool:
    starred = bool(namespace) and re.fullmatch(pattern.replace("*", ".*"), namespace) is not None
    return starred or pattern == namespace


def leads(pattern: str, service: str, namespace: str) -> bool:
    """Whether a pattern of origins accepts a service; only with the patterns and services of this page."""
    if pattern == "same-namespace":
        return service.startswith("http_status:") or bool(
            namespace and re.fullmatch(rf"\w+://[^.]+(\.[^.]+)?\.{namespace}\.svc(\.cluster\.local)?(:\d+)?", service)
        )
    if pattern == "any":
        return True
    if pattern == "http://*.prod.svc.cluster.local:*":
        return re.fullmatch(r"http://.+\.prod\.svc\.cluster\.local(:\d+)?", service) is not None
    return service in {pattern, f"{pattern}:80"}


def accepts(table: dict[str, Any], asked: Endpoint, service: str) -> bool:
    namespace, host = namespace_of(asked.resource), asked.dns_name
    properties = {name.removeprefix("webhook/") for name, _ in asked.properties} - {"tunnel", "path-match"}
    tunnel = dict(asked.properties).get("webhook/tunnel", "default")
    path = dict(asked.properties).get("webhook/path", "")
    if path and not is_literal_path(path):
        properties = properties - {"path"} | {"path-regex"}
    listed = {name for group in table["properties"] for name in (SAFE if group == "safe" else {group})}
    return (
        any(names(pattern, namespace) for pattern in table["namespaces"])
        and any(reads(pattern, host) for pattern in table["hostnames"])
        and not any(serves(host, pattern) for pattern in table.get("except", []))
        and (table["wildcards"] or "*" not in host)
        and any(leads(pattern, service, namespace) for pattern in table["origins"])
        and not service.startswith(("unix:", "ssh://[::1]"))
        and properties <= listed
        and tunnel in table["tunnels"]
    )


@given(st.data(), st.lists(generous_tables(), min_size=1, max_size=2))
def test_l14_no_rule_is_written_that_the_policy_does_not_allow(
    data: st.DataObject, allow: list[dict[str, Any]]
) -> None:
    policy = replace(POLICY, permissions=parsed(allow, []))
    world = data.draw(worlds())
    tunnels = st.sampled_from((BLUE,))
    paths = st.sampled_from((("", ""), ("/api", "prefix"), ("^/v[0-9]+/", "regex")))
    wished = [
        replace(each, labels={"resource": data.draw(st.sampled_from(RESOURCES))})
        for each in data.draw(
            st.lists(
                st.builds(
                    lambda name, tunnel, path: published(name, tunnel, path=path),
                    st.sampled_from((*NAMES, *WILDCARDS)),
                    tunnels,
                    paths,
                ).flatmap(lambda strategy: strategy),
                min_size=1,
                max_size=4,
            )
        )
    ]
    adjusted = adjust(wished, policy).endpoints
    decided = plan(world.existing, Changes(create=adjusted), policy)
    changes: list[RuleChange] = [change for decision in decided.decisions for change in decision.rules]
    for rule in (rule for change in changes for rule in change.upserts):
        asked = [
            each
            for each in adjusted
            if each.dns_name == rule.hostname
            and dict(each.properties).get("webhook/path", "") == rule.path
            and each.targets == (rule.service,)
        ]
        assert any(accepts(table, each, rule.service) for table in allow for each in asked)


@given(st.lists(endpoints(), max_size=4), ALLOWS, DENIES)
def test_adjusting_twice_changes_nothing_whatever_the_policy(
    wished: list[Endpoint], allow: list[dict[str, Any]], deny: list[dict[str, Any]]
) -> None:
    policy = replace(POLICY, permissions=parsed(allow, deny))
    once = adjust(wished, policy).endpoints
    unlabelled = [
        replace(each, labels={name: each.labels[name] for name in ("owner", "resource") if name in each.labels})
        for each in once
    ]
    assert adjust(once, policy).endpoints == tuple(unlabelled)
