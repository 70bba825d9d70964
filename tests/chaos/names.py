"""The hostnames of a history, by who may publish them, and the wishes of the owners as external-dns reads them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from tunnel_webhook.domain.external_dns.endpoint import Endpoint
from vocabulary.builders import endpoint

Owner = Literal["us", "them"]
Colour = Literal["blue", "green"]

ZONES = ("example.com", "sub.example.com")
NAMES: dict[Owner, tuple[str, ...]] = {
    "us": ("app.example.com", "api.example.com", "a.sub.example.com", "b.sub.example.com", "*.us.example.com"),
    "them": ("shop.example.com", "web.sub.example.com", "*.them.sub.example.com"),
}
HAND_NAMES = (
    "hand.example.com",
    "www.example.com",
    "old.sub.example.com",
    "*.example.com",
    "*.sub.example.com",
    "x.us.example.com",
)
"""What people publish; some of it takes the requests of ours unless the rules are in the right order."""

_AGAIN = 0.4
"""How often the hostname that changed last changes again."""

PATHS = {"": "", "/v1": "^/v1(/|$)"}
"""The paths that an owner asks for, and the expression of the rule of each."""


@dataclass(slots=True)
class Wish:
    """One hostname as its owner wants it: its tunnel, and the port of its origin by path."""

    tunnel: Colour
    ports: dict[str, int]

    def service(self, path: str) -> str:
        """Return the service of the rule for a path."""
        return f"http://app:{self.ports[path]}"


@dataclass(slots=True)
class Wishes:
    """What one owner wants, by hostname; a random change at a time."""

    names: tuple[str, ...]
    last: str = ""
    wanted: dict[str, Wish] = field(default_factory=dict[str, Wish])

    def change(self, rng: random.Random) -> str:
        """Create, update, move or delete one hostname, and return what was done."""
        name = self.last if self.last and rng.random() < _AGAIN else rng.choice(self.names)
        self.last = name
        wish = self.wanted.get(name)
        kind = rng.choice(("delete", "delete", "update", "update", "move", "paths")) if wish else "create"
        if wish is None:
            self.wanted[name] = _wish(rng)
        elif kind == "delete":
            del self.wanted[name]
        elif kind == "move":
            self.wanted[name] = Wish("green" if wish.tunnel == "blue" else "blue", wish.ports)
        elif kind == "update":
            self.wanted[name] = Wish(wish.tunnel, dict.fromkeys(wish.ports, _port(rng)))
        else:
            self.wanted[name] = Wish(wish.tunnel, {path: wish.ports.get(path, _port(rng)) for path in _paths(rng)})
        return f"{kind} {name}"

    def overtake(self, name: str, rng: random.Random) -> str:
        """Delete a hostname if it is wanted, else create it, and return what was done."""
        self.last = name
        if self.wanted.pop(name, None):
            return f"delete {name}"
        self.wanted[name] = _wish(rng)
        return f"create {name}"

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the wishes as external-dns hands them over."""
        return tuple(
            endpoint(name, wish.service(path), resource=f"ingress/prod/{name}", path=path, tunnel=wish.tunnel)
            for name, wish in self.wanted.items()
            for path in wish.ports
        )


def _wish(rng: random.Random) -> Wish:
    return Wish(rng.choice(("blue", "green")), {path: _port(rng) for path in _paths(rng)})


def _paths(rng: random.Random) -> tuple[str, ...]:
    return rng.choice((("",), ("",), ("/v1",), ("", "/v1")))


def _port(rng: random.Random) -> int:
    return rng.randrange(8000, 9000)


def owner_of(hostname: str) -> Owner | None:
    """Return who may publish a hostname; None for people."""
    return next((owner for owner, names in NAMES.items() if hostname in names), None)
