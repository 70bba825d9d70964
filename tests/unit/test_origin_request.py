"""Origin requests: every key of `originRequest`, its property, its canonical value, and what is kept of unknown keys."""

import re

import pytest

from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_request import (
    ORIGIN_KEYS,
    ORIGIN_OPTIONS,
    merge_origin_request,
    origin_request_of,
    options_of,
    same_origin_request,
)

TABLE: list[tuple[str, str, str, dict[str, Json]]] = [
    ("connect-timeout", "1m30s", "90", {"connectTimeout": 90}),
    ("tls-timeout", "10s", "10", {"tlsTimeout": 10}),
    ("tcp-keep-alive", "30", "30", {"tcpKeepAlive": 30}),
    ("keep-alive-timeout", "1h", "3600", {"keepAliveTimeout": 3600}),
    ("keep-alive-connections", "0100", "100", {"keepAliveConnections": 100}),
    ("no-happy-eyeballs", "True", "true", {"noHappyEyeballs": True}),
    ("http-host-header", " app.internal ", "app.internal", {"httpHostHeader": "app.internal"}),
    ("origin-server-name", "app.internal", "app.internal", {"originServerName": "app.internal"}),
    ("match-sni-to-host", "true", "true", {"matchSNItoHost": True}),
    ("ca-pool", "/etc/ca.pem", "/etc/ca.pem", {"caPool": "/etc/ca.pem"}),
    ("no-tls-verify", "FALSE", "false", {"noTLSVerify": False}),
    ("http2-origin", "true", "true", {"http2Origin": True}),
    ("disable-chunked-encoding", "true", "true", {"disableChunkedEncoding": True}),
    ("proxy-type", "SOCKS", "socks", {"proxyType": "socks"}),
    ("proxy-address", "127.0.0.1", "127.0.0.1", {"proxyAddress": "127.0.0.1"}),
    ("proxy-port", "1080", "1080", {"proxyPort": 1080}),
    ("bastion-mode", "true", "true", {"bastionMode": True}),
    (
        "ip-rules",
        "allow  10.0.0.1/8 443 80 80,deny ::/0",
        "allow 10.0.0.0/8 80 443,deny ::/0",
        {
            "ipRules": [
                {"prefix": "10.0.0.0/8", "ports": [80, 443], "allow": True},
                {"prefix": "::/0", "ports": [], "allow": False},
            ]
        },
    ),
    ("access-required", "true", "true", {"access": {"required": True}}),
    ("access-team-name", "team", "team", {"access": {"teamName": "team"}}),
    ("access-aud-tag", "b, a,,b", "a,b", {"access": {"audTag": ["a", "b"]}}),
    ("access-environment", "fed", "fed", {"access": {"environment": "fed"}}),
]


def canonical_text(option: str, text: str) -> str:
    kind = ORIGIN_OPTIONS[option].kind
    return kind.format(kind.parse(text.strip()))


def test_the_table_holds_every_property() -> None:
    assert [name for name, _, _, _ in TABLE] == [key.option for key in ORIGIN_KEYS]


@pytest.mark.parametrize(("name", "text", "canonical", "origin"), TABLE, ids=[name for name, _, _, _ in TABLE])
def test_a_property_has_one_form_and_comes_back_from_what_it_sets(
    name: str, text: str, canonical: str, origin: dict[str, Json]
) -> None:
    assert canonical_text(name, text) == canonical
    assert canonical_text(name, canonical) == canonical
    assert origin_request_of({name: canonical}) == origin
    assert options_of(origin) == {name: canonical}


