"""From variables to settings, or to one line that names the wrong variable.

| variables                                            | outcome                                               |
|------------------------------------------------------|-------------------------------------------------------|
| none                                                 | refused: the default backend needs credentials        |
| `BACKEND=memory`                                     | accepted without credentials; demo tunnel and zone    |
| none or several of token, token file, key with email | refused                                               |
| lists and regular expressions of one domain filter   | refused, as by external-dns                           |
| the same port for both servers                       | refused: the kernel would split requests between them |
| `DEFAULT_ORIGIN` of a kind not in `ALLOWED_SERVICES` | refused                                               |
| `POLICY_FILE` and `ALLOWED_ORIGINS`                  | refused: the tables of the file name allowed origins  |
| a tunnel in the file that is not configured          | refused                                               |
| `HOST` other than loopback without `ALLOWED_HOSTS`   | refused: external-dns would get 403, and exit         |
| `WEBHOOK_PASSWORD` and `WEBHOOK_PASSWORD_FILE`       | refused                                               |
| `DOMAIN_FILTERS` that says something else            | refused; else it is `DOMAIN_FILTER`                   |
| one that nearly is a setting                         | a notice, or refused: see `spelling`                  |
| those of OpenTelemetry, proxies and certificates     | refused if they are wrong: see `foreign_faults`     |
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from tunnel_webhook.domain.errors import DomainError
from tunnel_webhook.domain.external_dns.origin_service import OriginService
from tunnel_webhook.settings import files
from tunnel_webhook.settings.certificates import faults_in_certificates
from tunnel_webhook.settings.decisions import Settings
from tunnel_webhook.settings.foreign_credentials import MASK, credentials_in, user_information, without_user_information
from tunnel_webhook.settings.opentelemetry import faults_in_opentelemetry
from tunnel_webhook.settings.proxies import InvalidProxy, Proxy, proxy_for
from tunnel_webhook.settings.secret import Secret
from tunnel_webhook.settings.spelling import Misnomer, misnomers
from tunnel_webhook.settings.variables import VARIABLES, Variable

RETIRED = {
    "READ_TIMEOUT": "REQUEST_DEADLINE limits every request",
    "WRITE_TIMEOUT": "REQUEST_DEADLINE limits every request",
}
"""Variables of the Go reference that have no effect here, and what replaces them."""

ALIASES = {"DOMAIN_FILTERS": "DOMAIN_FILTER"}
"""Further names of settings; this one is that of the article that the Go reference comes from."""

_DEFAULT_EXPOSED_PORT = int(VARIABLES["EXPOSED_PORT"].default)
_OPAQUE = re.compile(r"[A-Za-z0-9_+/-]{37,}")
_FILES = (files.readable_file, files.secret_in_file, files.policy_file)
_PROTOCOLS = re.compile("OTEL_EXPORTER_OTLP_(?:TRACES_|METRICS_)?PROTOCOL")
_PATHS = ("/", "./", "../")


class InvalidSetting(Exception):
    """A variable is wrong or missing; the message is one line: the variable, what is wrong with it, an example."""


def from_environment() -> Settings:
    """Return the settings of this process. Raises InvalidSetting."""
    environment = os.environ  # noqa: TID251 -- the one place that reads the environment
    settings = load_settings(environment)
    _trim_opentelemetry(environment)
    return settings


def _trim_opentelemetry(environment: MutableMapping[str, str]) -> None:
    """Treat the variables that OpenTelemetry's SDK reads itself as ours: trimmed, and unset if empty."""
    for name, text in [*environment.items()]:
        if name.startswith("OTEL_"):
            environment[name] = text.strip()
            if not environment[name]:
                del environment[name]


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment. Raises InvalidSetting for the first wrong variable.

    Spaces around a value are dropped. An empty value counts as unset, since charts often set variables to nothing.
    """
    texts = {name: text.strip() for name, text in environment.items() if text.strip()}
    found = tuple(misnomers(texts, {*VARIABLES, *RETIRED, *ALIASES}))
    for misnomer in found:
        if misnomer.is_critical:
            raise InvalidSetting(_refusal(misnomer))
    for alias, name in ALIASES.items():
        if alias in texts:
            _check_alias(alias, name, texts)
            texts.setdefault(name, texts[alias])
    values: dict[str, Any] = {name.lower(): _parse(name, texts.get(name, "")) for name in VARIABLES}
    settings = Settings(**values)
    for name, fault in _faults(settings):
        raise _invalid(name, texts.get(name, ""), fault, found)
    for name, fault, example in _foreign_faults(environment, texts, settings):
        raise _invalid_foreign(name, environment[name], fault, example)
    return replace(
        settings,
        notices=tuple(_notices(texts, settings, found)),
        hidden=tuple(credentials_in(environment)),
        proxy=_proxy(settings, environment),
    )


def _check_alias(alias: str, name: str, texts: Mapping[str, str]) -> None:
    try:
        value = VARIABLES[name].parse(texts[alias])
    except (ValueError, DomainError) as error:
        raise _invalid_foreign(alias, texts[alias], str(error), VARIABLES[name].example) from error
    if name in texts and value != _parse(name, texts[name]):
        fault = f"{name} is set as well, to something else, and both are the same setting: keep one"
        raise _invalid_foreign(alias, texts[alias], fault, VARIABLES[name].example)


def _parse(name: str, text: str) -> object:
    variable = VARIABLES[name]
    try:
        return variable.parse(text or variable.default)
    except (ValueError, DomainError) as error:
        raise _invalid(name, text, str(error)) from error


def _invalid(name: str, text: str, fault: str, found: tuple[Misnomer, ...] = ()) -> InvalidSetting:
    variable = VARIABLES[name]
    if not text:
        others = "".join(f" ({each.name} is, which is not a setting)" for each in found if each.meant == name)
        return _one_line(f"{name} is not set{others}: {fault}", name, variable.example)
    if _is_secret(variable, text):
        return _one_line(f"{name}={MASK}: {fault.replace(text, MASK)}", name, variable.example)
    if variable.parse in _FILES:
        return _one_line(f"{name}={text!r}: {fault}", name, variable.example)
    return _invalid_foreign(name, text, fault, variable.example)


def _invalid_foreign(name: str, text: str, fault: str, example: str) -> InvalidSetting:
    """Return the error of a variable that should hold no secret; what may be one all the same is masked."""
    shown = repr(without_user_information(text))
    if user := user_information(text):
        fault = fault.replace(f"{user}@", f"{MASK}@")
    if name.endswith("HEADERS"):
        shown = MASK
    said = f"{shown}: {fault}"
    return _one_line(f"{name}={said if name.endswith('_FILE') else _OPAQUE.sub(MASK, said)}", name, example)


def _one_line(sentence: str, name: str, example: str) -> InvalidSetting:
    ending = f"; for example {name}={example}" if example else ""
    return InvalidSetting(" ".join(f"{sentence}{ending}".split()))


def _refusal(misnomer: Misnomer) -> str:
    effect = "to ignore it could write or delete what was not meant"
    return f"{misnomer.name} is not a setting, and {effect}; did you mean {misnomer.meant}? Else rename it or unset it"


def _is_secret(variable: Variable, text: str) -> bool:
    """Whether the whole text may be a secret, such as a token that was set in place of its file."""
    return variable.parse is Secret or (variable.parse in _FILES and not text.startswith(_PATHS))


def _foreign_faults(
    environment: Mapping[str, str], texts: Mapping[str, str], settings: Settings
) -> Iterator[tuple[str, str, str]]:
    """Yield the faults in variables that are read by libraries: the name, what is wrong, and an example."""
    yield from faults_in_opentelemetry(texts)
    if settings.backend == "cloudflare" or settings.exports_traces or settings.exports_metrics:
        exporting = settings.exports_traces or settings.exports_metrics
        yield from faults_in_certificates(environment, exporting=exporting)


def _proxy(settings: Settings, environment: Mapping[str, str]) -> Proxy | None:
    if settings.backend == "memory":
        return None
    try:
        return proxy_for(settings.cloudflare_api_url, environment)
    except InvalidProxy as error:
        text = environment[error.variable]
        raise _invalid_foreign(error.variable, text, str(error), "http://proxy.example.com:3128") from error


def _faults(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each fault of a combination of variables: the variable to change, and what is wrong."""
    if settings.backend == "cloudflare":
        yield from _cloudflare_faults(settings)
    if (settings.regex_domain_filter or settings.regex_domain_exclusion) and (
        settings.domain_filter or settings.exclude_domains
    ):
        name = "REGEX_DOMAIN_FILTER" if settings.regex_domain_filter else "REGEX_DOMAIN_EXCLUSION"
        yield name, "a domain filter is either lists (DOMAIN_FILTER, EXCLUDE_DOMAINS) or regular expressions, not both"
    if settings.port == settings.exposed_port != 0:
        # Blame the variable that was changed from its default.
        is_port_changed = settings.port == _DEFAULT_EXPOSED_PORT
        changed, other = ("PORT", "EXPOSED_PORT") if is_port_changed else ("EXPOSED_PORT", "PORT")
        yield changed, f"{other} is {settings.port} as well, and each server needs its own port"
    yield from _webhook_faults(settings)
    yield from _origin_faults(settings)


