"""Credentials: chosen, sent, rotated, and never shown."""

import os
from pathlib import Path

import httpx
import pytest

from tunnel_webhook.adapters.cloudflare.credentials import ApiKey, ApiToken, ApiTokenFile, choose_credentials
from tunnel_webhook.ports import PermanentFailure

SECRET = "v1_0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105 -- made up


def headers_sent(credentials: httpx.Auth) -> dict[str, str]:
    """Return the headers that the credentials add to a request."""
    request = httpx.Request("GET", "http://cloudflare/")
    before = set(request.headers)
    next(credentials.auth_flow(request))
    return {name: value for name, value in request.headers.items() if name not in before}


def rotate(path: Path, token: str) -> None:
    """Replace a token as Kubernetes does: the link is switched to another file, which may be older."""
    target = path.with_name(f"target-{token[:5]}")
    target.write_text(token)
    os.utime(target, (0, 0))
    link = path.with_name("link")
    link.symlink_to(target)
    link.replace(path)


@pytest.mark.parametrize(
    ("values", "headers"),
    [
        ({"token": "token"}, {"authorization": "Bearer token"}),
        ({"token_file": "{file}"}, {"authorization": "Bearer from-the-file"}),
        ({"key": "key", "email": "me@example.com"}, {"x-auth-key": "key", "x-auth-email": "me@example.com"}),
    ],
    ids=["token", "token file", "key with email"],
)
def test_the_scheme_of_the_value_that_is_set_is_chosen(
    tmp_path: Path, values: dict[str, str], headers: dict[str, str]
) -> None:
    path = tmp_path / "token"
    path.write_text("from-the-file")
    learned: list[str] = []
    chosen = choose_credentials(learn=learned.append, **{name: text.format(file=path) for name, text in values.items()})
    assert headers_sent(chosen) == headers
    assert learned == (["from-the-file"] if "token_file" in values else [])


def test_a_token_is_sent_as_a_bearer_token_without_surrounding_whitespace() -> None:
    assert headers_sent(ApiToken(f" {SECRET}\n")) == {"authorization": f"Bearer {SECRET}"}


def test_a_key_is_sent_with_the_email_and_without_a_token() -> None:
    assert headers_sent(ApiKey(SECRET, "me@example.com")) == {"x-auth-key": SECRET, "x-auth-email": "me@example.com"}


def test_a_token_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "token"
    rotate(path, "first-token")
    learned: list[str] = []
    credentials = ApiTokenFile(path, learned.append)
    assert headers_sent(credentials) == {"authorization": "Bearer first-token"}
    rotate(path, "other-token")
    assert headers_sent(credentials) == {"authorization": "Bearer other-token"}
    assert learned == ["first-token", "other-token"]


def test_a_token_file_that_does_not_change_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("first")
    credentials = ApiTokenFile(path)
    assert headers_sent(credentials) == {"authorization": "Bearer first"}
    stamp = path.stat().st_mtime_ns
    path.write_text("other")
    os.utime(path, ns=(stamp, stamp))
    assert headers_sent(credentials) == {"authorization": "Bearer first"}


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe"], ids=["empty", "two words", "not text"])
def test_while_a_token_file_is_unusable_the_last_token_is_sent(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET)
    credentials = ApiTokenFile(path)
    headers_sent(credentials)
    path.write_bytes(content)
    assert headers_sent(credentials) == {"authorization": f"Bearer {SECRET}"}
    path.unlink()
    assert headers_sent(credentials) == {"authorization": f"Bearer {SECRET}"}
    path.write_text("rotated-token")
    assert headers_sent(credentials) == {"authorization": "Bearer rotated-token"}


def test_a_token_file_that_was_never_usable_is_a_permanent_failure_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(PermanentFailure, match=r"CLOUDFLARE_API_TOKEN_FILE: no token can be read from .*token"):
        headers_sent(ApiTokenFile(path))


@pytest.mark.parametrize(
    "secret", ["", " ", "two words", "line\nbreak", "umläut", '"quoted"', "'quoted'", "bell\x07"], ids=ascii
)
def test_a_value_that_no_header_can_carry_is_refused_by_name_and_not_shown(secret: str) -> None:
    with pytest.raises(PermanentFailure, match="CLOUDFLARE_API_TOKEN is empty, or contains") as refused:
        ApiToken(secret)
    assert not secret.strip() or secret not in str(refused.value)
    with pytest.raises(PermanentFailure, match="CLOUDFLARE_API_EMAIL"):
        ApiKey(SECRET, secret)


def test_no_credential_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET)
    from_file = ApiTokenFile(path)
    headers_sent(from_file)
    for credentials in (ApiToken(SECRET), from_file, ApiKey(SECRET, "me@example.com")):
        assert SECRET not in f"{credentials!r} {credentials}"
