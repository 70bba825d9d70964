"""A plan for people, line by line like a diff, and for programs, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_request import options_of
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.plan import Decision, Plan, RuleChange


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `+` is added, `-` removed, `~` changed, `!` not done; a heading has no mark."""

    mark: str
    text: str

    def __str__(self) -> str:
        """Return the line as plain text."""
        return f"  {self.mark} {self.text}" if self.mark else self.text


def difference(plan: Plan, existing: Existing, policy: Policy) -> Iterator[Line]:
    """Yield what a plan changes: rules by tunnel, records by zone, then what is rejected and what is withheld."""
    for tunnel, lines in _by_tunnel(plan, existing).items():
        yield Line("", f"tunnel {policy.tunnel_label(tunnel)}")
        yield from lines
    for zone in sorted({decision.zone for decision in plan.decisions}):
        records = [
            line for decision in plan.decisions if decision.zone == zone for line in _records(decision, existing)
        ]
        if records:
            yield Line("", f"zone {zone.name}")
            yield from records
    if plan.rejections or plan.withheld:
        yield Line("", "not done")
    for rejection in plan.rejections:
        yield Line("!", f"{rejection.hostname}: {rejection.reason}: {rejection.sentence}")
    for hostname in plan.withheld:
        yield Line("!", f"{hostname}: its deletion is withheld, together with {len(plan.withheld) - 1} others")


def as_json(plan: Plan) -> dict[str, Json]:
    """Return a plan as JSON: counts, decisions, rejections, and the withheld hostnames."""
    decisions: list[Json] = [_decision(decision) for decision in plan.decisions]
    rejections: list[Json] = [
        {"hostname": each.hostname, "code": each.reason.value, "sentence": each.sentence, "resource": each.resource}
        for each in plan.rejections
    ]
    withheld: list[Json] = list[Json](plan.withheld)
    return {"counts": dict(plan.counts), "decisions": decisions, "rejections": rejections, "withheld": withheld}


def _by_tunnel(plan: Plan, existing: Existing) -> dict[str, list[Line]]:
    lines: dict[str, list[Line]] = {}
    for changes in (plan.rules(), plan.cleanups()):
        for tunnel, by_hostname in changes.items():
            for hostname, change in by_hostname.items():
                lines.setdefault(tunnel, []).extend(_rules(hostname, change, existing))
    return {tunnel: changed for tunnel, changed in sorted(lines.items()) if changed}


def _rules(hostname: Hostname, change: RuleChange, existing: Existing) -> list[Line]:
    before = existing.rules_in(change.tunnel, hostname)
    after = {rule.path: rule for rule in change.applied_to(before)}
    standing: dict[str, IngressRule] = {}
    changes: list[Line] = []
    for rule in before:
        if rule.path in after and rule.path not in standing:
            standing[rule.path] = rule
        else:
            changes.append(Line("-", _told(rule)))
    for path, rule in sorted(after.items()):
        old = standing.get(path)
        if old is None:
            changes.append(Line("+", _told(rule)))
        elif old != rule:
            changes.append(Line("~", f"{_told(old)}  =>  {_what(rule)}"))
    if not changes and hostname in existing.shadowed[change.tunnel]:
        changes.append(Line("~", f"{hostname}: its rules move to where they are reached"))
    return changes


def _told(rule: IngressRule) -> str:
    return f"{rule.hostname}{f' {rule.path}' if rule.path else ''} -> {_what(rule)}"


def _what(rule: IngressRule) -> str:
    options = ", ".join(f"{option}={text}" for option, text in options_of(rule.origin_request).items())
    return f"{rule.service} ({options})" if options else rule.service


def _records(decision: Decision, existing: Existing) -> Iterator[Line]:
    claim = existing.claims.get(decision.hostname)
    stored = [claim.record] if claim else [*existing.neighbours.get(decision.hostname, ())]
    for record in (decision.claim, decision.repoint):
        if record:
            yield Line("~", f"{_record(stored[0])}  =>  {_record(record)}") if record.id else Line("+", _record(record))
    if decision.release:
        yield Line("-", _record(decision.release))


def _record(record: DnsRecord) -> str:
    proxied = "proxied" if record.proxied else "not proxied"
    return f"{record.type} {record.name} -> {record.content} ({proxied}, comment {record.comment!r})"


def _decision(decision: Decision) -> Json:
    return {
        "hostname": decision.hostname,
        "action": decision.action.value,
        "zone": decision.zone.name,
        "tunnel": decision.tunnel,
        "claims": bool(decision.claim),
        "rules": [_rule_change(change) for change in decision.rules],
        "repoints": bool(decision.repoint),
        "cleanup": [_rule_change(change) for change in decision.cleanup],
        "releases": bool(decision.release),
    }


def _rule_change(change: RuleChange) -> Json:
    upserts: list[Json] = [
        {"path": rule.path, "service": rule.service, "originRequest": dict(rule.origin_request)}
        for rule in change.upserts
    ]
    return {"tunnel": change.tunnel, "upserts": upserts, "removedPaths": list[Json](change.removals)}
