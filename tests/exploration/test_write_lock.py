"""With WRITE_LOCK=dns, two syncs at once lose nothing, not even until the next sync; without it, some do."""

import asyncio
import json
import random
from contextlib import suppress
from dataclasses import replace

import pytest

from doubles.emulator import BLUE, Record
from exploration.board import Board
from exploration.explorer import History, Process, Scenario
from exploration.test_two_writers import HAND, US, account
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.ports import TemporaryFailure
from vocabulary.builders import endpoint

pytestmark = pytest.mark.anyio

FREE = Record(
    f"_tunnel-lock-{BLUE[:8]}.example.com", "CNAME", "free.invalid", comment="tunnel-webhook-lock,until=0,holder=no one"
)


async def rounds(number: int, *, is_locked: bool) -> int:
    """Let two processes change the tunnel at once, so many times, and return how often a change was lost."""
    chance = random.Random(number)  # noqa: S311 -- an order to replay, not a secret
    state = account().with_records("example.com", FREE)
    policies = {"a": US, "b": replace(US, owner_id="them")}
    history = History(Scenario(state, {}, policies, is_locked=is_locked), Board(state))
    processes = [history.start("a"), history.start("b")]
    lost = 0
    for round_number in range(number):
        for process in processes:
            process.task = asyncio.create_task(_change(process, round_number, policies[process.name].owner_id))
        await history.settle()
        while any(history.board.waiting.values()):
            history.take(("serve", chance.choice([name for name, calls in history.board.waiting.items() if calls])))
            await history.settle()
        await asyncio.gather(*(process.task for process in processes if process.task))
        history.board.now += 200.0
        ingress = json.loads(history.board.state.document(BLUE))["ingress"]
        names = {rule.get("hostname", "") for rule in ingress} - {""}
        lost += names != {"hand.example.com", f"a{round_number}.example.com", f"b{round_number}.example.com"}
        assert json.loads(HAND) in ingress
    return lost


async def _change(process: Process, number: int, owner: str) -> None:
    """Create a hostname, and delete that of the round before."""
    names = [f"{process.name}{number}.example.com", f"{process.name}{number - 1}.example.com"]
    new, old = (endpoint(name, owner=owner) for name in names)
    for _ in range(10):
        with suppress(TemporaryFailure):
            # external-dns repeats a sync that failed for the moment.
            return await process.service.apply_changes(Changes(create=(new,), delete=(old,) if number else ()))
    message = "the sync never came through"
    raise AssertionError(message)


async def test_with_the_lock_forty_pairs_of_syncs_lose_nothing() -> None:
    assert await rounds(40, is_locked=True) == 0


async def test_without_the_lock_some_of_forty_pairs_lose_a_change_for_a_sync() -> None:
    assert await rounds(40, is_locked=False) > 0
