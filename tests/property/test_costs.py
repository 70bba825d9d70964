"""Costs: what one request costs, in time, memory and log, is in proportion to its body."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunnel_webhook.adapters.http.wire import encode_endpoints
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.marking import translate
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.report import report
from tunnel_webhook.ports import ChangesNotApplied
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, rule, service

LONGEST_SENTENCE = 3000
HUGE = 300_000

MEASURED = """
import json, resource, sys
from tunnel_webhook.adapters.http.wire import decode_endpoints, encode_endpoints
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel

def memory():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

def sync(body):
    encode_endpoints(adjust(decode_endpoints(body), Policy((Tunnel("t"),))).endpoints)

sync(b'[{"dnsName":"a.example.com","recordType":"CNAME","targets":["http://a:80"]}]')
before, start = memory(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
for body in sys.stdin.buffer:
    sync(body)
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_utime - start, (memory() - before) / 2**20]))
"""
"""Adjusts each body on standard input; prints the seconds of processor time and the MiB of memory that stay."""


def measured(*bodies: bytes) -> tuple[float, float]:
    """Return what adjusting these bodies costs a process: seconds of processor time, and MiB of memory that stay."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], input=b"\n".join(bodies), capture_output=True, check=True, timeout=100
    )
    seconds, mebibytes = json.loads(done.stdout)
    return seconds, mebibytes


def wire(name: str, *, target: str = "http://a:80", **properties: str) -> dict[str, object]:
    """Return an endpoint as external-dns sends it; a keyword is a property."""
    given_ = [{"name": f"webhook/{key.replace('_', '-')}", "value": text} for key, text in properties.items()]
    return {"dnsName": name, "recordType": "CNAME", "targets": [target], "providerSpecific": given_}


def body_of(*endpoints: dict[str, object]) -> bytes:
    return json.dumps(endpoints).encode()


@pytest.mark.parametrize("part", [r"\pL" * 32, r"(\pL{40}|\pN{40}){20}", r"\pL{99}" * 10, r"(.{999})" * 10])
def test_130_expressions_in_a_small_body_cost_little_time_and_keep_little_memory(part: str) -> None:
    wanted = [wire(f"h{each}.example.com", path=f"{each}{part}", path_match="regex") for each in range(130)]
    seconds, mebibytes = measured(body_of(*wanted))
    assert seconds < 1.5
    assert mebibytes < 30


def test_huge_endpoints_of_many_syncs_are_not_kept() -> None:
    bodies = (
        body_of(*(wire(f"h{each}.example.com", target=f"http://{sync}-{each}{'a' * 10**6}") for each in range(4)))
        for sync in range(25)
    )
    assert measured(*bodies)[1] < 60


