"""No credential is in any output, also where Cloudflare repeats it: logs, answers, commands, spans, metrics."""

import io
import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 -- the tests read the spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 -- as above

from doubles.cloudflare_adapters import emulated_client
from doubles.emulator import Emulator, EmulatorTransport, Respond, seed
from doubles.http_client import connect
from tunnel_webhook.adapters.cloudflare.client import CloudflareAPI
from tunnel_webhook.adapters.cloudflare.credentials import ApiTokenFile, choose_credentials
from tunnel_webhook.adapters.cloudflare.failures import Operation
from tunnel_webhook.adapters.cloudflare.server_clock import ServerClock
from tunnel_webhook.adapters.http.webhook import create_webhook_app
from tunnel_webhook.ports import Failure, PermanentFailure
from tunnel_webhook.settings import InvalidSetting, load_settings
from tunnel_webhook.telemetry import Masking, configure_logging, open_telemetry
from vocabulary.builders import BLUE

pytestmark = pytest.mark.anyio

TOKENS = st.text(st.sampled_from("abcXYZ019_-./+~"), min_size=12, max_size=40)
USERS = st.text(st.sampled_from("uvwUVW345!$&'()*,;="), min_size=6, max_size=20)
ENVIRONMENT = {"CLOUDFLARE_TUNNEL_ID": BLUE}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root, ours = logging.getLogger(), logging.getLogger("tunnel_webhook")
    before = (root.handlers, root.level, ours.level)
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers, root.level, ours.level = before


def spellings(secret: str) -> tuple[str, ...]:
    return (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], b64encode(secret.encode()).decode())


def echo(*secrets: str) -> str:
    """Return a refusal that repeats secrets in every spelling."""
    message = " and ".join(spelling for secret in secrets for spelling in spellings(secret))
    return json.dumps({"success": False, "errors": [{"code": 9109, "message": message[:2000]}]})


def shown(output: str, *secrets: str) -> list[str]:
    return [spelling for secret in secrets for spelling in spellings(secret) if spelling in output]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    key=TOKENS,
    email=TOKENS.map(lambda user: f"{user}@example.com"),
    password=USERS,
    tokens=st.lists(TOKENS, min_size=2, max_size=2),
)
@pytest.mark.parametrize("scheme", ["key", "file"])
async def test_no_output_holds_a_credential_that_cloudflare_repeats(
    tmp_path: Path, log: io.StringIO, scheme: str, key: str, email: str, password: str, tokens: list[str]
) -> None:
    path = tmp_path / "token"
    path.write_text(tokens[0])
    scheme_variables = (
        {"CLOUDFLARE_API_KEY": key, "CLOUDFLARE_API_EMAIL": email}
        if scheme == "key"
        else {"CLOUDFLARE_API_TOKEN_FILE": str(path)}
    )
    proxy = f"http://proxyuser:{quote(password, safe='')}@proxy.example:3128"
    loaded = load_settings({**ENVIRONMENT, **scheme_variables, "HTTPS_PROXY": proxy})
    masking, exporter = Masking(loaded.secrets), InMemorySpanExporter()
    configure_logging("debug", "json", masking, log)
    telemetry = open_telemetry("1", masking, span_processors=[SimpleSpanProcessor(exporter)])
    credentials = choose_credentials(
        token_file=loaded.cloudflare_api_token_file,
        key=loaded.cloudflare_api_key.reveal(),
        email=loaded.cloudflare_api_email.reveal(),
        learn=masking.learn,
    )
    secrets = (key, email, password) if scheme == "key" else (*tokens, password)
    emulator = Emulator(seed())
    emulator.arm(Respond(status=403, body=echo(*secrets), times=0))
    outputs = [repr(loaded)]
    async with emulated_client(
        emulator, credentials, telemetry.traced_transport(EmulatorTransport(emulator))
    ) as client:
        api = CloudflareAPI(client, ServerClock(emulator.clock.now, emulator.clock.now), masking)
        for token in tokens:
            path.write_text(token)
            path.touch()
            try:
                await api.get(int, Operation("list zones"), f"/zones/{quote(secrets[0], safe='')}")
            except Failure as failure:
                last = failure
        outputs.append(str(last))
    logging.getLogger("tunnel_webhook.x").error("failed %s", echo(*secrets), extra={"more": secrets}, exc_info=last)
    logging.getLogger("tunnel_webhook.x").error("at %s", f"https://{secrets[0]}:{password}@example.com/")
    outputs += [
        log.getvalue(),
        telemetry.metrics()[0].decode(),
        *(span.to_json() for span in exporter.get_finished_spans()),
    ]
    telemetry.shutdown()
    assert len(outputs) > 4
    assert {spelling for output in outputs for spelling in shown(output, *secrets)} == set()


