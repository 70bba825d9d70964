"""False answers of the emulator: each kind as the client sees it, when it strikes, and that it changes nothing."""

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
import pytest

from doubles.clock import VirtualClock
from doubles.emulator import (
    ACCOUNT,
    BLUE,
    GREEN,
    Drop,
    Emulator,
    EmulatorTransport,
    Fault,
    Lie,
    Record,
    Respond,
    State,
    open_client,
    seed,
    zone_id,
)

pytestmark = pytest.mark.anyio

Body = dict[str, Any]

TUNNEL = f"/accounts/{ACCOUNT}/cfd_tunnel/{BLUE}"
CONFIGURATION = f"{TUNNEL}/configurations"
ZONE = f"/zones/{zone_id('example.com')}"
RECORDS = f"{ZONE}/dns_records"
RULES = [{"hostname": f"{name}.example.com", "service": "http://app:80"} for name in "ab"]
CATCH_ALL = {"service": "http_status:404"}
DOCUMENT: Body = {"ingress": [*RULES, CATCH_ALL], "by": "hand"}
NAMES = ["a.example.com", "b.example.com", "c.example.com"]


def state() -> State:
    """Return a state whose blue tunnel is at version 3, with three records."""
    records = (Record(name, "A", "192.0.2.1", comment="note") for name in NAMES)
    stored = seed(["example.com", "example.org"]).with_records("example.com", *records)
    for rules in (RULES[:1], RULES):
        stored = stored.with_document(BLUE, msgspec.json.encode(DOCUMENT | {"ingress": [*rules, CATCH_ALL]}).decode())
    return stored


async def ask(emulator: Emulator, path: str = CONFIGURATION, **query: Any) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.get(path, params=query)


async def lied_to(lie: Lie, path: str, **query: Any) -> Body:
    """Return the answer to a call that a lie strikes; the state is what it was, and so is the next answer."""
    emulator = Emulator(state())
    truth = (await ask(emulator, path, **query)).json()
    emulator.arm(lie)
    body: Body = (await ask(emulator, path, **query)).json()
    assert emulator.idle == ()
    assert emulator.state == state()
    assert body != truth
    assert (await ask(emulator, path, **query)).json() == truth
    return body


@pytest.mark.parametrize("path", [CONFIGURATION, TUNNEL, RECORDS, "/zones", ZONE])
@pytest.mark.parametrize(
    ("status", "code"), [(404, 1055), (404, 1003), (404, 7003), (404, None), (403, 1055), (400, 1000)]
)
async def test_any_read_may_be_refused_with_any_status_and_code(path: str, status: int, code: int | None) -> None:
    emulator = Emulator(state())
    emulator.arm(Lie(tells="refusal", status=status, code=code))
    answer = await ask(emulator, path)
    assert answer.status_code == status
    body = answer.json()
    assert body["success"] is False
    assert body["result"] is None
    assert [error["code"] for error in body["errors"]] == ([] if code is None else [code])
    assert (await ask(emulator, path)).status_code == 200


@pytest.mark.parametrize("path", [CONFIGURATION, TUNNEL, RECORDS, "/zones", ZONE])
async def test_any_read_may_have_no_result(path: str) -> None:
    body = await lied_to(Lie(tells="no result"), path)
    assert body["success"] is True
    assert body["result"] == {}


@pytest.mark.parametrize("version", [None, 1, 9])
@pytest.mark.parametrize(
    ("lie", "config"),
    [
        (Lie(tells="null"), None),
        (Lie(tells="blank"), {}),
        (Lie(tells="no ingress"), {"by": "hand"}),
        (Lie(tells="no rules"), {"by": "hand", "ingress": []}),
        (Lie(tells="partial", keep=()), {"by": "hand", "ingress": [CATCH_ALL]}),
        (Lie(tells="partial", keep=(0,)), {"by": "hand", "ingress": [RULES[0], CATCH_ALL]}),
        (Lie(tells="partial", keep=(1,)), {"by": "hand", "ingress": [RULES[1], CATCH_ALL]}),
    ],
    ids=lambda value: repr(value) if isinstance(value, Lie) else "",
)
async def test_a_configuration_may_seem_emptier_at_any_version(lie: Lie, config: object, version: int | None) -> None:
    result = (await lied_to(msgspec.structs.replace(lie, version=version), CONFIGURATION))["result"]
    assert result["config"] == config
    assert result["version"] == (version or 3)
    assert result["tunnel_id"] == BLUE


