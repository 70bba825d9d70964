"""Typing errors, and which unknown properties are ours misspelt."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.properties import (
    ORIGIN_PROPERTIES,
    PREFIX,
    ROUTE_PROPERTIES,
    is_meant_for_us,
    properties_of,
)
from tunnel_webhook.domain.external_dns.typing_errors import within_edits
from vocabulary.builders import POLICY, endpoint

OURS = sorted(name.removeprefix(PREFIX) for name in (*ROUTE_PROPERTIES, *ORIGIN_PROPERTIES))
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("service", "service", 0),
        ("sevice", "service", 1),
        ("serrvice", "service", 1),
        ("sarvice", "service", 1),
        ("sevrice", "service", 1),
        ("sevrise", "service", 2),
        ("", "ab", 2),
        ("ca", "abc", 3),
    ],
)
def test_typing_errors_are_counted(one: str, other: str, edits: int) -> None:
    assert [within_edits(one, other, most) for most in range(4)] == [most >= edits for most in range(4)]


@given(LETTERS, LETTERS, st.integers(0, 3))
def test_typing_errors_count_the_same_in_both_directions(one: str, other: str, most: int) -> None:
    assert within_edits(one, other, most) is within_edits(other, one, most)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "acces-required",
            "access-requierd",
            "access-policy",
            "access_required",
            "accessRequired",
            "path-type",
            "pathh",
        ),
        *("noTLSVerify", "no-tls-verfy", "no-tls", "tls-verify", "origin-server", "originServername", "proxy-protocol"),
        *("servce", "Service", "prot", "ports", "shceme", "tunel", "adpot", "ip-rule", "keep-alive", "http-host"),
    ],
)
def test_a_name_that_may_be_a_typo_is_refused(name: str) -> None:
    with pytest.raises(InvalidEndpoint, match="is not a property: check its spelling") as error:
        properties_of(replace(endpoint(), properties=((PREFIX + name, "x"),)))
    assert error.value.reason is Reason.INVALID_PROPERTY


@pytest.mark.parametrize("name", ["mikrotik-comment", "comment", "adguard-important", "zone-id", "weight", "", "ü"])
def test_a_name_of_another_webhook_is_dropped_and_reported(name: str) -> None:
    desired = replace(endpoint(), properties=((PREFIX + name, "x"),))
    assert properties_of(desired) == {}
    adjustment = adjust([desired, endpoint("b.example.com")], POLICY)
    assert not adjustment.unpublishable
    assert [each.properties for each in adjustment.endpoints] == [(), ()]
    assert adjustment.ignored == {PREFIX + name}
    assert adjust(adjustment.endpoints, POLICY).endpoints == adjustment.endpoints


@given(st.sampled_from(OURS), st.integers(0, 40), st.sampled_from("abcxyz-_"), st.integers(0, 3))
def test_no_single_typing_error_in_one_of_our_names_is_ignored(name: str, place: int, letter: str, kind: int) -> None:
    at = place % len(name)
    typed = (
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at:],
        name[:at] + letter + name[at + 1 :],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    )[kind]
    assert is_meant_for_us(PREFIX + typed) or PREFIX + typed in {**ROUTE_PROPERTIES, **ORIGIN_PROPERTIES}
