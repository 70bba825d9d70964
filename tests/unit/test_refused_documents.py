"""A document that is refused for what is in it: the rules at fault are found by halving, and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.ports import ChangesNotApplied, Superseded, TemporaryFailure, Unacceptable
from vocabulary.builders import BLUE, GREEN, ZONE, claim, configuration, endpoint, memory, rule, service

pytestmark = pytest.mark.anyio

GOOD, BAD = "http://good", "http://bad"


@dataclass(slots=True)
class PickyTunnels:
    """Tunnels that refuse some documents; `refused` and `accepted` count the writes."""

    inner: InMemoryTunnels
    refuses: Callable[[TunnelConfiguration], bool]
    refused: int = 0
    accepted: int = 0

    async def load(self, tunnel: str, /) -> TunnelConfiguration:
        return await self.inner.load(tunnel)

    async def save(
        self,
        tunnel: str,
        base: TunnelConfiguration,
        configuration: TunnelConfiguration,
        may_write: Callable[[], bool],
        /,
    ) -> int | Superseded:
        if self.refuses(configuration):
            self.refused += 1
            message = "1056: Bad Configuration"
            raise Unacceptable(message)
        self.accepted += 1
        return await self.inner.save(tunnel, base, configuration, may_write)


def has_bad_rule(document: TunnelConfiguration) -> bool:
    return any(each.service.startswith(BAD) for each in document.rules)


def always(_: TunnelConfiguration) -> bool:
    return True


@dataclass(slots=True)
class Sync:
    """A service on picky tunnels, and the time."""

    refuses: Callable[[TunnelConfiguration], bool] = has_bad_rule
    now: float = 0.0
    ports: tuple[InMemoryTunnels, InMemoryZones] = field(default_factory=memory)
    tunnels: PickyTunnels = field(init=False)
    api: TunnelService = field(init=False)

    def __post_init__(self) -> None:
        self.tunnels = PickyTunnels(self.ports[0], self.refuses)
        self.api = service(self.tunnels, self.ports[1], clock=lambda: self.now)

    async def apply(self, *endpoints: Endpoint) -> set[str]:
        """Ask for endpoints, and return the hostnames that are refused; TemporaryFailure passes."""
        self.tunnels.refused = self.tunnels.accepted = 0
        try:
            await self.api.apply_changes(Changes(create=endpoints))
        except ChangesNotApplied as error:
            return {rejection.hostname for rejection in error.rejections if rejection.reason == "refused"}
        return set()

    def live(self) -> set[str]:
        """Return the hostnames that have rules."""
        rules = TunnelConfiguration.parse(*self.ports[0].documents[BLUE]).rules
        return {each.hostname for each in rules if each.hostname}


def asked(number: int, *guilty: int, bad: str = BAD) -> tuple[Endpoint, ...]:
    return tuple(endpoint(f"h{index:04}.example.com", bad if index in guilty else GOOD) for index in range(number))


def hostnames(*numbers: int) -> set[str]:
    return {f"h{number:04}.example.com" for number in numbers}


@pytest.mark.parametrize(
    ("number", "guilty"), [(number, index) for number in (1, 2, 3, 16, 100) for index in {0, number // 2, number - 1}]
)
async def test_one_rule_at_fault_is_rejected_alone_and_everything_else_is_live_after_one_sync(
    number: int, guilty: int
) -> None:
    sync = Sync()
    assert await sync.apply(*asked(number, guilty)) == hostnames(guilty)
    assert sync.live() == hostnames(*range(number)) - hostnames(guilty)
    assert sync.tunnels.refused <= 8
    assert sync.tunnels.accepted <= 8


async def test_what_is_not_found_with_eight_refused_writes_waits_and_is_found_by_the_next_sync() -> None:
    sync = Sync()
    with pytest.raises(TemporaryFailure, match="refused 8 documents: the next sync goes on"):
        await sync.apply(*asked(1000, 0))
    assert sync.tunnels.refused == 8
    assert len(sync.live()) == 985
    assert await sync.apply(*asked(1000, 0)) == hostnames(0)
    assert len(sync.live()) == 999


async def test_several_rules_at_fault_are_found_with_at_most_eight_refused_writes_a_sync() -> None:
    sync, guilty = Sync(), (3, 17, 18, 50)
    for _ in range(6):
        try:
            assert await sync.apply(*asked(64, *guilty)) == hostnames(*guilty)
            break
        except TemporaryFailure:
            assert sync.tunnels.refused == 8
    else:
        pytest.fail("the rules at fault are not found")
    assert sync.live() == hostnames(*range(64)) - hostnames(*guilty)


@pytest.mark.parametrize("number", [1, 2, 8, 200])
async def test_a_tunnel_that_refuses_everything_costs_eight_writes_at_most_and_rejects_everything(number: int) -> None:
    sync = Sync(always)
    assert await sync.apply(*asked(number)) == hostnames(*range(number))
    assert sync.tunnels.refused <= 8
    assert sync.tunnels.accepted == 0


async def test_what_was_refused_is_not_written_again_until_ten_minutes_have_passed() -> None:
    sync = Sync(always)
    await sync.apply(*asked(200))
    sync.now = 599.0
    assert await sync.apply(*asked(200)) == hostnames(*range(200))
    assert sync.tunnels.refused == 0
    sync.now = 600.0
    await sync.apply(*asked(200))
    assert sync.tunnels.refused == 8


async def test_what_was_refused_is_written_once_something_else_is_asked() -> None:
    sync = Sync()
    assert await sync.apply(*asked(8, 5)) == hostnames(5)
    assert await sync.apply(*asked(8, 5)) == hostnames(5)
    assert (sync.tunnels.refused, sync.tunnels.accepted) == (0, 0)
    assert await sync.apply(*asked(8, 5, bad=f"{BAD}-too")) == hostnames(5)
    assert sync.tunnels.refused == 1
    assert await sync.apply(*asked(8)) == set()
    assert sync.live() == hostnames(*range(8))


async def test_a_remembered_refusal_keeps_no_other_hostname_waiting() -> None:
    sync = Sync()
    await sync.apply(*asked(1, 0))
    assert await sync.apply(*asked(5, 0)) == hostnames(0)
    assert (sync.tunnels.refused, sync.tunnels.accepted) == (0, 1)
    assert sync.live() == hostnames(1, 2, 3, 4)


async def test_a_refused_deletion_releases_nothing() -> None:
    published = {BLUE: configuration(rule("app.example.com")), GREEN: configuration()}
    sync = Sync(always, ports=memory(published, {ZONE: (claim("app.example.com"),)}))
    with pytest.raises(ChangesNotApplied, match="1056"):
        await sync.api.apply_changes(Changes(delete=(endpoint(),)))
    assert sync.live() == {"app.example.com"}
    assert list(sync.ports[1].stored[ZONE].values()) == [claim("app.example.com")]


async def test_a_failure_while_halving_lets_everything_wait_that_was_not_written() -> None:
    sync = Sync()
    fails = iter([False, True])

    def refuses(document: TunnelConfiguration) -> bool:
        if not has_bad_rule(document) and next(fails):
            message = "rate limited"
            raise TemporaryFailure(message)
        return has_bad_rule(document)

    sync.tunnels.refuses = refuses
    with pytest.raises(TemporaryFailure, match=r"^4 hostnames wait for the next sync: rate limited"):
        await sync.apply(*asked(8, 7))
    assert sync.live() == hostnames(0, 1, 2, 3)