class _Failing:
    """A service of which every verb fails with a sentence of Cloudflare."""

    def __init__(self, failure: Failure) -> None:
        self._failure = failure

    async def records(self) -> object:
        raise self._failure


async def test_an_answer_holds_no_token_of_a_file_that_cloudflare_repeats_before_and_after_its_rotation(
    tmp_path: Path,
) -> None:
    path, masking = tmp_path / "token", Masking()
    emulator = Emulator(seed())
    tokens = ["first-token-0123", "other-token-4567"]
    async with emulated_client(emulator, ApiTokenFile(path, masking.learn)) as client:
        for token in tokens:
            path.write_text(token)
            emulator.arm(Respond(status=403, body=echo(*tokens[: tokens.index(token) + 1])))
            with pytest.raises(PermanentFailure) as caught:
                await CloudflareAPI(client, ServerClock(emulator.clock.now, emulator.clock.now), masking).get(
                    int, Operation("list zones"), "/zones"
                )
            app = create_webhook_app(api=_Failing(caught.value))  # type: ignore[arg-type]  # -- only one verb is asked
            async with connect(app) as asking:
                answer = await asking.get("/records")
            assert answer.status_code == 500
            assert "***" in answer.text
            assert shown(answer.text, *tokens) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CLOUDFLARE_API_URL", "https://me:{secret}@api.example/v4"),
        ("CLOUDFLARE_API_URL", "me:{secret}@api.example"),
        ("CLOUDFLARE_API_URL", "https://me:{secret}/@api.example/v4"),
        ("CLOUDFLARE_API_TOKEN_FILE", "{secret}"),
        ("CLOUDFLARE_API_EMAIL", "me {secret}"),
        ("CLOUDFLARE_API_TOKEN", '"{secret}"'),
        ("CLOUDFLARE_API_KEY", "{secret}\x07"),
        ("DEFAULT_ORIGIN", "http://me:{secret}@app.example"),
    ],
)
@given(secret=st.text(st.sampled_from("abcXYZ019_-~"), min_size=12, max_size=36))
def test_a_setting_that_is_refused_does_not_show_a_credential(name: str, text: str, secret: str) -> None:
    token = {} if "CLOUDFLARE_API_" in name and "URL" not in name else {"CLOUDFLARE_API_TOKEN": "some-token"}
    with pytest.raises(InvalidSetting) as refused:
        load_settings({**ENVIRONMENT, **token, name: text.format(secret=secret)})
    assert secret not in str(refused.value)
    assert str(refused.value).startswith(name)


def test_the_credentials_of_others_are_known() -> None:
    environment = {
        **ENVIRONMENT,
        "CLOUDFLARE_API_TOKEN": "the-token",
        "https_proxy": "http://me:p%40ss@proxy:3128",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20abc,x-key=the-key",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://me:collector@otel:4318",
    }
    loaded = load_settings(environment)
    assert set(loaded.secrets) == {
        "the-token",
        "me:p%40ss",
        "me:p@ss",
        "p%40ss",
        "p@ss",
        "Basic%20abc",
        "Basic abc",
        "the-key",
        "me:collector",
        "collector",
    }
    assert "the-token" not in repr(loaded)
    assert "the-key" not in repr(loaded)
