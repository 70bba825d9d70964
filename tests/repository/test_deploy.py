"""The Containerfile, the values, the manifests and the examples agree with the code."""

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from packaging.specifiers import SpecifierSet

from oracles.programs import Unavailable, module
from tunnel_webhook.adapters.http.monitoring import create_monitoring_app
from tunnel_webhook.adapters.http.wire import decode_endpoints
from tunnel_webhook.cli import main
from tunnel_webhook.domain.external_dns.adjustment import adjust
from tunnel_webhook.domain.external_dns.policy_file import parse_policy_file
from tunnel_webhook.domain.external_dns.properties import ORIGIN_PROPERTIES, ROUTE_PROPERTIES
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.ports import Readiness
from tunnel_webhook.settings import VARIABLES, Settings, load_settings
from vocabulary.builders import endpoint
from vocabulary.manifests import (
    DEPLOY,
    EXAMPLES,
    endpoints,
    environment,
    load,
    reference,
    secret_texts,
    values,
    webhook_values,
)

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONTAINERFILE = (ROOT / "Containerfile").read_text()
KUSTOMIZATION = load(DEPLOY / "kustomization.yaml")[0]

PREFIXES = ("external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/")
READ_BY_EXTERNAL_DNS = {"internal-hostname", "target"}
FILTER, _, FILTER_VALUE = values()["annotationFilter"].partition("=")
POLICIES = sorted((DEPLOY / "policies").glob("*.toml"))
COMMENTED_OUT = re.compile(
    r"^( *)# ( *(?:- name: POLICY|value: /etc|extraV|- name: policy|mountPath: /etc|configMap:|name: tunnel))",
    re.MULTILINE,
)
"""The lines of the values that mount a policy file."""

PROPERTIES = {*ROUTE_PROPERTIES, *ORIGIN_PROPERTIES}

LIVE: dict[str, dict[str, Any]] = {
    "dnsendpoint": {
        "docs.example.com": ("http://docs.prod.svc.cluster.local:80", {}),
        "docs.example.com^/search(/|$)": (
            "http://search.prod.svc.cluster.local:9200",
            {"webhook/path": "^/search(/|$)", "webhook/path-match": "regex"},
        ),
    },
    "httproute": {"api.example.com": ("http://public.prod.svc.cluster.local:80", {"webhook/connect-timeout": "10"})},
    "ingress": {
        "shop.example.com": (
            "https://ingress-nginx-controller.ingress-nginx.svc.cluster.local:443",
            {"webhook/origin-server-name": "shop.example.com"},
        )
    },
    "service": {"app.example.com": ("http://app.prod.svc.cluster.local:8080", {})},
}
"""The service and the properties that each example publishes, by hostname and path."""


def settings() -> Settings:
    return load_settings(environment(webhook_values()))


