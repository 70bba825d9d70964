"""`explain`: where a request goes, and why. Nothing is written."""

from __future__ import annotations

import re
from urllib.parse import unquote

from tunnel_webhook.application import Operator
from tunnel_webhook.cli.explanation_rendering import explanation_json, explanation_lines
from tunnel_webhook.cli.terminal import print_json, print_lines, waiting
from tunnel_webhook.domain.external_dns.endpoint import Changes
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname

_ADDRESS = re.compile(
    r"(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?(?:[^/?#]*@)?(?P<name>[^/?#]*?)(?::[0-9]*)?(?P<path>/[^?#]*)?(?:[?#].*)?",
    re.DOTALL,
)


async def run_explain(
    operator: Operator, policy: Policy, address: str, asked: Changes | None = None, *, as_text: bool
) -> int:
    """Print where a request for a hostname, with a path, or for a URL goes; cloudflared matches the decoded path alone.

    `asked` is the last change set of external-dns, where it is known. Return 1 if the hostname does not work, or what
    was asked for it is rejected, else 0. Raises InvalidEndpoint for what is not a hostname.
    """
    hostname, path = parse_address(address)
    with waiting("reading the tunnels and the zones"):
        explanation = await operator.explain(hostname, path, asked)
    if as_text:
        print_lines(explanation_lines(explanation, policy))
    else:
        print_json(explanation_json(explanation, policy))
    return 0 if explanation.works else 1


def parse_address(address: str) -> tuple[Hostname, str]:
    """Return the hostname and the decoded path of an address: `app.example.com`, with a path, or a URL as pasted.

    Scheme, user information, port, query and fragment are left out. Raises InvalidEndpoint.
    """
    match = _ADDRESS.fullmatch(address.strip())
    name, path = (match["name"], match["path"]) if match else (address, None)
    return Hostname.parse(name), unquote(path or "/")
