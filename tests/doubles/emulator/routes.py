"""The part of the API that is emulated, and the way of a request through it: who asks, where to, allowed, there, done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from doubles.emulator.access import Caller, authenticate, permit
from doubles.emulator.batch import post_batch
from doubles.emulator.call import Call, Handler, Outcome
from doubles.emulator.configurations import get_configuration, put_configuration
from doubles.emulator.envelope import Request, refuse
from doubles.emulator.problems import (
    AUTHENTICATION_ERROR,
    BAD_IDENTIFIER,
    NO_ROUTE,
    UNKNOWN_ZONE,
    WRONG_METHOD,
    Refused,
)
from doubles.emulator.records import (
    delete_record,
    get_record,
    get_usage,
    list_records,
    patch_record,
    post_record,
    put_record,
)
from doubles.emulator.state import State
from doubles.emulator.tokens import list_accounts, verify_account_token, verify_user_token
from doubles.emulator.tunnels import get_connections, get_tunnel, get_tunnel_token, list_tunnels
from doubles.emulator.values import Permission
from doubles.emulator.zones import get_zone, list_zones

BASE = "/client/v4"
_PLACE = re.compile(r"\{(\w+)\}")
_HEX = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with places for ids; no permission where the handler sees to it itself."""

    method: str
    path: str
    permission: Permission | None
    handler: Handler

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the ids in a path, or None for the path of another route."""
        found = re.fullmatch(_PLACE.sub(r"(?P<\1>[^/]+)", self.path), path)
        return found.groupdict() if found else None


_TUNNELS = "/accounts/{account}/cfd_tunnel"
_RECORDS = "/zones/{zone}/dns_records"
ROUTES = (
    Route("GET", "/user/tokens/verify", None, verify_user_token),
    Route("GET", "/accounts/{account}/tokens/verify", None, verify_account_token),
    Route("GET", "/accounts", None, list_accounts),
    Route("GET", _TUNNELS, "tunnel read", list_tunnels),
    Route("GET", _TUNNELS + "/{tunnel}", "tunnel read", get_tunnel),
    Route("GET", _TUNNELS + "/{tunnel}/configurations", "tunnel read", get_configuration),
    Route("PUT", _TUNNELS + "/{tunnel}/configurations", "tunnel write", put_configuration),
    Route("GET", _TUNNELS + "/{tunnel}/connections", "tunnel read", get_connections),
    Route("GET", _TUNNELS + "/{tunnel}/token", "tunnel write", get_tunnel_token),
    Route("GET", "/zones", None, list_zones),
    Route("GET", "/zones/{zone}", "zone read", get_zone),
    Route("GET", _RECORDS, "dns read", list_records),
    Route("POST", _RECORDS, "dns write", post_record),
    Route("POST", _RECORDS + "/batch", "dns write", post_batch),
    Route("GET", _RECORDS + "/usage", "dns read", get_usage),
    Route("GET", _RECORDS + "/{record}", "dns read", get_record),
    Route("PATCH", _RECORDS + "/{record}", "dns write", patch_record),
    Route("PUT", _RECORDS + "/{record}", "dns write", put_record),
    Route("DELETE", _RECORDS + "/{record}", "dns write", delete_record),
)


def answer(state: State, request: Request, now: float) -> Outcome:
    """Return the next state and the answer to a request; one that is refused leaves the state as it was."""
    try:
        return _answer(state, request, authenticate(state, request.headers), now)
    except Refused as refused:
        return state, refuse(state.behaviour.told(refused.problem))


def _answer(state: State, request: Request, caller: Caller, now: float) -> Outcome:
    route, ids = _find(request)
    for place, text in ids.items():
        if not (_UUID if place == "tunnel" else _HEX).fullmatch(text):
            raise Refused(BAD_IDENTIFIER.about(request.path))
    if route.permission is not None:
        _admit(state, caller, route.method, route.permission, ids)
    return route.handler(state, Call(request, ids, caller, now))


def _find(request: Request) -> tuple[Route, Mapping[str, str]]:
    path = request.path.removeprefix(BASE)
    found = [(route, ids) for route in ROUTES if (ids := route.match(path)) is not None]
    if not found or not request.path.startswith(BASE):
        raise Refused(NO_ROUTE)
    chosen = next((each for each in found if each[0].method == request.method), None)
    if chosen is None:
        raise Refused(WRONG_METHOD)
    return chosen


def _admit(state: State, caller: Caller, method: str, permission: Permission, ids: Mapping[str, str]) -> None:
    """Let the caller in where the resource is there and a permission opens it; which are there is not told to others."""
    if "account" in ids:
        permit(caller, method, permission, ids["account"])
        if ids["account"] not in state.accounts:
            raise Refused(AUTHENTICATION_ERROR)
        return
    zone = state.zones.get(ids["zone"])
    permit(caller, method, permission, ids["zone"], *([zone.account] if zone else []))
    if zone is None:
        raise Refused(UNKNOWN_ZONE)
