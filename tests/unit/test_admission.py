"""Admission to the webhook port: the table, and what no request that is admitted can be."""

import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.adapters.http import admission
from tunnel_webhook.adapters.http.admission import (
    Admission,
    AmbiguousRequest,
    ForbiddenRequest,
    NotAdmitted,
    WrongPassword,
)

PASSWORD = "c0rrect-h0rse"  # noqa: S105 -- of the tests
SERVED = Admission(frozenset({"webhook.external-dns.svc", "10.0.0.7", "2001:db8::7"}))
Field = tuple[str, str]


def check(*fields: Field, path: str = "/records", by: Admission = SERVED) -> None:
    by.check(path, [(name.encode(), value.encode("latin-1")) for name, value in fields])


def basic(credentials: str, scheme: str = "Basic") -> Field:
    return ("authorization", f"{scheme} {b64encode(credentials.encode()).decode()}")


HOST = ("host", "127.0.0.1:8888")

REFUSED: dict[str, tuple[type[NotAdmitted], list[tuple[Field, ...]]]] = {
    "no Host, an empty one, or several": (
        AmbiguousRequest,
        [(), (("host", ""),), (HOST, HOST), (HOST, ("host", "evil.example")), (("host", "evil.example"), HOST)],
    ),
    "a target that is not a path": (AmbiguousRequest, [(HOST,)]),
    "a Host that is neither loopback nor allowed": (
        ForbiddenRequest,
        [
            (("host", name),)
            for name in (
                "evil.example",
                "evil.example:8888",
                "0.0.0.0",  # noqa: S104 -- a browser sends it to this machine
                "[::]:8888",
                "10.0.0.8",
                "126.255.255.255",
                "128.0.0.1",
                "127.1",
                "2130706433",
                "0x7f000001",
                "0177.0.0.1",
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "evil.localhost",
                "localhost..",
                "xn--lcalhost-xyz",
                "webhook.external-dns.svc.evil.example",
                "x.webhook.external-dns.svc",
                "[2001:db8::8]",
                "[::ffff:10.0.0.8]",
                "[::ffff:10.0.0.7]",
            )
        ],
    ),
    "a Host that is not a host with an optional port": (
        ForbiddenRequest,
        [
            (("host", text),)
            for text in (
                "localhost@evil.example",
                "localhost:80@evil.example",
                "user@localhost",
                "localhost, evil.example",
                "localhost evil.example",
                "localhost/",
                "localhost\\evil.example",
                "localhost?",
                "localhost#",
                "localhost:http",
                "localhost:80:80",
                "::1",
                "[::1",
                "::1]",
                "[::1]x",
                "[::1%25lo]",
                "[localhost]",
                "[127.0.0.1]",
                ":8888",
                "localhost\x00",
                "loc\xe4lhost",
                "http://localhost",
            )
        ],
    ),
    "any Origin, even an empty one": (
        ForbiddenRequest,
        [
            (HOST, ("origin", text))
            for text in ("https://evil.example", "null", "", "http://127.0.0.1:8888", "http://localhost", "file://")
        ],
    ),
    "a Sec-Fetch-Site other than `none` and `same-origin`": (
        ForbiddenRequest,
        [
            (HOST, *(("sec-fetch-site", text) for text in texts))
            for texts in (["cross-site"], ["same-site"], [""], ["NONE"], ["none", "cross-site"], ["none, cross-site"])
        ],
    ),
    "where a password is set: none, another one, or several": (
        WrongPassword,
        [
            (HOST, *credentials)
            for credentials in (
                (),
                (("authorization", ""),),
                (("authorization", "Basic"),),
                (("authorization", "Basic !"),),
                (("authorization", "Basic eA"),),
                (("authorization", f"Bearer {PASSWORD}"),),
                (basic(PASSWORD),),
                (basic(f"{PASSWORD}:"),),
                (basic("x:"),),
                (basic(f"x:{PASSWORD} "),),
                (basic(f"x:{PASSWORD[:-1]}"),),
                (basic(f"x:{PASSWORD.upper()}"),),
                (basic(f"x:{PASSWORD}"), basic(f"x:{PASSWORD}")),
                (basic(f"x:{PASSWORD}", "Bearer"),),
            )
        ],
    ),
}
ADMITTED = [
    "127.0.0.1:8888",
    "127.0.0.1",
    "127.9.8.7:1",
    "LOCALHOST:1234",
    "localhost",
    "localhost:",
    "LocalHost.:8888",
    "127.0.0.1.:8888",
    "[::1]:8888",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]:8888",
    "[::FFFF:7f00:1]",
    "webhook.external-dns.svc:8888",
    "Webhook.External-DNS.svc.",
    "10.0.0.7:8888",
    "[2001:DB8:0::7]:8888",
]


