"""Reasons: codes with a sentence, and an invalid endpoint that carries one."""

import pytest

from tunnel_webhook.domain.errors import DomainError, InvalidEndpoint, Reason


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_is_its_code_and_has_a_meaning(reason: Reason) -> None:
    assert str(reason) == reason.value == reason.name.lower().replace("_", "-")
    assert reason.meaning


def test_an_invalid_endpoint_has_a_reason_and_a_sentence() -> None:
    error = InvalidEndpoint(Reason.NO_ZONE, "no zone holds it")
    assert error.reason is Reason.NO_ZONE
    assert str(error) == "no zone holds it"
    assert isinstance(error, DomainError)
