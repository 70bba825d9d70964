"""`explain`: where a request goes, and why. Nothing is written."""

from __future__ import annotations

from urllib.parse import unquote

from tunnel_webhook.application import Operator
from tunnel_webhook.cli.explanation_rendering import explanation_json, explanation_lines
from tunnel_webhook.cli.terminal import print_json, print_lines, waiting
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.domain.hostname import Hostname


async def run_explain(operator: Operator, policy: Policy, address: str, *, as_text: bool) -> int:
    """Print where a request for HOSTNAME or HOSTNAME/PATH goes; cloudflared matches the decoded path alone.

    Return 1 if no rule answers, else 0. Raises InvalidEndpoint for what is not a hostname.
    """
    name, slash, path = address.partition("?")[0].partition("/")
    hostname = Hostname.parse(name)
    with waiting("reading the tunnels and the zones"):
        explanation = await operator.explain(hostname, unquote(slash + path) or "/")
    if as_text:
        print_lines(explanation_lines(explanation, policy))
    else:
        print_json(explanation_json(explanation, policy))
    return 0 if explanation.is_answered else 1
