"""Validity: what cloudflared takes and what it refuses, in its own words (ingress/ingress.go, config/configuration.go)."""

import json
from typing import Any

import pytest

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.errors import InvalidConfiguration
from vocabulary.builders import configuration, rule

LAST = {"service": "http_status:404"}
A = {"hostname": "a", "service": "http://a"}
NO_ADDRESS = "is an invalid address, please make sure it has a scheme and a hostname"
NO_PATH = (
    "is an invalid address, ingress rules don't support proxying to a different path on the origin service."
    " The path will be the same as the eyeball request's path"
)
WILDCARD = 'Hostname patterns can have at most one wildcard character ("*") and it can only be used for subdomains, e.g. "*.example.com"'
NOT_LAST = "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)"
TEAM = "access.TeamName cannot be blank when access.audTags are present"
IP_RULE = "unable to create ip rule for socks-proxy:"


def catch_all(number: int, hostname: str) -> str:
    return (
        f"Rule #{number} is matching the hostname '{hostname}', but this will match every hostname,"
        " meaning the rules which follow it will never be triggered."
    )


def check_rules(*rules: Any, **document: Any) -> None:
    check_configuration(TunnelConfiguration.parse(json.dumps({"ingress": rules, **document})))


def refusal(*rules: Any, **document: Any) -> str:
    with pytest.raises(InvalidConfiguration) as refused:
        check_rules(*rules, **document)
    return str(refused.value)


def origin(**keys: Json) -> dict[str, Any]:
    return {**A, "originRequest": keys}


def socks(*rules: Json) -> dict[str, Any]:
    return {"hostname": "a", "service": "socks-proxy", "originRequest": {"ipRules": rules}}


@pytest.mark.parametrize(
    "service",
    [
        *(
            "unix:",
            "unix:/tmp/s",
            "unix:///tmp/s",
            "unix+tls:",
            "unix+tls:/tmp/s",
            "hello_world",
            "hello-world",
            "socks-proxy",
            "bastion",
        ),
        *("http_status:100", "http_status:999", "http_status:+404", "http_status:0404"),
        *(
            "http://a",
            "https://a",
            "ws://a",
            "wss://a",
            "HTTP://a",
            "http://a:8080",
            "http://x:99999",
            "http://[::1]:80",
            "http://u:p@a?q#f",
        ),
        *("tcp://a", "ssh://a", "rdp://a", "smb://a", "ftp://a", "foo://a", "grpc://a", "udp://a"),
    ],
)
def test_a_service_that_cloudflared_knows_is_taken(service: str) -> None:
    check_rules({"hostname": "a", "service": service}, LAST)


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ("", f" {NO_ADDRESS}"),
        ("localhost", f"localhost {NO_ADDRESS}"),
        ("localhost:8080", f"localhost:8080 {NO_ADDRESS}"),
        ("//a", f"//a {NO_ADDRESS}"),
        ("http://", f"http:// {NO_ADDRESS}"),
        ("http://:8080", f"http://:8080 {NO_ADDRESS}"),
        ("Bastion", f"Bastion {NO_ADDRESS}"),
        ("http://a/", f"http://a/ {NO_PATH}"),
        ("http://a:8080/b", f"http://a:8080/b {NO_PATH}"),
        ("192.168.1.1:80", 'parse "192.168.1.1:80": first path segment in URL cannot contain colon'),
        ("http://x:abc", 'parse "http://x:abc": invalid port ":abc" after host'),
        ("http://localhost:8123 ", 'parse "http://localhost:8123 ": invalid port ":8123 " after host'),
        ("http_status:99", "invalid HTTP status code: 99"),
        ("http_status:1000", "invalid HTTP status code: 1000"),
        ("http_status:-404", "invalid HTTP status code: -404"),
        ("http_status:", 'invalid HTTP status code: strconv.Atoi: parsing "": invalid syntax'),
        ("http_status: 404", 'invalid HTTP status code: strconv.Atoi: parsing " 404": invalid syntax'),
        ("http_status:٤٠٤", 'invalid HTTP status code: strconv.Atoi: parsing "٤٠٤": invalid syntax'),
        (
            "http_status:9223372036854775808",
            'invalid HTTP status code: strconv.Atoi: parsing "9223372036854775808": value out of range',
        ),
    ],
)
def test_a_service_that_cloudflared_does_not_know_is_refused(service: str, sentence: str) -> None:
    assert refusal({"hostname": "a", "service": service}, LAST) == sentence


