"""Authentication and permissions.

| credentials                                       | answer                                               |
|---------------------------------------------------|------------------------------------------------------|
| none                                              | 400, 9106                                            |
| `Authorization` that is not `Bearer` and one word | 400, 6003 for 6111                                   |
| a key that is not a word                          | 400, 6003 for 6103                                   |
| a token and a key                                 | 400, 6003                                            |
| a token that is unknown, disabled or expired      | 403: 9109 for zones, 10000 for accounts              |
| a wrong key                                       | 403, 10000                                           |
| a token without any permission for the resource   | 403, 10000                                           |
| a token with only another permission for it       | 403, 9109                                            |
| a token that may read what the request writes     | 403, 10000 in a body without `messages` and `result` |

A key has every permission. Permission to write includes reading. A grant for an account includes its zones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from doubles.emulator.problems import (
    AUTHENTICATION_ERROR,
    INVALID_ACCESS_TOKEN,
    MALFORMED_KEY,
    MALFORMED_TOKEN,
    NO_CREDENTIALS,
    READ_ONLY,
    TWO_SCHEMES,
    UNAUTHORIZED,
    Refused,
)
from doubles.emulator.state import State
from doubles.emulator.values import Permission, Token

_BEARER = re.compile(r"Bearer ([A-Za-z0-9_.~+/=-]+)")
_KEY = re.compile(r"[A-Za-z0-9_]+")

_GRANTED_BY: Mapping[Permission, tuple[Permission, ...]] = {
    "account read": ("account read",),
    "tunnel read": ("tunnel read", "tunnel write"),
    "tunnel write": ("tunnel write",),
    "zone read": ("zone read",),
    "dns read": ("dns read", "dns write"),
    "dns write": ("dns write",),
}
_READING: Mapping[Permission, Permission] = {"tunnel write": "tunnel read", "dns write": "dns read"}
_OF_ZONES: tuple[Permission, ...] = ("zone read", "dns read")
_OF_ACCOUNTS: tuple[Permission, ...] = ("account read", "tunnel read")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose credentials a request carries; an unknown token is None."""

    token: Token | None = None
    key_is_good: bool | None = None
    """None without a key."""

    @property
    def is_active(self) -> bool:
        """Whether the credentials are valid at all."""
        return bool(self.key_is_good) or (self.token is not None and self.token.status == "active")

    def may(self, permission: Permission, *resources: str) -> bool:
        """Whether a permission is granted for one of the resources, or for all."""
        if self.token is None or not self.is_active:
            return self.is_active
        grants = self.token.grants
        granted = {resource for kind in _GRANTED_BY[permission] for resource in grants.get(kind, ())}
        return not granted.isdisjoint({"*", *resources})


def authenticate(state: State, headers: Mapping[str, str]) -> Caller:
    """Return the caller; raise Refused for headers that are malformed."""
    authorization, key = headers.get("authorization"), headers.get("x-auth-key")
    if authorization is not None and key is not None:
        raise Refused(TWO_SCHEMES)
    if authorization is not None:
        bearer = _BEARER.fullmatch(authorization)
        if bearer is None:
            raise Refused(MALFORMED_TOKEN)
        return Caller(token=state.tokens.get(bearer[1]))
    if key is None or "x-auth-email" not in headers:
        raise Refused(NO_CREDENTIALS)
    if not _KEY.fullmatch(key):
        raise Refused(MALFORMED_KEY)
    return Caller(key_is_good=state.keys.get(headers["x-auth-email"]) == key)


def permit(caller: Caller, method: str, permission: Permission, *resources: str) -> None:
    """Raise Refused unless the caller has a permission for a resource: its id and the ids of what contains it."""
    if caller.may(permission, *resources):
        return
    is_for_zones = permission.startswith(("zone", "dns"))
    if not caller.is_active:
        raise Refused(INVALID_ACCESS_TOKEN if is_for_zones and caller.key_is_good is None else AUTHENTICATION_ERROR)
    if permission in _READING and caller.may(_READING[permission], *resources):
        raise Refused(READ_ONLY.about(method))
    has_another = any(caller.may(other, *resources) for other in (_OF_ZONES if is_for_zones else _OF_ACCOUNTS))
    raise Refused(UNAUTHORIZED if has_another else AUTHENTICATION_ERROR)
