"""The README says what the code says."""

import re
from dataclasses import fields
from pathlib import Path

from tunnel_webhook.domain.cloudflared.origin_request import ACCESS_KEYS, ORIGIN_KEYS
from tunnel_webhook.domain.errors import InvalidEndpoint
from tunnel_webhook.domain.external_dns.route import OWN_PROPERTIES
from tunnel_webhook.settings.variables import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def table(heading: str) -> list[list[str]]:
    """Return the cells of the first table under a heading, without its head."""
    rows = re.findall(r"^\|(.*)\|$", re.split(r"\n#+ ", README.partition(f"# {heading}\n")[2])[0], re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)] for row in rows][2:]


def subclasses(kind: type[InvalidEndpoint]) -> set[type[InvalidEndpoint]]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


def settings_rows() -> list[list[str]]:
    variables = [
        (each.name.upper(), each.metadata["variable"]) for each in fields(Settings) if "variable" in each.metadata
    ]
    return [
        [
            f"`{name}`",
            variable.description,
            f"`{variable.default}`" if variable.default else "",
            f"`{variable.example}`",
        ]
        for name, variable in variables
    ]


def test_every_setting_is_in_the_table_as_it_is_in_the_code() -> None:
    assert [[cell.replace(r"\|", "|") for cell in row] for row in table("Settings")] == settings_rows()


def test_every_property_is_in_the_table_of_annotations() -> None:
    named = [row[0].strip("`").replace("webhook-", "webhook/", 1) for row in table("Annotations")]

    assert named == [*OWN_PROPERTIES, *ORIGIN_KEYS, *ACCESS_KEYS]


def test_every_reason_is_in_the_table_of_reasons() -> None:
    raised = {each.code for each in subclasses(InvalidEndpoint) - {InvalidEndpoint}}
    source = "".join(
        (ROOT / "src" / "tunnel_webhook" / "domain" / name).read_text() for name in ("ask.py", "planner.py")
    )
    decided = set(re.findall(r'code="([a-z-]+)"', source)) | set(
        re.findall(r'Rejection\(hostname, "([a-z-]+)"', source)
    )

    assert {row[0].strip("`") for row in table("Reasons")} == raised | decided | {"quota-exceeded", "refused"}


def test_ci_runs_the_command_that_the_readme_shows() -> None:
    commands = re.findall(r"^```sh\n(.+)\n```$", README, re.MULTILINE)

    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text()
