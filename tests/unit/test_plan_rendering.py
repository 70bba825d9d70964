"""A plan rendered for people, and for programs."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tunnel_webhook.cli.plan_rendering import plan_json, plan_lines
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Plan, Rejection
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.releasing import plan_releases
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, marker, record, rule

OURS = "comment 'heritage=tunnel-webhook,owner=default,paths=.'"
API = "comment 'heritage=tunnel-webhook,owner=default,paths=6ikXC'"
BOTH = "comment 'heritage=tunnel-webhook,owner=default,paths=.SKl74'"
ADOPTED = "comment 'heritage=tunnel-webhook,owner=default,paths=.,adopted'"
IN_BLUE = f"CNAME app.example.com -> {BLUE}.cfargotunnel.com"
IN_GREEN = f"CNAME app.example.com -> {GREEN}.cfargotunnel.com"
APP = rule("app.example.com", "http://app:8080")
GONE = "comment 'heritage=tunnel-webhook,owner=default,paths=.,releasing=1700000000'"
GOING = replace(claim("app.example.com"), comment=marker("default", since=1_700_000_000).comment)
OURS_ONLY = replace(POLICY, owner_id="default", adopt_hostnames=(HostnamePattern.parse("*.example.com"),))


def existing(*records: DnsRecord, **documents: TunnelConfiguration) -> Existing:
    """Return a state: records of the zone, and the documents of `blue` and `green`."""
    configurations = {BLUE: documents.get("blue", configuration()), GREEN: documents.get("green", configuration())}
    return Existing.of([ZONE], {ZONE: records}, configurations)


def rendered(plan: Plan, state: Existing) -> list[str]:
    return [str(line) for line in plan_lines(plan, state, OURS_ONLY)]


def create(*endpoints: Endpoint) -> Changes:
    return Changes(create=endpoints)


CASES: Mapping[str, tuple[Existing, Changes, list[str]]] = {
    "a hostname that is created": (
        existing(),
        create(endpoint(no_tls_verify="true", path="/api")),
        [
            "tunnel blue",
            "  + app.example.com ^/api(/|$) -> http://app:8080 (no-tls-verify=true)",
            "zone example.com",
            f"  + {IN_BLUE} (proxied, {API})",
            "create 1",
        ],
    ),
    "a rule that changes": (
        existing(claim("app.example.com"), blue=configuration(rule("app.example.com", "http://old:80"))),
        create(endpoint()),
        ["tunnel blue", "  ~ app.example.com -> http://old:80  =>  http://app:8080", "update 1"],
    ),
    "a record that was made by hand and is adopted": (
        existing(record("app.example.com", target_of(BLUE), proxied=True), blue=configuration(APP)),
        create(endpoint()),
        ["zone example.com", f"  ~ {IN_BLUE} (proxied, comment '')  =>  {IN_BLUE} (proxied, {ADOPTED})", "adopt 1"],
    ),
    "a hostname that moves": (
        existing(claim("app.example.com"), blue=configuration(APP)),
        create(endpoint(tunnel="green")),
        [
            "tunnel green",
            "  + app.example.com -> http://app:8080",
            "tunnel blue",
            "  - app.example.com -> http://app:8080",
            "zone example.com",
            f"  ~ {IN_BLUE} (proxied, {OURS})  =>  {IN_GREEN} (proxied, {OURS})",
            "move 1",
        ],
    ),
    "a hostname that is deleted": (
        existing(claim("app.example.com"), blue=configuration(APP)),
        Changes(delete=(endpoint(),)),
        [
            "tunnel blue",
            "  - app.example.com -> http://app:8080",
            "zone example.com",
            f"  - {IN_BLUE} (proxied, {OURS}), after RELEASE_DELAY",
            "delete 1",
        ],
    ),
    "a hostname that is created again while it is being released": (
        existing(GOING),
        create(endpoint()),
        [
            "tunnel blue",
            "  + app.example.com -> http://app:8080",
            "zone example.com",
            f"  - {IN_BLUE} (proxied, {GONE})",
            f"  + {IN_BLUE} (proxied, {OURS})",
            "create 1",
        ],
    ),
    "another hostname while one is being released": (
        existing(GOING, replace(claim("theirs.example.com"), comment=marker("them", since=0).comment)),
        Changes(),
        ["zone example.com", "  ~ app.example.com: being released since 2023-11-14 22:13:20 UTC", "nothing to do"],
    ),
    "a path that is removed while another stays": (
        existing(
            claim("app.example.com", paths=["", "^/old"]),
            blue=configuration(rule("app.example.com", path="^/old", service="http://old"), APP),
        ),
        Changes(delete=(replace(endpoint(), set_identifier="^/old"),)),
        [
            "tunnel blue",
            "  - app.example.com ^/old -> http://old",
            "zone example.com",
            f"  ~ {IN_BLUE} (proxied, {BOTH})  =>  {IN_BLUE} (proxied, {OURS}), after RELEASE_DELAY",
            "update 1",
        ],
    ),
    "a duplicate rule": (
        existing(claim("app.example.com"), blue=configuration(APP, rule("app.example.com", "http://never:80"))),
        create(endpoint()),
        ["tunnel blue", "  - app.example.com -> http://never:80", "update 1"],
    ),
    "a rule behind one that takes its requests": (
        existing(claim("app.example.com"), blue=configuration(rule("*.example.com"), APP)),
        create(endpoint()),
        ["tunnel blue", "  ~ app.example.com: its rules move to where they are reached", "update 1"],
    ),
    "a record that is not proxied": (
        existing(replace(claim("app.example.com"), proxied=False), blue=configuration(APP)),
        create(endpoint()),
        ["zone example.com", f"  ~ {IN_BLUE} (not proxied, {OURS})  =>  {IN_BLUE} (proxied, {OURS})", "update 1"],
    ),
    "nothing": (existing(claim("app.example.com"), blue=configuration(APP)), create(endpoint()), ["nothing to do"]),
}


@pytest.mark.parametrize(("state", "changes", "lines"), CASES.values(), ids=CASES.keys())
def test_a_plan_is_rendered_line_by_line(state: Existing, changes: Changes, lines: list[str]) -> None:
    assert rendered(plan(state, changes, OURS_ONLY), state) == lines


def test_a_record_that_is_deleted_at_the_end_of_its_release_is_rendered() -> None:
    state = existing(GOING)
    forgotten = plan_releases(state, POLICY, 1_700_000_120.0, 120.0)
    assert rendered(forgotten, state) == ["zone example.com", f"  - {IN_BLUE} (proxied, {GONE})", "forget 1"]
    (decision,) = json.loads(json.dumps(plan_json(forgotten)))["decisions"]
    assert (decision["action"], decision["discards"], decision["releases"]) == ("forget", True, False)


def test_a_swap_of_a_record_is_in_the_json() -> None:
    (decision,) = json.loads(json.dumps(plan_json(plan(existing(GOING), create(endpoint()), POLICY))))["decisions"]
    assert (decision["claims"], decision["replaces"], decision["discards"]) == (True, True, False)


def test_rejections_are_named_with_their_reason() -> None:
    rejected = Plan(rejections=(Rejection("app.example.com", Reason.RECORD_CONFLICT, "remove the A record"),))

    assert rendered(rejected, existing()) == [
        "not done",
        "  ! app.example.com: record-conflict: remove the A record",
        "rejected 1",
    ]


def test_withheld_deletions_are_named() -> None:
    hostnames = ("a.example.com", "b.example.com")
    state = existing(*(claim(name) for name in hostnames), blue=configuration(*(rule(name) for name in hostnames)))
    deletion = plan(state, Changes(delete=tuple(endpoint(name) for name in hostnames)), POLICY)

    withheld = deletion.withhold({"a.example.com", "b.example.com"}, "too many")

    assert rendered(withheld, state) == [
        "not done",
        "  ! a.example.com: its deletion is withheld",
        "  ! b.example.com: its deletion is withheld",
        "  ! too many",
        "withheld 2",
    ]
    assert plan_json(withheld)["withheld"] == ["a.example.com", "b.example.com"]


INHERITED = TunnelConfiguration.parse(
    '{"originRequest":{"httpHostHeader":"internal","noTLSVerify":true,"bastionMode":true},'
    f'"ingress":[{rule("old.example.com", "http://old:80").text},{{"service":"http_status:404"}}]}}'
)


def test_what_a_rule_inherits_from_its_document_is_shown() -> None:
    state = existing(claim("old.example.com"), blue=INHERITED)
    asked = (endpoint(no_tls_verify="false"), endpoint("old.example.com", "http://new:80"))
    planned = plan(state, create(*asked), POLICY)

    lines = rendered(planned, state)
    (created,) = [line for line in lines if line.startswith("  + app.example.com ->")]
    (updated,) = [line for line in lines if line.startswith("  ~ old.example.com ->")]
    assert created.endswith("; inherited: http-host-header=internal)")
    assert "no-tls-verify=false" in created.partition("inherited")[0]
    assert "bastion-mode=false" in created.partition("inherited")[0]
    assert updated.endswith("; inherited: http-host-header=internal, no-tls-verify=true)")
    decisions = json.loads(json.dumps(plan_json(planned, state.configurations)))["decisions"]
    inherited = [upsert["inherited"] for one in decisions for change in one["rules"] for upsert in change["upserts"]]
    assert inherited == [
        {"http-host-header": "internal"},
        {"http-host-header": "internal", "no-tls-verify": "true"},
    ]


def test_a_plan_becomes_json() -> None:
    conflict = record("taken.example.com", "192.0.2.1", "A")
    state = existing(conflict, claim("app.example.com", GREEN), green=configuration(APP))
    changes = create(endpoint(no_tls_verify="true"), endpoint("taken.example.com", resource="service/prod/taken"))

    encoded = json.loads(json.dumps(plan_json(plan(state, changes, POLICY))))

    assert {name: number for name, number in encoded["counts"].items() if number} == {"move": 1, "rejected": 1}
    assert encoded["decisions"] == [
        {
            "hostname": "app.example.com",
            "action": "move",
            "zone": "example.com",
            "tunnel": BLUE,
            "claims": False,
            "replaces": False,
            "rules": [
                {
                    "tunnel": BLUE,
                    "upserts": [
                        {
                            "path": "",
                            "service": "http://app:8080",
                            "originRequest": {"noTLSVerify": True},
                            "inherited": {},
                        }
                    ],
                    "removedPaths": [],
                }
            ],
            "repoints": True,
            "cleanup": [{"tunnel": GREEN, "upserts": [], "removedPaths": [""]}],
            "releases": False,
            "discards": False,
        }
    ]
    (rejection,) = encoded["rejections"]
    assert rejection["hostname"] == "taken.example.com"
    assert rejection["code"] == "record-conflict"
    assert rejection["resource"] == "service/prod/taken"
    assert "192.0.2.1" in rejection["sentence"]
    assert encoded["withheld"] == []
