"""A plan for people, line by line like a diff, and for programs, as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from tunnel_webhook.cli.terminal import Line
from tunnel_webhook.domain.claim import Claim, Release
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule, TunnelConfiguration
from tunnel_webhook.domain.cloudflared.inheritance import inherited_by
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_request import options_of
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Drift, Existing
from tunnel_webhook.domain.planning.plan import Decision, Plan, RuleChange

_EMPTY = TunnelConfiguration(())
_NO_DOCUMENTS: Mapping[str, TunnelConfiguration] = MappingProxyType({})


def plan_lines(
    plan: Plan, existing: Existing, policy: Policy, drifted: Iterable[tuple[Hostname, Drift]] = ()
) -> Iterator[Line]:
    """Yield what a plan changes: rules by tunnel, records by zone, what is rejected or withheld; then the counts.

    `drifted` are the hostnames that have drifted, and that the plan does not repair.
    """
    for tunnel, lines in sorted(_lines_by_tunnel(plan, existing).items()):
        yield Line("", f"tunnel {policy.tunnel_label(tunnel)}")
        yield from lines
    for zone, lines in sorted(_lines_by_zone(plan, existing, policy).items()):
        yield Line("", f"zone {zone}")
        yield from lines
    if plan.rejections or plan.withheld:
        yield Line("", "not done")
    for rejection in plan.rejections:
        yield Line("!", f"{rejection.hostname}: {rejection.reason}: {rejection.sentence}")
    for hostname in plan.withheld:
        yield Line("!", f"{hostname}: its deletion is withheld")
    if plan.withholding:
        yield Line("!", plan.withholding)
    others = [Line("!", f"{hostname}: {drift}: {drift.meaning}") for hostname, drift in drifted]
    if others:
        yield Line("", "drifted, and repaired by external-dns if it still wants it")
    yield from others
    counts = ", ".join(f"{name} {number}" for name, number in plan.counts.items() if number)
    yield Line("", counts or ("nothing to do here" if others else "nothing to do"))


def plan_json(plan: Plan, documents: Mapping[str, TunnelConfiguration] = _NO_DOCUMENTS) -> dict[str, Json]:
    """Return a plan as JSON: counts, decisions, rejections, and the withheld hostnames.

    `documents` by tunnel id: what rules inherit is shown of those.
    """
    return {
        "counts": dict(plan.counts),
        "decisions": [_decision_json(decision, documents) for decision in plan.decisions],
        "rejections": [
            {
                "hostname": rejection.hostname,
                "code": rejection.reason.value,
                "sentence": rejection.sentence,
                "resource": rejection.resource,
            }
            for rejection in plan.rejections
        ],
        "withheld": list[Json](plan.withheld),
    }


def _lines_by_tunnel(plan: Plan, existing: Existing) -> dict[str, list[Line]]:
    by_tunnel: defaultdict[str, list[Line]] = defaultdict(list)
    claimed = plan.claimed
    for changes in (plan.rules(), plan.cleanups()):
        for tunnel, by_hostname in changes.items():
            for hostname, change in by_hostname.items():
                by_tunnel[tunnel] += _rule_lines(hostname, change, existing, claimed[hostname])
    return {tunnel: lines for tunnel, lines in by_tunnel.items() if lines}


def released_since(claim: Claim) -> str:
    """Return since when a hostname is being released, for people; nothing for one that is not."""
    since = claim.marker.since
    return "" if since is None else f"being released since {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _lines_by_zone(plan: Plan, existing: Existing, policy: Policy) -> dict[str, list[Line]]:
    by_zone: defaultdict[str, list[Line]] = defaultdict(list)
    for decision in plan.decisions:
        by_zone[decision.zone.name] += _record_lines(decision, existing)
    planned = {decision.hostname for decision in plan.decisions}
    for hostname, claim in sorted(existing.claims.items()):
        if claim.is_releasing and hostname not in planned and policy.sees(claim.marker.owner):
            by_zone[claim.zone.name].append(Line("~", f"{hostname}: {released_since(claim)}"))
    return {zone: lines for zone, lines in by_zone.items() if lines}


def _rule_lines(hostname: Hostname, change: RuleChange, existing: Existing, named: ClaimedPaths) -> list[Line]:
    document = existing.configurations[change.tunnel]
    rules = [rule for rule in existing.rules_in(change.tunnel, hostname) if rule.path in named]
    after = {rule.path: rule for rule in change.applied_to(rules)}
    before: dict[str, IngressRule] = {}
    lines: list[Line] = []
    for rule in rules:
        if rule.path in after and rule.path not in before:
            before[rule.path] = rule
        else:
            lines.append(Line("-", _rule_text(rule)))
    for path, rule in sorted(after.items()):
        if path not in before:
            lines.append(Line("+", _rule_text(rule, inherited_by(rule, document))))
        elif before[path] != rule:
            new = _service_text(rule, inherited_by(rule, document))
            lines.append(Line("~", f"{_rule_text(before[path])}  =>  {new}"))
    if not lines and hostname in existing.displaced[change.tunnel].shadowed:
        lines.append(Line("~", f"{hostname}: its rules move to where they are reached"))
    return lines


def _rule_text(rule: IngressRule, inherited: Mapping[str, str] = MappingProxyType({})) -> str:
    address = " ".join(filter(None, (rule.hostname, rule.path)))
    return f"{address} -> {_service_text(rule, inherited)}"


def _service_text(rule: IngressRule, inherited: Mapping[str, str]) -> str:
    own = _options_text("", options_of(rule.origin_request))
    options = "; ".join(filter(None, (own, _options_text("inherited: ", inherited))))
    return f"{rule.service} ({options})" if options else rule.service


def _options_text(before: str, options: Mapping[str, str]) -> str:
    texts = ", ".join(f"{option}={text}" for option, text in options.items())
    return before + texts if texts else ""


def _record_lines(decision: Decision, existing: Existing) -> Iterator[Line]:
    claim = existing.claims.get(decision.hostname)
    stored = (claim.record,) if claim else existing.neighbours.get(decision.hostname, ())
    if decision.replaced:
        yield Line("-", _record_text(decision.replaced))
    for record in filter(None, (decision.claim, decision.repoint)):
        if record.id:
            yield Line("~", f"{_record_text(stored[0])}  =>  {_record_text(record)}")
        else:
            yield Line("+", _record_text(record))
    if decision.release:
        yield _release_line(decision.release, ", after RELEASE_DELAY")
    if decision.discard:
        yield _release_line(decision.discard, "")


def _release_line(release: Release, when: str) -> Line:
    if release.afterwards:
        return Line("~", f"{_record_text(release.record)}  =>  {_record_text(release.afterwards)}{when}")
    return Line("-", f"{_record_text(release.record)}{when}")


def _record_text(record: DnsRecord) -> str:
    proxied = "proxied" if record.proxied else "not proxied"
    return f"{record.type} {record.name} -> {record.content} ({proxied}, comment {record.comment!r})"


def _decision_json(decision: Decision, documents: Mapping[str, TunnelConfiguration]) -> Json:
    return {
        "hostname": decision.hostname,
        "action": decision.action.value,
        "zone": decision.zone.name,
        "tunnel": decision.tunnel,
        "claims": bool(decision.claim),
        "replaces": bool(decision.replaced),
        "rules": [_change_json(change, documents) for change in decision.rules],
        "repoints": bool(decision.repoint),
        "cleanup": [_change_json(change, documents) for change in decision.cleanup],
        "releases": bool(decision.release),
        "discards": bool(decision.discard),
    }


def _change_json(change: RuleChange, documents: Mapping[str, TunnelConfiguration]) -> Json:
    document = documents.get(change.tunnel, _EMPTY)
    upserts: list[Json] = [
        {
            "path": rule.path,
            "service": rule.service,
            "originRequest": dict(rule.origin_request),
            "inherited": dict(inherited_by(rule, document)),
        }
        for rule in change.upserts
    ]
    return {"tunnel": change.tunnel, "upserts": upserts, "removedPaths": list[Json](change.removals)}
