"""What an operator sees: metrics, one line a sync in the log, events on the span.

OpenTelemetry's API is silent until `telemetry` gives it an SDK, so all of it is written here without knowing one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping

from opentelemetry import metrics, trace

from tunnel_webhook.domain.adjustment import Adjustment
from tunnel_webhook.domain.existing import DRIFTS, Existing
from tunnel_webhook.domain.ingress import TunnelConfiguration
from tunnel_webhook.domain.plan import Action, Plan
from tunnel_webhook.domain.policy import Policy
from tunnel_webhook.domain.records import Report

log = logging.getLogger(__name__)
_meter = metrics.get_meter("tunnel_webhook")
_rejected = _meter.create_counter("tunnel_webhook_rejections", description="Endpoints that were not applied, by reason")
_withheld = _meter.create_counter("tunnel_webhook_withheld_deletions", description="Deletions that the guard withheld")
_foreign = _meter.create_counter("tunnel_webhook_foreign_writes", description="Writes by others found between load and save")
_dropped = _meter.create_counter("tunnel_webhook_dropped_endpoints", description="Endpoints of types that no tunnel carries")
_changed = _meter.create_counter("tunnel_webhook_changed_hostnames", description="Hostnames changed, by action")
_managed = _meter.create_gauge("tunnel_webhook_managed_hostnames", description="Hostnames visible here, by tunnel")
_drifted = _meter.create_gauge("tunnel_webhook_drifted_hostnames", description="Managed hostnames found amiss, by drift")
_version = _meter.create_gauge("tunnel_webhook_configuration_version", description="Version of each tunnel's document")
_success = _meter.create_gauge("tunnel_webhook_last_success_timestamp_seconds", description="When the driven ports last answered")


def tell_adjustment(adjustment: Adjustment) -> None:
    """Name the endpoints that cannot be published, and count those that no tunnel carries."""
    for each in adjustment.unpublishable:
        log.warning("cannot publish %s (%s): %s: %s", each.endpoint.dns_name, each.endpoint.resource, each.code, each.sentence)
    for kind, number in Counter(endpoint.record_type for endpoint in adjustment.dropped).items():
        _dropped.add(number, {"type": kind})


def tell_records(reported: Report, existing: Existing, policy: Policy) -> None:
    """Name the hostnames that have drifted, and measure how many are managed."""
    for hostname, drift in reported.drift:
        log.warning("%s has drifted: %s; external-dns asks for it anew if it still wants it", hostname, drift)
    drifts = Counter(drift for _, drift in reported.drift)
    for drift in DRIFTS:
        _drifted.set(drifts[drift], {"drift": drift})
    homes = Counter(claim.tunnel for claim in existing.claims.values() if policy.sees(claim.marker.owner))
    for tunnel in policy.tunnels:
        _managed.set(homes[tunnel.id], {"tunnel": tunnel.label})


def tell_versions(configurations: Mapping[str, TunnelConfiguration], policy: Policy) -> None:
    """Measure the version of each tunnel's document."""
    for tunnel, configuration in configurations.items():
        _version.set(configuration.version, {"tunnel": policy.tunnel_label(tunnel)})


def tell_foreign_write(tunnel: str, loaded: int, stored: int) -> None:
    """Say that somebody else wrote a tunnel's document between our load and our save."""
    _foreign.add(1, {"tunnel": tunnel})
    log.warning(
        "somebody else wrote the configuration of tunnel %s at the same time: loaded version %d, stored %d; looking again",
        tunnel,
        loaded,
        stored,
    )


def tell_success(at: float) -> None:
    """Measure when the driven ports last answered."""
    _success.set(at)


def tell_plan(decided: Plan, done: Plan, *, dry_run: bool) -> None:
    """Log one line of what changed and one a rejection; the same on the span and in the metrics."""
    span = trace.get_current_span()
    counts = done.counts
    for name, number in counts.items():
        span.set_attribute(f"tunnel_webhook.{name}", number)
    for decision in done.decisions:
        log.debug("%s%s %s", "would " if dry_run else "", decision.action.value, decision.hostname)
    if not dry_run:
        for action in Action:
            _changed.add(counts[action.value], {"action": action.value})
    for rejection in done.rejections:
        _rejected.add(1, {"reason": rejection.code})
        span.add_event("rejected", {"hostname": rejection.hostname, "reason": rejection.code, "sentence": rejection.sentence})
        log.warning("rejected %s (%s): %s: %s", rejection.hostname, rejection.resource, rejection.code, rejection.sentence)
    _withheld.add(len(done.withheld))
    said = ", ".join(f"{name} {number}" for name, number in counts.items() if number) or "nothing to do"
    waiting = len(decided.decisions) - len(done.decisions) - len(done.rejections) + len(decided.rejections)
    log.info("%s: %s%s", "dry run, would apply" if dry_run else "applied", said, f", waiting {waiting}" if waiting > 0 else "")