SECONDS = "accepted are whole seconds up to 86400, or a duration such as 1m30s"
WHOLE = "accepted are whole numbers up to"
RULES = "accepted are rules such as: allow 10.0.0.0/8 80 443, deny ::/0"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        *(
            ("connect-timeout", text, SECONDS)
            for text in ("", " ", "86401", "25h", "1.5s", "-1", "10ms", "soon", "1m1h", "٣", "9" * 9)
        ),
        *(("keep-alive-connections", text, WHOLE) for text in ("2147483648", "-1", "1.5", "many", "٣", "9" * 5000)),
        *(("proxy-port", text, f"{WHOLE} 65535") for text in ("65536", "-1", "http")),
        *(("no-tls-verify", text, "accepted are true and false") for text in ("yes", "1", "")),
        *(("http-host-header", text, "without control characters") for text in ("a\nb", "", "a" * 1025, "a\x7fb")),
        ("proxy-type", "http", "accepted is socks"),
        *(("access-aud-tag", text, "accepted is a comma-separated list") for text in ("", " , ,")),
        ("access-aud-tag", "a,b\x00c", "without control characters"),
        *(
            ("ip-rules", text, RULES)
            for text in (
                "",
                "allow",
                "10.0.0.0/8",
                "permit 10.0.0.0/8",
                "allow 10.0.0.0/33",
                "allow ::/0 0",
                "allow ::/0 65536",
            )
        ),
        *(("ip-rules", text, RULES) for text in ("allow ::/0 http", "allow ::/0,", "Allow ::/0")),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused_with_what_is_accepted(name: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        canonical_text(name, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", "0"), ("86400", "86400"), ("24h", "86400"), ("1h1m1s", "3661"), ("0s", "0"), ("90m", "5400")],
)
def test_a_duration_is_whole_seconds(text: str, seconds: str) -> None:
    assert canonical_text("tls-timeout", text) == seconds


def test_keys_are_read_in_any_case_and_unknown_ones_are_passed_over() -> None:
    origin: dict[str, Json] = {
        "NOTLSVERIFY": True,
        "new": 1,
        "Access": {"Required": True, "new": 1},
        "connectTimeout": None,
    }
    assert options_of(origin) == {"no-tls-verify": "true", "access-required": "true"}


def test_what_was_written_by_hand_is_read_without_falling_over() -> None:
    origin: dict[str, Json] = {
        "ipRules": [None, {"prefix": None, "ports": None}, {"prefix": "::/0", "ports": [80], "allow": True}]
    }
    assert options_of(origin) == {"ip-rules": "deny ,deny ,allow ::/0 80"}
    assert options_of({"access": {"audTag": []}}) == {"access-aud-tag": ""}


@pytest.mark.parametrize(
    ("existing", "asked", "expected"),
    [
        pytest.param({"new": 1.5}, {"noTLSVerify": True}, {"new": 1.5, "noTLSVerify": True}, id="an unknown key stays"),
        pytest.param({"noTLSVerify": True}, {}, {}, id="a known key goes"),
        pytest.param(
            {"NoTLSVerify": True}, {"noTLSVerify": False}, {"noTLSVerify": False}, id="a known key in any case goes"
        ),
        pytest.param(
            {"access": {"required": True, "new": 1}},
            {"access": {"required": False}},
            {"access": {"new": 1, "required": False}},
            id="an unknown key of access stays",
        ),
        pytest.param(
            {"access": {"required": True, "new": 1}},
            {},
            {"access": {"new": 1}},
            id="an unknown key of access stays alone",
        ),
        pytest.param({"access": {"required": True}}, {}, {}, id="a known key of access goes"),
        pytest.param(
            {"access": {"required": True}},
            {"access": {"required": False}},
            {"access": {"required": False}},
            id="all known",
        ),
        pytest.param({"access": "odd"}, {}, {}, id="an access that is none goes"),
    ],
)
def test_what_is_asked_for_stands_beside_what_we_do_not_know(
    existing: dict[str, Json], asked: dict[str, Json], expected: dict[str, Json]
) -> None:
    assert merge_origin_request(existing, asked) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({}, {}, True, id="nothing"),
        pytest.param({"noTLSVerify": True}, {"NoTLSVerify": True}, True, id="another case"),
        pytest.param({"noTLSVerify": True, "new": 1}, {"noTLSVerify": True}, True, id="an unknown key more"),
        pytest.param(
            {"access": {"audTag": ["a", "b"]}}, {"access": {"audTag": ["b", "a"]}}, True, id="a list in another order"
        ),
        pytest.param({"noTLSVerify": None}, {}, True, id="a null"),
        pytest.param({"noTLSVerify": True}, {"noTLSVerify": False}, False, id="another value"),
        pytest.param({"noTLSVerify": False}, {}, False, id="a default that is written down"),
    ],
)
def test_two_are_the_same_as_far_as_we_know_the_keys(
    one: dict[str, Json], other: dict[str, Json], *, same: bool
) -> None:
    assert same_origin_request(one, other) is same