def _webhook_faults(settings: Settings) -> Iterator[tuple[str, str]]:
    if not settings.allowed_hosts and not ip_address(settings.host).is_loopback:
        fault = f"HOST is {settings.host}, which is not loopback: list the host in external-dns' --webhook-provider-url"
        yield "ALLOWED_HOSTS", fault
    if settings.webhook_password and settings.webhook_password_file:
        yield "WEBHOOK_PASSWORD", "WEBHOOK_PASSWORD and WEBHOOK_PASSWORD_FILE are mutually exclusive: keep one"


def _origin_faults(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.default_origin:
        try:
            OriginService.parse(settings.default_origin, settings.allowed_services)
        except DomainError as error:
            yield "DEFAULT_ORIGIN", str(error)
    if settings.policy_file.path and settings.allowed_origins:
        yield "ALLOWED_ORIGINS", "POLICY_FILE is set, whose tables name allowed origins instead"
    if fault := settings.policy.fault:
        yield "POLICY_FILE", fault


def _cloudflare_faults(settings: Settings) -> Iterator[tuple[str, str]]:
    token, file = settings.cloudflare_api_token, settings.cloudflare_api_token_file
    key, email = settings.cloudflare_api_key, settings.cloudflare_api_email
    if bool(key) != bool(email):
        yield (
            "CLOUDFLARE_API_KEY" if email else "CLOUDFLARE_API_EMAIL",
            "a global API key and its email must be set together",
        )
    schemes = [bool(token), bool(file), bool(key)]
    if not any(schemes):
        others = "CLOUDFLARE_API_TOKEN_FILE, or CLOUDFLARE_API_KEY and CLOUDFLARE_API_EMAIL"
        yield (
            "CLOUDFLARE_API_TOKEN",
            f"BACKEND is cloudflare, which needs it (or {others}); BACKEND=memory needs no credentials",
        )
    if sum(schemes) > 1:
        name = "CLOUDFLARE_API_TOKEN" if token else "CLOUDFLARE_API_TOKEN_FILE"
        yield (
            name,
            "CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_TOKEN_FILE and CLOUDFLARE_API_KEY are mutually exclusive: keep one",
        )
    if not settings.cloudflare_tunnel_id:
        yield (
            "CLOUDFLARE_TUNNEL_ID",
            "BACKEND is cloudflare, which needs a remotely managed tunnel to publish through",
        )


def _notices(texts: Mapping[str, str], settings: Settings, found: tuple[Misnomer, ...]) -> Iterator[str]:
    """Yield a sentence for each variable that is accepted and probably a mistake."""
    if not settings.password and not ip_address(settings.host).is_loopback:
        effect = f"anyone who can reach port {settings.port} can change every hostname, without a password"
        yield f"HOST is {settings.host}: {effect}; set WEBHOOK_PASSWORD"
    for name, replacement in RETIRED.items():
        if name in texts:
            yield f"{name} has no effect: {replacement}"
    for name in sorted(name for name in texts if _PROTOCOLS.fullmatch(name)):
        if texts[name].lower() != "http/protobuf":
            yield f"{name} has no effect: the protocol is http/protobuf, usually on port 4318"
    for misnomer in found:
        yield f"{misnomer.name} is not a setting; did you mean {misnomer.meant}?"
