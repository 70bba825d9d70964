"""Tunnels: which there are, one of them, its connectors and its token.

A deleted tunnel is listed only on demand, and still read by its id: with `deleted_at`, without `config_src` (recorded 2026-09-29).
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import listing, paged, succeed
from doubles.emulator.problems import UNKNOWN_TUNNEL, Refused
from doubles.emulator.state import State, identifier
from doubles.emulator.values import Connector, Tunnel

_FEATURES = ["allow_remote_config", "serialized_headers", "support_datagram_v2", "support_quic_eof", "management_logs"]


def tunnel_of(state: State, call: Call) -> Tunnel:
    """Return the tunnel that a path names; raise Refused where the account has none such."""
    tunnel = state.tunnels.get(call.ids["tunnel"])
    if tunnel is None or tunnel.account != call.ids["account"]:
        raise Refused(UNKNOWN_TUNNEL)
    return tunnel


def list_tunnels(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel: without `is_deleted` only the live ones, as since 2025-12-01."""
    request = call.request
    wants_deleted = request.asked("is_deleted") == "true"
    name, uuid, status = (request.asked(key) for key in ("name", "uuid", "status"))
    prefix, unwanted = request.asked("include_prefix"), request.asked("exclude_prefix")
    found = [
        tunnel
        for tunnel in state.tunnels.values()
        if tunnel.account == call.ids["account"]
        and (tunnel.deleted_at is not None) == wants_deleted
        and name in {"", tunnel.name}
        and uuid in {"", tunnel.id}
        and status in {"", tunnel.status}
        and tunnel.name.startswith(prefix)
        and not (unwanted and tunnel.name.startswith(unwanted))
    ]
    page = paged(request, found, (1000, 1, 1000), total_pages=False)
    return state, listing(page, [_told(state, tunnel) for tunnel in page.items])


def get_tunnel(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel/{tunnel}."""
    return state, succeed(_told(state, tunnel_of(state, call)))


def get_connections(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel/{tunnel}/connections: not in pages."""
    tunnel = tunnel_of(state, call)
    return state, succeed([_connector(state, tunnel, connector) for connector in tunnel.connectors])


def get_tunnel_token(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel/{tunnel}/token: what a cloudflared runs with, a bare string."""
    tunnel = tunnel_of(state, call)
    told = {"a": tunnel.account, "t": tunnel.id, "s": tunnel.secret}
    return state, succeed(base64.b64encode(msgspec.json.encode(told)).decode())


def _told(state: State, tunnel: Tunnel) -> dict[str, Any]:
    is_deleted = tunnel.deleted_at is not None
    is_connected = bool(tunnel.connectors) or tunnel.status in {"healthy", "degraded"}
    is_live = is_connected and not is_deleted
    told: dict[str, Any] = {
        "id": tunnel.id,
        "account_tag": tunnel.account,
        "created_at": tunnel.created_at,
        "deleted_at": tunnel.deleted_at,
        "name": tunnel.name,
    }
    if state.behaviour.deprecated_connections:
        told["connections"] = [each for connector in tunnel.connectors for each in _connections(connector)]
    told |= {
        "conns_active_at": tunnel.conns_active_at if is_live else None,
        "conns_inactive_at": None if is_live else tunnel.deleted_at or tunnel.created_at,
        "tun_type": "cfd_tunnel",
        "metadata": {},
        "status": "down" if is_deleted else tunnel.status,
        "remote_config": tunnel.config_src == "cloudflare" and not is_deleted,
    }
    return told if is_deleted else {**told, "config_src": tunnel.config_src}


def _connector(state: State, tunnel: Tunnel, connector: Connector) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": connector.id,
        "features": _FEATURES,
        "version": connector.version,
        "arch": connector.arch,
        "conns": _connections(connector),
        "run_at": connector.run_at,
        "ha_status": None,
    }
    if state.behaviour.config_version:
        newest = tunnel.configuration.version if tunnel.configuration else 0
        told["config_version"] = newest if connector.config_version is None else connector.config_version
    return told


def _connections(connector: Connector) -> list[dict[str, Any]]:
    numbered = [(place, identifier(f"{connector.id} {place}")) for place in range(connector.connections)]
    return [
        {
            "colo_name": ("khh01", "tpe01")[place % 2],
            "uuid": uuid,
            "id": uuid,
            "is_pending_reconnect": False,
            "origin_ip": "203.0.113.10",
            "opened_at": connector.run_at,
            "client_id": connector.id,
            "client_version": connector.version,
        }
        for place, uuid in ((place, _uuid(digits)) for place, digits in numbered)
    ]


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
