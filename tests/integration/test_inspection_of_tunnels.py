"""What `check` finds about tunnels, their documents and their connectors: every finding, with its cure."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from doubles.emulator import Connector, Respond, State
from doubles.inspected import AGAIN, BETWEEN, GARBLED, SEED, TWO_ZONES, World, with_tunnel
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.ports import Finding, Level
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.anyio

OK, WARNING, PROBLEM, UNKNOWN = Level.OK, Level.WARNING, Level.PROBLEM, Level.UNKNOWN
GOOD = '{"ingress":[{"hostname":"a.example.com","service":"http://a:80"},{"service":"http_status:404"}]}'


def connected(*connectors: Connector, document: str = GOOD) -> State:
    """Return a state in which connectors serve the tunnel blue, and its document has version 2."""
    return with_tunnel(connectors=connectors).with_document(BLUE, document)


FINDINGS: Mapping[str, tuple[World, Finding]] = {
    "a tunnel": (World(), Finding("tunnel blue", OK, "it exists as 'blue' and is remotely managed")),
    "a tunnel without a name in the settings": (
        World(policy=Policy((Tunnel(BLUE),))),
        Finding(f"tunnel {BLUE}", OK, "it exists as 'blue' and is remotely managed"),
    ),
    "a tunnel that does not exist": (
        World(state=replace(SEED, tunnels={})),
        Finding(
            "tunnel blue",
            PROBLEM,
            "it does not exist in the account: Cloudflare answers 404, 1003: Tunnel not found",
            "set CLOUDFLARE_TUNNEL_ID to a tunnel of the account,"
            " or CLOUDFLARE_ACCOUNT_ID to the account of the tunnel",
        ),
    ),
    "a tunnel that is deleted": (
        World(state=with_tunnel(deleted_at="2026-09-30T00:00:00Z")),
        Finding(
            "tunnel blue",
            PROBLEM,
            "it was deleted at 2026-09-30T00:00:00Z",
            "set CLOUDFLARE_TUNNEL_ID to a tunnel of the account",
        ),
    ),
    "a tunnel that a local file configures": (
        World(state=with_tunnel(config_src="local")),
        Finding(
            "tunnel blue",
            PROBLEM,
            "it is not remotely managed: its cloudflared reads a local configuration file",
            "migrate it in the Cloudflare dashboard, or set CLOUDFLARE_TUNNEL_ID to a remotely managed tunnel",
        ),
    ),
    "a tunnel that cannot be read now": (
        World(faults=(Respond(path=f"cfd_tunnel/{BLUE}$", status=502, times=0),)),
        Finding(
            "tunnel blue",
            PROBLEM,
            f"cannot read tunnel ({BLUE}): {BETWEEN} (HTTP 502 {GARBLED})",
            AGAIN,
        ),
    ),
    "a document": (
        World(state=connected()),
        Finding(
            "document of blue",
            OK,
            "cloudflared accepts version 2: 2 rules, the last a catch-all to http_status:404",
        ),
    ),
    "no document yet": (
        World(state=with_tunnel(configuration=None)),
        Finding(
            "document of blue",
            OK,
            "version 0 has no rules yet; the first hostname adds the catch-all http_status:404",
        ),
    ),
    "a document without a catch-all": (
        World(state=connected(document='{"ingress":[{"hostname":"a.example.com","service":"http://a:80"}]}')),
        Finding(
            "document of blue",
            PROBLEM,
            "cloudflared refuses version 2: The last ingress rule must match all URLs"
            " (i.e. it should not have a hostname or path filter)",
            "fix it in the Cloudflare dashboard: until then cloudflared keeps its last valid document,"
            " and nothing is published here",
        ),
    ),
    "a document that cannot be read": (
        World(faults=(Respond(path="configurations$", status=500, times=0),)),
        Finding(
            "document of blue",
            PROBLEM,
            f"cannot load configuration (tunnel {BLUE}): Cloudflare answered 500, HTTP 500 {GARBLED}",
            AGAIN,
        ),
    ),
    "no connector": (
        World(),
        Finding(
            "connectors of blue",
            WARNING,
            "no cloudflared is connected",
            "run cloudflared with the token of this tunnel; until then its hostnames answer with error 1033",
        ),
    ),
    "connectors": (
        World(state=connected(Connector("1"), Connector("2"), Connector("3", version="2026.7.0"))),
        Finding("connectors of blue", OK, "cloudflared 2026.7.0 (1), 2026.8.2 (2)"),
    ),
    "a connector of unknown version": (
        World(state=connected(Connector("1", version="")).with_behaviour(config_version=False)),
        Finding("connectors of blue", OK, "cloudflared of unknown version (1)"),
    ),
    "a connector that is behind": (
        World(state=connected(Connector("1"), Connector("2", config_version=1))),
        Finding(
            "connectors of blue",
            WARNING,
            "cloudflared 2026.8.2 (2); 1 of 2 behind version 2 of the document, the oldest at 1",
            "run this again in a minute; if it stays so, the log of cloudflared says why it refuses the document",
        ),
    ),
    "connectors that cannot be listed": (
        World(faults=(Respond(path="connections$", status=500, times=0),)),
        Finding(
            "connectors of blue",
            UNKNOWN,
            f"cannot list connectors (tunnel {BLUE}): Cloudflare answered 500, HTTP 500 {GARBLED}",
            AGAIN,
        ),
    ),
}


@pytest.mark.parametrize(("world", "finding"), FINDINGS.values(), ids=FINDINGS.keys())
async def test_it_finds(world: World, finding: Finding) -> None:
    assert await world.findings_about(finding.subject) == [finding]


async def test_every_finding_but_ok_has_a_cure() -> None:
    findings = [finding for world, _ in FINDINGS.values() for finding in await world.findings()]

    assert [finding for finding in findings if finding.level is not OK and not finding.cure] == []


async def test_if_everything_is_in_place_only_the_permission_to_write_is_unknown() -> None:
    findings = await World(state=connected(Connector("1"))).findings()

    assert [(finding.subject, finding.level) for finding in findings if finding.level is not OK] == [
        ("permission DNS:Edit", UNKNOWN),
        ("permission Cloudflare Tunnel:Edit", UNKNOWN),
    ]


async def test_every_tunnel_and_every_zone_is_reported() -> None:
    policy = Policy((Tunnel(BLUE, "blue"), Tunnel(GREEN, "green")))

    findings = await World(state=TWO_ZONES, policy=policy).findings()

    assert [finding.subject for finding in findings][8:] == [
        *("tunnel blue", "document of blue", "connectors of blue"),
        *("tunnel green", "document of green", "connectors of green"),
        *("zone example.com", "records of example.com"),
        *("zone example.org", "records of example.org"),
        "domain filter",
    ]
