"""Each configured tunnel: whether it can be written to, and whether anybody serves what is written.

| subject            | verdict | when                                                                               |
|--------------------|---------|------------------------------------------------------------------------------------|
| tunnel …           | problem | it does not exist, is deleted, or is not remotely managed                          |
| document of …      | problem | cloudflared refuses it, so that nothing can be added to it; or it cannot be read   |
| connectors of …    | warning | none is connected, or one has applied an older version of the document             |
| connectors of …    | unknown | they cannot be listed                                                              |

Nothing is told of a tunnel that we may not read: the missing permission is told in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tunnel_webhook.adapters.cloudflare.check.observations import Sightings, TunnelSighting, cure_of, told
from tunnel_webhook.adapters.cloudflare.codec import Connector
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Failure, Finding, Level

_NOT_FOUND = 404
_ANOTHER = "set CLOUDFLARE_TUNNEL_ID to a tunnel of the account"


def about_tunnels(sightings: Sightings, policy: Policy) -> Iterator[Finding]:
    """Judge one tunnel after the other."""
    for tunnel, sighting in sightings.tunnels.items():
        if sighting.refusal:
            continue
        label = policy.tunnel_label(tunnel)
        itself = _about_tunnel(f"tunnel {label}", sighting)
        yield itself
        if itself.level is Level.OK:
            yield _about_document(f"document of {label}", sighting.configuration)
            yield _about_connectors(f"connectors of {label}", sighting)


def _about_tunnel(subject: str, sighting: TunnelSighting) -> Finding:
    tunnel = sighting.tunnel
    if isinstance(tunnel, Refused) and tunnel.status == _NOT_FOUND:
        cure = f"{_ANOTHER}, or CLOUDFLARE_ACCOUNT_ID to the account of the tunnel"
        return Finding(subject, Level.PROBLEM, f"it does not exist in the account: {told(tunnel)}", cure)
    if isinstance(tunnel, Failure):
        return Finding(subject, Level.PROBLEM, str(tunnel), cure_of(tunnel))
    if tunnel.deleted_at:
        return Finding(subject, Level.PROBLEM, f"it was deleted at {tunnel.deleted_at}", _ANOTHER)
    if tunnel.is_local:
        cure = "migrate it in the Cloudflare dashboard, or set CLOUDFLARE_TUNNEL_ID to a remotely managed one"
        return Finding(
            subject, Level.PROBLEM, "it is not remotely managed: a file beside its cloudflared rules it", cure
        )
    return Finding(subject, Level.OK, f"it exists as {tunnel.name!r} and is remotely managed")


def _about_document(subject: str, configuration: TunnelConfiguration | Failure) -> Finding:
    if isinstance(configuration, Failure):
        return Finding(subject, Level.PROBLEM, str(configuration), cure_of(configuration))
    version = f"version {configuration.version}"
    if not configuration.rules:
        return Finding(
            subject, Level.OK, f"{version} has no rules yet; the first hostname brings the catch-all http_status:404"
        )
    try:
        check_configuration(configuration)
    except InvalidConfiguration as error:
        cure = "mend it in the Cloudflare dashboard: until then cloudflared keeps its last good one, and nothing is published here"
        return Finding(subject, Level.PROBLEM, f"cloudflared refuses {version}: {error}", cure)
    number = len(configuration.rules)
    sentence = (
        f"cloudflared takes {version}: rules {number}, the last one the catch-all to {configuration.rules[-1].service}"
    )
    return Finding(subject, Level.OK, sentence)


def _about_connectors(subject: str, sighting: TunnelSighting) -> Finding:
    connectors = sighting.connectors
    if isinstance(connectors, Failure):
        return Finding(subject, Level.UNKNOWN, told(connectors), cure_of(connectors))
    if not connectors:
        cure = "run cloudflared with the token of this tunnel; until then its hostnames answer with error 1033"
        return Finding(subject, Level.WARNING, "no cloudflared is connected", cure)
    versions = Counter(connector.version or "of no version that is told" for connector in connectors)
    running = "cloudflared " + ", ".join(f"{version} ({number})" for version, number in sorted(versions.items()))
    newest = 0 if isinstance(sighting.configuration, Failure) else sighting.configuration.version
    behind = [connector for connector in connectors if _lags(connector, newest)]
    if behind:
        oldest = min(connector.config_version or 0 for connector in behind)
        sentence = (
            f"{running}; {len(behind)} of {len(connectors)} behind version {newest} of the document, down to {oldest}"
        )
        cure = "run this again in a minute; if it stays so, read in the log of cloudflared why it refuses the document"
        return Finding(subject, Level.WARNING, sentence, cure)
    return Finding(subject, Level.OK, running)


def _lags(connector: Connector, newest: int) -> bool:
    return connector.config_version is not None and connector.config_version < newest
