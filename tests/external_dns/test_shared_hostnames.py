"""Random histories on a shared tunnel: people have rules under our hostnames, and set something for all rules.

There is a policy, which lets what people made be taken over for the asked paths; the document makes jump hosts of all
rules that do not say otherwise.
"""

import json
from pathlib import Path
from random import Random

import pytest

from external_dns.account import Account
from external_dns.driver import VERSIONS, EndpointJson, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook
from vocabulary.builders import BLUE

pytestmark = pytest.mark.external_dns
NAMES = ("a.example.com", "b.example.com", "*.example.com", "one.wild.example.com", "example.org")
PATHS: dict[str, dict[str, str]] = {
    "": {},
    "^/api(/|$)": {"path": "/api"},
    "^/x$": {"path": "/x", "path_match": "exact"},
}
HAND = "http://by-hand:80"
POLICY = """
version = 1
[[allow]]
namespaces = ["prod"]
hostnames = ["*.example.com", "example.org"]
wildcards = true
origins = ["any"]
properties = ["safe"]
adopt = true
"""
KINDS = [f"{VERSIONS[-1]}-noop", *(f"{version}-txt" for version in (VERSIONS[0], VERSIONS[-1]))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_history_beside_rules_of_people_ends_as_wanted(
    start: StartExternalDns, webhook: StartWebhook, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    at = webhook(POLICY_FILE=str(file), ALLOWED_ORIGINS="")
    account, dns, random = at.account, start(kind, at=at), Random(kind)  # noqa: S311 -- to be repeatable, not secret
    make_jump_hosts(account)
    for _ in range(20):
        by_hand = edit(account, random)
        services = {
            (name, path): f"http://app-{random.randint(0, 2)}:80"
            for name in random.sample(NAMES, random.randint(0, len(NAMES)))
            for path in random.sample(list(PATHS), random.randint(1, len(PATHS)))
        }
        wanted = [asked(random, *key, service) for key, service in services.items()]
        denied = endpoint("c.example.com", "http://c", resource="ingress/other/c")
        for _ in range(2):
            dns.loop(*random.sample([*wanted, denied], len(wanted) + 1)).check_survivable()
        assert dns.publish(*wanted).todo == {}
        check(account, services, by_hand)


def make_jump_hosts(account: Account) -> None:
    """Let the document of the tunnel say what all rules inherit."""
    state = account.state()
    text, version = state["documents"][BLUE]
    whole = json.loads(text) | {"originRequest": {"bastionMode": True, "httpHostHeader": "inner.example"}}
    state["documents"][BLUE] = (json.dumps(whole, separators=(",", ":")), version + 1)
    account.put(state)


def asked(random: Random, name: str, path: str, service: str) -> EndpointJson:
    resource = f"ingress/prod/{random.randint(1, 3)}"
    return endpoint(name, service, resource=resource, identifier=path[:2], adopt="true", **PATHS[path])


def edit(account: Account, random: Random) -> list[str]:
    """Add, move or remove rules under our hostnames by hand, and return the texts of those that are there then."""

    def edited(rules: list[str]) -> list[str]:
        *others, catch_all = [rule for rule in rules if random.random() < 0.8 or HAND not in rule or rule == rules[-1]]
        for _ in range(random.randint(0, 2)):
            members = {"hostname": random.choice(NAMES), "path": random.choice(("^/admin", "/b$")), "service": HAND}
            others.insert(random.randint(0, len(others)), json.dumps(members | {"note": 1.5}))
        return [*others, catch_all]

    account.edit_rules(edited)
    return by_hand_in(account)


def by_hand_in(account: Account) -> list[str]:
    """Return the rules that people made under our hostnames, as they are, in their order."""
    return [json.dumps(rule) for rule in account.rules() if rule["service"] == HAND]


def check(account: Account, services: dict[tuple[str, str], str], by_hand: list[str]) -> None:
    ours = {
        (rule["hostname"], rule.get("path", "")): rule
        for rule in account.rules()
        if rule["service"].startswith("http://app-")
    }
    assert {key: rule["service"] for key, rule in ours.items()} == services
    assert all(rule["originRequest"] == {"bastionMode": False} for rule in ours.values())
    assert by_hand_in(account) == by_hand
    assert account.claims().keys() == {name for name, _ in services}
