"""The model of external-dns' planner, which judges laws L9 and L11, against the genuine planner."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from oracles.external_dns_planner import MANAGED_TYPES, calculate
from oracles.genuine_planner import Question, genuine_changes
from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.hostname import Hostname

pytestmark = pytest.mark.external_dns

QUESTIONS = 3000
POLICIES = ("sync", "sync", "upsert-only", "create-only")
OWNERS = ("", "us", "us", "them")
SPELLINGS = (
    ("a.example.com", "A.example.com."),
    ("b.example.org", " b.example.org"),
    ("*.example.com",),
    ("bücher.example.com", "xn--bcher-kva.example.com"),
)
TYPES = ("CNAME", "CNAME", "CNAME", "A", "AAAA", "TXT")
TARGETS = (
    "http://app:80",
    "http://APP:80",
    "app.internal",
    "10.0.0.2",
    "10.0.0.10",
    "::1",
    "0:0::1",
    "straße",
    "STRASSE",
)
MANAGED = (MANAGED_TYPES, MANAGED_TYPES, (*MANAGED_TYPES, "TXT"), ("CNAME",))
DOMAINS = ((), (), (), ("example.com",), (".example.com",), ("a.example.com", "example.org"))


def draw_endpoint(random: Random, names: Sequence[str]) -> Endpoint:
    labels = {"owner": random.choice(("us", "them", "")), "resource": random.choice(("ingress/a/a", "ingress/b/b", ""))}
    return Endpoint(
        random.choice(names),
        random.choice(TYPES),
        tuple(random.sample(TARGETS, random.choice((0, 1, 1, 1, 2, 3)))),
        random.choice((0, 0, 0, 1, 300)),
        random.choice(("", "", "one")),
        {name: value for name, value in labels.items() if value or random.random() < 0.1},
        tuple(
            (random.choice(("webhook/path", "alias")), random.choice("xy")) for _ in range(random.choice((0, 0, 1, 2)))
        ),
    )


def draw_question(random: Random) -> Question:
    names = [name for spellings in random.sample(SPELLINGS, random.choice((1, 1, 2))) for name in spellings]
    endpoints = [draw_endpoint(random, names) for _ in range(random.randint(1, 4))]
    endpoints += [draw_variant(random, random.choice(endpoints)) for _ in range(random.randint(0, 4))]
    return Question(
        current=tuple(random.sample(endpoints, random.randint(0, len(endpoints)))),
        desired=tuple(random.sample(endpoints, random.randint(0, len(endpoints)))),
        policy=random.choice(POLICIES),
        owner=random.choice(OWNERS),
        managed=random.choice(MANAGED),
        include=random.choice(DOMAINS),
        exclude=random.choice(((), (), (), ("xn--bcher-kva.example.com",))),
    )


def draw_variant(random: Random, endpoint: Endpoint) -> Endpoint:
    """Return an endpoint that differs in one field, as after an edit of its resource."""
    name = random.choice(("record_type", "targets", "ttl", "set_identifier", "labels", "properties"))
    return replace(endpoint, **{name: getattr(draw_endpoint(random, [endpoint.dns_name]), name)})


def planned(question: Question) -> Changes:
    """Return the changes that the model plans."""
    domains = DomainFilter(include=question.include, exclude=question.exclude)
    return calculate(
        question.current,
        question.desired,
        owner_id=question.owner,
        policy=question.policy,
        managed=question.managed,
        matches=lambda name: domains.matches(Hostname.parse(name.strip())),
    )


def comparable(changes: Changes) -> list[list[str]]:
    """Return changes in one order: external-dns plans in the order of a map, and sorts targets to compare them."""
    lists = (changes.create, changes.update_old, changes.update_new, changes.delete)
    return [sorted(map(_comparable, endpoints)) for endpoints in lists]


def _comparable(endpoint: Endpoint) -> str:
    labels = {name: value for name, value in sorted(endpoint.labels.items()) if value}
    return repr(replace(endpoint, targets=tuple(sorted(endpoint.targets)), labels=labels))


def test_the_model_of_external_dns_planner_agrees_with_the_genuine_one(program: Callable[[str], Path]) -> None:
    random = Random(0)  # noqa: S311 -- to be repeatable, not secret
    questions = [draw_question(random) for _ in range(QUESTIONS)]

    answers = genuine_changes(program("planner"), questions)

    for question, genuine in zip(questions, answers, strict=True):
        assert comparable(planned(question)) == comparable(genuine), question
    assert sum(answer != Changes() for answer in answers) > QUESTIONS / 4
    assert sum(answer.update_new != () for answer in answers) > QUESTIONS / 20
