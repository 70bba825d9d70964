"""`check`: every precondition, one line each, with a cure for what is wrong. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator

from rich.text import Text

from tunnel_webhook.application import Operator
from tunnel_webhook.cli.terminal import is_on_terminal, print_json, print_texts, waiting
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.policy_summary import summary_of
from tunnel_webhook.domain.planning.existing import Drift
from tunnel_webhook.ports import Failure, Finding, Inspection, Level
from tunnel_webhook.settings import Settings

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red", Level.UNKNOWN: "cyan"}
_CURE = "external-dns repairs it if it still wants it; `explain` says more, and its log why it does not"
_MOST_NAMED = 5
_NOTHING_ELSE = frozenset({"connection", "credentials"})
"""Where these are a problem, nothing else can be read."""

_LEVEL_WIDTH = max(len(level.value) for level in Level)


async def run_check(inspection: Inspection, operator: Operator, settings: Settings, *, as_text: bool) -> int:
    """Print every finding. Return 1 if one is a problem, else 0."""
    with waiting("checking the account, the tunnels and the zones"):
        findings = [finding async for finding in inspection.findings()]
        if not any(finding.subject in _NOTHING_ELSE and finding.level is Level.PROBLEM for finding in findings):
            findings += await hostname_findings(operator)
    findings += settings_findings(settings)
    findings += [finding async for finding in policy_findings(operator, settings.policy)]
    counts = Counter(finding.level for finding in findings)
    if as_text:
        print_texts(_texts(findings), _LEVEL_WIDTH + 2)
        print_texts([Text(", ".join(f"{counts[level]} {level.value}" for level in Level), "bold")])
    else:
        print_json(
            {
                "findings": [_finding_json(finding) for finding in findings],
                "counts": {level.value: counts[level] for level in Level},
            }
        )
    return 1 if counts[Level.PROBLEM] else 0


async def hostname_findings(operator: Operator) -> list[Finding]:
    """Return what is to be said of the published hostnames.

    | the hostnames                      | level   |
    |------------------------------------|---------|
    | are as they should be              | ok      |
    | have lost their rule               | problem |
    | have drifted otherwise             | warning |
    | cannot be read                     | unknown |
    """
    try:
        reported = await operator.published()
    except Failure as failure:
        return [Finding("hostnames", Level.UNKNOWN, f"they cannot be read: {failure}", "run this again in a minute")]
    number = len({endpoint.dns_name for endpoint in reported.endpoints})
    managed = "1 is managed" if number == 1 else f"{number} are managed"
    if not reported.drift:
        return [Finding("hostnames", Level.OK, f"{managed}, none has drifted" if number else managed)]
    findings: list[Finding] = []
    for drift in sorted({drift for _, drift in reported.drift}, key=list(Drift).index):
        names = [name for name, its in reported.drift if its is drift]
        left = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        level = Level.PROBLEM if drift is Drift.NO_RULE else Level.WARNING
        sentence = f"{', '.join(names[:_MOST_NAMED])}{left}: {drift}: {drift.meaning}"
        findings.append(Finding("hostnames", level, sentence, _CURE))
    return findings


def settings_findings(settings: Settings) -> Iterator[Finding]:
    """Yield the settings that decide what is changed, and a warning for each that is probably a mistake."""
    for notice in settings.notices:
        yield Finding("settings", Level.WARNING, notice, "change the variable, or unset it")
    if proxy := settings.proxy:
        yield Finding("proxy", Level.OK, f"Cloudflare's API is reached through {proxy.url} ({proxy.variable})")
    owner = (
        f"only hostnames of {settings.owner_id!r} are managed"
        if settings.owner_id
        else "hostnames of every owner are managed"
    )
    yield Finding("owner", Level.OK, f"{owner} (OWNER_ID)")
    yield Finding("deletions", Level.OK, settings.guard.sentence)
    if settings.dry_run:
        yield Finding("dry run", Level.WARNING, "changes are planned and logged only", "unset DRY_RUN to apply them")


async def policy_findings(operator: Operator, policy: Policy) -> AsyncIterator[Finding]:
    """Yield what the policy allows, and a warning for each published rule that it does not allow any more."""
    for sentence in summary_of(policy):
        yield Finding("policy", Level.OK, sentence)
    try:
        disallowed = await operator.disallowed()
    except Failure as failure:
        yield Finding("policy", Level.UNKNOWN, f"which published rules it does not allow any more: {failure}")
        return
    for rule in disallowed:
        path = f" (path {rule.path})" if rule.path else ""
        sentence = f"{rule.hostname}{path} is published and not allowed any more: {rule.sentence}"
        yield Finding("policy", Level.WARNING, sentence, "allow it, or remove the resource that asks for it")


def _texts(findings: Collection[Finding]) -> Iterator[Text]:
    """Yield the findings: in columns where each is one line, and without a second column where lines are short."""
    subject_width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        level = (f"{finding.level.value:<{_LEVEL_WIDTH}}", _COLOURS[finding.level])
        subject = f"{finding.subject}: " if is_on_terminal() else f"{finding.subject:<{subject_width}}  "
        cure = f"; {finding.cure}" if finding.cure else ""
        yield Text.assemble(level, f"  {subject}{finding.sentence}{cure}")


def _finding_json(finding: Finding) -> Json:
    return {
        "subject": finding.subject,
        "verdict": finding.level.value,
        "sentence": finding.sentence,
        "cure": finding.cure or None,
    }
