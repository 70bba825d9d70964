"""Random histories: whatever was wanted, failed and edited before, two loops publish what is wanted now."""

import json
from random import Random

import pytest

from external_dns.account import Account, Record, is_claim
from external_dns.driver import VERSIONS, EndpointJson, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook
from vocabulary.builders import BLUE, GREEN

pytestmark = pytest.mark.external_dns
NAMES = ("a.example.com", "b.example.com", "*.example.com", "one.wild.example.com", "example.org", "*.example.org")
PATHS: dict[str, dict[str, str]] = {
    "": {},
    "^/api(/|$)": {"path": "/api"},
    "^/x$": {"path": "/x", "path_match": "exact"},
    "^/r": {"path": "^/r", "path_match": "regex"},
}
PROPERTIES: tuple[dict[str, str], ...] = (
    {},
    {"no_tls_verify": "true"},
    {"connect_timeout": "1m"},
    {"ip_rules": "deny ::/0"},
)
BAD = (
    {"path": "x"},
    {"misspelled": "1"},
    {"tunnel": "red"},
    {"service": "ftp://x"},
    {"path": "/api", "connect_timeout": "soon"},
)
STEPS = [f"{when} {step}" for step in ("tunnels.save", "zones.save") for when in ("before", "after")]
KINDS = [f"{version}-txt" for version in VERSIONS]
EDITS = ("none", "none", "grey-cloud", "point", "remove", "redirect", "last", "first")

Live = dict[str, dict[str, str]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_history_ends_as_wanted(start: StartExternalDns, webhook: StartWebhook, kind: str) -> None:
    at = webhook()
    account, dns, random = at.account, start(kind, at=at), Random(kind)  # noqa: S311 -- to be repeatable, not secret
    for _ in range(25):
        live, tunnels = draw(random)
        wanted = [endpoint_of(random, name, path, live, tunnels) for name, paths in live.items() for path in paths]
        edit(account, random.choice(EDITS), random)
        if random.random() < 0.3:
            account.disturb(random.choice(STEPS), failure=random.choice(("temporary", "permanent")))
        if random.random() < 0.3:
            bad = endpoint(random.choice(NAMES), **random.choice(BAD))
            dns.loop(*random.sample([*wanted, bad], len(wanted) + 1)).check_survivable()
        for _ in range(2):
            dns.loop(*random.sample(wanted, len(wanted))).check_survivable()
        assert dns.publish(*wanted).todo == {}
        account.check(live, tunnels=tunnels)


def draw(random: Random) -> tuple[Live, dict[str, str]]:
    """Return which services are wanted by hostname and path, and the tunnel of each hostname."""
    names = random.sample(NAMES, random.randint(0, len(NAMES)))
    services = [f"http://app-{number}:80" for number in range(3)]
    live = {
        name: {path: random.choice(services) for path in random.sample(list(PATHS), random.randint(1, 3))}
        for name in names
    }
    return live, {name: random.choice((BLUE, GREEN)) for name in names}


def endpoint_of(random: Random, name: str, path: str, live: Live, tunnels: dict[str, str]) -> EndpointJson:
    properties = {**PATHS[path], **random.choice(PROPERTIES), "tunnel": tunnels[name]}
    return endpoint(
        name, live[name][path], resource=f"ingress/prod/{random.randint(1, 9)}", identifier=path[:2], **properties
    )


def edit(account: Account, how: str, random: Random) -> None:
    """Edit a managed hostname by hand in a way that external-dns may undo: the claim stays ours."""
    claims = [each for each in account.records() if is_claim(each)]
    if claims:
        claim = random.choice(claims)
        home, zone = claim["content"].removesuffix(".cfargotunnel.com"), ".".join(claim["name"].split(".")[-2:])
        account.edit_records(
            lambda records: [edited_record(each, how, home) if each == claim else each for each in records], zone
        )
        account.edit_rules(lambda rules: edited_rules(rules, how, claim["name"]), home)


def edited_record(claim: Record, how: str, home: str) -> Record:
    other = GREEN if home == BLUE else BLUE
    changes: dict[str, Record] = {"grey-cloud": {"proxied": False}, "point": {"content": f"{other}.cfargotunnel.com"}}
    return claim | changes.get(how, {})


def edited_rules(rules: list[str], how: str, name: str) -> list[str]:
    mine = [rule for rule in rules if json.loads(rule).get("hostname") == name]
    others = [rule for rule in rules if rule not in mine]
    edits = {
        "remove": others,
        "redirect": [*others[:-1], *(rule.replace("http://app-", "http://other-") for rule in mine), *others[-1:]],
        "first": [*mine, *others],
        "last": [*others[:-1], *mine, *others[-1:]],
    }
    return edits.get(how, rules)
