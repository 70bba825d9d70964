"""The documentation says what the code says, and leads only to what exists."""

import re
from pathlib import Path

import pytest

from repository.tables import COMMAND, DOCS, ROOT, Table, tables
from tunnel_webhook.adapters.http import problems
from tunnel_webhook.application import SyncLog
from tunnel_webhook.domain.cloudflared.origin_request import ORIGIN_OPTIONS
from tunnel_webhook.domain.cloudflared.re2_syntax import compile_re2
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.adjustment import Adjustment, Unpublishable
from tunnel_webhook.domain.external_dns.path import path_expression
from tunnel_webhook.domain.external_dns.properties import PREFIX, ROUTE_PROPERTIES
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.planning.existing import Drift, Existing
from tunnel_webhook.domain.planning.plan import Plan, Rejection
from tunnel_webhook.domain.planning.report import Report
from tunnel_webhook.settings import RETIRED, VARIABLES
from vocabulary.builders import POLICY, endpoint
from vocabulary.manifests import DEPLOY, EXAMPLES, load

README = (ROOT / "README.md").read_text()
TABLES = tables()
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "deploy/README.md")),
    *sorted(DOCS.glob("*.md")),
    *sorted((ROOT / "adrs").glob("*.md")),
]
ANNOTATIONS = {*(name.removeprefix(PREFIX) for name in ROUTE_PROPERTIES), *ORIGIN_OPTIONS}
NOT_OURS = {"HTTPS_PROXY", "SO_REUSEPORT"}
METRICS = {row[0].strip("`") for table in TABLES if table.page.stem == "metrics" for row in table.rows}
MAX_COLUMNS = 120
HEAD_OF_PATHS = ("`webhook-path-match`", "`webhook-path`", "expression", "requests that match")
INSTALL = (
    "helm upgrade --install external-dns external-dns/external-dns --namespace external-dns --values deploy/values.yaml"
)


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


def rows(page: str, *head: str) -> list[list[str]]:
    """Return the cells of the table of a page that has this head."""
    first = re.escape(f"| {' | '.join(head)} |")
    table = re.search(rf"^{first}\n\|.*\n((?:\|.*\n)+)", (DOCS / page).read_text(), re.MULTILINE)
    assert table is not None
    lines = [line.strip("|") for line in table[1].splitlines()]
    return [[cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)] for line in lines]


def prose(page: Path) -> str:
    """Return a page without blocks of code and without tables."""
    return re.sub(r"^```.*?^```|^\|.*$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def one_line_commands(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.+)\n```$", text, re.MULTILINE)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.page.stem}-{table.head[0]}")
def test_a_table_is_what_the_code_says(table: Table) -> None:
    assert table.stored() == table.text, f"write it with: {COMMAND}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_leads_to_a_page_and_a_heading_of_it(page: Path) -> None:
    linked = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in link]
    broken = []
    for link in linked:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_prose_fits_the_line(page: Path) -> None:
    assert [line for line in prose(page).splitlines() if len(line) > MAX_COLUMNS and "](" not in line] == []


def test_every_page_of_the_documentation_is_in_the_reference() -> None:
    pages = {page_id(page) for page in DOCS.glob("*.md")}

    assert pages - set(re.findall(r"^\| \[.*?\]\(([^)]+)\)", README, re.MULTILINE)) == set()


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_setting_annotation_and_metric_that_is_named_exists(page: Path) -> None:
    text = page.read_text()
    settings = set(re.findall(r"`([A-Z]+_[A-Z_]*[A-Z])[`=]", text))
    annotations = set(
        re.findall(r"\bwebhook[-/]([a-z0-9]+(?:-[a-z0-9]+)*)\b", re.sub(r"tunnel-webhook|webhook-provider", "", text))
    )
    metrics = set(re.findall(r"tunnel_webhook_\w+", text))

    assert settings - {*VARIABLES, *RETIRED, *NOT_OURS} == set()
    assert annotations - {*ANNOTATIONS, "invalid", "drift"} == set()
    assert metrics - METRICS == set()


def test_the_paths_are_as_the_page_shows_them() -> None:
    for match, path, expression, examples in rows("annotations.md", *HEAD_OF_PATHS):
        shown = path_expression(path.strip("`"), match.strip("`"))

        assert shown == expression.strip("`")
        assert all(compile_re2(shown).search(example) for example in re.findall(r"`([^`]+)`", examples))


def test_the_lines_of_the_log_are_as_the_page_shows_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    app, reason, sentence = Hostname("app.example.com"), Reason.NO_ZONE, "no zone holds it"
    unpublishable = Unpublishable(endpoint(app, resource="service/prod/app"), reason, sentence)

    sync_log = SyncLog(POLICY)
    sync_log.adjusted(Adjustment(endpoints=(), unpublishable=(unpublishable,)))
    rejected = Plan(rejections=(Rejection(app, reason, sentence, "service/prod/app"),))
    sync_log.planned(rejected, Existing.of((), {}, {}))
    sync_log.reported(Report(endpoints=(), drift=((app, Drift.NO_RULE),)))

    templates = re.findall(r"`([^`]*<hostname>[^`]*)`", (DOCS / "reasons.md").read_text())
    parts = {"hostname": app, "resource": "service/prod/app", "reason": reason, "drift": Drift.NO_RULE}
    shown = [re.sub(r"<(\w+)>", lambda part: {**parts, "sentence": sentence}[part[1]], text) for text in templates]
    assert len(shown) == 3
    assert [text for text in shown if not any(message.startswith(text) for message in caplog.messages)] == []


def test_the_statuses_are_those_of_the_table_of_problems() -> None:
    documented = {row[1] for row in rows("status-codes.md", "case", "status")}
    answered = set(re.findall(r"^\| .*? \| (\d{3}) ", problems.__doc__ or "", re.MULTILINE))

    assert documented == answered | {"200", "204"}


def test_ci_runs_the_one_line_that_the_readme_shows() -> None:
    (command,) = [line for line in one_line_commands(README) if line.endswith("nox")]

    assert command in (ROOT / ".ci" / "run").read_text()


def test_one_line_of_the_readme_serves_in_memory() -> None:
    (command,) = [line for line in one_line_commands(README) if line.endswith("tunnel-webhook serve")]

    assert "BACKEND=memory" in command


def test_the_first_hostname_of_the_readme_is_the_worked_example() -> None:
    (command,) = re.findall(r"^kubectl .* annotate service .*$", README, re.MULTILINE)
    (service,) = load(next(example for example in EXAMPLES if example.stem == "service"))
    metadata = service["metadata"]

    annotated = dict(word.split("=", 1) for word in command.split() if "=" in word)

    assert annotated == metadata["annotations"]
    assert f"--namespace {metadata['namespace']} annotate service {metadata['name']} " in command


def test_every_page_installs_with_the_same_command() -> None:
    pages = (README, *((DEPLOY / name).read_text() for name in ("README.md", "values.yaml")))

    shown = [re.findall(r"helm upgrade .*\.yaml", page) for page in pages]

    assert shown == [[INSTALL]] * len(pages)


def test_every_file_that_a_command_of_the_readme_names_exists() -> None:
    named = set(re.findall(r"\b(?:deploy|tests)/[\w./-]*\w", README))

    assert {name for name in named if not (ROOT / name).exists()} == set()
