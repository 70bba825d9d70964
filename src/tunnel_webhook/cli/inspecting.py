"""`plan` and `explain`: what would change, and why a request goes where it goes. Both only read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO
from urllib.parse import unquote

from rich.text import Text

from tunnel_webhook.adapters.http.wire import decode_changes
from tunnel_webhook.application import Operator
from tunnel_webhook.cli.plan_rendering import Line, as_json, difference
from tunnel_webhook.cli.terminal import print_json, print_lines, waiting
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.explanation import Candidate, Explanation, Match
from tunnel_webhook.domain.planning.plan import Plan

_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "bold red", "": "bold"}


async def plan(operator: Operator, policy: Policy, changes: BinaryIO | None, *, as_text: bool) -> int:
    """Print what would change; `changes` holds what external-dns would POST to /records. Return 1 if something is not done."""
    asked = decode_changes(changes.read()) if changes else None
    with waiting("looking at what is there"):
        existing, decided = await operator.preview(asked)
    if as_text:
        _print(_difference(decided, existing, policy))
    else:
        print_json(as_json(decided))
    return 1 if decided.rejections or decided.withheld else 0


async def explain(operator: Operator, policy: Policy, asked: str, *, as_text: bool) -> int:
    """Print why a request for HOSTNAME or HOSTNAME/PATH goes where it goes; cloudflared compares the path alone, decoded.

    Return 1 if no rule answers.
    """
    name, slash, path = asked.partition("?")[0].partition("/")
    hostname = Hostname.parse(name)
    with waiting("looking at what is there"):
        explained = await operator.explain(hostname, unquote(slash + path) or "/")
    if as_text:
        _print(_sentences(explained, policy))
    else:
        print_json(_explanation_as_json(explained, policy))
    return 0 if explained.is_answered else 1


def _difference(decided: Plan, existing: Existing, policy: Policy) -> Iterator[Line]:
    yield from difference(decided, existing, policy)
    counts = ", ".join(f"{name} {number}" for name, number in decided.counts.items() if number)
    yield Line("", counts or "nothing to do")


def _print(lines: Iterable[Line]) -> None:
    print_lines(Text(str(line), _COLOURS[line.mark]) for line in lines)


def _sentences(explained: Explanation, policy: Policy) -> Iterator[Line]:
    yield Line("", f"{explained.hostname}{explained.path}")
    yield from _about_the_name(explained, policy)
    for tunnel in policy.tunnels:
        here = [each for each in explained.candidates if each.tunnel == tunnel.id]
        points_here = " (the one that the record points at)" if tunnel.id == explained.tunnel else ""
        yield Line("", f"rules in tunnel {tunnel.label}{points_here}")
        for each in here:
            yield Line("+" if each.match is Match.WINS else "~", _candidate(each))
        if not here:
            yield Line("!", "none covers the hostname")
    yield Line("", "a deletion by its owner would")
    deletions = [decision.action.value for decision in explained.deletion.decisions]
    yield Line("-", "remove its rules and its record") if deletions else Line("~", "do nothing: it is not managed here")


def _about_the_name(explained: Explanation, policy: Policy) -> Iterator[Line]:
    yield (
        Line("+", f"zone {explained.zone}")
        if explained.zone
        else Line("!", "no zone that the credentials see holds it")
    )
    if not explained.in_domain_filter:
        yield Line("!", "the domain filter excludes it")
    record = explained.record
    if record is None:
        yield Line("!", "no record answers for it")
    else:
        where = f" (tunnel {policy.tunnel_label(record.tunnel)})" if record.tunnel else ""
        proxied = "proxied" if record.proxied else "not proxied"
        yield Line(
            "+" if record.proxied else "!", f"record {record.type} {record.name} -> {record.content}{where}, {proxied}"
        )
    if explained.claim:
        marker = explained.claim.marker
        seen = "" if explained.is_visible else ", so that this instance does not see it"
        yield Line(
            "+", f"claimed for owner {marker.owner!r}{seen}, from {marker.resource or 'a resource that is not known'}"
        )
    else:
        yield Line("~", "not claimed: whatever record and rules it has are not ours")
    if explained.drift:
        yield Line("!", f"drift: {explained.drift}")


def _candidate(candidate: Candidate) -> str:
    rule = candidate.rule
    whose = "managed" if candidate.is_managed else "made by others"
    host = rule.hostname or "every host"
    return f"rule {candidate.number}: {host}{f' {rule.path}' if rule.path else ''} -> {rule.service} ({whose}): {_verdict(candidate)}"


def _verdict(candidate: Candidate) -> str:
    return {
        Match.WINS: "wins: the first rule that matches",
        Match.UNREACHED: f"never reached: rule {candidate.winner} takes the request before it",
        Match.PASSED_OVER: "passed over: its path does not match",
    }[candidate.match]


def _explanation_as_json(explained: Explanation, policy: Policy) -> Json:
    record, claim = explained.record, explained.claim
    candidates: list[Json] = [
        {
            "tunnel": policy.tunnel_label(each.tunnel),
            "number": each.number,
            "hostname": each.rule.hostname,
            "path": each.rule.path,
            "service": each.rule.service,
            "managed": each.is_managed,
            "wins": each.match is Match.WINS,
            "verdict": _verdict(each),
        }
        for each in explained.candidates
    ]
    return {
        "hostname": explained.hostname,
        "path": explained.path,
        "zone": explained.zone or None,
        "inDomainFilter": explained.in_domain_filter,
        "record": {"name": record.name, "type": record.type, "content": record.content, "proxied": record.proxied}
        if record
        else None,
        "claim": {"owner": claim.marker.owner, "resource": claim.marker.resource, "visible": explained.is_visible}
        if claim
        else None,
        "tunnel": policy.tunnel_label(explained.tunnel) if explained.tunnel else None,
        "drift": explained.drift or None,
        "candidates": candidates,
        "deletion": as_json(explained.deletion),
    }
