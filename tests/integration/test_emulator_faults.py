"""The script of faults and the faces of the emulator: each fault as the client sees it, and as the state shows it afterwards."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from doubles.clock import VirtualClock
from doubles.emulator import (
    ACCOUNT,
    API_TOKEN,
    BASE_URL,
    BLUE,
    HTML,
    Distort,
    Drop,
    Dropped,
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
    create_app,
    open_client,
    seed,
    zone_id,
)
from doubles.emulator.seed import EMPTY

pytestmark = pytest.mark.anyio

RECORDS = f"/zones/{zone_id('example.com')}/dns_records"
CONFIGURATION = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}/configurations"
NEW = {"type": "CNAME", "name": "new.example.com", "content": f"{BLUE}.cfargotunnel.com"}
FOREIGN = '{"ingress": [{"service": "http_status:503"}], "by": 1.50}'


def scripted(*faults: Fault, **switches: Any) -> Emulator:
    emulator = Emulator(seed().with_behaviour(**switches))
    emulator.arm(*faults)
    return emulator


async def post(emulator: Emulator, patience: float | None = 5.0) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.post(RECORDS, json=NEW, timeout=patience)


async def put(emulator: Emulator) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.put(
            CONFIGURATION, content=f'{{"config":{EMPTY}}}', headers={"content-type": "application/json"}
        )


def names(emulator: Emulator) -> list[str]:
    return [record.name for record in emulator.state.zone("example.com").records.values()]


@pytest.mark.parametrize(
    ("fault", "raised", "kept"),
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
async def test_a_lost_answer_is_what_httpx_raises_for_it(
    fault: Fault, raised: type[httpx.TransportError], kept: list[str]
) -> None:
    emulator = scripted(fault)
    with pytest.raises(raised):
        await post(emulator)
    assert (names(emulator), emulator.idle) == (kept, ())
    assert (await post(emulator)).status_code == (400 if kept else 200)


async def test_a_scripted_answer_stands_for_the_true_one() -> None:
    emulator = scripted(Respond(status=502, body=HTML, content_type="text/html", headers={"retry-after": "7"}))
    response = await post(emulator)
    assert (response.status_code, response.text, response.headers["retry-after"]) == (502, HTML, "7")
    assert (response.headers["content-type"], names(emulator)) == ("text/html", [])


async def test_a_scripted_answer_may_lie_about_what_happened() -> None:
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
async def test_a_true_answer_may_be_spoilt(fault: Fault, text: str, content_type: str) -> None:
    emulator = scripted(fault)
    response = await post(emulator)
    assert (response.status_code, response.text, response.headers["content-type"]) == (200, text, content_type)
    assert names(emulator) == ["new.example.com"]


async def test_a_slow_answer_comes_in_time_for_who_waits() -> None:
    emulator = scripted(Slow(seconds=4), latency=0.5)
    began = emulator.clock.now()
    assert (await post(emulator)).status_code == 200
    assert emulator.clock.now() - began == 4.5


async def test_who_does_not_wait_gives_up_when_the_read_timeout_has_passed() -> None:
    emulator = scripted(latency=9)
    began = emulator.clock.now()
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    assert (emulator.clock.now() - began, emulator.log[0].outcome) == (5.0, "given up")


async def test_who_sets_no_timeout_waits() -> None:
    assert (await post(scripted(Slow(seconds=9)), patience=None)).status_code == 200


async def test_the_effect_of_a_slow_call_comes_late_when_nobody_waits_any_more() -> None:
    emulator = scripted(Slow(seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    async with open_client(emulator) as client:
        assert (await client.get(RECORDS)).json()["result"] == []
        await emulator.clock.sleep(25)
        assert len((await client.get(RECORDS)).json()["result"]) == 1


async def test_late_effects_can_be_waited_for() -> None:
    emulator = scripted(Slow(seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    await emulator.settle()
    assert names(emulator) == ["new.example.com"]


async def test_the_effect_of_a_call_that_is_cancelled_comes_all_the_same() -> None:
    emulator = scripted(Slow(seconds=30))
    posting = asyncio.ensure_future(post(emulator, patience=None))
    await asyncio.sleep(0)
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting
    await emulator.settle()
    assert names(emulator) == ["new.example.com"]


async def test_a_call_without_effect_has_none_later_either() -> None:
    emulator = scripted(Slow(seconds=30), Drop(when="before"))
    with pytest.raises(httpx.ReadTimeout):
        await post(emulator)
    await emulator.settle()
    assert names(emulator) == []


async def test_two_who_wait_together_wait_as_long_as_one() -> None:
    emulator = scripted(latency=0.5)
    began = emulator.clock.now()
    async with open_client(emulator) as client:
        await asyncio.gather(*(client.get("/zones") for _ in range(10)))
    assert emulator.clock.now() - began == 0.5


async def test_time_may_be_moved_by_hand() -> None:
    clock = VirtualClock()
    emulator = Emulator(seed().with_behaviour(rate_quota=1), clock)
    async with open_client(emulator) as client:
        assert [(await client.get("/zones")).status_code for _ in range(2)] == [200, 429]
        clock.advance(300)
        assert (await client.get("/zones")).status_code == 200


async def test_somebody_else_writes_the_document_between_a_get_and_a_put() -> None:
    emulator = scripted(ForeignWrite(method="PUT", tunnel=BLUE, document=FOREIGN))
    async with open_client(emulator) as client:
        read = (await client.get(CONFIGURATION)).json()["result"]["version"]
    written = (await put(emulator)).json()["result"]["version"]
    assert (read, written) == (1, 3)


async def test_a_foreign_document_is_kept_to_the_character() -> None:
    emulator = scripted()
    emulator.write_foreign(BLUE, FOREIGN)
    assert emulator.state.document(BLUE) == FOREIGN
    async with open_client(emulator) as client:
        assert FOREIGN in (await client.get(CONFIGURATION)).text


async def test_a_test_may_intervene_in_any_way() -> None:
    def add_record(state: State) -> State:
        return state.with_records("example.com", Record("new.example.com", "A", "192.0.2.1"))

    emulator = scripted(Intervention(method="POST", change=add_record))
    assert (await post(emulator)).json()["errors"][0]["code"] == 81053


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_is_held_before_or_after_its_effect_until_it_is_released(when: Any) -> None:
    emulator = scripted(Pause(when=when))
    posting = asyncio.ensure_future(post(emulator))
    held = await emulator.until_held(5)
    assert ([call.number for call in held], posting.done()) == ([1], False)
    assert names(emulator) == ([] if when == "before" else ["new.example.com"])
    emulator.release(1)
    assert (await posting).status_code == 200
    assert names(emulator) == ["new.example.com"]


@pytest.mark.parametrize(("when", "kept"), [("before", []), ("after", ["new.example.com"])])
async def test_a_held_call_can_be_ended_there(when: Any, kept: list[str]) -> None:
    emulator = scripted(Pause(when=when))
    posting = asyncio.ensure_future(post(emulator))
    await emulator.until_held(5)
    emulator.release(proceed=False)
    with pytest.raises(httpx.RemoteProtocolError):
        await posting
    assert (names(emulator), emulator.log[0].outcome) == (kept, "dropped")


async def test_nobody_is_held_where_nothing_pauses() -> None:
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
        (Respond(call=5), [5]),
        (Respond(call=5, method="POST"), []),
    ],
    ids=repr,
)
async def test_a_fault_strikes_the_calls_it_is_meant_for(fault: Respond, struck: list[int]) -> None:
    emulator = scripted(replace(fault, status=418))
    async with open_client(emulator) as client:
        for method, path in (("GET", "/zones"), ("POST", RECORDS), ("GET", RECORDS), ("GET", "/zones")):
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


async def test_the_log_tells_what_was_asked_and_gives_no_secret_away() -> None:
    emulator = scripted()
    async with open_client(emulator) as client:
        await client.get("/zones", params={"name": "example.com", "per_page": 50})
        await client.post(RECORDS, json=NEW)
        await client.get("/zones", headers={"authorization": "Bearer another"})
    first, second, third = emulator.log
    assert (first.line, first.status, first.changed_state) == ("GET /zones?name=example.com&per_page=50", 200, False)
    assert (second.line, second.changed_state, second.number) == (f"POST {RECORDS}", True, 2)
    assert '"new.example.com"' in second.body
    assert first.token == second.token != third.token
    assert API_TOKEN not in repr(emulator.log)


async def test_a_reset_returns_to_the_seed() -> None:
    emulator = scripted(Respond(call=9), rate_quota=1)
    before = emulator.state
    await post(emulator)
    emulator.reset()
    assert (emulator.state, emulator.log, emulator.script) == (before, [], ())
    assert (await post(emulator)).status_code == 200


async def over_asgi(emulator: Emulator, send: Callable[[httpx.AsyncClient], Any]) -> httpx.Response:
    headers = {"authorization": f"Bearer {API_TOKEN}"}
    transport = httpx.ASGITransport(create_app(emulator))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as client:
        response: httpx.Response = await send(client)
        return response


async def test_the_asgi_app_answers_as_the_transport_does() -> None:
    def ask(client: httpx.AsyncClient) -> Any:
        return client.post(RECORDS, params={"x": "1"}, json=NEW)

    over_app = await over_asgi(scripted(), ask)
    async with open_client(scripted()) as client:
        over_transport = await ask(client)
    assert (over_app.status_code, over_app.content) == (200, over_transport.content)
    assert over_app.headers == over_transport.headers


@pytest.mark.parametrize("fault", [Drop(), Distort(cut=3)], ids=["dropped", "cut"])
async def test_the_asgi_app_raises_where_the_connection_ends(fault: Fault) -> None:
    with pytest.raises(Dropped):
        await over_asgi(scripted(fault), lambda client: client.get("/zones"))


async def test_the_side_door_is_open_in_one_process_too() -> None:
    emulator = scripted(Intervention(change=lambda state: state))
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url="http://cloudflare.invalid") as client:
        assert (await client.get("/_control/faults")).json()[0]["struck"] == 0
        assert (await client.get("/_control/nowhere")).status_code == 404
        assert (await client.post("/_control/faults", json=[{"kind": "nonsense"}])).status_code == 400
        assert (
            await client.post("/_control/foreign-write", json={"tunnel": "none", "document": ""})
        ).status_code == 400
    assert emulator.log == []
