"""WebhookAPI as external-dns speaks it: the driving port, seen through HTTP and through JSON of the tests' own making."""

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
    """Return a client of an ASGI app, whichever library's types it is annotated with; an exception in the app is raised here."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://webhook")


class HttpWebhookAPI:
    """WebhookAPI over the routes that a client reaches, which it closes; as strict as external-dns about what it accepts.

    A 500 says no more than that: it becomes ChangesNotApplied where changes were posted, else PermanentFailure.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._filter = DomainFilter()

    async def __aenter__(self) -> Self:
        """Ask once for the filter, as external-dns does when it starts."""
        answer = await self._client.get("/", headers={"Accept": MEDIA_TYPE})
        assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
        names = {
            "include": "include",
            "exclude": "exclude",
            "regexInclude": "regex_include",
            "regexExclude": "regex_exclude",
        }
        told: dict[str, Any] = {
            names[name]: tuple(found) if isinstance(found, list) else found for name, found in answer.json().items()
        }
        self._filter = DomainFilter(**told)
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
    """Return the JSON of an answer, or raise what its status stands for."""
    if answer.status_code in {500, 503}:
        raise (refused if answer.status_code == 500 else TemporaryFailure)(answer.json()["detail"])
    assert answer.status_code == success, f"{answer.status_code} ends external-dns"
    return answer.json() if answer.content else None


def json_of(endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    """Return endpoints as external-dns encodes them: nothing empty, `{}` for a property that is empty."""
    return [_without_empty(_members(endpoint)) for endpoint in endpoints]


def endpoints_of(array: list[dict[str, Any]]) -> tuple[Endpoint, ...]:
    """Return the endpoints of an answer."""
    return tuple(
        Endpoint(
            each["dnsName"],
            each["recordType"],
            tuple(each["targets"]),
            each.get("recordTTL", 0),
            each.get("setIdentifier", ""),
            each.get("labels", {}),
            tuple((pair["name"], pair["value"]) for pair in each.get("providerSpecific", ())),
        )
        for each in array
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
    return {name: found for name, found in members.items() if found}
