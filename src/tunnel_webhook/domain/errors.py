"""What can be wrong with what was asked, or with what is there.

    DomainError
    ├── InvalidEndpoint           one endpoint that cannot be published; `code` names the reason
    │   ├── InvalidHostname       invalid-hostname
    │   ├── InvalidService        invalid-service
    │   ├── InvalidPath           invalid-path
    │   ├── InvalidProperty       invalid-property
    │   ├── InvalidOwner          invalid-owner
    │   ├── UnknownTunnel         unknown-tunnel
    │   └── CorruptedProperties   corrupted-properties
    ├── InvalidPattern            a domain filter whose regular expression is not RE2
    └── InvalidConfiguration      a tunnel's document that cloudflared would refuse

Every message is a sentence for the operator: what, which, and what would be accepted.
"""

from typing import ClassVar


class DomainError(Exception):
    """The request cannot succeed as stated; asking again changes nothing."""


class InvalidEndpoint(DomainError):
    """An endpoint cannot be published; the others can."""

    code: ClassVar[str] = "invalid-endpoint"


class InvalidHostname(InvalidEndpoint):
    """The name is not one that DNS and cloudflared can hold."""

    code = "invalid-hostname"


class InvalidService(InvalidEndpoint):
    """The origin is not one that a tunnel can reach, or that the settings allow."""

    code = "invalid-service"


class InvalidPath(InvalidEndpoint):
    """The path is not one that becomes a regular expression that RE2 accepts."""

    code = "invalid-path"


class InvalidProperty(InvalidEndpoint):
    """A `webhook/` property is unknown, or its value is not of its kind."""

    code = "invalid-property"


class InvalidOwner(InvalidEndpoint):
    """The owner does not fit in a claim, or is not the one that this instance works for."""

    code = "invalid-owner"


class UnknownTunnel(InvalidEndpoint):
    """`webhook/tunnel` names a tunnel that is not configured."""

    code = "unknown-tunnel"


class CorruptedProperties(InvalidEndpoint):
    """A nameless property proves that external-dns lost others of the same resource."""

    code = "corrupted-properties"


class InvalidPattern(DomainError):
    """A regular expression is not one that RE2, and so external-dns, accepts."""


class InvalidConfiguration(DomainError):
    """A tunnel's document is one that cloudflared refuses as a whole."""
