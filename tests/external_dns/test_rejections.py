"""An endpoint that cannot be published is an error in every loop, affects no other, and keeps its last good rule."""

from collections.abc import Callable

import pytest

from external_dns.account import Account
from external_dns.driver import EndpointJson, ExternalDns, endpoint
from vocabulary.builders import BLUE

pytestmark = pytest.mark.external_dns
GOOD = endpoint("good.example.com", "http://good:80", resource="ingress/prod/good")
BAD = [
    pytest.param(endpoint("app.example.com", "ftp://app:21"), id="service"),
    pytest.param(endpoint("app.example.com", "http://app:8080/path"), id="service-with-path"),
    pytest.param(endpoint("app.example.com", no_tls_verfy="true"), id="misspelt-property"),
    pytest.param(endpoint("app.example.com", connect_timeout="soon"), id="value"),
    pytest.param(endpoint("app.example.com", tunnel="red"), id="unknown-tunnel"),
    pytest.param(endpoint("app.example.com", access_required="true"), id="access-without-team"),
    pytest.param(endpoint("app.example.com", path="api"), id="path"),
    pytest.param(endpoint("app.example.com", "http://one:80", "http://two:80"), id="two-services"),
    pytest.param(endpoint("app.example.com", f"{BLUE}.cfargotunnel.com"), id="its-own-tunnel"),
    pytest.param(endpoint("app.example.com") | {"providerSpecific": [{}]}, id="corrupted"),
    pytest.param(
        endpoint("app.example.com") | {"providerSpecific": [{}, {"name": "webhook/no-tls-verify"}]}, id="half-corrupted"
    ),
]


def test_a_rejection_is_a_soft_error_under_every_registry(every_registry: ExternalDns, account: Account) -> None:
    for _ in range(2):
        every_registry.loop(GOOD, endpoint("app.example.com", "ftp://app:21")).check_soft_error("apply")
        account.check({"good.example.com": "http://good:80"})


@pytest.mark.parametrize("bad", BAD)
def test_good_endpoints_live_beside_a_new_one_that_cannot_be_published(
    newest: ExternalDns, account: Account, bad: EndpointJson
) -> None:
    for _ in range(2):
        newest.loop(GOOD, bad).check_soft_error("apply")
        account.check({"good.example.com": "http://good:80"})
    assert newest.loop(GOOD, bad).todo == {"create": ["app.example.com"]}


@pytest.mark.parametrize("bad", BAD)
def test_the_last_good_rule_stays_until_the_endpoint_is_corrected(
    newest: ExternalDns, account: Account, bad: EndpointJson
) -> None:
    newest.publish(endpoint("app.example.com", "https://old:443", no_tls_verify="true"))
    for _ in range(2):
        newest.loop(GOOD, bad).check_soft_error("apply")
        account.check({"good.example.com": "http://good:80", "app.example.com": "https://old:443"})
    corrected = endpoint("app.example.com", "http://new:80")
    newest.publish(GOOD, corrected)
    assert newest.publish(GOOD, corrected).todo == {}
    account.check({"good.example.com": "http://good:80", "app.example.com": "http://new:80"})


@pytest.mark.parametrize("bad", BAD)
def test_an_endpoint_that_cannot_be_published_can_be_withdrawn(
    newest: ExternalDns, account: Account, bad: EndpointJson
) -> None:
    newest.publish(GOOD, endpoint("app.example.com"))
    newest.loop(GOOD, bad).check_soft_error("apply")
    assert newest.publish(GOOD).todo == {"delete": ["app.example.com"]}
    assert newest.publish(GOOD).todo == {}
    account.check({"good.example.com": "http://good:80"})


@pytest.mark.parametrize(
    "corrupt",
    [
        pytest.param(lambda _: [{}], id="all-lost"),
        pytest.param(lambda properties: [{}, *properties], id="none-lost"),
    ],
)
def test_a_path_whose_properties_are_corrupted_keeps_its_rule(
    newest: ExternalDns, account: Account, corrupt: Callable[[list[EndpointJson]], list[EndpointJson]]
) -> None:
    site = endpoint("app.example.com", "http://site:80", resource="ingress/prod/site")
    api = endpoint("app.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/api")
    newest.publish(site, api)
    corrupted = api | {"providerSpecific": corrupt(api["providerSpecific"])}
    for _ in range(2):
        newest.loop(site, corrupted).check_soft_error("apply")
        account.check({"app.example.com": {"": "http://site:80", "^/api(/|$)": "http://api:80"}})
    assert newest.publish(site, api).todo == {}


def test_a_name_that_is_no_hostname_is_an_error(newest: ExternalDns, account: Account) -> None:
    bad = endpoint("a..example.com")
    for _ in range(2):
        newest.loop(GOOD, bad).check_soft_error("apply")
    account.check({"good.example.com": "http://good:80"})
