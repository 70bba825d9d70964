"""The Cloudflare account behind a running process, as the dashboard shows it: raw documents and records.

Tests compare their expectations with it, never with what the process reports.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from external_dns.backends import Backend
from vocabulary import world
from vocabulary.builders import BLUE, GREEN

Rule = dict[str, Any]
Record = dict[str, Any]
Bystanders = tuple[dict[str, str], list[Record]]
"""The text of each document without its managed rules, and the unmarked records."""

_EMPTY = '{"ingress":[{"service":"http_status:404"}]}'


def record(name: str, content: str, kind: str = "CNAME", *, proxied: bool = False, comment: str = "") -> Record:
    """Return a record as the account stores it."""
    uid = f"{kind}-{name}-{content}"
    return {"name": name, "type": kind, "content": content, "proxied": proxied, "comment": comment, "id": uid}


HAND_MADE_RECORDS = tuple(map(asdict, world.RECORDS))


@dataclass(frozen=True, slots=True)
class Account:
    """Reads and edits the account of a running process past it, through its backend."""

    backend: Backend

    def state(self) -> dict[str, Any]:
        """Return every document (text and version, by tunnel) and every record (by zone)."""
        state: dict[str, Any] = self.backend("state")
        return state

    def put(self, state: Mapping[str, Any]) -> None:
        """Put a state in the place of the present one."""
        self.backend("put", **state)

    def reset(self) -> None:
        """Put only what was made by hand in the account, and stop every disturbance."""
        self.disturb("", times=0)
        documents = {BLUE: (world.DOCUMENT, 0), GREEN: (self.backend.fresh, 0)}
        records = {"example.com": HAND_MADE_RECORDS, "example.org": []}
        self._put_anew({"documents": documents, "records": records})

    def hand_over(self, other: Account) -> None:
        """Put this state in the account of another process, under ids that the other process has not issued itself."""
        state = self.state()
        for records in state["records"].values():
            for each in filter(is_claim, records):
                each["id"] += f"-{self.backend.name}"
        other._put_anew(state)

    def _put_anew(self, state: Mapping[str, Any]) -> None:
        """Put a state under versions that the process has not seen: an older one would be in doubt."""
        newest = max((version for _, version in self.state()["documents"].values()), default=0)
        documents = {tunnel: (text, newest + 1) for tunnel, (text, _) in state["documents"].items()}
        self.put({**state, "documents": documents})

    def disturb(self, step: str, *, delay: float = 0, failure: str = "", times: int = 1) -> None:
        """Delay this step (seconds) the next `times` times, or let it fail: `temporary` or `permanent`."""
        self.backend("disturb", step=step, delay=delay, failure=failure, times=times)

    def version(self, tunnel: str = BLUE) -> int:
        """Return the version of a tunnel's document, which every write counts up."""
        version: int = self.state()["documents"][tunnel][1]
        return version

    def records(self) -> list[Record]:
        """Return the records of every zone."""
        return [each for records in self.state()["records"].values() for each in records]

    def rules(self, hostname: str = "", tunnel: str = BLUE) -> list[Rule]:
        """Return the rules of a tunnel in their order: all, or those of one hostname."""
        rules = map(json.loads, _split(self.state()["documents"][tunnel][0])[1])
        return [rule for rule in rules if hostname in {"", rule.get("hostname")}]

    def edit_rules(self, edit: Callable[[list[str]], list[str]], tunnel: str = BLUE) -> None:
        """Edit the rules by hand, as JSON; the rest of the document stays, and its version is counted up."""
        state = self.state()
        text, version = state["documents"][tunnel]
        head, rules, tail = _split(text)
        state["documents"][tunnel] = (head + ",".join(edit(rules)) + tail, version + 1)
        self.put(state)

    def edit_records(self, edit: Callable[[list[Record]], list[Record]], zone: str = "example.com") -> None:
        """Edit the records of a zone by hand."""
        state = self.state()
        state["records"][zone] = edit(state["records"][zone])
        self.put(state)

    def bystanders(self, managed: Collection[str]) -> Bystanders:
        """Return everything but the rules of these hostnames and the claims, byte for byte."""
        documents = {tunnel: _without(text, managed) for tunnel, (text, _) in self.state()["documents"].items()}
        return documents, [each for each in self.records() if not is_claim(each)]

    def live(self) -> dict[str, dict[str, str]]:
        """Return the services by path of every claimed hostname, in the tunnel of its claim; no path has two rules."""
        homes = {
            claim["name"]: claim["content"].removesuffix(".cfargotunnel.com")
            for claim in filter(is_claim, self.records())
        }
        services: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for tunnel in set(homes.values()):
            for rule in self.rules(tunnel=tunnel):
                name, path = rule.get("hostname", ""), rule.get("path", "")
                if homes.get(name) == tunnel:
                    assert path not in services[name], f"{name} has two rules for the path {path!r}"
                    services[name][path] = rule["service"]
        return dict(services)

    def claims(self) -> dict[str, tuple[str, bool, str]]:
        """Return content, proxied flag and owner of every claim, by hostname; no hostname has two claims."""
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
        bystanders: Bystanders | None = None,
    ) -> None:
        """Assert that exactly these hostnames are live, each with one claim and one service or several by path.

        They are in the blue tunnel and belong to the owner `default` unless `tunnels` and `owners` say otherwise. What
        was made by hand must be what `reset` put there, or these bystanders, byte for byte.
        """
        services = {name: {"": live} if isinstance(live, str) else dict(live) for name, live in published.items()}
        assert self.live() == services
        assert self.claims() == {
            name: (f"{tunnels.get(name, BLUE)}.cfargotunnel.com", True, owners.get(name, "default"))
            for name in published
        }
        assert self.bystanders(set(published)) == (
            bystanders or ({BLUE: world.DOCUMENT, GREEN: _without(self.backend.fresh, ())}, [*HAND_MADE_RECORDS])
        )


def is_claim(each: Record) -> bool:
    """Whether a record has our marker."""
    return str(each["comment"]).startswith("heritage=tunnel-webhook,")


def _without(document: str, managed: Collection[str]) -> str:
    head, rules, tail = _split(document)
    return head + ",".join(rule for rule in rules if json.loads(rule).get("hostname") not in managed) + tail


def _split(document: str) -> tuple[str, list[str], str]:
    """Return the text before the rules of a compact document, the text of each rule, and the text behind them."""
    text = _EMPTY if document == "null" else document
    start = at = text.index('"ingress":[') + len('"ingress":[')
    rules: list[str] = []
    while text[at] != "]":
        end = json.JSONDecoder().raw_decode(text, at)[1]
        rules.append(text[at:end])
        at = end + (text[end] == ",")
    return text[:start], rules, text[at:]
