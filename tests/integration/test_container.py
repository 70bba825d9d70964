"""The container: every provider can be built, and the objects work together."""

from collections.abc import Awaitable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from dependency_injector import containers, providers
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- the tests read the spans
from opentelemetry.trace import SpanKind

from doubles.emulator import API_TOKEN, BASE_URL, BLUE, Emulator, EmulatorTransport, seed
from doubles.http_client import connect
from doubles.steps import SteppedZones, fail, pass_by
from tunnel_webhook.adapters.cloudflare.lock import DnsLock
from tunnel_webhook.adapters.memory import NoLock
from tunnel_webhook.application import Contact
from tunnel_webhook.container import Container
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.ports import PermanentFailure
from tunnel_webhook.settings import load_settings
from tunnel_webhook.telemetry import Telemetry


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(seed(["example.com"]))


@pytest.fixture
def cloudflare(telemetry: Telemetry, emulator: Emulator) -> Iterator[Container]:
    settings = {"CLOUDFLARE_API_TOKEN": API_TOKEN, "CLOUDFLARE_TUNNEL_ID": BLUE, "CLOUDFLARE_API_URL": BASE_URL}
    container = Container(settings=load_settings(settings), telemetry=telemetry)
    with container.cloudflare().network.override(providers.Object(EmulatorTransport(emulator))):
        yield container


@pytest.fixture
def container(telemetry: Telemetry) -> Container:
    settings = load_settings(
        {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE}", "DOMAIN_FILTER": "example.com"}
    )
    return Container(settings=settings, telemetry=telemetry)


def build_all(container: containers.Container, *, except_for: str = "") -> dict[str, object]:
    return {name: provider() for name, provider in container.providers.items() if name != except_for}


def test_every_provider_of_the_memory_backend_is_built(container: Container) -> None:
    container.check_dependencies()
    objects = build_all(container, except_for="cloudflare")

    assert objects["tunnels"] is objects["memory_tunnels"]
    assert objects["zones"] is objects["memory_zones"]
    assert not any(isinstance(built, providers.Provider | Awaitable) for built in objects.values())


@pytest.mark.anyio
async def test_every_provider_of_the_cloudflare_backend_is_built(cloudflare: Container) -> None:
    cloudflare.check_dependencies()
    table = cloudflare.cloudflare()
    table.check_dependencies()
    objects = build_all(cloudflare) | build_all(table)

    assert objects["tunnels"] is table.tunnels()
    assert objects["zones"] is table.zones()
    assert objects["lifetime"] is objects["client"]
    assert not any(isinstance(built, providers.Provider | Awaitable) for built in objects.values())
    async with cloudflare.lifetime():
        pass


@pytest.mark.parametrize(("text", "kind"), [("off", NoLock), ("dns", DnsLock), ("dns:example.com", DnsLock)])
def test_the_lock_is_the_one_that_is_set(telemetry: Telemetry, text: str, kind: type[object]) -> None:
    variables = {"CLOUDFLARE_API_TOKEN": API_TOKEN, "CLOUDFLARE_TUNNEL_ID": BLUE, "OWNER_ID": "us", "WRITE_LOCK": text}
    container = Container(settings=load_settings(variables), telemetry=telemetry)

    lock = container.lock()

    assert isinstance(lock, kind)
    assert container.documents().lock is lock or kind is NoLock
    if isinstance(lock, DnsLock):
        assert (lock.zone_name, lock.holder) == (text.partition(":")[2], "us")
        assert lock.nonce() != lock.nonce()


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        ({"CLOUDFLARE_API_TOKEN": "token"}, ("authorization", "Bearer token")),
        ({"CLOUDFLARE_API_TOKEN_FILE": "{file}"}, ("authorization", "Bearer filed")),
        ({"CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_API_EMAIL": "ops@example.com"}, ("x-auth-key", "key")),
    ],
    ids=["token", "token file", "key with email"],
)
@pytest.mark.anyio
async def test_the_configured_credentials_are_sent(
    telemetry: Telemetry, tmp_path: Path, credentials: dict[str, str], header: tuple[str, str]
) -> None:
    (tmp_path / "token").write_text("filed\n")
    environment = {name: text.format(file=tmp_path / "token") for name, text in credentials.items()}
    container = Container(settings=load_settings({**environment, "CLOUDFLARE_TUNNEL_ID": BLUE}), telemetry=telemetry)
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(403, json={"success": False, "errors": [{"code": 9109, "message": "Unauthorized"}]})

    with container.cloudflare().network.override(providers.Object(httpx.MockTransport(answer))):
        async with container.lifetime():
            with pytest.raises(PermanentFailure):
                await container.service().records()

    name, value = header
    assert {request.headers[name] for request in requests} == {value}


@pytest.mark.anyio
async def test_the_cloudflare_backend_publishes_a_hostname(
    cloudflare: Container, emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    async with cloudflare.lifetime():
        await cloudflare.service().apply_changes(
            Changes(create=(Endpoint("app.example.com", targets=("http://app:8080",)),))
        )

    assert '"service":"http://app:8080"' in emulator.state.document(BLUE)
    finished = spans.get_finished_spans()
    (applying,) = [span for span in finished if span.name == "apply_changes"]
    attempts = [span for span in finished if span.kind is SpanKind.CLIENT]
    assert attempts
    assert {span.parent.span_id for span in attempts if span.parent} == {applying.context.span_id}


def test_a_container_without_settings_is_refused() -> None:
    with pytest.raises(Exception, match=r"settings"):
        Container().check_dependencies()


def test_two_containers_share_nothing(container: Container, telemetry: Telemetry) -> None:
    other = Container(settings=load_settings({"BACKEND": "memory"}), telemetry=telemetry)

    assert other.tunnels() is not container.tunnels()
    assert other.service().domain_filter() != container.service().domain_filter()


@pytest.mark.anyio
async def test_the_memory_backend_publishes_a_hostname(container: Container) -> None:
    service = container.service()

    await service.apply_changes(Changes(create=(Endpoint("app.example.com", targets=("http://app:8080",)),)))

    (reported,) = await service.records()
    assert reported.dns_name == "app.example.com"
    assert reported.targets == ("http://app:8080",)
    assert [rule.hostname for rule in (await container.tunnels().load(BLUE)).rules] == ["app.example.com", ""]


@pytest.mark.parametrize(
    ("failure", "status", "sentence"),
    [
        pytest.param(None, 200, "the backend answered", id="answered"),
        pytest.param(PermanentFailure("the token was refused"), 503, "the token was refused", id="failed"),
    ],
)
@pytest.mark.anyio
async def test_readiness_is_that_of_the_last_contact_of_the_service(
    container: Container, failure: PermanentFailure | None, status: int, sentence: str
) -> None:
    now = 970.0
    container.contact.override(providers.Object(Contact(lambda: now)))
    step = fail(failure) if failure else pass_by
    container.zones.override(providers.Object(SteppedZones(container.memory_zones(), step)))

    async with connect(container.monitoring_app()) as client:
        before = await client.get("/readyz")
        with suppress(PermanentFailure):
            await container.service().records()
        now = 1000.0
        after = await client.get("/readyz")

    assert before.status_code == 503
    assert before.json() == {
        "ready": False,
        "sentence": "the backend has not answered yet",
        "seconds_since_contact": None,
    }
    assert after.status_code == status
    assert after.json() == {"ready": status == 200, "sentence": sentence, "seconds_since_contact": 30.0}
