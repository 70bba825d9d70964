"""What a policy allows, in sentences for the operator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tunnel_webhook.domain.external_dns.permissions import Allow, Deny
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.property_groups import SAFE, SAFE_PROPERTIES


def summary_of(policy: Policy) -> tuple[str, ...]:
    """Return one sentence for each table of the policy file, or for what counts without one."""
    return tuple(_sentences(policy))


def _sentences(policy: Policy) -> Iterator[str]:
    if policy.permissions is None:
        yield "every resource may publish every name inside the domain filter (POLICY_FILE is not set)"
        if policy.allowed_origins:
            yield f"origins that are denied by default, and allowed here: {_listed(policy.allowed_origins)}"
    else:
        for allow in policy.permissions.allow:
            yield f"{allow.name}: {_allowed(allow)}"
        for deny in policy.permissions.deny:
            yield f"{deny.name}: never {_denied(deny)}"
        if policy.permissions.shared:
            yield f"namespaces may share {_listed(policy.permissions.shared)}"
    adopted = _listed(policy.adopt_hostnames)
    if adopted:
        yield f"what a person made may be taken over for {adopted} (ADOPT_HOSTNAMES)"
    elif policy.permissions is None:
        yield "nothing that a person made may be taken over (ADOPT_HOSTNAMES is not set)"


def _allowed(table: Allow) -> str:
    excepted = f" except {_listed(table.excepted)}" if table.excepted else ""
    wildcards = ", wildcards included," if table.wildcards else ""
    namespaces = _namespaces(pattern.text for pattern in table.namespaces)
    origins = _listed(pattern.text for pattern in table.origins)
    parts = [
        f"{namespaces} may publish {_listed(table.hostnames)}{excepted}{wildcards} from {origins}",
        f"through tunnel {_listed(sorted(table.tunnels))}",
        f"with {_properties(table.properties)}",
    ]
    parts += ["only with Access"] if table.requires_access else []
    parts += ["and may take over what a person made"] if table.adopt else []
    return ", ".join(parts)


def _denied(table: Deny) -> str:
    selectors = (
        ("by", _namespaces(pattern.text for pattern in table.namespaces or ())),
        ("for", _listed(table.hostnames or ())),
        ("from", _listed(pattern.text for pattern in table.origins or ())),
        ("with", _properties(table.properties or frozenset())),
    )
    return " ".join(f"{word} {text}" for word, text in selectors if text and text != _NO_PROPERTIES)


_NO_PROPERTIES = "no properties"


def _properties(names: frozenset[str]) -> str:
    groups = [SAFE] if names >= SAFE_PROPERTIES else []
    rest = sorted(names - SAFE_PROPERTIES) if groups else sorted(names)
    return f"properties {_listed([*groups, *rest])}" if names else _NO_PROPERTIES


def _namespaces(texts: Iterable[str]) -> str:
    words = {"": "endpoints without a namespace", "*": "every namespace"}
    return _listed(words.get(text, text) for text in texts)


def _listed(names: Iterable[object]) -> str:
    return ", ".join(map(str, names))
