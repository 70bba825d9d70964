"""Each configured tunnel: whether it can be written to, and whether a cloudflared serves what is written.

| subject         | level   | when                                                                                |
|-----------------|---------|-------------------------------------------------------------------------------------|
| tunnel …        | ok      | it exists and is remotely managed                                                   |
| tunnel …        | problem | it does not exist, is deleted, is not remotely managed, or cannot be read           |
| document of …   | ok      | cloudflared accepts it, or it has no rules yet                                      |
| document of …   | problem | cloudflared refuses it, so that nothing can be added to it, or it cannot be read    |
| connectors of … | ok      | at least one is connected, and all have applied the current version of the document |
| connectors of … | warning | none is connected, or one has applied an older version of the document              |
| connectors of … | unknown | they cannot be listed                                                               |

For a tunnel that may not be read, only the missing permission is reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from tunnel_webhook.adapters.cloudflare.check.observations import (
    Observations,
    TunnelObservation,
    cure_of,
    sentence_of,
)
from tunnel_webhook.adapters.cloudflare.codec import Connector
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Failure, Finding, Level

_ANOTHER = "set CLOUDFLARE_TUNNEL_ID to a tunnel of the account"


def about_tunnels(observations: Observations, policy: Policy) -> Iterator[Finding]:
    """Judge one tunnel after the other."""
    for tunnel, observation in observations.tunnels.items():
        if observation.denial:
            continue
        label = policy.tunnel_label(tunnel)
        finding = _about_tunnel(f"tunnel {label}", observation)
        yield finding
        if finding.level is Level.OK:
            yield _about_document(f"document of {label}", observation.configuration)
            yield _about_connectors(f"connectors of {label}", observation)


def _about_tunnel(subject: str, observation: TunnelObservation) -> Finding:
    tunnel = observation.tunnel
    if isinstance(tunnel, Refused) and tunnel.status == HTTPStatus.NOT_FOUND:
        cure = f"{_ANOTHER}, or CLOUDFLARE_ACCOUNT_ID to the account of the tunnel"
        return Finding(subject, Level.PROBLEM, f"it does not exist in the account: {sentence_of(tunnel)}", cure)
    if isinstance(tunnel, Failure):
        return Finding(subject, Level.PROBLEM, str(tunnel), cure_of(tunnel))
    if tunnel.deleted_at:
        return Finding(subject, Level.PROBLEM, f"it was deleted at {tunnel.deleted_at}", _ANOTHER)
    if tunnel.is_local:
        sentence = "it is not remotely managed: its cloudflared reads a local configuration file"
        cure = "migrate it in the Cloudflare dashboard, or set CLOUDFLARE_TUNNEL_ID to a remotely managed tunnel"
        return Finding(subject, Level.PROBLEM, sentence, cure)
    return Finding(subject, Level.OK, f"it exists as {tunnel.name!r} and is remotely managed")


def _about_document(subject: str, configuration: TunnelConfiguration | Failure) -> Finding:
    if isinstance(configuration, Failure):
        return Finding(subject, Level.PROBLEM, str(configuration), cure_of(configuration))
    version = f"version {configuration.version}"
    if not configuration.rules:
        sentence = f"{version} has no rules yet; the first hostname adds the catch-all http_status:404"
        return Finding(subject, Level.OK, sentence)
    try:
        check_configuration(configuration)
    except InvalidConfiguration as error:
        cure = (
            "fix it in the Cloudflare dashboard: until then cloudflared keeps its last valid document,"
            " and nothing is published here"
        )
        return Finding(subject, Level.PROBLEM, f"cloudflared refuses {version}: {error}", cure)
    rules = len(configuration.rules)
    number = "1 rule" if rules == 1 else f"{rules} rules"
    catch_all = configuration.rules[-1].service
    return Finding(subject, Level.OK, f"cloudflared accepts {version}: {number}, the last a catch-all to {catch_all}")


def _about_connectors(subject: str, observation: TunnelObservation) -> Finding:
    connectors = observation.connectors
    if isinstance(connectors, Failure):
        return Finding(subject, Level.UNKNOWN, sentence_of(connectors), cure_of(connectors))
    if not connectors:
        cure = "run cloudflared with the token of this tunnel; until then its hostnames answer with error 1033"
        return Finding(subject, Level.WARNING, "no cloudflared is connected", cure)
    versions = Counter(connector.version or "of unknown version" for connector in connectors)
    running = "cloudflared " + ", ".join(f"{version} ({number})" for version, number in sorted(versions.items()))
    newest = 0 if isinstance(observation.configuration, Failure) else observation.configuration.version
    behind = [connector for connector in connectors if _lags(connector, newest)]
    if behind:
        oldest = min(connector.config_version or 0 for connector in behind)
        lag = f"{len(behind)} of {len(connectors)} behind version {newest} of the document, the oldest at {oldest}"
        cure = "run this again in a minute; if it stays so, the log of cloudflared says why it refuses the document"
        return Finding(subject, Level.WARNING, f"{running}; {lag}", cure)
    return Finding(subject, Level.OK, running)


def _lags(connector: Connector, newest: int) -> bool:
    return connector.config_version is not None and connector.config_version < newest