@pytest.mark.parametrize("bastion_mode", [True, None])
def test_in_bastion_mode_any_service_is_taken(*, bastion_mode: bool | None) -> None:
    check_rules(
        {"hostname": "a", "originRequest": {"bastionMode": bastion_mode}}, LAST, originRequest={"bastionMode": True}
    )
    check_rules({"hostname": "a", "originRequest": {"bastionMode": True}}, LAST)


def test_a_rule_may_leave_the_bastion_mode_of_the_document() -> None:
    asked = {"hostname": "a", "originRequest": {"bastionMode": False}}
    assert refusal(asked, LAST, originRequest={"bastionMode": True}) == f" {NO_ADDRESS}"


@pytest.mark.parametrize(
    ("ip_rule", "sentence"),
    [
        pytest.param(None, "no prefix provided", id="null"),
        pytest.param({}, "no prefix provided", id="no prefix"),
        pytest.param({"prefix": ""}, "no prefix provided", id="an empty prefix"),
        pytest.param({"prefix": "10.0.0.0"}, "unable to parse cidr: 10.0.0.0", id="no length"),
        pytest.param({"prefix": "x/8"}, "unable to parse cidr: x/8", id="no address"),
        pytest.param({"prefix": "10.0.0.0/33"}, "unable to parse cidr: 10.0.0.0/33", id="too long"),
        pytest.param({"prefix": "::/129"}, "unable to parse cidr: ::/129", id="too long for IPv6"),
        pytest.param({"prefix": "::/-1"}, "unable to parse cidr: ::/-1", id="below 0"),
        pytest.param({"prefix": "::/٨"}, "unable to parse cidr: ::/٨", id="digits of another script"),
        pytest.param({"prefix": "::/0", "ports": [0]}, "invalid port 0, needs to be between 1 and 65535", id="port 0"),
        pytest.param(
            {"prefix": "::/0", "ports": [80, 65536]},
            "invalid port 65536, needs to be between 1 and 65535",
            id="port 65536",
        ),
        pytest.param(
            {"prefix": "::/0", "ports": [None]}, "invalid port 0, needs to be between 1 and 65535", id="port null"
        ),
    ],
)
def test_an_ip_rule_of_a_proxy_is_looked_at(ip_rule: Json, sentence: str) -> None:
    assert refusal(socks(ip_rule), LAST) == f"{IP_RULE} {sentence}"


def test_sound_ip_rules_of_a_proxy_are_taken() -> None:
    check_rules(
        socks({"prefix": "10.0.0.1/8", "ports": [1, 65535], "allow": True}, {"prefix": "::/0", "ports": None}), LAST
    )


def test_ip_rules_of_anything_but_a_proxy_are_not_looked_at() -> None:
    check_rules(origin(ipRules=[{"prefix": "nonsense"}]), LAST)


@pytest.mark.parametrize(
    ("access", "sentence"),
    [
        pytest.param({"required": True, "audTag": ["x"]}, TEAM, id="tags without a team"),
        pytest.param({"required": True, "teamName": "", "audTag": ["x"]}, TEAM, id="tags and an empty team"),
        pytest.param({"required": True, "teamName": "team", "audTag": ["x"]}, "", id="tags and a team"),
        pytest.param({"required": True}, "", id="neither"),
        pytest.param({"required": False, "audTag": ["x"]}, "", id="not required"),
        pytest.param(None, "", id="null"),
    ],
)
def test_access_with_tags_has_a_team(access: Json, sentence: str) -> None:
    if sentence:
        assert refusal(origin(access=access), LAST) == sentence
    else:
        check_rules(origin(access=access), LAST)


