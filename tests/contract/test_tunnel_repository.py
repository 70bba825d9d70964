"""The contract of TunnelRepository: one suite, every adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from doubles.cloudflare_adapters import cloudflare
from doubles.emulator import Emulator, seed
from doubles.side_doors import EmulatorDoor, MemoryDoor, SideDoor
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.json_text import parse_json
from tunnel_webhook.ports import PermanentFailure, TunnelRepository
from vocabulary.builders import BLUE, GREEN, configuration, rule
from vocabulary.world import DOCUMENT

pytestmark = pytest.mark.anyio

UNKNOWN = "00000000-0000-4000-8000-000000000000"
APP = rule("app.example.com", "http://app:80", path="^/api", noTLSVerify=True)


@dataclass(frozen=True, slots=True)
class Examined:
    """The port under examination, and the account behind it."""

    tunnels: TunnelRepository
    account: SideDoor

    def read(self, tunnel: str) -> tuple[str, int]:
        """Return the text and the version of a document."""
        return self.account.read().documents[tunnel]

    def write(self, tunnel: str, text: str) -> None:
        """Replace a document as another writer would."""
        self.account.write(self.account.read().with_document(tunnel, text))


@asynccontextmanager
async def in_memory() -> AsyncIterator[Examined]:
    tunnels = InMemoryTunnels({BLUE: (DOCUMENT, 1), GREEN: (DOCUMENT, 1)})
    yield Examined(tunnels, MemoryDoor(tunnels, InMemoryZones({})))


@asynccontextmanager
async def at_cloudflare() -> AsyncIterator[Examined]:
    emulator = Emulator(seed(document=DOCUMENT).with_behaviour(key_order="as sent"))
    async with cloudflare(emulator) as adapters:
        yield Examined(adapters.tunnels, EmulatorDoor(lambda: emulator.state, emulator.seed))


@pytest.fixture(params=[in_memory, at_cloudflare], ids=["memory", "cloudflare"])
async def examined(request: pytest.FixtureRequest) -> AsyncIterator[Examined]:
    """Yield the port under examination."""
    async with request.param() as opened:
        yield opened


async def test_what_is_loaded_is_what_stands_there_with_its_version(examined: Examined) -> None:
    loaded = await examined.tunnels.load(BLUE)
    assert (loaded.text, loaded.version) == (DOCUMENT, 1)


async def test_loading_changes_nothing(examined: Examined) -> None:
    before = examined.read(BLUE)
    await examined.tunnels.load(BLUE)
    assert examined.read(BLUE) == before


@pytest.mark.parametrize("text", ["null", "{}", '{"ingress":[]}'])
async def test_a_tunnel_without_rules_has_an_empty_document(examined: Examined, text: str) -> None:
    examined.write(BLUE, text)
    loaded = await examined.tunnels.load(BLUE)
    assert (loaded.rules, loaded.version) == ((), 2)


async def test_what_is_saved_stands_there_and_is_returned_with_the_next_version(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    saved = await examined.tunnels.save(BLUE, base.with_rules((APP, *base.rules)))
    text, version = examined.read(BLUE)
    assert (saved.version, version) == (2, 2)
    assert TunnelConfiguration.parse(text).rules == saved.rules == (APP, *base.rules)
    assert await examined.tunnels.load(BLUE) == saved


async def test_what_is_not_understood_keeps_every_character(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    await examined.tunnels.save(BLUE, base.with_rules((APP, *base.rules)))
    stored, _ = examined.read(BLUE)
    head, ingress, rest = DOCUMENT.partition('"ingress":[')
    assert stored == f"{head}{ingress}{APP.text},{rest}"


async def test_a_tunnel_is_saved_alone(examined: Examined) -> None:
    before = examined.read(GREEN)
    await examined.tunnels.save(BLUE, configuration(APP))
    assert examined.read(GREEN) == before


async def test_the_whole_document_is_replaced_whatever_stands_there_by_now(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    examined.write(BLUE, '{"ingress":[{"service":"http_status:503"}]}')
    saved = await examined.tunnels.save(BLUE, base)
    assert parse_json(examined.read(BLUE)[0]) == parse_json(saved.text)
    assert saved.rules == base.rules


async def test_somebody_elses_write_shows_in_the_version(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    examined.write(BLUE, DOCUMENT)
    assert (await examined.tunnels.save(BLUE, base)).version == base.version + 2


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            TunnelConfiguration((APP,)),
            r"1056: Bad Configuration: Validation failed: The last ingress rule must match all URLs",
        ),
        (TunnelConfiguration(), r"1056: Bad Configuration: .*doesn't contain any ingress rules"),
        (configuration(rule("a.example.com", "http://a/path")), r"1056: .*don't support proxying to a different path"),
        (configuration(rule("a.example.com", path="(")), r"1056: .*Rule #1 has an invalid regex"),
    ],
    ids=["no catch-all", "no rules", "a path in a service", "a path that is no regex"],
)
async def test_a_document_that_cloudflared_would_refuse_is_refused_in_its_words_and_changes_nothing(
    examined: Examined, document: TunnelConfiguration, words: str
) -> None:
    before = examined.read(BLUE)
    with pytest.raises(PermanentFailure, match=words):
        await examined.tunnels.save(BLUE, document)
    assert examined.read(BLUE) == before


async def test_an_unknown_tunnel_is_a_permanent_failure_that_names_it_and_the_setting(examined: Examined) -> None:
    with pytest.raises(PermanentFailure, match=rf"{UNKNOWN} does not exist.*CLOUDFLARE_TUNNEL_ID"):
        await examined.tunnels.load(UNKNOWN)
    with pytest.raises(PermanentFailure):
        await examined.tunnels.save(UNKNOWN, configuration(APP))


async def test_a_document_that_is_none_is_a_permanent_failure(examined: Examined) -> None:
    examined.write(BLUE, '{"ingress":{}}')
    with pytest.raises(PermanentFailure, match=f"tunnel {BLUE}: the tunnel's ingress is not a list"):
        await examined.tunnels.load(BLUE)
