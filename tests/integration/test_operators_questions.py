"""What an operator asks: is the hostname there, does it work, why not, and what would happen."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from doubles.emulator import API_TOKEN, BLUE, Connector, Control, Record, State, emulator_process, seed
from doubles.process import bare_environment, free_ports, running_webhook
from tunnel_webhook.cli import VERSION, main
from tunnel_webhook.domain.dns import DnsRecord, target_of
from vocabulary.builders import claim, record

MEDIA_TYPE = "application/external.dns.webhook+json;version=1"
CATCH_ALL = '{"ingress":[{"service":"http_status:404"}]}'
DOCUMENT = (
    '{"originRequest":{"httpHostHeader":"internal","connectTimeout":5},"ingress":['
    '{"hostname":"app.example.com","service":"https://app:443","originRequest":{"noTLSVerify":true,'
    '"access":{"required":true,"teamName":"team","audTag":["' + "a" * 64 + '"]}}},'
    '{"hostname":"*.wild.example.com","service":"http://wild:80"},{"service":"http_status:404"}]}'
)


def account(document: str = DOCUMENT, *records: DnsRecord) -> State:
    """Return an account with two claimed hostnames and further records."""
    state = seed(["example.com"]).with_document(BLUE, document)
    state = state.with_tunnel(replace(state.tunnels[BLUE], connectors=(Connector("1"),)))
    claims = (
        claim("app.example.com", resource="service/prod/app"),
        claim("*.wild.example.com", resource="service/w/w"),
    )
    return state.with_records(
        "example.com",
        *(
            Record(one.name, one.type, one.content, proxied=one.proxied, comment=one.comment)
            for one in (*claims, *records)
        ),
    )


@pytest.fixture(scope="module")
def process() -> Iterator[Control]:
    with emulator_process(account()) as control:
        yield control


def on(process: Control, **variables: str) -> dict[str, str]:
    credentials = {"CLOUDFLARE_API_URL": process.url, "CLOUDFLARE_API_TOKEN": API_TOKEN}
    return {**credentials, "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE}", **variables}


def run(environment: Mapping[str, str], *command: str) -> Result:
    return CliRunner().invoke(main, command, env={**environment}, catch_exceptions=False)


def test_a_plan_names_the_hostnames_whose_rules_are_gone(process: Control) -> None:
    process.seed(account(CATCH_ALL))

    result = run(on(process), "plan")

    assert result.stdout.splitlines() == [
        "drifted, and repaired by external-dns if it still wants it",
        "  ! *.wild.example.com: no-rule: it is claimed, and no tunnel has a rule for it",
        "  ! app.example.com: no-rule: it is claimed, and no tunnel has a rule for it",
        "nothing to do here",
    ]
    assert result.exit_code == 1
    planned = json.loads(run(on(process), "plan", "--output", "json").stdout)
    assert planned["drifted"] == [
        {"hostname": "*.wild.example.com", "drift": "no-rule"},
        {"hostname": "app.example.com", "drift": "no-rule"},
    ]


def test_a_check_calls_a_hostname_without_its_rule_a_problem(process: Control) -> None:
    process.seed(account(CATCH_ALL))

    result = run(on(process), "check")

    (line,) = [line for line in result.stdout.splitlines() if line[9:].startswith("hostnames ")]
    assert line.startswith("problem  hostnames")
    assert "*.wild.example.com, app.example.com: no-rule: it is claimed, and no tunnel has a rule for it" in line
    assert result.exit_code == 1


def test_a_check_warns_of_any_other_drift_and_counts_the_hostnames(process: Control) -> None:
    process.seed(account())
    assert "hostnames                          2 are managed, none has drifted" in run(on(process), "check").stdout

    unproxied = DnsRecord("off.example.com", "CNAME", target_of(BLUE), proxied=False, comment=claim("x").comment)
    process.seed(
        account(
            DOCUMENT.replace('{"service"', '{"hostname":"off.example.com","service":"http://o"},{"service"'), unproxied
        )
    )
    result = run(on(process), "check")

    assert "off.example.com: not-proxied" in result.stdout
    assert result.exit_code == 0


def test_an_explanation_shows_what_the_rule_runs_with_and_access(process: Control) -> None:
    process.seed(account())

    result = run(on(process), "explain", "app.example.com")

    lines = result.stdout.splitlines()
    assert lines[1] == "  + it works, as far as the configuration shows"
    (own,) = [line for line in lines if line.startswith("  ~ rule 1 sets: ")]
    assert "no-tls-verify=true" in own
    assert "  ~ rule 1 inherits from its document: connect-timeout=5, http-host-header=internal" in lines
    assert "  ~ rule 1 refuses requests without a token of Access" in lines
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "address",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "HTTPS://me:secret@App.Example.com:443/?page=1#top",
        "app.example.com:8443",
        "//app.example.com",
    ],
)
def test_a_pasted_url_is_explained_as_its_hostname(process: Control, address: str) -> None:
    process.seed(account())

    result = run(on(process), "explain", address)

    assert result.stdout == run(on(process), "explain", "app.example.com").stdout
    assert "secret" not in result.stdout


def test_an_explanation_knows_the_claim_of_the_wildcard_above(process: Control) -> None:
    process.seed(account())

    result = run(on(process), "explain", "a.wild.example.com")

    assert (
        "  ~ not claimed itself: *.wild.example.com above it is claimed for owner 'default', from service/w/w"
        in result.stdout.splitlines()
    )
    assert result.exit_code == 0
    explained = json.loads(run(on(process), "explain", "a.wild.example.com", "--output", "json").stdout)
    assert explained["claim"] is None
    assert explained["coveringClaim"]["resource"] == "service/w/w"


BESIDE_A_PERSON = (
    '{"ingress":[{"hostname":"app.example.com","path":"^/admin","service":"http://admin:80"},'
    '{"hostname":"app.example.com","service":"http://127.0.0.1:80"},{"service":"http_status:404"}]}'
)


def test_an_explanation_names_rules_by_others_and_what_is_not_allowed_any_more(process: Control) -> None:
    process.seed(account(BESIDE_A_PERSON))

    lines = run(on(process), "explain", "app.example.com").stdout.splitlines()
    explained = json.loads(run(on(process), "explain", "app.example.com", "--output", "json").stdout)

    assert "  ~ rules that others made take requests before ours: ^/admin" in lines
    (refusal,) = [line for line in lines if "not allowed any more" in line]
    assert refusal.startswith("  ! it is not allowed any more, and stays until it is changed: ")
    assert "http://127.0.0.1:80" in refusal
    assert lines[-1] == (
        "  ~ remove its rules, and keep its record without our mark: others made it, or have rules that need it"
    )
    assert explained["overruledBy"] == ["^/admin"]
    assert [each["path"] for each in explained["disallowed"]] == [""]


def test_an_explanation_says_why_a_name_would_be_rejected(process: Control) -> None:
    process.seed(account(DOCUMENT, record("taken.example.com", "192.0.2.1", "A")))

    result = run(on(process), "explain", "taken.example.com")

    assert "  ! it does not work: its record does not point at a tunnel" in result.stdout
    assert (
        "  ! if asked for, it is rejected: record-conflict: taken.example.com already has a A record" in result.stdout
    )
    assert result.exit_code == 1


CHANGES = {
    "create": [
        {"dnsName": "good.example.com", "recordType": "CNAME", "targets": ["http://good:80"]},
        {
            "dnsName": "bad.example.com",
            "recordType": "CNAME",
            "targets": ["https://me:hunter22@bad:443"],
            "labels": {"resource": "service/prod/bad"},
        },
    ]
}


def test_a_running_webhook_is_asked_what_it_received_last() -> None:
    environment = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com", "WEBHOOK_PASSWORD": "pass-word"}
    with running_webhook(environment) as webhook:
        origin = ("--from", webhook.webhook_url)
        before = run(environment, "plan", *origin)
        curl = ["curl", "-s", "-u", "any:pass-word", "-H", f"Content-Type: {MEDIA_TYPE}", "-d", json.dumps(CHANGES)]
        subprocess.run([*curl, f"{webhook.webhook_url}/records"], check=True, capture_output=True)

        planned = run(environment, "plan", *origin)
        explained = run(environment, "explain", *origin, "https://bad.example.com/")
        other = run(environment, "explain", *origin, "good.example.com")
        refused = run({**environment, "WEBHOOK_PASSWORD": "another"}, "plan", *origin)

    assert before.stdout.splitlines()[0] == "the webhook has received no change set since it started"
    assert planned.stdout.startswith("the change set that the webhook received ")
    assert "  + good.example.com -> http://good:80" in planned.stdout
    assert "  ! bad.example.com: invalid-service: " in planned.stdout
    assert planned.exit_code == 1
    assert "  ! external-dns asked for it last, and it is rejected: invalid-service: " in explained.stdout
    assert explained.exit_code == 1
    assert "is rejected" not in other.stdout
    assert "hunter22" not in planned.stdout + explained.stdout
    assert refused.exit_code == 1
    assert "answered 401" in refused.stderr


WITH_USER = "https://user:hunter22@host:443"
WITH_A_SECRET: dict[str, dict[str, object]] = {
    "a target": {"targets": [WITH_USER]},
    "a service": {"providerSpecific": [{"name": "webhook/service", "value": WITH_USER}]},
    "a path": {"providerSpecific": [{"name": "webhook/path", "value": f"({WITH_USER}"}]},
    "another option": {"providerSpecific": [{"name": "webhook/proxy-address", "value": WITH_USER}]},
    "a property of another webhook": {"providerSpecific": [{"name": "webhook/mikrotik-comment", "value": WITH_USER}]},
    "the name": {"dnsName": "user:hunter22@host"},
    "the set identifier": {"setIdentifier": WITH_USER},
    "a record that no tunnel can carry": {"recordType": "MX", "targets": [WITH_USER]},
}


def test_a_password_in_an_endpoint_is_in_no_log_no_answer_and_no_plan_wherever_it_stands() -> None:
    plain = {"recordType": "CNAME", "targets": ["http://app:80"], "labels": {"resource": "service/prod/app"}}
    asked = [
        {"dnsName": f"s{number}.example.com", **plain, **secret} for number, secret in enumerate(WITH_A_SECRET.values())
    ]
    environment = {"BACKEND": "memory", "DOMAIN_FILTER": "example.com"}
    with running_webhook({**environment, "LOG_LEVEL": "debug"}) as webhook:
        curl = ["curl", "-s", "-H", f"Content-Type: {MEDIA_TYPE}", "-H", f"Accept: {MEDIA_TYPE}"]
        shown = [
            subprocess.run([*curl, *body, f"{webhook.webhook_url}/{path}"], check=True, capture_output=True).stdout
            for path, body in (
                ("adjustendpoints", ["-d", json.dumps(asked)]),
                ("records", ["-d", json.dumps({"create": asked})]),
                ("changes", []),
                ("records", []),
            )
        ]
        commands = (("plan",), ("plan", "--output", "json"), ("explain", "s0.example.com"))
        said = [run(environment, *command, "--from", webhook.webhook_url) for command in commands]
        log = webhook.log.read_text()

    assert b"s0.example.com" in shown[0]
    assert b"s0.example.com" in shown[2]
    assert "rejected s0.example.com" in log
    assert "hunter22" not in "".join([log, *map(bytes.decode, shown), *(each.output for each in said)])


def test_a_webhook_that_does_not_answer_is_one_line() -> None:
    (unused,) = free_ports(1)

    for command in (("plan",), ("explain", "app.example.com")):
        result = run({"BACKEND": "memory"}, *command, "--from", f"http://127.0.0.1:{unused}")
        assert result.exit_code == 1
        assert result.stderr.startswith(f"tunnel-webhook: no webhook answers at http://127.0.0.1:{unused} (")
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["127.0.0.1:8888", "https://127.0.0.1", "http://", "http://a:99999", "http://[::1"])
def test_what_is_no_url_of_a_webhook_is_one_line(url: str) -> None:
    result = run({"BACKEND": "memory"}, "plan", "--from", url)

    assert result.exit_code == 1
    assert result.stderr == "tunnel-webhook: --from is the URL of the webhook API, such as http://127.0.0.1:8888\n"


def test_a_file_and_a_webhook_exclude_each_other() -> None:
    assert run({"BACKEND": "memory"}, "plan", "--changes", "-", "--from", "http://127.0.0.1:1").exit_code == 2


def on_a_terminal(environment: dict[str, str], *command: str) -> list[str]:
    """Return the lines that a command prints on a terminal of 80 columns."""
    reader, writer = pty.openpty()
    arguments = [sys.executable, "-m", "tunnel_webhook", *command]
    complete = {**bare_environment(), **environment, "TERM": "dumb", "COLUMNS": "80"}
    with subprocess.Popen(arguments, env=complete, stdout=writer, stderr=subprocess.DEVNULL):
        os.close(writer)
        shown = b""
        with suppress(OSError):  # Linux's end of file on a terminal
            while chunk := os.read(reader, 4096):
                shown += chunk
    os.close(reader)
    return shown.decode().splitlines()


def test_a_check_fits_a_terminal_of_80_columns(process: Control) -> None:
    process.seed(account(CATCH_ALL))
    environment = on(process, DOMAIN_FILTER="example.com,example.net", LOGLEVEL="debug")
    piped = run(environment, "check").stdout

    lines = on_a_terminal(environment, "check")

    assert max(map(len, lines)) <= 80
    assert all(line.startswith(("ok ", "warning ", "problem ", "unknown ", " " * 9)) for line in lines[:-1])
    assert "".join("".join(lines).split()).replace(":", "") == "".join(piped.split()).replace(":", "")


@pytest.mark.parametrize("command", [(), ("serve",), ("check",), ("plan",), ("explain",), ("version",)], ids=" ".join)
def test_help_has_examples_at_every_level(command: tuple[str, ...]) -> None:
    short, long = run({}, *command, "-h"), run({}, *command, "--help")

    assert short.exit_code == 0
    assert short.stdout == long.stdout
    examples = short.stdout.partition("Examples:")[2]
    assert " ".join(("tunnel-webhook", *command)) in examples
    assert max(map(len, short.stdout.splitlines())) <= 80


def test_the_version_is_text_or_json() -> None:
    assert run({}, "version").stdout == f"{VERSION}\n"
    facts = json.loads(run({}, "version", "--output", "json").stdout)
    assert facts["version"] == VERSION
    assert facts["python"].startswith("3.")
    assert facts["platform"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_options(shell: str) -> None:
    command = [sys.executable, "-m", "tunnel_webhook"]
    words = {"COMP_WORDS": "tunnel-webhook pl", "COMP_CWORD": "1" if shell != "fish" else "pl"}
    asked = {**bare_environment(), **words, "_TUNNEL_WEBHOOK_COMPLETE": f"{shell}_complete"}
    script = {**bare_environment(), "_TUNNEL_WEBHOOK_COMPLETE": f"{shell}_source"}

    completed = subprocess.run(command, capture_output=True, text=True, check=True, env=asked).stdout
    sourced = subprocess.run(command, capture_output=True, text=True, check=False, env=script).stdout

    assert "plan" in completed
    assert "serve" not in completed
    assert f"_TUNNEL_WEBHOOK_COMPLETE={shell}_complete" in sourced
