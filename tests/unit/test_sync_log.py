"""The log of syncs: every change is named with its resource and both origins, and nothing is said twice."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles.steps import SteppedZones, fail, pass_by
from tunnel_webhook.adapters.memory import InMemoryTunnels, InMemoryZones
from tunnel_webhook.application import SyncLog, TunnelService
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.endpoint import Changes, Endpoint
from tunnel_webhook.domain.external_dns.hostname_pattern import HostnamePattern
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.ports import ChangesNotApplied, TemporaryFailure
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, record, rule, service

pytestmark = pytest.mark.anyio

ADOPTING = replace(POLICY, adopt_hostnames=(HostnamePattern.parse("*.example.com"),))
APP = "app.example.com"
ACCESS = {"required": True, "teamName": "team", "audTag": ["a" * 64]}
BAD = tuple(endpoint(f"bad{number}.example.com", "ftp://x", resource=f"ingress/ns/{number}") for number in range(3))


@dataclass(slots=True)
class Clock:
    """A monotonic time that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Syncs:
    """external-dns as it loops, once a minute, and what the log says."""

    caplog: pytest.LogCaptureFixture
    ports: tuple[InMemoryTunnels, InMemoryZones] = field(default_factory=memory)
    clock: Clock = field(default_factory=Clock)
    guard: Guard | None = None
    zones: SteppedZones = field(init=False)
    api: TunnelService = field(init=False)

    def __post_init__(self) -> None:
        self.caplog.set_level(logging.INFO)
        self.zones = SteppedZones(self.ports[1])
        api = service(self.ports[0], self.zones, ADOPTING, clock=self.clock, fail_on_rejection=False)
        self.api = replace(api, guard=self.guard) if self.guard else api

    async def apply(self, changes: Changes) -> list[str]:
        """Apply changes, and return what was logged meanwhile."""
        self.caplog.clear()
        with suppress(ChangesNotApplied, TemporaryFailure):
            await self.api.apply_changes(changes)
        return self.caplog.messages

    async def loop(self, *desired: Endpoint) -> list[str]:
        """Run one loop in which external-dns asks for what is not published yet, and return what was logged."""
        self.caplog.clear()
        self.clock.now += 60.0
        with suppress(TemporaryFailure):
            live = {each.dns_name for each in await self.api.records()}
            adjusted = await self.api.adjust_endpoints(desired)
            if missing := tuple(each for each in adjusted if each.dns_name not in live):
                await self.api.apply_changes(Changes(create=missing))
        return self.caplog.messages


def published(*rules: IngressRule) -> tuple[InMemoryTunnels, InMemoryZones]:
    """Return ports with these rules in the blue tunnel, and claims for a resource."""
    documents = {BLUE: configuration(*rules), GREEN: configuration()}
    paths = {each.hostname: [other.path for other in rules if other.hostname == each.hostname] for each in rules}
    return memory(
        documents, {ZONE: tuple(claim(name, resource="service/prod/app", paths=named) for name, named in paths.items())}
    )


# What changes.


@pytest.mark.parametrize(
    ("ports", "changes", "line"),
    [
        pytest.param(
            memory(),
            Changes(create=(endpoint(resource="service/prod/app"),)),
            "created app.example.com (service/prod/app): http://app:8080",
            id="created",
        ),
        pytest.param(
            memory(),
            Changes(create=(endpoint(), endpoint(path="/api", target="http://api:80"))),
            "created app.example.com (unknown resource): http://app:8080; ^/api(/|$) http://api:80",
            id="created with a path",
        ),
        pytest.param(
            published(rule(APP, "http://old:80")),
            Changes(update_new=(endpoint(resource="service/prod/app", no_tls_verify="true"),)),
            "updated app.example.com (service/prod/app): http://old:80 => http://app:8080 (no-tls-verify=true)",
            id="updated",
        ),
        pytest.param(
            published(rule(APP, "http://app:8080")),
            Changes(update_new=(endpoint(resource="service/prod/other"),)),
            "updated app.example.com (service/prod/other): no origin changes",
            id="only its marker",
        ),
        pytest.param(
            published(rule(APP, "http://app:8080")),
            Changes(update_new=(endpoint(resource="service/prod/app", tunnel="green"),)),
            "moved app.example.com (service/prod/app) from tunnel blue to tunnel green: http://app:8080",
            id="moved",
        ),
        pytest.param(
            published(rule(APP, "http://app:8080")),
            Changes(delete=(endpoint(),)),
            "deleted app.example.com (service/prod/app): http://app:8080 => nothing",
            id="deleted",
        ),
        pytest.param(
            memory(
                {BLUE: configuration(rule(APP, "http://app:8080")), GREEN: configuration()},
                {ZONE: (record(APP, f"{BLUE}.cfargotunnel.com", proxied=True),)},
            ),
            Changes(create=(endpoint(resource="service/prod/app"),)),
            "adopted app.example.com (service/prod/app): http://app:8080",
            id="adopted as it is",
        ),
        pytest.param(
            memory(
                {BLUE: configuration(rule(APP, "https://ops:secret@hand:443")), GREEN: configuration()},
                {ZONE: (record(APP, f"{BLUE}.cfargotunnel.com", proxied=True),)},
            ),
            Changes(create=(endpoint(adopt="true", resource="service/prod/app"),)),
            "adopted app.example.com (service/prod/app): https://***@hand:443 => http://app:8080",
            id="taken over, without the password of the rule",
        ),
    ],
)
async def test_each_change_is_named_with_its_resource_and_both_origins(
    ports: tuple[InMemoryTunnels, InMemoryZones], changes: Changes, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await Syncs(caplog, ports).apply(changes))[0] == line


