"""The genuine planner of external-dns (`go_external_dns_planner`), asked a batch of questions at a time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint


@dataclass(frozen=True, slots=True)
class Question:
    """What a plan is made of: endpoints, policy, owner (empty for noop), record types, and the domain filter."""

    current: tuple[Endpoint, ...]
    desired: tuple[Endpoint, ...]
    policy: str
    owner: str
    managed: tuple[str, ...]
    include: tuple[str, ...]
    exclude: tuple[str, ...]


def genuine_changes(program: Path, questions: Iterable[Question]) -> list[Changes]:
    """Return the changes that external-dns plans for each question."""
    lines = "".join(json.dumps(_encode(question)) + "\n" for question in questions)
    answered = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    return [_changes(json.loads(line)) for line in answered.stdout.splitlines()]


def _encode(question: Question) -> dict[str, Any]:
    return {
        "current": [_encode_endpoint(endpoint) for endpoint in question.current],
        "desired": [_encode_endpoint(endpoint) for endpoint in question.desired],
        "policy": question.policy,
        "owner": question.owner,
        "managed": question.managed,
        "include": question.include,
        "exclude": question.exclude,
    }


def _encode_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "dnsName": endpoint.dns_name,
        "recordType": endpoint.record_type,
        "targets": endpoint.targets,
        "recordTTL": endpoint.ttl,
        "setIdentifier": endpoint.set_identifier,
        "labels": dict(endpoint.labels),
        "providerSpecific": [{"name": name, "value": value} for name, value in endpoint.properties],
    }


def _changes(answer: Mapping[str, list[dict[str, Any]] | None]) -> Changes:
    create, update_old, update_new, delete = (
        tuple(map(_endpoint, answer[name] or ())) for name in ("create", "updateOld", "updateNew", "delete")
    )
    return Changes(create, update_old, update_new, delete)


def _endpoint(encoded: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        encoded.get("dnsName", ""),
        encoded.get("recordType", ""),
        tuple(encoded.get("targets", ())),
        encoded.get("recordTTL", 0),
        encoded.get("setIdentifier", ""),
        encoded.get("labels", {}),
        tuple((each.get("name", ""), each.get("value", "")) for each in encoded.get("providerSpecific", ())),
    )
