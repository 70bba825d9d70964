"""Validation and matching: our port of cloudflared's rules against cloudflared itself.

One thing is left out: Go has the tables of Unicode 15, in which a capital sharp s is two letters.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from oracles.cloudflared import Cloudflared, running_cloudflared
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.cloudflared.validation import check_configuration
from tunnel_webhook.domain.errors import InvalidConfiguration
from tunnel_webhook.domain.external_dns.endpoint import Changes
from vocabulary.builders import POLICY
from vocabulary.oddities import ODD, odd_documents
from vocabulary.strategies import HOSTS, REQUEST_PATHS, World, changes, worlds

pytestmark = [pytest.mark.cloudflared, pytest.mark.timeout(600)]

REQUESTS = [(host, path) for host in (*HOSTS, *ODD["requestHosts"]) for path in (*REQUEST_PATHS, *ODD["requestPaths"])]
GO_SAYS = re.compile(r'(?<=error parsing regexp: ).*|(?<=^parse ").*', re.DOTALL)
"""The part of a refusal that Go's libraries write, not cloudflared."""

many = settings(max_examples=20 * settings().max_examples)


@pytest.fixture(scope="module")
def cloudflared(program: Callable[[str], Path]) -> Iterator[Cloudflared]:
    """Run the genuine cloudflared, or skip."""
    with running_cloudflared(program("cloudflared")) as process:
        yield process


def refusal(document: str) -> str:
    """Return why we refuse a document, or an empty text."""
    try:
        check_configuration(TunnelConfiguration.parse(document))
    except InvalidConfiguration as reason:
        return str(reason)
    return ""


def matches(document: str) -> tuple[int, ...]:
    """Return which rule answers each request."""
    configuration = TunnelConfiguration.parse(document)
    winners = (configuration.match(host, path) for host, path in REQUESTS)
    return tuple(next(place for place, rule in enumerate(configuration.rules) if rule is each) for each in winners)


@pytest.mark.parametrize("path", [r"^/\\pL\\pL\\pL", "^/.{1000}$", r"^/((a?){30}){30}!"])
def test_a_large_expression_that_a_person_stored_is_accepted_as_by_cloudflared(
    cloudflared: Cloudflared, path: str
) -> None:
    rules = f'{{"hostname":"a.example.com","path":"{path}","service":"http://a"}},{{"service":"http_status:404"}}'
    document = f'{{"ingress":[{rules}]}}'
    assert cloudflared.ask(document, []).error == ""
    assert refusal(document) == ""


@many
@given(odd_documents())
def test_any_document_is_accepted_refused_and_routed_as_by_cloudflared(cloudflared: Cloudflared, document: str) -> None:
    answer = cloudflared.ask(document, REQUESTS)
    ours = refusal(document)
    assert bool(ours) == bool(answer.error), (ours, answer.error)
    if answer.stage == "validate":
        assert GO_SAYS.sub("", ours) == GO_SAYS.sub("", answer.error)
    if not ours:
        assert matches(document) == answer.matches


@given(worlds(with_catch_all=True), changes())
def test_a_planned_document_is_accepted_and_routed_by_cloudflared_as_by_us(
    cloudflared: Cloudflared, world: World, asked: Changes
) -> None:
    for document in world.planned(asked, POLICY).values():
        answer = cloudflared.ask(document, REQUESTS)
        assert not answer.error
        assert matches(document) == answer.matches
