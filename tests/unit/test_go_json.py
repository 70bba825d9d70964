"""JSON as Go decodes it: which members it sees, and which values it accepts for a type."""

from typing import Any

import pytest

from tunnel_webhook.domain.cloudflared.go_json import (
    GoType,
    fold_key,
    fold_members,
    is_bool,
    is_int64,
    is_string,
    is_uint64,
    list_of,
    mistyped_member,
    object_of,
)
from tunnel_webhook.domain.cloudflared.json_text import Json

STRINGS = list_of(is_string)
PORTS = object_of({"ports": list_of(is_int64)})


@pytest.mark.parametrize(
    ("key", "folded"),
    [
        pytest.param("service", "service", id="lower case"),
        pytest.param("SERVICE", "service", id="upper case"),
        pytest.param("Service", "service", id="mixed case"),
        pytest.param("\u017fervice", "service", id="the long s is an s"),
        pytest.param("tcp\u212aeepAlive", "tcpkeepalive", id="the Kelvin sign is a k"),
    ],
)
def test_a_key_is_compared_in_any_case(key: str, folded: str) -> None:
    assert fold_key(key) == folded


def test_of_members_with_one_name_the_last_that_is_not_null_wins() -> None:
    assert fold_members({"Path": "/a", "path": "/b", "PATH": None}) == {"path": "/b"}


@pytest.mark.parametrize("value", [None, [], "text", 1, True])
def test_a_value_that_is_not_an_object_has_no_members(value: Json) -> None:
    assert fold_members(value) == {}


@pytest.mark.parametrize(
    ("go_type", "value"),
    [
        pytest.param(is_bool, True, id="bool - true"),
        pytest.param(is_bool, False, id="bool - false"),
        pytest.param(is_string, "", id="string - empty"),
        pytest.param(is_string, "text", id="string - text"),
        pytest.param(is_int64, 0, id="int64 - zero"),
        pytest.param(is_int64, 2**63 - 1, id="int64 - the largest"),
        pytest.param(is_int64, -(2**63), id="int64 - the smallest"),
        pytest.param(is_uint64, 0, id="uint64 - the smallest"),
        pytest.param(is_uint64, 2**64 - 1, id="uint64 - the largest"),
        pytest.param(STRINGS, [], id="slice - empty"),
        pytest.param(STRINGS, ["a", "b"], id="slice - elements of its type"),
        pytest.param(STRINGS, ["a", None], id="slice - a null among them"),
        pytest.param(PORTS, {}, id="struct - empty"),
        pytest.param(PORTS, {"PORTS": [80]}, id="struct - a member in any case"),
        pytest.param(PORTS, {"ports": None}, id="struct - a member that is null"),
        pytest.param(PORTS, {"port": "80"}, id="struct - an unknown member of any type"),
    ],
)
def test_a_value_is_decoded_into_a_type(go_type: GoType, value: Any) -> None:
    assert go_type(value)


@pytest.mark.parametrize(
    ("go_type", "value"),
    [
        pytest.param(is_bool, 1, id="bool - a number"),
        pytest.param(is_bool, "true", id="bool - a text"),
        pytest.param(is_string, 1, id="string - a number"),
        pytest.param(is_int64, 2**63, id="int64 - one too large"),
        pytest.param(is_int64, -(2**63) - 1, id="int64 - one too small"),
        pytest.param(is_int64, True, id="int64 - a boolean"),
        pytest.param(is_int64, 1.0, id="int64 - a float without a fraction"),
        pytest.param(is_int64, "1", id="int64 - digits as text"),
        pytest.param(is_uint64, -1, id="uint64 - negative"),
        pytest.param(is_uint64, 2**64, id="uint64 - one too large"),
        pytest.param(is_uint64, True, id="uint64 - a boolean"),
        pytest.param(is_uint64, 1.0, id="uint64 - a float without a fraction"),
        pytest.param(STRINGS, ["a", 1], id="slice - an element of another type"),
        pytest.param(STRINGS, "ab", id="slice - a text"),
        pytest.param(STRINGS, {"a": "b"}, id="slice - an object"),
        pytest.param(PORTS, {"ports": ["80"]}, id="struct - a member of another type"),
        pytest.param(PORTS, [], id="struct - a list"),
        pytest.param(PORTS, "text", id="struct - a text"),
    ],
)
def test_a_value_of_another_type_is_not_decoded(go_type: GoType, value: Any) -> None:
    assert not go_type(value)


@pytest.mark.parametrize(
    ("members", "mistyped"),
    [
        pytest.param({"name": "a", "count": 1}, "", id="none"),
        pytest.param({"name": None, "COUNT": None}, "", id="nulls"),
        pytest.param({"new": 1.5}, "", id="an unknown member"),
        pytest.param({"name": "a", "Count": "1"}, "Count", id="one, in its own spelling"),
        pytest.param({"count": "1", "name": 1}, "count", id="the first of two"),
        pytest.param({"name": "a", "Name": 1}, "Name", id="a second one of the same name"),
    ],
)
def test_the_first_member_that_cannot_be_decoded_is_named(members: dict[str, Json], mistyped: str) -> None:
    assert mistyped_member(members, {"name": is_string, "count": is_int64}) == mistyped
