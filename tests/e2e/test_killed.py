"""L11 on Cloudflare: whichever call fails or is the last of a process, the next sync ends in the same state.

| at each call of the API                                      | in                           |
|--------------------------------------------------------------|------------------------------|
| nothing fails: the rules and claims at that moment           | the adapters on the emulator |
| it fails before its effect, or after it                      | the adapters on the emulator |
| the same, and so do all later calls until the next sync      | the adapters on the emulator |
| the process is killed (SIGKILL) after the effect of a write  | the real process             |

A process that is killed before a call leaves the state after the previous one. States are the same if every document
is, byte for byte, and every record, apart from its times, the ids of ours, and whether a deleted path is still leaving
(`tests/property/test_stopping.py` lets the time pass for that).
"""

import asyncio
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import count

import httpx
import pytest
from msgspec.structs import replace

from doubles.cloudflare_adapters import cloudflare
from doubles.emulator import (
    API_TOKEN,
    BLUE,
    GREEN,
    Control,
    Drop,
    Emulator,
    Fault,
    Intervention,
    Pause,
    Record,
    State,
    emulator_process,
    seed,
)
from doubles.http_client import HttpWebhookAPI
from doubles.process import RunningWebhook, running_webhook
from doubles.side_doors import emulated_record
from oracles.external_dns_planner import ExternalDns, is_empty
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.marker import HERITAGE
from tunnel_webhook.ports import TemporaryFailure
from vocabulary.builders import POLICY, endpoint, service
from vocabulary.world import ADMIN, DOCUMENT, EVERYWHERE, HAND, RECORDS, document

pytestmark = pytest.mark.anyio

TAKEN = '{"hostname":"taken.example.org","service":"http://old:80","originRequest":{"connectTimeout":9,"new":1.50},"weight":1E2}'


def to_blue(name: str, comment: str) -> Record:
    return Record(name, "CNAME", f"{BLUE}.cfargotunnel.com", proxied=True, comment=comment)


WORLD = (
    seed(["example.com", "example.org"])
    .with_behaviour(key_order="as sent")
    .with_document(BLUE, DOCUMENT)
    .with_document(GREEN, document(TAKEN, EVERYWHERE))
    .with_records("example.com", *map(emulated_record, RECORDS), to_blue("*.wild.example.com", "by hand"))
    .with_records("example.org", Record("example.org", "MX", "mail.example.org", more={"priority": 10}))
)
LEAVING = re.compile(r",leaving=[^,]*")
ADOPTED = "*.wild.example.com,taken.example.org"
"""The hostnames for which the operator allows to take over what a person made."""

ADOPTING = dataclasses.replace(POLICY, adopt_hostnames=tuple(map(HostnamePattern.parse, ADOPTED.split(","))))
STAGES: tuple[tuple[Endpoint, ...], ...] = (
    (
        endpoint("app.example.com", "http://app:80", resource="ingress/prod/app"),
        endpoint("app.example.com", "http://api:80", path="/api"),
        endpoint("web.example.org", "http://web:80"),
        endpoint("shop.example.com", "http://shop:80", tunnel="green"),
        endpoint("*.example.org", "http://any:80", tunnel="green"),
        endpoint("old.example.com", "http://old:80"),
        endpoint("old.example.org", "http://old:80", tunnel="green"),
        endpoint("*.wild.example.com", "http://wild:80"),
        endpoint("taken.example.org", "http://new:80", tunnel="green", adopt="true"),
    ),
    (
        endpoint("app.example.com", "https://app:443", resource="ingress/prod/app", no_tls_verify="true"),
        endpoint("app.example.com", "http://api:80", path="/v2"),
        endpoint("web.example.org", "http://web:80", tunnel="green"),
        endpoint("shop.example.com", "http://shop:8080"),
        endpoint("*.example.org", "http://any:80", tunnel="green"),
        endpoint("new.example.com", "http://new:80"),
        endpoint("new.example.org", "http://new:80", tunnel="green"),
        endpoint("*.wild.example.com", "http://wild:80"),
        endpoint("taken.example.org", "http://new:80", tunnel="green", adopt="true"),
    ),
    (),
)
"""The endpoints of each sync: creations and adoptions; updates, other paths, two moves, deletions; nothing."""

