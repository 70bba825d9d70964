"""The emulated DNS records: how they are stored, listed, refused and changed in batches (cloudflare-api.md 5)."""

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


async def get(emulator: Emulator, query: str = "") -> httpx.Response:
    async with open_client(emulator) as client:
        return await client.get(RECORDS + query)


async def batch(emulator: Emulator, **arrays: list[dict[str, Any]]) -> httpx.Response:
    """Write to the only zone."""
    (zone,) = emulator.state.zones
    async with open_client(emulator) as client:
        return await client.post(f"/zones/{zone}/dns_records/batch", json=arrays)


async def post(emulator: Emulator, **fields: Any) -> httpx.Response:
    return await batch(emulator, posts=[fields])


async def posted(emulator: Emulator, **fields: Any) -> Any:
    """Return the record that a post creates."""
    return (await post(emulator, **fields)).json()["result"]["posts"][0]


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
    response = await get(holding(app, text))
    assert response.text == json.dumps(json.loads(documented), separators=(",", ":"))


async def test_an_address_beside_a_cname_is_refused_as_seen_in_the_wild() -> None:
    seen = (
        '{"result":null,"success":false,"errors":[{"code":81054,"message":"A CNAME record with that host already'
        ' exists. For more details, refer to <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>."}],'
        '"messages":[]}'
    )
    response = await post(holding(APP), type="A", name="app.example.com", content="192.0.2.1")
    assert response.status_code == 400
    assert response.json() == json.loads(seen)


