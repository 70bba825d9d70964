"""The policy file while the process runs: when a change counts, and what stays where it is broken."""

import asyncio
import logging
from dataclasses import dataclass, field, replace

import pytest

from tunnel_webhook.application import Policies
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.ports import PermanentFailure
from vocabulary.builders import POLICY


def text_for(namespace: str) -> str:
    return f'version = 1\n[[allow]]\nnamespaces = ["{namespace}"]\nhostnames = ["*.example.com"]\n'


ONE, TWO = text_for("one"), text_for("two")
FIRST = replace(POLICY, permissions=parse_policy_file(ONE))


@dataclass
class EditedFile:
    """A policy file whose text is the next of these at every read, the last one for ever; None where it is missing."""

    texts: list[str | None]

    def read(self) -> str:
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        if text is None:
            message = "/policy.toml cannot be read (No such file or directory)"
            raise PermanentFailure(message)
        return text


@dataclass
class Slept:
    """A sleep that only counts."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def after(*texts: str | None, times: int = 1) -> tuple[Policy, Slept]:
    """Return the policy after the file was found to hold these texts, and how long was waited."""
    slept = Slept()
    policies = Policies(FIRST, EditedFile(list(texts)), ONE, slept)

    async def ask() -> Policy:
        for _ in range(times):
            policy = await policies.current()
        return policy

    return asyncio.run(ask()), slept


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "tunnel_webhook")
    return caplog


def test_without_a_file_the_policy_is_that_of_the_settings() -> None:
    policies = Policies(POLICY)
    assert asyncio.run(policies.current()) is POLICY
    assert not policies.is_stale()


def test_a_file_that_is_as_it_was_costs_no_time() -> None:
    assert after(ONE, times=3) == (FIRST, Slept([]))


def test_a_change_counts_once_two_reads_a_second_apart_agree(log: pytest.LogCaptureFixture) -> None:
    policy, slept = after(TWO, times=3)
    assert policy.permissions == parse_policy_file(TWO)
    assert slept.seconds == [1.0]
    assert log.messages == ["the policy file was changed and is in force"]


def test_a_file_that_is_being_written_does_not_count_yet() -> None:
    policy, slept = after(TWO[:40], TWO[:40], TWO)
    assert (policy, slept.seconds) == (FIRST, [1.0])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(None, "/policy.toml cannot be read (No such file or directory)", id="a missing file"),
        pytest.param("version = 1", "allow is missing: without an [[allow]] table nothing may be published", id="cut"),
        pytest.param(
            TWO + 'tunnels = ["red"]',
            "[[allow]] 1 tunnels lists 'red', which CLOUDFLARE_TUNNEL_ID does not name",
            id="a tunnel that is not configured",
        ),
    ],
)
def test_a_file_that_is_not_valid_leaves_the_last_good_one_in_force_and_is_logged_once(
    text: str | None, fault: str, log: pytest.LogCaptureFixture
) -> None:
    policy, slept = after(text, times=3)
    assert (policy, slept.seconds) == (FIRST, [1.0])
    assert log.messages == [f"the policy file was changed and is not in force, and the last good one stays: {fault}"]


def test_a_file_that_is_good_again_is_in_force_again(log: pytest.LogCaptureFixture) -> None:
    policy, _ = after(None, None, None, TWO, times=2)
    assert policy.permissions == parse_policy_file(TWO)
    assert [line.split(":")[0] for line in log.messages] == [
        "the policy file was changed and is not in force, and the last good one stays",
        "the policy file was changed and is in force",
    ]
