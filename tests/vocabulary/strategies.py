"""Hypothesis strategies: overlapping hostnames, documents made by hand, good and bad endpoints, whole worlds."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, Zone, target_of
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.layout import lay_out
from tunnel_webhook.domain.planning.planner import plan
from vocabulary.builders import BLUE, GREEN, ZONE, claim, endpoint, record

CHILD = Zone("b.example.com", "zone-b.example.com")
NAMES = (
    "example.com",
    *(f"{one}.example.com" for one in ("a", "b", "xn--bcher-kva")),
    *(f"{two}.{one}.example.com" for one in "ab" for two in "ab"),
    "a.a.a.example.com",
)
"""Few enough to collide, deep enough for nested wildcards; b.example.com and all names below it have their own zone."""

WILDCARDS = tuple(f"*.{name}" for name in NAMES if name.count(".") < 4)
HOSTS = (*NAMES, *(f"z.{name}" for name in NAMES), "other.org", "z.other.org")
"""Hosts to request: every name, a host below each that no rule names, and hosts outside every zone."""

PATHS = ("", "^/api(/|$)", "^/a", "/b$", ".*")
REQUEST_PATHS = ("/", "/api", "/api/x", "/apis", "/b")
SERVICES = (
    "http://one:80",
    "https://two.prod.svc.cluster.local:8443",
    "http_status:204",
    "unix:/run/app.sock",
    "ssh://[::1]:22",
)
ODD_MEMBERS = ('"note":1.50', r'"x-tags":["\u00e9", 1E2 ,null]', r'"made \"by\"" : {"hand" :"[a, {b}]"}')
RESTS = (
    (),
    ('"originRequest": {}', ODD_MEMBERS[0]),
    ('"originRequest":{"noTLSVerify":true, "unknownKnob" :1.0}',),
    ('"originRequest":{"connectTimeout":30,"httpHostHeader":"inner.example"}', *ODD_MEMBERS[1:]),
    (
        '"originRequest":{"access":{"required":true,"teamName":"acme","audTag":["'
        + "b" * 64
        + '","'
        + "a" * 64
        + '"]}}',
    ),
)
"""The members that people write into a rule besides its hostname, path and service."""

FORMS = (
    *((service, "CNAME", resource, {}) for service in SERVICES for resource in ("", "ingress/prod/one")),
    ("10.0.0.1", "A", "", {"service": SERVICES[0]}),
    ("10.0.0.1", "A", "service/prod/one", {"port": "8080"}),
    ("fd00::1", "AAAA", "service/prod/one", {}),
    ("Backend.prod.", "CNAME", "ingress/prod/two", {"scheme": "https"}),
)
"""The ways in which an endpoint names its origin: target, record type, resource, properties."""

OPTIONS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"no_tls_verify": "False", "connect_timeout": "1m30s"},
    {"http_host_header": "Inner.Example", "proxy_type": "SOCKS"},
    {"ip_rules": "allow 10.0.0.0/8 443 80, deny ::/0"},
    {"adopt": "True"},
    {"access_required": "true", "access_team_name": "acme", "access_aud_tag": f"{'b' * 64}, {'a' * 64}"},
)
"""Properties of an endpoint, in spellings other than the canonical one."""

MATCHES = (
    ("", ""),
    ("/api", "prefix"),
    ("/api/", "prefix"),
    ("/a.b", "exact"),
    ("^/v[0-9]+/", "regex"),
    ("/", "prefix"),
)

WHOLE_DOCUMENTS: tuple[tuple[str, ...], ...] = (
    (),
    ('"warp-routing":{"enabled":true}',),
    ('"originRequest" : {}', *ODD_MEMBERS),
    ('"originRequest":{"bastionMode":true,"httpHostHeader":"all.example","connectTimeout":5}',),
)
"""The members of a document besides its rules; the last makes a jump host of each rule that does not say otherwise."""

hostnames = st.sampled_from((*NAMES, *WILDCARDS))
hand_hostnames = st.sampled_from(
    (
        *NAMES,
        *WILDCARDS,
        "A.Example.com",
        "bücher.example.com",
        "*.Example.com",
        "*example.com",
        "under_score.example.com",
        "other.org",
    )
)


hands = st.integers(0, 11)
"""How a person writes JSON: the order of members, the space between them, and what is escaped."""


def written(text: str, hand: int) -> str:
    """Return a string as JSON, in one of its spellings."""
    escaped = '"' + "".join(f"\\u{ord(character):04X}" for character in text) + '"'
    return (json.dumps(text, ensure_ascii=False), json.dumps(text), escaped)[hand % 3]


def joined(members: Sequence[str], hand: int) -> str:
    """Return an object of these members, in one of its spellings."""
    gap = ("", " ", "", "\n  ")[hand % 4]
    turned = [*members[hand % (len(members) or 1) :], *members[: hand % (len(members) or 1)]]
    return "{" + gap + ("," + gap).join(turned) + gap + "}"


def rule_text(hostname: str, path: str, service: str, rest: Sequence[str], hand: int) -> str:
    """Return a rule as JSON, in one of its spellings."""
    members = [f'"service":{written(service, hand)}', *rest]
    members += [f'"hostname" : {written(hostname, hand)}'] if hostname or hand % 2 else []
    members += [f'"path": {written(path, hand + 1)}'] if path or hand % 5 == 0 else []
    return joined(members, hand)


def rule_texts(hostname: st.SearchStrategy[str], path: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return a rule as a person may have written it."""
    return st.builds(rule_text, hostname, path, st.sampled_from(SERVICES), st.sampled_from(RESTS), hands)