async def test_a_configuration_may_have_a_wrong_version() -> None:
    result = (await lied_to(Lie(tells="version", version=2), CONFIGURATION))["result"]
    assert result["version"] == 2
    assert result["config"] == DOCUMENT


async def test_a_configuration_may_be_that_of_another_tunnel() -> None:
    result = (await lied_to(Lie(tells="another tunnel"), CONFIGURATION))["result"]
    green = (await ask(Emulator(state()), CONFIGURATION.replace(BLUE, GREEN))).json()["result"]
    assert result == green | {"tunnel_id": BLUE}


async def test_a_tunnel_may_seem_deleted() -> None:
    assert (await lied_to(Lie(tells="deleted"), TUNNEL))["result"]["deleted_at"] is not None


@pytest.mark.parametrize(
    ("lie", "names"),
    [
        (Lie(tells="empty"), []),
        (Lie(tells="partial", keep=()), []),
        (Lie(tells="partial", keep=(0, 2)), [NAMES[0], NAMES[2]]),
        (Lie(tells="partial", keep=(1,)), [NAMES[1]]),
    ],
    ids=repr,
)
async def test_a_list_may_lack_entries_and_still_be_consistent(lie: Lie, names: list[str]) -> None:
    body = await lied_to(lie, RECORDS, **{"order": "name", "comment.startswith": "note"})
    assert [record["name"] for record in body["result"]] == names
    assert (body["result_info"]["count"], body["result_info"]["total_count"]) == (len(names), len(names))


async def test_zones_may_be_missing() -> None:
    assert (await lied_to(Lie(tells="empty"), "/zones"))["result"] == []
    assert [zone["name"] for zone in (await lied_to(Lie(tells="partial", keep=(1,)), "/zones"))["result"]] == [
        "example.org"
    ]


async def test_a_page_may_be_repeated() -> None:
    body = await lied_to(Lie(tells="repeated page"), RECORDS, page=2, per_page=2, order="name")
    assert [record["name"] for record in body["result"]] == NAMES[:2]


async def test_a_list_may_have_a_wrong_total() -> None:
    body = await lied_to(Lie(tells="total"), RECORDS, order="name")
    assert [record["name"] for record in body["result"]] == NAMES
    assert body["result_info"]["total_count"] == 4


@pytest.mark.parametrize(
    ("lie", "version"),
    [
        (Lie(tells="stale"), 4),
        (Lie(tells="stale", behind=2), 3),
        (Lie(tells="stale", behind=9), 3),
        (Lie(tells="stale", age=5), 5),
        (Lie(tells="stale", age=15), 4),
        (Lie(tells="stale", age=25), 3),
        (Lie(tells="stale", age=999), 3),
    ],
    ids=repr,
)
async def test_an_answer_may_be_of_the_past(lie: Lie, version: int) -> None:
    emulator = Emulator(state())
    for content in ("192.0.2.2", "192.0.2.3"):
        await emulator.clock.sleep(10)
        emulator.write_foreign(BLUE, f'{{"ingress": [{{"service": "http_status:404"}}], "by": "{content}"}}')
        emulator.state = emulator.state.with_records("example.com", Record("d.example.com", "A", content))
    await emulator.clock.sleep(10)
    emulator.arm(lie)
    assert (await ask(emulator)).json()["result"]["version"] == version
    assert (await ask(emulator)).json()["result"]["version"] == 5


async def test_a_list_may_be_of_the_past() -> None:
    emulator = Emulator(state())
    emulator.state = emulator.state.with_records("example.com", Record("d.example.com", "A", "192.0.2.1"))
    emulator.arm(Lie(tells="stale"))
    assert len((await ask(emulator, RECORDS)).json()["result"]) == 3
    assert len((await ask(emulator, RECORDS)).json()["result"]) == 4


