"""The genuine external-dns over our process on an emulated Cloudflare, from the environment to the stored state.

Documents are compared byte for byte. They are written as Cloudflare stores them, the shorter keys first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from doubles.emulator import (
    BLUE,
    GREEN,
    HTML,
    Control,
    Distort,
    Drop,
    ForeignWrite,
    Record,
    Respond,
    Slow,
    State,
    emulator_process,
    seed,
)
from doubles.go_reference import left_behind
from doubles.process import running_webhook
from doubles.side_doors import emulated_record
from external_dns.account import Account
from external_dns.backends import CloudflareBackend, on_emulator
from external_dns.driver import NEWEST, EndpointJson, ExternalDns, Loop, endpoint
from external_dns.webhook import StartExternalDns, Webhook
from tunnel_webhook.domain.marker import HERITAGE, Marker
from vocabulary.builders import marker
from vocabulary.world import ADMIN, EVERYWHERE, HAND, WILD, document
from vocabulary.world import RECORDS as BY_HAND

pytestmark = pytest.mark.external_dns
ZONES = ("example.com", "example.org", "example.net", "example.info")


def blue(*managed: str) -> str:
    """Return the blue tunnel's document with these managed rules among those that a person made."""
    return document(ADMIN, HAND, WILD, *managed, EVERYWHERE)


def green(*managed: str) -> str:
    """Return the same of the green tunnel."""
    return document(WILD, *managed)


def world(*zones: str) -> State:
    """Return paid zones, and two tunnels that a person edited by hand."""
    state = seed(zones, plan="pro").with_document(BLUE, blue()).with_document(GREEN, green())
    return state.with_records("example.com", *map(emulated_record, BY_HAND))


@contextmanager
def published_to(state: State, **settings: str) -> Iterator[tuple[Control, Webhook]]:
    """Start an emulator with this state, and a process of ours that knows it only by its environment."""
    with emulator_process(state) as control:
        usual = {"CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}", "RELEASE_DELAY": "0"}
        environment = {**on_emulator(control), **usual, **settings}
        with running_webhook(environment) as process:
            yield control, Webhook(process, Account(CloudflareBackend(control)))


def documents(control: Control) -> dict[str, str]:
    state = control.state()
    return {"blue": state.document(BLUE), "green": state.document(GREEN)}


def unclaimed_records(state: State) -> list[Record]:
    """Return every record without our marker, in full."""
    records = [record for zone in state.zones.values() for record in zone.records.values()]
    return [record for record in records if not (record.comment or "").startswith(f"{HERITAGE},")]


def claims(state: State) -> dict[str, Marker]:
    """Return the marker of each claim, by hostname."""
    records = [record for zone in state.zones.values() for record in zone.records.values()]
    return {each.name: found for each in records if (found := Marker.parse(each.comment or ""))}


