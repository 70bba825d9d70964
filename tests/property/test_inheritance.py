"""What a rule comes to in its document: our reading of cloudflared's `setConfig` against cloudflared itself."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.cloudflared import Cloudflared, GenuineRule, running_cloudflared
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.inheritance import (
    Base,
    inherited_by,
    mean_the_same,
    requires_access,
)
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_KEYS, options_of
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.planning.planner import plan
from tunnel_webhook.domain.planning.report import report
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, endpoint
from vocabulary.strategies import CHILD, SERVICES, World, wishes

pytestmark = [pytest.mark.cloudflared, pytest.mark.timeout(600)]
many = settings(max_examples=4 * settings().max_examples)

VALUES: Mapping[str, tuple[Any, ...]] = {
    "connectTimeout": (30, 5, None),
    "tlsTimeout": (10, 1),
    "tcpKeepAlive": (30, 31),
    "keepAliveTimeout": (90, 0),
    "keepAliveConnections": (100, 1),
    "noHappyEyeballs": (False, True, None),
    "httpHostHeader": ("", "inner"),
    "originServerName": ("", "inner"),
    "matchSNItoHost": (False, True),
    "noTLSVerify": (False, True, None),
    "http2Origin": (False, True),
    "disableChunkedEncoding": (False, True),
    "proxyType": ("", "socks", None),
    "proxyAddress": ("127.0.0.1", "::1"),
    "proxyPort": (0, 1080),
    "bastionMode": (False, True, None),
    "ipRules": ([], None, [{"prefix": "10.0.0.0/8", "ports": [80], "allow": True}]),
    "access": (
        None,
        {},
        {"required": False, "teamName": "acme"},
        {"required": True, "teamName": "acme", "audTag": ["a"]},
    ),
}
WITHOUT_EFFECT = frozenset({"access", "ipRules", "bastionMode", "proxyAddress", "proxyPort"})
"""Keys whose effect is in the service and in the verification, or that a remote rule does not have."""


@pytest.fixture(scope="module")
def cloudflared(program: Callable[[str], Path]) -> Iterator[Cloudflared]:
    """Run the genuine cloudflared, or skip."""
    with running_cloudflared(program("cloudflared")) as process:
        yield process


@st.composite
def origin_texts(draw: st.DrawFn, most: int = 5) -> str:
    """Return an `originRequest` as JSON: some keys twice, in another case."""
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=most))
    seen: dict[str, Any] = {}
    for name in names:
        spelling = name if name not in seen else draw(st.sampled_from((name.upper(), name.lower(), name.title())))
        seen[spelling] = draw(st.sampled_from(VALUES[name]))
    return json.dumps(seen)


def rule_text(service: str, origin: str) -> str:
    return f'{{"hostname":"a.example.com","service":"{service}","originRequest":{origin}}}'


def in_effect(genuine: GenuineRule) -> tuple[Any, ...]:
    """Return what a request meets."""
    stream = genuine.service == "bastion" or genuine.service.partition(":")[0] in {"tcp", "ssh", "rdp", "smb"}
    unused = WITHOUT_EFFECT if stream else WITHOUT_EFFECT | {"proxyType"}
    access = {**genuine.config["access"]} if genuine.verified else {}
    return genuine.service, access, {name: value for name, value in genuine.config.items() if name not in unused}


@many
@given(
    st.sampled_from((*SERVICES, "tcp://db:5432", "hello_world", "bastion")),
    origin_texts(),
    origin_texts(),
    origin_texts(),
)
def test_two_rules_that_mean_the_same_to_us_are_the_same_to_cloudflared(
    cloudflared: Cloudflared, service: str, whole: str, one: str, other: str
) -> None:
    rules = f'{rule_text(service, one)},{rule_text(service, other)},{{"service":"http_status:404"}}'
    document = f'{{"originRequest":{whole},"ingress":[{rules}]}}'
    answer = cloudflared.ask(document, [])
    assert not answer.error
    ours = TunnelConfiguration.parse(document)
    if mean_the_same(ours.rules[0], ours.rules[1], Base.of(ours)):
        assert in_effect(answer.rules[0]) == in_effect(answer.rules[1])
    for mine, genuine in zip(ours.rules, answer.rules, strict=True):
        assert requires_access(mine) == genuine.verified


@many
@given(st.sampled_from((*SERVICES, "tcp://db:5432", "hello_world", "bastion")), origin_texts(), origin_texts())
def test_a_rule_comes_to_what_it_sets_and_inherits_and_else_to_the_defaults(
    cloudflared: Cloudflared, service: str, whole: str, own: str
) -> None:
    document = f'{{"originRequest":{whole},"ingress":[{rule_text(service, own)},{{"service":"http_status:404"}}]}}'
    ours = TunnelConfiguration.parse(document)
    config = cloudflared.ask(document, []).rules[0].config
    mine = ours.rules[0]
    options = {**inherited_by(mine, ours), **options_of(mine.origin_request)}
    for key in ORIGIN_KEYS:
        if key.name in config and key.name not in WITHOUT_EFFECT | {"proxyType", "caPool"}:
            assert key.kind.format(config[key.name]) == options.get(key.option, key.default), key.name


def compared(desired: Endpoint) -> tuple[Any, ...]:
    """Return what external-dns compares."""
    return desired.dns_name, desired.set_identifier, desired.targets, desired.properties


PLANNED = st.one_of(wishes(owner="us"), st.just((endpoint("shop.example.com", "https://shop.prod:443", owner="us"),)))


@given(origin_texts(8), PLANNED)
def test_no_document_turns_a_rule_of_ours_into_what_was_not_asked_and_the_next_loop_finds_nothing_to_do(
    cloudflared: Cloudflared, whole: str, wanted: tuple[Endpoint, ...]
) -> None:
    document = f'{{"originRequest":{whole},"ingress":[{{"service":"http_status:404"}}]}}'
    world = World({BLUE: document, GREEN: document}, {ZONE: (), CHILD: ()})
    bases = {tunnel: Base.of(TunnelConfiguration.parse(document)) for tunnel in (BLUE, GREEN)}
    asked = adjust(wanted, POLICY, bases).endpoints
    for text in world.planned(Changes(create=asked), POLICY).values():
        written = TunnelConfiguration.parse(text)
        answer = cloudflared.ask(text, [])
        assert not answer.error
        for mine, genuine in zip(written.rules[:-1], answer.rules, strict=False):
            assert genuine.service.removesuffix("/").startswith(mine.service)
            if genuine.service.partition(":")[0] in {"tcp", "ssh", "rdp", "smb"}:
                asked_for = options_of(mine.origin_request).get("proxy-type")
                assert (genuine.config["proxyType"] == "socks") == (asked_for == "socks")
    decided = plan(world.existing, Changes(create=asked), POLICY)
    assert not decided.rejections
    claimed = {zone: batch.posts for zone, batch in decided.claims().items()}
    after = World(world.planned(Changes(create=asked), POLICY), {ZONE: (), CHILD: (), **claimed})
    assert list(map(compared, report(after.existing, POLICY).endpoints)) == sorted(map(compared, asked))
