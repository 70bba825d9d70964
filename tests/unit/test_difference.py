"""A plan as a person reads it, and as a program does."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from tunnel_webhook.domain.planning.difference import as_json, difference

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, record, rule

OURS = "comment 'heritage=tunnel-webhook,owner=default'"
IN_BLUE = f"CNAME app.example.com -> {BLUE}.cfargotunnel.com"
IN_GREEN = f"CNAME app.example.com -> {GREEN}.cfargotunnel.com"
APP = rule("app.example.com", "http://app:8080")


def there(*records: DnsRecord, **documents: TunnelConfiguration) -> Existing:
    """Return what is there: records of the zone, and the documents of `blue` and `green`."""
    held = {BLUE: documents.get("blue", configuration()), GREEN: documents.get("green", configuration())}
    return Existing.of([ZONE], {ZONE: records}, held)


def told(existing: Existing, changes: Changes) -> list[str]:
    return [str(line) for line in difference(plan(existing, changes, POLICY), existing, POLICY)]


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


CASES: Mapping[str, tuple[Existing, Changes, list[str]]] = {
    "a hostname that is created": (
        there(),
        create(endpoint(no_tls_verify="true", path="/api")),
        [
            "tunnel blue",
            "  + app.example.com ^/api(/|$) -> http://app:8080 (no-tls-verify=true)",
            "zone example.com",
            f"  + {IN_BLUE} (proxied, {OURS})",
        ],
    ),
    "a rule that changes": (
        there(claim("app.example.com"), blue=configuration(rule("app.example.com", "http://old:80"))),
        create(endpoint()),
        ["tunnel blue", "  ~ app.example.com -> http://old:80  =>  http://app:8080"],
    ),
    "a record that was made by hand and is adopted": (
        there(record("app.example.com", target_of(BLUE), proxied=True), blue=configuration(APP)),
        create(endpoint()),
        ["zone example.com", f"  ~ {IN_BLUE} (proxied, comment '')  =>  {IN_BLUE} (proxied, {OURS})"],
    ),
    "a hostname that moves": (
        there(claim("app.example.com"), blue=configuration(APP)),
        create(endpoint(tunnel="green")),
        [
            "tunnel green",
            "  + app.example.com -> http://app:8080",
            "tunnel blue",
            "  - app.example.com -> http://app:8080",
            "zone example.com",
            f"  ~ {IN_BLUE} (proxied, {OURS})  =>  {IN_GREEN} (proxied, {OURS})",
        ],
    ),
    "a hostname that is deleted": (
        there(claim("app.example.com"), blue=configuration(APP)),
        Changes(delete=(endpoint(),)),
        [
            "tunnel blue",
            "  - app.example.com -> http://app:8080",
            "zone example.com",
            f"  - {IN_BLUE} (proxied, {OURS})",
        ],
    ),
    "a path that goes while another stays": (
        there(
            claim("app.example.com"),
            blue=configuration(rule("app.example.com", path="^/old", service="http://old"), APP),
        ),
        Changes(delete=(replace(endpoint(), set_identifier="^/old"),)),
        ["tunnel blue", "  - app.example.com ^/old -> http://old"],
    ),
    "a rule that is there twice": (
        there(claim("app.example.com"), blue=configuration(APP, rule("app.example.com", "http://never:80"))),
        create(endpoint()),
        ["tunnel blue", "  - app.example.com -> http://never:80"],
    ),
    "a rule that others stand before": (
        there(claim("app.example.com"), blue=configuration(rule("*.example.com"), APP)),
        create(endpoint()),
        ["tunnel blue", "  ~ app.example.com: its rules move to where they are reached"],
    ),
    "a record that is not proxied": (
        there(replace(claim("app.example.com"), proxied=False), blue=configuration(APP)),
        create(endpoint()),
        ["zone example.com", f"  ~ {IN_BLUE} (not proxied, {OURS})  =>  {IN_BLUE} (proxied, {OURS})"],
    ),
    "an endpoint that is rejected": (
        there(record("app.example.com", "192.0.2.1", "A")),
        create(endpoint()),
        [
            "not done",
            (
                "  ! app.example.com: record-conflict: app.example.com already has a A record (192.0.2.1) that this service did"
                " not make: remove it, or point the hostname elsewhere"
            ),
        ],
    ),
    "nothing": (there(claim("app.example.com"), blue=configuration(APP)), create(endpoint()), []),
}


@pytest.mark.parametrize(("existing", "changes", "lines"), CASES.values(), ids=CASES.keys())
def test_a_plan_is_told_line_by_line(existing: Existing, changes: Changes, lines: list[str]) -> None:
    assert told(existing, changes) == lines


def withheld() -> tuple[Existing, Plan]:
    hostnames = ("a.example.com", "b.example.com")
    existing = there(*(claim(name) for name in hostnames), blue=configuration(*(rule(name) for name in hostnames)))
    decided = plan(existing, Changes(delete=tuple(endpoint(name) for name in hostnames)), POLICY)
    return existing, decided.without_deletions()


def test_withheld_deletions_are_named() -> None:
    existing, decided = withheld()

    assert [str(line) for line in difference(decided, existing, POLICY)] == [
        "not done",
        "  ! a.example.com: its deletion is withheld, together with 1 others",
        "  ! b.example.com: its deletion is withheld, together with 1 others",
    ]
    assert as_json(decided)["withheld"] == ["a.example.com", "b.example.com"]


def test_a_plan_becomes_json() -> None:
    conflict = record("taken.example.com", "192.0.2.1", "A")
    existing = there(conflict, claim("app.example.com", GREEN), green=configuration(APP))
    asked = create(endpoint(no_tls_verify="true"), endpoint("taken.example.com", resource="service/prod/taken"))

    decided = json.loads(json.dumps(as_json(plan(existing, asked, POLICY))))

    assert {name: number for name, number in decided["counts"].items() if number} == {"move": 1, "rejected": 1}
    assert decided["decisions"] == [
        {
            "hostname": "app.example.com",
            "action": "move",
            "zone": "example.com",
            "tunnel": BLUE,
            "rules": [{"path": "", "service": "http://app:8080", "originRequest": {"noTLSVerify": True}}],
            "removedPaths": [],
            "leftBehindIn": [GREEN],
            "claims": False,
            "repoints": True,
            "releases": False,
        }
    ]
    (rejection,) = decided["rejections"]
    assert (rejection["hostname"], rejection["code"], rejection["resource"]) == (
        "taken.example.com",
        "record-conflict",
        "service/prod/taken",
    )
    assert "192.0.2.1" in rejection["sentence"]
    assert decided["withheld"] == []
