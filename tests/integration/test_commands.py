"""`check`, `plan` and `explain`, from the environment to the output and the exit code."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from doubles.emulator import API_TOKEN, BLUE, GREEN, Connector, Control, Record, State, emulator_process, seed
from doubles.process import bare_environment, free_ports
from tunnel_webhook.cli import main
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.planning.guard import Guard
from vocabulary.builders import claim, marker, record

MEMORY = {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE}", "DOMAIN_FILTER": "example.com"}
UNKNOWN_TOKEN = "unknown-to-the-emulator"  # noqa: S105 -- no secret
GUARD = Guard().sentence
MARKER = "heritage=tunnel-webhook,owner=default"
OUTSIDE = (
    "app.elsewhere.net is outside the domain filter (DOMAIN_FILTER, EXCLUDE_DOMAINS and their regular expressions)"
)
UNREACHED = "never reached: rule 1 takes the request before it"
DOCUMENT = (
    '{"ingress":[{"hostname":"app.example.com","path":"^/api","service":"http://api:80"},'
    '{"hostname":"app.example.com","service":"http://app:80"},{"hostname":"*.example.com","service":"http://by-hand:80"},'
    '{"service":"http_status:404"}]}'
)
CHANGES = {
    "create": [
        {"dnsName": "new.example.com", "recordType": "CNAME", "targets": ["http://new:80"]},
        {"dnsName": "lost.example.org", "recordType": "CNAME", "targets": ["http://lost:80"]},
    ],
}


def account(*records: DnsRecord) -> State:
    """Return an account with a managed hostname, rules made by others, and further records."""
    state = seed(["example.com"]).with_document(BLUE, DOCUMENT)
    state = state.with_tunnel(replace(state.tunnels[BLUE], connectors=(Connector("1"),)))
    stored = (claim("app.example.com", resource="service/prod/app", paths=["", "^/api"]), *records)
    return state.with_records(
        "example.com",
        *(Record(one.name, one.type, one.content, proxied=one.proxied, comment=one.comment) for one in stored),
    )


@pytest.fixture(scope="module")
def process() -> Iterator[Control]:
    with emulator_process(account()) as control:
        yield control


@pytest.fixture
def cloudflare(process: Control) -> Iterator[Control]:
    """Yield an emulator, and check that the test has written nothing."""
    process.seed(account())
    process.clear_log()
    yield process
    assert {call["method"] for call in process.log()} <= {"GET"}


def run(environment: dict[str, str], *command: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, command, env={**environment}, input=stdin, catch_exceptions=False)


def on(cloudflare: Control, **variables: str) -> dict[str, str]:
    credentials = {"CLOUDFLARE_API_URL": cloudflare.url, "CLOUDFLARE_API_TOKEN": API_TOKEN}
    return {**credentials, "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}", **variables}


def verdicts(result: Result) -> dict[str, str]:
    return {finding["subject"]: finding["verdict"] for finding in json.loads(result.stdout)["findings"]}


def changes_file(tmp_path: Path, body: Any = CHANGES) -> str:
    (tmp_path / "changes.json").write_text(json.dumps(body))
    return str(tmp_path / "changes.json")


@pytest.mark.parametrize(
    "command", [("check",), ("plan",), ("explain", "app.example.com")], ids=["check", "plan", "explain"]
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(command: tuple[str, ...]) -> None:
    result = run({"BACKEND": "memory", "PORT": "no"}, *command)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "tunnel-webhook: PORT='no': a whole number from 0 to 65535 is expected; for example PORT=8888\n"
    )


@pytest.mark.parametrize("command", [("plan",), ("explain", "app.example.com")], ids=["plan", "explain"])
def test_a_refusal_by_cloudflare_is_one_line_and_exit_code_1(cloudflare: Control, command: tuple[str, ...]) -> None:
    result = run(on(cloudflare, CLOUDFLARE_API_TOKEN=UNKNOWN_TOKEN), *command)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("tunnel-webhook: cannot list zones: the API token was revoked")
    assert result.stderr.count("\n") == 1


EVERYTHING = "every resource may publish every name inside the domain filter (POLICY_FILE is not set)"
NOTHING_ADOPTED = "nothing that a person made may be taken over (ADOPT_HOSTNAMES is not set)"


def test_a_check_of_the_memory_backend() -> None:
    result = run(MEMORY, "check")

    assert result.stdout.splitlines() == [
        "ok       backend    memory: Cloudflare is not used, and nothing outlives the process",
        "ok       hostnames  0 are managed",
        "ok       owner      hostnames of every owner are managed (OWNER_ID)",
        f"ok       deletions  {GUARD}",
        f"ok       policy     {EVERYTHING}",
        f"ok       policy     {NOTHING_ADOPTED}",
        "6 ok, 0 warning, 0 problem, 0 unknown",
    ]
    assert result.exit_code == 0
    assert result.stderr == ""


def test_a_check_reports_the_settings_that_decide_what_is_changed() -> None:
    result = run({**MEMORY, "OWNER_ID": "home", "DRY_RUN": "true", "READ_TIMEOUT": "5s"}, "check", "--output", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "findings": [
            {
                "subject": "backend",
                "verdict": "ok",
                "sentence": "memory: Cloudflare is not used, and nothing outlives the process",
                "cure": None,
            },
            {
                "subject": "hostnames",
                "verdict": "ok",
                "sentence": "0 are managed",
                "cure": None,
            },
            {
                "subject": "settings",
                "verdict": "warning",
                "sentence": "READ_TIMEOUT has no effect: REQUEST_DEADLINE limits every request",
                "cure": "change the variable, or unset it",
            },
            {
                "subject": "owner",
                "verdict": "ok",
                "sentence": "only hostnames of 'home' are managed (OWNER_ID)",
                "cure": None,
            },
            {
                "subject": "deletions",
                "verdict": "ok",
                "sentence": GUARD,
                "cure": None,
            },
            {
                "subject": "dry run",
                "verdict": "warning",
                "sentence": "changes are planned and logged only",
                "cure": "unset DRY_RUN to apply them",
            },
            {"subject": "policy", "verdict": "ok", "sentence": EVERYTHING, "cure": None},
            {"subject": "policy", "verdict": "ok", "sentence": NOTHING_ADOPTED, "cure": None},
        ],
        "counts": {"ok": 6, "warning": 2, "problem": 0, "unknown": 0},
    }


def test_a_check_names_what_a_policy_file_allows_and_the_rules_that_it_does_not_allow_any_more(
    cloudflare: Control, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.example.com"]\n')

    result = run(on(cloudflare, POLICY_FILE=str(file)), "check")

    assert "[[allow]] 1: team-a may publish *.example.com from same-namespace, default-origin" in result.stdout
    lines = [line for line in result.stdout.splitlines() if "is published and not allowed any more" in line]
    for line, rule in zip(lines, ("app.example.com", "app.example.com (path ^/api)"), strict=True):
        assert line.startswith("warning")
        assert f"{rule} is published and not allowed any more: the nearest table is [[allow]] 1" in line
        assert "allow it, or remove the resource that asks for it" in line


def test_a_plan_without_changes_rejects_what_the_policy_file_does_not_allow_any_more(
    cloudflare: Control, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = 1\n[[allow]]\nnamespaces = ["team-a"]\nhostnames = ["*.example.com"]\n')

    result = run(on(cloudflare, POLICY_FILE=str(file)), "plan")

    assert result.exit_code == 1
    assert "not-allowed: the rule stays as it is: the nearest table is [[allow]] 1" in result.stdout


def test_a_policy_file_with_a_fault_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text("version = 1")

    result = run({**MEMORY, "POLICY_FILE": str(file)}, "check")

    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"tunnel-webhook: POLICY_FILE='{file}': allow is missing: without an [[allow]] table"
    )
    assert result.stderr.count("\n") == 1


def test_a_check_with_warnings_and_without_problems_exits_with_0(cloudflare: Control) -> None:
    result = run(on(cloudflare), "check", "--output", "json")

    assert result.exit_code == 0
    assert {subject for subject, verdict in verdicts(result).items() if verdict != "ok"} == {
        "permission DNS:Edit",
        "permission Cloudflare Tunnel:Edit",
        "connectors of green",
    }


def test_a_check_with_a_problem_exits_with_1(cloudflare: Control) -> None:
    result = run(on(cloudflare, DOMAIN_FILTER="example.com,example.net"), "check")

    (problem,) = [line for line in result.stdout.splitlines() if line.startswith("problem")]
    sentence = (
        "no visible zone contains example.net; remove it from DOMAIN_FILTER, or grant Zone / Zone / Read on its zone"
    )
    assert problem == f"problem  domain filter                      {sentence}"
    assert result.exit_code == 1


def test_a_check_without_a_connection_exits_with_1() -> None:
    (port,) = free_ports(1)
    settings = {"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_TUNNEL_ID": BLUE, "REQUEST_DEADLINE": "0.2"}

    result = run({**settings, "CLOUDFLARE_API_URL": f"http://127.0.0.1:{port}"}, "check", "--output", "json")

    assert result.exit_code == 1
    assert result.stderr == ""
    assert verdicts(result)["connection"] == "problem"


def test_a_check_uses_a_global_api_key(process: Control) -> None:
    process.seed(replace(account(), keys={"ops@example.com": "key"}))
    key = {"CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_API_EMAIL": "ops@example.com", "CLOUDFLARE_API_TOKEN": ""}

    result = run(on(process, **key), "check", "--output", "json")

    assert result.exit_code == 0
    assert verdicts(result)["credentials"] == "warning"


def test_a_plan_with_a_rejection_exits_with_1(cloudflare: Control, tmp_path: Path) -> None:
    result = run(on(cloudflare), "plan", "--changes", changes_file(tmp_path))

    assert result.stdout.splitlines() == [
        "tunnel blue",
        "  + new.example.com -> http://new:80",
        "zone example.com",
        f"  + CNAME new.example.com -> {BLUE}.cfargotunnel.com (proxied, comment '{MARKER},paths=.')",
        "not done",
        "  ! lost.example.org: no-zone: no zone that the credentials see holds lost.example.org; they see: example.com",
        "create 1, rejected 1",
    ]
    assert result.exit_code == 1
    assert result.stderr == ""


def test_a_plan_of_standard_input_as_json(cloudflare: Control) -> None:
    body = json.dumps({"create": CHANGES["create"][:1]}).encode()

    result = run(on(cloudflare), "plan", "--changes", "-", "--output", "json", stdin=body)

    planned = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {name: number for name, number in planned["counts"].items() if number} == {"create": 1}
    (decision,) = planned["decisions"]
    assert decision["hostname"] == "new.example.com"
    assert decision["action"] == "create"
    assert decision["tunnel"] == BLUE
    assert planned["rejections"] == []
    assert planned["withheld"] == []


def test_a_plan_without_changes_shows_what_has_drifted(process: Control) -> None:
    drifted = account(
        DnsRecord("off.example.com", "CNAME", target_of(BLUE), proxied=False, comment=claim("off.example.com").comment)
    )
    process.seed(drifted.with_document(BLUE, DOCUMENT.replace("*.example.com", "off.example.com")))

    result = run(on(process), "plan")

    off, marker = f"CNAME off.example.com -> {BLUE}.cfargotunnel.com", claim("off.example.com").comment
    assert result.stdout.splitlines() == [
        "zone example.com",
        f"  ~ {off} (not proxied, comment '{marker}')  =>  {off} (proxied, comment '{marker}')",
        "update 1",
    ]
    assert result.exit_code == 0


def test_a_plan_without_drift_has_nothing_to_do(cloudflare: Control) -> None:
    result = run(on(cloudflare), "plan")

    assert result.exit_code == 0
    assert result.stdout == "nothing to do\n"


@pytest.mark.parametrize("body", [[], {"create": 1}], ids=["not an object", "not a list"])
def test_malformed_changes_are_one_line_and_exit_code_2(tmp_path: Path, body: Any) -> None:
    result = run(MEMORY, "plan", "--changes", changes_file(tmp_path, body))

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "not what external-dns sends" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_file_of_changes_exits_with_2(tmp_path: Path) -> None:
    assert run(MEMORY, "plan", "--changes", str(tmp_path / "nowhere")).exit_code == 2


def test_an_explanation_lists_the_rules_and_the_one_that_wins(cloudflare: Control) -> None:
    result = run(on(cloudflare), "explain", "App.example.com/api/users?page=1")

    assert result.stdout.splitlines() == [
        "app.example.com/api/users",
        "  + it works, as far as the configuration shows",
        "  + zone example.com",
        f"  + record CNAME app.example.com -> {BLUE}.cfargotunnel.com (tunnel blue), proxied",
        "  + claimed for owner 'default', from service/prod/app",
        "rules in tunnel blue (the one that the record points at)",
        "  + rule 1: app.example.com ^/api -> http://api:80 (managed): wins: the first rule that matches",
        "  ~ rule 1 runs with the defaults of cloudflared",
        "  ~ rule 1 does not check Access",
        f"  ~ rule 2: app.example.com -> http://app:80 (managed): {UNREACHED}",
        f"  ~ rule 3: *.example.com -> http://by-hand:80 (made by others): {UNREACHED}",
        f"  ~ rule 4: every host -> http_status:404 (made by others): {UNREACHED}",
        "rules in tunnel green",
        "  + rule 1: every host -> http_status:404 (made by others): wins: the first rule that matches",
        "a deletion by its owner would",
        "  - remove its rules and its record",
    ]
    assert result.exit_code == 0
    assert result.stderr == ""


def test_an_explanation_decodes_the_path_as_cloudflared_does(cloudflare: Control) -> None:
    result = run(on(cloudflare), "explain", "app.example.com/%61pi", "--output", "json")

    assert json.loads(result.stdout)["path"] == "/api"


def test_an_explanation_as_json(process: Control) -> None:
    process.seed(account(record("grey.example.com", target_of(GREEN), comment="by hand")))

    explained = json.loads(run(on(process, OWNER_ID="home"), "explain", "app.example.com", "--output", "json").stdout)

    assert explained["record"] == {
        "name": "app.example.com",
        "type": "CNAME",
        "content": f"{BLUE}.cfargotunnel.com",
        "proxied": True,
    }
    assert explained["claim"] == {
        "owner": "default",
        "resource": "service/prod/app",
        "visible": False,
        "releasingSince": None,
    }
    assert explained["zone"] == "example.com"
    assert explained["inDomainFilter"] is True
    assert explained["tunnel"] == "blue"
    assert explained["drift"] is None
    assert explained["deletion"]["decisions"] == []
    assert explained["candidates"][0] == {
        "tunnel": "blue",
        "number": 1,
        "hostname": "app.example.com",
        "path": "^/api",
        "service": "http://api:80",
        "managed": True,
        "wins": False,
        "verdict": "passed over: its path does not match",
        "options": {},
        "inherited": {},
        "requiresAccess": False,
    }
    assert explained["works"] is True
    assert explained["fault"] is None


def test_an_explanation_of_an_unclaimed_hostname_names_what_is_wrong(process: Control) -> None:
    process.seed(account(record("grey.example.com", target_of(GREEN), comment="by hand")))

    result = run(on(process, EXCLUDE_DOMAINS="grey.example.com"), "explain", "grey.example.com")

    assert result.stdout.splitlines()[:6] == [
        "grey.example.com/",
        "  ! it does not work: its record is not proxied",
        "  + zone example.com",
        "  ! the domain filter excludes it",
        f"  ! record CNAME grey.example.com -> {GREEN}.cfargotunnel.com (tunnel green), not proxied",
        "  ~ not claimed: its record and its rules, if any, are not ours",
    ]
    assert result.exit_code == 1


def test_an_explanation_of_a_hostname_that_is_being_released_says_since_when(process: Control) -> None:
    comment = marker("default", since=1_700_000_000).comment
    process.seed(account(record("gone.example.com", target_of(BLUE), comment=comment, proxied=True)))

    lines = run(on(process), "explain", "gone.example.com").stdout.splitlines()

    assert (
        "  ! being released since 2023-11-14 22:13:20 UTC: its record is deleted once its rules have been gone for"
        " RELEASE_DELAY"
    ) in lines
    assert not [line for line in lines if "drift" in line]
    assert lines[-2:] == ["a deletion by its owner would", "  ~ do nothing: it is being released already"]

    explained = json.loads(run(on(process), "explain", "gone.example.com", "--output", "json").stdout)
    assert explained["claim"]["releasingSince"] == 1_700_000_000
    assert explained["drift"] is None


def test_an_explanation_of_a_drifted_hostname_of_another_owner(process: Control) -> None:
    process.seed(account(claim("gone.example.com", owner="them")))

    lines = run(on(process, OWNER_ID="us"), "explain", "gone.example.com").stdout.splitlines()

    assert (
        "  + claimed for owner 'them', whose hostnames this instance does not manage, from an unknown resource" in lines
    )
    assert "  ! drift: no-rule: it is claimed, and no tunnel has a rule for it" in lines
    assert lines[-2:] == ["a deletion by its owner would", "  ~ do nothing: it is not managed here"]


def test_an_explanation_without_a_rule_exits_with_1() -> None:
    result = run(MEMORY, "explain", "app.elsewhere.net")

    assert result.stdout.splitlines() == [
        "app.elsewhere.net/",
        "  ! it does not work: no zone that the credentials see holds it",
        "  ! no zone that the credentials see holds it",
        "  ! the domain filter excludes it",
        "  ! no record answers for it",
        "  ~ not claimed: its record and its rules, if any, are not ours",
        f"  ! if asked for, it is rejected: outside-domain-filter: {OUTSIDE}",
        "rules in tunnel blue",
        "  ! no rule covers the hostname",
        "a deletion by its owner would",
        "  ~ do nothing: it is not managed here",
    ]
    assert result.exit_code == 1


def test_an_invalid_hostname_is_one_line_and_exit_code_2() -> None:
    result = run(MEMORY, "explain", "https://app_.-example.com")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("tunnel-webhook: 'app_.-example.com' is not a hostname")


def on_a_terminal(cloudflare: Control) -> tuple[bytes, bytes]:
    """Run `check` with standard error on a terminal; return what it printed there, and on standard output."""
    reader, writer = pty.openpty()
    arguments = [sys.executable, "-m", "tunnel_webhook", "check"]
    environment = {**bare_environment(), **on(cloudflare), "TERM": "xterm"}
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=writer) as running:
        os.close(writer)
        shown = b""
        with suppress(OSError):  # Linux's end of file on a terminal
            while chunk := os.read(reader, 4096):
                shown += chunk
        os.close(reader)
        assert running.stdout is not None
        return shown, running.stdout.read()


def test_a_spinner_is_shown_on_a_terminal_only(cloudflare: Control) -> None:
    shown, piped = on_a_terminal(cloudflare)

    assert b"checking the account" in shown
    assert b"\x1b" not in piped
    assert piped.startswith(b"ok       credentials")


README = (Path(__file__).parents[2] / "README.md").read_text()
EXAMPLES = re.findall(r"^\$ (.*tunnel-webhook .+)\n((?:(?!```|\$ ).*\n)*)", README, re.MULTILINE)


def test_the_commands_of_the_readme_print_what_it_shows_as_they_are_written(process: Control, tmp_path: Path) -> None:
    process.seed(account().with_tunnel(replace(account().tunnels[BLUE], connectors=())))
    settings = on(process, CLOUDFLARE_TUNNEL_ID=f"blue={BLUE}", DOMAIN_FILTER="example.com,example.net")
    environment = {**bare_environment(), **settings, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))

    assert len(EXAMPLES) == 3
    for command, expected in EXAMPLES:
        completed = subprocess.run(  # noqa: S602 -- a line of our README
            command, shell=True, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
        )

        assert completed.stderr == ""
        assert completed.stdout == expected
