"""Metrics of the service: what was applied, rejected, dropped and withheld, and the state after the last sync."""

import re
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest

from tunnel_webhook.application import Policies
from tunnel_webhook.application.instrumentation import observe_foreign_write
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.ports import ChangesNotApplied
from tunnel_webhook.telemetry import Telemetry
from vocabulary.builders import BLUE, GREEN, POLICY, ZONE, claim, configuration, endpoint, memory, rule, service

pytestmark = pytest.mark.anyio

PREFIX = "tunnel_webhook_"


def scraped(telemetry: Telemetry) -> dict[str, float]:
    """Return the metrics as Prometheus would scrape them, by name and labels."""
    samples = re.findall(rf"^{PREFIX}(\S*?)(?:{{(.*?)}})? (\S+)$", telemetry.metrics()[0].decode(), re.MULTILINE)
    scope = re.compile(r',?otel_scope_\w+="[^"]*"')
    return {f"{name}{{{scope.sub('', labels).lstrip(',')}}}": float(value) for name, labels, value in samples}


async def test_a_sync_counts_what_it_did_by_action_reason_and_type(telemetry: Telemetry) -> None:
    documents = {BLUE: configuration(rule("old.example.com")), GREEN: configuration()}
    tunnels, zones = memory(documents, {ZONE: (claim("old.example.com"),)})
    api = replace(service(tunnels, zones), guard=Guard(0, 0.0))
    before = scraped(telemetry)

    await api.adjust_endpoints((endpoint("mail.example.com", record_type="MX"),))
    changes = Changes(
        create=(endpoint("new.example.com"), endpoint("bad.example.com", "ftp://x")),
        delete=(endpoint("old.example.com"),),
    )
    with suppress(ChangesNotApplied):
        await api.apply_changes(changes)

    after = scraped(telemetry)
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    assert grown['dropped_endpoints_total{type="MX"}'] == 1
    assert grown['changed_hostnames_total{action="create"}'] == 1
    assert grown['changed_hostnames_total{action="delete"}'] == 0
    assert grown['rejections_total{reason="invalid-service"}'] == 1
    assert grown["withheld_deletions_total{}"] == 1
    assert after["last_success_timestamp_seconds{}"] == 1_000_000.0


async def test_the_gauges_show_the_state_of_the_last_sync(telemetry: Telemetry) -> None:
    documents = {BLUE: configuration(rule("app.example.com"), version=7), GREEN: configuration(version=3)}
    claims = (claim("app.example.com"), claim("empty.example.com"))

    await service(*memory(documents, {ZONE: claims})).records()

    after = scraped(telemetry)
    assert after['managed_hostnames{tunnel="blue"}'] == 2
    assert after['managed_hostnames{tunnel="green"}'] == 0
    assert after['drifted_hostnames{drift="no-rule"}'] == 1
    assert after['drifted_hostnames{drift="tunnel"}'] == 0
    assert after['configuration_version{tunnel="blue"}'] == 7
    assert after['configuration_version{tunnel="green"}'] == 3


async def test_a_tunnel_that_cannot_be_relied_on_is_measured(telemetry: Telemetry) -> None:
    tunnels, zones = memory({BLUE: configuration(version=7), GREEN: configuration()}, {ZONE: ()})
    api = service(tunnels, zones)
    await api.records()
    assert scraped(telemetry)['tunnel_reliable{tunnel="blue"}'] == 1
    tunnels.documents[BLUE] = ("{}", 8)
    await api.records()
    after = scraped(telemetry)
    assert after['tunnel_reliable{tunnel="blue"}'] == 0
    assert after['tunnel_reliable{tunnel="green"}'] == 1
    assert after['configuration_version{tunnel="blue"}'] == 7


async def test_every_version_that_a_write_overwrote_is_counted(telemetry: Telemetry) -> None:
    before = scraped(telemetry).get('foreign_writes_total{tunnel="blue"}', 0.0)
    observe_foreign_write("blue", 2, 4)
    assert scraped(telemetry)['foreign_writes_total{tunnel="blue"}'] - before == 3


async def test_a_hostname_that_is_forgotten_is_counted(telemetry: Telemetry) -> None:
    record = replace(claim("old.example.com"), comment="heritage=tunnel-webhook,owner=default,releasing=0")
    before = scraped(telemetry).get('changed_hostnames_total{action="forget"}', 0.0)
    api = service(*memory(records={ZONE: (record,)}))
    await api.records()
    await api.turns.finish()
    assert scraped(telemetry)['changed_hostnames_total{action="forget"}'] - before == 1


@dataclass
class EditedFile:
    """A policy file that the test edits."""

    text: str

    def read(self) -> str:
        return self.text


async def at_once(_: float) -> None:
    """Do not sleep."""


async def test_a_policy_file_that_is_not_in_force_and_the_rules_that_it_does_not_allow_any_more_are_measured(
    telemetry: Telemetry,
) -> None:
    good = 'version = 1\n[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.example.com"]\n'
    documents = {BLUE: configuration(rule("app.example.com", "http://x")), GREEN: configuration()}
    policy, file = replace(POLICY, permissions=parse_policy_file(good)), EditedFile(good)
    held = memory(documents, {ZONE: (claim("app.example.com", resource="ingress/team-a/app"),)})
    api = service(*held, policy, policies=Policies(policy, file, good, at_once))

    await api.records()
    assert scraped(telemetry)["policy_file_valid{}"] == 1
    assert scraped(telemetry)["disallowed_rules{}"] == 1

    file.text = "version = 1"
    await api.records()
    assert scraped(telemetry)["policy_file_valid{}"] == 0

    file.text = f'{good}origins = ["any"]\n'
    await api.records()
    assert scraped(telemetry)["policy_file_valid{}"] == 1
    assert scraped(telemetry)["disallowed_rules{}"] == 0