async def test_a_lie_may_hide_that_a_configuration_is_gone() -> None:
    emulator = Emulator(state())
    blue = emulator.state.tunnels[BLUE]
    emulator.state = emulator.state.with_tunnel(msgspec.structs.replace(blue, configuration=None))
    emulator.arm(Lie(tells="blank"), Lie(tells="stale", nth=2))
    assert (await ask(emulator)).status_code == 404
    assert (await ask(emulator)).json()["result"]["version"] == 3


async def test_a_lie_may_last_for_some_time() -> None:
    emulator = Emulator(state())
    emulator.arm(Lie(tells="blank", seconds=60, nth=2))
    seen: list[bool] = []
    for _ in range(5):
        seen.append((await ask(emulator)).json()["result"]["config"] == {})
        await emulator.clock.sleep(30)
    assert seen == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("lie", "path"),
    [
        (Lie(tells="null"), RECORDS),
        (Lie(tells="null"), TUNNEL),
        (Lie(tells="empty"), CONFIGURATION),
        (Lie(tells="empty"), ZONE),
        (Lie(tells="partial", keep=()), TUNNEL),
        (Lie(tells="deleted"), CONFIGURATION),
        (Lie(tells="stale", path="/zones$"), RECORDS),
    ],
    ids=repr,
)
async def test_a_lie_strikes_only_what_it_can_concern(lie: Lie, path: str) -> None:
    emulator = Emulator(state())
    emulator.arm(lie)
    await ask(emulator, path)
    assert emulator.idle == (lie,)


async def test_a_lie_never_strikes_a_write() -> None:
    emulator = Emulator(state())
    emulator.arm(lie := Lie(tells="refusal"))
    async with open_client(emulator) as client:
        assert (await client.put(CONFIGURATION, json={"config": DOCUMENT})).json()["result"]["version"] == 4
    assert emulator.idle == (lie,)


async def test_a_lie_can_be_scripted_as_json() -> None:
    emulator = Emulator(state())
    async with httpx.AsyncClient(transport=EmulatorTransport(emulator), base_url="http://cloudflare.invalid") as client:
        lie = {"kind": "lie", "tells": "partial", "keep": [1], "seconds": 30, "path": "/configurations"}
        assert (await client.post("/_control/faults", json=[lie])).status_code == 200
        assert (await client.post("/_control/faults", json=[{"kind": "lie", "tells": "fibs"}])).status_code == 400
        assert (await client.get("/_control/faults")).json()[0]["fault"] == lie | {
            "method": "", "nth": 1, "times": 1, "status": 404, "code": None, "version": None, "behind": 1, "age": None,
        }  # fmt: skip
    assert emulator.script[0].fault == Lie(tells="partial", keep=(1,), seconds=30, path="/configurations")


@pytest.mark.parametrize(
    "fault",
    [Drop(path="nowhere"), Respond(status=502), Lie(tells="refusal", code=1055)],
    ids=["true", "scripted", "false"],
)
async def test_every_answer_has_the_date_of_the_emulators_clock(fault: Fault) -> None:
    clock = VirtualClock()
    clock.advance(90.7)
    emulator = Emulator(state(), clock)
    emulator.arm(fault)
    date = (await ask(emulator)).headers["date"]
    assert date.endswith(" GMT")
    assert parsedate_to_datetime(date).timestamp() == int(clock.now())


async def test_a_record_keeps_when_it_was_created_and_says_when_it_was_changed() -> None:
    emulator = Emulator(seed())

    async def write(**batch: Any) -> Body:
        await emulator.clock.sleep(60)
        async with open_client(emulator) as client:
            result = (await client.post(f"{RECORDS}/batch", json=batch)).json()["result"]
        record: Body = next(records for records in result.values() if records)[0]
        return record

    created = await write(posts=[{"type": "A", "name": "a.example.com", "content": "192.0.2.1"}])
    patched = await write(patches=[{"id": created["id"], "comment": "changed"}])
    replaced = await write(puts=[{"id": created["id"], "type": "A", "name": "a", "content": "192.0.2.2"}])
    assert created["created_on"] == created["modified_on"]
    assert created["created_on"] == patched["created_on"] == replaced["created_on"]
    assert created["modified_on"] < patched["modified_on"] < replaced["modified_on"]
