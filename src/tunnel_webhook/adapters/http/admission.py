"""Which requests the webhook port answers: none that a page in a browser can make the browser send.

A page from anywhere can send requests to every port of the machine that its browser runs on, a forwarded one included.
The browser marks them with Origin or Sec-Fetch-Site; where the page's own name resolves to this machine (DNS
rebinding), with that name in Host. external-dns sends neither of the first two, and as Host what
`--webhook-provider-url` says (contract, 1.1).

| request                                                     | raised           |
|-------------------------------------------------------------|------------------|
| no Host, an empty one, or several                           | AmbiguousRequest |
| a target that is not a path                                 | AmbiguousRequest |
| a Host that is neither loopback nor allowed                 | ForbiddenRequest |
| a Host that is not a host with an optional port             | ForbiddenRequest |
| any Origin, even an empty one                               | ForbiddenRequest |
| a Sec-Fetch-Site other than `none` and `same-origin`        | ForbiddenRequest |
| where a password is set: none, another one, or several      | WrongPassword    |

Loopback is `localhost`, 127.0.0.0/8, `[::1]`, and an address of 127.0.0.0/8 mapped to IPv6. Ports are not compared, as
a forwarded port may have any number; neither are case and one trailing dot.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from ipaddress import IPv6Address, ip_address
from typing import ClassVar

_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@/?#\\\s]+))(?::[0-9]*)?")
_OWN_SITES = frozenset({"none", "same-origin"})


class NotAdmitted(Exception):
    """The request is refused before it is looked at any further."""


class AmbiguousRequest(NotAdmitted):
    """It is not certain which host the request is meant for."""


class ForbiddenRequest(NotAdmitted):
    """A page in a browser may have sent the request."""


class WrongPassword(NotAdmitted):
    """The request does not have the password that the operator set."""

    headers: ClassVar = {"www-authenticate": 'Basic realm="tunnel-webhook", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Admission:
    """What the operator decides: the hosts that are allowed beside loopback, and the password; empty for none.

    A host is a name in lower case without a trailing dot, or an address as `ipaddress` writes it.
    """

    allowed_hosts: frozenset[str] = frozenset()
    password: str = field(default="", repr=False)

    def check(self, path: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raise what the table says; the headers are those of ASGI, with names in lower case."""
        fields = [(name, value.decode("latin-1")) for name, value in headers]

        def values(name: bytes) -> list[str]:
            return [value for each, value in fields if each == name]

        self._check_host(path, values(b"host"))
        _check_sender(values(b"origin"), values(b"sec-fetch-site"))
        if self.password:
            self._check_password(values(b"authorization"))

    def _check_host(self, path: str, hosts: Sequence[str]) -> None:
        # granian passes an empty Host where there is none, and drops the authority of a target in absolute form.
        if len(hosts) != 1 or not hosts[0]:
            message = f"the request has {len(list(filter(None, hosts)))} Host headers, and needs exactly one"
            raise AmbiguousRequest(message)
        if not path.startswith("/"):
            message = "the target of the request is not a path"
            raise AmbiguousRequest(message)
        if not self._is_allowed(hosts[0]):
            message = (
                f"the Host {hosts[0]!r} is neither loopback nor in ALLOWED_HOSTS: this API serves external-dns only,"
                " at the address in its --webhook-provider-url"
            )
            raise ForbiddenRequest(message)

    def _is_allowed(self, header: str) -> bool:
        match = _HOST.fullmatch(header)
        if match is None:
            return False
        host = match["ipv6"] or match["name"].lower().removesuffix(".")
        try:
            address = ip_address(host)
        except ValueError:
            return host == "localhost" or host in self.allowed_hosts
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return (mapped or address).is_loopback or str(address) in self.allowed_hosts

    def _check_password(self, credentials: Sequence[str]) -> None:
        given = [_password(each) for each in credentials]
        # Digests have one length; `compare_digest` may reveal the length of what it compares.
        if len(given) != 1 or not compare_digest(sha256(given[0]).digest(), sha256(self.password.encode()).digest()):
            message = (
                f"the password is {'wrong' if given else 'missing'}: the --webhook-provider-url of external-dns must be"
                " http://any:PASSWORD@HOST:PORT, with the password of this webhook"
            )
            raise WrongPassword(message)


def _check_sender(origins: Sequence[str], sites: Sequence[str]) -> None:
    if origins:
        message = f"the request has an Origin ({origins[0]!r}): a page in a browser sent it, and not external-dns"
        raise ForbiddenRequest(message)
    if foreign := [site for site in sites if site not in _OWN_SITES]:
        message = f"the request has Sec-Fetch-Site {foreign[0]!r}: a page in a browser sent it, and not external-dns"
        raise ForbiddenRequest(message)


def _password(credentials: str) -> bytes:
    """Return the password of a Basic Authorization (RFC 7617), or nothing if it is another or malformed."""
    scheme, _, encoded = credentials.partition(" ")
    try:
        return b64decode(encoded.strip(" "), validate=True).partition(b":")[2] if scheme.lower() == "basic" else b""
    except ValueError:
        return b""
