"""Kinds of values in `originRequest`: the text of a person, the JSON, and the one text of that JSON."""

import re

import pytest

from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.cloudflared.origin_values import (
    AUDIENCES,
    BOOL,
    COUNT,
    ENVIRONMENT,
    HOST,
    IP_RULES,
    PORT_NUMBER,
    PROXY_TYPE,
    SECONDS,
    TEAM,
    TEXT,
    Kind,
)

SECONDS_ACCEPTED = "accepted are whole seconds up to 86400, or a duration such as 1m30s"
COUNTS_ACCEPTED = "accepted are whole numbers up to 1000"
PORTS_ACCEPTED = "accepted are whole numbers up to 65535"
TEXT_ACCEPTED = "accepted is text of up to 1024 characters without control characters and user information"
HOST_ACCEPTED = "accepted is a host such as app.internal, with or without a port"
TEAM_ACCEPTED = "accepted is the name of a team, one DNS label: acme for acme.cloudflareaccess.com"
AUDIENCES_ACCEPTED = "accepted are audience tags of 64 hexadecimal digits, separated by commas"
A = "a" * 64
IP_RULES_ACCEPTED = "accepted are rules such as: allow 10.0.0.0/8 80 443, deny ::/0"


def ip_rule(prefix: str, *ports: int, allow: bool) -> Json:
    return {"prefix": prefix, "ports": list[Json](ports), "allow": allow}


@pytest.mark.parametrize(
    ("kind", "text", "value", "canonical"),
    [
        pytest.param(BOOL, "True", True, "true", id="boolean - true in another case"),
        pytest.param(BOOL, "false", False, "false", id="boolean - false"),
        pytest.param(SECONDS, "0", 0, "0", id="seconds - the least"),
        pytest.param(SECONDS, "86400", 86400, "86400", id="seconds - the most"),
        pytest.param(SECONDS, "24h", 86400, "86400", id="seconds - hours"),
        pytest.param(SECONDS, "90m", 5400, "5400", id="seconds - minutes"),
        pytest.param(SECONDS, "0s", 0, "0", id="seconds - with their unit"),
        pytest.param(SECONDS, "1h1m1s", 3661, "3661", id="seconds - every unit"),
        pytest.param(COUNT, "0100", 100, "100", id="count - a leading zero"),
        pytest.param(COUNT, "1000", 1000, "1000", id="count - the most"),
        pytest.param(PORT_NUMBER, "65535", 65535, "65535", id="port - the highest"),
        pytest.param(TEXT, "bücher", "bücher", "bücher", id="text - beyond ASCII"),
        pytest.param(TEXT, "a" * 1024, "a" * 1024, "a" * 1024, id="text - 1024 characters"),
        pytest.param(PROXY_TYPE, "SOCKS", "socks", "socks", id="proxy type - in another case"),
        pytest.param(HOST, "App.internal:80", "App.internal:80", "App.internal:80", id="host - with a port"),
        pytest.param(HOST, "[::1]", "[::1]", "[::1]", id="host - IPv6"),
        pytest.param(TEAM, "Acme-1", "acme-1", "acme-1", id="team - in another case"),
        pytest.param(ENVIRONMENT, "FED", "fed", "fed", id="environment - in another case"),
        pytest.param(
            AUDIENCES, f"{'B' * 64}, {A},,{A}", [A, "b" * 64], f"{A},{'b' * 64}", id="audiences - sorted, each once"
        ),
        pytest.param(
            IP_RULES,
            "allow  10.0.0.1/8 443 80 80,deny ::/0",
            [ip_rule("10.0.0.0/8", 80, 443, allow=True), ip_rule("::/0", allow=False)],
            "allow 10.0.0.0/8 80 443,deny ::/0",
            id="IP rules - the network, and its ports sorted, each once",
        ),
        pytest.param(
            IP_RULES,
            "allow ::/0 1 65535",
            [ip_rule("::/0", 1, 65535, allow=True)],
            "allow ::/0 1 65535",
            id="IP rules - the lowest and the highest port",
        ),
    ],
)
def test_a_text_becomes_json_and_one_text_again(kind: Kind, text: str, value: Json, canonical: str) -> None:
    assert kind.parse(text) == value
    assert kind.format(value) == canonical
    assert kind.parse(canonical) == value
    assert kind.go_type(value)


@pytest.mark.parametrize(
    ("kind", "sentence", "text"),
    [
        *((BOOL, "accepted are true and false", text) for text in ("yes", "1", "")),
        *(
            (SECONDS, SECONDS_ACCEPTED, text)
            for text in ("", " ", "86401", "25h", "1.5s", "-1", "10ms", "soon", "1m1h", "٣", "9" * 9)
        ),
        *((COUNT, COUNTS_ACCEPTED, text) for text in ("1001", "2147483647", "-1", "1.5", "many", "٣", "9" * 5000)),
        *((PORT_NUMBER, PORTS_ACCEPTED, text) for text in ("65536", "-1", "http")),
        *((TEXT, TEXT_ACCEPTED, text) for text in ("a\nb", "", "a" * 1025, "a\x7fb", "https://user:secret@host")),
        (PROXY_TYPE, "accepted is socks", "http"),
        *(
            (HOST, HOST_ACCEPTED, text)
            for text in ("", "a b", "http://a", "u@a", "a/b", ".a", "a:", "a:http", "a\r\nX: y")
        ),
        *((TEAM, TEAM_ACCEPTED, text) for text in ("", "a.b", "127.0.0.1:8080/x?", "-a", "a-", "a" * 64, "acme.", "ä")),
        *((ENVIRONMENT, "accepted is fed, for a FedRAMP account", text) for text in ("", "prod", "federal")),
        *(
            (AUDIENCES, AUDIENCES_ACCEPTED, text)
            for text in ("", " , ,", "tag", A[1:], A + "a", "g" * 64, f"{A},b", f"{A};{A}")
        ),
        *(
            (IP_RULES, IP_RULES_ACCEPTED, text)
            for text in ("", "allow", "10.0.0.0/8", "permit 10.0.0.0/8", "Allow ::/0", "allow 10.0.0.0/33")
        ),
        *((IP_RULES, IP_RULES_ACCEPTED, f"allow ::/0 {port}") for port in ("0", "65536", "http", "80,")),
        (IP_RULES, IP_RULES_ACCEPTED, "allow ::/0,"),
    ],
)
def test_a_text_of_another_kind_is_refused_with_the_accepted_ones(kind: Kind, sentence: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        kind.parse(text)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        pytest.param(AUDIENCES, [], "", id="an empty list"),
        pytest.param(AUDIENCES, ["b", "a"], "a,b", id="a list in another order"),
        pytest.param(IP_RULES, [None], "deny ", id="a null rule"),
        pytest.param(IP_RULES, [{"prefix": None, "ports": None}], "deny ", id="an IP rule of nulls"),
        pytest.param(IP_RULES, [{"prefix": "::/0", "ports": [80], "allow": True}], "allow ::/0 80", id="an IP rule"),
    ],
)
def test_every_value_that_cloudflared_accepts_has_a_text(kind: Kind, value: Json, text: str) -> None:
    assert kind.go_type(value)
    assert kind.format(value) == text
