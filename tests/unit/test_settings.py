"""The settings: how a wrong environment is refused, and what a valid one decides."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from tunnel_webhook.domain.external_dns.domain_filter import DomainFilter
from tunnel_webhook.domain.external_dns.origin_service import DEFAULT_SERVICES
from tunnel_webhook.domain.external_dns.policy import Tunnel
from tunnel_webhook.domain.planning.guard import Guard
from tunnel_webhook.settings import RETIRED, VARIABLES, InvalidSetting, Secret, Settings, load_settings

BLUE, GREEN = "5456b9ca-8b73-4b44-93df-67ad7acc8e2c", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
TOKEN = "v1.0-e24fd090c02efcfecb4de8f4ff246fd5c75b48946fdf0ce26c59f91d0d90797b"  # noqa: S105 -- the tests look for it
CLOUDFLARE = {"CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLARE_TUNNEL_ID": BLUE}

WRONG_VALUES = {
    "BACKEND": ("etcd", "BACKEND='etcd': one of cloudflare, memory is expected; for example BACKEND=memory"),
    "CLOUDFLARE_API_TOKEN": ("a b", "CLOUDFLARE_API_TOKEN=***: visible ASCII characters are expected, without spaces"),
    "CLOUDFLARE_API_TOKEN_FILE": (
        "/no/such/file",
        "CLOUDFLARE_API_TOKEN_FILE='/no/such/file': the file cannot be read (No such",
    ),
    "CLOUDFLARE_API_KEY": (
        "schlüssel",
        "CLOUDFLARE_API_KEY=***: visible ASCII characters are expected, without spaces",
    ),
    "CLOUDFLARE_ACCOUNT_ID": (
        "my account",
        "CLOUDFLARE_ACCOUNT_ID='my account': an id of 32 hexadecimal digits is expected",
    ),
    "CLOUDFLARE_TUNNEL_ID": (
        "blue",
        "CLOUDFLARE_TUNNEL_ID='blue': 'blue' is neither the UUID of a tunnel nor name=UUID",
    ),
    "CLOUDFLARE_ZONE_IDS": (
        "example.com",
        "CLOUDFLARE_ZONE_IDS='example.com': an id of 32 hexadecimal digits is expected",
    ),
    "CLOUDFLARE_API_URL": ("api.cloudflare.com", "CLOUDFLARE_API_URL='api.cloudflare.com': an http or https URL"),
    "DOMAIN_FILTER": ("exa mple.com", "DOMAIN_FILTER='exa mple.com': 'exa mple.com' is not a hostname"),
    "EXCLUDE_DOMAINS": ("-a.com", "EXCLUDE_DOMAINS='-a.com': '-a.com' is not a hostname"),
    "REGEX_DOMAIN_FILTER": (
        "(?=a)",
        "REGEX_DOMAIN_FILTER='(?=a)': '(?=a)' is not a regular expression that RE2 accepts",
    ),
    "REGEX_DOMAIN_EXCLUSION": ("(", "REGEX_DOMAIN_EXCLUSION='(': '(' is not a regular expression that RE2 accepts"),
    "OWNER_ID": (
        "o" * 99,
        "makes a marker of 137 characters, and a record's comment holds 100: choose a shorter owner id",
    ),
    "DEFAULT_ORIGIN": ("ftp://a", "DEFAULT_ORIGIN='ftp://a': service 'ftp://a' cannot be published"),
    "CLUSTER_DOMAIN": ("cluster/local", "CLUSTER_DOMAIN='cluster/local': 'cluster/local' is not a hostname"),
    "ALLOWED_SERVICES": (
        "http,ftp",
        "ALLOWED_SERVICES='http,ftp': 'ftp' is not a kind of service; choose from bastion, hello_world,",
    ),
    "ALLOW_CA_POOL": ("maybe", "ALLOW_CA_POOL='maybe': true or false is expected"),
    "DRY_RUN": ("2", "DRY_RUN='2': true or false is expected; for example DRY_RUN=true"),
    "ON_REJECTION": ("ignore", "ON_REJECTION='ignore': one of fail, report is expected"),
    "RELEASE_DELAY": ("59", "RELEASE_DELAY='59': 0, or a number of seconds from 60 to 3600 is expected"),
    "WRITE_LOCK": ("yes", "WRITE_LOCK='yes': off, dns, or dns: and the name of a zone is expected"),
    "MAX_DELETES_FLOOR": ("-1", "MAX_DELETES_FLOOR='-1': a whole number of at least 0 is expected"),
    "MAX_DELETE_RATIO": ("50", "MAX_DELETE_RATIO='50': a number from 0 to 1 is expected"),
    "REQUEST_DEADLINE": ("15", "REQUEST_DEADLINE='15': a number of seconds above 0 and up to 14 is expected"),
    "HOST": ("webhook", "HOST='webhook': an IP address of this machine is expected"),
    "PORT": ("65536", "PORT='65536': a whole number from 0 to 65535 is expected; for example PORT=8888"),
    "ALLOWED_HOSTS": (
        "webhook.svc:8888",
        "ALLOWED_HOSTS='webhook.svc:8888': 'webhook.svc:8888' is neither a name nor an IP address; scheme, port and",
    ),
    "WEBHOOK_PASSWORD": (
        "pass word",
        "WEBHOOK_PASSWORD=***: visible ASCII characters are expected, without spaces",
    ),
    "WEBHOOK_PASSWORD_FILE": (
        "/no/such/file",
        "WEBHOOK_PASSWORD_FILE='/no/such/file': the file cannot be read (No such",
    ),
    "EXPOSED_HOST": ("*", "EXPOSED_HOST='*': an IP address of this machine is expected"),
    "EXPOSED_PORT": (
        "tcp://10.0.0.1:80",
        "EXPOSED_PORT='tcp://10.0.0.1:80': a whole number from 0 to 65535 is expected",
    ),
    "LOG_LEVEL": ("loud", "LOG_LEVEL='loud': one of debug, error, info, warning is expected"),
    "LOG_FORMAT": ("logfmt", "LOG_FORMAT='logfmt': one of json, text is expected"),
}
ANY_TEXT = {
    "CLOUDFLARE_API_EMAIL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRICS_EXPORTER",
}
WRONG_ENVIRONMENTS: Mapping[str, tuple[dict[str, str], str]] = {
    "nothing set": (
        {},
        "CLOUDFLARE_API_TOKEN is not set: BACKEND is cloudflare, which needs it (or CLOUDFLARE_API_TOKEN_FILE",
    ),
    "no tunnel": (
        {"CLOUDFLARE_API_TOKEN": TOKEN},
        "CLOUDFLARE_TUNNEL_ID is not set: BACKEND is cloudflare, which needs",
    ),
    "key without email": (
        {"CLOUDFLARE_API_KEY": "key"},
        "CLOUDFLARE_API_EMAIL is not set: a global API key and its email must be set together",
    ),
    "email without key": (
        {"CLOUDFLARE_API_EMAIL": "a@b.c"},
        "CLOUDFLARE_API_KEY is not set: a global API key and its email must be set together",
    ),
    "token and key": (
        CLOUDFLARE | {"CLOUDFLARE_API_KEY": "key", "CLOUDFLARE_API_EMAIL": "a@b.c"},
        (
            "CLOUDFLARE_API_TOKEN=***: CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_TOKEN_FILE and CLOUDFLARE_API_KEY"
            " are mutually exclusive: keep one"
        ),
    ),
    "regex beside lists": (
        {"BACKEND": "memory", "DOMAIN_FILTER": "example.com", "REGEX_DOMAIN_FILTER": "a"},
        (
            "REGEX_DOMAIN_FILTER='a': a domain filter is either lists (DOMAIN_FILTER, EXCLUDE_DOMAINS)"
            " or regular expressions, not both"
        ),
    ),
    "regex exclusion beside lists": (
        {"BACKEND": "memory", "EXCLUDE_DOMAINS": "example.com", "REGEX_DOMAIN_EXCLUSION": "a"},
        "REGEX_DOMAIN_EXCLUSION='a': a domain filter is either lists",
    ),
    "webhook on the exposed port": (
        {"BACKEND": "memory", "PORT": "8080"},
        "PORT='8080': EXPOSED_PORT is 8080 as well, and each server needs its own port; for example PORT=8888",
    ),
    "exposed on the webhook's port": (
        {"BACKEND": "memory", "EXPOSED_PORT": "8888"},
        "EXPOSED_PORT='8888': PORT is 8888 as well, and each server needs its own port; for example EXPOSED_PORT=8080",
    ),
    "an API for others without hosts": (
        {"BACKEND": "memory", "HOST": "10.0.0.7"},
        (
            "ALLOWED_HOSTS is not set: HOST is 10.0.0.7, which is not loopback: list the host in external-dns'"
            " --webhook-provider-url; for example ALLOWED_HOSTS="
        ),
    ),
    "hosts with a wildcard": (
        {"BACKEND": "memory", "ALLOWED_HOSTS": "a.example,*.example"},
        "'*.example' is neither a name nor an IP address",
    ),
    "hosts with a scheme": (
        {"BACKEND": "memory", "ALLOWED_HOSTS": "http://a.example"},
        "'http://a.example' is neither a name nor an IP address",
    ),
    "default origin of a kind not allowed": (
        {"BACKEND": "memory", "DEFAULT_ORIGIN": "tcp://db:5432", "ALLOWED_SERVICES": "http"},
        (
            "DEFAULT_ORIGIN='tcp://db:5432': service 'tcp://db:5432' is not allowed here:"
            " ALLOWED_SERVICES does not list tcp"
        ),
    ),
    "several tunnels without names": (
        {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"{BLUE},{GREEN}"},
        "each of several tunnels needs a name, as in blue=<id>,green=<id>",
    ),
    "a tunnel's name twice": (
        {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},blue={GREEN}"},
        "a name or an id is listed twice",
    ),
    "a tunnel's id twice": (
        {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"blue={BLUE},green={BLUE.upper()}"},
        "a name or an id is listed twice",
    ),
    "a tunnel's name in capitals": (
        {"BACKEND": "memory", "CLOUDFLARE_TUNNEL_ID": f"Blue={BLUE}"},
        "is neither the UUID of a tunnel nor name=UUID with a name of a-z, 0-9 and '-'",
    ),
    "a deadline of nothing": (
        {"BACKEND": "memory", "REQUEST_DEADLINE": "0"},
        "REQUEST_DEADLINE='0': a number of seconds above 0",
    ),
    "a deadline that is not a number": (
        {"BACKEND": "memory", "REQUEST_DEADLINE": "12s"},
        "REQUEST_DEADLINE='12s': a number of seconds above 0",
    ),
    "a ratio that is not a number": (
        {"BACKEND": "memory", "MAX_DELETE_RATIO": "nan"},
        "MAX_DELETE_RATIO='nan': a number from 0",
    ),
    "credentials in a URL": (
        {"BACKEND": "memory", "CLOUDFLARE_API_URL": "https://a:b@c"},
        "an http or https URL without query",
    ),
    "a release that does not outlast an apply": (
        {"BACKEND": "memory", "RELEASE_DELAY": "45"},
        "RELEASE_DELAY='45': 0, or a number of seconds from 60 to 3600 is expected",
    ),
    "a release of more than an hour": (
        {"BACKEND": "memory", "RELEASE_DELAY": "3601"},
        "RELEASE_DELAY='3601': a whole number from 0 to 3600 is expected",
    ),
    "a lock of another kind": ({"BACKEND": "memory", "WRITE_LOCK": "etcd"}, "WRITE_LOCK='etcd': off, dns, or dns: and"),
    "a lock in a zone whose name is not a hostname": (
        {"BACKEND": "memory", "WRITE_LOCK": "dns:a_b..c"},
        "WRITE_LOCK='dns:a_b..c'",
    ),
    "a lock in a zone without a name": ({"BACKEND": "memory", "WRITE_LOCK": "dns:"}, "WRITE_LOCK='dns:'"),
    "a value of several lines": ({"BACKEND": "me\nmory"}, r"BACKEND='me\nmory': one of cloudflare, memory is expected"),
}


def memory(**environment: str) -> Settings:
    return load_settings({"BACKEND": "memory", **environment})


def refusal(environment: Mapping[str, str]) -> str:
    with pytest.raises(InvalidSetting) as raised:
        load_settings(environment)
    return str(raised.value)


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_wrong_value_is_refused_in_one_line(name: str) -> None:
    value, sentence = WRONG_VALUES[name]

    line = refusal({"BACKEND": "memory", name: value})

    assert sentence in line
    assert line.startswith(name)
    assert line.endswith(f"for example {name}={VARIABLES[name].example}")
    assert "\n" not in line


@pytest.mark.parametrize(("environment", "sentence"), WRONG_ENVIRONMENTS.values(), ids=WRONG_ENVIRONMENTS)
def test_a_wrong_environment_is_refused_in_one_line(environment: dict[str, str], sentence: str) -> None:
    line = refusal(environment)

    assert sentence in line
    assert "\n" not in line
    assert TOKEN not in line


def test_every_variable_has_a_wrong_value_or_accepts_any_text() -> None:
    assert sorted([*WRONG_VALUES, *ANY_TEXT]) == sorted(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
def test_example_and_default_of_a_variable_are_valid(name: str, tmp_path: Path) -> None:
    variable = VARIABLES[name]
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "password").write_text(TOKEN)
    example = re.sub("^/run/secrets/[a-z-]+", str(tmp_path), variable.example)

    variable.parse(example)
    variable.parse(variable.default)

    assert variable.description.endswith(".")


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("\n")

    assert f"CLOUDFLARE_API_TOKEN_FILE='{file}': the file is empty" in refusal({"CLOUDFLARE_API_TOKEN_FILE": str(file)})


def test_a_token_file_is_accepted_instead_of_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)

    settings = load_settings({"CLOUDFLARE_API_TOKEN_FILE": str(file), "CLOUDFLARE_TUNNEL_ID": BLUE})

    assert settings.cloudflare_api_token_file == str(file)


def test_the_names_of_the_go_reference_work() -> None:
    settings = load_settings(
        {
            "LOG_LEVEL": "warn",
            "LOG_FORMAT": "text",
            "CLOUDFLARE_API_KEY": "key",
            "CLOUDFLARE_API_EMAIL": "ops@example.com",
            "CLOUDFLARE_ACCOUNT_ID": "0123456789ABCDEF0123456789abcdef",
            "CLOUDFLARE_TUNNEL_ID": BLUE.upper(),
            "PORT": "8889",
            "READ_TIMEOUT": "5s",
            "WRITE_TIMEOUT": "10s",
            "DRY_RUN": "T",
            "DOMAIN_FILTER": "b.example, a.example ,",
        }
    )

    assert settings.log_level == "warning"
    assert settings.log_format == "text"
    assert settings.port == 8889
    assert settings.dry_run
    assert settings.policy.tunnels == (Tunnel(BLUE),)
    assert settings.policy.domain_filter == DomainFilter(include=("a.example", "b.example"))
    assert settings.cloudflare_account_id == "0123456789abcdef0123456789abcdef"
    assert settings.cloudflare_api_key.reveal() == "key"
    assert settings.notices == tuple(f"{name} has no effect: {replacement}" for name, replacement in RETIRED.items())


def test_an_empty_value_counts_as_unset() -> None:
    empty = memory(PORT="", OWNER_ID="  ", ALLOWED_SERVICES="")

    assert empty.port == 8888
    assert empty.policy == memory().policy


def test_the_defaults_are_those_of_the_design() -> None:
    settings = memory()

    assert settings.host == "127.0.0.1"
    assert settings.port == 8888
    assert settings.allowed_hosts == ()
    assert not settings.password
    assert settings.exposed_host == "0.0.0.0"  # noqa: S104 -- the kubelet probes from outside the pod
    assert settings.exposed_port == 8080
    assert settings.guard == Guard(floor=5, ratio=0.5)
    assert settings.request_deadline == 12
    assert settings.log_level == "info"
    assert settings.log_format == "json"
    assert not settings.dry_run
    assert not settings.fails_on_rejection
    assert settings.policy.allowed_services == DEFAULT_SERVICES
    assert settings.notices == ()


def test_the_memory_backend_has_a_tunnel_and_a_zone_without_credentials() -> None:
    settings = memory()

    assert settings.policy.tunnels == (Tunnel("00000000-0000-4000-8000-000000000000"),)
    assert settings.tunnel_ids == ("00000000-0000-4000-8000-000000000000",)
    assert settings.demo_zones == ("example.com",)


def test_the_zones_of_the_memory_backend_are_the_domains_of_the_filter() -> None:
    assert memory(DOMAIN_FILTER="b.example,.a.example,*.c.example").demo_zones == (
        "a.example",
        "b.example",
        "c.example",
    )


def test_several_tunnels_have_names_and_the_first_is_the_default() -> None:
    policy = memory(CLOUDFLARE_TUNNEL_ID=f"blue={BLUE}, green={GREEN}").policy

    assert policy.default_tunnel == Tunnel(BLUE, "blue")
    assert policy.tunnel("green") == Tunnel(GREEN, "green")


def test_the_settings_reach_policy_and_guard() -> None:
    settings = memory(
        OWNER_ID="home",
        REGEX_DOMAIN_FILTER="a$",
        REGEX_DOMAIN_EXCLUSION="^b",
        DEFAULT_ORIGIN="http://nginx",
        CLUSTER_DOMAIN="Cluster.Example.",
        ALLOWED_SERVICES="http,bastion",
        ALLOW_CA_POOL="yes",
        MAX_DELETES_FLOOR="7",
        MAX_DELETE_RATIO="0.25",
        ON_REJECTION="fail",
        CLOUDFLARE_ZONE_IDS="023e105f4ecef8ad9ca31a8372d0c353,123e105f4ecef8ad9ca31a8372d0c353",
    )

    policy = settings.policy
    assert policy.domain_filter == DomainFilter(regex_include="a$", regex_exclude="^b")
    assert policy.owner_id == "home"
    assert policy.default_origin == "http://nginx"
    assert policy.cluster_domain == "cluster.example"
    assert policy.allowed_services == {"http", "bastion"}
    assert policy.allow_ca_pool
    assert settings.guard == Guard(floor=7, ratio=0.25)
    assert settings.fails_on_rejection
    assert len(settings.cloudflare_zone_ids) == 2


@pytest.mark.parametrize(("text", "seconds"), [("", 120), ("0", 0), ("60", 60), ("3600", 3600)])
def test_a_release_takes_two_minutes_unless_it_is_set(text: str, seconds: int) -> None:
    assert memory(RELEASE_DELAY=text).release_delay == seconds


@pytest.mark.parametrize(
    ("text", "kind", "zone"),
    [
        ("", "off", ""),
        ("off", "off", ""),
        ("OFF", "off", ""),
        ("dns", "dns", ""),
        ("DNS", "dns", ""),
        ("dns:Example.com.", "dns", "example.com"),
    ],
)
def test_the_lock_is_off_or_in_a_zone(text: str, kind: str, zone: str) -> None:
    settings = load_settings({"CLOUDFLARE_API_TOKEN": "token", "CLOUDFLARE_TUNNEL_ID": BLUE, "WRITE_LOCK": text})
    assert (settings.lock_kind, settings.lock_zone) == (kind, zone)


def test_the_memory_backend_has_no_lock() -> None:
    assert memory(WRITE_LOCK="dns").lock_kind == "off"


@pytest.mark.parametrize(
    ("environment", "traces", "metrics"),
    [
        ({}, False, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318"}, True, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://otel:4318/v1/traces"}, True, False),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://otel:4318/v1/metrics"}, False, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_TRACES_EXPORTER": "none"}, False, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_METRICS_EXPORTER": "none"}, True, False),
    ],
)
def test_traces_and_metrics_are_exported_only_to_a_collector(
    environment: dict[str, str], *, traces: bool, metrics: bool
) -> None:
    settings = memory(**environment)

    assert settings.exports_traces == traces
    assert settings.exports_metrics == metrics


@pytest.mark.parametrize(
    ("environment", "notice"),
    [
        ({"CLOUDFLARE_TUNEL_ID": BLUE}, "CLOUDFLARE_TUNEL_ID is not a setting; did you mean CLOUDFLARE_TUNNEL_ID?"),
        (
            {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL has no effect: the protocol is http/protobuf",
        ),
        (
            {"HOST": "0.0.0.0", "ALLOWED_HOSTS": "webhook.svc"},  # noqa: S104 -- the case to warn of
            "HOST is 0.0.0.0: anyone who can reach port 8888 can change every hostname, without a password; set",
        ),
    ],
    ids=["misspelt", "gRPC", "open API"],
)
def test_a_probable_mistake_is_accepted_with_a_notice(environment: dict[str, str], notice: str) -> None:
    (sentence,) = memory(**environment).notices

    assert sentence.startswith(notice)


def test_variables_that_kubernetes_injects_for_a_service_named_cloudflare_cause_no_notice() -> None:
    assert memory(CLOUDFLARE_SERVICE_HOST="10.0.0.1", CLOUDFLARE_PORT_443_TCP="tcp://10.0.0.1:443").notices == ()


def test_an_open_api_with_hosts_and_a_password_causes_no_notice() -> None:
    settings = memory(HOST="10.0.0.7", ALLOWED_HOSTS="10.0.0.7", WEBHOOK_PASSWORD=TOKEN)

    assert settings.notices == ()
    assert settings.password.reveal() == TOKEN


def test_allowed_hosts_are_kept_in_the_form_that_a_request_is_compared_with() -> None:
    settings = memory(ALLOWED_HOSTS="Webhook.External-DNS.svc., 10.0.0.7, [2001:DB8:0::7], ::1, bücher.example")

    assert settings.allowed_hosts == (
        "webhook.external-dns.svc",
        "10.0.0.7",
        "2001:db8::7",
        "::1",
        "xn--bcher-kva.example",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_loopback_api_needs_no_hosts(host: str) -> None:
    assert memory(HOST=host).allowed_hosts == ()


def test_a_password_in_a_file_is_kept_without_its_line_break_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{TOKEN}\n")

    settings = memory(WEBHOOK_PASSWORD_FILE=str(file))

    assert settings.password.reveal() == TOKEN
    assert settings.secrets == (TOKEN,)
    assert TOKEN not in repr(settings)


def test_a_password_beside_a_file_with_one_is_refused_without_showing_either(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(TOKEN)

    line = refusal({"BACKEND": "memory", "WEBHOOK_PASSWORD": TOKEN, "WEBHOOK_PASSWORD_FILE": str(file)})

    assert line.startswith(
        "WEBHOOK_PASSWORD=***: WEBHOOK_PASSWORD and WEBHOOK_PASSWORD_FILE are mutually exclusive: keep one"
    )
    assert TOKEN not in line


def test_a_file_with_something_else_than_a_password_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("two words")

    line = refusal({"BACKEND": "memory", "WEBHOOK_PASSWORD_FILE": str(file)})

    assert line.startswith(f"WEBHOOK_PASSWORD_FILE='{file}': visible ASCII characters are expected, without spaces")
    assert "two words" not in line


def test_localhost_is_the_loopback_address() -> None:
    assert memory(HOST="localhost").host == "127.0.0.1"


def test_a_secret_is_never_shown() -> None:
    settings = load_settings(CLOUDFLARE)
    secret = settings.cloudflare_api_token

    shown = [
        repr(settings),
        str(settings),
        repr(secret),
        str(secret),
        f"{secret}",
        "%s" % secret,  # noqa: UP031 -- one more way to show it
    ]
    assert [text for text in shown if TOKEN in text] == []
    assert f"{secret}" == "***"
    assert settings.secrets == (TOKEN,)
    assert secret.reveal() == TOKEN


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode])
def test_a_secret_cannot_be_encoded(encode: object) -> None:
    assert callable(encode)
    with pytest.raises(TypeError):
        encode(load_settings(CLOUDFLARE))
    assert msgspec.json.encode(Secret(TOKEN), enc_hook=str) == b'"***"'


def test_an_empty_secret_is_false_and_shows_nothing() -> None:
    assert not Secret("")
    assert repr(Secret("")) == ""
