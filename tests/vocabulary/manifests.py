"""The files of `deploy/` as data, and the endpoints that external-dns makes of the worked examples.

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
EndpointJson = dict[str, Any]
"""An endpoint as external-dns writes it in JSON."""


def load(path: Path) -> list[Manifest]:
    """Return the documents of a file of manifests."""
    return [msgspec.yaml.decode(text) for text in path.read_text().split("\n---\n")]


def values() -> Manifest:
    """Return the values for the chart."""
    return load(DEPLOY / "values.yaml")[0]


def webhook_values() -> Manifest:
    """Return the values of the webhook's container."""
    webhook: Manifest = values()["provider"]["webhook"]
    return webhook


def secret_texts() -> dict[tuple[str, str], str]:
    """Return the values of the Secret, by its name and their key."""
    (secret,) = load(DEPLOY / "secret.yaml")
    return {(secret["metadata"]["name"], key): text for key, text in secret["stringData"].items()}


def environment(container: Manifest) -> dict[str, str]:
    """Return the variables of a container, with those of the Secret filled in."""
    secrets = secret_texts()
    return {
        variable["name"]: variable["value"] if "value" in variable else secrets[reference(variable)]
        for variable in container["env"]
    }


def reference(variable: Manifest) -> tuple[str, str]:
    """Return the Secret and the key that a variable takes its value from."""
    source = variable["valueFrom"]["secretKeyRef"]
    return source["name"], source["key"]


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource, as external-dns reads it with an annotation prefix."""

    manifest: Manifest
    prefix: str

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations that have the prefix, by the rest of their name."""
        annotations = self.manifest["metadata"].get("annotations", {})
        return {
            name.removeprefix(self.prefix): text for name, text in annotations.items() if name.startswith(self.prefix)
        }

    @property
    def targets(self) -> list[str]:
        """The targets in its annotation `target`."""
        return [target for target in self.annotations.get("target", "").split(",") if target]

    def endpoints(self, hostnames: Iterable[str], targets: Sequence[str]) -> Iterator[EndpointJson]:
        """Yield one endpoint per hostname, or none without targets."""
        name, namespace = (self.manifest["metadata"][key] for key in ("name", "namespace"))
        properties = [
            {"name": f"webhook/{annotation.removeprefix('webhook-')}", "value": text}
            for annotation, text in self.annotations.items()
            if annotation.startswith("webhook-")
        ]
        for hostname in hostnames if targets else ():
            yield {
                "dnsName": hostname,
                "recordType": "A" if _is_ip(targets[0]) else "CNAME",
                "targets": list(targets),
                "labels": {"resource": f"{self.manifest['kind'].lower()}/{namespace}/{name}"},
                "providerSpecific": properties,
            }


def endpoints(manifests: Sequence[Manifest], prefix: str) -> list[EndpointJson]:
    """Return the endpoints that external-dns makes of these resources, reading annotations with this prefix."""
    resources = [Resource(manifest, prefix) for manifest in manifests]
    return [
        endpoint
        for resource in resources
        if resource.manifest["kind"] in _SOURCES
        for endpoint in _SOURCES[resource.manifest["kind"]](resource, resources)
    ]


def _service(service: Resource, _: Sequence[Resource]) -> Iterable[EndpointJson]:
    hostname = service.annotations.get("internal-hostname", "")
    return service.endpoints([hostname] if hostname else [], service.targets or [CLUSTER_IP])


def _ingress(ingress: Resource, _: Sequence[Resource]) -> Iterable[EndpointJson]:
    spec = ingress.manifest["spec"]
    hostnames = [rule["host"] for rule in spec["rules"]] + [
        host for tls in spec.get("tls", ()) for host in tls["hosts"]
    ]
    return ingress.endpoints(sorted(set(hostnames)), ingress.targets)


def _http_route(route: Resource, resources: Sequence[Resource]) -> Iterable[EndpointJson]:
    parents = {parent["name"] for parent in route.manifest["spec"]["parentRefs"]}
    gateways = [
        resource
        for resource in resources
        if resource.manifest["kind"] == "Gateway" and resource.manifest["metadata"]["name"] in parents
    ]
    return route.endpoints(
        route.manifest["spec"]["hostnames"], [target for gateway in gateways for target in gateway.targets]
    )


def _dns_endpoint(resource: Resource, _: Sequence[Resource]) -> Iterable[EndpointJson]:
    name, namespace = (resource.manifest["metadata"][key] for key in ("name", "namespace"))
    labels = {"resource": f"crd/{namespace}/{name}"}
    return [{**endpoint, "labels": labels} for endpoint in resource.manifest["spec"]["endpoints"]]


_SOURCES: Mapping[str, Callable[[Resource, Sequence[Resource]], Iterable[EndpointJson]]] = {
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