@pytest.mark.parametrize(
    ("hostname", "sentence"),
    [
        ("example.com:80", "Hostname cannot contain a port"),
        ("example.com:", "Hostname cannot contain a port"),
        ("http://example.com", "Hostname cannot contain a port"),
        ("[::1]:80", "Hostname cannot contain a port"),
        ("a.*.x", WILDCARD),
        ("*.*.x", WILDCARD),
        ("**.x", WILDCARD),
        ("x*", WILDCARD),
        ("", catch_all(1, "")),
        ("*", catch_all(1, "*")),
    ],
)
def test_a_hostname_that_cloudflared_refuses(hostname: str, sentence: str) -> None:
    assert refusal({"hostname": hostname, "service": "http://a"}, LAST) == sentence


@pytest.mark.parametrize(
    "hostname",
    [" example.com", "a..b", ".example.com", "-a.x", "*example.com", "Example.COM", "bücher.de", "a:b:c", "[a]"],
)
def test_a_hostname_is_not_looked_at_otherwise(hostname: str) -> None:
    check_rules({"hostname": hostname, "service": "http://a"}, LAST)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        pytest.param([A], NOT_LAST, id="a hostname last"),
        pytest.param([{"path": "/x", "service": "http://a"}], NOT_LAST, id="a path last"),
        pytest.param([LAST, LAST], catch_all(1, ""), id="two of them"),
        pytest.param(
            [A, {"hostname": "*", "service": "http://a"}, LAST], catch_all(2, "*"), id="a star before the last"
        ),
        pytest.param([None, LAST], f" {NO_ADDRESS}", id="a null"),
        pytest.param([], "The config file doesn't contain any ingress rules", id="none at all"),
    ],
)
def test_the_last_rule_and_only_the_last_matches_everything(rules: list[Json], sentence: str) -> None:
    assert refusal(*rules) == sentence


def test_duplicates_dead_rules_and_paths_of_every_host_are_taken() -> None:
    any_host = {"path": "/x", "service": "http://a"}
    check_rules(
        A,
        A,
        {**any_host, "hostname": "*"},
        any_host,
        {"hostname": "*.a", "service": "http://a"},
        {**LAST, "hostname": "*"},
    )


@pytest.mark.parametrize("path", ["(", "(?=x)", "*", r"\C"])
def test_a_path_that_is_not_re2_is_refused(path: str) -> None:
    assert refusal(A, {**A, "path": path}, LAST).startswith("Rule #2 has an invalid regex: error parsing regexp: ")


@pytest.mark.parametrize(
    ("rule", "begins"),
    [
        pytest.param(
            {"service": "x", "hostname": "a:80"}, "x is an invalid address", id="the service before the hostname"
        ),
        pytest.param(
            {**origin(access={"required": True, "audTag": ["x"]}), "hostname": "a:80"},
            TEAM,
            id="access before the hostname",
        ),
        pytest.param({**A, "hostname": "a:80", "path": "("}, "Hostname cannot", id="the hostname before the path"),
        pytest.param({**A, "hostname": "*.*:80"}, "Hostname cannot", id="the port before the wildcard"),
    ],
)
def test_the_checks_of_a_rule_have_an_order(rule: dict[str, Json], begins: str) -> None:
    assert refusal(rule, {**A, "path": "("}, LAST).startswith(begins)


INTEGERS = ("connectTimeout", "tlsTimeout", "tcpKeepAlive", "keepAliveConnections", "keepAliveTimeout", "proxyPort")
BOOLEANS = ("noHappyEyeballs", "matchSNItoHost", "noTLSVerify", "disableChunkedEncoding", "bastionMode", "http2Origin")
STRINGS = ("httpHostHeader", "originServerName", "caPool", "proxyAddress", "proxyType")

