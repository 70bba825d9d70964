"""Variables that are not settings: which ones are noticed, which stop the start, and which mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.settings import ALIASES, RETIRED, VARIABLES, InvalidSetting, load_settings
from tunnel_webhook.settings.spelling import FOREIGN_NAMES, misnomers

POD = {
    "PATH": "/usr/local/bin:/usr/bin",
    "HOSTNAME": "external-dns-7d9f8c6b5-x2x4z",
    "HOME": "/home/nonroot",
    "LANG": "C.UTF-8",
    "TERM": "xterm",
    "TZ": "Europe/Berlin",
    "USER": "nonroot",
    "PWD": "/",
    "SHLVL": "1",
    "GPG_KEY": "A035C8C19219BA821ECEA86B64E628F8D684696D",
    "PYTHON_VERSION": "3.11.7",
    "PYTHON_SHA256": "ab",
    "PYTHONUNBUFFERED": "1",
    "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
    "HTTPS_PROXY": "http://proxy:3128",
    "NO_PROXY": "10.0.0.0/8",
    "POD_NAME": "external-dns-7d9f8c6b5-x2x4z",
    "POD_NAMESPACE": "external-dns",
    "POD_IP": "10.0.0.7",
    "HOST_IP": "10.0.0.1",
    "NODE_NAME": "node-1",
    "GOMEMLIMIT": "100",
    "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    "KUBERNETES_SERVICE_PORT": "443",
    "KUBERNETES_SERVICE_PORT_HTTPS": "443",
    "KUBERNETES_PORT": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP": "tcp://10.96.0.1:443",
    "KUBERNETES_PORT_443_TCP_PROTO": "tcp",
    "KUBERNETES_PORT_443_TCP_PORT": "443",
    "KUBERNETES_PORT_443_TCP_ADDR": "10.96.0.1",
    "OTEL_SERVICE_NAME": "tunnel-webhook",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://otel:4318/v1/logs",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_LOG_LEVEL": "info",
    "OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=x",
    "LOG_FILE": "/dev/stdout",
    "RUST_LOG": "info",
    "HOST_PORT": "8080",
    "SERVICE_PORT": "8080",
}
"""What the pod of a webhook has by itself, and what is often injected into every pod."""

MISSPELT = {
    "DRY_RUNN": "DRY_RUN",
    "DRYRUN": "DRY_RUN",
    "dry_run": "DRY_RUN",
    "DRY-RUN": "DRY_RUN",
    "DRY_RNU": "DRY_RUN",
    "WEBHOOK_DRY_RUN": "DRY_RUN",
    "OWNERID": "OWNER_ID",
    "OWNER_IDS": "OWNER_ID",
    "TXT_OWNER_ID": "OWNER_ID",
    "POLICYFILE": "POLICY_FILE",
    "POLICY_FILES": "POLICY_FILE",
    "MAX_DELETE_FLOOR": "MAX_DELETES_FLOOR",
    "MAX_DELETES_RATIO": "MAX_DELETE_RATIO",
    "MAX_DELETE": "MAX_DELETES_FLOOR or MAX_DELETE_RATIO",
    "MAX_DELETIONS": "MAX_DELETES_FLOOR or MAX_DELETE_RATIO",
}
ODD = {
    "LOGLEVEL": "LOG_LEVEL",
    "LOG_LEVL": "LOG_LEVEL",
    "CF_API_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CLOUDFARE_TUNNEL_ID": "CLOUDFLARE_TUNNEL_ID",
    "DOMAINFILTERS": "DOMAIN_FILTERS",
    "DOMAIN_FILTRE": "DOMAIN_FILTER",
    "EXTERNAL_DNS_DRY_RUN": "DRY_RUN",
    "EXTERNAL_DNS_TXT_OWNER_ID": "OWNER_ID",
    "OTEL_EXPORTER_OLTP_ENDPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "DEFAULT_ORIGINS": "DEFAULT_ORIGIN",
}
SETTINGS = {*VARIABLES, *RETIRED, *ALIASES}
NAMES = sorted(name for name in VARIABLES if len(name.replace("_", "")) >= 6)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def edited(name: str, position: int, letter: str, edit: str) -> str:
    at = position % len(name)
    match edit:
        case "left out":
            return name[:at] + name[at + 1 :]
        case "added":
            return name[:at] + letter + name[at:]
        case "replaced":
            return name[:at] + letter + name[at + 1 :]
        case _:
            return name[:at] + name[at : at + 2][::-1] + name[at + 2 :]


@pytest.mark.parametrize("name", MISSPELT)
def test_a_variable_that_nearly_is_one_that_must_not_be_ignored_stops_the_start(name: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        load_settings({"BACKEND": "memory", **POD, name: "true"})

    assert str(refused.value).startswith(f"{name} is not a setting, and to ignore it could write or delete")
    assert f"did you mean {MISSPELT[name]}?" in str(refused.value)


@pytest.mark.parametrize("name", ODD)
def test_any_other_variable_that_nearly_is_a_setting_is_noticed(name: str) -> None:
    settings = load_settings({"BACKEND": "memory", **POD, name: "anything"})

    assert settings.notices == (f"{name} is not a setting; did you mean {ODD[name]}?",)


def test_a_setting_that_is_missing_names_the_variable_that_was_set_instead() -> None:
    with pytest.raises(InvalidSetting, match=r"CLOUDFLARE_API_TOKEN is not set \(CF_API_TOKEN is, which is not a"):
        load_settings({"CF_API_TOKEN": "secret-of-mine"})


def test_the_environment_of_a_pod_is_not_noticed() -> None:
    assert load_settings({"BACKEND": "memory", **POD}).notices == ()


def test_an_empty_variable_is_not_noticed() -> None:
    assert load_settings({"BACKEND": "memory", "DRYRUN": " ", "LOGLEVEL": ""}).notices == ()


@given(
    st.sampled_from(NAMES),
    st.integers(0, 99),
    st.sampled_from(LETTERS),
    st.sampled_from(["left out", "added", "replaced", "swapped"]),
)
def test_one_slip_in_any_name_of_a_setting_is_noticed(name: str, position: int, letter: str, edit: str) -> None:
    slipped = edited(name, position, letter, edit)

    found = [each.name for each in misnomers({slipped: "x"}, SETTINGS)]

    assert found == ([] if slipped in SETTINGS else [slipped])


@given(
    st.from_regex(r"[A-Z]([A-Z0-9_]{0,12}[A-Z0-9])?", fullmatch=True),
    st.integers(1, 65535),
    st.sampled_from(["TCP", "UDP", "SCTP"]),
)
def test_what_kubernetes_sets_for_a_service_of_any_name_is_not_noticed(service: str, port: int, protocol: str) -> None:
    of_a_service = {
        f"{service}_SERVICE_HOST": "10.0.0.1",
        f"{service}_SERVICE_PORT": str(port),
        f"{service}_SERVICE_PORT_HTTP": str(port),
        f"{service}_PORT": f"{protocol.lower()}://10.0.0.1:{port}",
        f"{service}_PORT_{port}_{protocol}": f"{protocol.lower()}://10.0.0.1:{port}",
        f"{service}_PORT_{port}_{protocol}_PROTO": protocol.lower(),
        f"{service}_PORT_{port}_{protocol}_PORT": str(port),
        f"{service}_PORT_{port}_{protocol}_ADDR": "10.0.0.1",
    }

    assert list(misnomers(of_a_service, SETTINGS)) == []


def test_no_setting_is_taken_for_another_one() -> None:
    assert list(misnomers(dict.fromkeys(SETTINGS, "x"), SETTINGS)) == []
    assert not SETTINGS & {*FOREIGN_NAMES}
