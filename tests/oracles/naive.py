"""cloudflared's matching in its simplest form: the oracle of the laws, which shares no code with the domain.

From cloudflared's ingress/ingress.go and rule.go: the first rule whose host and path match answers; if none matches,
the last one does.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

CATCH_ALL = {"", "*"}
WHOLE_NUMBERS = {
    "connectTimeout",
    "tlsTimeout",
    "tcpKeepAlive",
    "keepAliveTimeout",
    "keepAliveConnections",
    "proxyPort",
}
_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]|[^"\[\]{},]+')


def elements(text: str) -> list[str]:
    """Return the texts of the elements of a JSON array, or of the members of an object; null has none."""
    if text.strip() == "null":
        return []
    depth, found, current = 0, list[str](), ""
    for part in _PARTS.findall(text.strip()[1:-1]):
        if part == "," and depth == 0:
            found.append(current.strip())
            current = ""
            continue
        depth += part in {"[", "{"}
        depth -= part in {"]", "}"}
        current += part
    return [*found, current.strip()] if current.strip() else found


def rule_texts(document: str) -> list[str]:
    """Return the text of each rule of a document."""
    members = dict(_key_and_value(member) for member in elements(document))
    return elements(members.get("ingress", "[]"))


def other_members(document: str) -> list[tuple[str, str]]:
    """Return every member of a document except its rules, as key and text, in order."""
    return [pair for pair in map(_key_and_value, elements(document)) if pair[0] != "ingress"]


def _key_and_value(member: str) -> tuple[str, str]:
    match = re.match(r'"(?:[^"\\]|\\.)*"', member)
    assert match is not None
    return json.loads(match[0]), member[match.end() :].lstrip().removeprefix(":").strip()


def patterns(hostname: str) -> tuple[str, ...]:
    """Return the patterns of a rule's hostname: itself, and its lower-case A-labels, which cloudflared also matches."""
    if hostname in CATCH_ALL:
        return ("*",)
    if "*" in hostname or "_" in hostname:
        return (hostname,)
    return tuple(dict.fromkeys((hostname, hostname.lower().encode("idna").decode())))


def covers(hostname: str, host: str) -> bool:
    """Whether a rule of this hostname matches requests for this host."""
    return any(
        pattern in {"*", host} or (pattern[:2] == "*." and host.endswith(pattern[1:])) for pattern in patterns(hostname)
    )


def answers(rules: Iterable[Mapping[str, Any]], host: str, path: str) -> int:
    """Return the index of the rule that answers a request."""
    place = -1
    for place, rule in enumerate(rules):  # noqa: B007 -- the last one answers where none matches
        if covers(rule.get("hostname", ""), host) and re.search(rule.get("path", ""), path):
            break
    return place


def hosts_of(hostname: str, universe: Iterable[str]) -> frozenset[str]:
    """Return the hosts of a universe that a rule of this hostname matches."""
    return frozenset(host for host in universe if covers(hostname, host))


def broader(one: str, other: str, universe: Iterable[str]) -> bool:
    """Whether one hostname matches strictly more hosts than another, by counting them."""
    return hosts_of(one, universe) > hosts_of(other, universe)


def is_catch_all(rule: Mapping[str, Any]) -> bool:
    """Whether a rule matches every request."""
    return rule.get("hostname", "") in CATCH_ALL and not rule.get("path")


def fault(document: str) -> str:
    """Return why cloudflared refuses a document for its hostnames, paths or catch-all; or nothing."""
    rules = json.loads(document)["ingress"]
    if not rules:
        return "no rules"
    for place, rule in enumerate(rules):
        hostname = rule.get("hostname", "")
        if re.fullmatch(r"[^:\[\]]*:[^:\[\]]*|\[[^\[\]]*\]:[^\[\]]*", hostname):
            return f"port in {hostname}"
        if "*" in hostname[1:]:
            return f"wildcard in {hostname}"
        if is_catch_all(rule) is not (place == len(rules) - 1):
            return f"catch-all at {place + 1} of {len(rules)}"
        if any(isinstance(each, float) for key, each in rule.get("originRequest", {}).items() if key in WHOLE_NUMBERS):
            return f"a fraction at {place + 1}"
    return ""