NO_INTEGERS: tuple[Json, ...] = (1.5, 1.0, "3s", "3", True, [], {}, 2**64)
NO_BOOLEANS: tuple[Json, ...] = (1, 0, "true", [], {})
NO_STRINGS: tuple[Json, ...] = (1, True, [], {})
NO_IP_RULES: tuple[Json, ...] = ({}, "x", [1], [{"prefix": 1}], [{"ports": 80}], [{"ports": ["80"]}], [{"allow": 1}])
NO_ACCESS: tuple[Json, ...] = (
    True,
    [],
    {"required": 1},
    {"teamName": 1},
    {"audTag": "x"},
    {"audTag": [1]},
    {"environment": 1},
)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, value) for key in INTEGERS for value in NO_INTEGERS),
        *((key, value) for key in BOOLEANS for value in NO_BOOLEANS),
        *((key, value) for key in STRINGS for value in NO_STRINGS),
        ("proxyPort", -1),
        ("connectTimeout", 2**63),
        *(("ipRules", value) for value in NO_IP_RULES),
        *(("access", value) for value in NO_ACCESS),
    ],
)
def test_a_key_of_the_wrong_type_is_refused_in_a_rule_and_in_the_document(key: str, value: Json) -> None:
    assert refusal(A, origin(**{key: value}), LAST) == (
        "json: cannot unmarshal ingress (rule #2): a member has the wrong type (durations are whole seconds)"
    )
    assert refusal(LAST, originRequest={key: value}).startswith("json: cannot unmarshal originRequest: ")


@pytest.mark.parametrize("key", [*INTEGERS, *BOOLEANS, *STRINGS, "ipRules", "access"])
def test_null_is_as_good_as_absent(key: str) -> None:
    check_rules(origin(**{key: None}), LAST, originRequest={key: None})


@pytest.mark.parametrize("key", ["hostname", "path", "service", "originRequest"])
def test_a_member_of_a_rule_of_the_wrong_type_is_refused(key: str) -> None:
    assert refusal({**A, key: 1}, LAST).startswith("json: cannot unmarshal ingress (rule #1): ")


@pytest.mark.parametrize("key", ["CONNECTTIMEOUT", "connecttimeout", "connectTime\u006fut"])
def test_keys_are_found_in_any_case(key: str) -> None:
    assert refusal(origin(**{key: "3s"}), LAST).startswith("json: cannot unmarshal ingress (rule #1): ")


@pytest.mark.parametrize(
    ("routing", "taken"),
    [
        ({"enabled": True}, True),
        ({"connectTimeout": 5, "maxActiveFlows": 2**64 - 1, "tcpKeepAlive": 30}, True),
        (None, True),
        ({"connectTimeout": "5s"}, False),
        ({"maxActiveFlows": -1}, False),
        ({"tcpKeepAlive": 1.5}, False),
        (True, False),
    ],
)
def test_warp_routing_is_looked_at_as_well(routing: Json, *, taken: bool) -> None:
    if taken:
        check_rules(LAST, **{"warp-routing": routing})
    else:
        assert refusal(LAST, **{"warp-routing": routing}).startswith("json: cannot unmarshal warp-routing: ")


def test_what_cloudflared_does_not_know_it_does_not_look_at() -> None:
    check_rules({**A, "new": [1.5]}, origin(new="3s"), LAST, new={"connectTimeout": "3s"})


def test_an_ingress_that_is_no_list_names_no_rule() -> None:
    document = TunnelConfiguration(after=('"Ingress":1',))
    with pytest.raises(InvalidConfiguration, match=r"^json: cannot unmarshal Ingress: "):
        check_configuration(document)


def test_what_the_builders_build_is_taken() -> None:
    check_configuration(configuration(rule("a.example.com", path="^/x"), rule("*.example.com", noTLSVerify=True)))
