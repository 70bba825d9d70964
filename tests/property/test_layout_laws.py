"""L2 to L5: the places of managed rules, and what happens to all others. The oracles: `naive`, and counting hosts."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oracles import naive
from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.layout import Displaced, displaced, lay_out
from vocabulary.builders import rule
from vocabulary.strategies import (
    HOSTS,
    PATHS,
    REQUEST_PATHS,
    bystander_texts,
    document_texts,
    hand_made_documents,
    hostnames,
)

Managed = Mapping[str, frozenset[str]]
"""Paths by hostname."""

managed_hostnames = st.dictionaries(
    hostnames, st.frozensets(st.sampled_from(PATHS), min_size=1, max_size=3), max_size=5
)
requests = [(host, path) for host in HOSTS for path in REQUEST_PATHS]


def published(document: str, managed: Managed) -> str:
    """Return the text of a document in which these hostnames have these rules, laid out."""
    rules = {
        Hostname(hostname): [
            rule(hostname, f"http://ours-{number}:80", path) for number, path in enumerate(sorted(paths))
        ]
        for hostname, paths in managed.items()
    }
    return lay_out(TunnelConfiguration.parse(document), rules, named(managed)).text


def named(managed: Managed) -> dict[str, ClaimedPaths]:
    """Return the claims of these paths."""
    return {hostname: ClaimedPaths.of(paths) for hostname, paths in managed.items()}


def is_ours(text: str, managed: Managed) -> bool:
    """Whether a rule has a claimed path of a claimed hostname, in any spelling."""
    parsed = json.loads(text)
    hosts = naive.patterns(parsed.get("hostname", ""))
    return any(parsed.get("path", "") in paths for hostname, paths in managed.items() if hostname in hosts)


def is_narrower(rule: Mapping[str, Any], hostname: str) -> bool:
    """Whether a person's rule is narrower than any managed rule of a hostname: it has a path there, or lower hosts."""
    has_path_there = hostname in naive.patterns(rule.get("hostname", "")) and bool(rule.get("path"))
    return has_path_there or naive.broader(hostname, rule.get("hostname", ""), HOSTS)


def bystanders(document: str, managed: Managed) -> list[str]:
    """Return the texts of all other rules."""
    return [text for text in naive.rule_texts(document) if not is_ours(text, managed)]


@given(hand_made_documents(), managed_hostnames)
def test_l2_the_catch_all_is_last_and_alone(document: str, managed: Managed) -> None:
    rules = [json.loads(text) for text in naive.rule_texts(published(document, managed))]
    assert [naive.is_catch_all(parsed) for parsed in rules] == [False] * (len(rules) - 1) + [True]


@given(hand_made_documents(with_catch_all=True), managed_hostnames)
def test_l3_no_bystander_is_rerouted(document: str, managed: Managed) -> None:
    before = [json.loads(text) for text in bystanders(document, managed)]
    after_texts = naive.rule_texts(published(document, managed))
    after = [json.loads(text) for text in after_texts]
    for host, path in requests:
        was = before[naive.answers(before, host, path)]
        covering = [hostname for hostname in managed if naive.covers(hostname, host)]
        if all(is_narrower(was, hostname) for hostname in covering):
            assert after[naive.answers(after, host, path)] == was, (host, path)


@given(hand_made_documents(), managed_hostnames)
def test_l4_bystanders_keep_order_and_bytes(document: str, managed: Managed) -> None:
    text = published(document, managed)
    before = bystanders(document, managed)
    added = [] if before else ['{"service":"http_status:404"}']
    assert bystanders(text, managed) == [*before, *added]
    assert naive.other_members(text) == naive.other_members(document)


@given(hand_made_documents(), managed_hostnames)
def test_l5_a_managed_exact_hostname_answers_with_its_own_rules_longest_path_first(
    document: str, managed: Managed
) -> None:
    text = published(document, managed)
    rules = [json.loads(rule_text) for rule_text in naive.rule_texts(text)]
    others = [json.loads(rule_text) for rule_text in bystanders(document, managed)]
    for hostname, paths in managed.items():
        if hostname.startswith("*."):
            continue
        if any(hostname in naive.patterns(each.get("hostname", "")) and each.get("path") for each in others):
            # Those are reached first, and may stand behind rules that take every request: L3.
            continue
        for request in REQUEST_PATHS:
            longest_first = sorted(paths, key=lambda path: (-len(path), path))
            ours = [{"hostname": hostname, "path": path} for path in longest_first]
            expected = ours[naive.answers(ours, hostname, request)]["path"]
            answer = rules[naive.answers(rules, hostname, request)]
            if naive.answers([*ours, {}], hostname, request) < len(ours):
                assert answer["hostname"] == hostname
                assert answer.get("path", "") == expected
            else:
                assert not answer["service"].startswith("http://ours-") or answer["hostname"] != hostname


@st.composite
def disordered(draw: st.DrawFn) -> tuple[str, Managed]:
    """Return a document in which managed rules are anywhere, and their hostnames."""
    managed = draw(managed_hostnames)
    ours = [rule(hostname, f"http://{path}", path).text for hostname, paths in managed.items() for path in paths]
    others = bystander_texts().filter(lambda text: not is_ours(text, managed))
    rules = st.lists(others, max_size=4).flatmap(lambda others: st.permutations([*others, *ours]))
    return draw(document_texts(rules, with_catch_all=True)), managed


@given(disordered())
def test_a_managed_hostname_that_loses_requests_is_shadowed_until_it_is_laid_out(
    disordered: tuple[str, Managed],
) -> None:
    document, managed = disordered
    configuration = TunnelConfiguration.parse(document)
    laid = lay_out(configuration, {}, named(managed))
    found = displaced(configuration.rules, named(managed))
    assert displaced(laid.rules, named(managed)) == Displaced()
    now, then = ([json.loads(text) for text in naive.rule_texts(text)] for text in (document, laid.text))
    for host, path in requests:
        answer = then[naive.answers(then, host, path)]
        hostname, standing = answer.get("hostname", ""), now[naive.answers(now, host, path)]
        if hostname not in managed or standing == answer:
            continue
        if is_ours(json.dumps(answer), managed):
            assert hostname in found.shadowed, (host, path)
        elif is_ours(json.dumps(standing), managed) and standing["hostname"] == hostname:
            assert hostname in found.hiding, (host, path)