@pytest.mark.parametrize(
    ("name", "stored_name"),
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
async def test_a_name_is_stored_in_full_in_lower_case_and_as_a_labels(name: str, stored_name: str) -> None:
    assert (await posted(holding(), type="TXT", name=name, content='"x"'))["name"] == stored_name


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
async def test_an_invalid_record_is_refused(fields: Mapping[str, Any], code: int) -> None:
    emulator = holding(plan="free")
    response = await post(emulator, **{"name": "new.example.com", **fields})
    assert response.status_code == 400
    assert code_of(response) == code
    assert stored(emulator) == {}


async def test_a_paid_plan_allows_longer_comments_tags_and_shorter_ttls() -> None:
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
async def test_a_text_is_stored_as_it_was_sent(content: str) -> None:
    assert (await posted(holding(), type="TXT", name="t", content=content))["content"] == content


async def test_the_content_of_a_cname_is_stored_in_lower_case_without_its_last_dot() -> None:
    record = await posted(holding(), type="CNAME", name="a", content="Target.Example.NET.")
    assert record["content"] == "target.example.net"


async def test_a_proxied_record_has_an_automatic_ttl() -> None:
    assert (await posted(holding(), type="CNAME", name="a", content=TARGET, ttl=300, proxied=True))["ttl"] == 1


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
async def test_a_record_that_conflicts_with_another_of_its_name_is_refused(
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
async def test_a_record_that_may_share_its_name_is_added(beside: Record, new: Mapping[str, Any]) -> None:
    emulator = holding(beside)
    assert (await post(emulator, name=APP.name, **new)).status_code == 200
    assert len(stored(emulator)) == 2


async def test_a_zone_holds_no_more_records_than_its_quota() -> None:
    emulator = holding(*(replace(ADDRESS, content=f"192.0.2.{number}") for number in range(200)), plan="free")
    assert (await get(emulator, "/usage")).json()["result"] == {"record_quota": 200, "record_usage": 200}
    assert code_of(await post(emulator, type="CNAME", name="a", content=TARGET)) == 81045
    emulator.state = emulator.state.with_zone(replace(emulator.state.zone(ZONE), quota=1000))
    assert (await post(emulator, type="CNAME", name="a", content=TARGET)).status_code == 200


async def test_an_enterprise_zone_has_no_quota_of_its_own() -> None:
    usage = (await get(holding(APP), "/usage")).json()["result"]
    assert usage == {"record_quota": None, "record_usage": 1}


async def test_a_zone_of_a_free_tld_accepts_no_writes() -> None:
    posts = [{"type": "CNAME", "name": "a", "content": TARGET}]
    response = await batch(holding(zone="example.tk"), posts=posts)
    assert response.status_code == 403
    assert code_of(response) == 1038


async def test_a_patch_changes_only_the_fields_that_it_names() -> None:
    emulator = holding(APP)
    await emulator.clock.sleep(60)
    response = await batch(emulator, patches=[{"id": record_id(1), "comment": "Yours"}])
    record = stored(emulator)[record_id(1)]
    assert record.proxied
    assert record.content == TARGET
    assert record.comment == "Yours"
    assert record.modified_on == record.comment_modified_on != record.created_on
    assert response.json()["result"]["patches"][0]["modified_on"] == record.modified_on


async def test_a_put_resets_the_fields_that_it_leaves_out() -> None:
    emulator = holding(replace(APP, tags=("a:b",)))
    await batch(emulator, puts=[{"id": record_id(1), "type": "CNAME", "name": APP.name, "content": TARGET}])
    record = stored(emulator)[record_id(1)]
    assert not record.proxied
    assert record.comment is None
    assert record.tags == ()
    assert record.created_on == APP.created_on


@pytest.mark.parametrize("array", ["patches", "puts"])
async def test_the_type_of_a_record_cannot_be_changed(array: str) -> None:
    emulator = holding(APP)
    fields = {"id": record_id(1), "type": "A", "name": APP.name, "content": "192.0.2.1", "proxied": False}
    assert (await batch(emulator, **{array: [fields]})).status_code == 400
    assert stored(emulator)[record_id(1)].type == "CNAME"


async def test_a_record_cannot_get_the_name_of_another() -> None:
    emulator = holding(APP, replace(APP, name="b.example.com"))
    patch = {"id": record_id(2), "name": APP.name, "content": "other.example.net"}
    assert code_of(await batch(emulator, patches=[patch])) == 81053


async def test_a_patch_may_change_nothing() -> None:
    patch = {"id": record_id(1), "type": "CNAME", "name": APP.name, "content": TARGET}
    assert (await batch(holding(APP), patches=[patch])).status_code == 200


@pytest.mark.parametrize("array", ["deletes", "patches", "puts"])
async def test_a_change_of_a_record_that_does_not_exist_is_refused(array: str) -> None:
    response = await batch(holding(), **{array: [{"id": record_id(1)}]})
    assert response.status_code == 404
    assert code_of(response) == 81044


async def test_a_record_that_is_created_again_has_another_id() -> None:
    emulator = holding()
    ids = set()
    for _ in range(3):
        record = await posted(emulator, type="CNAME", name="a", content=TARGET)
        await batch(emulator, deletes=[{"id": record["id"]}])
        ids.add(record["id"])
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("type=CNAME", ["app"]),
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
        ("type=CNAME&comment.startswith=man", []),
        ("unheard=of", ["app", "cname-app", "old"]),
    ],
)
async def test_a_listing_is_filtered(query: str, names: list[str]) -> None:
    records = (await get(holding(APP, TEXT, ADDRESS), f"?{query}")).json()["result"]
    assert sorted(record["name"].removesuffix(".example.com") for record in records) == names


@pytest.mark.parametrize(("query", "types"), [("", ["A", "CNAME", "TXT"]), ("?order=name", ["CNAME", "TXT", "A"])])
async def test_a_listing_is_ordered_by_type_or_by_name(query: str, types: list[str]) -> None:
    records = (await get(holding(APP, TEXT, ADDRESS), query)).json()["result"]
    assert [record["type"] for record in records] == types


