"""What cannot be published is told every loop, harms nobody else, and loses nothing that it had."""

from collections.abc import Callable

import pytest

from external_dns.account import Account
from external_dns.genuine import ExternalDns, Wanted, endpoint
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


@pytest.mark.parametrize("bad", BAD)
def test_good_ones_live_beside_a_new_one_that_cannot_be_published(
    newest: ExternalDns, account: Account, bad: Wanted
) -> None:
    for _ in range(2):
        newest.loop(GOOD, bad).check_soft_error("apply")
        account.check({"good.example.com": "http://good:80"})
    assert newest.loop(GOOD, bad).todo == {"create": ["app.example.com"]}


@pytest.mark.parametrize("bad", BAD)
def test_the_last_good_rule_stays_until_the_endpoint_is_mended(
    newest: ExternalDns, account: Account, bad: Wanted
) -> None:
    newest.publish(endpoint("app.example.com", "https://old:443", no_tls_verify="true"))
    for _ in range(2):
        newest.loop(GOOD, bad).check_soft_error("apply")
        account.check({"good.example.com": "http://good:80", "app.example.com": "https://old:443"})
    mended = endpoint("app.example.com", "http://new:80")
    newest.publish(GOOD, mended)
    assert newest.publish(GOOD, mended).todo == {}
    account.check({"good.example.com": "http://good:80", "app.example.com": "http://new:80"})


@pytest.mark.parametrize("bad", BAD)
def test_one_that_cannot_be_published_can_be_withdrawn(newest: ExternalDns, account: Account, bad: Wanted) -> None:
    newest.publish(GOOD, endpoint("app.example.com"))
    newest.loop(GOOD, bad).check_soft_error("apply")
    assert newest.publish(GOOD).todo == {"delete": ["app.example.com"]}
    assert newest.publish(GOOD).todo == {}
    account.check({"good.example.com": "http://good:80"})


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: [{}], id="all-lost"),
        pytest.param(lambda given: [{}, *given], id="none-lost"),
    ],
)
def test_a_path_whose_properties_are_corrupted_keeps_its_rule(
    newest: ExternalDns, account: Account, spoil: Callable[[list[Wanted]], list[Wanted]]
) -> None:
    site = endpoint("app.example.com", "http://site:80", resource="ingress/prod/site")
    api = endpoint("app.example.com", "http://api:80", resource="ingress/prod/api", identifier="api", path="/api")
    newest.publish(site, api)
    spoilt = api | {"providerSpecific": spoil(api["providerSpecific"])}
    for _ in range(2):
        newest.loop(site, spoilt).check_soft_error("apply")
        account.check({"app.example.com": {"": "http://site:80", "^/api(/|$)": "http://api:80"}})
    assert newest.publish(site, api).todo == {}


def test_a_name_that_no_dns_can_hold_is_told(newest: ExternalDns, account: Account) -> None:
    bad = endpoint("a..example.com")
    for _ in range(2):
        newest.loop(GOOD, bad).check_soft_error("apply")
    account.check({"good.example.com": "http://good:80"})
