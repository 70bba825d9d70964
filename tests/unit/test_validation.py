"""Validation: which documents cloudflared accepts, and the words in which it refuses the others.

Sources: cloudflared, ingress/ingress.go and config/configuration.go.
"""

import json
from typing import Any

import pytest

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.errors import InvalidConfiguration
from vocabulary.builders import configuration, rule

CATCH_ALL = {"service": "http_status:404"}
RULE = {"hostname": "a", "service": "http://a"}
NO_ADDRESS = "is an invalid address, please make sure it has a scheme and a hostname"
NO_PATH = (
    "is an invalid address, ingress rules don't support proxying to a different path on the origin service."
    " The path will be the same as the eyeball request's path"
)
WILDCARD = (
    'Hostname patterns can have at most one wildcard character ("*") and it can only be used for subdomains,'
    ' e.g. "*.example.com"'
)
NOT_LAST = "The last ingress rule must match all URLs (i.e. it should not have a hostname or path filter)"
TEAM = "access.TeamName cannot be blank when access.audTags are present"
IP_RULE = "unable to create ip rule for socks-proxy:"


def not_reached(number: int, hostname: str) -> str:
    return (
        f"Rule #{number} is matching the hostname '{hostname}', but this will match every hostname,"
        " meaning the rules which follow it will never be triggered."
    )


def check_rules(*rules: Any, **document: Any) -> None:
    check_configuration(TunnelConfiguration.parse(json.dumps({"ingress": rules, **document})))


def refusal(*rules: Any, **document: Any) -> str:
    with pytest.raises(InvalidConfiguration) as error:
        check_rules(*rules, **document)
    return str(error.value)


def with_origin_request(**keys: Json) -> dict[str, Any]:
    return {**RULE, "originRequest": keys}


def socks_proxy(*ip_rules: Json) -> dict[str, Any]:
    return {"hostname": "a", "service": "socks-proxy", "originRequest": {"ipRules": ip_rules}}


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
def test_a_known_service_is_accepted(service: str) -> None:
    check_rules({"hostname": "a", "service": service}, CATCH_ALL)


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
def test_an_unknown_service_is_refused(service: str, sentence: str) -> None:
    assert refusal({"hostname": "a", "service": service}, CATCH_ALL) == sentence


@pytest.mark.parametrize("bastion_mode", [True, None], ids=["in the rule too", "in the document only"])
def test_in_bastion_mode_any_service_is_accepted(*, bastion_mode: bool | None) -> None:
    check_rules(
        {"hostname": "a", "originRequest": {"bastionMode": bastion_mode}},
        CATCH_ALL,
        originRequest={"bastionMode": True},
    )
    check_rules({"hostname": "a", "originRequest": {"bastionMode": True}}, CATCH_ALL)


def test_a_rule_may_switch_off_the_bastion_mode_of_the_document() -> None:
    rule_without = {"hostname": "a", "originRequest": {"bastionMode": False}}
    assert refusal(rule_without, CATCH_ALL, originRequest={"bastionMode": True}) == f" {NO_ADDRESS}"


@pytest.mark.parametrize(
    ("ip_rule", "sentence"),
    [
        pytest.param(None, "no prefix provided", id="null"),
        pytest.param({}, "no prefix provided", id="no prefix"),
        pytest.param({"prefix": ""}, "no prefix provided", id="an empty prefix"),
        pytest.param({"prefix": "10.0.0.0"}, "unable to parse cidr: 10.0.0.0", id="no prefix length"),
        pytest.param({"prefix": "x/8"}, "unable to parse cidr: x/8", id="no address"),
        pytest.param(
            {"prefix": "10.0.0.0/33"}, "unable to parse cidr: 10.0.0.0/33", id="a prefix length that is too long"
        ),
        pytest.param(
            {"prefix": "::/129"}, "unable to parse cidr: ::/129", id="a prefix length that is too long for IPv6"
        ),
        pytest.param({"prefix": "::/-1"}, "unable to parse cidr: ::/-1", id="a negative prefix length"),
        pytest.param({"prefix": "::/٨"}, "unable to parse cidr: ::/٨", id="digits of another script"),
        pytest.param({"prefix": "::/0", "ports": [0]}, "invalid port 0, needs to be between 1 and 65535", id="port 0"),
        pytest.param(
            {"prefix": "::/0", "ports": [80, 65536]},
            "invalid port 65536, needs to be between 1 and 65535",
            id="port 65536",
        ),
        pytest.param(
            {"prefix": "::/0", "ports": [None]}, "invalid port 0, needs to be between 1 and 65535", id="a null port"
        ),
    ],
)
def test_an_invalid_ip_rule_of_a_socks_proxy_is_refused(ip_rule: Json, sentence: str) -> None:
    assert refusal(socks_proxy(ip_rule), CATCH_ALL) == f"{IP_RULE} {sentence}"


