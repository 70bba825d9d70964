"""Anything may happen between two syncs and during one: sources change, people edit, processes stop.

The model holds what must be live, and what only people may change.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from doubles.lying import LIES, Lie, LyingTunnels
from doubles.steps import SteppedTunnels, SteppedZones
from oracles import naive
from oracles.external_dns_planner import ExternalDns, is_empty
from tunnel_webhook.application import TunnelService
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.ports import Failure, TunnelRepository, ZoneRepository
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, record, service
from vocabulary.strategies import (
    CHILD,
    World,
    beyond,
    bystander_texts,
    hand_made_documents,
    hands,
    joined,
    published,
    rule_texts,
    spoiled,
    wishes,
    zone_for,
)

EVERY_NAME = (HostnamePattern.parse("*.example.com"), HostnamePattern.parse("example.com"))
OURS, THEIRS = replace(POLICY, owner_id="us"), replace(POLICY, owner_id="them")
ADOPTING = replace(OURS, adopt_hostnames=EVERY_NAME)
DENIED = ("*.b.example.com",)
WITH_A_FILE = replace(
    OURS,
    permissions=parse_policy_file("""
version = 1
shared = ["example.com", "*.example.com"]
[[allow]]
namespaces = ["", "*"]
hostnames = ["example.com", "*.example.com"]
wildcards = true
origins = ["any", "unix:/run/app.sock", "ssh://[::1]:22"]
properties = [
    "safe", "path-regex", "no-tls-verify", "http-host-header", "proxy-type", "ip-rules",
    "access-required", "access-team-name", "access-aud-tag",
]
tunnels = ["default", "green"]
[[deny]]
hostnames = ["*.b.example.com"]
"""),
)
OUR_NAMES = ("example.com", "a.example.com", "b.a.example.com", "*.a.example.com", "*.b.example.com")
THEIR_NAMES = ("b.example.com", "*.a.b.example.com")
HAND_NAMES = (
    "*.example.com",
    "a.b.example.com",
    "*.b.b.example.com",
    "bücher.example.com",
    "*.Example.com",
    "*example.com",
    "other.org",
)
HAND_PATHS = ("^/admin", "/b$")
"""The paths of rules that only people make, under any hostname."""

OUR_PATHS = {"": ("", ""), "^/api(/|$)": ("/api", "prefix"), "^/v[0-9]+/": ("^/v[0-9]+/", "regex")}
"""The properties of a path, by the expression that it becomes."""

Key = tuple[str, str]
"""A hostname, and the path expression of its rule."""

our_names, hand_names, hand_paths, tunnel_ids = map(st.sampled_from, (OUR_NAMES, HAND_NAMES, HAND_PATHS, (BLUE, GREEN)))
keys = st.tuples(our_names, st.sampled_from(sorted(OUR_PATHS)))
places = st.integers(0, 9)


class Stopped(Exception):
    """The process stopped here."""


class SharedTunnels(RuleBasedStateMachine):
    """One instance of the service, another instance of another owner, and people."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.wanted: dict[Key, tuple[Endpoint, ...]] = {}
        self.spoiled: dict[Key, Endpoint] = {}
        self.extra: tuple[Endpoint, ...] = ()
        self.homes: dict[str, str] = {}
        self.blocked: set[str] = set()
        self.orphans: set[str] = set()
        self.now = 1_790_000_000.0

    def teardown(self) -> None:
        self.runner.close()

    @initialize(
        blue=hand_made_documents(hand_names),
        green=hand_made_documents(hand_names),
        wishes=st.lists(keys, max_size=6),
        data=st.data(),
    )
    def begin(self, blue: str, green: str, wishes: list[Key], data: st.DataObject) -> None:
        self.tunnels, self.zones = World({BLUE: blue, GREEN: green}, {ZONE: (), CHILD: ()}).ports()
        self.zones.clock = lambda: self.now
        self.owner_id = data.draw(st.sampled_from(("", "us")))
        self.policy = data.draw(st.sampled_from((OURS, ADOPTING, WITH_A_FILE)))
        self.denied = set(DENIED if self.policy.permissions else ())
        self.delay = data.draw(st.sampled_from((0.0, 120.0)))
        self.lying = LyingTunnels(self.tunnels)
        self.begin_process()
        self.them = ExternalDns(self.process(self.tunnels, self.zones, THEIRS), "them")
        self.by_hand = {tunnel: self.standing(tunnel) for tunnel in (BLUE, GREEN)}
        for name, path in wishes:
            self.want(data, (name, path), rivals=1)
        self.a_sync_publishes_everything_valid()

    def process(self, tunnels: TunnelRepository, zones: ZoneRepository, policy: Policy | None = None) -> TunnelService:
        """Return a process that remembers nothing yet."""
        return service(tunnels, zones, policy or self.policy, release_delay=self.delay, clock=lambda: self.now)

    @rule()
    def begin_process(self) -> None:
        self.api = self.process(self.lying, self.zones)
        self.us = ExternalDns(self.api, self.owner_id)
        self.is_new = True

    # Sources.

    @rule(data=st.data(), key=keys, rivals=st.integers(1, 2))
    def want(self, data: st.DataObject, key: Key, rivals: int) -> None:
        """Ask for a path of a hostname, from one resource or from two."""
        name, path = key
        tunnel = self.homes.setdefault(name, BLUE)
        found = [data.draw(published(name, tunnel, path=OUR_PATHS[path])) for _ in range(rivals)]
        if rivals > 1:
            found = [
                replace(each, labels={"resource": f"ingress/{name}{path}/{place}"}) for place, each in enumerate(found)
            ]
        self.wanted[key] = tuple(found)
        self.spoiled.pop(key, None)

    @rule(data=st.data(), key=keys)
    def spoil(self, data: st.DataObject, key: Key) -> None:
        """Ask for a path in a way that cannot be published."""
        name, path = key
        self.spoiled[key] = data.draw(spoiled(name, self.homes.setdefault(name, BLUE), path=OUR_PATHS[path]))
        self.wanted.pop(key, None)

    @precondition(lambda self: self.wanted or self.spoiled)
    @rule(data=st.data())
    def unwant(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted({*self.wanted, *self.spoiled})))
        self.wanted.pop(key, None)
        self.spoiled.pop(key, None)

    @precondition(lambda self: self.wanted)
    @rule(data=st.data(), tunnel=tunnel_ids)
    def want_elsewhere(self, data: st.DataObject, tunnel: str) -> None:
        """Ask for a hostname with all its paths in another tunnel."""
        name = data.draw(st.sampled_from(sorted({name for name, _ in self.wanted})))
        self.homes[name] = tunnel
        for key in [key for key in self.wanted if key[0] == name]:
            self.want(data, key, rivals=1)
        for key in [key for key in self.spoiled if key[0] == name]:
            self.spoil(data, key)

    @rule(extra=st.lists(beyond(), max_size=2).map(tuple))
    def want_the_impossible(self, extra: tuple[Endpoint, ...]) -> None:
        self.extra = extra

    @rule(theirs=wishes(THEIR_NAMES, max_size=2))
    def another_owner_syncs(self, theirs: tuple[Endpoint, ...]) -> None:
        self.runner.run(self.them.sync(theirs))

    # People.

    @rule(
        tunnel=tunnel_ids,
        kind=st.sampled_from(("add", "remove", "move", "edit", "copy")),
        text=st.one_of(
            bystander_texts(hand_names), rule_texts(st.sampled_from((*OUR_NAMES, *THEIR_NAMES)), hand_paths)
        ),
        start=places,
        place=places,
        hand=hands,
    )
    def a_person_edits_rules(self, tunnel: str, kind: str, text: str, start: int, place: int, hand: int) -> None:
        def change(rules: list[str]) -> list[str]:
            chosen, rest = rules[start : start + 1], [*rules[:start], *rules[start + 1 :]]
            match kind:
                case "add":
                    return [*rules[:place], text, *rules[place:]]
                case "remove":
                    return rest
                case "move":
                    return [*rest[:place], *chosen, *rest[place:]]
                case "edit":
                    return [*rules[:start], *map(edited, chosen), *rules[start + 1 :]]
                case _:
                    return [*rules[:place], *chosen, *rules[place:]]

        self.edit(tunnel, hand, change)

    def edit(self, tunnel: str, hand: int, change: Callable[[list[str]], list[str]]) -> None:
        """Change the rules before the catch-all by hand, and remember which rules are people's."""
        text, version = self.tunnels.documents[tunnel]
        *rules, catch_all = naive.rule_texts(text) or ['{"service":"http_status:503"}']
        others = [f"{json.dumps(key)}:{value}" for key, value in naive.other_members(text)]
        document = joined([*others, f'"ingress": [{", ".join([*change(rules), catch_all])}]'], hand)
        self.tunnels.documents[tunnel] = (document, version + 1)
        self.by_hand[tunnel] = self.standing(tunnel)

    @rule(lie=st.sampled_from(LIES), left=st.integers(1, 12), skipped=st.integers(0, 6))
    def answers_are_false_for_a_while(self, lie: Lie, left: int, skipped: int) -> None:
        """Sync while the answers about a document are false; that may fail, and must do no harm.

        A new process that has heard no true answer cannot distinguish several false ones from a new tunnel.
        """
        left = 1 if self.is_new else left
        self.lying.lie, self.lying.left, self.lying.skipped = lie, left, skipped
        with suppress(Failure):
            self.runner.run(self.us.sync(self.sources()))
        self.lying.left = self.lying.skipped = 0
        with suppress(Failure):
            # The first true answer ends the doubt.
            self.runner.run(self.us.sync(self.sources()))
        self.is_new = False

    @precondition(lambda self: self.claims())
    @rule(data=st.data(), kind=st.sampled_from(("grey", "blue", "green", "delete", "take over")))
    def a_person_edits_a_claim(self, data: st.DataObject, kind: str) -> None:
        found = data.draw(st.sampled_from(self.claims()))
        stored = self.zones.stored[zone_for(found.name)]
        match kind:
            case "grey":
                stored[found.id] = replace(found, proxied=False)
            case "blue" | "green":
                stored[found.id] = replace(found, content=target_of({"blue": BLUE, "green": GREEN}[kind]))
            case _:
                del stored[found.id]
                self.orphans.add(found.name)
        if kind == "take over":
            for tunnel in (BLUE, GREEN):
                self.edit(
                    tunnel,
                    0,
                    lambda rules: [edited(text) if naive_name(text) == found.name else text for text in rules],
                )

    @rule(name=our_names, kind=st.sampled_from((("A", "192.0.2.1"), ("CNAME", "elsewhere.net"))))
    def a_person_takes_a_name(self, name: str, kind: tuple[str, str]) -> None:
        if not any(each.name == name for each in self.records()):
            found = record(name, kind[1], kind[0])
            self.zones.stored[zone_for(name)][found.id] = found
            self.blocked.add(name)

    @precondition(lambda self: self.blocked or self.left_to_people())
    @rule()
    def a_person_gives_the_names_back(self) -> None:
        for stored in self.zones.stored.values():
            for uid in [uid for uid, each in stored.items() if each.name in self.blocked | self.left_to_people()]:
                del stored[uid]
        self.blocked.clear()

    # Syncs.

    @rule(writes=st.integers(0, 6))
    def a_sync_stops(self, writes: int) -> None:
        left = writes

        async def step(name: str) -> None:
            nonlocal left
            if left == 0:
                raise Stopped
            left -= name == "after save"

        stopping = self.process(SteppedTunnels(self.tunnels, step), SteppedZones(self.zones, step))
        with suppress(Stopped):
            self.runner.run(ExternalDns(stopping, self.owner_id).sync(self.sources()))

    @rule()
    def a_sync_publishes_everything_valid(self) -> None:
        rejections = self.sync()
        conflicts = {each.hostname for each in rejections if each.reason in {"rule-conflict", "adoption-not-allowed"}}
        assert conflicts <= self.orphans | self.left_to_people()
        if conflicts:
            for tunnel in (BLUE, GREEN):
                self.edit(tunnel, 0, lambda rules: [text for text in rules if naive_name(text) not in conflicts])
            for stored in self.zones.stored.values():
                for uid in [uid for uid, each in stored.items() if each.name in conflicts & self.left_to_people()]:
                    del stored[uid]
            rejections = self.sync()
        self.orphans -= {each.name for each in self.claims()}
        self.check(rejections)

    @rule()
    def time_passes(self) -> None:
        """Let the records of deleted hostnames be deleted."""
        for _ in range(2):
            self.now += 130.0
            self.runner.run(self.us.plan(self.sources()))
            self.runner.run(self.api.turns.finish())
        assert not [each for each in self.marked() if is_releasing(each)]

    def sync(self) -> tuple[Rejection, ...]:
        before = self.ours()
        rejections = self.runner.run(self.us.sync(self.sources()))
        self.is_new = False
        after = self.ours()
        for name in {name for name, _ in self.spoiled} - self.blocked - self.orphans - self.left_to_people():
            lost = {
                path
                for path in before.get(name, {})
                if (name, path) not in self.wanted and after.get(name, {}).get(path) != before[name][path]
            }
            assert not lost, f"{name} lost {lost}"
        return rejections

    def check(self, rejections: tuple[Rejection, ...]) -> None:
        """Compare what is live with what must be."""
        refused = {each.hostname for each in rejections}
        stuck = {each.hostname for each in rejections if each.reason == "tunnel-conflict"}
        assert stuck - {name for name, _ in self.spoiled} <= self.shared(), rejections
        protected = {each.hostname for each in rejections if each.reason == "access-would-be-removed"}
        for name in protected:
            assert any('"required"' in text for text in self.ours()[name].values())
        impossible = protected | self.blocked | {each.dns_name for each in self.extra} | stuck | self.denied
        assert refused <= {name for name, _ in self.spoiled} | impossible, rejections
        live = self.ours()
        claims = {each.name: each for each in self.claims()}
        for (name, path), asked in self.wanted.items():
            if name in refused:
                continue
            assert json.loads(live[name][path])["service"] in {self.service_of(each) for each in asked}
            assert (claims[name].tunnel, claims[name].proxied) == (self.homes[name], True)
        for name in set(OUR_NAMES) - {name for name, _ in (*self.wanted, *self.spoiled)} - self.orphans:
            assert name not in live
            assert name not in claims
        for name in {name for name, _ in self.wanted} - refused:
            assert live[name].keys() == {path for other, path in self.wanted if other == name}
            self.check_reached(name)
            others = [
                text
                for tunnel in {BLUE, GREEN} - {self.homes[name]}
                for text in naive.rule_texts(self.tunnels.documents[tunnel][0])
                if not is_by_hand(text)
            ]
            assert name not in map(naive_name, others)
        again = self.runner.run(self.us.plan(self.sources()))
        assert refused or is_empty(again)
        assert {
            each.dns_name for each in (*again.create, *again.update_new, *again.delete) if each.record_type == "CNAME"
        } <= refused

    def check_reached(self, name: str) -> None:
        """Request a hostname as a browser would."""
        if not name.startswith("*."):
            found = [json.loads(text) for text in naive.rule_texts(self.tunnels.documents[self.homes[name]][0])]
            for path in ("/", "/api", "/v1/x"):
                mine = [
                    each
                    for each in found
                    if each.get("hostname") == name
                    and each.get("path") not in HAND_PATHS
                    and naive.answers([each, {}], name, path) == 0
                ]
                assert not mine or found[naive.answers(found, name, path)] in mine

    @invariant()
    def bystanders_are_as_people_left_them(self) -> None:
        for tunnel, standing in getattr(self, "by_hand", {}).items():
            assert self.standing(tunnel) in (standing, standing or ['{"service":"http_status:404"}'])

    # What the model sees.

    def sources(self) -> tuple[Endpoint, ...]:
        return (*(each for found in self.wanted.values() for each in found), *self.spoiled.values(), *self.extra)

    def standing(self, tunnel: str) -> list[str]:
        """Return the rules of people."""
        texts = naive.rule_texts(self.tunnels.documents[tunnel][0])
        return [text for text in texts if is_by_hand(text)]

    def shared(self) -> set[str]:
        """Return our hostnames under which people have rules."""
        texts = (text for document, _ in self.tunnels.documents.values() for text in naive.rule_texts(document))
        return {naive_name(text) for text in texts if is_by_hand(text)} & set(OUR_NAMES)

    def left_to_people(self) -> set[str]:
        """Return our hostnames whose records to a tunnel are not marked, or not any more."""
        return {each.name for each in self.records() if each.tunnel and not Marker.parse(each.comment)}

    def ours(self) -> dict[str, dict[str, str]]:
        """Return the text of the first rule of each of our hostnames and paths, in the tunnel of its claim."""
        found: dict[str, dict[str, str]] = {}
        homes = {each.name: each.tunnel for each in self.claims()}
        for tunnel, (document, _) in self.tunnels.documents.items():
            for text in naive.rule_texts(document):
                name = naive_name(text)
                if name in OUR_NAMES and not is_by_hand(text) and homes.get(name, tunnel) == tunnel:
                    found.setdefault(name, {}).setdefault(json.loads(text).get("path", ""), text)
        return found

    def claims(self) -> list[DnsRecord]:
        return [each for each in self.marked() if not is_releasing(each)]

    def marked(self) -> list[DnsRecord]:
        return [each for each in self.records() if (marker := Marker.parse(each.comment)) and marker.owner == "us"]

    def records(self) -> list[DnsRecord]:
        return [each for stored in self.zones.stored.values() for each in stored.values()]

    def service_of(self, endpoint: Endpoint) -> str:
        return self.runner.run(service(self.tunnels, self.zones, OURS).adjust_endpoints((endpoint,)))[0].targets[0]


def is_releasing(found: DnsRecord) -> bool:
    marker = Marker.parse(found.comment)
    return marker is not None and marker.is_releasing


def is_by_hand(text: str) -> bool:
    """Whether only people make a rule."""
    return naive_name(text) not in {*OUR_NAMES, *THEIR_NAMES} or json.loads(text).get("path") in HAND_PATHS


def edited(text: str) -> str:
    return json.dumps(json.loads(text) | {"service": "http://edited:1", "edited": 1.5})


def naive_name(text: str) -> str:
    name: str = json.loads(text).get("hostname", "")
    return name


TestSharedTunnels = SharedTunnels.TestCase
TestSharedTunnels.settings = settings(stateful_step_count=30)
