"""The last change set: kept within bounds, returned as it came, and without credentials."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.adapters.http.last_changes import Keeper, LastChanges
from tunnel_webhook.adapters.http.wire import MalformedBody, decode_changes
from tunnel_webhook.domain.external_dns.endpoint import Changes
from vocabulary.builders import endpoint

SECRET = "hunter2hunter2"  # noqa: S105 -- made up


def body(target: str, **members: object) -> bytes:
    return json.dumps({"create": [{"dnsName": "app.example.com", "targets": [target], **members}]}).encode()


def kept(*bodies: bytes) -> LastChanges:
    now = iter([10.0, 12.5, 15.0])
    keeper = Keeper(lambda: next(now))
    for each in bodies:
        keeper.keep(each)
    return LastChanges.decode(keeper.answer())


def test_nothing_is_kept_at_first() -> None:
    assert kept() == LastChanges(None, None, 0)


def test_the_last_change_set_is_kept() -> None:
    last = body("http://app:80", labels={"resource": "service/prod/app"}, setIdentifier="^/x", recordTTL=5)

    assert kept(body("http://other"), last) == LastChanges(decode_changes(last), 2.5, len(last))


def test_all_four_lists_are_kept() -> None:
    lists = ("create", "updateOld", "updateNew", "delete")
    wire = {name: [{"dnsName": f"{name.lower()}.example.com"}] for name in lists}

    changes = kept(json.dumps(wire).encode()).changes

    assert changes == decode_changes(json.dumps(wire).encode())
    assert changes is not None
    assert all((changes.create, changes.update_old, changes.update_new, changes.delete))


def test_a_large_change_set_is_not_kept() -> None:
    large = body("http://" + "a" * 1024 * 1024)

    assert kept(large) == LastChanges(None, 0.0 + 2.5, len(large))
    assert kept(large, b"{}").changes == Changes()


PLACES = [
    lambda text: {"targets": [text]},
    lambda text: {"labels": {"resource": text}},
    lambda text: {"setIdentifier": text},
    lambda text: {"providerSpecific": [{"name": "webhook/service", "value": text}]},
    lambda text: {"dnsName": text},
]


@pytest.mark.parametrize("place", PLACES, ids=["target", "label", "identifier", "property", "name"])
@given(
    st.sampled_from(["https://", "//", "tcp://", ""]),
    st.text(st.characters(codec="ascii", exclude_characters="/?#@:\0"), max_size=8),
)
def test_user_information_is_not_returned(place: object, scheme: str, user: str) -> None:
    assert callable(place)
    wire = {"create": [{"dnsName": "app.example.com", **place(f"{scheme}{user}:{SECRET}@host:443")}]}

    keeper = Keeper(lambda: 0.0)
    keeper.keep(json.dumps(wire).encode())

    answer = keeper.answer()
    assert SECRET.encode() not in answer
    assert b"***@host:443" in answer


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"<html>", b"\xff", b'{"seconds":0}', b'{"seconds":0,"changes":[],"bytes":1}']
)
def test_what_no_webhook_answers_is_refused(answer: bytes) -> None:
    with pytest.raises(MalformedBody):
        LastChanges.decode(answer)


def test_a_change_set_is_planned_as_it_came() -> None:
    created = endpoint("app.example.com")
    last = kept(body("http://app:80"))

    assert last.changes is not None
    assert last.changes.create[0].dns_name == created.dns_name