def test_a_life_on_cloudflare(start: StartExternalDns) -> None:
    before = world("example.com", "example.org")
    app = endpoint("app.example.com", "http://app:80", resource="service/prod/app")
    api = endpoint("app.example.com", "http://api:80", identifier="api", path="/api")
    shop = endpoint("shop.example.org", "http://shop:80", tunnel="green")
    with published_to(before, ON_REJECTION="fail", MAX_DELETE_RATIO="1") as (control, webhook):
        dns = start(f"{NEWEST}-txt", at=webhook)

        assert dns.publish(app, api, shop).todo == {
            "create": ["app.example.com", "app.example.com", "shop.example.org"]
        }
        made = {
            "blue": blue(
                '{"path":"^/api(/|$)","service":"http://api:80","hostname":"app.example.com"}',
                '{"service":"http://app:80","hostname":"app.example.com"}',
            ),
            "green": green('{"service":"http://shop:80","hostname":"shop.example.org"}'),
        }
        assert documents(control) == made
        assert claims(control.state()) == {
            "app.example.com": marker(resource="service/prod/app", paths=("", "^/api(/|$)")),
            "shop.example.org": marker(),
        }

        control.clear_log()
        assert dns.publish(app, api, shop).todo == {}
        assert [call["method"] for call in control.log()] == ["GET"] * 4

        app = endpoint("app.example.com", "https://app:443", resource="service/prod/app", no_tls_verify="true")
        api = endpoint("app.example.com", "http://api:80", identifier="api", path="/v2")
        assert dns.publish(app, api, shop).todo == {
            "create": ["app.example.com"],
            "update": ["app.example.com"],
            "delete": ["app.example.com"],
        }
        changed = (
            '{"path":"^/v2(/|$)","service":"http://api:80","hostname":"app.example.com"}',
            '{"service":"https://app:443","hostname":"app.example.com","originRequest":{"noTLSVerify":true}}',
        )
        assert documents(control) == made | {"blue": blue(*changed)}

        shop = endpoint("shop.example.org", "http://shop:80")
        assert dns.publish(app, api, shop).todo == {"update": ["shop.example.org"]}
        moved = {"blue": blue(*changed, '{"service":"http://shop:80","hostname":"shop.example.org"}'), "green": green()}
        assert documents(control) == moved

        bad, good = endpoint("bad.example.com", "ftp://bad:21"), endpoint("good.example.org", "http://good:80")
        dns.loop(app, api, shop, bad, good).check_soft_error("apply")
        assert claims(control.state()).keys() == {"app.example.com", "shop.example.org", "good.example.org"}
        assert dns.publish(app, api, shop).todo == {"delete": ["good.example.org"]}
        assert documents(control) == moved

        control.write_foreign(BLUE, blue(*changed[1:]))
        control.seed(with_claims(control.state(), proxied=False))
        assert dns.publish(app, api, shop).todo == {
            "create": ["app.example.com"],
            "update": ["app.example.com", "shop.example.org"],
        }
        assert documents(control) == moved
        assert all(each[1] for each in webhook.account.claims().values())

        assert dns.publish().todo == {"delete": ["app.example.com", "app.example.com", "shop.example.org"]}
        assert dns.publish().todo == {}
        assert documents(control) == {"blue": blue(), "green": green()}
        assert control.state().zones == before.zones


def with_claims(state: State, **changed: Any) -> State:
    """Return the state after a change of every claim by hand."""
    for zone in state.zones.values():
        records = {
            key: replace(record, **changed) if (record.comment or "").startswith(f"{HERITAGE},") else record
            for key, record in zone.records.items()
        }
        state = state.with_zone(replace(zone, records=records))
    return state


def test_hostnames_of_the_go_webhook_are_adopted_without_a_visible_change(start: StartExternalDns) -> None:
    services = {f"app-{number}.example.com": f"http://app-{number}:80" for number in range(20)}
    before = left_behind(world("example.com"), services)
    wanted = [endpoint(name, service, resource="service/prod/app") for name, service in services.items()]
    with published_to(before) as (control, webhook):
        dns = start(f"{NEWEST}-txt", at=webhook)
        assert dns.publish(*wanted).todo == {"create": sorted(services)}
        after = control.state()
        assert after.tunnels == before.tunnels
        found = claims(after)
        assert found.keys() == services.keys()
        assert {(each.owner, each.paths.text, each.adopted) for each in found.values()} == {("default", ".", False)}
        assert unclaimed_records(after) == unclaimed_records(world("example.com"))
        assert dns.publish(*wanted).todo == {}
        assert len(dns.publish(*wanted[10:]).delete) == 10
        assert webhook.account.live() == {each["dnsName"]: {"": each["targets"][0]} for each in wanted[10:]}


def many(number: int, zones: tuple[str, ...]) -> list[EndpointJson]:
    """Return this many hostnames, spread over zones, every other one in the green tunnel."""
    return [
        endpoint(
            f"app-{each}.{zones[each % len(zones)]}",
            f"http://app-{each}.prod.svc.cluster.local:80",
            resource=f"service/prod-{each % 50}/app-{each}",
            tunnel="green" if each % 2 else "blue",
        )
        for each in range(number)
    ]


