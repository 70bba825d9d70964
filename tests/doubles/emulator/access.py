"""Who asks, and what they may do.

| credentials                                             | answer                                                          |
|---------------------------------------------------------|-----------------------------------------------------------------|
| none                                                    | 400, 9106                                                       |
| `Authorization` that is not `Bearer` and one word       | 400, 6003 for 6111                                              |
| a key that is not a word                                | 400, 6003 for 6103                                              |
| a token and a key                                       | 400, 6003                                                       |
| a token nobody made, a disabled or an expired one       | 403: 9109 for zones, 10000 for accounts                         |
| a wrong key                                             | 403, 10000                                                      |
| a good token without any permission for the resource    | 403, 10000                                                      |
| with another permission for it than is needed           | 403, 9109                                                       |
| with the permission to read what it writes              | 403, 10000 in a body without `messages` and `result`            |

A key may do everything. Permission to write holds for reading too. A grant for an account holds for its zones.
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
    """Who asks; a token that nobody made is None."""

    token: Token | None = None
    key_is_good: bool | None = None
    """None for who sends no key."""

    @property
    def is_active(self) -> bool:
        """Whether the credentials open anything at all."""
        return bool(self.key_is_good) or (self.token is not None and self.token.status == "active")

    def may(self, permission: Permission, *resources: str) -> bool:
        """Whether a permission was granted for one of the resources, or for all."""
        if self.token is None or not self.is_active:
            return self.is_active
        grants = self.token.grants
        granted = {resource for kind in _GRANTED_BY[permission] for resource in grants.get(kind, ())}
        return not granted.isdisjoint({"*", *resources})


def authenticate(state: State, headers: Mapping[str, str]) -> Caller:
    """Return who asks; raise Refused where the headers do not even look right."""
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
    """Raise Refused unless the caller may do this to a resource, which is named by its id and by what contains it."""
    if caller.may(permission, *resources):
        return
    family = _OF_ZONES if permission.startswith(("zone", "dns")) else _OF_ACCOUNTS
    if not caller.is_active:
        is_token_for_zones = family is _OF_ZONES and caller.key_is_good is None
        raise Refused(INVALID_ACCESS_TOKEN if is_token_for_zones else AUTHENTICATION_ERROR)
    if permission in _READING and caller.may(_READING[permission], *resources):
        raise Refused(READ_ONLY.about(method))
    raise Refused(UNAUTHORIZED if any(caller.may(other, *resources) for other in family) else AUTHENTICATION_ERROR)
