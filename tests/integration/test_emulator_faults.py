"""The script of faults: each fault as the client sees it, and as the state shows it afterwards."""

import asyncio
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from doubles.clock import VirtualClock
from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BLUE,
    HTML,
    Distort,
    Drop,
    Emulator,
    EmulatorTransport,
    Fault,
    ForeignWrite,
    Intervention,
    Pause,
    Record,
    Respond,
    Slow,
    State,
    open_client,
    seed,
    zone_id,
)
from doubles.emulator.seed import EMPTY

pytestmark = pytest.mark.anyio

RECORDS = f"/zones/{zone_id('example.com')}/dns_records"
BATCH = f"{RECORDS}/batch"
CONFIGURATION = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations"
NEW = {"posts": [{"type": "CNAME", "name": "new.example.com", "content": f"{BLUE}.cfargotunnel.com"}]}
FOREIGN = '{"ingress": [{"service": "http_status:503"}], "by": 1.50}'


def scripted(*faults: Fault, **switches: Any) -> Emulator:
    emulator = Emulator(seed().with_behaviour(**switches))
    emulator.arm(*faults)
    return emulator


async def post(emulator: Emulator, patience: float | None = 5.0) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.post(BATCH, json=NEW, timeout=patience)


async def put(emulator: Emulator) -> httpx.Response:
    async with open_client(emulator) as client:
        body = f'{{"config":{EMPTY}}}'
        return await client.put(CONFIGURATION, content=body, headers={"content-type": "application/json"})


def names(emulator: Emulator) -> list[str]:
    return [record.name for record in emulator.state.zone("example.com").records.values()]


@pytest.mark.parametrize(
    ("fault", "raised", "stored"),
    [
        (Drop(when="before"), httpx.ReadError, []),
        (Drop(when="after"), httpx.ReadError, ["new.example.com"]),
        (Drop(when="before", how="close"), httpx.RemoteProtocolError, []),
        (Drop(when="after", how="close"), httpx.RemoteProtocolError, ["new.example.com"]),
        (Drop(how="refuse"), httpx.ConnectError, []),
        (Drop(when="after", how="refuse"), httpx.ConnectError, []),
        (Distort(cut=10), httpx.RemoteProtocolError, ["new.example.com"]),
        (Slow(seconds=6, when="after"), httpx.ReadTimeout, ["new.example.com"]),
        (Slow(seconds=6, when="before"), httpx.ReadTimeout, []),
    ],
    ids=lambda value: repr(value) if isinstance(value, Drop | Distort | Slow) else "",
)
async def test_a_lost_answer_raises_what_httpx_raises_for_it(
    fault: Fault, raised: type[httpx.TransportError], stored: list[str]
) -> None:
    emulator = scripted(fault)
    with pytest.raises(raised):
        await post(emulator)
    assert names(emulator) == stored
    assert emulator.idle == ()
    assert (await post(emulator)).status_code == (400 if stored else 200)


async def test_a_scripted_answer_replaces_the_true_one() -> None:
    emulator = scripted(Respond(status=502, body=HTML, content_type="text/html", headers={"retry-after": "7"}))
    response = await post(emulator)
    assert response.status_code == 502
    assert response.text == HTML
    assert response.headers["retry-after"] == "7"
    assert response.headers["content-type"] == "text/html"
    assert names(emulator) == []


async def test_a_scripted_answer_may_be_false() -> None:
    emulator = scripted(Respond(status=500, effect=True))
    assert (await post(emulator)).status_code == 500
    assert names(emulator) == ["new.example.com"]


@pytest.mark.parametrize(
    ("fault", "text", "content_type"),
    [
        (Distort(body="}{"), "}{", "application/json"),
        (Distort(body=HTML, content_type="text/html"), HTML, "text/html"),
        (Distort(keep=16), '{"success":true,', "application/json"),
        (Distort(keep=0), "", "application/json"),
    ],
    ids=["garbage", "HTML", "cut short", "empty"],
)
async def test_a_true_answer_may_be_distorted(fault: Fault, text: str, content_type: str) -> None:
    emulator = scripted(fault)
    response = await post(emulator)
    assert response.status_code == 200
    assert response.text == text
    assert response.headers["content-type"] == content_type
    assert names(emulator) == ["new.example.com"]


