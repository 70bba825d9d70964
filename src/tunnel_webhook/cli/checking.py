"""`check`: every precondition, one line each, with a cure for what is wrong. It only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.text import Text

from tunnel_webhook.cli.terminal import print_json, print_lines, waiting
from tunnel_webhook.domain.cloudflared.json_text import Json
from tunnel_webhook.ports import Finding, Inspection, Level
from tunnel_webhook.settings import Settings

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "bold red", Level.UNKNOWN: "cyan"}
_WIDTH = max(len(verdict.value) for verdict in Level)


async def check(inspection: Inspection, settings: Settings, *, as_text: bool) -> int:
    """Print what is in place and what is not. Return 1 if there is a problem; warnings and what is not known are none."""
    with waiting("looking at the account, the tunnels and the zones"):
        findings = [finding async for finding in inspection.findings()]
    findings += about_settings(settings)
    counts = Counter(finding.level for finding in findings)
    if as_text:
        print_lines(_lines(findings))
        print_lines([Text(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Level), "bold")])
    else:
        print_json(
            {
                "findings": [_as_json(finding) for finding in findings],
                "counts": {verdict.value: counts[verdict] for verdict in Level},
            }
        )
    return 1 if counts[Level.PROBLEM] else 0


def about_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what the settings amount to, and what is odd about them."""
    for notice in settings.notices:
        yield Finding("settings", Level.WARNING, notice, "set what it names otherwise, or unset it")
    owner = (
        f"only hostnames of {settings.owner_id!r} are managed"
        if settings.owner_id
        else "hostnames of every owner are managed"
    )
    yield Finding("owner", Level.OK, f"{owner} (OWNER_ID)")
    yield Finding("deletions", Level.OK, settings.guard.sentence)
    if settings.dry_run:
        yield Finding("dry run", Level.WARNING, "changes are planned and logged only", "unset DRY_RUN to apply them")


def _lines(findings: Iterable[Finding]) -> Iterator[Text]:
    told = list(findings)
    width = max(len(finding.subject) for finding in told)
    for finding in told:
        cure = f"; {finding.cure}" if finding.cure else ""
        verdict = (f"{finding.level.value:<{_WIDTH}}", _COLOURS[finding.level])
        yield Text.assemble(verdict, f"  {finding.subject:<{width}}  {finding.sentence}{cure}")


def _as_json(finding: Finding) -> Json:
    return {
        "subject": finding.subject,
        "verdict": finding.level.value,
        "sentence": finding.sentence,
        "cure": finding.cure or None,
    }
