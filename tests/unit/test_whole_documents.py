"""Documents that set something for all rules, and rules that spell everything out: through the whole service."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tunnel_webhook.adapters.memory import InMemoryTunnels
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.ports import ChangesNotApplied
from vocabulary.builders import (
    BLUE,
    EVERY_DEFAULT,
    GREEN,
    POLICY,
    ZONE,
    claim,
    configuration,
    endpoint,
    memory,
    record,
    service,
)

pytestmark = pytest.mark.anyio

SHOP = endpoint("shop.example.com", "https://shop.prod:443")
ADOPTING = replace(POLICY, adopt_hostnames=(HostnamePattern.parse("*.example.com"),))
MANAGED = claim("shop.example.com")
BY_HAND = record("shop.example.com", target_of(BLUE), proxied=True)


def document(*rules: dict[str, Any], **origin: Any) -> TunnelConfiguration:
    """Return a document of these rules that sets something for all of them."""
    ingress = [*rules, {"service": "http_status:404"}]
    return TunnelConfiguration.parse(json.dumps({"originRequest": origin, "ingress": ingress}), 1)


def shop_rule(**origin: Any) -> dict[str, Any]:
    return {"hostname": "shop.example.com", "service": "https://shop.prod:443", "originRequest": origin}


def stored_rule(tunnels: InMemoryTunnels) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tunnels.documents[BLUE][0])["ingress"][0]
    return found


async def second_loop_is_empty(tunnels: InMemoryTunnels, records: Any, asked: Endpoint) -> bool:
    """Whether a process that starts now reports exactly what is asked, as far as external-dns compares it."""
    webhook = service(tunnels, records)
    reported = await webhook.records()
    adjusted = await webhook.adjust_endpoints((asked,))
    return [(e.dns_name, e.targets, e.properties) for e in reported] == [
        (e.dns_name, e.targets, e.properties) for e in adjusted
    ]


async def published(
    found: TunnelConfiguration, asked: Endpoint, *records: DnsRecord, update: bool = False
) -> tuple[InMemoryTunnels, bool]:
    """Return the tunnels once an endpoint is asked for, and whether the second loop has nothing to do."""
    tunnels, zones = memory({BLUE: found, GREEN: configuration()}, {ZONE: records})
    webhook = service(tunnels, zones, ADOPTING)
    await webhook.records()
    adjusted = await webhook.adjust_endpoints((asked,))
    await webhook.apply_changes(Changes(update_new=adjusted) if update else Changes(create=adjusted))
    return tunnels, await second_loop_is_empty(tunnels, zones, asked)


@pytest.mark.parametrize(
    ("whole", "asked", "expected"),
    [
        pytest.param({"bastionMode": True}, SHOP, {"bastionMode": False}, id="no jump host"),
        pytest.param(
            {"bastionMode": True, "proxyType": "socks"},
            SHOP,
            {"bastionMode": False, "proxyType": ""},
            id="nor a SOCKS proxy",
        ),
        pytest.param({"proxyType": "socks"}, SHOP, None, id="an HTTP origin is no SOCKS proxy anyway"),
        pytest.param(
            {"proxyType": "socks"}, replace(SHOP, targets=("ssh://shop.prod:22",)), {"proxyType": ""}, id="a stream"
        ),
        pytest.param({"httpHostHeader": "a", "originServerName": "b"}, SHOP, None, id="the rest is inherited"),
        pytest.param(
            {"noTLSVerify": True},
            replace(SHOP, properties=(("webhook/no-tls-verify", "false"),)),
            {"noTLSVerify": False},
            id="a default that is asked for overrides",
        ),
        pytest.param(
            {"connectTimeout": 5},
            replace(SHOP, properties=(("webhook/connect-timeout", "5"),)),
            None,
            id="what is inherited anyway is not repeated",
        ),
        pytest.param({}, replace(SHOP, properties=(("webhook/connect-timeout", "30s"),)), None, id="nor is a default"),
    ],
)
async def test_a_rule_says_what_its_document_would_get_wrong(
    whole: dict[str, Any], asked: Endpoint, expected: dict[str, Any] | None
) -> None:
    tunnels, done = await published(document(**whole), asked)
    assert stored_rule(tunnels).get("originRequest") == expected
    assert done


@pytest.mark.parametrize("records", [BY_HAND, MANAGED], ids=["made by hand", "managed"])
async def test_a_rule_that_spells_every_default_out_is_not_rewritten(records: DnsRecord) -> None:
    before = document(shop_rule(**EVERY_DEFAULT))
    tunnels, done = await published(before, SHOP, records, update=records is MANAGED)
    assert tunnels.documents[BLUE] == (before.text, 1)
    assert done


async def test_a_default_that_is_spelt_out_is_an_override_where_the_document_says_otherwise() -> None:
    with pytest.raises(ChangesNotApplied, match="connectTimeout is '30' there and '10' here"):
        await published(document(shop_rule(connectTimeout=30), connectTimeout=10), SHOP, BY_HAND)
    tunnels, done = await published(
        document(shop_rule(connectTimeout=30), connectTimeout=10), SHOP, MANAGED, update=True
    )
    assert "originRequest" not in stored_rule(tunnels)
    assert done


async def test_a_managed_rule_that_a_document_turned_into_a_jump_host_is_repaired() -> None:
    tunnels, zones = memory({BLUE: document(shop_rule(), bastionMode=True), GREEN: configuration()}, {ZONE: (MANAGED,)})
    assert not await second_loop_is_empty(tunnels, zones, SHOP)
    tunnels, done = await published(document(shop_rule(), bastionMode=True), SHOP, MANAGED, update=True)
    assert stored_rule(tunnels)["originRequest"] == {"bastionMode": False}
    assert done


async def test_access_of_the_whole_document_does_not_count_as_protection() -> None:
    block = {"required": True, "teamName": "acme", "audTag": ["a" * 64]}
    asked = replace(
        SHOP,
        properties=(
            ("webhook/access-aud-tag", "a" * 64),
            ("webhook/access-required", "true"),
            ("webhook/access-team-name", "acme"),
        ),
    )
    tunnels, done = await published(document(access=block), asked)
    assert stored_rule(tunnels)["originRequest"] == {"access": block}
    assert done
