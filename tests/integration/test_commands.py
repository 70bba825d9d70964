"""`check`, `plan` and `explain`, from the environment to what is printed and the exit code."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from doubles.emulator import API_TOKEN, BLUE, GREEN, Connector, Control, Record, State, emulator_process, seed
from doubles.process import bare_environment, free_ports
from tunnel_webhook.cli import main
from tunnel_webhook.domain.dns import DnsRecord, target_of
from vocabulary.builders import claim, record

MEMORY = {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE}", "DOMAIN_FILTER": "example.com"}
UNKNOWN_TOKEN = "nobody-made-this-one"  # noqa: S105 -- opens nothing
GUARD = "at most 5 hostnames or 50% of the managed ones may go at once; raise MAX_DELETES_FLOOR or MAX_DELETE_RATIO to let them pass"
DOCUMENT = (
    '{"ingress":[{"hostname":"app.example.com","path":"^/api","service":"http://api:80"},'
    '{"hostname":"app.example.com","service":"http://app:80"},{"hostname":"*.example.com","service":"http://by-hand:80"},'
    '{"service":"http_status:404"}]}'
)
ASKED = {
    "create": [
        {"dnsName": "new.example.com", "recordType": "CNAME", "targets": ["http://new:80"]},
        {"dnsName": "lost.example.org", "recordType": "CNAME", "targets": ["http://lost:80"]},
    ],
}


def stored(*found: DnsRecord) -> State:
    """Return a Cloudflare with a managed hostname, rules made by others, and these records more."""
    state = seed(["example.com"]).with_document(BLUE, DOCUMENT)
    state = state.with_tunnel(replace(state.tunnels[BLUE], connectors=(Connector("1"),)))
    records = (claim("app.example.com", resource="service/prod/app"), *found)
    return state.with_records(
        "example.com",
        *(Record(each.name, each.type, each.content, proxied=each.proxied, comment=each.comment) for each in records),
    )


@pytest.fixture(scope="module")
def process() -> Iterator[Control]:
    with emulator_process(stored()) as control:
        yield control


@pytest.fixture
def cloudflare(process: Control) -> Iterator[Control]:
    """Yield an emulator to which nothing is written while a test runs."""
    process.seed(stored())
    process.clear_log()
    yield process
    assert {call["method"] for call in process.log()} <= {"GET"}


def run(environment: dict[str, str], *command: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, command, env={**environment}, input=stdin, catch_exceptions=False)


def on(cloudflare: Control, **more: str) -> dict[str, str]:
    named = {"CLOUDFLARE_API_URL": cloudflare.url, "CLOUDFLARE_API_TOKEN": API_TOKEN}
    return {**named, "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={GREEN}", **more}


def verdicts(result: Result) -> dict[str, str]:
    return {each["subject"]: each["verdict"] for each in json.loads(result.stdout)["findings"]}


def asked(tmp_path: Path, body: Any = ASKED) -> str:
    (tmp_path / "changes.json").write_text(json.dumps(body))
    return str(tmp_path / "changes.json")


@pytest.mark.parametrize(
    "command", [("check",), ("plan",), ("explain", "app.example.com")], ids=["check", "plan", "explain"]
)
def test_a_wrong_setting_is_one_line_and_2(command: tuple[str, ...]) -> None:
    result = run({"BACKEND": "memory", "PORT": "no"}, *command)

    assert (result.exit_code, result.stdout) == (2, "")
    assert (
        result.stderr
        == "tunnel-webhook: PORT='no': a whole number from 0 to 65535 is expected; for example PORT=8888\n"
    )


@pytest.mark.parametrize("command", [("plan",), ("explain", "app.example.com")], ids=["plan", "explain"])
def test_a_refusal_of_cloudflare_is_one_line_and_1(cloudflare: Control, command: tuple[str, ...]) -> None:
    result = run(on(cloudflare, CLOUDFLARE_API_TOKEN=UNKNOWN_TOKEN), *command)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("tunnel-webhook: cannot list zones: the API token was revoked")
    assert result.stderr.count("\n") == 1


def test_a_check_in_memory() -> None:
    result = run(MEMORY, "check")

    assert result.stdout.splitlines() == [
        "ok       backend    memory: nothing is asked of Cloudflare, and nothing outlives the process",
        "ok       owner      hostnames of every owner are managed (OWNER_ID)",
        f"ok       deletions  {GUARD}",
        "3 ok, 0 warning, 0 problem, 0 unknown",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_check_tells_what_the_settings_amount_to() -> None:
    result = run({**MEMORY, "OWNER_ID": "home", "DRY_RUN": "true", "READ_TIMEOUT": "5s"}, "check", "--output", "json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "findings": [
            {
                "subject": "backend",
                "verdict": "ok",
                "sentence": "memory: nothing is asked of Cloudflare, and nothing outlives the process",
                "cure": None,
            },
            {
                "subject": "settings",
                "verdict": "warning",
                "sentence": "READ_TIMEOUT decides nothing here: REQUEST_DEADLINE bounds every answer",
                "cure": "set what it names otherwise, or unset it",
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
        ],
        "counts": {"ok": 3, "warning": 2, "problem": 0, "unknown": 0},
    }


def test_a_check_of_what_is_in_place_is_0_in_spite_of_warnings(cloudflare: Control) -> None:
    result = run(on(cloudflare), "check", "--output", "json")

    assert result.exit_code == 0
    assert {subject for subject, verdict in verdicts(result).items() if verdict != "ok"} == {
        "clock",
        "permission DNS:Edit",
        "permission Cloudflare Tunnel:Edit",
        "connectors of green",
    }


def test_a_check_that_finds_a_problem_is_1(cloudflare: Control) -> None:
    result = run(on(cloudflare, DOMAIN_FILTER="example.com,example.net"), "check")

    (problem,) = [line for line in result.stdout.splitlines() if line.startswith("problem")]
    told = (
        "no visible zone contains example.net; remove it from DOMAIN_FILTER, or grant Zone / Zone / Read on its zone"
    )
    assert problem == f"problem  domain filter                      {told}"
    assert result.exit_code == 1


def test_a_check_without_an_answer_is_1() -> None:
    (port,) = free_ports(1)
    settings = {"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_TUNNEL_ID": BLUE, "REQUEST_DEADLINE": "0.2"}

    result = run({**settings, "CLOUDFLARE_API_URL": f"http://127.0.0.1:{port}"}, "check", "--output", "json")

    assert (result.exit_code, result.stderr) == (1, "")
    assert verdicts(result)["connection"] == "problem"


def test_a_check_uses_the_key_that_is_set(process: Control) -> None:
    process.seed(replace(stored(), keys={"ops@example.com": "key"}))
    key = {"CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_API_EMAIL": "ops@example.com", "CLOUDFLARE_API_TOKEN": ""}

    result = run(on(process, **key), "check", "--output", "json")

    assert (result.exit_code, verdicts(result)["credentials"]) == (0, "warning")


def test_a_plan_is_like_a_diff_and_1_where_something_is_rejected(cloudflare: Control, tmp_path: Path) -> None:
    result = run(on(cloudflare), "plan", "--changes", asked(tmp_path))

    assert result.stdout.splitlines() == [
        "tunnel blue",
        "  + new.example.com -> http://new:80",
        "zone example.com",
        f"  + CNAME new.example.com -> {BLUE}.cfargotunnel.com (proxied, comment 'heritage=tunnel-webhook,owner=default')",
        "not done",
        "  ! lost.example.org: no-zone: no zone that the credentials see holds lost.example.org; they see: example.com",
        "create 1, rejected 1",
    ]
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_plan_is_read_from_standard_input_and_written_as_json(cloudflare: Control) -> None:
    body = json.dumps({"create": ASKED["create"][:1]}).encode()

    result = run(on(cloudflare), "plan", "--changes", "-", "--output", "json", stdin=body)

    planned = json.loads(result.stdout)
    assert result.exit_code == 0
    assert {name: number for name, number in planned["counts"].items() if number} == {"create": 1}
    assert [(each["hostname"], each["action"], each["tunnel"]) for each in planned["decisions"]] == [
        ("new.example.com", "create", BLUE)
    ]
    assert (planned["rejections"], planned["withheld"]) == ([], [])


def test_a_plan_without_changes_shows_what_has_drifted(process: Control) -> None:
    drifted = stored(
        DnsRecord("off.example.com", "CNAME", target_of(BLUE), proxied=False, comment=claim("off.example.com").comment)
    )
    process.seed(drifted.with_document(BLUE, DOCUMENT.replace("*.example.com", "off.example.com")))

    result = run(on(process), "plan")

    told, marker = f"CNAME off.example.com -> {BLUE}.cfargotunnel.com", claim("off.example.com").comment
    assert result.stdout.splitlines() == [
        "zone example.com",
        f"  ~ {told} (not proxied, comment '{marker}')  =>  {told} (proxied, comment '{marker}')",
        "update 1",
    ]
    assert result.exit_code == 0


def test_a_plan_where_all_is_well_says_so(cloudflare: Control) -> None:
    result = run(on(cloudflare), "plan")

    assert (result.exit_code, result.stdout) == (0, "nothing to do\n")


@pytest.mark.parametrize("body", [[], {"create": 1}], ids=["no object", "no list"])
def test_changes_that_external_dns_would_not_send_are_one_line_and_2(tmp_path: Path, body: Any) -> None:
    result = run(MEMORY, "plan", "--changes", asked(tmp_path, body))

    assert (result.exit_code, result.stdout) == (2, "")
    assert "not what external-dns sends" in result.stderr
    assert result.stderr.count("\n") == 1


def test_changes_that_no_file_holds_are_2(tmp_path: Path) -> None:
    assert run(MEMORY, "plan", "--changes", str(tmp_path / "nowhere")).exit_code == 2


def test_an_explanation_names_the_rule_that_wins(cloudflare: Control) -> None:
    result = run(on(cloudflare), "explain", "App.example.com/api/users?page=1")

    assert result.stdout.splitlines() == [
        "app.example.com/api/users",
        "  + zone example.com",
        f"  + record CNAME app.example.com -> {BLUE}.cfargotunnel.com (tunnel blue), proxied",
        "  + claimed for owner 'default', from service/prod/app",
        "rules in tunnel blue (the one that the record points at)",
        "  + rule 1: app.example.com ^/api -> http://api:80 (managed): wins: the first rule that matches",
        "  ~ rule 2: app.example.com -> http://app:80 (managed): never reached: rule 1 takes the request before it",
        "  ~ rule 3: *.example.com -> http://by-hand:80 (made by others): never reached: rule 1 takes the request before it",
        "  ~ rule 4: every host -> http_status:404 (made by others): never reached: rule 1 takes the request before it",
        "rules in tunnel green",
        "  + rule 1: every host -> http_status:404 (made by others): wins: the first rule that matches",
        "a deletion by its owner would",
        "  - remove its rules and its record",
    ]
    assert (result.exit_code, result.stderr) == (0, "")


def test_an_explanation_compares_the_path_as_cloudflared_does(cloudflare: Control) -> None:
    result = run(on(cloudflare), "explain", "app.example.com/%61pi", "--output", "json")

    assert json.loads(result.stdout)["path"] == "/api"


def test_an_explanation_as_json(process: Control) -> None:
    process.seed(stored(record("grey.example.com", target_of(GREEN), comment="by hand")))

    explained = json.loads(run(on(process, OWNER_ID="home"), "explain", "app.example.com", "--output", "json").stdout)

    assert explained["record"] == {
        "name": "app.example.com",
        "type": "CNAME",
        "content": f"{BLUE}.cfargotunnel.com",
        "proxied": True,
    }
    assert explained["claim"] == {"owner": "default", "resource": "service/prod/app", "visible": False}
    assert (explained["zone"], explained["inDomainFilter"], explained["tunnel"]) == ("example.com", True, "blue")
    assert (explained["drift"], explained["deletion"]["decisions"]) == (None, [])
    assert explained["candidates"][0] == {
        "tunnel": "blue",
        "number": 1,
        "hostname": "app.example.com",
        "path": "^/api",
        "service": "http://api:80",
        "managed": True,
        "wins": False,
        "verdict": "passed over: its path does not match",
    }


def test_an_explanation_of_what_is_not_ours_and_not_well(process: Control) -> None:
    process.seed(stored(record("grey.example.com", target_of(GREEN), comment="by hand")))

    result = run(on(process, EXCLUDE_DOMAINS="grey.example.com"), "explain", "grey.example.com")

    assert result.stdout.splitlines()[:5] == [
        "grey.example.com/",
        "  + zone example.com",
        "  ! the domain filter excludes it",
        f"  ! record CNAME grey.example.com -> {GREEN}.cfargotunnel.com (tunnel green), not proxied",
        "  ~ not claimed: whatever record and rules it has are not ours",
    ]
    assert result.exit_code == 0


def test_an_explanation_of_what_has_drifted_and_another_owner_has(process: Control) -> None:
    process.seed(stored(claim("gone.example.com", owner="them")))

    lines = run(on(process, OWNER_ID="us"), "explain", "gone.example.com").stdout.splitlines()

    assert (
        "  + claimed for owner 'them', so that this instance does not see it, from a resource that is not known"
        in lines
    )
    assert "  ! drift: no-rule" in lines
    assert lines[-2:] == ["a deletion by its owner would", "  ~ do nothing: it is not managed here"]


def test_an_explanation_without_any_rule_is_1() -> None:
    result = run(MEMORY, "explain", "app.elsewhere.net")

    assert result.stdout.splitlines() == [
        "app.elsewhere.net/",
        "  ! no zone that the credentials see holds it",
        "  ! the domain filter excludes it",
        "  ! no record answers for it",
        "  ~ not claimed: whatever record and rules it has are not ours",
        "rules in tunnel blue",
        "  ! none covers the hostname",
        "a deletion by its owner would",
        "  ~ do nothing: it is not managed here",
    ]
    assert result.exit_code == 1


def test_what_is_no_hostname_is_one_line_and_2() -> None:
    result = run(MEMORY, "explain", "https://app.example.com")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("tunnel-webhook: 'https:' is not a hostname")


def on_a_terminal(cloudflare: Control) -> tuple[bytes, bytes]:
    """Run `check` with standard error on a terminal; return what it printed there, and to a pipe."""
    reader, writer = pty.openpty()
    arguments = [sys.executable, "-m", "tunnel_webhook", "check"]
    environment = {**bare_environment(), **on(cloudflare), "TERM": "xterm"}
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=writer) as running:
        os.close(writer)
        shown = b""
        try:
            while piece := os.read(reader, 4096):
                shown += piece
        except OSError:  # what Linux says at the end of a terminal
            pass
        os.close(reader)
        assert running.stdout is not None
        return shown, running.stdout.read()


def test_a_terminal_sees_that_something_goes_on_and_a_pipe_does_not(cloudflare: Control) -> None:
    shown, piped = on_a_terminal(cloudflare)

    assert b"looking at the account" in shown
    assert b"\x1b" not in piped
    assert piped.startswith(b"ok       credentials")


README = (Path(__file__).parents[2] / "README.md").read_text()
SHOWN = re.findall(r"^\$ (.*tunnel-webhook .+)\n((?:(?!```|\$ ).*\n)*)", README, re.MULTILINE)


def test_the_readme_shows_what_the_commands_print(process: Control) -> None:
    process.seed(stored().with_tunnel(replace(stored().tunnels[BLUE], connectors=())))
    settings = on(process, CLOUDFLARE_TUNNEL_ID=f"blue={BLUE}", DOMAIN_FILTER="example.com,example.net")

    assert len(SHOWN) == 3
    for line, expected in SHOWN:
        here = line.replace("tunnel-webhook ", f"{sys.executable} -m tunnel_webhook ")

        ran = subprocess.run(
            here, shell=True, capture_output=True, text=True, check=True, env={**bare_environment(), **settings}
        )  # noqa: S602 -- a line of our README

        assert ran.stdout == expected