def cloudflared() -> dict[str, Any]:
    """Return the container of cloudflared."""
    deployment, _ = load(DEPLOY / "cloudflared.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    spec: dict[str, Any] = container
    return spec


def instruction(name: str) -> str:
    """Return the argument of the last instruction of this name in the Containerfile."""
    *_, last = re.findall(rf"^{name} (.*)$", CONTAINERFILE, re.MULTILINE)
    return str(last)


def passed_over(given: dict[str, Any], schema: dict[str, Any], place: str = "") -> list[str]:
    """Return the values that a chart does not know; its schema lets them pass."""
    known = schema.get("properties", {})
    found = [place + name for name in given if known and name not in known]
    deeper = [name for name in given if name in known and isinstance(given[name], dict)]
    return found + [each for name in deeper for each in passed_over(given[name], known[name], f"{place}{name}.")]


def test_the_values_fit_the_official_chart() -> None:
    try:
        chart = module("sigs.k8s.io/external-dns") / "charts" / "external-dns"
    except Unavailable as error:
        pytest.skip(str(error))
    schema = json.loads((chart / "values.schema.json").read_text())

    jsonschema.validate(values(), schema)

    assert passed_over(values(), schema) == []


def test_the_values_ask_for_our_image_of_this_version() -> None:
    assert values()["provider"]["name"] == "webhook"
    assert webhook_values()["image"]["repository"].endswith(f"/{PROJECT['name']}")
    assert webhook_values()["image"]["tag"] == PROJECT["version"]


def test_every_variable_is_a_setting_and_the_values_start_the_process_without_a_notice() -> None:
    assert set(environment(webhook_values())) - set(VARIABLES) == set()
    assert settings().notices == ()


def test_what_the_values_say_twice_agrees() -> None:
    assert settings().owner_id == values()["txtOwnerId"]
    assert list(settings().domain_filter) == values()["domainFilters"]


def test_every_key_that_a_container_reads_is_in_the_secret() -> None:
    variables = [*webhook_values()["env"], *cloudflared()["env"]]

    assert {reference(variable) for variable in variables if "valueFrom" in variable} == set(secret_texts())


def test_the_secret_holds_placeholders_only() -> None:
    assert set(secret_texts().values()) == {"replace-me"}


def test_a_probe_asks_for_a_path_that_is_served() -> None:
    app = create_monitoring_app(lambda: Readiness(ready=True, sentence=""), lambda: (b"", ""))
    paths = {name: webhook_values()[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness")}

    assert paths == {"liveness": "/healthz", "readiness": "/readyz"}
    assert {"/metrics", *paths.values()} == {route.path for route in app.routes}


def test_every_port_is_one_that_the_process_listens_on() -> None:
    monitoring = int(VARIABLES["EXPOSED_PORT"].default)
    (policy,) = load(DEPLOY / "network-policy.yaml")
    allowed = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]

    assert instruction("EXPOSE") == str(monitoring)
    assert webhook_values()["service"]["port"] == monitoring
    assert sorted(allowed) == [7979, monitoring]
    assert values()["extraArgs"]["webhook-provider-url"] == f"http://{settings().host}:{settings().port}"
    assert {"PORT", "EXPOSED_PORT"}.isdisjoint(environment(webhook_values())), "the chart probes a port of its own"


def test_one_instance_runs_at_a_time() -> None:
    assert values()["replicaCount"] == 1
    assert values()["deploymentStrategy"]["type"] == "Recreate"
    assert "one replica, `Recreate`" in (ROOT / "adrs" / "0006-two-servers-one-loop.md").read_text()


def test_the_image_runs_as_the_number_that_the_values_name() -> None:
    context = webhook_values()["securityContext"]

    assert instruction("USER") == f"{context['runAsUser']}:{context['runAsGroup']}"
    assert context["runAsUser"] > 0
    assert context["runAsNonRoot"]
    assert context["readOnlyRootFilesystem"]
    assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_image_starts_a_command_that_exists() -> None:
    (entrypoint,) = json.loads(instruction("ENTRYPOINT"))
    commands = [json.loads(instruction("CMD")), webhook_values()["args"]]

    assert entrypoint in PROJECT["scripts"]
    assert [command for (command,) in commands if command not in main.commands] == []


def test_the_image_has_a_python_that_the_project_supports() -> None:
    (version,) = re.findall(r"^ARG BASE=python:([\d.]+)-", CONTAINERFILE, re.MULTILINE)

    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_the_image_says_what_it_is() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"$]+)"', CONTAINERFILE))

    assert labels == {
        "title": PROJECT["name"],
        "description": PROJECT["description"],
        "version": PROJECT["version"],
        "licenses": PROJECT["license"],
    }


def test_everything_that_the_build_downloads_is_checked_against_the_lock() -> None:
    steps = re.findall(r"-m pip ((?:--python=\S+ )?\w+ [^&\n]*)", CONTAINERFILE)
    (fetching,) = (step for step in steps if "uninstall" not in step and "--no-index" not in step)

    assert {"download", "--require-hashes", "--only-binary=:all:", "--requirement=requirements.lock"} <= set(
        fetching.split()
    )


def test_the_build_sees_only_the_files_that_it_copies() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", CONTAINERFILE, re.MULTILINE)
    shown = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert sorted(" ".join(copied).split()) == sorted(shown)
    assert [name for name in shown if not (ROOT / name).exists()] == []


def test_every_example_has_its_expectation() -> None:
    assert {path.stem for path in EXAMPLES} == set(LIVE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_annotation_has_the_prefix_that_the_values_set_and_a_name_that_is_known(example: Path) -> None:
    annotated = [name for manifest in load(example) for name in manifest["metadata"].get("annotations", {})]
    prefix = values()["annotationPrefix"]

    assert prefix in PREFIXES
    assert [name for name in annotated if not name.startswith(prefix)] == [FILTER] * annotated.count(FILTER)
    names = [name.removeprefix(prefix) for name in annotated if name != FILTER]
    unknown = [
        name
        for name in names
        if name not in READ_BY_EXTERNAL_DNS
        and (not name.startswith("webhook-") or name.replace("-", "/", 1) not in PROPERTIES)
    ]
    assert unknown == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_annotated_example_names_the_prefix_of_older_versions(example: Path) -> None:
    annotated = any(manifest["metadata"].get("annotations", {}).keys() - {FILTER} for manifest in load(example))

    assert (PREFIXES[1] in example.read_text()) is annotated


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_publishes_what_it_promises(example: Path) -> None:
    desired = endpoints(load(example), values()["annotationPrefix"])

    adjusted = adjust(decode_endpoints(json.dumps(desired).encode()), settings().policy)

    assert adjusted.unpublishable == ()
    assert adjusted.dropped == ()
    live = {
        endpoint.dns_name + endpoint.set_identifier: (endpoint.targets[0], dict(endpoint.properties))
        for endpoint in adjusted.endpoints
    }
    assert live == LIVE[example.stem]
    assert all(
        settings().policy.domain_filter.matches(Hostname.parse(endpoint.dns_name)) for endpoint in adjusted.endpoints
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_opts_in_to_what_the_values_filter_by(example: Path) -> None:
    asking = [manifest for manifest in load(example) if manifest["kind"] != "Gateway"]

    assert [manifest["metadata"]["annotations"].get(FILTER) for manifest in asking] == [FILTER_VALUE]


def decision(policy: Path, name: str, service: str, resource: str, **properties: str) -> str | None:
    """Return the reason for which an example of a policy file rejects an endpoint, or None."""
    permissions = parse_policy_file(policy.read_text())
    adjusted = adjust(
        [endpoint(name, service, resource=resource, **properties)], replace(settings().policy, permissions=permissions)
    )
    return adjusted.unpublishable[0].reason if adjusted.unpublishable else None


@pytest.mark.parametrize(
    ("stem", "name", "service", "resource", "reason"),
    [
        ("one-team", "a.example.com", "http://10.0.0.5:80", "ingress/any/x", None),
        ("one-team", "*.example.com", "http://x", "ingress/any/x", None),
        ("one-team", "a.example.com", "http://169.254.169.254", "ingress/any/x", "not-allowed"),
        ("one-team", "a.example.com", "http://x", "ingress/kube-system/x", "not-allowed"),
        ("many-teams", "x.a.example.com", "http://x.team-a.svc:80", "ingress/team-a/x", None),
        ("many-teams", "x.a.example.com", "http://x.team-b.svc:80", "ingress/team-a/x", "not-allowed"),
        ("many-teams", "x.b.example.com", "http://x.team-a.svc:80", "ingress/team-a/x", "not-allowed"),
        ("many-teams", "admin.b.example.com", "http://x.team-b.svc:80", "ingress/team-b/x", "not-allowed"),
        ("many-teams", "www.example.com", "http://x.team-b.svc:80", "ingress/team-b/x", None),
        ("many-teams", "x.internal.example.com", "http://x", "ingress/platform/x", "not-allowed"),
        ("only-annotated", "a.example.com", "http://x.prod.svc:80", "ingress/prod/x", None),
        ("only-annotated", "a.example.com", "http://10.0.0.5:80", "ingress/prod/x", "not-allowed"),
    ],
)
def test_an_example_of_a_policy_file_decides_what_it_promises(
    stem: str, name: str, service: str, resource: str, reason: str | None
) -> None:
    assert decision(DEPLOY / "policies" / f"{stem}.toml", name, service, resource) == reason


def test_the_readme_leads_to_every_policy_file_and_the_values_mount_one() -> None:
    readme, text = (DEPLOY / "README.md").read_text(), (DEPLOY / "values.yaml").read_text()

    assert {f"policies/{path.name}" for path in POLICIES} <= set(re.findall(r"\]\(([^)]+)\)", readme))
    uncommented = msgspec.yaml.decode(COMMENTED_OUT.sub(r"\1\2", text))
    webhook = uncommented["provider"]["webhook"]
    (path,) = [each["value"] for each in webhook["env"] if each["name"] == "POLICY_FILE"]
    (mount,), (volume,) = webhook["extraVolumeMounts"], uncommented["extraVolumes"]
    assert mount["name"] == volume["name"]
    assert path == f"{mount['mountPath']}/policy.toml" == VARIABLES["POLICY_FILE"].example
    assert volume["configMap"]["name"] in readme


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_values_name_the_source_of_every_example(example: Path) -> None:
    sources = {"dnsendpoint": "crd", "httproute": "gateway-httproute"}

    assert re.search(
        rf"^  (# )?- {sources.get(example.stem, example.stem)}\b", (DEPLOY / "values.yaml").read_text(), re.MULTILINE
    )


def test_cloudflared_has_two_replicas_of_a_fixed_version() -> None:
    deployment, budget = load(DEPLOY / "cloudflared.yaml")
    container = cloudflared()
    (image,) = KUSTOMIZATION["images"]

    assert deployment["spec"]["replicas"] == 2
    assert budget["spec"]["maxUnavailable"] == 1
    assert deployment["spec"]["selector"] == budget["spec"]["selector"]
    assert container["image"] == image["name"]
    assert re.fullmatch(r"20\d\d\.\d+\.\d+", image["newTag"])


def test_cloudflared_is_probed_where_its_metrics_are() -> None:
    container = cloudflared()
    (port,) = container["ports"]

    assert container["args"][container["args"].index("--metrics") + 1] == f"0.0.0.0:{port['containerPort']}"
    assert [container[f"{name}Probe"]["httpGet"] for name in ("readiness", "liveness")] == [
        {"path": "/ready", "port": port["name"]}
    ] * 2


def test_everything_is_in_one_namespace_and_kustomize_leaves_the_secret_out() -> None:
    (secret,) = load(DEPLOY / "secret.yaml")

    assert secret["metadata"]["namespace"] == KUSTOMIZATION["namespace"]
    assert sorted(KUSTOMIZATION["resources"]) == ["cloudflared.yaml", "network-policy.yaml"]


def test_the_readme_leads_to_every_example() -> None:
    linked = re.findall(r"\]\(([^)]+)\)", (DEPLOY / "README.md").read_text())

    assert {f"examples/{path.name}" for path in EXAMPLES} <= set(linked)