async def test_the_first_fifty_changes_are_named_and_the_others_counted(caplog: pytest.LogCaptureFixture) -> None:
    many = tuple(endpoint(f"a{number}.example.com") for number in range(60))
    logged = await Syncs(caplog).apply(Changes(create=many))
    assert len(logged) == 52
    assert logged[-2:] == ["changed 10 more: create 10", "applied: create 60"]


async def test_of_many_paths_of_a_hostname_the_first_five_are_named(caplog: pytest.LogCaptureFixture) -> None:
    many = tuple(endpoint(path=f"/p{number}") for number in range(9))
    assert "; 4 more paths" in (await Syncs(caplog).apply(Changes(create=many)))[0]


@pytest.mark.parametrize(
    ("origin", "level", "line"),
    [
        pytest.param(
            {"access": ACCESS},
            "WARNING",
            "the rule of app.example.com loses access.required, access.teamName, access.audTag and is no longer"
            " protected by Access: no endpoint asks for it any more, or someone added it by hand",
            id="Access",
        ),
        pytest.param(
            {"httpHostHeader": "by.hand"},
            "INFO",
            "the rule of app.example.com loses httpHostHeader: no endpoint asks for it any more, or someone added it"
            " by hand",
            id="another option",
        ),
    ],
)
async def test_options_that_someone_added_to_a_managed_rule_and_that_go_are_named(
    origin: dict[str, Json], level: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    syncs = Syncs(caplog, published(rule(APP, "http://app:8080", "", **origin)))
    await syncs.apply(Changes(update_new=(endpoint(access="none"),)))
    assert (level, line) in [(each.levelname, each.getMessage()) for each in caplog.records]


async def test_a_path_that_loses_an_option_is_named(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog, published(rule(APP, "http://app:8080", "^/api(/|$)", noTLSVerify=True)))
    logged = await syncs.apply(Changes(update_new=(endpoint(path="/api"),)))
    assert any(line.startswith("the rule of app.example.com (path ^/api(/|$)) loses noTLSVerify") for line in logged)


async def test_rules_that_a_person_added_under_a_claimed_hostname_are_not_among_the_changes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    documents = {BLUE: configuration(rule(APP, "http://admin:80", "^/admin"), rule(APP, "http://app:8080"))}
    ports = memory({**documents, GREEN: configuration()}, {ZONE: (claim(APP),)})
    changed = "updated app.example.com (unknown resource): http://app:8080 => http://new:80"
    deleted = "deleted app.example.com (unknown resource): http://new:80 => nothing"
    syncs = Syncs(caplog, ports)
    assert (await syncs.apply(Changes(update_new=(endpoint(target="http://new:80"),))))[0] == changed
    assert (await syncs.apply(Changes(delete=(endpoint(),))))[0] == deleted


async def test_the_digest_of_a_resource_that_did_not_fit_into_the_claim_is_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    named = claim(APP, resource="ingress/a-long-namespace/" + "a-very-long-name-" * 4)
    ports = memory({BLUE: configuration(rule(APP, "http://app:8080")), GREEN: configuration()}, {ZONE: (named,)})
    (line, _) = await Syncs(caplog, ports).apply(Changes(delete=(endpoint(),)))
    assert line == "deleted app.example.com (unknown resource): http://app:8080 => nothing"


async def test_withheld_deletions_are_named_with_the_origin_that_stays(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog, published(rule(APP, "http://app:8080")), guard=Guard(0, 0.0))
    doomed = Changes(delete=(endpoint(),))
    assert await syncs.apply(doomed) == [
        "withheld the deletion of app.example.com (service/prod/app): http://app:8080",
        "nothing applied: withheld 1",
    ]
    assert await syncs.apply(doomed) == []
    syncs.api = replace(syncs.api, guard=Guard(1, 0.0))
    assert await syncs.apply(doomed) == [
        "deleted app.example.com (service/prod/app): http://app:8080 => nothing",
        "no longer the case: withheld the deletion of app.example.com (service/prod/app): http://app:8080",
        "applied: delete 1",
    ]


async def test_a_sync_that_applied_nothing_does_not_say_so(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    assert (await syncs.apply(Changes(create=BAD)))[-1] == "nothing applied: rejected 3"
    assert await syncs.apply(Changes()) == []
    syncs.zones.step = fail(TemporaryFailure("rate limited"), at="before save")
    assert await syncs.apply(Changes(create=(endpoint(),))) == ["nothing applied: waiting 1"]


async def test_a_dry_run_says_once_what_it_would_do(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    syncs.api = replace(syncs.api, dry_run=True)
    asked = Changes(create=(endpoint(),))
    assert await syncs.apply(asked) == [
        "dry run, would create app.example.com (unknown resource): http://app:8080",
        "dry run, would apply: create 1",
    ]
    assert await syncs.apply(asked) == []
    assert await syncs.apply(Changes(create=BAD[:1])) != []
    assert "dry run, nothing to apply: rejected 1" in caplog.messages


async def test_a_rejection_by_cloudflare_names_its_resources(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    syncs.ports[1].quota = 0
    two = (endpoint(resource="ingress/a/x"), endpoint(path="/api", resource="ingress/b/y"))
    logged = await syncs.apply(Changes(create=two))
    assert [line.partition(": ")[0] for line in logged[:2]] == [
        "rejected app.example.com (ingress/a/x)",
        "rejected app.example.com (ingress/b/y)",
    ]


async def test_what_no_tunnel_can_carry_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    mail = endpoint("mail.example.com", record_type="MX", resource="crd/prod/mail")
    assert await syncs.loop(mail) == ["left out mail.example.com (crd/prod/mail): no tunnel can carry the type MX"]
    assert await syncs.loop(mail) == []


async def test_a_doubt_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    mirrored = endpoint(APP, f"https://{APP}", resource="service/prod/app")
    begun = [line for line in await syncs.loop(mirrored) if line.startswith("doubtful")]
    assert [line.partition(": if")[0] for line in begun] == [
        "doubtful (service/prod/app): app.example.com has itself as its origin, https://app.example.com"
    ]
    assert await syncs.loop(mirrored) == []
    ended = await syncs.loop(endpoint(APP, "https://inner.example.com", resource="service/prod/app"))
    assert ended == [f"no longer the case: {begun[0]}"]


async def test_many_doubts_are_named_up_to_fifty_and_the_others_counted(caplog: pytest.LogCaptureFixture) -> None:
    names = [f"a{number}.example.com" for number in range(60)]
    await Syncs(caplog).loop(*(endpoint(name, f"https://{name}") for name in names))
    doubts = [line for line in caplog.messages if line.startswith("doubtful")]
    assert len(doubts) == 51
    assert doubts[-1] == "doubtful 10 more: hostnames 10"


async def test_the_property_of_another_webhook_is_named_once_and_never_its_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    syncs = Syncs(caplog)
    foreign = endpoint(APP, mikrotik_comment="top-secret")
    logged = await syncs.loop(foreign)
    assert "ignored the property webhook/mikrotik-comment, which is of another webhook" in logged
    assert "top-secret" not in caplog.text
    assert await syncs.loop(foreign) == []
    syncs.clock.now += 3600.0
    assert await syncs.loop(endpoint(APP)) == []


async def test_rules_by_others_that_are_reached_before_ours_are_named_once_and_stay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    others = [rule(APP, f"http://admin{number}:80", f"^/admin{number}") for number in range(7)]
    documents = {BLUE: configuration(*others, rule(APP, "http://app:8080")), GREEN: configuration()}
    syncs = Syncs(caplog, memory(documents, {ZONE: (claim(APP),)}))
    (named,) = await syncs.loop(endpoint())
    assert named == (
        "rules that others made for app.example.com take requests before ours, and stay:"
        " ^/admin0, ^/admin1, ^/admin2, ^/admin3, ^/admin4; 2 more paths"
    )
    assert await syncs.loop(endpoint()) == []
    text, version = syncs.ports[0].documents[BLUE]
    for other in others:
        text = text.replace(f"{other.text},", "")
    syncs.ports[0].documents[BLUE] = (text, version + 1)
    assert await syncs.loop(endpoint()) == [f"no longer the case: {named}"]


# What stays the same.


async def test_three_bad_endpoints_in_every_sync_are_seven_lines_however_long_they_stay(
    caplog: pytest.LogCaptureFixture,
) -> None:
    syncs = Syncs(caplog)
    lines = [line for _ in range(200) for line in await syncs.loop(*BAD)]
    assert len(lines) == 3 + 3 + 1
    fixed = endpoint("bad0.example.com", resource="ingress/ns/0")
    ended = await syncs.loop(fixed, *BAD[1:])
    assert [line for line in ended if line.startswith("no longer the case: cannot publish bad0")]
    assert [line for line in ended if line.startswith("no longer the case: rejected bad0")]
    assert len(ended) == 4


async def test_of_many_faults_that_end_at_once_the_first_fifty_are_named(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog, memory(records={ZONE: tuple(claim(f"h{number}.example.com") for number in range(60))}))
    await syncs.loop()
    syncs.ports[1].stored[ZONE].clear()
    ended = await syncs.loop()
    assert len(ended) == 51
    assert ended[-1] == "no longer the case: 10 more"


async def test_a_fault_that_becomes_another_one_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    await syncs.loop(BAD[0])
    worse = replace(BAD[0], properties=(("webhook/path", "x"),), targets=("http://x:80",))
    changed = [line.partition(":")[0] for line in await syncs.loop(worse)]
    assert changed == ["cannot publish bad0.example.com (ingress/ns/0)", "rejected bad0.example.com (ingress/ns/0)"]


async def test_drift_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog, memory(records={ZONE: (claim(APP),)}))
    drifted = "app.example.com has drifted: no-rule; external-dns repairs it if it still wants it"
    assert [await syncs.loop() for _ in range(3)] == [[drifted], [], []]
    await syncs.apply(Changes(update_new=(endpoint(),)))
    assert await syncs.loop(endpoint()) == [f"no longer the case: {drifted}"]


async def test_a_tunnel_in_doubt_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog, published(rule(APP, "http://app:8080")))
    tunnels = syncs.ports[0]
    await syncs.loop(endpoint())
    believed = tunnels.documents[BLUE]
    tunnels.documents[BLUE] = ("{}", 0)
    lines = [await syncs.loop(endpoint()) for _ in range(5)]
    assert [len(each) for each in lines] == [1, 0, 0, 0, 0]
    assert lines[0][0].startswith("tunnel blue is left alone, and the rest goes on: ")
    tunnels.documents[BLUE] = believed
    assert await syncs.loop(endpoint()) == [f"no longer the case: {lines[0][0]}"]


async def test_an_outage_that_lets_nothing_be_written_is_summed_up_once(caplog: pytest.LogCaptureFixture) -> None:
    syncs = Syncs(caplog)
    syncs.zones.step = fail(TemporaryFailure("rate limited"), at="before save")
    assert [await syncs.loop(endpoint()) for _ in range(3)] == [["nothing applied: waiting 1"], [], []]
    syncs.zones.step = pass_by
    assert (await syncs.loop(endpoint()))[-1] == "applied: create 1"


desired = st.dictionaries(
    st.sampled_from(["a.example.com", "b.example.com", "c.example.com"]),
    st.sampled_from(["http://x:80", "ftp://x", "http://x:80/path"]),
)
Loops = list[dict[str, str]]


def differences(loops: Loops, is_bad: Callable[[str], bool]) -> int:
    """Return how often a fault begins, changes or ends from one loop to the next."""
    faults = [{name: target for name, target in each.items() if is_bad(target)} for each in ({}, *loops)]
    return sum(len(set(one.items()) ^ set(other.items())) for one, other in pairwise(faults))


@dataclass(slots=True)
class Collect:
    """A filter of a logger that notes each line."""

    lines: list[str]

    def __call__(self, event: logging.LogRecord) -> bool:
        self.lines.append(event.getMessage())
        return True


@settings(max_examples=60, deadline=None)
@given(st.lists(desired, max_size=8))
def test_no_more_is_logged_of_faults_than_begins_changes_and_ends(loops: Loops) -> None:
    lines: list[str] = []
    logger = logging.getLogger("tunnel_webhook.application.sync_log")
    logger.addFilter(collect := Collect(lines))
    clock = Clock()
    sync_log = SyncLog(POLICY, clock)
    for each in loops:
        for _ in range(3):
            clock.now += 60.0
            sync_log.adjusted(adjust([endpoint(name, target) for name, target in each.items()], POLICY))
    logger.removeFilter(collect)
    about = [line for line in lines if "cannot publish" in line]
    assert len(about) <= differences(loops, lambda target: target != "http://x:80")
