"""From variables to settings, or to one line that says which variable is wrong.

| set together                                             | outcome                                                     |
|----------------------------------------------------------|-------------------------------------------------------------|
| nothing                                                  | refused: `cloudflare` is the backend, and needs credentials |
| `BACKEND=memory`                                         | no credentials needed, a tunnel and a zone for demos        |
| none or several of token, token file, key with email     | refused                                                     |
| lists and regular expressions of one domain filter       | refused, as external-dns refuses them                       |
| one port for both servers                                | refused: the kernel would share requests out between them   |
| `DEFAULT_ORIGIN` of a kind that `ALLOWED_SERVICES` lacks | refused                                                     |
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from tunnel_webhook.domain.errors import DomainError
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.settings.kinds import Secret
from tunnel_webhook.settings.variables import VARIABLES, Settings

RETIRED = {
    "READ_TIMEOUT": "REQUEST_DEADLINE bounds every answer",
    "WRITE_TIMEOUT": "REQUEST_DEADLINE bounds every answer",
}
"""Variables of the Go reference that decide nothing here, and what does."""

_OURS = "CLOUDFLARE_"
_EXPOSED_PORT = int(VARIABLES["EXPOSED_PORT"].example)


class InvalidSetting(Exception):
    """A variable is wrong or missing; the message is one line: which, what is wrong, an example."""


def from_environment() -> Settings:
    """Return the settings of this process; raise InvalidSetting."""
    return load_settings(os.environ)  # noqa: TID251 -- the one place that reads the environment


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that variables amount to; raise InvalidSetting for the first that is wrong.

    Spaces around a value are dropped, and an empty one counts as not set, since charts like to set variables to nothing.
    """
    given = {name: text.strip() for name, text in environment.items() if text.strip()}
    values: dict[str, Any] = {name.lower(): _parse(name, given.get(name, "")) for name in VARIABLES}
    settings = Settings(**values)
    for name, fault in _faults(settings):
        raise _invalid(name, given.get(name, ""), fault)
    return replace(settings, notices=tuple(_notices(given, settings)))


def _parse(name: str, text: str) -> object:
    variable = VARIABLES[name]
    try:
        return variable.parse(text or variable.default)
    except (ValueError, DomainError) as error:
        raise _invalid(name, text, str(error)) from error


def _invalid(name: str, text: str, fault: str) -> InvalidSetting:
    variable = VARIABLES[name]
    shown = "***" if variable.parse is Secret else repr(text)
    told = f"{name}={shown}: {fault}" if text else f"{name} is not set: {fault}"
    return InvalidSetting(" ".join(f"{told}; for example {name}={variable.example}".split()))


def _faults(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with variables taken together: which, and what."""
    if settings.backend == "cloudflare":
        yield from _missing(settings)
    if (settings.regex_domain_filter or settings.regex_domain_exclusion) and (
        settings.domain_filter or settings.exclude_domains
    ):
        name = "REGEX_DOMAIN_FILTER" if settings.regex_domain_filter else "REGEX_DOMAIN_EXCLUSION"
        yield name, "a domain filter is either lists (DOMAIN_FILTER, EXCLUDE_DOMAINS) or regular expressions, not both"
    if settings.port == settings.exposed_port != 0:
        # The variable whose example is another port is the one to change.
        changed, other = ("PORT", "EXPOSED_PORT") if settings.port == _EXPOSED_PORT else ("EXPOSED_PORT", "PORT")
        yield changed, f"{other} is {settings.port}, too, and each server needs its own"
    if settings.default_origin:
        try:
            OriginService.parse(settings.default_origin, settings.allowed_services)
        except DomainError as error:
            yield "DEFAULT_ORIGIN", str(error)


def _missing(settings: Settings) -> Iterator[tuple[str, str]]:
    token, file = settings.cloudflare_api_token, settings.cloudflare_api_token_file
    key, email = settings.cloudflare_api_key, settings.cloudflare_api_email
    if bool(key) != bool(email):
        yield "CLOUDFLARE_API_KEY" if email else "CLOUDFLARE_API_EMAIL", "a global API key and its email go together"
    schemes = [bool(token), bool(file), bool(key)]
    if not any(schemes):
        others = "CLOUDFLARE_API_TOKEN_FILE, or CLOUDFLARE_API_KEY and CLOUDFLARE_API_EMAIL"
        yield "CLOUDFLARE_API_TOKEN", f"BACKEND is cloudflare, which needs it (or {others}); BACKEND=memory needs none"
    if sum(schemes) > 1:
        name = "CLOUDFLARE_API_TOKEN" if token else "CLOUDFLARE_API_TOKEN_FILE"
        yield (
            name,
            "CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_TOKEN_FILE and CLOUDFLARE_API_KEY exclude one another: keep one",
        )
    if not settings.cloudflare_tunnel_id:
        yield (
            "CLOUDFLARE_TUNNEL_ID",
            "BACKEND is cloudflare, which needs the remotely-managed tunnel to publish through",
        )


def _notices(given: Mapping[str, str], settings: Settings) -> Iterator[str]:
    if not ip_address(settings.host).is_loopback:
        yield f"HOST is {settings.host}: whoever reaches port {settings.port} there may change every hostname, without a password"
    for name, instead in RETIRED.items():
        if name in given:
            yield f"{name} decides nothing here: {instead}"
    if given.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf") != "http/protobuf":
        yield "OTEL_EXPORTER_OTLP_PROTOCOL decides nothing here: http/protobuf is spoken, usually to port 4318"
    for name in given:
        if name.startswith(_OURS) and name not in VARIABLES:
            yield from _misspelt(name)


def _misspelt(name: str) -> Iterator[str]:
    # Loaded only where there is something to compare: it is slow to load, and nearly nobody needs it.
    from difflib import get_close_matches  # noqa: PLC0415 -- as said above

    for meant in get_close_matches(name, VARIABLES, n=1, cutoff=0.85):
        yield f"{name} is not a setting: {meant} is"
