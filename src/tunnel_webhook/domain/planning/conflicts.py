"""What keeps a hostname or one of its paths from being taken: a person made its records or its rules.

| records of a name that is not claimed  | then                                                                        |
|----------------------------------------|-----------------------------------------------------------------------------|
| A, AAAA, NS, CNAME elsewhere           | `record-conflict`, for all of its paths                                     |

| the rule of a path, made by hand       | and requests for it                        | then                          |
|----------------------------------------|--------------------------------------------|-------------------------------|
| none                                   | reach a person's record of the name        | taking over needs two words   |
| none                                   | do not                                     | nothing                       |
| identical to what is asked             | cannot arrive: no record leads to a tunnel | nothing                       |
| identical to what is asked             | arrive                                     | the operator's word           |
| different, twice, or in another tunnel | any                                        | taking over needs two words   |

The operator's word is `ADOPT_HOSTNAMES` or the policy; without a policy, also that the Go reference made the record
(`go_reference`). Without it: `adoption-not-allowed`, since whoever asks for the same today asks for something else
tomorrow. The two words are the operator's and `webhook/adopt: "true"`; without the second: `rule-conflict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tunnel_webhook.domain.claimed_paths import ClaimedPaths
from tunnel_webhook.domain.cloudflared.ingress import IngressRule
from tunnel_webhook.domain.cloudflared.inheritance import differences, mean_the_same
from tunnel_webhook.domain.dns import DnsRecord, target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.external_dns.namespace import namespace_of
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.external_dns.route import Route
from tunnel_webhook.domain.hostname import Hostname, wildcards_above
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.existing import Existing
from tunnel_webhook.domain.planning.go_reference import is_of_go_reference
from tunnel_webhook.domain.planning.plan import Rejection
from tunnel_webhook.domain.planning.request import Request
from tunnel_webhook.domain.quotation import quoted, shortened

Conflict: TypeAlias = tuple[Reason, str]
"""The reason, and the sentence for the operator."""


def record_conflict(hostname: Hostname, tunnel: str, neighbours: Iterable[DnsRecord]) -> Conflict | None:
    """Return why a hostname cannot be claimed beside its records: one of them leads elsewhere."""
    for record in neighbours:
        if record.tunnel != tunnel:
            content = shortened(record.content, 253)
            if Marker.parse(record.comment):
                sentence = (
                    f"the {record.type} record of {hostname} carries the marker of this service, but someone pointed it"
                    f" elsewhere ({content}): point it at {target_of(tunnel)}, or remove it"
                )
                return Reason.RECORD_CONFLICT, sentence
            sentence = (
                f"{hostname} already has a {record.type} record ({content}) that this service did not make: remove it,"
                " or point the hostname elsewhere"
            )
            return Reason.RECORD_CONFLICT, sentence
    return None


def without_conflicts(
    request: Request, tunnel: str, existing: Existing, policy: Policy
) -> tuple[Request, tuple[Rejection, ...]]:
    """Return the request without the routes that a person's rule or record is in the way of, and their rejections.

    Where a route is rejected, the others take nothing away, and so take nothing over.
    """
    rejections: list[Rejection] = []
    conflicts = _Conflicts(request.hostname, tunnel, existing, policy)
    while found := {route: conflict for route in request.routes if (conflict := conflicts.of(route))}:
        request, rejected = request.rejecting(found)
        rejections += rejected
    return request, tuple(rejections)


@dataclass(frozen=True, slots=True)
class _Conflicts:
    hostname: Hostname
    tunnel: str
    existing: Existing
    policy: Policy

    def of(self, route: Route) -> Conflict | None:
        """Return why a route cannot be written, or None."""
        standing = list(self._standing(route))
        if not standing:
            return self._collision(route) or self._taking_over_the_record(route)
        (place, rule), *others = standing
        base = self.existing.bases[place]
        if place == self.tunnel and not others and mean_the_same(rule, route.rule_on(base), base):
            return None if self._is_consented(route) else self._not_allowed(route)
        path = f" (path {shortened(rule.path)})" if rule.path else ""
        origin = f"{shortened(rule.service)}{self._differing(rule, route, place)}"
        fault = (
            f"tunnel {place} already has a rule for {self.hostname}{path} that this service did not make, to {origin}"
        )
        return self._taking_over(route, fault)

    def _standing(self, route: Route) -> Iterator[tuple[str, IngressRule]]:
        for tunnel in self.existing.rules:
            for rule in self.existing.bystanders_in(tunnel, self.hostname):
                if rule.path == route.path:
                    yield tunnel, rule

    def _taking_over_the_record(self, route: Route) -> Conflict | None:
        record = self._record
        if record is None:
            return None
        fault = f"{self.hostname} already has a record to tunnel {self.tunnel} that this service did not make"
        return self._taking_over(route, fault)

    def _taking_over(self, route: Route, fault: str) -> Conflict | None:
        if not route.adopt:
            cure = 'make it the same, remove it, or take it over with webhook/adopt: "true"'
            return Reason.RULE_CONFLICT, f"{fault}: {cure}"
        return None if self._is_allowed(route) else self._not_allowed(route)

    def _is_consented(self, route: Route) -> bool:
        moves_in = self.policy.permissions is None and self._record is not None and is_of_go_reference(self._record)
        return not self._is_reached or moves_in or self._is_allowed(route)

    def _is_allowed(self, route: Route) -> bool:
        return self.policy.may_adopt(self.hostname, namespace_of(route.resource))

    def _not_allowed(self, route: Route) -> Conflict:
        path = f" (path {shortened(route.path)})" if route.path else ""
        sentence = (
            f"a person made the rule or the record of {self.hostname}{path}, and nothing allows to take it over: the"
            " operator can, with ADOPT_HOSTNAMES or adopt = true in POLICY_FILE"
        )
        return Reason.ADOPTION_NOT_ALLOWED, sentence

    def _collision(self, route: Route) -> Conflict | None:
        """Return the conflict with a person's rule that a claim could not tell apart from ours."""
        named = ClaimedPaths.of([route.path])
        for tunnel in self.existing.rules:
            for rule in self.existing.bystanders_in(tunnel, self.hostname):
                if rule.path in named:
                    paths = f"path {shortened(route.path)} and path {shortened(rule.path)}"
                    sentence = (
                        f"{paths} of {self.hostname} have the same digest, and a person made the rule of the second:"
                        " spell one of them differently"
                    )
                    return Reason.RULE_CONFLICT, sentence
        return None

    @property
    def _record(self) -> DnsRecord | None:
        """The record of the name that is not ours; it leads to the tunnel."""
        return next(iter(self.existing.neighbours.get(self.hostname, ())), None)

    @property
    def _is_reached(self) -> bool:
        """Whether requests for the hostname arrive at a tunnel."""
        names = (self.hostname, *wildcards_above(self.hostname))
        return any(self._leads_to_a_tunnel(name) for name in names)

    def _leads_to_a_tunnel(self, name: Hostname) -> bool:
        return name in self.existing.claims or any(record.tunnel for record in self.existing.neighbours.get(name, ()))

    def _differing(self, standing: IngressRule, route: Route, place: str) -> str:
        """Return the keys in which a standing rule differs from what is asked, as part of a sentence."""
        base = self.existing.bases[place]
        found = differences(standing, route.rule_on(base), base)
        named = ", ".join(f"{key} is {quoted(there)} there and {quoted(asked)} here" for key, there, asked in found)
        return f" ({named})" if named else ""
