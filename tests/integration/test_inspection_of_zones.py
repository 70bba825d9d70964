"""What `check` finds about zones, their records and the domain filter: every finding, with its cure."""

import dataclasses
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from doubles.emulator import Account, Record, Respond, Zone, zone_id
from doubles.inspected import AGAIN, BLUE_ONLY, GARBLED, OTHER_ACCOUNT, SEED, TWO_ZONES, World, with_zone
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Finding, Level

pytestmark = pytest.mark.anyio

OK, WARNING, PROBLEM, UNKNOWN = Level.OK, Level.WARNING, Level.PROBLEM, Level.UNKNOWN
MORE_ROOM = "take out records that nobody needs, or choose a larger plan: each hostname takes one record"
RECORDS = tuple(Record(f"r{number}.example.com", "A", "192.0.2.1") for number in range(200))
FULL = with_zone(plan="free").with_records("example.com", *RECORDS)
NEARLY_FULL = with_zone(quota=10).with_records("example.com", *RECORDS[:9])
ELSEWHERE = replace(SEED, accounts={**SEED.accounts, OTHER_ACCOUNT: Account(OTHER_ACCOUNT)}).with_zone(
    Zone(zone_id("example.org"), "example.org", OTHER_ACCOUNT)
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
            "set the name servers of the domain, at its registrar, to those that the Cloudflare dashboard tells",
        ),
    ),
    "a zone that is paused": (
        World(state=with_zone(paused=True)),
        Finding(
            "zone example.com",
            WARNING,
            "it is paused: nothing is proxied, so that no tunnel is reached",
            "resume it in the Cloudflare dashboard",
        ),
    ),
    "a zone whose records are elsewhere": (
        World(state=with_zone(type="partial")),
        Finding(
            "zone example.com",
            WARNING,
            "its records are elsewhere (CNAME setup)",
            "for each hostname make a CNAME to <hostname>.cdn.cloudflare.net at its DNS provider",
        ),
    ),
    "a zone with a primary": (
        World(state=with_zone(type="secondary")),
        Finding(
            "zone example.com",
            WARNING,
            "its records come from a primary (secondary DNS)",
            "turn on Secondary DNS Overrides, or make it a full zone",
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
            f"it is in account {OTHER_ACCOUNT}, and a tunnel serves only the zones of its own",
            "take it out of CLOUDFLARE_ZONE_IDS, or move it to the account",
        ),
    ),
    "records without a quota": (
        World(),
        Finding("records of example.com", OK, "0, without a quota of the zone's own"),
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
            "9 of 10 that its plan (enterprise) allows: 1 hostnames more fit in",
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
        World(faults=(Respond(path="usage$", status=403, times=0),)),
        Finding(
            "records of example.com",
            UNKNOWN,
            "Cloudflare does not tell how many there are",
            "see that there is room: each hostname takes one record",
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
        Finding("domain filter", OK, "none is set: names in every zone that is seen may be published"),
    ),
    "a filter that lets a zone pass": (
        World(state=TWO_ZONES, policy=filtered("app.example.com")),
        Finding("domain filter", OK, "it lets names in 1 of 2 zones pass"),
    ),
    "a zone that the filter leaves out": (
        World(state=TWO_ZONES, policy=filtered("example.com")),
        Finding("zone example.org", OK, "the domain filter excludes it: nothing is published there"),
    ),
    "a zone that the filter excludes": (
        World(state=TWO_ZONES, policy=filtered(exclude=("example.org",))),
        Finding("zone example.org", OK, "the domain filter excludes it: nothing is published there"),
    ),
    "a zone of which only the names below are excluded": (
        World(policy=filtered(exclude=(".example.com",))),
        Finding("zone example.com", OK, "it is active"),
    ),
    "a filter that no zone holds": (
        World(policy=filtered("example.com", "example.net")),
        Finding(
            "domain filter",
            PROBLEM,
            "no zone that is seen holds example.net",
            "take it out of DOMAIN_FILTER, or grant Zone / Zone / Read on its zone",
        ),
    ),
    "a filter above a zone": (
        World(policy=filtered(".com")),
        Finding("domain filter", OK, "it lets names in 1 of 1 zones pass"),
    ),
    "a filter that leaves no zone": (
        World(policy=filtered("example.com", exclude=("example.com",))),
        Finding(
            "domain filter",
            PROBLEM,
            "it leaves no zone to publish in",
            "let DOMAIN_FILTER and EXCLUDE_DOMAINS leave a zone that is seen",
        ),
    ),
    "an expression that matches": (
        World(policy=filtered(regex_include=r"\.example\.com$")),
        Finding("domain filter", OK, "it lets names in 1 of 1 zones pass"),
    ),
    "an expression that matches nothing likely": (
        World(policy=filtered(regex_include=r"^app-[0-9]+\.")),
        Finding(
            "zone example.com",
            UNKNOWN,
            "the domain filter matches neither its name nor one below it",
            "try the expressions on the names that are to be published below example.com",
        ),
    ),
}


@pytest.mark.parametrize(("world", "finding"), FINDINGS.values(), ids=FINDINGS.keys())
async def test_it_finds(world: World, finding: Finding) -> None:
    assert await world.findings_about(finding.subject) == [finding]


async def test_whatever_is_amiss_has_a_cure() -> None:
    amiss = [found for world, _ in FINDINGS.values() for found in await world.findings() if found.level is not OK]

    assert [found for found in amiss if not found.cure] == []
