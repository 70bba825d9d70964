"""The tables of the documentation that the code decides; run as a program, this writes them into their pages.

| page                | table                           | source                                    |
|---------------------|---------------------------------|-------------------------------------------|
| docs/reasons.md     | why an endpoint is not applied  | `domain.errors.Reason`                    |
|                     | how a hostname drifts           | `domain.planning.existing.Drift`          |
| docs/annotations.md | annotations                     | `ROUTE_PROPERTIES`, then `ORIGIN_KEYS`    |
| docs/settings.md    | settings                        | `settings.VARIABLES`                      |
| docs/metrics.md     | metrics                         | every instrument that the source creates  |
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_KEYS
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.properties import PREFIX, ROUTE_PROPERTIES
from tunnel_webhook.domain.planning.existing import Drift
from tunnel_webhook.settings import VARIABLES
from tunnel_webhook.telemetry import LogPipe, open_telemetry

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "tunnel_webhook"
COMMAND = "PYTHONPATH=tests python -m repository.tables"
RECORD = {"counter": "add", "gauge": "set", "histogram": "record"}
"""How an instrument of each kind takes a measurement."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page; its head names it there. Cells are Markdown without `|`."""

    page: Path
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    @property
    def text(self) -> str:
        """The table as it is written, lines and all."""
        return "".join(map(_line, (self.head, ("---",) * len(self.head), *self.rows)))

    def stored(self) -> str:
        """Return the table as the page has it, or nothing."""
        match = self._pattern().search(self.page.read_text())
        return match[0] if match else ""

    def write(self) -> None:
        """Replace the table of the page."""
        self.page.write_text(self._pattern().sub(lambda _: self.text, self.page.read_text()))

    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"^{re.escape(_line(self.head))}(?:\|.*\n)*", re.MULTILINE)


def tables() -> list[Table]:
    """Return every table that the code decides."""
    return [
        Table(DOCS / "reasons.md", ("reason", "what is wrong"), [(f"`{each}`", each.meaning) for each in Reason]),
        Table(DOCS / "reasons.md", ("drift", "what is wrong"), [(f"`{each}`", each.meaning) for each in Drift]),
        Table(DOCS / "annotations.md", ("annotation", "value"), list(_annotations())),
        Table(DOCS / "settings.md", ("variable", "what it decides", "default", "example"), list(_settings())),
        Table(DOCS / "metrics.md", ("metric", "type", "what it measures"), _metrics()),
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _annotations() -> Iterator[tuple[str, str]]:
    for name, meaning in ROUTE_PROPERTIES.items():
        yield f"`webhook-{name.removeprefix(PREFIX)}`", meaning
    for key in ORIGIN_KEYS:
        yield f"`webhook-{key.option}`", key.meaning


def _settings() -> Iterator[tuple[str, ...]]:
    for name, variable in VARIABLES.items():
        texts = (f"`{text}`".replace("|", r"\|") if text else "" for text in (variable.default, variable.example))
        yield (f"`{name}`", variable.description, *texts)


def _metrics() -> list[tuple[str, ...]]:
    """Return name, type and description of every instrument, as `/metrics` shows one measurement of each."""
    telemetry = open_telemetry("0")
    LogPipe(sys.stderr).observe(telemetry.meters)
    meter = telemetry.meters.get_meter("tunnel_webhook")
    for path in sorted(SOURCE.rglob("*.py")):
        if path.parent.name != "telemetry":  # these exist already
            for kind, name, description in _instruments(ast.parse(path.read_text())):
                instrument = getattr(meter, f"create_{kind}")(name, description=description)
                getattr(instrument, RECORD[kind])(1)
    exposed = telemetry.metrics()[0].decode()
    telemetry.shutdown()
    series = re.findall(r"^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$", exposed, re.MULTILINE)
    return sorted((f"`{name}`", kind, meaning) for name, meaning, kind in series)


def _instruments(module: ast.Module) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name and description of every instrument that a module creates."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("create_"):
            texts = {keyword.arg: keyword.value for keyword in node.keywords}
            if "description" in texts:
                name, description = ast.literal_eval(node.args[0]), ast.literal_eval(texts["description"])
                yield node.func.attr.removeprefix("create_"), name, description


if __name__ == "__main__":
    for table in tables():
        table.write()
