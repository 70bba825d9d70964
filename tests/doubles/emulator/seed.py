"""A small account to begin with: one token with every permission, zones by name, and two tunnels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from doubles.emulator.state import State, identifier
from doubles.emulator.values import Account, Configuration, Token, Tunnel, Zone

ACCOUNT = "699d98642c564d2e855e9661899b7252"
API_TOKEN = "emulated0token0that0may0do0everything000"  # noqa: S105 -- opens only the emulator
BLUE, GREEN = "5456b9ca-8b73-4b44-93df-67ad7acc8e2c", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
EMPTY = '{"ingress":[{"service":"http_status:404"}],"warp-routing":{"enabled":false}}'


def zone_id(name: str) -> str:
    """Return the id that a seeded zone of this name has."""
    return identifier(f"zone {name}")


def seed(
    zones: Iterable[str] = ("example.com",),
    *,
    plan: Literal["free", "pro", "business", "enterprise"] = "enterprise",
    document: str = EMPTY,
) -> State:
    """Return a state with these zones, empty, and two tunnels, `blue` and `green`, both with this document."""
    configuration = Configuration(document=document, version=1)
    return State(
        accounts={ACCOUNT: Account(ACCOUNT)},
        tokens={API_TOKEN: Token(API_TOKEN)},
        tunnels={
            BLUE: Tunnel(BLUE, ACCOUNT, "blue", configuration=configuration),
            GREEN: Tunnel(GREEN, ACCOUNT, "green", configuration=configuration),
        },
        zones={zone_id(name): Zone(zone_id(name), name, ACCOUNT, plan) for name in zones},
    )
