"""What a failure says: the operation, Cloudflare's reason, and what an operator can do."""

import pytest

from tunnel_webhook.adapters.cloudflare.envelope import Fault, decode_response
from tunnel_webhook.adapters.cloudflare.failures import CURES, Operation, Refused, failure_of_fault
from tunnel_webhook.ports import TemporaryFailure

READ, WRITE = Operation("list zones"), Operation("save configuration", "tunnel blue", writes=True)


@pytest.mark.parametrize("code", [0, 1000, 1001, 1003, 1038, 6003, 6103, 6111, 7000, 7003, 9106, 9109, 10000])
def test_a_code_with_a_cure_is_explained_by_it_and_concerns_the_whole_request(code: int) -> None:
    failure = failure_of_fault(READ, Fault(400, code, f"{code}: said so"))
    assert isinstance(failure, Refused)
    assert str(failure) == f"cannot list zones: {CURES[code]} (Cloudflare: 400, {code}: said so)"
    assert not failure.concerns_records


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        (Fault(403, 0, "0: Actor requires permission"), "CLOUDFLARE_ZONE_IDS"),
        (Fault(403, None, "HTTP 403 with a body that is not the API's"), "Zone/DNS/Edit"),
        (Fault(401, None, "HTTP 401 with a body that is not the API's"), "Zone/DNS/Edit"),
        (Fault(300, None, "HTTP 300 with a body that is not the API's"), "CLOUDFLARE_API_URL"),
        (Fault(399, None, "HTTP 399 with a body that is not the API's"), "CLOUDFLARE_API_URL"),
        (Fault(200, 9005, "9005: said so"), "Cloudflare refuses it"),
        (Fault(400, 9005, "9005: said so"), "Cloudflare refuses it"),
    ],
    ids=[
        "code 0",
        "403 without a code",
        "401 without a code",
        "a redirect",
        "any other 3xx",
        "an unknown code",
        "a bad request",
    ],
)
def test_a_refusal_names_what_an_operator_can_do(fault: Fault, cure: str) -> None:
    assert cure in str(failure_of_fault(READ, fault))


def page(status: int) -> Fault:
    """Return the fault in an answer that is a page."""
    fault = decode_response(status, {}, b"<html>Blocked</html>")
    assert isinstance(fault, Fault)
    return fault


@pytest.mark.parametrize("status", [200, 401, 403, 404, 405, 451, 501, 502, 504])
def test_an_answer_that_is_not_the_apis_is_of_something_between_us_and_cloudflare(status: int) -> None:
    for operation in (READ, WRITE):
        failure = failure_of_fault(operation, page(status))

        assert isinstance(failure, TemporaryFailure)
        assert "something between us and Cloudflare answered, and not the API" in str(failure)
        assert "CLOUDFLARE_API_URL" in str(failure)
        assert "credentials" not in str(failure)
        assert "Blocked" not in str(failure)


def test_the_page_of_cloudflares_own_edge_is_cloudflares() -> None:
    failure = failure_of_fault(READ, page(522))

    assert str(failure) == "cannot list zones: Cloudflare answered 522, HTTP 522 with a body that is not the API's"


def test_a_token_that_is_refused_is_not_called_valid() -> None:
    for code in (None, 10000):
        sentence = str(failure_of_fault(READ, Fault(403, code, "10000: Authentication error")))

        assert "the credentials are not valid, or no longer, or do not allow this" in sentence


def test_a_temporary_failure_says_what_failed_and_how_long_cloudflare_asks_to_wait() -> None:
    failure = failure_of_fault(WRITE, Fault(429, 971, "971: Please wait", 137.0))
    assert str(failure) == (
        "cannot save configuration (tunnel blue): Cloudflare answered 429, 971: Please wait; it asks to wait 137 s"
    )


@pytest.mark.parametrize(
    ("status", "code", "concerns_records"),
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
    concerns_records: bool,  # noqa: FBT001 -- an expectation
) -> None:
    failure = failure_of_fault(WRITE, Fault(status, code, "said so"))
    assert isinstance(failure, Refused)
    assert failure.concerns_records is concerns_records