def test_the_table_has_exactly_these_rows() -> None:
    rows = re.findall(r"^\| (.+?) +\| (\w+Request|WrongPassword) +\|$", admission.__doc__ or "", re.MULTILINE)

    assert rows == [(row, kind.__name__) for row, (kind, _) in REFUSED.items()]


@pytest.mark.parametrize(
    ("row", "fields"),
    [pytest.param(row, fields, id=f"{row}: {fields}") for row, (_, cases) in REFUSED.items() for fields in cases],
)
def test_a_request_is_refused_as_in_the_table(row: str, fields: tuple[Field, ...]) -> None:
    path = "" if row.startswith("a target") else "/records"
    by = Admission(password=PASSWORD) if "password" in row else SERVED

    with pytest.raises(REFUSED[row][0]) as raised:
        check(*fields, path=path, by=by)

    assert str(raised.value)
    assert PASSWORD not in str(raised.value)


@pytest.mark.parametrize("path", ["", "*", "evil.example:80", "http://127.0.0.1/"])
def test_a_target_must_be_a_path(path: str) -> None:
    with pytest.raises(AmbiguousRequest, match="the target of the request is not a path"):
        check(HOST, path=path)


@pytest.mark.parametrize("host", ADMITTED)
@pytest.mark.parametrize("site", [(), (("sec-fetch-site", "none"),), (("sec-fetch-site", "same-origin"),)], ids=str)
def test_a_loopback_or_an_allowed_host_is_admitted(host: str, site: tuple[Field, ...]) -> None:
    check(("host", host), ("user-agent", "Go-http-client/1.1"), *site)


@pytest.mark.parametrize("credentials", [f"x:{PASSWORD}", f":{PASSWORD}", f"external-dns:{PASSWORD}"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_right_password_is_admitted_with_any_user_name(credentials: str, scheme: str) -> None:
    check(HOST, basic(credentials, scheme), by=Admission(password=PASSWORD))


def test_a_password_may_contain_a_colon() -> None:
    check(HOST, basic("x:a:b"), by=Admission(password="a:b"))  # noqa: S106 -- of the test


def test_a_password_does_not_admit_what_a_page_sends() -> None:
    for name, value in {"origin": "null", "sec-fetch-site": "cross-site"}.items():
        with pytest.raises(ForbiddenRequest):
            check(HOST, (name, value), basic(f"x:{PASSWORD}"), by=Admission(password=PASSWORD))


def test_the_password_is_not_shown() -> None:
    assert PASSWORD not in repr(Admission(password=PASSWORD))


hosts = st.one_of(
    st.sampled_from(ADMITTED),
    st.text(st.characters(max_codepoint=0xFF), max_size=20),
    st.from_regex(r"\A(localhost|127\.0\.0\.1|\[::1\])[@:/.,]?[a-z.]{0,8}(:[0-9]{0,3})?\Z"),
)
fields = st.lists(
    st.one_of(
        st.tuples(st.just("host"), hosts),
        st.tuples(st.just("origin"), st.sampled_from(["", "null", "https://evil.example", "http://localhost"])),
        st.tuples(st.just("sec-fetch-site"), st.sampled_from(["none", "same-origin", "same-site", "cross-site", ""])),
        st.tuples(st.just("x-forwarded-host"), hosts),
    ),
    max_size=4,
)


@given(fields)
def test_what_is_admitted_has_one_own_host_and_no_mark_of_a_page(drawn: list[Field]) -> None:
    try:
        check(*drawn)
    except NotAdmitted:
        return

    (host,) = [value for name, value in drawn if name == "host"]
    name = re.sub(r"\.?(:[0-9]*)?$", "", host.lower())
    assert re.fullmatch(
        r"localhost|127\.\d+\.\d+\.\d+|\[[0:]+1\]|\[::ffff:(127\.0\.0\.1|7f00:1)\]|10\.0\.0\.7|\[2001:db8:0?:+7\]"
        r"|webhook\.external-dns\.svc",
        name,
    )
    assert "origin" not in dict(drawn)
    assert {value for name, value in drawn if name == "sec-fetch-site"} <= {"none", "same-origin"}


@given(st.binary(max_size=40), st.sampled_from(["Basic ", "Basic", "basic  ", ""]))
def test_no_other_credentials_are_admitted(noise: bytes, scheme: str) -> None:
    with pytest.raises(WrongPassword):
        check(HOST, ("authorization", scheme + noise.decode("latin-1")), by=Admission(password=PASSWORD))
