"""What an outcome of a call means: the table of `outcomes`, for the retries and for the failures."""

from dataclasses import dataclass

import httpx
import pytest

from doubles.scripted_transport import HTTPX_EXCEPTIONS, exception_of
from tunnel_webhook.adapters.cloudflare import outcomes as outcomes_module
from tunnel_webhook.adapters.cloudflare.envelope import Fault
from tunnel_webhook.adapters.cloudflare.failures import (
    NotDone,
    Operation,
    Refused,
    failure_of_error,
    failure_of_fault,
)
from tunnel_webhook.adapters.cloudflare.outcomes import HTTPX_ERRORS, Meaning, meaning_of_error, meaning_of_fault
from tunnel_webhook.adapters.cloudflare.retry import RetryPolicy
from tunnel_webhook.ports import Failure, PermanentFailure, TemporaryFailure, Unsettled

READ, WRITE = Operation("list zones"), Operation("save configuration", "tunnel blue", writes=True)
METHODS = ("GET", "PUT", "POST")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table; a fault is a status with the code in its body, None if the body has none."""

    meaning: Meaning
    outcomes: tuple[tuple[int, int | None] | type[Exception], ...]
    repeated: tuple[str, ...]
    read: type[Failure]
    write: type[Failure]


def statuses(*numbers: int) -> tuple[tuple[int, None], ...]:
    """Return faults without a code."""
    return tuple((number, None) for number in numbers)


FOREIGN_REFUSALS = statuses(401, 403, 404, 405, 407, 451, 499)
TABLE = {
    "429, 503": Row(Meaning.NOT_DONE, ((429, 971), *statuses(429, 503)), METHODS, NotDone, NotDone),
    "no connection": Row(
        Meaning.NOT_DONE,
        (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError),
        METHODS,
        NotDone,
        NotDone,
    ),
    "408, 425, 500, 502, 504, 520 to 527, 530": Row(
        Meaning.UNKNOWN,
        ((500, 1000), *statuses(408, 425, 500, 502, 504, *range(520, 528), 530)),
        ("GET",),
        TemporaryFailure,
        Unsettled,
    ),
    "timeout, reset, body that breaks off": Row(
        Meaning.UNKNOWN,
        (
            *(httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.WriteError, httpx.CloseError),
            *(httpx.RemoteProtocolError, httpx.DecodingError),
        ),
        ("GET",),
        TemporaryFailure,
        Unsettled,
    ),
    "any other 5xx": Row(
        Meaning.UNREADABLE, ((501, 1000), *statuses(501, 505, 519, 528, 529, 531, 599)), (), TemporaryFailure, Unsettled
    ),
    "2xx with a body that is not the API's": Row(
        Meaning.UNREADABLE, statuses(200, 204), (), TemporaryFailure, Unsettled
    ),
    "any other exception of httpx": Row(
        Meaning.UNREADABLE, (httpx.StreamError, httpx.CookieConflict), (), TemporaryFailure, Unsettled
    ),
    "4xx but 400, 409, 413, 422 without the API's body": Row(
        Meaning.UNREADABLE, FOREIGN_REFUSALS, (), TemporaryFailure, Unsettled
    ),
    "any other status": Row(
        Meaning.REFUSED,
        (
            *((400, 9005), (401, 1000), (404, 1055)),
            *statuses(100, 301, 400, 401, 403, 404, 407, 409, 424, 426, 428, 430),
        ),
        (),
        Refused,
        Refused,
    ),
    "2xx with `success: false` and a code": Row(Meaning.REFUSED, ((200, 1056), (299, 0)), (), Refused, Refused),
    "URL, header or redirects that httpx does not send": Row(
        Meaning.UNSENDABLE,
        (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, httpx.TooManyRedirects),
        (),
        PermanentFailure,
        PermanentFailure,
    ),
}
FAULTS = [
    pytest.param(
        row, Fault(*outcome, "a sentence", is_foreign=row.outcomes is FOREIGN_REFUSALS), id=f"{name}: {outcome}"
    )
    for name, row in TABLE.items()
    for outcome in row.outcomes
    if isinstance(outcome, tuple)
]
ERRORS = [
    pytest.param(row, outcome, id=f"{name}: {outcome.__name__}")
    for name, row in TABLE.items()
    for outcome in row.outcomes
    if isinstance(outcome, type)
]


def repeated(attempt: httpx.Response | httpx.RequestError) -> tuple[str, ...]:
    """Return the methods that the policy repeats after an attempt."""
    policy = RetryPolicy()
    return tuple(method for method in METHODS if policy.delay(0, method, attempt, 10.0, 0.5) is not None)


@pytest.mark.parametrize(("row", "fault"), FAULTS)
def test_a_fault_is_repeated_and_raised_by_the_table(row: Row, fault: Fault) -> None:
    assert meaning_of_fault(fault) is row.meaning
    assert repeated(httpx.Response(fault.status)) == row.repeated
    assert type(failure_of_fault(READ, fault)) is row.read
    assert type(failure_of_fault(WRITE, fault)) is row.write


@pytest.mark.parametrize(("row", "kind"), ERRORS)
def test_an_exception_is_repeated_and_raised_by_the_table(row: Row, kind: type[Exception]) -> None:
    error = exception_of(kind, "secret")
    assert meaning_of_error(error) is row.meaning
    if isinstance(error, httpx.RequestError):
        assert repeated(error) == row.repeated
    assert type(failure_of_error(READ, error)) is row.read
    assert type(failure_of_error(WRITE, error)) is row.write


def test_the_docstring_shows_this_table() -> None:
    names: dict[type[Failure], str] = {
        TemporaryFailure: "Temporary",
        PermanentFailure: "Permanent",
        Unsettled: "Unsettled",
        NotDone: "NotDone",
        Refused: "Refused",
    }
    rows = [
        [
            outcomes,
            row.meaning.name,
            f"{'again, ' if 'GET' in row.repeated else ''}{names[row.read]}",
            f"{'again, ' if 'PUT' in row.repeated else ''}{names[row.write]}",
        ]
        for outcomes, row in TABLE.items()
    ]
    shown = [line[1:-1].split("|") for line in str(outcomes_module.__doc__).splitlines() if line.startswith("|")]
    assert [[cell.strip() for cell in cells] for cells in shown[2:-1]] == rows


@pytest.mark.parametrize("status", [200, 204, 299])
def test_any_other_2xx_is_an_answer_and_not_repeated(status: int) -> None:
    assert repeated(httpx.Response(status)) == ()


@pytest.mark.parametrize("kind", HTTPX_EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_becomes_a_failure_of_the_ports_without_its_own_words(kind: type[Exception]) -> None:
    assert issubclass(kind, HTTPX_ERRORS)
    for operation in (READ, WRITE):
        failure = failure_of_error(operation, exception_of(kind, "secret"))
        assert isinstance(failure, TemporaryFailure | PermanentFailure)
        assert "secret" not in str(failure)


def test_no_failure_is_an_exception_of_httpx() -> None:
    assert len(HTTPX_EXCEPTIONS) > 20
    assert not any(
        issubclass(kind, HTTPX_ERRORS) for kind in (Failure, TemporaryFailure, PermanentFailure, Refused, Unsettled)
    )