def bystander_texts(names: st.SearchStrategy[str] = hand_hostnames) -> st.SearchStrategy[str]:
    """Return a rule made by hand that is not a catch-all: for a hostname, or for a path of every host."""
    named = rule_texts(names, st.sampled_from(PATHS))
    return st.one_of(named, named, named, rule_texts(st.sampled_from(("", "*")), st.sampled_from(PATHS[1:])))


def catch_alls() -> st.SearchStrategy[str]:
    """Return a rule that matches every request."""
    return rule_texts(st.sampled_from(("", "*")), st.just(""))


@st.composite
def document_texts(draw: st.DrawFn, rules: st.SearchStrategy[list[str]], *, with_catch_all: bool = False) -> str:
    """Return a document of these rules and a catch-all; without rules, sometimes without a catch-all or an ingress."""
    texts, hand = draw(rules), draw(hands)
    members = draw(st.sampled_from(WHOLE_DOCUMENTS))
    if texts or with_catch_all or hand % 2:
        texts = [*texts, draw(catch_alls())]
    elif hand % 4:
        return "null" if hand % 3 else joined(members, hand)
    gap = ("", "\n ")[hand % 2]
    return joined([f'"ingress":{gap}[{(gap + "," + gap).join(texts)}]', *members], hand)


def hand_made_documents(
    names: st.SearchStrategy[str] = hand_hostnames, *, with_catch_all: bool = False
) -> st.SearchStrategy[str]:
    """Return a document without any rule of ours."""
    return document_texts(st.lists(bystander_texts(names), max_size=6), with_catch_all=with_catch_all)


def spellings(name: str) -> st.SearchStrategy[str]:
    """Return the ways in which external-dns may spell a hostname."""
    return st.sampled_from((name, name, name + ".", name.upper(), name.replace("xn--bcher-kva", "Bücher")))


@st.composite
def published(
    draw: st.DrawFn, hostname: str, tunnel: str, *, path: tuple[str, str] = ("", ""), owner: str = ""
) -> Endpoint:
    """Return an endpoint that can be published, in one of the forms that external-dns may send."""
    target, kind, resource, origin = draw(st.sampled_from(FORMS))
    properties = origin | draw(st.sampled_from(OPTIONS))
    if path[0]:
        properties |= {"path": path[0], "path_match": path[1]}
    if tunnel != BLUE:
        properties["tunnel"] = draw(st.sampled_from((tunnel, "green")))
    found = endpoint(draw(spellings(hostname)), target, owner=owner, resource=resource, record_type=kind, **properties)
    ttl, identifier = draw(st.sampled_from(((0, ""), (300, ""), (0, "fake"))))
    return replace(found, ttl=ttl, set_identifier=identifier)


@st.composite
def spoiled(draw: st.DrawFn, hostname: str, tunnel: str, *, path: tuple[str, str] = ("", "")) -> Endpoint:
    """Return an endpoint that cannot be published, although its hostname and its path are valid."""
    found = draw(published(hostname, tunnel, path=path))
    fault = draw(
        st.sampled_from((("", ""), ("webhook/no-tls-verfy", "true"), ("webhook/keep-alive-timeout", "soon"), None))
    )
    if fault is None:
        return replace(
            found,
            targets=("ftp://app",),
            record_type="CNAME",
            properties=tuple(p for p in found.properties if "path" in p[0]),
        )
    return replace(found, properties=(*found.properties, fault))


