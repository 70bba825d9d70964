"""Origin requests: every key of `originRequest` as an option, its canonical value, and the unknown keys."""

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

A, B = "a" * 64, "b" * 64
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
        "allow  10.0.0.1/8 8 1 1,deny ::/0",
        "allow 10.0.0.0/8 1 8,deny ::/0",
        {
            "ipRules": [
                {"prefix": "10.0.0.0/8", "ports": [1, 8], "allow": True},
                {"prefix": "::/0", "ports": [], "allow": False},
            ]
        },
    ),
    ("access-required", "true", "true", {"access": {"required": True}}),
    ("access-team-name", "team", "team", {"access": {"teamName": "team"}}),
    ("access-aud-tag", f"{B}, {A},,{B}", f"{A},{B}", {"access": {"audTag": [A, B]}}),
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


def test_keys_are_found_in_any_case_and_unknown_keys_are_left_out() -> None:
    origin_request: dict[str, Json] = {
        "NOTLSVERIFY": True,
        "new": 1,
        "Access": {"Required": True, "new": 1},
        "connectTimeout": None,
    }
    assert options_of(origin_request) == {"no-tls-verify": "true", "access-required": "true"}


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
