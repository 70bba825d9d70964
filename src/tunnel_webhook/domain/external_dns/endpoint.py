"""external-dns' vocabulary: an endpoint, and a set of changes to endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from sys import getsizeof
from types import MappingProxyType

TUNNELLED_TYPES = ("CNAME", "A", "AAAA")
"""The record types that one proxied CNAME can stand for, in the order in which they are preferred."""

_EMPTY, _TEXT, _PROPERTY = 100, 50, 70
LABEL_WEIGHT = 150
"""What a label adds to the weight of an endpoint, besides its characters."""

_set = object.__setattr__
_NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One hostname that external-dns wants, or has.

    `properties` are the provider-specific properties, in the order in which they came; an empty name proves that
    external-dns corrupted them. `labels` hold the owner and the resource. `ttl` is in seconds, 0 when unset.
    """

    dns_name: str
    record_type: str = "CNAME"
    targets: tuple[str, ...] = ()
    ttl: int = 0
    set_identifier: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    properties: tuple[tuple[str, str], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the hash once, of every field: a client chooses the fields, and must not make hashes collide."""
        labels = frozenset(self.labels.items()) if self.labels else None
        fields = (self.dns_name, self.record_type, self.targets, self.set_identifier, self.ttl, labels, self.properties)
        _set(self, "_hash", hash(fields))

    def __hash__(self) -> int:
        """Return the hash of all fields; cheap, since thousands are looked up in every sync."""
        return self._hash

    @property
    def weight(self) -> int:
        """How many bytes it takes in memory, about."""
        labels = self.labels
        texts = [self.dns_name, self.record_type, self.set_identifier, *self.targets, *labels, *labels.values()]
        for pair in self.properties:
            texts += pair
        pairs = _PROPERTY * len(self.properties) + (LABEL_WEIGHT - 2 * _TEXT) * len(labels)
        return _EMPTY + _TEXT * len(texts) + pairs + getsizeof("".join(texts))

    @property
    def owner(self) -> str:
        """The owner that a registry gave it, or nothing."""
        return self.labels.get("owner", "")

    @property
    def resource(self) -> str:
        """The Kubernetes resource that it comes from, as `kind/namespace/name`, or nothing."""
        return self.labels.get("resource", "")


@dataclass(frozen=True, slots=True)
class Changes:
    """One change set of external-dns; the order within a list means nothing.

    `update_old` is what external-dns believed to exist. It is kept for completeness and decides nothing, since it may
    differ from what is stored (contract, 3.2 (d)).
    """

    create: tuple[Endpoint, ...] = ()
    update_old: tuple[Endpoint, ...] = ()
    update_new: tuple[Endpoint, ...] = ()
    delete: tuple[Endpoint, ...] = ()