def converge(dns: ExternalDns, wanted: list[EndpointJson]) -> list[Loop]:
    """Loop until there is nothing to do; no loop may end external-dns, as 15 s without an answer would."""
    loops: list[Loop] = []
    while not loops or loops[-1].error or loops[-1].todo:
        assert len(loops) < 40, loops[-1].error
        loops.append(dns.loop(*wanted))
        loops[-1].check_survivable()
    return loops


def check(
    webhook: Webhook, wanted: list[EndpointJson], bystanders: tuple[dict[str, str], list[dict[str, Any]]]
) -> None:
    """Assert that exactly these are live, each in its tunnel, beside these bystanders, byte for byte."""
    properties: list[Mapping[str, str]] = [
        {pair["name"]: pair["value"] for pair in each["providerSpecific"]} for each in wanted
    ]
    tunnels = {"blue": BLUE, "green": GREEN}
    webhook.account.check(
        {each["dnsName"]: each["targets"][0] for each in wanted},
        tunnels={
            each["dnsName"]: tunnels[named["webhook/tunnel"]] for each, named in zip(wanted, properties, strict=True)
        },
        bystanders=bystanders,
    )


@pytest.mark.timeout(300, func_only=True)
def test_a_thousand_hostnames_come_change_move_and_go(start: StartExternalDns) -> None:
    zones = ZONES[:3]
    wanted = many(1000, zones)
    with published_to(world(*zones)) as (control, webhook):
        bystanders, others = webhook.account.bystanders(()), unclaimed_records(control.state())
        dns = start(f"{NEWEST}-txt", at=webhook)
        converge(dns, wanted)
        check(webhook, wanted, bystanders)

        changed = [{**each, "targets": ["https://changed:443"]} for each in wanted[:200]]
        moved = [endpoint(each["dnsName"], each["targets"][0], tunnel="green") for each in wanted[200:400]]
        kept = [*changed, *moved, *wanted[600:]]
        converge(dns, kept)
        check(webhook, kept, bystanders)
        assert unclaimed_records(control.state()) == others


ADDED = '{"service":"http://added:80","hostname":"added.example.com"}'
LOST = '{"service":"http://lost:80","hostname":"lost.example.com"}'
CONFIGURATION, BLUES, GREENS = "/configurations$", f"{BLUE}/configurations$", f"{GREEN}/configurations$"
RECORDS, BATCH = "/dns_records$", "/dns_records/batch$"
THROTTLED = Respond(
    status=429,
    headers={"retry-after": "1"},
    body='{"success":false,"errors":[{"code":971,"message":"Please wait and consider throttling your request speed"}]}',
)
FAULTS = (
    Respond(
        method="GET", path=CONFIGURATION, status=500, body='{"success":false,"errors":[{"code":1000,"message":"no"}]}'
    ),
    ForeignWrite(method="GET", path=BLUES, nth=2, tunnel=BLUE, document=blue(ADDED)),
    Distort(method="GET", path=CONFIGURATION, nth=5, body=HTML, content_type="text/html"),
    Slow(method="GET", path=CONFIGURATION, nth=7, seconds=6),
    Distort(method="GET", path=CONFIGURATION, nth=9, cut=100),
    Drop(method="GET", path=CONFIGURATION, nth=11, how="close"),
    replace(THROTTLED, method="GET", path=RECORDS, nth=1),
    Respond(method="GET", path=RECORDS, nth=3, status=502, body=HTML, content_type="text/html"),
    Drop(method="GET", path=RECORDS, nth=5),
    Distort(method="GET", path=RECORDS, nth=7, keep=200),
    Slow(method="GET", path=RECORDS, nth=10, seconds=6),
    Drop(method="POST", path=BATCH, nth=1),
    Drop(method="POST", path=BATCH, nth=2, when="after"),
    replace(THROTTLED, method="POST", path=BATCH, nth=3),
    Respond(method="POST", path=BATCH, nth=4, status=500, body=""),
    Respond(method="POST", path=BATCH, nth=5, status=502, body=HTML, content_type="text/html", effect=True),
    Distort(method="POST", path=BATCH, nth=6, body=HTML, content_type="text/html"),
    Slow(method="POST", path=BATCH, nth=7, seconds=3),
    Drop(method="PUT", path=BLUES, nth=1, when="after"),
    ForeignWrite(method="PUT", path=BLUES, nth=2, tunnel=BLUE, document=blue(ADDED, LOST)),
    Respond(method="PUT", path=BLUES, nth=3, status=500, body=""),
    Drop(method="PUT", path=GREENS, nth=1),
    replace(THROTTLED, method="PUT", path=GREENS, nth=2),
    Respond(method="PUT", path=GREENS, nth=3, status=504, body="", effect=True),
    Slow(method="PUT", path=GREENS, nth=4, seconds=13, when="after"),
    Distort(method="PUT", path=GREENS, nth=5, body=HTML, content_type="text/html"),
)
"""Every kind of fault, spread over the calls of a few loops.

A rule that is added between two syncs stays. One that is added between our last read and our write is lost, since
Cloudflare has no conditional write, but the loss is logged.
"""


