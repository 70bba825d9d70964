"""The operator's policy as it is now: the settings, and the policy file as it was last accepted.

| the file                                   | outcome                                                            |
|--------------------------------------------|--------------------------------------------------------------------|
| is as it was                               | nothing                                                            |
| differs, and a second later differs again  | nothing yet: it is being written                                   |
| differs, twice the same, and is valid      | it replaces the permissions as a whole                             |
| differs, twice the same, and is not valid, | the last good permissions stay; an error in log and metric, once   |
| or is missing or empty                     |                                                                    |

Nothing is deleted because a file was edited: what a tightened policy no longer allows stays until it is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from tunnel_webhook.application.instrumentation import measure_policy_file, observe_policy_file
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.policy_file import InvalidPolicyFile, parse_policy_file
from tunnel_webhook.ports import PermanentFailure, PolicyFile

_SETTLING = 1.0
"""Seconds between the two reads that must agree."""

_UNREADABLE = "\0"


@dataclass(slots=True)
class Policies:
    """Where the policy comes from; `seen` is the text of the file that was judged last, and `sleep` takes seconds."""

    policy: Policy
    file: PolicyFile | None = None
    seen: str = ""
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _fault: str = ""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_stale(self) -> bool:
        """Whether the file is not what the policy was made from; cheap, and asks nothing but the file system."""
        return self.file is not None and _text_of(self.file) != self.seen

    async def current(self) -> Policy:
        """Return the policy, after a changed file has been read."""
        async with self._turn:
            if self.file is not None:
                if self.is_stale():
                    await self._reload(self.file)
                measure_policy_file(is_valid=not self._fault)
        return self.policy

    async def _reload(self, file: PolicyFile) -> None:
        text = _text_of(file)
        await self.sleep(_SETTLING)
        if _text_of(file) != text:
            return
        self.seen = text
        self._fault = self._replace(text)
        observe_policy_file(self._fault)

    def _replace(self, text: str) -> str:
        """Take the permissions of a text, and return nothing; or leave them as they are, and return why."""
        if text.startswith(_UNREADABLE):
            return text.removeprefix(_UNREADABLE)
        try:
            policy = replace(self.policy, permissions=parse_policy_file(text))
        except InvalidPolicyFile as error:
            return str(error)
        if not policy.fault:
            self.policy = policy
        return policy.fault


def _text_of(file: PolicyFile) -> str:
    """Return the text of a file, or why there is none, which no text can be mistaken for."""
    try:
        return file.read()
    except PermanentFailure as failure:
        return f"{_UNREADABLE}{failure}"
