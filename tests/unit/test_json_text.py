"""JSON text taken apart and joined again: every part keeps its characters."""

import pytest

from tunnel_webhook.domain.cloudflared.json_text import (
    elements,
    join_elements,
    join_members,
    members,
    parse_json,
    to_text,
)
from tunnel_webhook.domain.errors import InvalidConfiguration


@pytest.mark.parametrize(
    ("text", "parts"),
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
def test_the_elements_of_a_list_keep_their_text(text: str, parts: list[tuple[str, object]]) -> None:
    assert list(elements(text)) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param("{}", [], id="empty"),
        pytest.param(" { } ", [], id="empty with space"),
        pytest.param('{"a":1.0, "b" : [ ]\n}', [("a", '"a":1.0'), ("b", '"b" : [ ]')], id="two"),
        pytest.param('{"\\u0061":"},{", "a":2}', [("a", '"\\u0061":"},{"'), ("a", '"a":2')], id="two of one name"),
    ],
)
def test_the_members_of_an_object_keep_their_text(text: str, parts: list[tuple[str, str]]) -> None:
    assert list(members(text)) == parts


def test_texts_are_joined_as_they_are() -> None:
    assert join_elements(["1.0", '{"a" : 1}']) == '[1.0,{"a" : 1}]'
    assert join_members(['"a" : 1E2', '"b":0']) == '{"a" : 1E2,"b":0}'
    assert join_elements([]) == "[]"
    assert join_members([]) == "{}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="an open object"),
        pytest.param("[1,]", id="a trailing comma"),
        pytest.param("{'a':1}", id="single quotes"),
        pytest.param("NaN", id="NaN"),
        pytest.param("[Infinity]", id="infinity"),
        pytest.param("1 2", id="two values"),
        pytest.param("[" * 100_000, id="too deep"),
    ],
)
def test_a_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfiguration, match="the tunnel's configuration is not JSON: "):
        parse_json(text)


def test_a_value_is_written_compactly_and_without_escapes() -> None:
    assert to_text({"hostname": "bücher.de", "n": [1, True, None]}) == '{"hostname":"bücher.de","n":[1,true,null]}'
