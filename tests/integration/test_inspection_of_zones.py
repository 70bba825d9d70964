"""What `check` finds about zones, their records and the domain filter: every finding, with its cure."""

import dataclasses
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from doubles.emulator import BLUE, Account, Record, Respond, Zone, zone_id
from doubles.inspected import (
    AGAIN,
    BETWEEN,
    BLUE_ONLY,
    DENIED,
    GARBLED,
    OTHER_ACCOUNT,
    SEED,
    TWO_ZONES,
    World,
    with_zone,
)
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Finding, Level
from vocabulary.builders import claim

pytestmark = pytest.mark.anyio

OK, WARNING, PROBLEM, UNKNOWN = Level.OK, Level.WARNING, Level.PROBLEM, Level.UNKNOWN
MORE_ROOM = "delete records that are not needed, or choose a larger plan: each hostname takes one record"
RECORDS = tuple(Record(f"r{number}.example.com", "A", "192.0.2.1") for number in range(200))
FULL = with_zone(plan="free").with_records("example.com", *RECORDS)
NEARLY_FULL = with_zone(quota=10).with_records("example.com", *RECORDS[:9])
ELSEWHERE = replace(SEED, accounts={**SEED.accounts, OTHER_ACCOUNT: Account(OTHER_ACCOUNT)}).with_zone(
    Zone(zone_id("example.org"), "example.org", OTHER_ACCOUNT)
)

CLAIM = claim("app.example.org")
RULE = f'{{"ingress":[{{"hostname":"{CLAIM.name}","service":"http://app"}},{{"service":"http_status:404"}}]}}'
LEFT_OUT = TWO_ZONES.with_document(BLUE, RULE).with_records(
    "example.org", Record(CLAIM.name, CLAIM.type, CLAIM.content, proxied=True, comment=CLAIM.comment)
)


def filtered(*include: str, exclude: tuple[str, ...] = (), regex_include: str = "") -> Policy:
    """Return a policy with a domain filter."""
    return dataclasses.replace(BLUE_ONLY, domain_filter=DomainFilter(include, exclude, regex_include))


