"""What can be wrong with an endpoint, a domain filter or a tunnel's document.

    DomainError
    ├── InvalidEndpoint         one endpoint that cannot be published, and the Reason
    ├── InvalidPattern          a domain filter whose regular expression is not RE2
    └── InvalidConfiguration    a tunnel's document that cloudflared would refuse

Every message is a sentence for the operator: what, which, and what would be accepted.
"""

from __future__ import annotations

from tunnel_webhook.domain.code import Code


class Reason(Code):
    """Why an endpoint is not applied."""

    INVALID_HOSTNAME = "invalid-hostname", "DNS cannot hold the name"
    INVALID_SERVICE = "invalid-service", "a tunnel cannot reach the origin, or the settings do not allow it"
    INVALID_PATH = "invalid-path", "the path does not become an RE2 expression"
    INVALID_PROPERTY = "invalid-property", "an annotation is unknown, or its value is not of its kind"
    INVALID_OWNER = "invalid-owner", "the owner does not fit in a claim, or is not the owner of this instance"
    UNKNOWN_TUNNEL = "unknown-tunnel", "the tunnel is not configured"
    CORRUPTED_PROPERTIES = (
        "corrupted-properties",
        "external-dns lost annotations of the resource (v0.21 and later, several hostnames on one resource)",
    )
    NO_ZONE = "no-zone", "the credentials see no zone that holds the name"
    OUTSIDE_DOMAIN_FILTER = "outside-domain-filter", "the domain filter excludes the name"
    NOT_ALLOWED = "not-allowed", "the operator's policy does not allow it"
    ADOPTION_NOT_ALLOWED = (
        "adoption-not-allowed",
        "a rule or record made by hand would be taken over, and the operator does not allow that for the hostname",
    )
    HELD_BY_ANOTHER_NAMESPACE = (
        "held-by-another-namespace",
        "the hostname belongs to another namespace until that one releases it",
    )
    ACCESS_WOULD_BE_REMOVED = (
        "access-would-be-removed",
        "the rule requires Access, and the endpoint does not ask for it any more",
    )
    TOO_MANY_PATHS = (
        "too-many-paths",
        "the hostname or the tunnel has more paths than cloudflared can try on every request",
    )
    DOCUMENT_TOO_LARGE = "document-too-large", "the tunnel's document has no room for the rule"
    TUNNEL_CONFLICT = (
        "tunnel-conflict",
        "two paths of one hostname ask for two tunnels, or it would move away from rules made by hand",
    )
    OWNED_BY_OTHER = "owned-by-other", "the hostname is claimed for another owner"
    RULE_CONFLICT = (
        "rule-conflict",
        "a rule made by hand says something else; `webhook-adopt` takes it over where the operator allows it",
    )
    RECORD_CONFLICT = "record-conflict", "a record made by hand holds the name"
    QUOTA_EXCEEDED = "quota-exceeded", "the zone cannot hold more records"
    REFUSED = "refused", "Cloudflare refused it; the sentence is Cloudflare's own"


class DomainError(Exception):
    """The request cannot succeed as stated; repeating it changes nothing."""


class InvalidEndpoint(DomainError):
    """One endpoint cannot be published; the others can."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        """Keep the reason; the sentence is for the operator."""
        super().__init__(sentence)
        self.reason = reason


class InvalidPattern(DomainError):
    """RE2, and so external-dns, does not accept a regular expression."""


class InvalidConfiguration(DomainError):
    """cloudflared refuses a tunnel's document as a whole."""
