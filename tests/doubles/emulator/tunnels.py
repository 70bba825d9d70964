"""A tunnel, and its connectors.

A deleted tunnel is still read by its id: with `deleted_at`, without `config_src` (recorded 2026-09-29).
"""

from __future__ import annotations

from typing import Any

from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import succeed
from doubles.emulator.problems import UNKNOWN_TUNNEL, Refused
from doubles.emulator.state import State, identifier
from doubles.emulator.values import Connector, Tunnel

_FEATURES = ["allow_remote_config", "serialized_headers", "support_datagram_v2", "support_quic_eof", "management_logs"]


def tunnel_of(state: State, call: Call) -> Tunnel:
    """Return the tunnel that a path names; raise Refused unless it is one of the account."""
    tunnel = state.tunnels.get(call.ids["tunnel"])
    if tunnel is None or tunnel.account != call.ids["account"]:
        raise Refused(UNKNOWN_TUNNEL)
    return tunnel


def get_tunnel(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel/{tunnel}."""
    tunnel = tunnel_of(state, call)
    is_deleted = tunnel.deleted_at is not None
    is_live = not is_deleted and (bool(tunnel.connectors) or tunnel.status in {"healthy", "degraded"})
    result: dict[str, Any] = {
        "id": tunnel.id,
        "account_tag": tunnel.account,
        "created_at": tunnel.created_at,
        "deleted_at": tunnel.deleted_at,
        "name": tunnel.name,
        "conns_active_at": tunnel.conns_active_at if is_live else None,
        "conns_inactive_at": None if is_live else tunnel.deleted_at or tunnel.created_at,
        "tun_type": "cfd_tunnel",
        "metadata": {},
        "status": "down" if is_deleted else tunnel.status,
        "remote_config": tunnel.config_src == "cloudflare" and not is_deleted,
    }
    return state, succeed(result if is_deleted else {**result, "config_src": tunnel.config_src})


def get_connections(state: State, call: Call) -> Outcome:
    """GET /accounts/{account}/cfd_tunnel/{tunnel}/connections: not in pages."""
    tunnel = tunnel_of(state, call)
    return state, succeed([_connector(state, tunnel, connector) for connector in tunnel.connectors])


def _connector(state: State, tunnel: Tunnel, connector: Connector) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": connector.id,
        "features": _FEATURES,
        "version": connector.version,
        "arch": connector.arch,
        "conns": [_connection(connector, number) for number in range(connector.connections)],
        "run_at": connector.run_at,
        "ha_status": None,
    }
    if state.behaviour.config_version:
        newest = tunnel.configuration.version if tunnel.configuration else 0
        result["config_version"] = newest if connector.config_version is None else connector.config_version
    return result


def _connection(connector: Connector, number: int) -> dict[str, Any]:
    uuid = _uuid(identifier(f"{connector.id} {number}"))
    return {
        "colo_name": ("khh01", "tpe01")[number % 2],
        "uuid": uuid,
        "id": uuid,
        "is_pending_reconnect": False,
        "origin_ip": "203.0.113.10",
        "opened_at": connector.run_at,
        "client_id": connector.id,
        "client_version": connector.version,
    }


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
