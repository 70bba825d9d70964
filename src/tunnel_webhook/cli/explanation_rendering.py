"""An explanation for people, line by line, and for programs, as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from tunnel_webhook.cli.plan_rendering import plan_json, released_since
from tunnel_webhook.cli.terminal import Line
from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.explanation import Candidate, Explanation, Match


def explanation_lines(explanation: Explanation, policy: Policy) -> Iterator[Line]:
    """Yield the verdict, what DNS and claims say of the name, the rules by tunnel, and what a deletion would do."""
    yield Line("", f"{explanation.hostname}{explanation.path}")
    yield _verdict_line(explanation)
    yield from _name_lines(explanation, policy)
    yield from _rejection_lines(explanation)
    for tunnel in policy.tunnels:
        target = " (the one that the record points at)" if tunnel.id == explanation.tunnel else ""
        yield Line("", f"rules in tunnel {tunnel.label}{target}")
        candidates = [candidate for candidate in explanation.candidates if candidate.tunnel == tunnel.id]
        for candidate in candidates:
            yield Line("+" if candidate.match is Match.WINS else "~", _candidate_text(candidate))
            if candidate is explanation.winner:
                yield from _settings_lines(candidate)
        if not candidates:
            yield Line("!", "no rule covers the hostname")
    yield Line("", "a deletion by its owner would")
    yield _deletion_line(explanation)


def explanation_json(explanation: Explanation, policy: Policy) -> Json:
    """Return an explanation as JSON."""
    record, claim, covering = explanation.record, explanation.claim, explanation.covering
    return {
        "hostname": explanation.hostname,
        "path": explanation.path,
        "works": explanation.works,
        "fault": explanation.fault or None,
        "rejections": [
            {"code": rejection.reason.value, "sentence": rejection.sentence, "resource": rejection.resource}
            for rejection in explanation.rejections
        ],
        "isAsked": explanation.is_asked,
        "zone": explanation.zone or None,
        "inDomainFilter": explanation.in_domain_filter,
        "record": {"name": record.name, "type": record.type, "content": record.content, "proxied": record.proxied}
        if record
        else None,
        "claim": _claim_json(claim, is_visible=explanation.is_visible) if claim else None,
        "coveringClaim": _claim_json(covering, is_visible=policy.sees(covering.marker.owner)) if covering else None,
        "tunnel": policy.tunnel_label(explanation.tunnel) if explanation.tunnel else None,
        "drift": explanation.drift or None,
        "overruledBy": list[Json](explanation.overruling),
        "disallowed": [{"path": rule.path, "sentence": rule.sentence} for rule in explanation.disallowed],
        "candidates": [_candidate_json(candidate, policy) for candidate in explanation.candidates],
        "deletion": plan_json(explanation.deletion),
    }


def _deletion_line(explanation: Explanation) -> Line:
    releases = [decision.release for decision in explanation.deletion.decisions if decision.release]
    if any(release.afterwards for release in releases):
        return Line(
            "~", "remove its rules, and keep its record without our mark: others made it, or have rules that need it"
        )
    if explanation.deletion.decisions:
        return Line("-", "remove its rules and its record")
    if explanation.claim and explanation.claim.is_releasing:
        return Line("~", "do nothing: it is being released already")
    return Line("~", "do nothing: it is not managed here")


def _name_lines(explanation: Explanation, policy: Policy) -> Iterator[Line]:
    if explanation.zone:
        yield Line("+", f"zone {explanation.zone}")
    else:
        yield Line("!", "no zone that the credentials see holds it")
    if not explanation.in_domain_filter:
        yield Line("!", "the domain filter excludes it")
    yield _record_line(explanation.record, policy)
    yield _claim_line(explanation.claim, explanation.covering, policy)
    if explanation.claim and explanation.claim.is_releasing:
        since = released_since(explanation.claim)
        yield Line("!", f"{since}: its record is deleted once its rules have been gone for RELEASE_DELAY")
    if explanation.drift:
        yield Line("!", f"drift: {explanation.drift}: {explanation.drift.meaning}")
    if explanation.overruling:
        yield Line("~", f"rules that others made take requests before ours: {', '.join(explanation.overruling)}")
    for rule in explanation.disallowed:
        path = f"the path {rule.path} is" if rule.path else "it is"
        yield Line("!", f"{path} not allowed any more, and stays until it is changed: {rule.sentence}")


def _record_line(record: DnsRecord | None, policy: Policy) -> Line:
    if record is None:
        return Line("!", "no record answers for it")
    tunnel = f" (tunnel {policy.tunnel_label(record.tunnel)})" if record.tunnel else ""
    mark, proxied = ("+", "proxied") if record.proxied else ("!", "not proxied")
    return Line(mark, f"record {record.type} {record.name} -> {record.content}{tunnel}, {proxied}")


def _claim_line(claim: Claim | None, covering: Claim | None, policy: Policy) -> Line:
    if claim:
        return Line("+", f"claimed {_claimant(claim, policy)}")
    if covering:
        return Line("~", f"not claimed itself: {covering.hostname} above it is claimed {_claimant(covering, policy)}")
    return Line("~", "not claimed: its record and its rules, if any, are not ours")


def _claimant(claim: Claim, policy: Policy) -> str:
    marker = claim.marker
    visibility = "" if policy.sees(marker.owner) else ", whose hostnames this instance does not manage"
    return f"for owner {marker.owner!r}{visibility}, from {marker.resource or 'an unknown resource'}"


def _verdict_line(explanation: Explanation) -> Line:
    if explanation.fault:
        return Line("!", f"it does not work: {explanation.fault}")
    return Line("+", "it works, as far as the configuration shows")


def _rejection_lines(explanation: Explanation) -> Iterator[Line]:
    asked = (
        "external-dns asked for it last, and it is rejected" if explanation.is_asked else "if asked for, it is rejected"
    )
    for rejection in explanation.rejections:
        yield Line("!", f"{asked}: {rejection.reason}: {rejection.sentence}")


def _settings_lines(candidate: Candidate) -> Iterator[Line]:
    """Yield what the rule that takes the request runs with, and whether it checks Access."""
    for source, options in (("sets", candidate.own), ("inherits from its document", candidate.inherited)):
        if options:
            texts = ", ".join(f"{option}={text}" for option, text in options.items())
            yield Line("~", f"rule {candidate.number} {source}: {texts}")
    if not candidate.own and not candidate.inherited:
        yield Line("~", f"rule {candidate.number} runs with the defaults of cloudflared")
    access = "refuses requests without a token of Access" if candidate.requires_access else "does not check Access"
    yield Line("~", f"rule {candidate.number} {access}")


def _claim_json(claim: Claim, *, is_visible: bool) -> Json:
    return {
        "owner": claim.marker.owner,
        "resource": claim.marker.resource,
        "visible": is_visible,
        "releasingSince": claim.marker.since if claim.is_releasing else None,
    }


def _candidate_text(candidate: Candidate) -> str:
    rule = candidate.rule
    address = " ".join(filter(None, (rule.hostname or "every host", rule.path)))
    maker = "managed" if candidate.is_managed else "made by others"
    return f"rule {candidate.number}: {address} -> {rule.service} ({maker}): {_match_sentence(candidate)}"


def _match_sentence(candidate: Candidate) -> str:
    return {
        Match.WINS: "wins: the first rule that matches",
        Match.UNREACHED: f"never reached: rule {candidate.winner} takes the request before it",
        Match.PASSED_OVER: "passed over: its path does not match",
    }[candidate.match]


def _candidate_json(candidate: Candidate, policy: Policy) -> Json:
    return {
        "tunnel": policy.tunnel_label(candidate.tunnel),
        "number": candidate.number,
        "hostname": candidate.rule.hostname,
        "path": candidate.rule.path,
        "service": candidate.rule.service,
        "managed": candidate.is_managed,
        "wins": candidate.match is Match.WINS,
        "verdict": _match_sentence(candidate),
        "options": dict(candidate.own),
        "inherited": dict(candidate.inherited),
        "requiresAccess": candidate.requires_access,
    }