@st.composite
def wishes(
    draw: st.DrawFn, names: Iterable[str] = (*NAMES, *WILDCARDS), *, owner: str = "", max_size: int = 5
) -> tuple[Endpoint, ...]:
    """Return endpoints that can be published together: each path of a hostname once, each hostname in one tunnel."""
    found: list[Endpoint] = []
    for name in draw(st.lists(st.sampled_from(sorted(names)), unique=True, max_size=max_size)):
        tunnel = draw(st.sampled_from((BLUE, BLUE, GREEN)))
        paths = draw(st.lists(st.sampled_from(MATCHES[:1] + MATCHES[2:5]), unique=True, min_size=1, max_size=3))
        found += [draw(published(name, tunnel, path=path, owner=owner)) for path in paths]
    return tuple(found)


BAD_NAMES = (
    "",
    ".",
    "a..example.com",
    "-a.example.com",
    "a b.example.com",
    "*.*.example.com",
    "x*.example.com",
    "xn--.example.com",
)
BAD_TARGETS = (
    "",
    "http://app/path",
    "ftp://app",
    "http://app:0",
    "http_status:99",
    "bastion",
    "http://",
    "http://u@app",
    f"{BLUE}.cfargotunnel.com",
)
BAD_PROPERTIES = (
    ("", ""),
    ("webhook/no-tls-verfy", "true"),
    ("webhook/no-tls-verify", "maybe"),
    ("webhook/no-tls-verify", ""),
    ("webhook/connect-timeout", "1.5"),
    ("webhook/path", "api"),
    ("webhook/path-match", "exact"),
    ("webhook/tunnel", "red"),
    ("webhook/ca-pool", "/etc/ca.pem"),
    ("webhook/bastion-mode", "true"),
    ("webhook/access-required", "true"),
    ("webhook/access-team-name", "acme"),
    ("webhook/service", "bastion"),
    ("webhook/port", "8080"),
)


@st.composite
def faulty(draw: st.DrawFn, names: Sequence[str] = NAMES, *, owner: str = "") -> Endpoint:
    """Return an endpoint that cannot be published."""
    name = draw(st.sampled_from(names))
    match draw(st.sampled_from(("name", "target", "property", "twice"))):
        case "name":
            return endpoint(draw(st.sampled_from((*BAD_NAMES, "l" * 64 + ".example.com"))), owner=owner)
        case "target":
            return endpoint(name, draw(st.sampled_from(BAD_TARGETS)), owner=owner)
        case "property":
            return replace(endpoint(name, owner=owner), properties=(draw(st.sampled_from(BAD_PROPERTIES)),))
        case _:
            return replace(
                endpoint(name, owner=owner),
                properties=(("webhook/no-tls-verify", "true"), ("webhook/no-tls-verify", "false")),
            )


@st.composite
def beyond(draw: st.DrawFn) -> Endpoint:
    """Return an endpoint of a type that no tunnel can carry, or in a zone that does not exist."""
    kind = draw(st.sampled_from(("MX", "TXT", "SRV", "CNAME")))
    return endpoint("nowhere.org" if kind == "CNAME" else draw(st.sampled_from(NAMES)), record_type=kind)


def junk() -> st.SearchStrategy[Endpoint]:
    """Return an endpoint of arbitrary characters."""
    words = st.one_of(st.text(max_size=12), hostnames, st.sampled_from((*SERVICES, *BAD_TARGETS, *BAD_NAMES)))
    names = st.one_of(
        words,
        st.sampled_from([name for name, _ in BAD_PROPERTIES]),
        st.sampled_from(["webhook/invalid", "webhook/drift"]),
    )
    return st.builds(
        Endpoint,
        dns_name=words,
        record_type=st.sampled_from(("CNAME", "A", "AAAA", "TXT", "cname")),
        targets=st.lists(words, max_size=3).map(tuple),
        ttl=st.integers(-1, 600),
        set_identifier=words,
        labels=st.dictionaries(st.sampled_from(("owner", "resource", "tunnel-webhook-adopt")), words),
        properties=st.lists(
            st.tuples(names, st.one_of(words, st.sampled_from([text for _, text in BAD_PROPERTIES]))), max_size=3
        ).map(tuple),
    )


def endpoints(*, owner: str = "") -> st.SearchStrategy[Endpoint]:
    """Return an endpoint of any kind."""
    good = st.builds(
        lambda name, tunnel, path: published(name, tunnel, path=path, owner=owner),
        hostnames,
        st.sampled_from((BLUE, GREEN)),
        st.sampled_from(MATCHES),
    )
    return st.one_of(good.flatmap(lambda strategy: strategy), faulty(owner=owner), beyond(), junk())


