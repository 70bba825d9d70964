"""A tunnel's configuration document: read, and replaced as a whole.

| PUT                                                    | answer                                                             |
|--------------------------------------------------------|--------------------------------------------------------------------|
| a document that cloudflared takes                      | stored, version + 1, `warp-routing` added where it was left out    |
| one that it refuses, or without rules                  | 400, 1056 and cloudflared's own sentence; nothing is stored        |
| a tunnel that is deleted                               | 404, 1055                                                          |
| a tunnel that is locally managed                       | `Behaviour.local_put`                                              |

A stored document keeps its unknown members and the text of its numbers. Its members come back in another order, shorter keys
first: what was recorded (`path`, `service`, `hostname`, `originRequest`; `ingress`, `warp-routing`) is the order of
PostgreSQL's `jsonb`, at every depth. `Behaviour.key_order` turns that off.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import Response, body_as, succeed
from doubles.emulator.problems import BAD_CONFIGURATION, CONFIGURATION_MISSING, LOCALLY_MANAGED, Refused
from doubles.emulator.state import State
from doubles.emulator.tunnels import tunnel_of
from doubles.emulator.values import Configuration, Tunnel
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.errors import InvalidConfiguration

_WARP_ROUTING = b'{"enabled":false}'
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


def get_configuration(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel/{tunnel}/configurations."""
    tunnel = tunnel_of(state, call)
    if tunnel.configuration is None or tunnel.deleted_at is not None:
        raise Refused(CONFIGURATION_MISSING)
    return state, _told(state, tunnel, tunnel.configuration)


def put_configuration(state: State, call: Call) -> Outcome:
    """PUT /accounts/{account}/cfd_tunnel/{tunnel}/configurations."""
    tunnel = tunnel_of(state, call)
    if tunnel.deleted_at is not None:
        raise Refused(CONFIGURATION_MISSING)
    if tunnel.config_src == "local" and state.behaviour.local_put == "refuse":
        raise Refused(LOCALLY_MANAGED)
    body_as(call.request, dict[str, Any])
    sent = bytes(_object.decode(call.request.body).get("config", msgspec.Raw(b"null")))
    _check(sent)
    stored = _stored(sent, by_length=state.behaviour.key_order == "by length")
    held = tunnel.configuration or Configuration()
    if held.document != stored or state.behaviour.identical_put_counts:
        held = Configuration(document=stored, version=held.version + 1, created_at=call.time)
    tunnel = replace(tunnel, configuration=held, config_src="cloudflare")
    return state.with_tunnel(tunnel), _told(state, tunnel, held)


def _check(document: bytes) -> None:
    try:
        check_configuration(TunnelConfiguration.parse(document.decode()))
    except InvalidConfiguration as error:
        raise Refused(BAD_CONFIGURATION.about(error)) from error


def _stored(document: bytes, *, by_length: bool) -> str:
    """Return the text that is kept of a document that was sent."""
    parts = _object.decode(document)
    if "warp-routing" not in parts:
        parts["warp-routing"] = msgspec.Raw(_WARP_ROUTING)
        document = msgspec.json.encode(parts)
    return (_by_length(document) if by_length else document).decode()


def _by_length(text: bytes) -> bytes:
    """Return JSON with the members of every object in the order of `jsonb`: by length, then by bytes; the last of doubles."""
    if text.startswith(b"{"):
        found = {key.encode(): bytes(raw) for key, raw in _object.decode(text).items()}
        keys = sorted(found, key=lambda key: (len(key), key))
        return (
            b"{" + b",".join(msgspec.json.encode(key.decode()) + b":" + _by_length(found[key]) for key in keys) + b"}"
        )
    if text.startswith(b"["):
        return b"[" + b",".join(_by_length(bytes(raw)) for raw in _array.decode(text)) + b"]"
    return text


def _told(state: State, tunnel: Tunnel, configuration: Configuration) -> Response:
    owner = {"account_id": tunnel.account} if state.behaviour.account_id else {}
    return succeed(
        {
            "tunnel_id": tunnel.id,
            **owner,
            "version": configuration.version,
            "config": msgspec.Raw(configuration.document.encode()),
            "source": configuration.source,
            "created_at": configuration.created_at,
        }
    )
