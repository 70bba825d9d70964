"""The last change set that external-dns posted, for `plan --from`: on the port of the webhook, and under its admission.

| the last body          | `GET /changes`                                                              |
|------------------------|-----------------------------------------------------------------------------|
| none yet               | `{"seconds": null, "changes": null, "bytes": 0}`                            |
| of at most 1 MiB       | how many seconds ago it came, and its change set                            |
| larger                 | `changes` is null, `bytes` is its size: it is not kept                      |

User information in URLs is masked, so that no credential of a tenant leaves the process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import msgspec

from tunnel_webhook.adapters.http.wire import MalformedBody, decode_changes, encode_changes
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint

_MOST_BYTES = 1024 * 1024
_USER_INFORMATION = re.compile(r"(?<=//)[^/?#]*@|\A[^/?#@:]*:[^/?#@]*@")
_MASK = "***@"
_NONE = b"null"


class _Wire(msgspec.Struct):
    seconds: float | None
    changes: msgspec.Raw
    bytes: int


@dataclass(frozen=True, slots=True)
class LastChanges:
    """The last change set, None if there is none or if it was too large, how long ago it came, and its size."""

    changes: Changes | None
    seconds: float | None
    size: int

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Return what `GET /changes` answered. Raises MalformedBody."""
        try:
            wire = msgspec.json.decode(body, type=_Wire)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"not what a webhook answers: {error}"
            raise MalformedBody(message) from error
        text = bytes(wire.changes)
        return cls(None if text == _NONE else decode_changes(text), wire.seconds, wire.bytes)


class Keeper:
    """Keeps the last body, if it is not too large."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock in seconds."""
        self._clock = clock
        self._at: float | None = None
        self._body = b""
        self._size = 0

    def keep(self, body: bytes) -> None:
        """Keep the body of a change set that was decoded without an error."""
        self._at, self._size = self._clock(), len(body)
        self._body = body if len(body) <= _MOST_BYTES else b""

    def answer(self) -> bytes:
        """Return the answer to `GET /changes`."""
        seconds = None if self._at is None else round(self._clock() - self._at, 3)
        changes = encode_changes(_masked(decode_changes(self._body))) if self._body else _NONE
        return msgspec.json.encode(_Wire(seconds, msgspec.Raw(changes), self._size))


def _masked(changes: Changes) -> Changes:
    lists = (changes.create, changes.update_old, changes.update_new, changes.delete)
    return Changes(*(tuple(map(_masked_endpoint, endpoints)) for endpoints in lists))


def _masked_endpoint(endpoint: Endpoint) -> Endpoint:
    return replace(
        endpoint,
        dns_name=_mask(endpoint.dns_name),
        targets=tuple(map(_mask, endpoint.targets)),
        set_identifier=_mask(endpoint.set_identifier),
        labels={name: _mask(text) for name, text in endpoint.labels.items()},
        properties=tuple((name, _mask(text)) for name, text in endpoint.properties),
    )


def _mask(text: str) -> str:
    return _USER_INFORMATION.sub(_MASK, text)
