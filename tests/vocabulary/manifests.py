"""What `deploy/` says, as data, and the endpoints that external-dns makes of the worked examples.

| resource      | hostnames                   | target                                                | properties     |
|---------------|-----------------------------|-------------------------------------------------------|----------------|
| `Service`     | its `internal-hostname`     | its annotation `target`, else the IP that it is given | as annotated   |
| `Ingress`     | of its rules and of its TLS | its annotation `target`                               | as annotated   |
| `HTTPRoute`   | its own                     | the annotation `target` of its Gateways               | as annotated   |
| `DNSEndpoint` | as written                  | as written                                            | as written     |

external-dns v0.22, `source/` (service.go, ingress.go, gateway.go, crd.go) and `source/annotations/`; contract, 5.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLES = sorted((DEPLOY / "examples").glob("*.yaml"))
CLUSTER_IP = "10.96.0.10"

Manifest = dict[str, Any]
Wanted = dict[str, Any]
"""An endpoint as external-dns writes it in JSON."""


def load(path: Path) -> list[Manifest]:
    """Return the documents of a file of manifests."""
    return [msgspec.yaml.decode(text) for text in path.read_text().split("\n---\n")]


def values() -> Manifest:
    """Return the values for the chart."""
    return load(DEPLOY / "values.yaml")[0]


def webhook_values() -> Manifest:
    """Return what the values say of the webhook's container."""
    found: Manifest = values()["provider"]["webhook"]
    return found


def secret_texts() -> dict[tuple[str, str], str]:
    """Return the texts of the Secret, by its name and their key."""
    (secret,) = load(DEPLOY / "secret.yaml")
    return {(secret["metadata"]["name"], key): text for key, text in secret["stringData"].items()}


def environment(container: Manifest) -> dict[str, str]:
    """Return the variables of a container, those of the Secret filled in."""
    secrets = secret_texts()
    return {each["name"]: each["value"] if "value" in each else secrets[reference(each)] for each in container["env"]}


def reference(variable: Manifest) -> tuple[str, str]:
    """Return the name of the Secret and the key that a variable takes its text from."""
    source = variable["valueFrom"]["secretKeyRef"]
    return source["name"], source["key"]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource with annotations, as external-dns reads it with a prefix."""

    manifest: Manifest
    prefix: str

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations with the prefix, without it."""
        found = self.manifest["metadata"].get("annotations", {})
        return {name.removeprefix(self.prefix): text for name, text in found.items() if name.startswith(self.prefix)}

    @property
    def targets(self) -> list[str]:
        """The targets that it is annotated with."""
        return [target for target in self.annotations.get("target", "").split(",") if target]

    def endpoints(self, hostnames: Iterable[str], targets: Sequence[str]) -> Iterator[Wanted]:
        """Return an endpoint for each hostname; none without a target."""
        name, namespace = (self.manifest["metadata"][key] for key in ("name", "namespace"))
        properties = [
            {"name": f"webhook/{given.removeprefix('webhook-')}", "value": text}
            for given, text in self.annotations.items()
            if given.startswith("webhook-")
        ]
        for hostname in hostnames if targets else ():
            yield {
                "dnsName": hostname,
                "recordType": "A" if _is_ip(targets[0]) else "CNAME",
                "targets": list(targets),
                "labels": {"resource": f"{self.manifest['kind'].lower()}/{namespace}/{name}"},
                "providerSpecific": properties,
            }


def endpoints(manifests: Sequence[Manifest], prefix: str) -> list[Wanted]:
    """Return the endpoints that external-dns makes of these resources, reading annotations with this prefix."""
    resources = [Resource(each, prefix) for each in manifests]
    return [wanted for each in resources if each.manifest["kind"] in _SOURCES for wanted in _make(each, resources)]


def _make(resource: Resource, resources: Sequence[Resource]) -> Iterable[Wanted]:
    return _SOURCES[resource.manifest["kind"]](resource, resources)


def _service(service: Resource, _: Sequence[Resource]) -> Iterable[Wanted]:
    hostname = service.annotations.get("internal-hostname", "")
    return service.endpoints([hostname] if hostname else [], service.targets or [CLUSTER_IP])


def _ingress(ingress: Resource, _: Sequence[Resource]) -> Iterable[Wanted]:
    spec = ingress.manifest["spec"]
    hostnames = [rule["host"] for rule in spec["rules"]] + [
        host for tls in spec.get("tls", ()) for host in tls["hosts"]
    ]
    return ingress.endpoints(sorted(set(hostnames)), ingress.targets)


def _http_route(route: Resource, resources: Sequence[Resource]) -> Iterable[Wanted]:
    parents = {parent["name"] for parent in route.manifest["spec"]["parentRefs"]}
    gateways = [
        each
        for each in resources
        if each.manifest["kind"] == "Gateway" and each.manifest["metadata"]["name"] in parents
    ]
    return route.endpoints(
        route.manifest["spec"]["hostnames"], [target for gateway in gateways for target in gateway.targets]
    )


def _dns_endpoint(written: Resource, _: Sequence[Resource]) -> Iterable[Wanted]:
    name, namespace = (written.manifest["metadata"][key] for key in ("name", "namespace"))
    return [
        {**each, "labels": {"resource": f"crd/{namespace}/{name}"}} for each in written.manifest["spec"]["endpoints"]
    ]


_SOURCES: Mapping[str, Callable[[Resource, Sequence[Resource]], Iterable[Wanted]]] = {
    "Service": _service,
    "Ingress": _ingress,
    "HTTPRoute": _http_route,
    "DNSEndpoint": _dns_endpoint,
}


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
