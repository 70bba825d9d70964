"""Masking: no spelling of a secret remains in a text, and nothing else is taken from it."""

import base64
import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.telemetry import Masking

SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "in upper case": str.upper,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded as in a form": quote_plus,
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent-encoded throughout": lambda text: "".join(f"%{ord(character):02x}" for character in text),
    "in JSON": lambda text: json.dumps(text)[1:-1],
    "in JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "in JSON with escapes only": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "in Python": lambda text: repr(text)[1:-1],
}
SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=50)
# Letters that no spelling of a secret of other letters can be a part of.
AROUND = st.text(st.sampled_from(" ,;()"), max_size=5)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_no_spelling_of_a_secret_remains(spelling: Callable[[str], str], secret: str, before: str, after: str) -> None:
    masked = Masking([secret])(f"{before}{spelling(secret)}{after}")
    assert masked == f"{before}***{after}"


@given(secret=SECRETS, before=st.text(max_size=7), after=st.text(max_size=3), is_for_urls=st.booleans())
def test_no_base64_of_a_secret_remains_whatever_is_encoded_around_it(
    secret: str,
    before: str,
    after: str,
    is_for_urls: bool,  # noqa: FBT001 -- drawn
) -> None:
    encode = base64.urlsafe_b64encode if is_for_urls else base64.b64encode
    encoded = encode(f"{before}{secret}{after}".encode()).decode()
    masked = Masking([secret])(encoded)
    assert "***" in masked
    # The characters beside the mask encode at most two bits of the secret's first and last byte each.
    assert len(masked) - 3 <= len(encoded) - len(secret) * 8 // 6 + 2


@given(text=st.text(st.sampled_from("abc %\\/*&"), max_size=60))
def test_a_text_without_a_secret_is_what_it_was(text: str) -> None:
    assert Masking(["s3cr3t-t0ken"])(text) == text


@pytest.mark.parametrize("short", ["", "a", "abc"])
def test_a_text_that_is_too_short_to_be_a_secret_masks_nothing(short: str) -> None:
    assert Masking([short])("an abc of masking") == "an abc of masking"


def test_what_is_learned_later_is_masked_from_then_on_beside_what_was_known() -> None:
    masking = Masking(["first-token"])
    assert masking("first-token other-token") == "*** other-token"
    masking.learn("other-token")
    assert masking("first-token other-token") == "*** ***"


def test_of_two_secrets_of_which_one_begins_the_other_both_are_masked_whole() -> None:
    assert Masking(["token", "token-2"])("token-2 token") == "*** ***"


def test_what_follows_bearer_is_masked_whatever_it_is_and_a_sentence_about_bearers_is_not() -> None:
    assert (
        Masking()("Authorization: Bearer abc.def and a bearer of news")
        == "Authorization: Bearer *** and a bearer of news"
    )