FAILURES: Mapping[str, Callable[[int], tuple[Fault, ...]]] = {
    "before": lambda number: (Drop(nth=number),),
    "after": lambda number: (Drop(nth=number, when="after"),),
    "before-and-all-after-it": lambda number: (Drop(nth=number, times=0),),
    "after-and-all-after-it": lambda number: (Drop(nth=number, when="after"), Drop(nth=number + 1, times=0)),
}


def outcome(state: State) -> tuple[dict[str, str], list[Record]]:
    """Return the documents by tunnel, and the records in a comparable form."""
    records = [each for zone in state.zones.values() for each in zone.records.values()]
    return {tunnel: state.document(tunnel) for tunnel in state.tunnels}, sorted(
        map(_comparable, records), key=lambda each: each.name
    )


def is_claim(record: Record) -> bool:
    """Whether a record has our marker."""
    return (record.comment or "").startswith(f"{HERITAGE},")


def _comparable(record: Record) -> Record:
    known = any(record.id in zone.records for zone in WORLD.zones.values())
    comment = LEAVING.sub("", record.comment or "")
    id_ = record.id if known else ""
    return replace(record, id=id_, comment=comment, created_on="", modified_on="", comment_modified_on=None)


@asynccontextmanager
async def living(emulator: Emulator) -> AsyncIterator[ExternalDns]:
    """Yield external-dns on a service that has just started, within this process."""
    async with cloudflare(emulator) as adapters:
        yield ExternalDns(service(adapters.tunnels, adapters.zones, ADOPTING), "k8s")


async def undisturbed() -> list[State]:
    """Return the states before the first stage and after each of them, each reached by a service of its own."""
    states = [WORLD]
    for stage in STAGES:
        emulator = Emulator(states[-1])
        async with living(emulator) as dns:
            assert await dns.sync(stage) == ()
            assert is_empty(await dns.plan(stage))
        states.append(emulator.state)
    return states


async def test_undisturbed_all_stages_end_as_they_should() -> None:
    _, first, second, last = await undisturbed()
    assert rules(first, BLUE) == [
        "hand.example.com^/admin http://by-hand:80",
        "hand.example.com https://hand:443",
        "app.example.com^/api(/|$) http://api:80",
        "app.example.com http://app:80",
        "old.example.com http://old:80",
        "web.example.org http://web:80",
        "*.wild.example.com http://wild:80",
        "^/everywhere http_status:418",
        " http_status:404",
    ]
    assert rules(first, GREEN) == [
        "old.example.org http://old:80",
        "shop.example.com http://shop:80",
        "taken.example.org http://new:80",
        "*.example.org http://any:80",
        "^/everywhere http_status:418",
        " http_status:404",
    ]
    assert rules(second, BLUE) == [
        "hand.example.com^/admin http://by-hand:80",
        "hand.example.com https://hand:443",
        "app.example.com^/v2(/|$) http://api:80",
        "app.example.com https://app:443",
        "new.example.com http://new:80",
        "shop.example.com http://shop:8080",
        "*.wild.example.com http://wild:80",
        "^/everywhere http_status:418",
        " http_status:404",
    ]
    assert rules(second, GREEN) == [
        "new.example.org http://new:80",
        "taken.example.org http://new:80",
        "web.example.org http://web:80",
        "*.example.org http://any:80",
        "^/everywhere http_status:418",
        " http_status:404",
    ]
    documents, records = outcome(last)
    assert documents == {BLUE: document(ADMIN, HAND, EVERYWHERE), GREEN: document(EVERYWHERE)}
    assert records == outcome(WORLD)[1]


@pytest.mark.parametrize("stage", range(len(STAGES)))
async def test_at_no_call_is_a_hostname_without_a_rule_or_a_rule_of_ours_without_a_claim(stage: int) -> None:
    states = await undisturbed()
    staying = homes(states[stage]).keys() & homes(states[stage + 1]).keys()
    seen: list[State] = []

    def watch(state: State) -> State:
        seen.append(state)
        return state

    emulator = Emulator(states[stage])
    emulator.arm(Intervention(times=0, change=watch))
    async with living(emulator) as dns:
        await dns.sync(STAGES[stage])
    by_hand = {name for tunnel in WORLD.tunnels for name in hostnames(WORLD, tunnel)}
    for state in [*seen, emulator.state]:
        tunnels = homes(state)
        assert all(name in hostnames(state, tunnels[name]) for name in staying)
        ours = {name for tunnel in state.tunnels for name in hostnames(state, tunnel)} - by_hand
        assert ours <= tunnels.keys()


