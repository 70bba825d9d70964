"""The contract of TunnelRepository: one suite, every adapter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from doubles.cloudflare_adapters import cloudflare
from doubles.emulator import Emulator, seed
from doubles.side_doors import EmulatorDoor, MemoryDoor, SideDoor
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.ports import (
    PermanentFailure,
    Superseded,
    TemporaryFailure,
    TunnelMissing,
    TunnelRepository,
    Unacceptable,
)
from vocabulary.builders import BLUE, GREEN, configuration, rule
from vocabulary.world import DOCUMENT

pytestmark = pytest.mark.anyio

UNKNOWN = "00000000-0000-4000-8000-000000000000"
APP = rule("app.example.com", "http://app:80", path="^/api", noTLSVerify=True)


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Examined:
    """The port under examination, and the account behind it."""

    tunnels: TunnelRepository
    account: SideDoor

    def read(self, tunnel: str) -> tuple[str, int]:
        """Return the text and the version of a document."""
        return self.account.read().documents[tunnel]

    async def save(self, tunnel: str, document: TunnelConfiguration) -> int | Superseded:
        """Save a document that was made from the one in force."""
        return await self.tunnels.save(tunnel, await self.tunnels.load(tunnel), document, always)

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


async def test_what_is_saved_is_in_force_with_the_next_version(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    desired = base.with_rules((APP, *base.rules))
    assert await examined.tunnels.save(BLUE, base, desired, always) == 2
    text, version = examined.read(BLUE)
    assert version == 2
    assert TunnelConfiguration.parse(text).rules == desired.rules
    assert await examined.tunnels.load(BLUE) == replace(desired, version=2)


async def test_what_is_not_understood_keeps_every_character(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    await examined.tunnels.save(BLUE, base, base.with_rules((APP, *base.rules)), always)
    stored, _ = examined.read(BLUE)
    head, ingress, rest = DOCUMENT.partition('"ingress":[')
    assert stored == f"{head}{ingress}{APP.text},{rest}"


async def test_a_tunnel_is_saved_alone(examined: Examined) -> None:
    before = examined.read(GREEN)
    assert await examined.save(BLUE, configuration(APP)) == 2
    assert examined.read(GREEN) == before


@pytest.mark.parametrize("text", ["null", "{}", '{"ingress":[]}'])
async def test_a_tunnel_without_rules_gets_its_first_ones(examined: Examined, text: str) -> None:
    examined.write(BLUE, text)
    assert await examined.save(BLUE, configuration(APP)) == 3
    assert (await examined.tunnels.load(BLUE)).rules == configuration(APP).rules


async def test_a_base_that_is_written_in_another_way_is_the_same_document(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    spelled = TunnelConfiguration.parse(DOCUMENT.replace(",", " , "), base.version)
    assert await examined.tunnels.save(BLUE, spelled, configuration(APP), always) == 2


@pytest.mark.parametrize(
    "theirs", ['{"ingress":[{"service":"http_status:503"}]}', DOCUMENT], ids=["another document", "the same again"]
)
async def test_a_document_that_rests_on_another_one_is_not_saved_and_what_is_in_force_is_returned_twice(
    examined: Examined, theirs: str
) -> None:
    base = await examined.tunnels.load(BLUE)
    examined.write(BLUE, theirs)
    saved = await examined.tunnels.save(BLUE, base, configuration(APP), always)
    assert examined.read(BLUE) == (theirs, 2)
    current = TunnelConfiguration.parse(theirs, 2)
    assert saved == Superseded((current, current))


async def test_another_document_under_the_version_of_the_base_is_found_as_well(examined: Examined) -> None:
    base = replace(configuration(APP), version=1)
    saved = await examined.tunnels.save(BLUE, base, configuration(), always)
    current = TunnelConfiguration.parse(DOCUMENT, 1)
    assert saved == Superseded((current, current))
    assert examined.read(BLUE) == (DOCUMENT, 1)


async def test_a_write_by_someone_else_in_the_last_moment_is_overwritten_and_shows_in_the_version(
    examined: Examined,
) -> None:
    base = await examined.tunnels.load(BLUE)
    desired = base.with_rules((APP, *base.rules))

    def while_we_ask() -> bool:
        examined.write(BLUE, '{"ingress":[{"service":"http_status:503"}]}')
        return True

    assert await examined.tunnels.save(BLUE, base, desired, while_we_ask) == base.version + 2
    assert TunnelConfiguration.parse(examined.read(BLUE)[0]).rules == desired.rules


async def test_what_may_not_be_written_any_more_is_not_written(examined: Examined) -> None:
    base = await examined.tunnels.load(BLUE)
    with pytest.raises(TemporaryFailure, match=f"tunnel {BLUE}.*too late"):
        await examined.tunnels.save(BLUE, base, configuration(APP), lambda: False)
    assert examined.read(BLUE) == (DOCUMENT, 1)


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
async def test_a_document_that_cloudflared_would_refuse_is_unacceptable_in_its_words_and_changes_nothing(
    examined: Examined, document: TunnelConfiguration, words: str
) -> None:
    before = examined.read(BLUE)
    with pytest.raises(Unacceptable, match=words):
        await examined.save(BLUE, document)
    assert examined.read(BLUE) == before


async def test_an_unknown_tunnel_is_missing_which_names_it_and_the_setting(examined: Examined) -> None:
    with pytest.raises(TunnelMissing, match=rf"{UNKNOWN} does not exist.*CLOUDFLARE_TUNNEL_ID"):
        await examined.tunnels.load(UNKNOWN)
    with pytest.raises(TunnelMissing):
        await examined.tunnels.save(UNKNOWN, TunnelConfiguration(), configuration(APP), always)


async def test_a_document_that_is_none_is_a_permanent_failure(examined: Examined) -> None:
    examined.write(BLUE, '{"ingress":{}}')
    with pytest.raises(PermanentFailure, match=f"tunnel {BLUE}: the tunnel's ingress is not a list"):
        await examined.tunnels.load(BLUE)
