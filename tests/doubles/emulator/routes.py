"""The routes that are emulated, and the steps of a request: authenticate, route, authorize, answer."""

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
from doubles.emulator.records import get_usage, list_records
from doubles.emulator.state import State
from doubles.emulator.tokens import verify_account_token, verify_user_token
from doubles.emulator.tunnels import get_connections, get_tunnel
from doubles.emulator.values import Permission
from doubles.emulator.zones import get_zone, list_zones

BASE = "/client/v4"
_PLACE = re.compile(r"\{(\w+)\}")
_HEX = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path with places for ids; without a permission, the handler checks it itself."""

    method: str
    path: str
    permission: Permission | None
    handler: Handler

    def match(self, path: str) -> Mapping[str, str] | None:
        """Return the ids in a path, or None for the path of another route."""
        match = re.fullmatch(_PLACE.sub(r"(?P<\1>[^/]+)", self.path), path)
        return match.groupdict() if match else None


_TUNNEL = "/accounts/{account}/cfd_tunnel/{tunnel}"
_RECORDS = "/zones/{zone}/dns_records"
ROUTES = (
    Route("GET", "/user/tokens/verify", None, verify_user_token),
    Route("GET", "/accounts/{account}/tokens/verify", None, verify_account_token),
    Route("GET", _TUNNEL, "tunnel read", get_tunnel),
    Route("GET", _TUNNEL + "/configurations", "tunnel read", get_configuration),
    Route("PUT", _TUNNEL + "/configurations", "tunnel write", put_configuration),
    Route("GET", _TUNNEL + "/connections", "tunnel read", get_connections),
    Route("GET", "/zones", None, list_zones),
    Route("GET", "/zones/{zone}", "zone read", get_zone),
    Route("GET", _RECORDS, "dns read", list_records),
    Route("POST", _RECORDS + "/batch", "dns write", post_batch),
    Route("GET", _RECORDS + "/usage", "dns read", get_usage),
)


def answer(state: State, request: Request, now: float) -> Outcome:
    """Return the next state and the answer to a request; one that is refused leaves the state as it was."""
    try:
        return _answer(state, request, authenticate(state, request.headers), now)
    except Refused as refused:
        return state, refuse(refused.problem)


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
    routes = {route.method: (route, ids) for route in ROUTES if (ids := route.match(path)) is not None}
    if not routes or not request.path.startswith(BASE):
        raise Refused(NO_ROUTE)
    if request.method not in routes:
        raise Refused(WRONG_METHOD)
    return routes[request.method]


def _admit(state: State, caller: Caller, method: str, permission: Permission, ids: Mapping[str, str]) -> None:
    """Raise Refused unless the caller has the permission and the resource exists, which only such a caller learns."""
    if "account" in ids:
        permit(caller, method, permission, ids["account"])
        if ids["account"] not in state.accounts:
            raise Refused(AUTHENTICATION_ERROR)
        return
    zone = state.zones.get(ids["zone"])
    permit(caller, method, permission, ids["zone"], *([zone.account] if zone else []))
    if zone is None:
        raise Refused(UNKNOWN_ZONE)