async def test_a_slow_answer_arrives_within_the_timeout() -> None:
    emulator = scripted(Slow(seconds=4), latency=0.5)
    start = emulator.clock.now()
    assert (await post(emulator)).status_code == 200
    assert emulator.clock.now() - start == 4.5


async def test_a_client_stops_waiting_when_its_read_timeout_has_passed() -> None:
    emulator = scripted(latency=9)
    start = emulator.clock.now()
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    assert emulator.clock.now() - start == 5.0
    assert emulator.log[0].outcome == "given up"


async def test_a_client_without_a_timeout_waits() -> None:
    assert (await post(scripted(Slow(seconds=9)), patience=None)).status_code == 200


async def test_the_effect_of_a_slow_call_comes_after_its_client_stopped_waiting() -> None:
    emulator = scripted(Slow(seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    async with open_client(emulator) as client:
        assert (await client.get(RECORDS)).json()["result"] == []
        await emulator.clock.sleep(25)
        assert len((await client.get(RECORDS)).json()["result"]) == 1


async def test_a_test_can_wait_for_late_effects() -> None:
    emulator = scripted(Slow(seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    await emulator.settle()
    assert names(emulator) == ["new.example.com"]


async def test_the_effect_of_a_cancelled_call_still_comes() -> None:
    emulator = scripted(Slow(seconds=30))
    posting = asyncio.ensure_future(post(emulator, patience=None))
    await asyncio.sleep(0)
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting
    await emulator.settle()
    assert names(emulator) == ["new.example.com"]


async def test_a_call_without_an_effect_has_none_later() -> None:
    emulator = scripted(Slow(seconds=30), Drop(when="before"))
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    await emulator.settle()
    assert names(emulator) == []


async def test_ten_calls_side_by_side_take_as_long_as_one() -> None:
    emulator = scripted(latency=0.5)
    start = emulator.clock.now()
    async with open_client(emulator) as client:
        await asyncio.gather(*(client.get("/zones") for _ in range(10)))
    assert emulator.clock.now() - start == 0.5


async def test_a_test_can_advance_the_clock() -> None:
    clock = VirtualClock()
    emulator = Emulator(seed().with_behaviour(rate_quota=1), clock)
    async with open_client(emulator) as client:
        assert [(await client.get("/zones")).status_code for _ in range(2)] == [200, 429]
        clock.advance(300)
        assert (await client.get("/zones")).status_code == 200


async def test_another_writer_may_replace_the_document_between_a_get_and_a_put() -> None:
    emulator = scripted(ForeignWrite(method="PUT", tunnel=BLUE, document=FOREIGN))
    async with open_client(emulator) as client:
        assert (await client.get(CONFIGURATION)).json()["result"]["version"] == 1
    assert (await put(emulator)).json()["result"]["version"] == 3


async def test_a_foreign_document_keeps_every_character() -> None:
    emulator = scripted()
    emulator.write_foreign(BLUE, FOREIGN)
    assert emulator.state.document(BLUE) == FOREIGN
    async with open_client(emulator) as client:
        assert FOREIGN in (await client.get(CONFIGURATION)).text


async def test_a_test_may_change_the_state_in_any_way_before_a_call() -> None:
    def add_record(state: State) -> State:
        return state.with_records("example.com", Record("new.example.com", "A", "192.0.2.1"))

    emulator = scripted(Intervention(method="POST", change=add_record))
    assert (await post(emulator)).json()["errors"][0]["code"] == 81053


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_is_held_before_or_after_its_effect_until_it_is_released(when: Any) -> None:
    emulator = scripted(Pause(when=when))
    posting = asyncio.ensure_future(post(emulator))
    held = await emulator.until_held(5)
    assert [call.number for call in held] == [1]
    assert not posting.done()
    assert names(emulator) == ([] if when == "before" else ["new.example.com"])
    emulator.release()
    assert (await posting).status_code == 200
    assert names(emulator) == ["new.example.com"]


@pytest.mark.parametrize(("when", "stored"), [("before", []), ("after", ["new.example.com"])])
async def test_a_held_call_can_be_ended_there(when: Any, stored: list[str]) -> None:
    emulator = scripted(Pause(when=when))
    posting = asyncio.ensure_future(post(emulator))
    await emulator.until_held(5)
    emulator.release(proceed=False)
    with pytest.raises(httpx.RemoteProtocolError):
        await posting
    assert names(emulator) == stored
    assert emulator.log[0].outcome == "dropped"


async def test_no_call_is_held_without_a_pause() -> None:
    assert await scripted().until_held(0.01) == ()


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        (Respond(), [1]),
        (Respond(nth=2), [2]),
        (Respond(times=2), [1, 2]),
        (Respond(times=0), [1, 2, 3, 4, 5, 6]),
        (Respond(nth=3, times=0), [3, 4, 5, 6]),
        (Respond(method="POST"), [2]),
        (Respond(method="GET", nth=2), [3]),
        (Respond(path="^/zones$", nth=2), [4]),
        (Respond(path="/dns_records", method="GET"), [3]),
        (Respond(path="^/client"), []),
    ],
    ids=repr,
)
async def test_a_fault_strikes_the_calls_that_it_selects(fault: Respond, struck: list[int]) -> None:
    emulator = scripted(replace(fault, status=418))
    async with open_client(emulator) as client:
        for method, path in (("GET", "/zones"), ("POST", BATCH), ("GET", RECORDS), ("GET", "/zones")):
            await client.request(method, path, json=NEW if method == "POST" else None)
        await client.get("/zones?page=2")
        await client.get(CONFIGURATION)
    assert [call.number for call in emulator.log if call.status == 418] == struck
    assert emulator.script[0].struck == len(struck)
    assert emulator.idle == (() if struck else (emulator.script[0].fault,))


async def test_several_faults_strike_one_call() -> None:
    emulator = scripted(Slow(seconds=1), ForeignWrite(tunnel=BLUE, document=FOREIGN), Drop(when="after"))
    with pytest.raises(httpx.ReadError):
        await put(emulator)
    assert emulator.state.version(BLUE) == 3
    assert emulator.log[0].struck_by == ("Slow", "ForeignWrite", "Drop")


async def test_the_log_holds_the_calls_and_no_secret() -> None:
    emulator = scripted()
    async with open_client(emulator) as client:
        await client.get("/zones", params={"name": "example.com", "per_page": 50})
        await client.post(BATCH, json=NEW)
    first, second = emulator.log
    assert first.line == "GET /zones?name=example.com&per_page=50"
    assert first.status == 200
    assert second.line == f"POST {BATCH}"
    assert second.number == 2
    assert '"new.example.com"' in second.body
    assert API_TOKEN not in repr(emulator.log)


async def test_a_reset_returns_to_the_seed() -> None:
    emulator = scripted(Respond(nth=9), rate_quota=1)
    before = emulator.state
    await post(emulator)
    emulator.reset()
    assert emulator.state == before
    assert emulator.log == []
    assert emulator.script == ()
    assert (await post(emulator)).status_code == 200


async def test_the_side_door_is_open_without_sockets_too() -> None:
    emulator = scripted(Intervention(change=lambda state: state))
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url="http://cloudflare.invalid") as client:
        assert (await client.get("/_control/faults")).json()[0]["struck"] == 0
        assert (await client.get("/_control/nowhere")).status_code == 404
        assert (await client.post("/_control/faults", json=[{"kind": "nonsense"}])).status_code == 400
        unknown = {"tunnel": "none", "document": ""}
        assert (await client.post("/_control/foreign-write", json=unknown)).status_code == 400
    assert emulator.log == []
