"""`check`: every precondition, one line each, with a cure for what is wrong. It only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.text import Text

from tunnel_webhook.cli.terminal import print_json, print_lines, waiting
from tunnel_webhook.domain.document import Json
from tunnel_webhook.ports import Finding, Inspection, Verdict
from tunnel_webhook.settings import Settings

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red", Verdict.UNKNOWN: "cyan"}
_WIDTH = max(len(verdict.value) for verdict in Verdict)


async def check(inspection: Inspection, settings: Settings, *, as_text: bool) -> int:
    """Print what is in place and what is not. Return 1 if there is a problem; warnings and what is not known are none."""
    with waiting("looking at the account, the tunnels and the zones"):
        findings = [finding async for finding in inspection.findings()]
    findings += about_settings(settings)
    counts = Counter(finding.verdict for finding in findings)
    if as_text:
        print_lines(_lines(findings))
        print_lines([Text(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict), "bold")])
    else:
        print_json(
            {
                "findings": [_as_json(finding) for finding in findings],
                "counts": {verdict.value: counts[verdict] for verdict in Verdict},
            }
        )
    return 1 if counts[Verdict.PROBLEM] else 0


def about_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what the settings amount to, and what is odd about them."""
    for notice in settings.notices:
        yield Finding("settings", Verdict.WARNING, notice, "set what it names otherwise, or unset it")
    owner = f"only hostnames of {settings.owner_id!r} are managed" if settings.owner_id else "hostnames of every owner are managed"
    yield Finding("owner", Verdict.OK, f"{owner} (OWNER_ID)")
    yield Finding("deletions", Verdict.OK, settings.guard.sentence)
    if settings.dry_run:
        yield Finding("dry run", Verdict.WARNING, "changes are planned and logged only", "unset DRY_RUN to apply them")


def _lines(findings: Iterable[Finding]) -> Iterator[Text]:
    told = list(findings)
    width = max(len(finding.subject) for finding in told)
    for finding in told:
        cure = f"; {finding.cure}" if finding.cure else ""
        verdict = (f"{finding.verdict.value:<{_WIDTH}}", _COLOURS[finding.verdict])
        yield Text.assemble(verdict, f"  {finding.subject:<{width}}  {finding.sentence}{cure}")


def _as_json(finding: Finding) -> Json:
    return {
        "subject": finding.subject,
        "verdict": finding.verdict.value,
        "sentence": finding.sentence,
        "cure": finding.cure or None,
    }
