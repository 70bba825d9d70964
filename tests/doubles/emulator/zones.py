"""Zones: all of them, or one.

A token that is granted some zones sees these, or, as in 2020, gets 403 and code 0 (`Behaviour.zone_scoped_list`); one
that is granted none always gets that. A listing is filtered by `name`, `status` and `account.id`, and ordered by
`order=name`; other parameters are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from doubles.emulator.access import Caller
from doubles.emulator.call import Call, Outcome
from doubles.emulator.envelope import listing, paged, succeed
from doubles.emulator.problems import INVALID_ACCESS_TOKEN, NO_ZONE_LIST, Refused
from doubles.emulator.state import State
from doubles.emulator.values import EPOCH, Zone

_FILTERS: Mapping[str, Callable[[Zone], str]] = {
    "name": lambda zone: zone.name,
    "status": lambda zone: zone.status,
    "account.id": lambda zone: zone.account,
}


def list_zones(state: State, call: Call) -> Outcome:
    """GET /zones."""
    _check_may_list(state, call.caller)
    filters = [(_FILTERS[key], value.lower()) for key, value in call.request.query if key in _FILTERS]
    zones = [
        zone
        for zone in state.zones.values()
        if call.caller.may("zone read", zone.id, zone.account)
        and zone.type in {"full", "partial", "secondary", call.request.asked("type")}
        and all(text(zone) == value for text, value in filters)
    ]
    if call.request.asked("order") == "name":
        zones.sort(key=lambda zone: zone.name)
    page = paged(call.request, zones, (20, 5, 50), total_pages=state.behaviour.total_pages)
    return state, listing(page, [_members(state, zone) for zone in page.items])


def get_zone(state: State, call: Call) -> Outcome:
    """GET /zones/{zone}."""
    return state, succeed(_members(state, state.zones[call.ids["zone"]]))


def _check_may_list(state: State, caller: Caller) -> None:
    token = caller.token
    if not caller.is_active:
        raise Refused(INVALID_ACCESS_TOKEN)
    if token is None:
        return
    granted = set(token.grants.get("zone read", ()))
    is_limited = granted.isdisjoint({"*", *state.accounts})
    if not granted or (is_limited and state.behaviour.zone_scoped_list == "refused"):
        raise Refused(NO_ZONE_LIST.about(token.id))


def _members(state: State, zone: Zone) -> dict[str, Any]:
    plan, account = zone.plan, state.accounts[zone.account]
    return {
        "id": zone.id,
        "name": zone.name,
        "status": zone.status,
        "paused": zone.paused,
        "type": zone.type,
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "modified_on": EPOCH,
        "created_on": EPOCH,
        "activated_on": EPOCH if zone.status == "active" else None,
        "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
        "owner": {"id": account.id, "name": account.name, "type": "organization"},
        "account": {"id": account.id, "name": account.name},
        "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        "plan": {"id": plan, "name": f"{plan.title()} Website", "legacy_id": plan, "is_subscribed": plan != "free"},
    }
