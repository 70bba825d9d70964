"""Requests: the endpoints of one hostname fold into what one owner asks, and the others are rejected."""

from dataclasses import replace

import pytest

from tunnel_webhook.domain.claim import Claim
from tunnel_webhook.domain.dns import DnsRecord
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.request import Request, hostnames_in, requests_in
from vocabulary.builders import BLUE, POLICY, ZONE, claim, endpoint, marker

APP = Hostname("app.example.com")
API = "^/api(/|$)"


def claimed(owner: str = "default") -> dict[str, Claim]:
    stored: DnsRecord = claim(APP, owner=owner)
    return {APP: Claim(APP, ZONE, stored, marker(owner), BLUE)}


def requests(changes: Changes, claims: dict[str, Claim] | None = None, policy: Policy = POLICY) -> tuple[Request, ...]:
    found, rejections = requests_in(changes, claims or {}, policy)
    assert rejections == ()
    return found


def rejected(
    changes: Changes, claims: dict[str, Claim] | None = None, policy: Policy = POLICY
) -> tuple[Rejection, ...]:
    return requests_in(changes, claims or {}, policy)[1]


def services(request: Request) -> dict[str, str]:
    return {route.path: route.service for route in request.routes}


def test_create_and_update_ask_for_routes_and_delete_for_the_removal_of_paths() -> None:
    changes = Changes(
        create=(endpoint(),),
        update_new=(endpoint(path="/api"),),
        delete=(replace(endpoint(), set_identifier="^/old"),),
    )
    (request,) = requests(changes, claimed())
    assert request.hostname == APP
    assert request.owner == "default"
    assert services(request) == {"": "http://app:8080", API: "http://app:8080"}
    assert request.deletes == {"^/old"}


def test_a_path_that_is_asked_for_is_not_deleted() -> None:
    (request,) = requests(Changes(create=(endpoint(),), delete=(endpoint(),)), claimed())
    assert request.paths == {""}
    assert request.deletes == frozenset()


def test_a_deletion_of_a_hostname_that_is_not_claimed_is_not_a_request() -> None:
    assert requests(Changes(delete=(endpoint(),))) == ()
    (request,) = requests(Changes(create=(endpoint(),), delete=(replace(endpoint(), set_identifier="^/old"),)))
    assert request.deletes == frozenset()


def test_a_deletion_of_an_invalid_hostname_is_ignored() -> None:
    assert requests(Changes(delete=(endpoint("a..b"),))) == ()


def test_of_several_routes_of_one_path_the_first_in_order_stays() -> None:
    for order in ((endpoint(target="http://b"), endpoint(target="http://a")), (endpoint(target="http://a"),)):
        (request,) = requests(Changes(create=order))
        assert services(request) == {"": "http://a"}


def test_requests_are_sorted_by_hostname_and_their_routes_by_path() -> None:
    names = ("b.example.com", "a.example.com")
    asked = [endpoint(name, path=path) for name in names for path in ("/z", "", "/a")]
    found = requests(Changes(create=tuple(asked)))
    assert [request.hostname for request in found] == ["a.example.com", "b.example.com"]
    assert [route.path for route in found[0].routes] == ["", "^/a(/|$)", "^/z(/|$)"]


# Owners.


@pytest.mark.parametrize(
    ("label", "policy", "owner"),
    [
        ("registry", POLICY, "registry"),
        ("", replace(POLICY, owner_id="instance"), "instance"),
        ("", POLICY, "default"),
    ],
    ids=["the label", "OWNER_ID", "the default"],
)
def test_a_new_hostname_belongs_to(label: str, policy: Policy, owner: str) -> None:
    (request,) = requests(Changes(create=(endpoint(owner=label),)), policy=policy)
    assert request.owner == owner


