"""The documents of the tunnels: what is known of each, and how one is replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from doubles.steps import SteppedTunnels, fail
from tunnel_webhook.adapters.memory import InMemoryTunnels, NoLock
from tunnel_webhook.application import Documents, SyncLog
from tunnel_webhook.application.documents import TunnelState
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.planning.belief import Reading
from tunnel_webhook.ports import (
    Lease,
    PermanentFailure,
    Superseded,
    TemporaryFailure,
    TunnelMissing,
    TunnelRepository,
    Unsettled,
    WriteLock,
)
from vocabulary.builders import BLUE, GREEN, POLICY, configuration, rule

pytestmark = pytest.mark.anyio

APP, THEIRS = rule("app.example.com"), rule("theirs.example.com")
LIMITED = TemporaryFailure("rate limited")
LATE = 45.0


def documents(tunnels: TunnelRepository, lock: WriteLock | None = None, *, now: float = 0.0) -> Documents:
    return Documents(tunnels, lock or NoLock(), POLICY, lambda: now, SyncLog(POLICY))


def held(**versions: int) -> InMemoryTunnels:
    """Return tunnels in memory with a catch-all and these versions."""
    text = configuration().text
    return InMemoryTunnels({BLUE: (text, versions.get("blue", 1)), GREEN: (text, versions.get("green", 1))})


def with_app(base: TunnelConfiguration) -> TunnelConfiguration:
    return base.with_rules((APP, *(each for each in base.rules if each != APP)))


def hosts(tunnels: InMemoryTunnels) -> list[str]:
    return [each.hostname for each in TunnelConfiguration.parse(*tunnels.documents[BLUE]).rules]


# What is known of each tunnel.


async def test_an_answer_that_is_believed_is_the_state_of_its_tunnel() -> None:
    known = documents(held(blue=7))
    states = known.believe(await known.read())
    assert states[BLUE] == TunnelState(configuration(version=7))
    assert states[BLUE].document.version == 7
    assert states[BLUE].obstacle is None


async def test_a_tunnel_that_fails_is_known_by_its_last_document_and_the_failure() -> None:
    stepped = SteppedTunnels(held())
    known = documents(stepped)
    known.believe(await known.read())
    stepped.step = fail(LIMITED)
    state = known.believe(await known.read())[BLUE]
    assert state == TunnelState(configuration(), LIMITED)
    assert state.obstacle is LIMITED


async def test_a_tunnel_that_failed_from_the_start_is_not_known() -> None:
    known = documents(SteppedTunnels(held(), fail(LIMITED)))
    state = known.believe(await known.read())[BLUE]
    assert state == TunnelState(TunnelConfiguration(), LIMITED, is_known=False)


async def test_one_tunnel_that_fails_leaves_the_others_as_they_are() -> None:
    tunnels = held()
    tunnels.documents[BLUE] = ("[]", 1)
    known = documents(tunnels)
    states = known.believe(await known.read())
    assert isinstance(states[BLUE].failure, PermanentFailure)
    assert states[GREEN] == TunnelState(configuration())


async def test_a_tunnel_that_does_not_exist_has_no_rules_and_says_so() -> None:
    tunnels = held()
    del tunnels.documents[GREEN]
    known = documents(tunnels)
    state = known.believe(await known.read(), frozenset())[GREEN]
    assert state.document == TunnelConfiguration()
    assert state.failure is None
    assert isinstance(state.obstacle, TunnelMissing)
    assert f"tunnel {GREEN} does not exist" in str(state.obstacle)


async def test_a_tunnel_that_disappears_is_in_doubt_for_ten_minutes() -> None:
    tunnels, now = held(), [0.0]
    known = Documents(tunnels, NoLock(), POLICY, lambda: now[0], SyncLog(POLICY))
    known.believe(await known.read())
    del tunnels.documents[GREEN]
    for now[0] in (0.0, 300.0, 599.0):
        state = known.believe(await known.read())[GREEN]
        assert isinstance(state.failure, TemporaryFailure)
        assert state.document.rules
    now[0] = 600.0
    state = known.believe(await known.read())[GREEN]
    assert (state.failure, state.document) == (None, TunnelConfiguration())
    assert state.missing


async def test_an_answer_in_doubt_is_a_temporary_failure_and_the_last_document_stays_known() -> None:
    tunnels = held(blue=7)
    known = documents(tunnels)
    known.believe(await known.read())
    tunnels.documents[BLUE] = ("{}", 8)
    state = known.believe(await known.read())[BLUE]
    assert state.document.version == 7
    assert isinstance(state.failure, TemporaryFailure)
    assert str(state.failure) == f"the answer about tunnel {BLUE} is in doubt: it is empty, and version 7 was not"
    tunnels.documents[BLUE] = (configuration().text, 7)
    assert known.believe(await known.read())[BLUE].failure is None


async def test_an_empty_first_answer_is_in_doubt_only_for_a_tunnel_with_an_old_claim() -> None:
    known = documents(InMemoryTunnels.empty([BLUE, GREEN]))
    states = known.believe(await known.read(), frozenset({BLUE}))
    assert not states[BLUE].is_known
    assert isinstance(states[BLUE].failure, TemporaryFailure)
    assert states[GREEN] == TunnelState(TunnelConfiguration())


async def test_a_tunnel_that_is_left_alone_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    known = documents(SteppedTunnels(held(), fail(LIMITED)))
    known.believe(await known.read())
    assert "tunnel blue is left alone, and the rest goes on: rate limited" in caplog.text


async def test_the_paths_of_all_tunnels_are_those_of_their_rules() -> None:
    tunnels = held()
    upper = rule("Upper.example.com"), rule("upper.example.com", path="^/x")
    tunnels.documents[GREEN] = (configuration(THEIRS, *upper).text, 1)
    paths = await documents(tunnels).paths()
    assert paths[GREEN] == {"": {""}, "theirs.example.com": {""}, "upper.example.com": {"", "^/x"}}


async def test_paths_are_not_returned_if_one_tunnel_is_in_doubt() -> None:
    tunnels = held(green=7)
    known = documents(tunnels)
    await known.paths()
    tunnels.documents[GREEN] = (configuration().text, 6)
    with pytest.raises(TemporaryFailure, match="version 6, and version 7 was there before"):
        await known.paths()


async def test_a_later_answer_is_judged_by_the_claims_that_were_given_last() -> None:
    known = documents(InMemoryTunnels.empty([BLUE, GREEN]))
    known.believe(await known.read(), frozenset({BLUE}))
    with pytest.raises(TemporaryFailure, match="it is empty, although hostnames have been published through it"):
        await known.paths()
    with pytest.raises(TemporaryFailure, match="is not written"):
        await known.replace(BLUE, with_app, LATE)
    known.believe(await known.read(), frozenset())
    assert await known.paths() == {BLUE: {}, GREEN: {}}


# Replacing a document.


@dataclass(slots=True)
class Interfering:
    """Tunnels of which something happens to the blue document before each save, and the saves that were asked for."""

    inner: InMemoryTunnels
    before: Callable[[InMemoryTunnels], None]
    bases: list[TunnelConfiguration] = field(default_factory=list)

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
        self.bases.append(base)
        self.before(self.inner)
        return await self.inner.save(tunnel, base, configuration, may_write)


def once(document: TunnelConfiguration) -> Callable[[InMemoryTunnels], None]:
    """Return a change of the blue document to this text and version that happens once."""
    left = [document]

    def change(tunnels: InMemoryTunnels) -> None:
        if left:
            tunnels.documents[BLUE] = (left[0].text, left.pop().version)

    return change


async def replaced(tunnels: TunnelRepository, lock: WriteLock | None = None, *, now: float = 0.0) -> Documents:
    """Replace the blue document after it was read."""
    known = documents(tunnels, lock, now=now)
    known.believe(await known.read())
    await known.replace(BLUE, with_app, LATE)
    return known


async def test_the_revision_of_what_is_believed_is_written() -> None:
    tunnels = held(blue=7)
    known = await replaced(tunnels)
    assert hosts(tunnels) == ["app.example.com", ""]
    assert tunnels.documents[BLUE][1] == 8
    state = known.believe({BLUE: Reading(await tunnels.load(BLUE))})[BLUE]
    assert (state.failure, state.document.version) == (None, 8)


async def test_a_revision_that_changes_no_rule_is_not_written() -> None:
    tunnels = SteppedTunnels(held(), fail(AssertionError("must not be written"), at="before save"))
    known = documents(tunnels)
    known.believe(await known.read())
    await known.replace(BLUE, lambda base: base, LATE)


async def test_nothing_is_written_before_anything_is_believed() -> None:
    known = documents(held())
    with pytest.raises(TemporaryFailure, match=f"configuration of tunnel {BLUE} is not written"):
        await known.replace(BLUE, with_app, LATE)


async def test_a_document_that_was_superseded_by_a_newer_one_is_revised_again_on_that() -> None:
    tunnels = held()
    interfering = Interfering(tunnels, once(configuration(THEIRS, version=2)))
    await replaced(interfering)
    assert hosts(tunnels) == ["app.example.com", "theirs.example.com", ""]
    assert [base.version for base in interfering.bases] == [1, 2]
    assert tunnels.documents[BLUE][1] == 3


async def test_a_newer_document_that_says_what_was_to_be_written_is_not_written_again() -> None:
    tunnels = held()
    interfering = Interfering(tunnels, once(configuration(APP, version=2)))
    await replaced(interfering)
    assert [base.version for base in interfering.bases] == [1]
    assert tunnels.documents[BLUE][1] == 2


@pytest.mark.parametrize(
    "stored",
    [configuration(THEIRS, version=6), TunnelConfiguration(version=8), TunnelConfiguration()],
    ids=["an older one", "an empty one", "none"],
)
async def test_a_document_that_was_superseded_by_a_doubtful_one_is_not_revised_on_that(
    stored: TunnelConfiguration,
) -> None:
    tunnels = held(blue=7)
    interfering = Interfering(tunnels, once(stored))
    with pytest.raises(TemporaryFailure, match="gave up after 3 tries"):
        await replaced(interfering)
    assert tunnels.documents[BLUE] == (stored.text, stored.version)
    assert [base.version for base in interfering.bases] == [7, 7, 7]


@pytest.mark.parametrize("newer_first", [True, False], ids=["the newer first", "the older first"])
async def test_of_two_reads_that_differ_the_newer_document_is_revised(
    newer_first: bool,  # noqa: FBT001 -- a fact
) -> None:
    tunnels = held()
    older, newer = configuration(version=1), configuration(THEIRS, version=2)

    @dataclass(slots=True)
    class Split(Interfering):
        async def save(
            self,
            tunnel: str,
            base: TunnelConfiguration,
            configuration: TunnelConfiguration,
            may_write: Callable[[], bool],
            /,
        ) -> int | Superseded:
            saved = await Interfering.save(self, tunnel, base, configuration, may_write)
            if isinstance(saved, Superseded):
                return Superseded((newer, older) if newer_first else (older, newer))
            return saved

    await replaced(Split(tunnels, once(newer)))
    assert hosts(tunnels) == ["app.example.com", "theirs.example.com", ""]


async def test_other_content_of_the_same_version_is_not_written_upon_within_one_apply() -> None:
    tunnels = held()
    interfering = Interfering(tunnels, once(configuration(THEIRS, version=1)))
    with pytest.raises(TemporaryFailure, match="gave up after 3 tries"):
        await replaced(interfering)
    assert hosts(tunnels) == ["theirs.example.com", ""]


async def test_writes_by_someone_else_without_end_are_given_up_after_three_tries() -> None:
    tunnels = held()

    def write(inner: InMemoryTunnels) -> None:
        text, version = inner.documents[BLUE]
        inner.documents[BLUE] = (text, version + 1)

    interfering = Interfering(tunnels, write)
    with pytest.raises(TemporaryFailure, match=f"tunnel {BLUE}: gave up after 3 tries"):
        await replaced(interfering)
    assert [base.version for base in interfering.bases] == [1, 2, 3]
    assert hosts(tunnels) == [""]


async def test_a_write_that_was_overwritten_is_counted_and_named_and_its_version_is_learned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tunnels = held()

    @dataclass(slots=True)
    class Racing(Interfering):
        async def save(
            self,
            tunnel: str,
            base: TunnelConfiguration,
            configuration: TunnelConfiguration,
            may_write: Callable[[], bool],
            /,
        ) -> int | Superseded:
            def write_first() -> bool:
                self.before(self.inner)
                return may_write()

            return await self.inner.save(tunnel, base, configuration, write_first)

    known = await replaced(Racing(tunnels, once(configuration(THEIRS, version=3))))
    assert hosts(tunnels) == ["app.example.com", ""]
    assert "overwrote versions 2 to 3 of the configuration of tunnel blue" in caplog.text
    await known.replace(BLUE, lambda base: base.with_rules((THEIRS, *base.rules)), LATE)
    assert tunnels.documents[BLUE][1] == 5
    assert caplog.text.count("overwrote") == 1


@pytest.mark.parametrize(("now", "is_written"), [(44.9, True), (45.0, False), (60.0, False)])
async def test_no_write_begins_after_its_time(
    now: float,
    is_written: bool,  # noqa: FBT001 -- an expectation
) -> None:
    tunnels = held()
    if is_written:
        await replaced(tunnels, now=now)
    else:
        with pytest.raises(TemporaryFailure, match="too late"):
            await replaced(tunnels, now=now)
    assert hosts(tunnels) == (["app.example.com", ""] if is_written else [""])


# The lock.


@dataclass(slots=True)
class Lock:
    """A lock that notes how it is used, with a lease that is valid or not."""

    is_valid: bool = True
    fails: bool = False
    used: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def held(self, tunnel: str, /) -> AsyncIterator[Lease]:
        if self.fails:
            message = "another instance holds the lock"
            raise TemporaryFailure(message)
        self.used.append(f"taken for {tunnel}")
        try:
            yield Leased(self.is_valid)
        except BaseException as error:
            self.used.append(f"left with {type(error).__name__}")
            raise
        else:
            self.used.append("left")


@dataclass(frozen=True, slots=True)
class Leased:
    """A lease."""

    valid: bool

    def is_valid(self) -> bool:
        return self.valid


async def test_a_document_is_written_while_the_lock_of_its_tunnel_is_held() -> None:
    tunnels, lock = held(), Lock()
    await replaced(tunnels, lock)
    assert lock.used == [f"taken for {BLUE}", "left"]


async def test_each_try_takes_the_lock_again() -> None:
    lock = Lock()
    await replaced(Interfering(held(), once(configuration(THEIRS, version=2))), lock)
    assert lock.used == [f"taken for {BLUE}", "left"] * 2


async def test_no_lock_is_taken_if_nothing_is_to_be_written() -> None:
    tunnels, lock = held(), Lock()
    tunnels.documents[BLUE] = (configuration(APP).text, 1)
    await replaced(tunnels, lock)
    assert lock.used == []


async def test_nothing_is_written_without_the_lock() -> None:
    tunnels = held()
    with pytest.raises(TemporaryFailure, match="another instance holds the lock"):
        await replaced(tunnels, Lock(fails=True))
    assert hosts(tunnels) == [""]


async def test_nothing_is_written_under_a_lease_that_ends_soon() -> None:
    tunnels = held()
    with pytest.raises(TemporaryFailure, match="too late"):
        await replaced(tunnels, Lock(is_valid=False))
    assert hosts(tunnels) == [""]


async def test_the_lock_is_left_with_the_failure_of_the_write() -> None:
    lock = Lock()
    with pytest.raises(Unsettled):
        await replaced(SteppedTunnels(held(), fail(Unsettled("no answer"), at="before save")), lock)
    assert lock.used == [f"taken for {BLUE}", "left with Unsettled"]