FINDINGS: Mapping[str, tuple[World, Finding]] = {
    "a zone": (World(), Finding("zone example.com", OK, "it is active")),
    "a zone that is pending": (
        World(state=with_zone(status="pending")),
        Finding(
            "zone example.com",
            WARNING,
            "it is pending, not active: its names do not resolve yet",
            "at the registrar, set the name servers of the domain to those that the Cloudflare dashboard shows",
        ),
    ),
    "a zone that is paused": (
        World(state=with_zone(paused=True)),
        Finding(
            "zone example.com",
            WARNING,
            "it is paused: nothing is proxied, so no tunnel is reached",
            "resume it in the Cloudflare dashboard",
        ),
    ),
    "a zone whose records are kept elsewhere": (
        World(state=with_zone(type="partial")),
        Finding(
            "zone example.com",
            WARNING,
            "its records are kept elsewhere (CNAME setup)",
            "create a CNAME to <hostname>.cdn.cloudflare.net for each hostname at its DNS provider",
        ),
    ),
    "a zone with a primary": (
        World(state=with_zone(type="secondary")),
        Finding(
            "zone example.com",
            WARNING,
            "its records come from a primary (secondary DNS)",
            "turn on Secondary DNS Overrides, or convert it to a full zone",
        ),
    ),
    "a zone that is internal": (
        World(state=with_zone(type="internal"), zone_ids=(zone_id("example.com"),)),
        Finding(
            "zone example.com", WARNING, "it is internal, so that no visitor sees it", "publish in a zone that is not"
        ),
    ),
    "a zone of another account": (
        World(state=ELSEWHERE, zone_ids=(zone_id("example.org"),)),
        Finding(
            "zone example.org",
            PROBLEM,
            f"it is in account {OTHER_ACCOUNT}, and a tunnel serves only zones of its own account",
            "remove it from CLOUDFLARE_ZONE_IDS, or move it to the account of the tunnels",
        ),
    ),
    "records without a quota": (
        World(),
        Finding("records of example.com", OK, "0, and the zone has no quota of its own"),
    ),
    "records within the quota": (
        World(state=with_zone(plan="pro")),
        Finding("records of example.com", OK, "0 of 3500 that its plan (pro) allows"),
    ),
    "records that nearly fill the quota": (
        World(state=NEARLY_FULL),
        Finding(
            "records of example.com",
            WARNING,
            "9 of 10 that its plan (enterprise) allows: 1 more hostname fits",
            MORE_ROOM,
        ),
    ),
    "records that fill the quota": (
        World(state=FULL),
        Finding(
            "records of example.com",
            PROBLEM,
            "200 of 200 that its plan (free) allows: no hostname can be added",
            MORE_ROOM,
        ),
    ),
    "records that are not counted": (
        World(faults=(Respond(path="usage$", status=403, body=DENIED, times=0),)),
        Finding(
            "records of example.com",
            UNKNOWN,
            "Cloudflare does not say how many there are",
            "check that there is room: each hostname takes one record",
        ),
    ),
    "records that a firewall does not let count": (
        World(faults=(Respond(path="usage$", status=403, times=0),)),
        Finding(
            "records of example.com",
            PROBLEM,
            f"cannot read usage (zone example.com): {BETWEEN} (HTTP 403 {GARBLED})",
            AGAIN,
        ),
    ),
    "records that cannot be counted now": (
        World(faults=(Respond(path="usage$", status=500, times=0),)),
        Finding(
            "records of example.com",
            PROBLEM,
            f"cannot read usage (zone example.com): Cloudflare answered 500, HTTP 500 {GARBLED}",
            AGAIN,
        ),
    ),
    "no filter": (
        World(),
        Finding("domain filter", OK, "none is set: names in every visible zone may be published"),
    ),
    "a filter that selects a zone": (
        World(state=TWO_ZONES, policy=filtered("app.example.com")),
        Finding("domain filter", OK, "it selects names in 1 of 2 zones"),
    ),
    "a zone that the filter does not include": (
        World(state=TWO_ZONES, policy=filtered("example.com")),
        Finding("zone example.org", OK, "the domain filter excludes it: nothing is published there"),
    ),
    "a zone that the filter excludes": (
        World(state=TWO_ZONES, policy=filtered(exclude=("example.org",))),
        Finding("zone example.org", OK, "the domain filter excludes it: nothing is published there"),
    ),
    "a zone that the filter excludes, with a claim": (
        World(state=LEFT_OUT, policy=filtered(exclude=("example.org",))),
        Finding(
            "zone example.org",
            WARNING,
            "the domain filter excludes it, and 1 hostname in it is claimed, such as app.example.org: they stay as they"
            " are",
            "widen DOMAIN_FILTER until external-dns has deleted them, or delete their records and rules by hand",
        ),
    ),
    "a zone that the filter excludes, and that cannot be read now": (
        World(
            state=LEFT_OUT,
            policy=filtered(exclude=("example.org",)),
            faults=(Respond(path=f"{zone_id('example.org')}/dns_records$", status=500, times=0),),
        ),
        Finding(
            "zone example.org",
            UNKNOWN,
            "the domain filter excludes it, and whether hostnames in it are claimed cannot be read: cannot list records"
            f" (zone example.org): Cloudflare answered 500, HTTP 500 {GARBLED}",
            AGAIN,
        ),
    ),
    "a zone id that cannot be read": (
        World(zone_ids=(zone_id("example.com"), "f" * 32)),
        Finding(
            f"zone {'f' * 32}",
            PROBLEM,
            f"cannot read zone (CLOUDFLARE_ZONE_IDS {'f' * 32}): check CLOUDFLARE_ACCOUNT_ID, CLOUDFLARE_TUNNEL_ID and"
            " CLOUDFLARE_ZONE_IDS: one of them is not a valid id (Cloudflare: 404, 1003: Invalid or missing zone id.)",
            "remove it from CLOUDFLARE_ZONE_IDS",
        ),
    ),
    "a zone of which only the names below are excluded": (
        World(policy=filtered(exclude=(".example.com",))),
        Finding("zone example.com", OK, "it is active"),
    ),
    "a filter with an entry in no zone": (
        World(policy=filtered("example.com", "example.net")),
        Finding(
            "domain filter",
            PROBLEM,
            "no visible zone contains example.net",
            "remove it from DOMAIN_FILTER, or grant Zone / Zone / Read on its zone",
        ),
    ),
    "a filter above a zone": (
        World(policy=filtered(".com")),
        Finding("domain filter", OK, "it selects names in 1 of 1 zones"),
    ),
    "a filter that selects no zone": (
        World(policy=filtered("example.com", exclude=("example.com",))),
        Finding(
            "domain filter",
            PROBLEM,
            "it selects no zone to publish in",
            "change DOMAIN_FILTER and EXCLUDE_DOMAINS so that they select a visible zone",
        ),
    ),
    "an expression that matches": (
        World(policy=filtered(regex_include=r"\.example\.com$")),
        Finding("domain filter", OK, "it selects names in 1 of 1 zones"),
    ),
    "an expression that matches nothing likely": (
        World(policy=filtered(regex_include=r"^app-[0-9]+\.")),
        Finding(
            "zone example.com",
            UNKNOWN,
            "the regular expressions match neither example.com nor www.example.com",
            "try them on the names that are to be published below example.com",
        ),
    ),
}


@pytest.mark.parametrize(("world", "finding"), FINDINGS.values(), ids=FINDINGS.keys())
async def test_it_finds(world: World, finding: Finding) -> None:
    assert await world.findings_about(finding.subject) == [finding]


async def test_only_zones_that_the_filter_concerns_are_counted() -> None:
    findings = await World(state=TWO_ZONES, policy=filtered("example.com")).findings()

    assert [finding.subject for finding in findings if finding.subject.startswith("records of")] == [
        "records of example.com"
    ]


async def test_every_finding_but_ok_has_a_cure() -> None:
    findings = [finding for world, _ in FINDINGS.values() for finding in await world.findings()]

    assert [finding for finding in findings if finding.level is not OK and not finding.cure] == []