def test_valid_ip_rules_of_a_socks_proxy_are_accepted() -> None:
    check_rules(
        socks_proxy({"prefix": "10.0.0.1/8", "ports": [1, 65535], "allow": True}, {"prefix": "::/0", "ports": None}),
        CATCH_ALL,
    )


def test_ip_rules_of_other_services_are_not_checked() -> None:
    check_rules(with_origin_request(ipRules=[{"prefix": "nonsense"}]), CATCH_ALL)


@pytest.mark.parametrize(
    "access",
    [
        pytest.param({"required": True, "teamName": "team", "audTag": ["x"]}, id="tags and a team"),
        pytest.param({"required": True}, id="neither"),
        pytest.param({"required": False, "audTag": ["x"]}, id="not required"),
        pytest.param(None, id="null"),
    ],
)
def test_access_without_a_fault_is_accepted(access: Json) -> None:
    check_rules(with_origin_request(access=access), CATCH_ALL)


@pytest.mark.parametrize(
    "access",
    [
        pytest.param({"required": True, "audTag": ["x"]}, id="no team"),
        pytest.param({"required": True, "teamName": "", "audTag": ["x"]}, id="an empty team"),
    ],
)
def test_access_with_tags_and_without_a_team_is_refused(access: Json) -> None:
    assert refusal(with_origin_request(access=access), CATCH_ALL) == TEAM


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
        ("", not_reached(1, "")),
        ("*", not_reached(1, "*")),
    ],
)
def test_an_invalid_hostname_is_refused(hostname: str, sentence: str) -> None:
    assert refusal({"hostname": hostname, "service": "http://a"}, CATCH_ALL) == sentence


@pytest.mark.parametrize(
    "hostname",
    [" example.com", "a..b", ".example.com", "-a.x", "*example.com", "Example.COM", "bücher.de", "a:b:c", "[a]"],
)
def test_any_other_hostname_is_accepted(hostname: str) -> None:
    check_rules({"hostname": hostname, "service": "http://a"}, CATCH_ALL)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        pytest.param([RULE], NOT_LAST, id="a rule with a hostname last"),
        pytest.param([{"path": "/x", "service": "http://a"}], NOT_LAST, id="a rule with a path last"),
        pytest.param([CATCH_ALL, CATCH_ALL], not_reached(1, ""), id="two catch-alls"),
        pytest.param(
            [RULE, {"hostname": "*", "service": "http://a"}, CATCH_ALL],
            not_reached(2, "*"),
            id="a star before the last",
        ),
        pytest.param([None, CATCH_ALL], f" {NO_ADDRESS}", id="a null rule"),
        pytest.param([], "The config file doesn't contain any ingress rules", id="no rule"),
    ],
)
def test_a_document_needs_a_catch_all_as_its_last_rule_and_nowhere_else(rules: list[Json], sentence: str) -> None:
    assert refusal(*rules) == sentence


def test_duplicates_dead_rules_and_paths_of_every_host_are_accepted() -> None:
    any_host = {"path": "/x", "service": "http://a"}
    check_rules(
        RULE,
        RULE,
        {**any_host, "hostname": "*"},
        any_host,
        {"hostname": "*.a", "service": "http://a"},
        {**CATCH_ALL, "hostname": "*"},
    )


@pytest.mark.parametrize("path", ["(", "(?=x)", "*", r"\C"])
def test_a_path_that_is_not_re2_is_refused(path: str) -> None:
    assert refusal(RULE, {**RULE, "path": path}, CATCH_ALL).startswith(
        "Rule #2 has an invalid regex: error parsing regexp: "
    )


@pytest.mark.parametrize(
    ("faulty", "beginning"),
    [
        pytest.param({"service": "x", "hostname": "a:80"}, "x is an invalid address", id="a service before a hostname"),
        pytest.param(
            {**with_origin_request(access={"required": True, "audTag": ["x"]}), "hostname": "a:80"},
            TEAM,
            id="access before a hostname",
        ),
        pytest.param({**RULE, "hostname": "a:80", "path": "("}, "Hostname cannot", id="a hostname before a path"),
        pytest.param({**RULE, "hostname": "*.*:80"}, "Hostname cannot", id="a port before a wildcard"),
    ],
)
def test_the_first_fault_of_a_rule_is_named(faulty: dict[str, Json], beginning: str) -> None:
    assert refusal(faulty, {**RULE, "path": "("}, CATCH_ALL).startswith(beginning)