def calls_in(work: Callable[[], object]) -> int:
    """Return how many Python functions are called by a piece of work."""
    count = 0

    def counting(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


FIELDS: dict[str, Callable[[int], Endpoint]] = {
    "path": lambda number: endpoint(path=f"/p{number}"),
    "target": lambda number: endpoint(target=f"http://s{number}:80"),
    "resource": lambda number: endpoint(resource=f"ingress/ns/{number}"),
    "set identifier": lambda number: replace(endpoint(), set_identifier=f"{number}"),
    "property of another provider": lambda number: replace(endpoint(), properties=(("other", f"{number}"),)),
    "nothing that is valid": lambda number: endpoint(target="ftp://x", path=f"/p{number}"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_endpoints_of_one_hostname_cost_in_proportion_to_their_number(field: str) -> None:
    def cost(numbers: range) -> int:
        hostname = f"{field.replace(' ', '-')}.example.com"
        endpoints = [replace(FIELDS[field](number), dns_name=hostname) for number in numbers]
        return calls_in(lambda: encode_endpoints(adjust(endpoints, POLICY).endpoints))

    for numbers in (range(2000, 2001), range(2001, 2002), range(2002, 2003)):
        cost(numbers)  # what earlier tests left behind is forgotten, which costs calls too
    few = cost(range(300))  # first: what collides with what is remembered would cost the smaller one as much
    assert cost(range(1000, 1600)) < 3 * few


def test_reporting_the_paths_of_one_hostname_costs_in_proportion_to_their_number() -> None:
    def cost(number: int) -> float:
        rules = (rule("app.example.com", f"http://s{each}:80", f"^/p{each}(/|$)") for each in range(number))
        documents = {BLUE: configuration(*rules), GREEN: configuration()}
        existing = Existing.of([ZONE], {ZONE: (claim("app.example.com"),)}, documents)
        times: list[float] = []
        for _ in range(3):
            start = time.process_time()
            encode_endpoints(report(existing, POLICY).endpoints)
            times.append(time.process_time() - start)
        return min(times)

    assert cost(8000) < 8 * cost(2000)  # 4 times as much where it is linear, 16 times where it is quadratic


def sizes_of(each: Endpoint) -> tuple[int, int]:
    """Return the lengths of the rule that an endpoint becomes, and of the sentence that refuses it."""
    try:
        return len(translate(each, POLICY).rule.text), 0
    except InvalidEndpoint as error:
        return 0, len(str(error))


@st.composite
def endpoints_with_one_huge_text(draw: st.DrawFn) -> Endpoint:
    """An endpoint in which one text, anywhere, is huge; the others are as they should be."""
    filler = draw(st.sampled_from(["a", "a.", "é", "(", "1", ",", " ", "\\pL", "\u200b", "%", "\U000e0001"]))
    text = filler * (HUGE // len(filler))
    start = draw(st.sampled_from(["", "/", "http://", "unix:/", "allow 10.0.0.0/8 "]))
    huge = start + text
    plain = endpoint("app.example.com", resource="ingress/ns/app")
    property_names = ("service", "path", "port", "scheme", "tunnel", "adopt", "http-host-header", "access-aud-tag")
    where = draw(st.sampled_from(["name", "target", "owner", "resource", "identifier", "unknown", *property_names]))
    labels = dict(plain.labels)
    match where:
        case "name":
            return replace(plain, dns_name=huge)
        case "target":
            return replace(plain, targets=(huge, huge + "a"))
        case "owner" | "resource":
            return replace(plain, labels=labels | {where: huge})
        case "identifier":
            return replace(plain, set_identifier=huge)
        case "unknown":
            return replace(plain, properties=((f"webhook/{huge}", "x"),))
        case name:
            kinds = draw(st.sampled_from([(), (("webhook/path-match", "regex"),), (("webhook/path-match", "exact"),)]))
            others = kinds if name == "path" else ()
            return replace(plain, properties=((f"webhook/{name}", huge), *others))


@settings(max_examples=150, deadline=2000)
@given(endpoints_with_one_huge_text())
def test_a_huge_text_is_refused_in_a_short_sentence_or_does_not_reach_the_document(huge: Endpoint) -> None:
    adjusted = adjust([huge], POLICY)
    assert all(len(fault.sentence) < LONGEST_SENTENCE for fault in adjusted.unpublishable)
    assert adjust(adjusted.endpoints, POLICY).endpoints == adjusted.endpoints
    assert len(encode_endpoints(adjusted.endpoints)) < 1.5 * len(encode_endpoints([huge])) + 1000
    for each in (huge, *adjusted.endpoints):
        rule_text, sentence = sizes_of(each)
        assert rule_text < 10_000
        assert sentence < LONGEST_SENTENCE


@pytest.mark.anyio
@pytest.mark.parametrize("number", [60, 3000])
async def test_what_one_sync_logs_and_answers_is_bounded_and_counts_everything(
    number: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    webhook = service(*memory())
    bad = [endpoint(f"h{each}.example.com", f"ftp://{'x' * 2000}", resource="r" * 2000) for each in range(number // 2)]
    bad += [endpoint(f"h{each}!{'x' * 2000}") for each in range(number // 2)]
    good = [endpoint(f"g{each}.example.com") for each in range(number)]
    adjusted = await webhook.adjust_endpoints((*bad, *good))
    with pytest.raises(ChangesNotApplied) as raised:
        await webhook.apply_changes(Changes(create=adjusted))
    assert len(caplog.records) < 200
    assert len(caplog.text) < 150_000
    assert len(str(raised.value)) < 5000
    assert len(raised.value.rejections) == number
    for what in ("cannot publish", "rejected"):
        assert f"{what} {number - 50} more: " in caplog.text


@pytest.mark.anyio
async def test_what_one_sync_logs_of_drift_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    claims = tuple(claim(f"h{each}.example.com") for each in range(1000))
    await service(*memory(records={ZONE: claims})).records()
    assert len(caplog.records) == 51
    assert "drifted: 950 more: no-rule 950" in caplog.text


FILLERS: dict[str, Callable[[int], dict[str, object]]] = {
    "ordinary": lambda number: {"labels": {"resource": f"ingress/ns/s{number}"}},
    "properties without a name": lambda _: {"providerSpecific": [{}] * 100},
    "short properties": lambda number: {
        "providerSpecific": [{"name": f"o{number}-{each}", "value": f"{each}-{number}"} for each in range(50)]
    },
    "short labels": lambda number: {"labels": {f"{number}-{each}": f"{each}-{number}" for each in range(50)}},
    "short targets": lambda number: {"targets": [f"{number}-{each}" for each in range(50)]},
    "wide texts": lambda number: {"labels": {"resource": "\U0001f600" + "x" * 400 + str(number)}},
    "a long name": lambda number: {"dnsName": f"{number}{'.x' * 100}"},
    "one that is dropped": lambda number: {"recordType": "TXT", "targets": [f"{number}" * 20]},
}

WEIGHED = """
import gc, sys, tracemalloc
from tunnel_webhook.adapters.http import wire
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.policy import Policy, Tunnel
from tunnel_webhook.domain.memo import Memo

def sync(body):
    wire.encode_endpoints(adjust(wire.decode_endpoints(body), policy).endpoints)

policy = Policy((Tunnel("t"),))
sync(b"[{}]")
memos = [each for each in gc.get_objects() if isinstance(each, Memo)]
body = sys.stdin.buffer.read()
before = sum(each.held for each in memos)
tracemalloc.start()
sync(body)
gc.collect()
print(tracemalloc.get_traced_memory()[0] / (sum(each.held for each in memos) - before))
"""
"""Adjusts the body on standard input; prints the memory that stays, in proportion to what the memos weigh."""


@pytest.mark.parametrize("kind", FILLERS)
def test_what_is_remembered_takes_about_the_memory_that_it_weighs(kind: str) -> None:
    body = body_of(*(wire(f"h{number}.example.com") | FILLERS[kind](number) for number in range(2000)))
    done = subprocess.run([sys.executable, "-c", WEIGHED], input=body, capture_output=True, check=True, timeout=100)
    assert 0.4 < float(done.stdout) < 1.2