@pytest.mark.parametrize("settings", [{}, {"REQUEST_DEADLINE": "5"}], ids=["usual-deadline", "short-deadline"])
@pytest.mark.timeout(600, func_only=True)
def test_a_thousand_hostnames_go_live_whatever_fails(start: StartExternalDns, settings: dict[str, str]) -> None:
    zones = ZONES[:3]
    wanted = many(1000, zones)
    with published_to(world(*zones), **settings) as (control, webhook):
        others = unclaimed_records(control.state())
        dns = start(f"{NEWEST}-txt", at=webhook)
        control.arm(*FAULTS)
        converge(dns, wanted)
        changed = [{**each, "targets": ["https://changed:443"]} for each in wanted[:800]]
        converge(dns, changed)
        converge(dns, wanted[200:])
        assert [armed["fault"] for armed in control.script() if not armed["struck"]] == []
        check(webhook, wanted[200:], ({BLUE: blue(ADDED), GREEN: green()}, webhook.account.bystanders(())[1]))
        assert unclaimed_records(control.state()) == others
        assert re.search(r"overwrote version \d+ of the configuration of tunnel blue", webhook.process.log.read_text())


@pytest.mark.nightly
@pytest.mark.timeout(600, func_only=True)
def test_ten_thousand_hostnames_over_four_zones_go_live(start: StartExternalDns) -> None:
    wanted = many(10_000, ZONES)
    with published_to(world(*ZONES).with_behaviour(latency=0.1)) as (control, webhook):
        bystanders, others = webhook.account.bystanders(()), unclaimed_records(control.state())
        loops = converge(start(f"{NEWEST}-txt", at=webhook), wanted)
        assert loops[0].todo
        check(webhook, wanted, bystanders)
        assert unclaimed_records(control.state()) == others


@pytest.mark.timeout(600, func_only=True)
def test_ten_thousand_hostnames_that_take_too_long_are_answered_in_time_while_the_work_goes_on(
    start: StartExternalDns,
) -> None:
    wanted = many(10_000, ZONES)
    with published_to(world(*ZONES), REQUEST_DEADLINE="5") as (control, webhook):
        bystanders = webhook.account.bystanders(())
        control.arm(Slow(path=BATCH, seconds=2.5, times=4), Slow(method="PUT", seconds=2.5, times=2))
        first, *others = converge(start(f"{NEWEST}-txt", at=webhook), wanted)
        first.check_soft_error("apply")
        assert all(not loop.todo for loop in others)
        check(webhook, wanted, bystanders)
        assert sum(call["method"] != "GET" for call in control.log()) == 4 + 2
