"""Every property: set in an odd spelling, changed, removed; each time the rule follows, and nothing is left to do."""

from typing import Any

import pytest

from external_dns.account import Account
from external_dns.driver import NEWEST, endpoint
from external_dns.webhook import StartExternalDns, StartWebhook
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_OPTIONS

pytestmark = pytest.mark.external_dns

Case = tuple[str, Any, str, Any]
FLAG: Case = (" TRUE ", True, "False", None)
SECONDS: Case = ("1m30s", 90, "2h", 7200)
TEXT: Case = ("one & <two>", "one & <two>", "drei-ü", "drei-ü")
# An odd spelling, the value of the rule, another spelling, and its value; None is a default, which no rule spells out.
ORIGIN: dict[str, Case] = {
    "connect-timeout": SECONDS,
    "tls-timeout": SECONDS,
    "tcp-keep-alive": SECONDS,
    "keep-alive-timeout": ("0091", 91, "90", None),
    "keep-alive-connections": ("0101", 101, "100", None),
    "no-happy-eyeballs": FLAG,
    "http-host-header": ("app.internal:8080", "app.internal:8080", "other.internal", "other.internal"),
    "origin-server-name": ("app.internal", "app.internal", "other.internal", "other.internal"),
    "match-sni-to-host": FLAG,
    "ca-pool": ("/etc/ca.pem", "/etc/ca.pem", "/etc/other.pem", "/etc/other.pem"),
    "no-tls-verify": FLAG,
    "http2-origin": FLAG,
    "disable-chunked-encoding": FLAG,
    "proxy-type": ("SOCKS", "socks", "socks", "socks"),
    "proxy-address": TEXT,
    "proxy-port": ("08080", 8080, "1080", 1080),
    "bastion-mode": FLAG,
    "ip-rules": (
        "allow 10.1.2.3/8  443 80, deny ::/0",
        [{"prefix": "10.0.0.0/8", "ports": [80, 443], "allow": True}, {"prefix": "::/0", "ports": [], "allow": False}],
        "deny ::/0,allow 10.0.0.0/8",
        [{"prefix": "::/0", "ports": [], "allow": False}, {"prefix": "10.0.0.0/8", "ports": [], "allow": True}],
    ),
}
TEAM = ("Acme", "acme", "other", "other")
FED = ("FED", "fed", "fed", "fed")
A, B, C = (letter * 64 for letter in "abc")
ACCESS: dict[str, Case] = {
    "access-required": (" TRUE ", True, "true", True),
    "access-team-name": TEAM,
    "access-aud-tag": (f"{B}, {A},,{B}", [A, B], C, [C]),
    "access-environment": FED,
}
GUARDED = {"access_required": "true", "access_team_name": "team", "access_aud_tag": A}
LIBERAL = {"ALLOW_CA_POOL": "true", "ALLOWED_SERVICES": "http,https,bastion"}


def test_these_tables_hold_every_property() -> None:
    assert ORIGIN.keys() == {option for option, key in ORIGIN_OPTIONS.items() if not key.is_access}
    assert ACCESS.keys() == {option for option, key in ORIGIN_OPTIONS.items() if key.is_access}


@pytest.mark.parametrize("name", [*ORIGIN, *ACCESS])
def test_a_property_is_set_changed_and_taken_away(start: StartExternalDns, webhook: StartWebhook, name: str) -> None:
    liberal = webhook(**LIBERAL)
    dns = start(f"{NEWEST}-txt", at=liberal)
    beside = GUARDED if name in ACCESS else {}
    odd, value, changed, changed_value = {**ORIGIN, **ACCESS}[name]
    plain = endpoint("app.example.com", **beside)
    dns.publish(plain)
    for text, expected in ((odd, value), (changed, changed_value)):
        wanted = endpoint("app.example.com", **{**beside, name.replace("-", "_"): text})
        dns.publish(wanted)
        assert dns.publish(wanted).todo == {}
        assert _value(liberal.account, name) == expected
    dns.publish(plain)
    assert dns.publish(plain).todo == {}
    assert name in {"access-required", "access-team-name", "access-aud-tag"} or _value(liberal.account, name) is None
    liberal.account.check({"app.example.com": "http://app:8080"})


def test_access_is_kept_until_an_endpoint_asks_for_none(start: StartExternalDns, account: Account) -> None:
    dns = start(f"{NEWEST}-txt")
    dns.publish(endpoint("app.example.com", **GUARDED))
    for _ in range(2):
        dns.loop(endpoint("app.example.com")).check_soft_error("apply")
        assert _value(account, "access-required") is True
    waived = endpoint("app.example.com", access="none")
    dns.publish(waived)
    assert _value(account, "access-required") is None
    assert dns.publish(waived).todo == {}
    assert dns.publish(endpoint("app.example.com")).todo == {}


def test_all_properties_at_once_settle(start: StartExternalDns, webhook: StartWebhook) -> None:
    liberal = webhook(**LIBERAL)
    dns = start(f"{NEWEST}-txt-encrypted", at=liberal)
    everything = {name.replace("-", "_"): odd for name, (odd, *_) in {**ORIGIN, **ACCESS}.items()}
    dns.publish(endpoint("app.example.com", "https://app", **everything))
    assert dns.publish(endpoint("app.example.com", "https://app", **dict(reversed(everything.items())))).todo == {}
    assert {name: _value(liberal.account, name) for name in (*ORIGIN, *ACCESS)} == {
        name: value for name, (_, value, *_) in {**ORIGIN, **ACCESS}.items()
    }
    liberal.account.check({"app.example.com": "https://app"})


@pytest.mark.parametrize(
    ("properties", "service"),
    [
        pytest.param({"service": "https://app.prod:8443/"}, "https://app.prod:8443", id="service"),
        pytest.param({"port": "8080"}, "http://lb.internal:8080", id="port"),
        pytest.param({"scheme": "HTTPS"}, "https://lb.internal", id="scheme"),
        pytest.param({"scheme": "ssh", "port": "2222"}, "ssh://lb.internal:2222", id="scheme-and-port"),
        pytest.param({"service": "unix:/run/app.sock"}, "unix:/run/app.sock", id="unix"),
        pytest.param({"service": "http_status:503"}, "http_status:503", id="status"),
        pytest.param({"service": "hello-world"}, "hello_world", id="hello-world"),
    ],
)
def test_properties_name_the_origin(
    start: StartExternalDns, account: Account, properties: dict[str, str], service: str
) -> None:
    dns = start(f"{NEWEST}-txt")
    wanted = endpoint("app.example.com", "lb.internal", **properties)
    dns.publish(wanted)
    assert dns.publish(wanted).todo == {}
    account.check({"app.example.com": service})


def test_an_origin_needs_no_target(start: StartExternalDns, account: Account) -> None:
    dns = start(f"{NEWEST}-txt")
    wanted = endpoint("app.example.com", service="http://app:80") | {"targets": []}
    dns.publish(wanted)
    assert dns.publish(wanted).todo == {}
    account.check({"app.example.com": "http://app:80"})


def _value(account: Account, name: str) -> Any:
    (rule,) = account.rules("app.example.com")
    origin = rule.get("originRequest", {})
    members = origin.get("access", {}) if name in ACCESS else origin
    return members.get(ORIGIN_OPTIONS[name].name)
