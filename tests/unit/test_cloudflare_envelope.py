"""Bytes in, an answer or a fault out: recorded responses, and responses that no recording has."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tunnel_webhook.adapters.cloudflare.envelope import (
    Answer,
    Fault,
    decode_response,
    remaining_requests,
    sanitise,
    seconds_to_reset,
    seconds_to_wait,
)

SAMPLES = Path(__file__).parents[1] / "fixtures" / "cloudflare"
NO_HEADERS: Mapping[str, str] = {}
BAD_CONFIGURATION = (
    "1056: Bad Configuration: Validation failed: The last ingress rule must match all URLs"
    " (i.e. it should not have a hostname or path filter)"
)


def sample(name: str) -> Answer | Fault:
    """Decode a recorded response; its name begins with its status."""
    return decode_response(int(name[:3]), NO_HEADERS, (SAMPLES / f"{name}.json").read_bytes())


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("2*.json")), ids=lambda path: path.stem)
def test_a_success_is_an_answer(path: Path) -> None:
    assert isinstance(sample(path.stem), Answer)


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        (
            "400-bad-configuration",
            1056,
            BAD_CONFIGURATION,
        ),
        ("404-no-configuration", 1055, "1055: Configuration for tunnel not found"),
        ("429-rate-limit", 971, "971: Please wait and consider throttling your request speed"),
        ("403-no-permission", 10000, "10000: Authentication error"),
        ("403-read-only", 10000, "10000: PUT method not allowed for the api_token authentication scheme"),
        ("400-malformed-token", 6003, "6003: Invalid request headers: Invalid format for Authorization header"),
    ],
)
def test_a_refusal_is_a_fault_with_its_code_and_sentence(name: str, code: int, sentence: str) -> None:
    assert sample(name) == Fault(int(name[:3]), code, sentence)


def test_a_list_without_total_pages_has_its_total() -> None:
    answer = sample("200-tunnels")
    assert isinstance(answer, Answer)
    assert answer.total == 1


@pytest.mark.parametrize(
    "info", ['"result_info":null,', "", '"result_info":{"page":1},'], ids=["null", "absent", "without a total"]
)
def test_a_list_may_lack_its_total(info: str) -> None:
    answer = decode_response(200, NO_HEADERS, f'{{"success":true,{info}"result":[]}}'.encode())
    assert isinstance(answer, Answer)
    assert answer.total is None


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        (b'{"success":false,"errors":[{"code":"7000","message":"No route"}]}', 7000, "7000: No route"),
        (b'{"success":false,"errors":[{"code":0,"message":"Actor x requires y"}]}', 0, "0: Actor x requires y"),
        (b'{"success":false,"errors":[{"code":"odd","message":"No route"}]}', None, "No route"),
        (b'{"success":false,"errors":[{"message":"No code"}],"messages":[{"any":"thing"}]}', None, "No code"),
        (b'{"success":false,"errors":[{"code":9}]}', 9, "9"),
        (b'{"success":false,"errors":[]}', None, "HTTP 400 without a reason"),
        (b'{"success":false,"errors":null,"result":{}}', None, "HTTP 400 without a reason"),
        (b'{"success":false}', None, "HTTP 400 without a reason"),
    ],
    ids=[
        "code as text",
        "code 0",
        "code of letters",
        "no code",
        "no message",
        "no errors",
        "null errors",
        "nothing but success",
    ],
)
def test_an_error_is_a_fault_whatever_it_leaves_out(body: bytes, code: int | None, sentence: str) -> None:
    assert decode_response(400, NO_HEADERS, body) == Fault(400, code, sentence)


def test_the_wrapper_1004_is_replaced_by_its_cause() -> None:
    chain = b'[{"code":1004,"message":"DNS Validation Error","error_chain":[{"code":9021,"message":"Invalid TTL."}]}]'
    assert decode_response(400, NO_HEADERS, b'{"success":false,"errors":' + chain + b"}") == Fault(
        400, 9021, "9021: Invalid TTL."
    )


def test_success_needs_both_the_status_and_the_envelope() -> None:
    assert isinstance(decode_response(500, NO_HEADERS, b'{"success":true,"result":1}'), Fault)
    assert isinstance(
        decode_response(200, NO_HEADERS, b'{"success":false,"errors":[{"code":1,"message":"no"}]}'), Fault
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502 Bad Gateway</html>",
        b"[]",
        b'"text"',
        b"{}",
        b'{"success":true',
        b'{"success":true,"result":"\xff"}',
    ],
    ids=["empty", "HTML", "a list", "a text", "no success", "truncated", "not UTF-8"],
)
@pytest.mark.parametrize("status", [200, 502])
def test_a_body_that_is_not_the_apis_is_a_fault_without_a_code(status: int, body: bytes) -> None:
    fault = decode_response(status, NO_HEADERS, body)
    assert isinstance(fault, Fault)
    assert fault.code is None
    assert "html" not in fault.sentence.lower()


def test_the_result_keeps_every_character() -> None:
    answer = decode_response(200, NO_HEADERS, b'{"success":true,"result":{ "a" : 1.50, "b":[1E2] }}')
    assert isinstance(answer, Answer)
    assert bytes(answer.result) == b'{ "a" : 1.50, "b":[1E2] }'


def test_upstream_text_becomes_one_short_line() -> None:
    assert sanitise("one\r\n two\x00\tthree ") == "one two three"
    assert len(sanitise("word " * 200)) == 300
    assert sanitise("Bearer v1.0-abcdefghijklmnopqrstuvwxyz0123456789_-ABC") == "Bearer v1.[removed]"
    tunnel = "5456b9ca-8b73-4b44-93df-67ad7acc8e2c.cfargotunnel.com"
    assert sanitise(tunnel) == tunnel


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "137"}, 137.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"Retry-After": "Tue, 29 Sep 2026 07:00:20 GMT", "Date": "Tue, 29 Sep 2026 07:00:00 GMT"}, 20.0),
        ({"Retry-After": "Tue, 29 Sep 2026 06:00:20 GMT", "Date": "Tue, 29 Sep 2026 07:00:00 GMT"}, 0.0),
        ({"Retry-After": "Tue, 29 Sep 2026 07:00:20 GMT"}, None),
        ({"Retry-After": "Tue, 29 Sep 2026 07:00:20", "Date": "Tue, 29 Sep 2026 07:00:00 GMT"}, None),
        ({"Retry-After": "soon", "Date": "Tue, 29 Sep 2026 07:00:00 GMT"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "²"}, None),
        ({}, None),
    ],
    ids=[
        "seconds",
        "zero",
        "date",
        "past date",
        "no Date header",
        "date without zone",
        "words",
        "negative",
        "superscript",
        "absent",
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_on_the_servers_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert seconds_to_wait(httpx.Headers(headers, encoding="utf-8")) == seconds


def test_the_ratelimit_header_says_what_remains_and_when_it_resets() -> None:
    headers = httpx.Headers({"Ratelimit": '"default";r=1199;t=37'})
    assert remaining_requests(headers) == 1199
    assert seconds_to_reset(headers) == 37.0
    assert remaining_requests(NO_HEADERS) is None
    assert seconds_to_reset(NO_HEADERS) is None
    assert remaining_requests({"ratelimit": "garbage"}) is None