@dataclass(frozen=True, slots=True)
class World:
    """The state before any change: documents by tunnel id, records by zone."""

    documents: dict[str, str]
    records: dict[Zone, tuple[DnsRecord, ...]]

    @property
    def existing(self) -> Existing:
        """The same state, as decisions rest on it."""
        documents = {tunnel: TunnelConfiguration.parse(text) for tunnel, text in self.documents.items()}
        return Existing.of(self.records, self.records, documents)

    def planned(self, asked: Changes, policy: Policy) -> dict[str, str]:
        """Return the documents once changes are applied."""
        decided = plan(self.existing, asked, policy)
        written: dict[str, str] = {}
        for tunnel, text in self.documents.items():
            base = TunnelConfiguration.parse(text)
            changed = {**decided.rules().get(tunnel, {}), **decided.cleanups().get(tunnel, {})}
            rules = {
                hostname: change.applied_to(
                    rule for rule in self.existing.rules_in(tunnel, hostname) if rule.path in decided.claimed[hostname]
                )
                for hostname, change in changed.items()
            }
            written[tunnel] = lay_out(base, rules, decided.claimed).text
        return written

    def ports(self) -> tuple[InMemoryTunnels, InMemoryZones]:
        """Return both driven ports in memory, holding this state."""
        stored = {zone: {record.id: record for record in records} for zone, records in self.records.items()}
        return InMemoryTunnels({tunnel: (text, 1) for tunnel, text in self.documents.items()}), InMemoryZones(stored)


@st.composite
def changes(draw: st.DrawFn, *, owner: str = "us") -> Changes:
    """Return changes that external-dns may send, and some that it would not: good and bad, and the same name twice."""
    asked = st.lists(endpoints(owner=owner), max_size=3).map(tuple)
    gone = st.lists(st.builds(Endpoint, hostnames, labels=st.just({"owner": owner})), max_size=2).map(tuple)
    return Changes(
        create=(*draw(wishes(owner=owner, max_size=3)), *draw(asked)), update_new=draw(asked), delete=draw(gone)
    )


def zone_for(name: str) -> Zone:
    """Return the zone that holds a name."""
    return CHILD if name == CHILD.name or name.endswith(f".{CHILD.name}") else ZONE


Holding = tuple[DnsRecord, tuple[str, ...]]
"""A record, and the tunnels that have a rule for its hostname."""


def holdings(name: str, ours: str, theirs: str) -> st.SearchStrategy[Holding]:
    """Return what may hold a name: a person's record, another owner's claim, or what a stopped sync of ours left."""
    grey = replace(claim(name, BLUE, ours), proxied=False)
    of_every_path = replace(grey, proxied=True, comment=f"heritage=tunnel-webhook,owner={ours}")
    marked = Marker(ours, paths=ClaimedPaths.of([""]), leaving=ClaimedPaths.of(["^/a"]), since=1_700_000_000)
    leaving = replace(grey, proxied=True, comment=marked.comment)
    return st.sampled_from(
        (
            (record(name, "192.0.2.1", "A"), ()),
            (record(name, "elsewhere.net"), ()),
            (record(name, "x", "TXT"), ()),
            (record(name, target_of(BLUE)), ()),
            (record(name, target_of(BLUE)), (BLUE,)),
            (claim(name, BLUE, theirs), (BLUE,)),
            (claim(name, GREEN, ours, "service/prod/one"), (GREEN,)),
            (claim(name, BLUE, ours), ()),
            (claim(name, BLUE, ours), (GREEN,)),
            (claim(name, BLUE, ours), (BLUE, GREEN)),
            (claim(name, BLUE, ours), (BLUE, BLUE)),
            (grey, (BLUE,)),
            (claim(name, BLUE, ours, paths=PATHS), (BLUE, BLUE)),
            (claim(name, BLUE, ours, paths=["", "^/v[0-9]+/"]), (BLUE, GREEN)),
            (of_every_path, (BLUE, BLUE)),
            (leaving, (BLUE,)),
        )
    )


@st.composite
def worlds(draw: st.DrawFn, *, ours: str = "us", theirs: str = "them", with_catch_all: bool = False) -> World:
    """Return shared tunnels and zones, with rules made by hand between all others."""
    rules = {tunnel: draw(st.lists(bystander_texts(), max_size=4)) for tunnel in (BLUE, GREEN)}
    records: dict[Zone, list[DnsRecord]] = {ZONE: [], CHILD: []}
    for name in draw(st.lists(hostnames, unique=True, max_size=4)):
        holder, tunnels = draw(holdings(name, ours, theirs))
        records[zone_for(name)].append(holder)
        for tunnel in tunnels:
            text = draw(rule_texts(st.just(name), st.sampled_from(PATHS)))
            rules[tunnel].insert(draw(st.integers(0, len(rules[tunnel]))), text)
    documents = {
        tunnel: draw(document_texts(st.just(texts), with_catch_all=with_catch_all)) for tunnel, texts in rules.items()
    }
    return World(documents, {zone: tuple(stored) for zone, stored in records.items()})
