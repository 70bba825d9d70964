"""The zones: whether names in them reach visitors, whether records fit in, and whether the domain filter means them.

| subject             | verdict | when                                                                                  |
|---------------------|---------|---------------------------------------------------------------------------------------|
| zone …              | ok      | it is active, or the domain filter excludes it                                        |
| zone …              | warning | it is not active, is paused, or is of a type for which records alone do not do        |
| zone …              | problem | it is in another account than the tunnels                                             |
| zone …              | unknown | regular expressions filter, and match neither its name nor one below it               |
| records of …        | warning | nine tenths of its quota are used                                                     |
| records of …        | problem | all of its quota is used, or that cannot be read                                      |
| records of …        | unknown | how many there are, or may be, is not told                                            |
| domain filter       | problem | no zone holds one of its entries, or it leaves no zone                                |
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tunnel_webhook.adapters.cloudflare.check.observations import Sightings, cure_of, is_denied
from tunnel_webhook.adapters.cloudflare.codec import StoredZone, Usage
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.ports import Failure, Finding, Level

_NEARLY_FULL = 0.9
_TYPES: Mapping[str | None, tuple[str, str]] = {
    "partial": (
        "its records are elsewhere (CNAME setup)",
        "for each hostname make a CNAME to <hostname>.cdn.cloudflare.net at its DNS provider",
    ),
    "secondary": (
        "its records come from a primary (secondary DNS)",
        "turn on Secondary DNS Overrides, or make it a full zone",
    ),
    "internal": ("it is internal, so that no visitor sees it", "publish in a zone that is not"),
}


def about_zones(sightings: Sightings, policy: Policy) -> Iterator[Finding]:
    """Judge one zone after the other, then the domain filter over all of them."""
    if isinstance(sightings.zones, Failure) or not sightings.zones:
        return
    account = "" if isinstance(sightings.account, Failure) else sightings.account
    for zone, stored in sightings.zones.items():
        yield _about_zone(f"zone {zone.name}", stored, account, policy.domain_filter)
        usage = sightings.usages[zone]
        if not is_denied(usage):
            yield _about_records(f"records of {zone.name}", usage, stored)
    yield from _about_filter(policy.domain_filter, [zone.name for zone in sightings.zones])


def _about_zone(subject: str, stored: StoredZone, account: str, domain_filter: DomainFilter) -> Finding:
    if _may_hold(domain_filter, stored.name):
        return _about_state(subject, stored, account)
    if _is_regular(domain_filter):
        cure = f"try the expressions on the names that are to be published below {stored.name}"
        return Finding(subject, Level.UNKNOWN, "the domain filter matches neither its name nor one below it", cure)
    return Finding(subject, Level.OK, "the domain filter excludes it: nothing is published there")


def _about_state(subject: str, stored: StoredZone, account: str) -> Finding:
    if account and stored.account_id not in {"", account}:
        sentence = f"it is in account {stored.account_id}, and a tunnel serves only the zones of its own"
        return Finding(
            subject, Level.PROBLEM, sentence, "take it out of CLOUDFLARE_ZONE_IDS, or move it to the account"
        )
    if stored.status not in {None, "active"}:
        cure = "set the name servers of the domain, at its registrar, to those that the Cloudflare dashboard tells"
        return Finding(subject, Level.WARNING, f"it is {stored.status}, not active: its names do not resolve yet", cure)
    if stored.paused:
        cure = "resume it in the Cloudflare dashboard"
        return Finding(subject, Level.WARNING, "it is paused: nothing is proxied, so that no tunnel is reached", cure)
    if stored.type in _TYPES:
        sentence, cure = _TYPES[stored.type]
        return Finding(subject, Level.WARNING, sentence, cure)
    return Finding(subject, Level.OK, "it is active")


def _about_records(subject: str, usage: Usage | Failure, stored: StoredZone) -> Finding:
    if isinstance(usage, Failure):
        return Finding(subject, Level.PROBLEM, str(usage), cure_of(usage))
    used, quota = usage.record_usage, usage.record_quota
    if used is None:
        cure = "see that there is room: each hostname takes one record"
        return Finding(subject, Level.UNKNOWN, "Cloudflare does not tell how many there are", cure)
    if quota is None:
        return Finding(subject, Level.OK, f"{used}, without a quota of the zone's own")
    plan = (stored.plan and stored.plan.legacy_id) or "unknown"
    sentence = f"{used} of {quota} that its plan ({plan}) allows"
    cure = "take out records that nobody needs, or choose a larger plan: each hostname takes one record"
    if used >= quota:
        return Finding(subject, Level.PROBLEM, f"{sentence}: no hostname can be added", cure)
    if used >= _NEARLY_FULL * quota:
        return Finding(subject, Level.WARNING, f"{sentence}: {quota - used} hostnames more fit in", cure)
    return Finding(subject, Level.OK, sentence)


def _about_filter(domain_filter: DomainFilter, zones: Collection[str]) -> Iterator[Finding]:
    subject = "domain filter"
    lost = [entry for entry in domain_filter.include if not any(_overlap(entry, zone) for zone in zones)]
    for entry in lost:
        cure = "take it out of DOMAIN_FILTER, or grant Zone / Zone / Read on its zone"
        yield Finding(subject, Level.PROBLEM, f"no zone that is seen holds {entry}", cure)
    if lost:
        return
    kept = sum(_may_hold(domain_filter, zone) for zone in zones)
    if domain_filter == DomainFilter():
        yield Finding(subject, Level.OK, "none is set: names in every zone that is seen may be published")
    elif kept:
        yield Finding(subject, Level.OK, f"it lets names in {kept} of {len(zones)} zones pass")
    elif not _is_regular(domain_filter):
        cure = "let DOMAIN_FILTER and EXCLUDE_DOMAINS leave a zone that is seen"
        yield Finding(subject, Level.PROBLEM, "it leaves no zone to publish in", cure)


def _is_regular(domain_filter: DomainFilter) -> bool:
    return bool(domain_filter.regex_include or domain_filter.regex_exclude)


def _may_hold(domain_filter: DomainFilter, zone: str) -> bool:
    """Whether a name in a zone may pass; of regular expressions two likely names are tried."""
    if _is_regular(domain_filter):
        return any(domain_filter.matches(Hostname(name)) for name in (zone, f"www.{zone}"))
    if not DomainFilter(exclude=domain_filter.exclude).matches(Hostname(zone)):
        return False
    return not domain_filter.include or any(_overlap(entry, zone) for entry in domain_filter.include)


def _overlap(entry: str, zone: str) -> bool:
    """Whether an entry of the filter names a zone, what is in it, or what it is in."""
    one, other = f".{entry.removeprefix('.')}", f".{zone}"
    return one.endswith(other) or other.endswith(one)
