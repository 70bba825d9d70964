"""The container: every provider can be built, and what is built works together."""

from collections.abc import Awaitable, Iterator
from pathlib import Path

import httpx
import pytest
from dependency_injector import containers, providers
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- what was traced is looked at
from opentelemetry.trace import SpanKind

from doubles.emulator import API_TOKEN, BASE_URL, BLUE, Emulator, EmulatorTransport, seed
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


def built(container: containers.Container, *but: str) -> dict[str, object]:
    return {name: provider() for name, provider in container.providers.items() if name not in but}


def test_every_provider_of_the_memory_backend_is_built(container: Container) -> None:
    container.check_dependencies()
    found = built(container, "cloudflare")

    assert found["tunnels"] is found["memory_tunnels"]
    assert found["zones"] is found["memory_zones"]
    assert not any(isinstance(each, providers.Provider | Awaitable) for each in found.values())


@pytest.mark.anyio
async def test_every_provider_of_the_cloudflare_backend_is_built(cloudflare: Container) -> None:
    cloudflare.check_dependencies()
    table = cloudflare.cloudflare()
    table.check_dependencies()
    found = built(cloudflare) | built(table)

    assert (found["tunnels"], found["zones"]) == (table.tunnels(), table.zones())
    assert found["lifetime"] is found["client"]
    assert not any(isinstance(each, providers.Provider | Awaitable) for each in found.values())
    async with cloudflare.lifetime():
        pass


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({"CLOUDFLARE_API_TOKEN": "token"}, ("authorization", "Bearer token")),
        ({"CLOUDFLARE_API_TOKEN_FILE": "{file}"}, ("authorization", "Bearer filed")),
        ({"CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_API_EMAIL": "ops@example.com"}, ("x-auth-key", "key")),
    ],
    ids=["token", "token file", "key with email"],
)
@pytest.mark.anyio
async def test_the_credentials_that_are_set_are_sent(
    telemetry: Telemetry, tmp_path: Path, given: dict[str, str], header: tuple[str, str]
) -> None:
    (tmp_path / "token").write_text("filed\n")
    named = {name: text.format(file=tmp_path / "token") for name, text in given.items()}
    container = Container(settings=load_settings({**named, "CLOUDFLARE_TUNNEL_ID": BLUE}), telemetry=telemetry)
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(403, json={"success": False, "errors": [{"code": 9109, "message": "Unauthorized"}]})

    with container.cloudflare().network.override(providers.Object(httpx.MockTransport(answer))):
        async with container.lifetime():
            with pytest.raises(PermanentFailure):
                await container.service().records()

    name, value = header
    assert {request.headers[name] for request in asked} == {value}


@pytest.mark.anyio
async def test_what_is_built_publishes_a_hostname_on_cloudflare(
    cloudflare: Container, emulator: Emulator, spans: InMemorySpanExporter
) -> None:
    async with cloudflare.lifetime():
        await cloudflare.service().apply_changes(
            Changes(create=(Endpoint("app.example.com", targets=("http://app:8080",)),))
        )

    assert '"service":"http://app:8080"' in emulator.state.document(BLUE)
    ended = spans.get_finished_spans()
    (applying,) = [span for span in ended if span.name == "apply_changes"]
    attempts = [span for span in ended if span.kind is SpanKind.CLIENT]
    assert attempts
    assert {span.parent.span_id for span in attempts if span.parent} == {applying.context.span_id}


def test_a_container_without_settings_is_noticed() -> None:
    with pytest.raises(Exception, match=r"settings"):
        Container().check_dependencies()


def test_two_containers_share_nothing(container: Container, telemetry: Telemetry) -> None:
    other = Container(settings=load_settings({"BACKEND": "memory"}), telemetry=telemetry)

    assert other.tunnels() is not container.tunnels()
    assert other.service().domain_filter() != container.service().domain_filter()


@pytest.mark.anyio
async def test_what_is_built_publishes_a_hostname(container: Container) -> None:
    service = container.service()

    await service.apply_changes(Changes(create=(Endpoint("app.example.com", targets=("http://app:8080",)),)))

    (reported,) = await service.records()
    assert (reported.dns_name, reported.targets) == ("app.example.com", ("http://app:8080",))
    assert [rule.hostname for rule in (await container.tunnels().load(BLUE)).rules] == ["app.example.com", ""]


@pytest.mark.parametrize(
    ("contact", "ready", "sentence", "seconds"),
    [
        (None, True, "nothing was asked of the backend yet", None),
        (Contact(970.0), True, "the backend answered", 30.0),
        (Contact(970.0, "the token was refused"), False, "the token was refused", 30.0),
    ],
    ids=["before the first contact", "answered", "failed"],
)
def test_readiness_tells_of_the_last_contact(
    container: Container, contact: Contact | None, sentence: str, seconds: float | None, *, ready: bool
) -> None:
    container.service().contact = contact

    with container.now.override(providers.Object(1000.0)):
        told = container.readiness()

    assert (told.ready, told.sentence, told.seconds_since_contact) == (ready, sentence, seconds)
