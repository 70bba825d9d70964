"""What is measured: metrics, and events on the span; `sync_log` writes the log.

OpenTelemetry's API is silent until `telemetry` gives it an SDK, so nothing here depends on one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping

from opentelemetry import metrics, trace

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.external_dns.adjustment import Adjustment
from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.planning.disallowed import Disallowed
from tunnel_webhook.domain.planning.existing import Drift, Existing
from tunnel_webhook.domain.planning.plan import Action, Plan
from tunnel_webhook.domain.planning.report import Report
from tunnel_webhook.domain.quotation import shortened
from tunnel_webhook.ports import Failure

log = logging.getLogger(__name__)
_meter = metrics.get_meter("tunnel_webhook")
_rejected = _meter.create_counter("tunnel_webhook_rejections", description="Endpoints that were not applied, by reason")
_withheld = _meter.create_counter("tunnel_webhook_withheld_deletions", description="Deletions that the guard withheld")
_foreign = _meter.create_counter(
    "tunnel_webhook_foreign_writes",
    description="Versions of a configuration by others that a write of ours overwrote, by tunnel",
)
_dropped = _meter.create_counter(
    "tunnel_webhook_dropped_endpoints", description="Endpoints of types that no tunnel can carry, by type"
)
_changed = _meter.create_counter("tunnel_webhook_changed_hostnames", description="Hostnames changed, by action")
_managed = _meter.create_gauge(
    "tunnel_webhook_managed_hostnames", description="Hostnames that this instance sees, by tunnel"
)
_overruled = _meter.create_gauge(
    "tunnel_webhook_overruled_hostnames",
    description="Hostnames with rules that others made and that take requests before ours",
)
_drifted = _meter.create_gauge("tunnel_webhook_drifted_hostnames", description="Drifted hostnames, by drift")
_version = _meter.create_gauge(
    "tunnel_webhook_configuration_version", description="Version of the configuration, by tunnel"
)
_reliable = _meter.create_gauge(
    "tunnel_webhook_tunnel_reliable", description="1 if the last answer about a tunnel is believed, else 0; by tunnel"
)
_policy_file = _meter.create_gauge(
    "tunnel_webhook_policy_file_valid", description="1 if the policy file, as last read, is the policy in force, else 0"
)
_disallowed = _meter.create_gauge(
    "tunnel_webhook_disallowed_rules", description="Published rules that the policy does not allow any more"
)
_success = _meter.create_gauge(
    "tunnel_webhook_last_success_timestamp_seconds", description="When the driven ports last answered"
)

_MOST_EVENTS = 50
_MOST_CHARACTERS = 253
_KNOWN_TYPES = frozenset(
    {"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "SVCB", "TLSA", "TXT"}
)


def observe_adjustment(adjustment: Adjustment) -> None:
    """Count the endpoints that no tunnel can carry."""
    for record_type, number in Counter(_type(endpoint) for endpoint in adjustment.dropped).items():
        _dropped.add(number, {"type": record_type})


def observe_report(reported: Report, existing: Existing, policy: Policy) -> None:
    """Measure how many hostnames are managed, have drifted, and have rules by others before ours."""
    drifts = Counter(drift for _, drift in reported.drift)
    for drift in Drift:
        _drifted.set(drifts[drift], {"drift": drift.value})
    _overruled.set(len(reported.overruled))
    tunnels = Counter(claim.tunnel for claim in existing.claims.values() if policy.sees(claim.marker.owner))
    for tunnel in policy.tunnels:
        _managed.set(tunnels[tunnel.id], {"tunnel": tunnel.label})


def observe_versions(configurations: Mapping[str, TunnelConfiguration], policy: Policy) -> None:
    """Measure the version of each tunnel's document, as last believed."""
    for tunnel, configuration in configurations.items():
        _version.set(configuration.version, {"tunnel": policy.tunnel_label(tunnel)})


def observe_belief(failures: Mapping[str, Failure | None], policy: Policy) -> None:
    """Measure which tunnels can be relied on."""
    for tunnel, failure in failures.items():
        _reliable.set(int(failure is None), {"tunnel": policy.tunnel_label(tunnel)})


def observe_foreign_write(tunnel: str, first: int, last: int) -> None:
    """Say that our write of a tunnel's document overwrote what someone else wrote in the same moment."""
    versions = f"version {first}" if first == last else f"versions {first} to {last}"
    _foreign.add(last - first + 1, {"tunnel": tunnel})
    log.error(
        "overwrote %s of the configuration of tunnel %s, which someone else wrote in the same moment; the log of"
        " cloudflared holds what they contained",
        versions,
        tunnel,
    )


def observe_policy_file(fault: str) -> None:
    """Say that a changed policy file is in force, or why it is not; the fault is empty for a valid one."""
    if fault:
        log.error("the policy file was changed and is not in force, and the last good one stays: %s", fault)
    else:
        log.info("the policy file was changed and is in force")


def measure_policy_file(*, is_valid: bool) -> None:
    """Measure whether the policy file is in force as it was last read."""
    _policy_file.set(int(is_valid))


def observe_disallowed(disallowed: Collection[Disallowed]) -> None:
    """Count the published rules that the policy does not allow any more."""
    _disallowed.set(len(disallowed))


def observe_success(at: float) -> None:
    """Measure when the driven ports last answered, in seconds since the epoch."""
    _success.set(at)


def observe_plan(applied: Plan, *, dry_run: bool) -> None:
    """Measure what changed, what was rejected and what was withheld; the same on the span, with an event each."""
    span = trace.get_current_span()
    for name, number in applied.counts.items():
        span.set_attribute(f"tunnel_webhook.{name}", number)
    if not dry_run:
        for action in Action:
            _changed.add(applied.counts[action.value], {"action": action.value})
    for reason, number in Counter(rejection.reason for rejection in applied.rejections).items():
        _rejected.add(number, {"reason": reason.value})
    for rejection in applied.rejections[:_MOST_EVENTS]:
        name = shortened(rejection.hostname, _MOST_CHARACTERS)
        event = {"hostname": name, "reason": rejection.reason.value, "sentence": rejection.sentence}
        span.add_event("rejected", event)
    _withheld.add(len(applied.withheld))


def _type(endpoint: Endpoint) -> str:
    """Return the record type of an endpoint, `other` for one that DNS does not have: each would be a time series."""
    return endpoint.record_type if endpoint.record_type in _KNOWN_TYPES else "other"