async def test_a_listing_has_pages() -> None:
    emulator = holding(*(replace(ADDRESS, content=f"192.0.2.{number}") for number in range(120)))
    infos = {
        query: (await get(emulator, f"?{query}")).json()["result_info"]
        for query in ("", "page=2", "page=3", "per_page=5000000", "per_page=50&page=3")
    }
    members = ("page", "per_page", "count", "total_count", "total_pages")
    assert infos == {
        "": dict(zip(members, (1, 100, 100, 120, 2), strict=True)),
        "page=2": dict(zip(members, (2, 100, 20, 120, 2), strict=True)),
        "page=3": dict(zip(members, (3, 100, 0, 120, 2), strict=True)),
        "per_page=5000000": dict(zip(members, (1, 5_000_000, 120, 120, 1), strict=True)),
        "per_page=50&page=3": dict(zip(members, (3, 50, 20, 120, 3), strict=True)),
    }
    assert (await get(emulator, "?per_page=5000001")).status_code == 400


async def test_a_listing_may_not_say_how_many_pages_it_has() -> None:
    info = (await get(holding(total_pages=False))).json()["result_info"]
    assert info == {"page": 1, "per_page": 100, "count": 0, "total_count": 0}


async def test_a_batch_runs_deletes_patches_puts_posts_whatever_their_order() -> None:
    emulator = holding(ADDRESS, APP, replace(APP, name="put.example.com"))
    response = await batch(
        emulator,
        posts=[{"type": "CNAME", "name": ADDRESS.name, "content": TARGET, "proxied": True}],
        puts=[{"id": record_id(3), "type": "CNAME", "name": "free.example.com", "content": TARGET}],
        patches=[{"id": record_id(2), "comment": "patched"}],
        deletes=[{"id": record_id(1)}],
    )
    result = response.json()["result"]
    assert list(result) == ["deletes", "patches", "puts", "posts"]
    assert result["deletes"][0]["content"] == ADDRESS.content
    assert {record.name: (record.type, record.comment) for record in stored(emulator).values()} == {
        "app.example.com": ("CNAME", "patched"),
        "free.example.com": ("CNAME", None),
        "old.example.com": ("CNAME", None),
    }


async def test_a_batch_answers_null_for_an_array_that_it_leaves_out() -> None:
    response = await batch(holding(), puts=[])
    assert response.json()["result"] == {"deletes": None, "patches": None, "puts": [], "posts": None}


async def test_a_batch_is_applied_whole_or_not_at_all_and_answers_only_the_first_error() -> None:
    emulator = holding(APP)
    before = emulator.state
    posts = [
        {"type": "CNAME", "name": "good", "content": TARGET},
        {"type": "A", "name": "bad", "content": "x"},
        {"type": "TXT", "name": "worse", "content": '"'},
    ]
    response = await batch(emulator, deletes=[{"id": record_id(1)}], posts=posts)
    assert response.json()["errors"] == [
        {"code": 9005, "message": "Content for A record must be a valid IPv4 address."}
    ]
    assert emulator.state is before


async def test_posts_of_one_batch_conflict_with_one_another() -> None:
    new = {"type": "CNAME", "name": "new", "content": TARGET}
    assert code_of(await batch(holding(), posts=[new, {**new, "content": "x.net"}])) == 81053


@pytest.mark.parametrize(("plan", "limit"), [("free", 200), ("pro", 3500)])
async def test_all_changes_of_a_batch_count_against_one_limit(plan: str, limit: int) -> None:
    emulator = holding(APP, plan=plan)
    emulator.state = emulator.state.with_zone(replace(emulator.state.zone(ZONE), quota=10_000))
    posts = [{"type": "CNAME", "name": f"h{number}", "content": TARGET} for number in range(limit)]
    patches = [{"id": record_id(1), "comment": "x"}]
    assert code_of(await batch(emulator, posts=posts, patches=patches)) == 9400
    assert (await batch(emulator, posts=posts)).status_code == 200


async def test_members_that_only_some_types_have_are_stored() -> None:
    emulator = holding(MAIL)
    assert (await get(emulator)).json()["result"][0]["priority"] == 10
    await batch(emulator, patches=[{"id": record_id(1), "priority": 20}])
    assert stored(emulator)[record_id(1)].more == {"priority": 20}