@pytest.mark.parametrize("stage", range(len(STAGES)))
@pytest.mark.parametrize("failing", FAILURES.values(), ids=FAILURES)
async def test_a_sync_in_which_any_call_fails_is_made_up_for(
    stage: int, failing: Callable[[int], tuple[Fault, ...]]
) -> None:
    states = await undisturbed()
    for number in count(1):
        emulator = Emulator(states[stage])
        async with living(emulator) as dns:
            emulator.arm(*failing(number))
            with suppress(TemporaryFailure):
                await dns.sync(STAGES[stage])
            struck = [call.line for call in emulator.log if call.struck_by][:1]
            emulator.script = ()
            for _ in range(2):
                assert await dns.sync(STAGES[stage]) == ()
            assert outcome(emulator.state) == outcome(states[stage + 1]), f"call {number}: {struck}"
            if not struck:
                break
    assert number > 4


@pytest.fixture(scope="module")
def control() -> Iterator[Control]:
    with emulator_process(WORLD) as emulator:
        yield emulator


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stage", range(len(STAGES)))
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_the_next_process_makes_up_for_one_that_is_killed_after_any_write(
    control: Control, stage: int, method: str
) -> None:
    states = await undisturbed()
    with ExitStack() as processes:
        webhook = started(control, processes)
        for number in count(1):
            control.seed(anew(states[stage], control.state()))
            control.reset()
            control.arm(Pause(method=method, nth=number, when="after"))
            killed_at = await kill_when_held(control, webhook, STAGES[stage])
            if not killed_at:
                break
            control.disarm()
            webhook = started(control, processes)
            for _ in range(2):
                await sync(webhook, STAGES[stage])
            assert outcome(control.state()) == outcome(states[stage + 1]), (
                f"killed after {killed_at}:\n{webhook.log.read_text()}"
            )
    assert number > 1


def started(control: Control, processes: ExitStack) -> RunningWebhook:
    """Start a process of ours on the emulator."""
    settings = {
        "CLOUDFLARE_API_URL": control.url,
        "CLOUDFLARE_API_TOKEN": API_TOKEN,
        "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}",
        "ADOPT_HOSTNAMES": ADOPTED,
        "MAX_DELETE_RATIO": "1",
        "RELEASE_DELAY": "0",
    }
    return processes.enter_context(running_webhook(settings))


def anew(state: State, present: State) -> State:
    """Return a state under versions that no process has seen yet: an older one would be in doubt."""
    for tunnel in state.tunnels.values():
        assert tunnel.configuration
        newer = replace(tunnel.configuration, version=present.version(tunnel.id) + 1)
        state = state.with_tunnel(replace(tunnel, configuration=newer))
    return state


async def sync(webhook: RunningWebhook, stage: tuple[Endpoint, ...]) -> None:
    """Run one control loop of external-dns."""
    async with HttpWebhookAPI(httpx.AsyncClient(base_url=webhook.webhook_url, timeout=15)) as api:
        assert await ExternalDns(api, "k8s").sync(stage) == ()


async def kill_when_held(control: Control, webhook: RunningWebhook, stage: tuple[Endpoint, ...]) -> str:
    """Sync, and kill the process once a call is held; return the call, or an empty text if the sync ends before."""
    syncing = asyncio.ensure_future(sync(webhook, stage))
    while not syncing.done():
        for call in await asyncio.to_thread(control.until_held, 0.1):
            webhook.process.kill()
            webhook.process.wait()
            control.release(proceed=False)
            with suppress(httpx.TransportError):
                await syncing
            return f"{call['method']} {call['path']}"
    await syncing
    return ""


def homes(state: State) -> dict[str, str]:
    """Return the tunnel that each claim points at, by hostname."""
    records = [each for zone in state.zones.values() for each in zone.records.values()]
    return {each.name: each.content.removesuffix(".cfargotunnel.com") for each in records if is_claim(each)}


def hostnames(state: State, tunnel: str) -> set[str]:
    """Return the hostnames that have rules in a tunnel."""
    return {rule["hostname"] for rule in json.loads(state.document(tunnel))["ingress"] if "hostname" in rule}


def rules(state: State, tunnel: str) -> list[str]:
    """Return the rules of a tunnel, each as its hostname, path and service."""
    ingress = json.loads(state.document(tunnel))["ingress"]
    return [f"{rule.get('hostname', '')}{rule.get('path', '')} {rule['service']}" for rule in ingress]
