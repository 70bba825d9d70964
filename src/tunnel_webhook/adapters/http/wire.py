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
from typing import TypeVar, cast

import msgspec

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import TUNNELLED_TYPES, Changes, Endpoint
from tunnel_webhook.domain.external_dns.properties import ORIGIN_PROPERTIES, ROUTE_PROPERTIES
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


def encode_changes(changes: Changes) -> bytes:
    """Return a change set as a JSON object, as external-dns sends it."""
    members = ("create", changes.create), ("updateOld", changes.update_old), ("updateNew", changes.update_new)
    texts = {
        name: msgspec.Raw(_array(map(_encode_one, endpoints)))
        for name, endpoints in (*members, ("delete", changes.delete))
    }
    return msgspec.json.encode(texts)


def encode_endpoints(endpoints: Iterable[Endpoint]) -> bytes:
    """Return adjusted endpoints as a JSON array, without empty fields, and remember them."""
    return _array(_encoded.results(list(endpoints)))


def encode_records(endpoints: Iterable[Endpoint]) -> bytes:
    """Return endpoints that exist as a JSON array; most are what was adjusted, the others are not remembered."""
    return _array([_encoded.get(endpoint) or _encode_one(endpoint) for endpoint in endpoints])


def _array(elements: Iterable[bytes]) -> bytes:
    return b"[%b]\n" % b",".join(elements)


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
        wire.dns_name or "",
        _shared(wire.record_type, wire.record_type) or "",
        tuple(filter(None, wire.targets or ())),
        wire.ttl or 0,
        wire.set_identifier or "",
        _without_null(wire.labels) if wire.labels else {},
        tuple([_property(named) for named in wire.properties if named]) if wire.properties else (),
    )


def _property(wire: _Property) -> tuple[str, str]:
    return _shared(wire.name, wire.name) or "", _shared(wire.value, wire.value) or ""


# Texts that nearly every endpoint holds: one of each is enough.
_COMMON: dict[str | None, str | None] = {
    text: text for text in (*TUNNELLED_TYPES, *ROUTE_PROPERTIES, *ORIGIN_PROPERTIES, "true", "false")
}
_shared = _COMMON.get


def _without_null(labels: dict[str, str | None]) -> dict[str, str]:
    if None in labels.values():
        return {name: text for name, text in labels.items() if text is not None}
    return cast("dict[str, str]", labels)


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


def _weigh_encoded(_endpoint: Endpoint, text: bytes) -> int:
    # The endpoint is what `adjust` remembers.
    return len(text)


# Enough for 60,000 endpoints of 230 bytes, so that a sync of that many computes only what changed.
_decoded = Memo(_decode_one, _weigh_decoded, 78 * MIB)
_encoded = Memo(_encode_one, _weigh_encoded, 21 * MIB)


def _decode(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:
        message = f"not what external-dns sends: {error}"
        raise MalformedBody(message) from error
