"""A tunnel's configuration document: read, and replaced as a whole.

| PUT                                   | answer                                                  |
|---------------------------------------|---------------------------------------------------------|
| a document that cloudflared accepts   | stored, version + 1, `warp-routing` added where missing |
| one that it refuses, or without rules | 400, 1056 and cloudflared's sentence; nothing is stored |
| a tunnel that is deleted              | 404, 1055                                               |
| a tunnel that is locally managed      | 400, 1056 (unconfirmed)                                 |

A stored document keeps its unknown members and the text of its numbers. Its members come back in another order: what
was recorded (`path`, `service`, `hostname`, `originRequest`; `ingress`, `warp-routing`) is the order of PostgreSQL's
`jsonb`, shorter keys first, at every depth. `Behaviour.key_order` turns that off.
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
    return state, _answer(tunnel, tunnel.configuration)


def put_configuration(state: State, call: Call) -> Outcome:
    """PUT /accounts/{account}/cfd_tunnel/{tunnel}/configurations."""
    tunnel = tunnel_of(state, call)
    if tunnel.deleted_at is not None:
        raise Refused(CONFIGURATION_MISSING)
    if tunnel.config_src == "local":
        raise Refused(LOCALLY_MANAGED)
    body_as(call.request, dict[str, Any])
    document = bytes(_object.decode(call.request.body).get("config", msgspec.Raw(b"null")))
    _check(document)
    configuration = Configuration(
        document=_stored(document, by_length=state.behaviour.key_order == "by length"),
        version=state.version(tunnel.id) + 1,
        created_at=call.time,
    )
    tunnel = replace(tunnel, configuration=configuration)
    return state.with_tunnel(tunnel), _answer(tunnel, configuration)


def _check(document: bytes) -> None:
    try:
        check_configuration(TunnelConfiguration.parse(document.decode()))
    except InvalidConfiguration as error:
        raise Refused(BAD_CONFIGURATION.about(error)) from error


def _stored(document: bytes, *, by_length: bool) -> str:
    """Return the text under which a document is stored."""
    members = _object.decode(document)
    if "warp-routing" not in members:
        members["warp-routing"] = msgspec.Raw(_WARP_ROUTING)
        document = msgspec.json.encode(members)
    return (_by_length(document) if by_length else document).decode()


def _by_length(text: bytes) -> bytes:
    """Return JSON with the members of all objects in the order of `jsonb`: by length, then by bytes; no doubles."""
    if text.startswith(b"{"):
        members = {key.encode(): bytes(raw) for key, raw in _object.decode(text).items()}
        ordered = sorted(members.items(), key=lambda member: (len(member[0]), member[0]))
        texts = (msgspec.json.encode(key.decode()) + b":" + _by_length(value) for key, value in ordered)
        return b"{" + b",".join(texts) + b"}"
    if text.startswith(b"["):
        return b"[" + b",".join(_by_length(bytes(raw)) for raw in _array.decode(text)) + b"]"
    return text


def _answer(tunnel: Tunnel, configuration: Configuration) -> Response:
    return succeed(
        {
            "tunnel_id": tunnel.id,
            "version": configuration.version,
            "config": msgspec.Raw(configuration.document.encode()),
            "source": configuration.source,
            "created_at": configuration.created_at,
        }
    )
