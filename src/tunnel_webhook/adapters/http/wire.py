"""external-dns' JSON, decoded and encoded.

| received (contract, 2)                             | decoded as                                               |
|----------------------------------------------------|----------------------------------------------------------|
| a field that is `null`                             | a missing field                                          |
| an element that is `null`, an unknown field        | nothing                                                  |
| `Create` (before v0.17) or `create`, in any case   | the same list                                            |
| a property without a name, even `{}`               | a property with an empty name, as evidence of corruption |
| a value of a wrong type, a body that is not JSON   | MalformedBody, which says where                          |

The encoded JSON has no `null` and no empty field: a `null` element ends external-dns' process (contract, 2.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.memo import MIB, Memo

_T = TypeVar("_T")


class MalformedBody(Exception):
    """A body is not what external-dns sends; the message says where, and what is expected there."""


class _Property(msgspec.Struct, omit_defaults=True, gc=False):
    name: str | None = ""
    value: str | None = ""


class _Endpoint(msgspec.Struct, omit_defaults=True, gc=False):
    dns_name: str | None = msgspec.field(name="dnsName", default="")
    targets: tuple[str | None, ...] | None = ()
    record_type: str | None = msgspec.field(name="recordType", default="")
    set_identifier: str | None = msgspec.field(name="setIdentifier", default="")
    ttl: int | None = msgspec.field(name="recordTTL", default=0)
    labels: dict[str, str | None] | None = None
    properties: list[_Property | None] | None = msgspec.field(name="providerSpecific", default=None)


class _DomainFilter(msgspec.Struct, omit_defaults=True):
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    regex_include: str = msgspec.field(name="regexInclude", default="")
    regex_exclude: str = msgspec.field(name="regexExclude", default="")


_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw] | None] = msgspec.json.Decoder(dict[str, msgspec.Raw] | None)
_LIST = msgspec.json.Decoder(list[msgspec.Raw] | None)
_ENDPOINTS = msgspec.json.Decoder(list[_Endpoint | None] | None)
_ENDPOINT = msgspec.json.Decoder(_Endpoint | None)


def decode_endpoints(body: bytes) -> tuple[Endpoint, ...]:
    """Return the endpoints of a JSON array; none for `null`. Raises MalformedBody."""
    texts = list(map(bytes, _decode(_LIST, body) or ()))
    try:
        return tuple(filter(None, _decoded.results(texts)))
    except MalformedBody:
        return _decode_all(body)  # raises again, with the index of the element


def decode_changes(body: bytes) -> Changes:
    """Return the changes of a JSON object; none for `null`. Raises MalformedBody."""
    lists = {name.lower(): bytes(text) for name, text in (_decode(_OBJECT, body) or {}).items()}

    def endpoints(name: str) -> tuple[Endpoint, ...]:
        try:
            return _decode_all(lists.get(name.lower(), b"null"))
        except MalformedBody as error:
            message = f"{name}: {error}"
            raise MalformedBody(message) from error

    return Changes(endpoints("create"), endpoints("updateOld"), endpoints("updateNew"), endpoints("delete"))


def encode_endpoints(endpoints: Iterable[Endpoint]) -> bytes:
    """Return endpoints as a JSON array, without empty fields."""
    return b"[%b]\n" % b",".join(_encoded.results(list(endpoints)))


def encode_filter(domain_filter: DomainFilter) -> bytes:
    """Return a domain filter as a JSON object; `{}` matches every name."""
    return msgspec.json.encode(
        _DomainFilter(
            include=tuple(map(str, domain_filter.include)),
            exclude=tuple(map(str, domain_filter.exclude)),
            regex_include=domain_filter.regex_include,
            regex_exclude=domain_filter.regex_exclude,
        )
    )


def _decode_all(body: bytes) -> tuple[Endpoint, ...]:
    return tuple(_endpoint(wire) for wire in _decode(_ENDPOINTS, body) or () if wire is not None)


def _decode_one(text: bytes) -> Endpoint | None:
    wire = _decode(_ENDPOINT, text)
    return None if wire is None else _endpoint(wire)


def _endpoint(wire: _Endpoint) -> Endpoint:
    return Endpoint(
        dns_name=wire.dns_name or "",
        record_type=wire.record_type or "",
        targets=tuple(filter(None, wire.targets or ())),
        ttl=wire.ttl or 0,
        set_identifier=wire.set_identifier or "",
        labels={name: text for name, text in (wire.labels or {}).items() if text is not None},
        properties=tuple(
            [(named.name or "", named.value or "") for named in wire.properties or () if named is not None]
        ),
    )


def _encode_one(endpoint: Endpoint) -> bytes:
    return msgspec.json.encode(
        _Endpoint(
            dns_name=str(endpoint.dns_name),
            targets=tuple(map(str, endpoint.targets)),
            record_type=endpoint.record_type,
            set_identifier=endpoint.set_identifier,
            ttl=endpoint.ttl,
            labels=dict(endpoint.labels) or None,
            properties=[_Property(name, text) for name, text in endpoint.properties] or None,
        )
    )


def _weigh_decoded(text: bytes, endpoint: Endpoint | None) -> int:
    return len(text) + (endpoint.weight if endpoint else 0)


def _weigh_encoded(endpoint: Endpoint, text: bytes) -> int:
    return len(text) + endpoint.weight


# Enough for 60,000 endpoints of 300 bytes, so that a sync of that many computes only what changed.
_decoded = Memo(_decode_one, _weigh_decoded, 96 * MIB)
_encoded = Memo(_encode_one, _weigh_encoded, 96 * MIB)


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:
        message = f"not what external-dns sends: {error}"
        raise MalformedBody(message) from error