INTEGERS = ("connectTimeout", "tlsTimeout", "tcpKeepAlive", "keepAliveConnections", "keepAliveTimeout", "proxyPort")
BOOLEANS = ("noHappyEyeballs", "matchSNItoHost", "noTLSVerify", "disableChunkedEncoding", "bastionMode", "http2Origin")
STRINGS = ("httpHostHeader", "originServerName", "caPool", "proxyAddress", "proxyType")

NOT_INTEGERS: tuple[Json, ...] = (1.5, 1.0, "3s", "3", True, [], {}, 2**64)
NOT_BOOLEANS: tuple[Json, ...] = (1, 0, "true", [], {})
NOT_STRINGS: tuple[Json, ...] = (1, True, [], {})
NOT_IP_RULES: tuple[Json, ...] = ({}, "x", [1], [{"prefix": 1}], [{"ports": 80}], [{"ports": ["80"]}], [{"allow": 1}])
NOT_ACCESS: tuple[Json, ...] = (
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
        *((key, value) for key in INTEGERS for value in NOT_INTEGERS),
        *((key, value) for key in BOOLEANS for value in NOT_BOOLEANS),
        *((key, value) for key in STRINGS for value in NOT_STRINGS),
        ("proxyPort", -1),
        ("connectTimeout", 2**63),
        *(("ipRules", value) for value in NOT_IP_RULES),
        *(("access", value) for value in NOT_ACCESS),
    ],
)
def test_a_key_of_the_wrong_type_is_refused_in_a_rule_and_in_the_document(key: str, value: Json) -> None:
    assert refusal(RULE, with_origin_request(**{key: value}), CATCH_ALL) == (
        "json: cannot unmarshal ingress (rule #2): a member has the wrong type (durations are whole seconds)"
    )
    assert refusal(CATCH_ALL, originRequest={key: value}).startswith("json: cannot unmarshal originRequest: ")


@pytest.mark.parametrize("key", [*INTEGERS, *BOOLEANS, *STRINGS, "ipRules", "access"])
def test_null_counts_as_absent(key: str) -> None:
    check_rules(with_origin_request(**{key: None}), CATCH_ALL, originRequest={key: None})


@pytest.mark.parametrize("key", ["hostname", "path", "service", "originRequest"])
def test_a_member_of_a_rule_of_the_wrong_type_is_refused(key: str) -> None:
    assert refusal({**RULE, key: 1}, CATCH_ALL).startswith("json: cannot unmarshal ingress (rule #1): ")


@pytest.mark.parametrize("key", ["CONNECTTIMEOUT", "connecttimeout", "connectTime\u006fut"])
def test_keys_are_found_in_any_case(key: str) -> None:
    assert refusal(with_origin_request(**{key: "3s"}), CATCH_ALL).startswith(
        "json: cannot unmarshal ingress (rule #1): "
    )


@pytest.mark.parametrize(
    "routing",
    [
        pytest.param({"enabled": True}, id="enabled"),
        pytest.param({"connectTimeout": 5, "maxActiveFlows": 2**64 - 1, "tcpKeepAlive": 30}, id="every member"),
        pytest.param(None, id="null"),
    ],
)
def test_valid_warp_routing_is_accepted(routing: Json) -> None:
    check_rules(CATCH_ALL, **{"warp-routing": routing})


@pytest.mark.parametrize(
    "routing",
    [
        pytest.param({"connectTimeout": "5s"}, id="a timeout as text"),
        pytest.param({"maxActiveFlows": -1}, id="a negative number of flows"),
        pytest.param({"tcpKeepAlive": 1.5}, id="a fraction of a second"),
        pytest.param(True, id="not an object"),
    ],
)
def test_warp_routing_of_the_wrong_type_is_refused(routing: Json) -> None:
    assert refusal(CATCH_ALL, **{"warp-routing": routing}).startswith("json: cannot unmarshal warp-routing: ")


def test_unknown_keys_are_not_checked() -> None:
    check_rules({**RULE, "new": [1.5]}, with_origin_request(new="3s"), CATCH_ALL, new={"connectTimeout": "3s"})


def test_an_ingress_that_is_not_a_list_is_refused_without_naming_a_rule() -> None:
    document = TunnelConfiguration(after=('"Ingress":1',))
    with pytest.raises(InvalidConfiguration, match=r"^json: cannot unmarshal Ingress: "):
        check_configuration(document)


def test_the_documents_of_the_builders_are_valid() -> None:
    check_configuration(configuration(rule("a.example.com", path="^/x"), rule("*.example.com", noTLSVerify=True)))
