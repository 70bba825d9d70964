"""JSON taken apart: every part keeps its very characters, and members are found as Go finds them."""

import pytest

from tunnel_webhook.domain.cloudflared.go_json import fold_key, fold_members
from tunnel_webhook.domain.cloudflared.json_text import (
    Json,
    elements,
    join_elements,
    join_members,
    members,
    parse_json,
    to_text,
)
from tunnel_webhook.domain.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[]", [], id="empty"),
        pytest.param(" [ ] ", [], id="empty with space"),
        pytest.param("[1.0,1E2]", [("1.0", 1.0), ("1E2", 100.0)], id="numbers"),
        pytest.param(
            '[\n {"a" : "\\u00e9"} ,\t[1, 2],null ]',
            [('{"a" : "\\u00e9"}', {"a": "é"}), ("[1, 2]", [1, 2]), ("null", None)],
            id="mixed",
        ),
        pytest.param('["],["]', [('"],["', "],[")], id="brackets in a string"),
    ],
)
def test_the_elements_of_a_list_keep_their_text(text: str, expected: list[tuple[str, object]]) -> None:
    assert list(elements(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{}", [], id="empty"),
        pytest.param(" { } ", [], id="empty with space"),
        pytest.param('{"a":1.0, "b" : [ ]\n}', [("a", '"a":1.0'), ("b", '"b" : [ ]')], id="two"),
        pytest.param('{"\\u0061":"},{", "a":2}', [("a", '"\\u0061":"},{"'), ("a", '"a":2')], id="twice the same"),
    ],
)
def test_the_members_of_an_object_keep_their_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(members(text)) == expected


def test_texts_are_joined_as_they_are() -> None:
    assert join_elements(["1.0", '{"a" : 1}']) == '[1.0,{"a" : 1}]'
    assert join_members(['"a" : 1E2', '"b":0']) == '{"a" : 1E2,"b":0}'
    assert (join_elements([]), join_members([])) == ("[]", "{}")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", "{'a':1}", "NaN", "[Infinity]", "1 2", "[" * 100_000],
    ids=lambda text: text[:10] or "nothing",
)
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfiguration, match="the tunnel's configuration is not JSON: "):
        parse_json(text)


def test_a_value_is_written_compactly_and_in_its_own_characters() -> None:
    assert to_text({"hostname": "bücher.de", "n": [1, True, None]}) == '{"hostname":"bücher.de","n":[1,true,null]}'


@pytest.mark.parametrize("key", ["service", "SERVICE", "Service", "\u017fervice"])
def test_a_member_is_found_in_any_case(key: str) -> None:
    assert fold_key(key) == "service"


def test_the_kelvin_sign_is_a_k() -> None:
    assert fold_key("tcp\u212aeepAlive") == "tcpkeepalive"


def test_of_members_with_one_name_go_takes_the_last_that_is_not_null() -> None:
    assert fold_members({"Path": "/a", "path": "/b", "PATH": None}) == {"path": "/b"}


@pytest.mark.parametrize("value", [None, [], "text", 1, True])
def test_what_is_no_object_has_no_members(value: Json) -> None:
    assert fold_members(value) == {}
