"""The account behind a running process, as a person at Cloudflare's dashboard sees it: raw documents and records.

What a test expects is compared with this, never with what the process says of itself.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from external_dns.doors import Door
from vocabulary import world
from vocabulary.builders import BLUE, GREEN

Rule = dict[str, Any]
Record = dict[str, Any]
ByHand = tuple[dict[str, str], list[Record]]
"""What nobody claimed: each document as text without the managed rules, and the unmarked records."""

_EMPTY = '{"ingress":[{"service":"http_status:404"}]}'


def record(name: str, content: str, kind: str = "CNAME", *, proxied: bool = False, comment: str = "") -> Record:
    """Return a record as the account holds it."""
    uid = f"{kind}-{name}-{content}"
    return {"name": name, "type": kind, "content": content, "proxied": proxied, "comment": comment, "id": uid}


RECORDS_BY_HAND = tuple(map(asdict, world.RECORDS))


@dataclass(frozen=True, slots=True)
class Account:
    """Reaches the account of a running process through its back door."""

    door: Door

    def state(self) -> dict[str, Any]:
        """Return every document (text and version, by tunnel) and every record (by zone)."""
        state: dict[str, Any] = self.door("state")
        return state

    def put(self, state: Mapping[str, Any]) -> None:
        """Make the account hold this state."""
        self.door("put", **state)

    def reset(self) -> None:
        """Make the account hold nothing but what was made by hand, and let nothing be disturbed any more."""
        self.disturb("", times=0)
        documents = {BLUE: (world.DOCUMENT, 7), GREEN: self.door.fresh}
        self.put({"documents": documents, "records": {"example.com": RECORDS_BY_HAND, "example.org": []}})

    def hand_over(self, other: Account) -> None:
        """Make the account of another process what this one is, under ids that the other has not given out itself."""
        state = self.state()
        for found in state["records"].values():
            for each in filter(is_claim, found):
                each["id"] += f"-{self.door.name}"
        other.put(state)

    def disturb(self, step: str, *, delay: float = 0, failure: str = "", times: int = 1) -> None:
        """Let the next so many of these steps take longer (seconds), or fail `temporary` or `permanent`; others go well."""
        self.door("disturb", step=step, delay=delay, failure=failure, times=times)

    def version(self, tunnel: str = BLUE) -> int:
        """Return how often a tunnel's document was written."""
        version: int = self.state()["documents"][tunnel][1]
        return version

    def records(self) -> list[Record]:
        """Return the records of every zone."""
        return [each for found in self.state()["records"].values() for each in found]

    def rules(self, hostname: str = "", tunnel: str = BLUE) -> list[Rule]:
        """Return the rules of a tunnel in their order; of one hostname, where one is given."""
        rules = map(json.loads, _split(self.state()["documents"][tunnel][0])[1])
        return [rule for rule in rules if hostname in {"", rule.get("hostname")}]

    def edit_rules(self, edit: Callable[[list[str]], list[str]], tunnel: str = BLUE) -> None:
        """Write other rules by hand, as JSON; the rest of the document stays, its version is counted up."""
        state = self.state()
        text, version = state["documents"][tunnel]
        head, rules, tail = _split(text)
        state["documents"][tunnel] = (head + ",".join(edit(rules)) + tail, version + 1)
        self.put(state)

    def edit_records(self, edit: Callable[[list[Record]], list[Record]], zone: str = "example.com") -> None:
        """Write other records of a zone by hand."""
        state = self.state()
        state["records"][zone] = edit(state["records"][zone])
        self.put(state)

    def by_hand(self, managed: Collection[str]) -> ByHand:
        """Return all that is not of these hostnames, to the byte."""
        documents = {tunnel: _without(text, managed) for tunnel, (text, _) in self.state()["documents"].items()}
        return documents, [each for each in self.records() if not is_claim(each)]

    def live(self) -> dict[str, dict[str, str]]:
        """Return the services by path of every hostname with a claim, in the tunnel that it points at; no path is doubled."""
        homes = {
            claim["name"]: claim["content"].removesuffix(".cfargotunnel.com")
            for claim in filter(is_claim, self.records())
        }
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for tunnel in set(homes.values()):
            for rule in self.rules(tunnel=tunnel):
                name, path = rule.get("hostname", ""), rule.get("path", "")
                if homes.get(name) == tunnel:
                    assert path not in found[name], f"{name} has two rules for the path {path!r}"
                    found[name][path] = rule["service"]
        return dict(found)

    def claims(self) -> dict[str, tuple[str, bool, str]]:
        """Return the content, whether it is proxied, and the owner of every claim; no hostname has two."""
        claims: dict[str, tuple[str, bool, str]] = {}
        for each in filter(is_claim, self.records()):
            assert each["type"] == "CNAME"
            assert each["name"] not in claims, f"{each['name']} is claimed twice"
            claims[each["name"]] = (each["content"], each["proxied"], re.findall("owner=([^,]*)", each["comment"])[0])
        return claims

    def check(
        self,
        published: Mapping[str, str | Mapping[str, str]],
        *,
        tunnels: Mapping[str, str] = MappingProxyType({}),
        owners: Mapping[str, str] = MappingProxyType({}),
        by_hand: ByHand | None = None,
    ) -> None:
        """Assert that exactly this is live: by hostname a service, or several by path; each by one claim.

        Hostnames are in the blue tunnel and of the owner `default` unless given otherwise. What was made by hand must be, byte
        for byte, what `reset` put there, or what is given.
        """
        services = {name: {"": live} if isinstance(live, str) else dict(live) for name, live in published.items()}
        assert self.live() == services
        assert self.claims() == {
            name: (f"{tunnels.get(name, BLUE)}.cfargotunnel.com", True, owners.get(name, "default"))
            for name in published
        }
        assert self.by_hand(set(published)) == (
            by_hand or ({BLUE: world.DOCUMENT, GREEN: _without(self.door.fresh[0], ())}, [*RECORDS_BY_HAND])
        )


def is_claim(each: Record) -> bool:
    """Whether a record carries our marker."""
    return str(each["comment"]).startswith("heritage=tunnel-webhook,")


def _without(document: str, managed: Collection[str]) -> str:
    head, rules, tail = _split(document)
    return head + ",".join(rule for rule in rules if json.loads(rule).get("hostname") not in managed) + tail


def _split(document: str) -> tuple[str, list[str], str]:
    """Return what stands before the rules of a compact document, the text of each rule, and what stands behind them."""
    text = _EMPTY if document == "null" else document
    start = at = text.index('"ingress":[') + len('"ingress":[')
    rules: list[str] = []
    while text[at] != "]":
        end = json.JSONDecoder().raw_decode(text, at)[1]
        rules.append(text[at:end])
        at = end + (text[end] == ",")
    return text[:start], rules, text[at:]
