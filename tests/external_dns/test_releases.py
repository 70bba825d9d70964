"""Hostnames whose records outlive their rules: external-dns sees them as deleted, and may ask for them again."""

import re

import pytest

from external_dns.driver import VERSIONS, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook

pytestmark = pytest.mark.external_dns

APP, WEB = endpoint("app.example.com"), endpoint("web.example.com", "http://web:80")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hostname_that_is_being_released_is_gone_for_external_dns_and_goes_live_again_when_it_is_asked_for(
    webhook: StartWebhook, start: StartExternalDns, version: str
) -> None:
    at = webhook(RELEASE_DELAY="3600")
    dns = start(f"{version}-txt", at=at)
    dns.publish(APP, WEB)
    (stored,) = (each for each in at.account.records() if each["name"] == "app.example.com")
    assert dns.publish(WEB).todo == {"delete": ["app.example.com"]}
    assert dns.publish(WEB).todo == {}
    assert at.account.rules("app.example.com") == []
    (released,) = (each for each in at.account.records() if each["name"] == "app.example.com")
    assert released["id"] == stored["id"]
    assert re.search(r",releasing=\d{10}", released["comment"])

    assert dns.publish(APP, WEB).todo == {"create": ["app.example.com"]}
    assert dns.publish(APP, WEB).todo == {}
    at.account.check({"app.example.com": "http://app:8080", "web.example.com": "http://web:80"})
    (renewed,) = (each for each in at.account.records() if each["name"] == "app.example.com")
    assert renewed["id"] != stored["id"]