def test_of_two_owners_that_ask_for_a_new_hostname_the_first_in_order_gets_it() -> None:
    changes = Changes(create=(endpoint(owner="b", resource="ingress/b/x"), endpoint(target="http://z", owner="a")))
    (request,), (rejection,) = requests_in(changes, {}, POLICY)
    assert request.owner == "a"
    assert services(request) == {"": "http://z"}
    assert rejection.reason == "owned-by-other"
    assert rejection.resource == "ingress/b/x"


def test_a_deletion_by_another_owner_is_rejected_and_keeps_what_the_owner_asks() -> None:
    foreign = replace(endpoint(owner="other"), set_identifier="")
    changes = Changes(update_new=(endpoint(target="http://new", owner="me"),), delete=(foreign,))
    (request,), (rejection,) = requests_in(changes, claimed("me"), POLICY)
    assert services(request) == {"": "http://new"}
    assert rejection.reason == "owned-by-other"
    assert rejection.resource == ""


def test_an_owner_other_than_the_one_of_this_instance_is_rejected_with_the_setting() -> None:
    (rejection,) = rejected(Changes(create=(endpoint(owner="other"),)), policy=replace(POLICY, owner_id="me"))
    assert rejection.reason == "invalid-owner"
    assert "OWNER_ID 'me'" in rejection.sentence


# Rejections.


def test_an_endpoint_without_a_valid_hostname_is_rejected_under_the_name_that_it_has() -> None:
    (rejection,) = rejected(Changes(create=(endpoint("a..b", resource="ingress/a/b"),)))
    assert rejection.hostname == "a..b"
    assert rejection.reason == "invalid-hostname"
    assert rejection.resource == "ingress/a/b"


@pytest.mark.parametrize(
    "bad",
    [
        endpoint(path="/bad", no_tls_verfy="x"),
        endpoint(path="/bad", owner="o" * 71),
        endpoint(path="/bad", owner="other"),
    ],
    ids=["an invalid property", "an owner that does not fit", "another owner"],
)
def test_a_request_beside_a_rejection_deletes_nothing_and_takes_nothing_over(bad: Endpoint) -> None:
    changes = Changes(create=(endpoint(adopt="true"), bad), delete=(replace(endpoint(), set_identifier="^/old"),))
    (request,), rejections = requests_in(changes, claimed(), POLICY)
    assert len(rejections) == 1
    assert request.deletes == frozenset()
    assert not any(route.adopt for route in request.routes)


def test_rejections_alone_are_not_a_request() -> None:
    changes = Changes(create=(endpoint(no_tls_verfy="x"),), delete=(endpoint(),))
    found, rejections = requests_in(changes, claimed(), POLICY)
    assert found == ()
    assert [rejection.reason for rejection in rejections] == ["invalid-property"]


def test_a_rejection_is_reported_once() -> None:
    twice = endpoint(no_tls_verfy="x")
    assert len(rejected(Changes(create=(twice,), update_new=(twice,)))) == 1


# The hostnames of a change set.


def test_the_hostnames_of_a_change_set_are_those_of_every_list_that_decides() -> None:
    changes = Changes(
        create=(endpoint("a.example.com"), endpoint("not a name")),
        update_old=(endpoint("old.example.com"),),
        update_new=(endpoint("B.example.com"),),
        delete=(endpoint("c.example.com"), endpoint("x..y")),
    )
    assert hostnames_in(changes) == {"a.example.com", "b.example.com", "c.example.com"}


def test_a_deletion_of_a_hostname_that_is_being_released_is_no_request() -> None:
    claims = {APP: replace(claimed()[APP], marker=marker("default", since=0))}
    assert requests(Changes(delete=(endpoint(),)), claims) == ()
    (request,) = requests(Changes(create=(endpoint(),), delete=(endpoint(),)), claims)
    assert request.paths == {""}
    assert request.deletes == frozenset()


def test_a_hostname_that_another_owner_is_releasing_stays_that_owners() -> None:
    claims = {APP: replace(claimed("them")[APP], marker=marker("them", since=0))}
    (rejection,) = rejected(Changes(create=(endpoint(owner="us"),)), claims)
    assert rejection.reason == "owned-by-other"
