"""A Cloudflare to inspect: its state, the operator's settings, and what the inspection finds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
from msgspec.structs import replace

from doubles.cloudflare_adapters import emulated_client
from doubles.emulator import ACCOUNT, API_TOKEN, Emulator, EmulatorTransport, Fault, State, seed
from tunnel_webhook.adapters.cloudflare.check import CloudflareInspection
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.credentials import ApiToken
from tunnel_webhook.adapters.cloudflare.directory import ZoneDirectory
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.adapters.cloudflare.tunnels import CloudflareTunnels
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.ports import Finding
from vocabulary.builders import BLUE

SEED = seed(["example.com"])
TWO_ZONES = seed(["example.com", "example.org"])
OTHER_ACCOUNT = "0123456789abcdef0123456789abcdef"
BLUE_ONLY = Policy((Tunnel(BLUE, "blue"),))
AGAIN = "run this again in a minute; www.cloudflarestatus.com reports outages"
GARBLED = "with a body that is not the API's"
BETWEEN = (
    "something between us and Cloudflare answered, and not the API: look at proxies (HTTPS_PROXY), firewalls and"
    " CLOUDFLARE_API_URL"
)
DENIED = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"messages":[],"result":null}'


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is inspected; our clock is `ahead` of Cloudflare's in seconds, with None no response carries the time."""

    state: State = SEED
    faults: tuple[Fault, ...] = ()
    policy: Policy = BLUE_ONLY
    account: str = ACCOUNT
    zone_ids: tuple[str, ...] = ()
    credentials: httpx.Auth = field(default_factory=lambda: ApiToken(API_TOKEN))
    ahead: float | None = 0.0

    async def findings(self) -> list[Finding]:
        """Return all findings; an inspection that writes, or asks for a write, has failed."""
        emulator = Emulator(self.state)
        emulator.arm(*self.faults)
        now, network = emulator.clock.now, EmulatorTransport(emulator)
        dated = _Dated(network, now, self.ahead)
        async with emulated_client(emulator, self.credentials, dated) as client:
            api = CloudflareAPI(client, ServerClock(now, now))
            directory = ZoneDirectory(api, now, emulator.clock.sleep, self.account, self.zone_ids)
            tunnels = CloudflareTunnels(api, directory, now)
            inspection = CloudflareInspection(api, client, directory, tunnels, self.policy, now)
            findings = [finding async for finding in inspection.findings()]
        assert {call.method for call in emulator.log} <= {"GET"}
        assert emulator.state is self.state
        return findings

    async def findings_about(self, subject: str) -> list[Finding]:
        """Return the findings about one subject."""
        return [finding for finding in await self.findings() if finding.subject == subject]


@dataclass(frozen=True, slots=True)
class _Dated(httpx.AsyncBaseTransport):
    """Sets the Date header of every response so many seconds back, or removes it."""

    inner: httpx.AsyncBaseTransport
    now: Callable[[], float]
    ahead: float | None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self.inner.handle_async_request(request)
        del response.headers["date"]
        if self.ahead is not None:
            response.headers["date"] = format_datetime(
                datetime.fromtimestamp(self.now() - self.ahead, UTC), usegmt=True
            )
        return response


def with_token(state: State = SEED, **changes: object) -> State:
    """Return a state with our token changed."""
    return state.with_token(replace(state.tokens[API_TOKEN], **changes))


def with_grants(state: State = SEED, **grants: tuple[str, ...]) -> State:
    """Return a state in which our token has permissions only there; `dns_read=()` takes `dns read` away."""
    named = {name.replace("_", " "): scope for name, scope in grants.items()}
    return with_token(state, grants=dict(state.tokens[API_TOKEN].grants) | named)


def with_tunnel(**changes: object) -> State:
    """Return a state in which the tunnel blue is changed."""
    return SEED.with_tunnel(replace(SEED.tunnels[BLUE], **changes))


def with_zone(**changes: object) -> State:
    """Return a state in which the zone is changed."""
    return SEED.with_zone(replace(SEED.zone("example.com"), **changes))
