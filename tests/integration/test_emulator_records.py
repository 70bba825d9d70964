"""The emulated DNS records: how they are kept, found, refused, and changed many at once (cloudflare-api.md 5)."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from doubles.emulator import BLUE, Emulator, Record, open_client, seed, zone_id
from doubles.emulator.state import record_id

pytestmark = pytest.mark.anyio

ZONE = "example.com"
RECORDS = f"/zones/{zone_id(ZONE)}/dns_records"
TARGET = f"{BLUE}.cfargotunnel.com"
APP = Record("app.example.com", "CNAME", TARGET, proxied=True, comment="Mine")
MAIL = Record("example.com", "MX", "mx.example.net", more={"priority": 10})
TEXT = Record("cname-app.example.com", "TXT", '"heritage=external-dns"', comment="managed")
ADDRESS = Record("old.example.com", "A", "192.0.2.1", ttl=300)


def holding(*records: Record, plan: Any = "enterprise", zone: str = ZONE, **switches: Any) -> Emulator:
    state = seed([zone], plan=plan).with_records(zone, *records).with_behaviour(**switches)
    return Emulator(state)


async def ask(emulator: Emulator, method: str, path: str, body: object = None) -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.request(method, path, json=body)


async def post(emulator: Emulator, path: str = RECORDS, **fields: Any) -> httpx.Response:
    return await ask(emulator, "POST", path, fields)


def stored(emulator: Emulator, zone: str = ZONE) -> dict[str, Record]:
    return emulator.state.zone(zone).records


def code_of(response: httpx.Response) -> int:
    code: int = response.json()["errors"][0]["code"]
    return code


async def test_a_listing_answers_as_documented() -> None:
    documented = """{"success":true,"errors":[],"messages":[],
 "result":[
  {"id":"023e105f4ecef8ad9ca31a8372d0c353","name":"app.example.com","type":"CNAME","content":"5456b9ca-8b73-4b44-93df-67ad7acc8e2c.cfargotunnel.com","proxiable":true,"proxied":true,"ttl":1,"settings":{},"meta":{},"comment":null,"tags":[],"created_on":"2026-09-29T07:00:00.000000Z","modified_on":"2026-09-29T07:00:00.000000Z"},
  {"id":"372e67954025e0ba6aaa6d586b9e0b59","name":"cname-app.example.com","type":"TXT","content":"\\"heritage=external-dns,external-dns/owner=k8s,external-dns/resource=ingress/ns/app\\"","proxiable":false,"proxied":false,"ttl":1,"settings":{},"meta":{},"comment":"managed","tags":[],"created_on":"2026-09-29T07:00:00.000000Z","modified_on":"2026-09-29T07:00:00.000000Z","comment_modified_on":"2026-09-29T07:00:00.000000Z"}],
 "result_info":{"page":1,"per_page":100,"count":2,"total_count":2,"total_pages":1}}"""
    seven = "2026-09-29T07:00:00.000000Z"
    app = replace(APP, id="023e105f4ecef8ad9ca31a8372d0c353", comment=None, created_on=seven, modified_on=seven)
    text = Record(
        "cname-app.example.com",
        "TXT",
        '"heritage=external-dns,external-dns/owner=k8s,external-dns/resource=ingress/ns/app"',
        comment="managed",
        id="372e67954025e0ba6aaa6d586b9e0b59",
        created_on=seven,
        modified_on=seven,
        comment_modified_on=seven,
    )
    response = await ask(holding(app, text), "GET", RECORDS)
    assert response.text == json.dumps(json.loads(documented), separators=(",", ":"))


async def test_an_address_beside_a_cname_is_refused_as_seen_in_the_wild() -> None:
    seen = (
        '{"result":null,"success":false,"errors":[{"code":81054,"message":"A CNAME record with that host already exists. For more'
        ' details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>."}],'
        '"messages":[]}'
    )
    response = await post(holding(APP), type="A", name="app.example.com", content="192.0.2.1")
    assert (response.status_code, response.json()) == (400, json.loads(seen))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("app.example.com", "app.example.com"),
        ("APP.Example.Com.", "app.example.com"),
        ("app", "app.example.com"),
        ("@", "example.com"),
        ("example.com", "example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
        ("*.example.com", "*.example.com"),
        ("x.other.tld", "x.other.tld.example.com"),
        ("notexample.com", "notexample.com.example.com"),
        ("_acme-challenge", "_acme-challenge.example.com"),
    ],
)
async def test_a_name_is_kept_in_full_in_lower_case_and_in_punycode(name: str, kept: str) -> None:
    response = await post(holding(), type="TXT", name=name, content='"x"')
    assert response.json()["result"]["name"] == kept


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "A", "content": "nonsense"}, 9005),
        ({"type": "A", "content": "2001:db8::1"}, 9005),
        ({"type": "AAAA", "content": "192.0.2.1"}, 9006),
        ({"type": "CNAME", "content": "http://target.example.net"}, 9007),
        ({"type": "CNAME", "content": "192.0.2.1"}, 9007),
        ({"type": "CNAME", "content": "NEW.example.com."}, 9039),
        ({"type": "TXT", "content": 'raw " quote'}, 9207),
        ({"type": "TXT", "content": '"open'}, 9207),
        ({"type": "TXT", "content": '"x"', "proxied": True}, 9041),
        ({"type": "A", "content": "192.0.2.1", "ttl": 59}, 9021),
        ({"type": "A", "content": "192.0.2.1", "ttl": 86_401}, 9021),
        ({"type": "A", "content": "192.0.2.1", "comment": "x" * 101}, 9313),
        ({"type": "A", "content": "192.0.2.1", "comment": "two\nlines"}, 9207),
        ({"type": "A", "content": "192.0.2.1", "tags": ["a:b"]}, 9300),
        ({"type": "NONSENSE", "content": "x"}, 9004),
        ({"content": "192.0.2.1"}, 9207),
        ({"type": "A", "content": "192.0.2.1", "name": "a..b"}, 9000),
        ({"type": "A", "content": "192.0.2.1", "name": "x" * 64}, 9000),
        ({"type": "A", "content": "192.0.2.1", "name": "☃"}, 9000),
        ({"type": "A", "content": 1}, 9207),
        ({"type": "A", "content": "192.0.2.1", "ttl": "300"}, 9207),
    ],
)
async def test_a_record_that_cannot_be_is_refused(fields: Mapping[str, Any], code: int) -> None:
    emulator = holding(plan="free")
    response = await post(emulator, **{"name": "new.example.com", **fields})
    assert (response.status_code, code_of(response)) == (400, code)
    assert stored(emulator) == {}


async def test_a_paid_plan_has_longer_comments_tags_and_shorter_times() -> None:
    fields: dict[str, Any] = {
        "type": "A",
        "content": "192.0.2.1",
        "comment": "x" * 500,
        "tags": ["a:b"],
        "ttl": 30,
        "name": "a",
    }
    assert (await post(holding(plan="enterprise"), **fields)).status_code == 200
    assert code_of(await post(holding(plan="pro"), **fields)) == 9021
    assert code_of(await post(holding(plan="enterprise"), **fields | {"comment": "x" * 501})) == 9313


@pytest.mark.parametrize("content", ['"quoted"', '"two" "strings"', '"an \\" escaped quote"', "without quotes"])
async def test_a_text_is_kept_as_it_was_sent(content: str) -> None:
    assert (await post(holding(), type="TXT", name="t", content=content)).json()["result"]["content"] == content


async def test_the_content_of_a_cname_is_kept_in_lower_case_without_its_dot() -> None:
    response = await post(holding(), type="CNAME", name="a", content="Target.Example.NET.")
    assert response.json()["result"]["content"] == "target.example.net"


async def test_a_proxied_record_reads_back_an_automatic_ttl() -> None:
    response = await post(holding(), type="CNAME", name="a", content=TARGET, ttl=300, proxied=True)
    assert response.json()["result"]["ttl"] == 1


@pytest.mark.parametrize(
    ("beside", "new", "code"),
    [
        (APP, {"type": "CNAME", "content": "other.example.net"}, 81053),
        (replace(ADDRESS, name=APP.name), {"type": "CNAME", "content": TARGET}, 81053),
        (APP, {"type": "A", "content": "192.0.2.1"}, 81054),
        (APP, {"type": "AAAA", "content": "2001:db8::1"}, 81054),
        (APP, {"type": "CNAME", "content": TARGET.upper()}, 81058),
        (replace(TEXT, name=APP.name), {"type": "TXT", "content": TEXT.content}, 81058),
        (replace(TEXT, name=APP.name), {"type": "NS", "content": "ns.example.net"}, 81055),
        (Record(APP.name, "NS", "ns.example.net"), {"type": "TXT", "content": '"x"'}, 81055),
    ],
    ids=lambda value: value.type if isinstance(value, Record) else str(value),
)
async def test_what_cannot_stand_beside_another_record_is_refused(
    beside: Record, new: Mapping[str, Any], code: int
) -> None:
    emulator = holding(beside)
    assert code_of(await post(emulator, name=APP.name, **new)) == code
    assert len(stored(emulator)) == 1


@pytest.mark.parametrize(
    ("beside", "new"),
    [
        (APP, {"type": "TXT", "content": '"x"'}),
        (APP, {"type": "MX", "content": "mx.example.net", "priority": 10}),
        (replace(ADDRESS, name=APP.name), {"type": "A", "content": "192.0.2.2"}),
        (Record(APP.name, "NS", "ns1.example.net"), {"type": "NS", "content": "ns2.example.net"}),
    ],
    ids=["TXT beside CNAME", "MX beside CNAME", "a second A", "a second NS"],
)
async def test_what_can_stand_beside_another_record_is_added(beside: Record, new: Mapping[str, Any]) -> None:
    emulator = holding(beside)
    assert (await post(emulator, name=APP.name, **new)).status_code == 200
    assert len(stored(emulator)) == 2


async def test_a_zone_holds_no_more_records_than_its_quota() -> None:
    emulator = holding(*(replace(ADDRESS, content=f"192.0.2.{number}") for number in range(200)), plan="free")
    assert (await ask(emulator, "GET", f"{RECORDS}/usage")).json()["result"] == {
        "record_quota": 200,
        "record_usage": 200,
    }
    assert code_of(await post(emulator, type="CNAME", name="a", content=TARGET)) == 81045
    emulator.state = emulator.state.with_zone(replace(emulator.state.zone(ZONE), quota=1000))
    assert (await post(emulator, type="CNAME", name="a", content=TARGET)).status_code == 200


async def test_an_enterprise_zone_has_no_quota_of_its_own() -> None:
    usage = (await ask(holding(APP), "GET", f"{RECORDS}/usage")).json()["result"]
    assert usage == {"record_quota": None, "record_usage": 1}


async def test_a_free_domain_takes_no_writes() -> None:
    emulator = holding(zone="example.tk")
    response = await post(
        emulator, path=f"/zones/{zone_id('example.tk')}/dns_records", type="CNAME", name="a", content=TARGET
    )
    assert (response.status_code, code_of(response)) == (403, 1038)


async def test_a_patch_changes_only_what_it_names() -> None:
    emulator = holding(APP)
    await emulator.clock.sleep(60)
    response = await ask(emulator, "PATCH", f"{RECORDS}/{record_id(1)}", {"comment": "Yours"})
    kept = stored(emulator)[record_id(1)]
    assert (kept.proxied, kept.content, kept.comment) == (True, TARGET, "Yours")
    assert response.json()["result"]["modified_on"] == kept.modified_on == kept.comment_modified_on != kept.created_on


async def test_a_put_sets_back_what_it_leaves_out() -> None:
    emulator = holding(replace(APP, tags=("a:b",)))
    body = {"type": "CNAME", "name": APP.name, "content": TARGET}
    await ask(emulator, "PUT", f"{RECORDS}/{record_id(1)}", body)
    kept = stored(emulator)[record_id(1)]
    assert (kept.proxied, kept.comment, kept.tags, kept.created_on) == (False, None, (), APP.created_on)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_the_type_of_a_record_cannot_be_changed(method: str) -> None:
    emulator = holding(APP)
    body = {"type": "A", "name": APP.name, "content": "192.0.2.1", "proxied": False}
    assert (await ask(emulator, method, f"{RECORDS}/{record_id(1)}", body)).status_code == 400
    assert stored(emulator)[record_id(1)].type == "CNAME"


async def test_a_record_cannot_be_renamed_onto_another() -> None:
    emulator = holding(APP, replace(APP, name="b.example.com"))
    response = await ask(
        emulator, "PATCH", f"{RECORDS}/{record_id(2)}", {"name": APP.name, "content": "other.example.net"}
    )
    assert code_of(response) == 81053


async def test_a_record_can_be_patched_to_what_it_is() -> None:
    emulator = holding(APP)
    body = {"type": "CNAME", "name": APP.name, "content": TARGET}
    assert (await ask(emulator, "PATCH", f"{RECORDS}/{record_id(1)}", body)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
async def test_a_record_that_is_gone_does_not_exist(method: str) -> None:
    response = await ask(holding(), method, f"{RECORDS}/{record_id(1)}", {} if method.startswith("P") else None)
    assert (response.status_code, code_of(response)) == (404, 81044)


async def test_a_deleted_record_is_told_by_its_id() -> None:
    emulator = holding(APP)
    response = await ask(emulator, "DELETE", f"{RECORDS}/{record_id(1)}")
    assert (response.json()["result"], stored(emulator)) == ({"id": record_id(1)}, {})


async def test_a_record_that_is_made_again_has_another_id() -> None:
    emulator = holding()
    ids = set()
    for _ in range(3):
        made = (await post(emulator, type="CNAME", name="a", content=TARGET)).json()["result"]["id"]
        await ask(emulator, "DELETE", f"{RECORDS}/{made}")
        ids.add(made)
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("type=CNAME", ["app"]),
        ("proxied=true", ["app"]),
        ("name=APP.example.com", ["app"]),
        ("name.exact=app.example.com", ["app"]),
        ("name.contains=APP", ["app", "cname-app"]),
        ("name.startswith=cname-", ["cname-app"]),
        ("name.endswith=app.example.com", ["app", "cname-app"]),
        ("name=contains:app", []),
        ("content.endswith=.CFARGOTUNNEL.com", ["app"]),
        ("comment=mine", ["app"]),
        ("comment.exact=MINE", ["app"]),
        ("comment.contains=in", ["app"]),
        ("comment.startswith=man", ["cname-app"]),
        ("comment.endswith=aged", ["cname-app"]),
        ("comment.present=", ["app", "cname-app"]),
        ("comment.absent=", ["old"]),
        ("type=CNAME&comment.startswith=man", []),
        ("type=CNAME&comment.startswith=man&match=any", ["app", "cname-app"]),
        ("match=any", ["app", "cname-app", "old"]),
        ("search=192.0.2", ["old"]),
        ("unheard=of", ["app", "cname-app", "old"]),
    ],
)
async def test_a_filter_finds(query: str, names: list[str]) -> None:
    found = (await ask(holding(APP, TEXT, ADDRESS), "GET", f"{RECORDS}?{query}")).json()["result"]
    assert sorted(record["name"].removesuffix(".example.com") for record in found) == names


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("", ["A", "CNAME", "TXT"]),
        ("order=type&direction=desc", ["TXT", "CNAME", "A"]),
        ("order=name", ["CNAME", "TXT", "A"]),
        ("order=ttl&direction=desc", ["A", "CNAME", "TXT"]),
        ("order=proxied", ["TXT", "A", "CNAME"]),
    ],
)
async def test_a_listing_is_ordered(query: str, types: list[str]) -> None:
    found = (await ask(holding(APP, TEXT, ADDRESS), "GET", f"{RECORDS}?{query}")).json()["result"]
    assert [record["type"] for record in found] == types


async def test_a_listing_comes_in_pages() -> None:
    emulator = holding(*(replace(ADDRESS, content=f"192.0.2.{number}") for number in range(120)))
    infos = [
        (await ask(emulator, "GET", f"{RECORDS}?{query}")).json()["result_info"]
        for query in ("", "page=2", "page=3", "per_page=5000000", "per_page=50&page=3")
    ]
    pages = [
        (info["page"], info["per_page"], info["count"], info["total_count"], info["total_pages"]) for info in infos
    ]
    assert pages == [
        (1, 100, 100, 120, 2),
        (2, 100, 20, 120, 2),
        (3, 100, 0, 120, 2),
        (1, 5_000_000, 120, 120, 1),
        (3, 50, 20, 120, 3),
    ]
    assert (await ask(emulator, "GET", f"{RECORDS}?per_page=5000001")).status_code == 400


async def test_a_listing_can_do_without_the_number_of_its_pages() -> None:
    info = (await ask(holding(total_pages=False), "GET", RECORDS)).json()["result_info"]
    assert info == {"page": 1, "per_page": 100, "count": 0, "total_count": 0}


async def test_a_batch_runs_deletes_patches_puts_posts_whatever_their_order() -> None:
    emulator = holding(ADDRESS, APP, replace(APP, name="put.example.com"))
    body = {
        "posts": [{"type": "CNAME", "name": ADDRESS.name, "content": TARGET, "proxied": True}],
        "puts": [{"id": record_id(3), "type": "CNAME", "name": "free.example.com", "content": TARGET}],
        "patches": [{"id": record_id(2), "comment": "patched"}],
        "deletes": [{"id": record_id(1)}],
    }
    result = (await ask(emulator, "POST", f"{RECORDS}/batch", body)).json()["result"]
    assert list(result) == ["deletes", "patches", "puts", "posts"]
    assert result["deletes"][0]["content"] == ADDRESS.content
    kept = {record.name: (record.type, record.comment) for record in stored(emulator).values()}
    assert kept == {
        "app.example.com": ("CNAME", "patched"),
        "free.example.com": ("CNAME", None),
        "old.example.com": ("CNAME", None),
    }


@pytest.mark.parametrize(("switch", "absent"), [("null", None), ("empty", [])])
async def test_a_batch_tells_nothing_for_what_was_not_asked(switch: str, absent: object) -> None:
    response = await ask(holding(batch_absent=switch), "POST", f"{RECORDS}/batch", {"puts": []})
    assert response.json()["result"] == {"deletes": absent, "patches": absent, "puts": [], "posts": absent}


async def test_a_batch_is_applied_whole_or_not_at_all_and_tells_the_first_error_only() -> None:
    emulator = holding(APP)
    before = emulator.state
    good = {"type": "CNAME", "name": "good", "content": TARGET}
    body = {
        "deletes": [{"id": record_id(1)}],
        "posts": [good, {"type": "A", "name": "bad", "content": "x"}, {"type": "TXT", "name": "worse", "content": '"'}],
    }
    response = await ask(emulator, "POST", f"{RECORDS}/batch", body)
    assert response.json()["errors"] == [
        {"code": 9005, "message": "Content for A record must be a valid IPv4 address."}
    ]
    assert emulator.state is before


async def test_posts_of_one_batch_see_one_another() -> None:
    new = {"type": "CNAME", "name": "new", "content": TARGET}
    assert (
        code_of(await ask(holding(), "POST", f"{RECORDS}/batch", {"posts": [new, {**new, "content": "x.net"}]}))
        == 81053
    )


@pytest.mark.parametrize(("plan", "limit"), [("free", 200), ("pro", 3500)])
async def test_the_changes_of_a_batch_count_together(plan: str, limit: int) -> None:
    emulator = holding(APP, plan=plan)
    emulator.state = emulator.state.with_zone(replace(emulator.state.zone(ZONE), quota=10_000))
    posts = [{"type": "CNAME", "name": f"h{number}", "content": TARGET} for number in range(limit)]
    over = {"posts": posts, "patches": [{"id": record_id(1), "comment": "x"}]}
    assert code_of(await ask(emulator, "POST", f"{RECORDS}/batch", over)) == 9400
    assert (await ask(emulator, "POST", f"{RECORDS}/batch", {"posts": posts})).status_code == 200


async def test_what_only_some_types_have_is_kept() -> None:
    emulator = holding(MAIL)
    assert (await ask(emulator, "GET", f"{RECORDS}/{record_id(1)}")).json()["result"]["priority"] == 10
    await ask(emulator, "PATCH", f"{RECORDS}/{record_id(1)}", {"priority": 20})
    assert stored(emulator)[record_id(1)].more == {"priority": 20}
