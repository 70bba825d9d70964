"""The zones: whether names in them reach visitors, whether records fit, and whether the domain filter selects them.

| subject       | level   | when                                                                                |
|---------------|---------|-------------------------------------------------------------------------------------|
| zone …        | ok      | it is active, or the domain filter excludes it                                      |
| zone …        | warning | the domain filter excludes it, and hostnames in it are claimed                      |
| zone …        | problem | CLOUDFLARE_ZONE_IDS names it, and it cannot be read                                 |
| zone …        | warning | it is not active, is paused, or is of a type for which a record alone is not enough |
| zone …        | problem | it is in another account than the tunnels                                           |
| zone …        | unknown | regular expressions are set, and match neither its name nor `www` below it          |
| records of …  | ok      | less than nine tenths of the quota is used, or the zone has none of its own         |
| records of …  | warning | nine tenths of the quota are used                                                   |
| records of …  | problem | all of the quota is used, or the usage cannot be read                               |
| records of …  | unknown | Cloudflare does not say how many there are                                          |
| domain filter | ok      | none is set, or it selects a zone                                                   |
| domain filter | problem | no zone contains one of its entries, or it selects no zone                          |
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tunnel_webhook.adapters.cloudflare.check.observations import Observations, cure_of, is_denied
from tunnel_webhook.adapters.cloudflare.codec import StoredZone, Usage
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.ports import Failure, Finding, Level

_NEARLY_FULL = 0.9
_TYPES: Mapping[str | None, tuple[str, str]] = {
    "partial": (
        "its records are kept elsewhere (CNAME setup)",
        "create a CNAME to <hostname>.cdn.cloudflare.net for each hostname at its DNS provider",
    ),
    "secondary": (
        "its records come from a primary (secondary DNS)",
        "turn on Secondary DNS Overrides, or convert it to a full zone",
    ),
    "internal": ("it is internal, so that no visitor sees it", "publish in a zone that is not"),
}


def about_zones(observations: Observations, policy: Policy) -> Iterator[Finding]:
    """Judge one zone after the other, then the domain filter over all of them."""
    if isinstance(observations.zones, Failure) or not observations.zones:
        return
    account = "" if isinstance(observations.account, Failure) else observations.account
    for zone_id, refused in observations.refused_ids.items():
        yield Finding(f"zone {zone_id}", Level.PROBLEM, str(refused), "remove it from CLOUDFLARE_ZONE_IDS")
    for zone, details in observations.zones.items():
        left_out = observations.left_out.get(zone)
        if left_out:
            yield _about_left_out(f"zone {zone.name}", left_out)
        else:
            yield _about_zone(f"zone {zone.name}", details, account, policy.domain_filter)
        usage = observations.usages.get(zone)
        if usage and not is_denied(usage):
            yield _about_records(f"records of {zone.name}", usage, details)
    yield from _about_filter(policy.domain_filter, [zone.name for zone in observations.zones])


def _about_zone(subject: str, zone: StoredZone, account: str, domain_filter: DomainFilter) -> Finding:
    if _may_select(domain_filter, zone.name):
        return _about_state(subject, zone, account)
    if _has_patterns(domain_filter):
        sentence = f"the regular expressions match neither {zone.name} nor www.{zone.name}"
        cure = f"try them on the names that are to be published below {zone.name}"
        return Finding(subject, Level.UNKNOWN, sentence, cure)
    return Finding(subject, Level.OK, "the domain filter excludes it: nothing is published there")


def _about_left_out(subject: str, claims: tuple[DnsRecord, ...] | Failure) -> Finding:
    if isinstance(claims, Failure):
        sentence = f"the domain filter excludes it, and whether hostnames in it are claimed cannot be read: {claims}"
        return Finding(subject, Level.UNKNOWN, sentence, cure_of(claims))
    number = "1 hostname in it is" if len(claims) == 1 else f"{len(claims)} hostnames in it are"
    sentence = f"the domain filter excludes it, and {number} claimed, such as {claims[0].name}: they stay as they are"
    cure = "widen DOMAIN_FILTER until external-dns has deleted them, or delete their records and rules by hand"
    return Finding(subject, Level.WARNING, sentence, cure)


def _about_state(subject: str, zone: StoredZone, account: str) -> Finding:
    if account and zone.account_id not in {"", account}:
        sentence = f"it is in account {zone.account_id}, and a tunnel serves only zones of its own account"
        cure = "remove it from CLOUDFLARE_ZONE_IDS, or move it to the account of the tunnels"
        return Finding(subject, Level.PROBLEM, sentence, cure)
    if zone.status not in {None, "active"}:
        sentence = f"it is {zone.status}, not active: its names do not resolve yet"
        cure = "at the registrar, set the name servers of the domain to those that the Cloudflare dashboard shows"
        return Finding(subject, Level.WARNING, sentence, cure)
    if zone.paused:
        sentence = "it is paused: nothing is proxied, so no tunnel is reached"
        return Finding(subject, Level.WARNING, sentence, "resume it in the Cloudflare dashboard")
    if zone.type in _TYPES:
        sentence, cure = _TYPES[zone.type]
        return Finding(subject, Level.WARNING, sentence, cure)
    return Finding(subject, Level.OK, "it is active")


def _about_records(subject: str, usage: Usage | Failure, zone: StoredZone) -> Finding:
    if isinstance(usage, Failure):
        return Finding(subject, Level.PROBLEM, str(usage), cure_of(usage))
    used, quota = usage.record_usage, usage.record_quota
    if used is None:
        cure = "check that there is room: each hostname takes one record"
        return Finding(subject, Level.UNKNOWN, "Cloudflare does not say how many there are", cure)
    if quota is None:
        return Finding(subject, Level.OK, f"{used}, and the zone has no quota of its own")
    plan = (zone.plan and zone.plan.legacy_id) or "unknown"
    sentence = f"{used} of {quota} that its plan ({plan}) allows"
    cure = "delete records that are not needed, or choose a larger plan: each hostname takes one record"
    if used >= quota:
        return Finding(subject, Level.PROBLEM, f"{sentence}: no hostname can be added", cure)
    if used >= _NEARLY_FULL * quota:
        room = quota - used
        number = "1 more hostname fits" if room == 1 else f"{room} more hostnames fit"
        return Finding(subject, Level.WARNING, f"{sentence}: {number}", cure)
    return Finding(subject, Level.OK, sentence)


def _about_filter(domain_filter: DomainFilter, zones: Collection[str]) -> Iterator[Finding]:
    subject = "domain filter"
    orphans = [entry for entry in domain_filter.include if not any(map(DomainFilter((entry,)).concerns, zones))]
    for entry in orphans:
        cure = "remove it from DOMAIN_FILTER, or grant Zone / Zone / Read on its zone"
        yield Finding(subject, Level.PROBLEM, f"no visible zone contains {entry}", cure)
    if orphans:
        return
    selected = sum(_may_select(domain_filter, zone) for zone in zones)
    if domain_filter == DomainFilter():
        yield Finding(subject, Level.OK, "none is set: names in every visible zone may be published")
    elif selected:
        yield Finding(subject, Level.OK, f"it selects names in {selected} of {len(zones)} zones")
    elif not _has_patterns(domain_filter):
        cure = "change DOMAIN_FILTER and EXCLUDE_DOMAINS so that they select a visible zone"
        yield Finding(subject, Level.PROBLEM, "it selects no zone to publish in", cure)


def _has_patterns(domain_filter: DomainFilter) -> bool:
    return bool(domain_filter.regex_include or domain_filter.regex_exclude)


def _may_select(domain_filter: DomainFilter, zone: str) -> bool:
    """Whether the filter may let a name in a zone pass; regular expressions are tried on two likely names."""
    if _has_patterns(domain_filter):
        return any(domain_filter.matches(Hostname(name)) for name in (zone, f"www.{zone}"))
    return domain_filter.concerns(zone)
