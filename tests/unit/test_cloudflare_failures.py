"""What Cloudflare's refusals and httpx's exceptions amount to at the ports."""

import httpx
import pytest

from doubles.scripted_transport import HTTPX_EXCEPTIONS, exception_of
from tunnel_webhook.adapters.cloudflare.envelope import Fault
from tunnel_webhook.adapters.cloudflare.failures import (
    CURES,
    HTTPX_ERRORS,
    Refused,
    Task,
    Unsettled,
    failure_from,
    failure_of,
)
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure

READ, WRITE = Task("list zones"), Task("save configuration", "tunnel blue", writes=True)
TEMPORARY, PERMANENT = [TemporaryFailure, TemporaryFailure], [Refused, Refused]
AMBIGUOUS = [TemporaryFailure, Unsettled]


@pytest.mark.parametrize(
    ("status", "code", "kinds"),
    [
        (429, 971, TEMPORARY),
        (503, None, TEMPORARY),
        (408, None, AMBIGUOUS),
        (425, None, AMBIGUOUS),
        (500, 1000, AMBIGUOUS),
        (502, None, AMBIGUOUS),
        (522, None, AMBIGUOUS),
        (530, None, AMBIGUOUS),
        (599, None, AMBIGUOUS),
        (200, None, AMBIGUOUS),
        (200, 1056, PERMANENT),
        (301, None, PERMANENT),
        (400, 9005, PERMANENT),
        (401, 1000, PERMANENT),
        (403, None, PERMANENT),
        (404, 1055, PERMANENT),
    ],
)
def test_a_fault_is_temporary_permanent_or_unsettled(status: int, code: int | None, kinds: list[type[Failure]]) -> None:
    fault = Fault(status, code, "said so")
    assert [type(failure_of(task, fault)) for task in (READ, WRITE)] == kinds


@pytest.mark.parametrize("code", sorted(CURES))
def test_a_code_that_an_operator_can_do_something_about_says_what(code: int) -> None:
    failure = failure_of(READ, Fault(403, code, f"{code}: said so"))
    assert isinstance(failure, PermanentFailure)
    assert str(failure) == f"cannot list zones: {CURES[code]} (Cloudflare: 403, {code}: said so)"


def test_a_zone_scoped_token_is_told_to_name_its_zones() -> None:
    assert "CLOUDFLARE_ZONE_IDS" in str(failure_of(READ, Fault(403, 0, "0: Actor requires permission")))


def test_a_refusal_without_a_known_code_names_the_permissions_where_the_status_is_about_them() -> None:
    assert "Zone/DNS/Edit" in str(failure_of(READ, Fault(403, None, "HTTP 403 with a body that is not the API's")))
    assert "CLOUDFLARE_API_URL" in str(failure_of(READ, Fault(302, None, "HTTP 302 with a body that is not the API's")))


def test_a_temporary_failure_says_what_failed_and_when_to_ask_again() -> None:
    failure = failure_of(WRITE, Fault(429, 971, "971: Please wait", 137.0))
    assert str(failure) == (
        "cannot save configuration (tunnel blue): Cloudflare answered 429, 971: Please wait, to be asked again in 137 s"
    )


@pytest.mark.parametrize(
    ("status", "code", "concerns"),
    [
        (400, 9005, True),
        (400, 9207, True),
        (400, 9300, True),
        (400, 9041, True),
        (400, None, True),
        (413, None, True),
        (404, 81044, True),
        (403, 81045, True),
        (400, 81053, True),
        (400, 6003, False),
        (400, 1001, False),
        (403, 1038, False),
        (403, 10000, False),
        (404, 1003, False),
        (404, None, False),
        (301, None, False),
    ],
)
def test_a_refusal_concerns_single_records_or_the_whole_request(
    status: int,
    code: int | None,
    concerns: bool,  # noqa: FBT001 -- an expectation
) -> None:
    failure = failure_of(WRITE, Fault(status, code, "said so"))
    assert isinstance(failure, Refused)
    assert failure.concerns_records is concerns


@pytest.mark.parametrize("kind", HTTPX_EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_becomes_one_of_the_ports(kind: type[Exception]) -> None:
    assert issubclass(kind, HTTPX_ERRORS)
    for task in (READ, WRITE):
        failure = failure_from(task, exception_of(kind, "secret"))
        assert isinstance(failure, TemporaryFailure | PermanentFailure)
        assert "secret" not in str(failure)


def test_httpx_is_not_leaked_outside() -> None:
    assert len(HTTPX_EXCEPTIONS) > 20
    assert not any(
        issubclass(ours, HTTPX_ERRORS) for ours in (Failure, TemporaryFailure, PermanentFailure, Refused, Unsettled)
    )


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        (httpx.ConnectError, TEMPORARY),
        (httpx.ConnectTimeout, TEMPORARY),
        (httpx.PoolTimeout, TEMPORARY),
        (httpx.ProxyError, TEMPORARY),
        (httpx.ReadTimeout, AMBIGUOUS),
        (httpx.WriteTimeout, AMBIGUOUS),
        (httpx.ReadError, AMBIGUOUS),
        (httpx.WriteError, AMBIGUOUS),
        (httpx.RemoteProtocolError, AMBIGUOUS),
        (httpx.DecodingError, AMBIGUOUS),
        (httpx.LocalProtocolError, [PermanentFailure, PermanentFailure]),
        (httpx.UnsupportedProtocol, [PermanentFailure, PermanentFailure]),
        (httpx.InvalidURL, [PermanentFailure, PermanentFailure]),
    ],
)
def test_a_write_is_unsettled_unless_it_was_never_sent(kind: type[Exception], kinds: list[type[Failure]]) -> None:
    assert [type(failure_from(task, exception_of(kind, "secret"))) for task in (READ, WRITE)] == kinds
