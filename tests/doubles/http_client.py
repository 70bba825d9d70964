"""WebhookAPI over HTTP as external-dns uses it, with an encoder and a decoder that share no code with ours."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self

import httpx

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.ports import ChangesNotApplied, PermanentFailure, TemporaryFailure

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"


def connect(app: Any) -> httpx.AsyncClient:
    """Return a client of an ASGI app; an exception in the app is raised in the client."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


class HttpWebhookAPI:
    """WebhookAPI over the four routes, as strict as external-dns about the answers. Closes its client.

    A 500 has no reason code: it becomes ChangesNotApplied where changes were posted, else PermanentFailure.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._filter = DomainFilter()

    async def __aenter__(self) -> Self:
        """Request the filter once, as external-dns does when it starts."""
        answer = await self._client.get("/", headers={"Accept": MEDIA_TYPE})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == MEDIA_TYPE
        members = answer.json()
        self._filter = DomainFilter(
            include=tuple(members.pop("include", ())),
            exclude=tuple(members.pop("exclude", ())),
            regex_include=members.pop("regexInclude", ""),
            regex_exclude=members.pop("regexExclude", ""),
        )
        assert not members, "unknown members"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    def domain_filter(self) -> DomainFilter:
        return self._filter

    async def records(self) -> tuple[Endpoint, ...]:
        answer = await self._client.get("/records", headers={"Accept": MEDIA_TYPE})
        return endpoints_of(_checked(answer, 200, PermanentFailure))

    async def adjust_endpoints(self, endpoints: tuple[Endpoint, ...], /) -> tuple[Endpoint, ...]:
        answer = await self._post("/adjustendpoints", json_of(endpoints), Accept=MEDIA_TYPE)
        return endpoints_of(_checked(answer, 200, PermanentFailure))

    async def apply_changes(self, changes: Changes, /) -> None:
        lists = {
            "create": json_of(changes.create),
            "updateOld": json_of(changes.update_old),
            "updateNew": json_of(changes.update_new),
            "delete": json_of(changes.delete),
        }
        answer = await self._post("/records", _without_empty(lists))
        _checked(answer, 204, partial(ChangesNotApplied, (), ()))

    async def _post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return await self._client.post(
            path, content=json.dumps(body) + "\n", headers={"Content-Type": MEDIA_TYPE, **headers}
        )


def _checked(answer: httpx.Response, success: int, refused: Callable[[str], Exception]) -> Any:
    """Return the JSON of an answer, or raise the exception that its status stands for."""
    if answer.status_code in {500, 503}:
        raise (refused if answer.status_code == 500 else TemporaryFailure)(answer.json()["detail"])
    assert answer.status_code == success, f"{answer.status_code} ends external-dns"
    return answer.json() if answer.content else None


def json_of(endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    """Return endpoints as external-dns encodes them: without empty fields, and `{}` for an empty property."""
    return [_without_empty(_members(endpoint)) for endpoint in endpoints]


def endpoints_of(array: list[dict[str, Any]]) -> tuple[Endpoint, ...]:
    """Return the endpoints of an answer."""
    return tuple(
        Endpoint(
            members["dnsName"],
            members["recordType"],
            tuple(members["targets"]),
            members.get("recordTTL", 0),
            members.get("setIdentifier", ""),
            members.get("labels", {}),
            tuple((pair["name"], pair["value"]) for pair in members.get("providerSpecific", ())),
        )
        for members in array
    )


def _members(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "dnsName": endpoint.dns_name,
        "targets": list(endpoint.targets),
        "recordType": endpoint.record_type,
        "setIdentifier": endpoint.set_identifier,
        "recordTTL": endpoint.ttl,
        "labels": dict(endpoint.labels),
        "providerSpecific": [_without_empty({"name": name, "value": text}) for name, text in endpoint.properties],
    }


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
