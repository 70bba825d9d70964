"""Hypothesis strategies: hostnames that meet one another, documents made by hand, endpoints good and bad, whole worlds."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from builders import BLUE, GREEN, ZONE, claim, endpoint, record
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.domain.claim import DnsRecord, Zone, target_of
from tunnel_webhook.domain.document import Json
from tunnel_webhook.domain.endpoint import Endpoint

CHILD = Zone("b.example.com", "zone-b.example.com")
NAMES = (
    "example.com",
    *(f"{one}.example.com" for one in ("a", "b", "xn--bcher-kva")),
    *(f"{two}.{one}.example.com" for one in "ab" for two in "ab"),
    "a.a.a.example.com",
)
"""Few enough to collide, deep enough for wildcards within wildcards; those at or below b.example.com are in a zone of their own."""

WILDCARDS = tuple(f"*.{name}" for name in NAMES if name.count(".") < 4)
HOSTS = (*NAMES, *(f"z.{name}" for name in NAMES), "other.org", "z.other.org")
"""Hosts to ask for: every name, a host below it that no rule names, and such as belong to nobody."""

PATHS = ("", "^/api(/|$)", "^/a", "/b$", ".*")
REQUEST_PATHS = ("/", "/api", "/api/x", "/apis", "/b")
SERVICES = ("http://one:80", "https://two.prod.svc.cluster.local:8443", "http_status:204", "unix:/run/app.sock", "ssh://[::1]:22")
ORIGINS: tuple[dict[str, Json], ...] = (
    {},
    {"noTLSVerify": True},
    {"connectTimeout": 30, "httpHostHeader": "inner.example"},
    {"access": {"required": True, "teamName": "acme", "audTag": ["b", "a"]}},
)
ODD_MEMBERS = ('"note":1.50', r'"x-tags":["\u00e9", 1E2 ,null]', r'"made \"by\"" : {"hand" :"[a, {b}]"}')
PROPERTIES = {
    "no_tls_verify": ("true", "False"),
    "connect_timeout": ("30", "1m30s"),
    "http_host_header": ("inner.example", "Inner.Example"),
    "ip_rules": ("allow 10.0.0.0/8 443 80, deny ::/0",),
    "proxy_type": ("SOCKS",),
}
GUARDED = {"access_required": "true", "access_team_name": "acme", "access_aud_tag": "b, a"}
MATCHES = (("", ""), ("/api", "prefix"), ("/api/", "prefix"), ("/a.b", "exact"), ("^/v[0-9]+/", "regex"), ("/", "prefix"))

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


def gaps() -> st.SearchStrategy[str]:
    """Return the space that people leave in JSON."""
    return st.sampled_from(("", "", " ", "\n  "))


def string_texts(text: str) -> st.SearchStrategy[str]:
    """Return the ways to write a string in JSON."""
    escaped = '"' + "".join(f"\\u{ord(character):04X}" for character in text) + '"'
    return st.sampled_from((json.dumps(text), json.dumps(text, ensure_ascii=False), escaped))


@st.composite
def object_texts(draw: st.DrawFn, members: Sequence[str]) -> str:
    """Return an object of these members, in any order and with any space."""
    order = draw(st.permutations(members))
    return "{" + ",".join(draw(gaps()) + member + draw(gaps()) for member in order) + "}"


@st.composite
def rule_texts(draw: st.DrawFn, hostname: str, path: str) -> str:
    """Return a rule as a person may have written it."""
    members = [f'"service":{draw(string_texts(draw(st.sampled_from(SERVICES))))}']
    if hostname or draw(st.booleans()):
        members.append(f'"hostname": {draw(string_texts(hostname))}')
    if path or draw(st.booleans()):
        members.append(f'"path" :{draw(string_texts(path))}')
    if origin := draw(st.sampled_from(ORIGINS)):
        members.append(f'"originRequest":{json.dumps(origin)}')
    members += draw(st.lists(st.sampled_from(ODD_MEMBERS), unique=True, max_size=2))
    return draw(object_texts(members))


@st.composite
def bystander_texts(draw: st.DrawFn, names: st.SearchStrategy[str] = hand_hostnames) -> str:
    """Return a rule made by hand that is no catch-all: for a hostname, or for every host below a path."""
    if draw(st.integers(0, 5)):
        return draw(rule_texts(draw(names), draw(st.sampled_from(PATHS))))
    return draw(rule_texts(draw(st.sampled_from(("", "*"))), draw(st.sampled_from(PATHS[1:]))))


def catch_alls() -> st.SearchStrategy[str]:
    """Return a rule that takes every request."""
    return st.sampled_from(("", "*")).flatmap(lambda hostname: rule_texts(hostname, ""))


@st.composite
def document_texts(draw: st.DrawFn, rules: st.SearchStrategy[list[str]], *, with_catch_all: bool = False) -> str:
    """Return a document of these rules, a catch-all behind them; without any rules, sometimes without a catch-all or an ingress."""
    texts = draw(rules)
    members = draw(
        st.lists(st.sampled_from(('"warp-routing":{"enabled":true}', '"originRequest" : {}', *ODD_MEMBERS)), unique=True)
    )
    if texts or with_catch_all or draw(st.booleans()):
        texts = [*texts, draw(catch_alls())]
    elif draw(st.booleans()):
        return draw(st.sampled_from(("null", draw(object_texts(members)))))
    gap = draw(gaps())
    return draw(object_texts([*members, f'"ingress":{gap}[{(gap + "," + gap).join(texts)}]']))


def hand_made_documents(*, with_catch_all: bool = False) -> st.SearchStrategy[str]:
    """Return a document in which nothing is ours."""
    return document_texts(st.lists(bystander_texts(), max_size=6), with_catch_all=with_catch_all)


@st.composite
def spellings(draw: st.DrawFn, name: str) -> str:
    """Return a way in which external-dns may spell a hostname."""
    name = draw(st.sampled_from((name, name, name.upper(), name.replace("xn--bcher-kva", "Bücher"))))
    return name + draw(st.sampled_from(("", "", ".")))


@st.composite
def published(draw: st.DrawFn, hostname: str, tunnel: str, *, path: tuple[str, str] = ("", ""), owner: str = "") -> Endpoint:
    """Return an endpoint that can be published, in one of the forms in which one may be asked for."""
    name = draw(spellings(hostname))
    given = {key: draw(st.sampled_from(PROPERTIES[key])) for key in draw(st.lists(st.sampled_from(sorted(PROPERTIES)), max_size=2))}
    given |= draw(st.sampled_from(({}, {}, GUARDED)))
    if path[0]:
        given |= {"path": path[0], "path_match": path[1]}
    if tunnel != BLUE or draw(st.booleans()):
        given["tunnel"] = draw(st.sampled_from((tunnel, {BLUE: "blue", GREEN: "green"}[tunnel])))
    service = draw(st.sampled_from(SERVICES))
    resource = draw(st.sampled_from(("", "service/prod/one", "ingress/prod/two")))
    match draw(st.sampled_from(("target", "property", "service", "host"))):
        case "target":
            found = endpoint(name, service, owner=owner, resource=resource, **given)
        case "property":
            found = endpoint(name, "10.0.0.1", owner=owner, resource=resource, record_type="A", service=service, **given)
        case "service":
            found = endpoint(name, "10.0.0.1", owner=owner, resource="service/prod/one", record_type="A", port="8080", **given)
        case _:
            found = endpoint(name, "Backend.prod.", owner=owner, resource="ingress/prod/two", scheme="https", **given)
    return replace(found, ttl=draw(st.sampled_from((0, 300))), set_identifier=draw(st.sampled_from(("", "fake"))))


@st.composite
def wishes(
    draw: st.DrawFn, names: Iterable[str] = (*NAMES, *WILDCARDS), *, owner: str = "", max_size: int = 5
) -> tuple[Endpoint, ...]:
    """Return endpoints that can all be published at once: each path of a hostname once, each hostname in one tunnel."""
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
                endpoint(name, owner=owner), properties=(("webhook/no-tls-verify", "true"), ("webhook/no-tls-verify", "false"))
            )


@st.composite
def beyond(draw: st.DrawFn) -> Endpoint:
    """Return an endpoint of a type that no tunnel carries, or of a zone that is not there."""
    kind = draw(st.sampled_from(("MX", "TXT", "SRV", "CNAME")))
    return endpoint("nowhere.org" if kind == "CNAME" else draw(st.sampled_from(NAMES)), record_type=kind)


def junk() -> st.SearchStrategy[Endpoint]:
    """Return an endpoint of any characters in any place."""
    words = st.one_of(st.text(max_size=12), hostnames, st.sampled_from((*SERVICES, *BAD_TARGETS, *BAD_NAMES)))
    names = st.one_of(
        words, st.sampled_from([name for name, _ in BAD_PROPERTIES]), st.sampled_from(["webhook/invalid", "webhook/drift"])
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
    return st.one_of(good.flatmap(lambda each: each), faulty(owner=owner), beyond(), junk())


@dataclass(frozen=True, slots=True)
class World:
    """What stands there before anybody asks for anything: documents by tunnel id, records by zone."""

    documents: dict[str, str]
    records: dict[Zone, tuple[DnsRecord, ...]]

    def ports(self) -> tuple[InMemoryTunnels, InMemoryZones]:
        """Return both driven ports in memory, holding this."""
        stored = {zone: {each.id: each for each in found} for zone, found in self.records.items()}
        return InMemoryTunnels({tunnel: (text, 1) for tunnel, text in self.documents.items()}), InMemoryZones(stored)


def zone_for(name: str) -> Zone:
    """Return the zone that holds a name."""
    return CHILD if name == CHILD.name or name.endswith(f".{CHILD.name}") else ZONE


@st.composite
def worlds(draw: st.DrawFn, *, ours: str = "us", theirs: str = "them", with_catch_all: bool = False) -> World:
    """Return tunnels and zones that others use as well.

    In them stand rules made by hand, records of other people, hostnames of another owner, and what a stopped sync of ours leaves.
    """
    rules = {tunnel: draw(st.lists(bystander_texts(), max_size=4)) for tunnel in (BLUE, GREEN)}
    records: dict[Zone, list[DnsRecord]] = {ZONE: [], CHILD: []}
    for name in draw(st.lists(hostnames, unique=True, max_size=4)):
        places: tuple[str, ...] = ()
        match draw(st.sampled_from(("foreign", "theirs", "ours", "stopped", "moving", "grey", "odd"))):
            case "foreign":
                kind, content = draw(
                    st.sampled_from((("A", "192.0.2.1"), ("CNAME", "elsewhere.net"), ("TXT", "x"), ("CNAME", target_of(BLUE))))
                )
                found = record(name, content, kind)
            case "theirs":
                found, places = claim(name, BLUE, theirs), (BLUE,)
            case "ours":
                found, places = claim(name, GREEN, ours, "service/prod/one"), (GREEN,)
            case "stopped":
                found = claim(name, BLUE, ours)
            case "moving":
                found, places = claim(name, BLUE, ours), draw(st.sampled_from(((GREEN,), (BLUE, GREEN))))
            case "grey":
                found, places = replace(claim(name, BLUE, ours), proxied=False), (BLUE,)
            case _:
                found, places = claim(name, BLUE, ours), (BLUE, BLUE)
        records[zone_for(name)].append(found)
        for place in places:
            text = draw(rule_texts(name, draw(st.sampled_from(PATHS))))
            rules[place].insert(draw(st.integers(0, len(rules[place]))), text)
    documents = {tunnel: draw(document_texts(st.just(texts), with_catch_all=with_catch_all)) for tunnel, texts in rules.items()}
    return World(documents, {zone: tuple(found) for zone, found in records.items()})
