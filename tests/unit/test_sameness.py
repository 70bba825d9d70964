"""Whether two texts of a document say the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.cloudflared.sameness import is_same_document
from vocabulary.builders import configuration, rule

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True),
        ('{"a":{"b":1,"c":2}}', '{"a":{"c":2,"b":1}}', True),
        ('{"ingress":[1,2]}', '{"ingress":[2,1]}', False),
        ('{"a": 1}', '{"a":1}', True),
        ('{"a":"\\u00fc"}', '{"a":"ü"}', True),
        ('{"a":1.0}', '{"a":1}', False),
        ('{"a":1E2}', '{"a":100}', False),
        ('{"a":1.50}', '{"a":1.5}', False),
        ('{"a":1}', '{"a":"1"}', False),
        ('{"a":1}', '{"a":true}', False),
        ('{"a":null}', "{}", False),
        ("{}", '{"warp-routing":{"enabled":false}}', True),
        ("{}", '{"warp-routing":{"enabled":true}}', False),
        ('{"warp-routing":{"enabled":true}}', '{"warp-routing":{"enabled":false}}', False),
        ("{}", '{"ingress":[]}', True),
        ("{}", "null", True),
        ("null", '{"ingress":[],"warp-routing":{"enabled":false}}', True),
        ("null", '{"ingress":[{"service":"http_status:404"}]}', False),
        ('{"a":1}', "null", False),
        ("[]", "{}", False),
        ("[1]", "[1]", True),
    ],
    ids=[
        "members in another order",
        "inner members in another order",
        "rules in another order",
        "other white space",
        "an escaped character",
        "1.0 and 1",
        "1E2 and 100",
        "1.50 and 1.5",
        "1 and a string",
        "1 and true",
        "null and absent",
        "warp-routing off and absent",
        "warp-routing on and absent",
        "warp-routing on and off",
        "no rules and absent",
        "no document and nothing in it",
        "no document and every default",
        "no document and a rule",
        "a member and no document",
        "a list and an object",
        "not an object, but the same",
    ],
)
def test_two_documents_are_the_same_or_not(one: str, other: str, is_same: bool) -> None:  # noqa: FBT001 -- an expectation
    assert is_same_document(one, other) is is_same
    assert is_same_document(other, one) is is_same


def test_a_stored_document_is_the_one_that_was_sent() -> None:
    sent = configuration(rule("a.example.com", path="/x")).text.replace(',"warp-routing":{"enabled":true}', "")
    value = json.loads(sent)
    value["ingress"][0] = dict(reversed(value["ingress"][0].items()))
    stored = json.dumps(value | {"warp-routing": {"enabled": False}}).replace("1.5", "1.50")
    assert is_same_document(sent, stored)


@given(JSON)
def test_a_document_is_the_same_as_itself_however_it_is_written(value: object) -> None:
    one, other = json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)
    assert is_same_document(one, other)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3), st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_other_values_are_another_document(one: dict[str, object], other: dict[str, object]) -> None:
    defaults = {"ingress": [], "warp-routing": {"enabled": False}}
    written = [json.dumps({**defaults, **each}, sort_keys=True) for each in (one, other)]
    assert is_same_document(json.dumps(one), json.dumps(other)) is (written[0] == written[1])
