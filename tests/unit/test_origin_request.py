"""Origin requests: every key of `originRequest` as an option, its canonical value, and the unknown keys."""

import re

import pytest

from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_request import (
    ORIGIN_KEYS,
    ORIGIN_OPTIONS,
    merge_origin_request,
    options_of,
    origin_request_of,
    same_origin_request,
)

OPTIONS: list[tuple[str, str, str, dict[str, Json]]] = [
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


def test_the_table_holds_every_option() -> None:
    assert [option for option, _, _, _ in OPTIONS] == [key.option for key in ORIGIN_KEYS]


@pytest.mark.parametrize(
    ("option", "text", "canonical", "origin_request"), OPTIONS, ids=[option for option, _, _, _ in OPTIONS]
)
def test_an_option_has_one_form_and_survives_the_round_trip_through_json(
    option: str, text: str, canonical: str, origin_request: dict[str, Json]
) -> None:
    assert canonical_text(option, text) == canonical
    assert canonical_text(option, canonical) == canonical
    assert origin_request_of({option: canonical}) == origin_request
    assert options_of(origin_request) == {option: canonical}


SECONDS = "accepted are whole seconds up to 86400, or a duration such as 1m30s"
WHOLE = "accepted are whole numbers up to"
RULES = "accepted are rules such as: allow 10.0.0.0/8 80 443, deny ::/0"


@pytest.mark.parametrize(
    ("option", "text", "sentence"),
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
def test_a_value_of_another_kind_is_refused_with_the_accepted_ones(option: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        canonical_text(option, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", "0"), ("86400", "86400"), ("24h", "86400"), ("1h1m1s", "3661"), ("0s", "0"), ("90m", "5400")],
)
def test_a_duration_is_whole_seconds(text: str, seconds: str) -> None:
    assert canonical_text("tls-timeout", text) == seconds


def test_keys_are_found_in_any_case_and_unknown_keys_are_left_out() -> None:
    origin_request: dict[str, Json] = {
        "NOTLSVERIFY": True,
        "new": 1,
        "Access": {"Required": True, "new": 1},
        "connectTimeout": None,
    }
    assert options_of(origin_request) == {"no-tls-verify": "true", "access-required": "true"}


def test_odd_values_that_a_person_wrote_are_formatted() -> None:
    origin_request: dict[str, Json] = {
        "ipRules": [None, {"prefix": None, "ports": None}, {"prefix": "::/0", "ports": [80], "allow": True}]
    }
    assert options_of(origin_request) == {"ip-rules": "deny ,deny ,allow ::/0 80"}
    assert options_of({"access": {"audTag": []}}) == {"access-aud-tag": ""}


@pytest.mark.parametrize(
    ("existing", "desired", "merged"),
    [
        pytest.param(
            {"new": 1.5}, {"noTLSVerify": True}, {"new": 1.5, "noTLSVerify": True}, id="an unknown key is kept"
        ),
        pytest.param({"noTLSVerify": True}, {}, {}, id="a known key is removed"),
        pytest.param(
            {"NoTLSVerify": True},
            {"noTLSVerify": False},
            {"noTLSVerify": False},
            id="a known key in any case is replaced",
        ),
        pytest.param(
            {"access": {"required": True, "new": 1}},
            {"access": {"required": False}},
            {"access": {"new": 1, "required": False}},
            id="an unknown key of access is kept",
        ),
        pytest.param(
            {"access": {"required": True, "new": 1}},
            {},
            {"access": {"new": 1}},
            id="an unknown key of access is all that is kept",
        ),
        pytest.param({"access": {"required": True}}, {}, {}, id="a known key of access is removed"),
        pytest.param(
            {"access": {"required": True}},
            {"access": {"required": False}},
            {"access": {"required": False}},
            id="a known key of access is replaced",
        ),
        pytest.param({"access": "odd"}, {}, {}, id="an access that is not an object is removed"),
    ],
)
def test_a_merge_replaces_known_keys_and_keeps_unknown_ones(
    existing: dict[str, Json], desired: dict[str, Json], merged: dict[str, Json]
) -> None:
    assert merge_origin_request(existing, desired) == merged


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({}, {}, True, id="both empty"),
        pytest.param({"noTLSVerify": True}, {"NoTLSVerify": True}, True, id="another case"),
        pytest.param({"noTLSVerify": True, "new": 1}, {"noTLSVerify": True}, True, id="an additional unknown key"),
        pytest.param(
            {"access": {"audTag": ["a", "b"]}}, {"access": {"audTag": ["b", "a"]}}, True, id="a list in another order"
        ),
        pytest.param({"noTLSVerify": None}, {}, True, id="a null"),
        pytest.param({"noTLSVerify": True}, {"noTLSVerify": False}, False, id="another value"),
        pytest.param({"noTLSVerify": False}, {}, False, id="an explicit default"),
    ],
)
def test_two_origin_requests_are_compared_by_the_keys_that_we_know(
    one: dict[str, Json], other: dict[str, Json], *, same: bool
) -> None:
    assert same_origin_request(one, other) is same
