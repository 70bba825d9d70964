"""Validity and matching: our port of cloudflared's rules against cloudflared itself.

Two things are left out. An expression that takes RE2 more than 8 MiB is refused here, since it would take seconds to compile,
and not by Go. And Go's tables are those of Unicode 15, in which a capital sharp s is two letters.
"""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from oracles.cloudflared import NotHere, Oracle, build, running
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
"""The part of a refusal that is in the words of Go's libraries, not of cloudflared."""

many = settings(max_examples=20 * settings().max_examples)


@pytest.fixture(scope="module")
def cloudflared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """Run the genuine cloudflared, or skip."""
    try:
        program = build(tmp_path_factory.mktemp("cloudflared"))
    except NotHere as reason:
        pytest.skip(str(reason))
    with running(program) as oracle:
        yield oracle


def refusal(document: str) -> str:
    """Return why we refuse a document, or nothing."""
    try:
        check_configuration(TunnelConfiguration.parse(document))
    except InvalidConfiguration as reason:
        return str(reason)
    return ""


def matches(document: str) -> tuple[int, ...]:
    """Return which rule answers each request."""
    configuration = TunnelConfiguration.parse(document)
    found = (configuration.match(host, path) for host, path in REQUESTS)
    return tuple(next(place for place, rule in enumerate(configuration.rules) if rule is each) for each in found)


@many
@given(odd_documents())
def test_any_document_is_taken_refused_and_routed_as_cloudflared_does(cloudflared: Oracle, document: str) -> None:
    answer = cloudflared.ask(document, REQUESTS)
    ours = refusal(document)
    assert bool(ours) == bool(answer.error), (ours, answer.error)
    if answer.stage == "validate":
        assert GO_SAYS.sub("", ours) == GO_SAYS.sub("", answer.error)
    if not ours:
        assert matches(document) == answer.matches


@given(worlds(with_catch_all=True), changes())
def test_what_we_write_is_taken_by_cloudflared_and_routed_alike(
    cloudflared: Oracle, world: World, asked: Changes
) -> None:
    for document in world.planned(asked, POLICY).values():
        answer = cloudflared.ask(document, REQUESTS)
        assert not answer.error
        assert matches(document) == answer.matches
