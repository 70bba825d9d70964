"""Whose credentials are used, and what they allow, as far as reading shows.

| subject             | level   | when                                                             |
|---------------------|---------|------------------------------------------------------------------|
| credentials         | ok      | the API token is active                                          |
| credentials         | warning | it expires within 14 days, or a Global API Key is used instead   |
| credentials         | problem | it is disabled, expired or not valid yet, or it opens nothing    |
| credentials         | unknown | it opens something, but no endpoint verifies it                  |
| clock               | ok      | ours is within 30 s of Cloudflare's                              |
| clock               | warning | ours is further away                                             |
| clock               | unknown | no response carried the time                                     |
| account             | ok      | it is set, or all zones are in one                               |
| account             | problem | it is not set, and the zones are not in exactly one              |
| permission …:Read   | ok      | something could be read with it                                  |
| permission …:Read   | problem | reading was denied, or no zone is visible                        |
| permission DNS:Edit | warning | Cloudflare lists the permissions on a zone without it            |
| permission …:Edit   | unknown | otherwise: no read proves it, and nothing is written to find out |

The list of permissions on a zone is a legacy field, which Cloudflare describes as the membership of a user: it proves
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tunnel_webhook.adapters.cloudflare.check.observations import Observations, cure_of, is_denied, sentence_of
from tunnel_webhook.adapters.cloudflare.codec import StoredTunnel, Usage, VerifiedToken
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Failure, Finding, Level

_EXPIRES_SOON = timedelta(days=14)
_CLOCK_TOLERANCE = timedelta(seconds=30)
_NEW_TOKEN = "create a new API token in the Cloudflare dashboard, and set CLOUDFLARE_API_TOKEN (or its file) to it"  # noqa: S105 -- prose
_EDIT_DNS = "#dns_records:edit"
_NAMES_SHOWN = 5


def about_credentials(observations: Observations) -> Finding:
    """Judge the credentials; everything else is worth judging only if these are no problem."""
    subject, token = "credentials", observations.token
    if isinstance(token, VerifiedToken):
        return _about_token(token, datetime.fromtimestamp(observations.now, UTC))
    if lockout := observations.lockout:
        return Finding(subject, Level.PROBLEM, sentence_of(lockout), _cure_of_lockout(lockout, observations))
    if token is None:
        sentence = "the Global API Key works, and may do whatever its user may"
        cure = "set CLOUDFLARE_API_TOKEN instead: a token can be limited to what is needed"
        return Finding(subject, Level.WARNING, sentence, cure)
    sentence = f"the API token works, but whether it expires is not known: {sentence_of(token)}"
    return Finding(subject, Level.UNKNOWN, sentence, "look at the token in the Cloudflare dashboard")


def _cure_of_lockout(lockout: Failure, observations: Observations) -> str:
    if not is_denied(lockout):
        return cure_of(lockout)
    if observations.token is None:
        return "check that CLOUDFLARE_API_KEY and CLOUDFLARE_API_EMAIL belong together"
    if isinstance(observations.account, Failure):
        return f"{_NEW_TOKEN}; if an account owns the current token, set CLOUDFLARE_ACCOUNT_ID to it"
    return _NEW_TOKEN


def _about_token(token: VerifiedToken, now: datetime) -> Finding:
    subject = "credentials"
    begins, ends = token.not_before, token.expires_on
    if ends and ends <= now:
        return Finding(subject, Level.PROBLEM, "the API token is expired", _NEW_TOKEN)
    if token.status != "active":
        return Finding(subject, Level.PROBLEM, f"the API token is {token.status or 'of unknown status'}", _NEW_TOKEN)
    if begins and begins > now:
        sentence = f"the API token is not valid before {begins:%Y-%m-%d %H:%M} UTC"
        return Finding(subject, Level.PROBLEM, sentence, _NEW_TOKEN)
    if ends is None:
        return Finding(subject, Level.OK, "the API token is active and does not expire")
    sentence = f"the API token is active and expires on {ends:%Y-%m-%d}, in {(ends - now).days} days"
    if ends - now < _EXPIRES_SOON:
        cure = "roll it in the Cloudflare dashboard; CLOUDFLARE_API_TOKEN_FILE takes a new one without a restart"
        return Finding(subject, Level.WARNING, sentence, cure)
    return Finding(subject, Level.OK, sentence)


def about_clock(observations: Observations) -> Finding:
    """Judge our clock by Cloudflare's."""
    try:
        theirs = parsedate_to_datetime(observations.date).replace(tzinfo=UTC)
    except ValueError:
        cure = "check that NTP sets this machine's clock"
        return Finding("clock", Level.UNKNOWN, "no response carried the time", cure)
    ahead = datetime.fromtimestamp(observations.now, UTC) - theirs
    if abs(ahead) > _CLOCK_TOLERANCE:
        direction = "ahead of" if ahead > timedelta() else "behind"
        sentence = f"ours is {abs(ahead.total_seconds()):.0f} s {direction} Cloudflare's"
        cure = "set this machine's clock by NTP: the validity of certificates and tokens depends on it"
        return Finding("clock", Level.WARNING, sentence, cure)
    return Finding("clock", Level.OK, f"ours is within {_CLOCK_TOLERANCE.total_seconds():.0f} s of Cloudflare's")


def about_account(observations: Observations) -> Finding:
    """Judge in which account the tunnels are looked for."""
    if isinstance(observations.account, Failure):
        zones = () if isinstance(observations.zones, Failure) else observations.zones.values()
        accounts = sorted({zone.account_id for zone in zones} - {""})
        sentence = "it is not set, and the zones do not show which it is"
        if accounts:
            sentence = f"it is not set, and the zones are in {len(accounts)} accounts ({', '.join(accounts)})"
        return Finding("account", Level.PROBLEM, sentence, "set CLOUDFLARE_ACCOUNT_ID to the account of the tunnels")
    source = "CLOUDFLARE_ACCOUNT_ID" if observations.is_account_set else "the account of the zones"
    return Finding("account", Level.OK, f"{observations.account} ({source})")


def about_permissions(observations: Observations, policy: Policy) -> Iterator[Finding]:
    """Judge the permissions that are needed, one after the other."""
    yield from _to_read_zones(observations)
    yield from _to_read_records(observations)
    yield from _to_edit_records(observations)
    yield from _to_read_tunnels(observations, policy)
    if observations.tunnels:
        yield Finding(
            "permission Cloudflare Tunnel:Edit",
            Level.UNKNOWN,
            "unknown until the first write: no read proves it",
            "if the write is refused, grant Account / Cloudflare Tunnel / Edit",
        )


def _to_read_zones(observations: Observations) -> Iterator[Finding]:
    subject, zones = "permission Zone:Read", observations.zones
    cure = "grant Zone / Zone / Read on the zones to publish in"
    if is_denied(zones):
        yield Finding(subject, Level.PROBLEM, sentence_of(zones), f"{cure}, or name them in CLOUDFLARE_ZONE_IDS")
    elif isinstance(zones, Failure):
        yield Finding(subject, Level.PROBLEM, str(zones), cure_of(zones))
    elif not zones:
        account = ", and check that CLOUDFLARE_ACCOUNT_ID is their account" if observations.is_account_set else ""
        yield Finding(subject, Level.PROBLEM, "no zone is visible", cure + account)
    else:
        yield Finding(subject, Level.OK, f"visible zones: {len(zones)}")


def _to_read_records(observations: Observations) -> Iterator[Finding]:
    subject, usages = "permission DNS:Read", observations.usages
    denials = {zone.name: usage for zone, usage in usages.items() if is_denied(usage)}
    if denials:
        sentence = f"denied in {_shown(denials)}: {sentence_of(next(iter(denials.values())))}"
        cure = "grant Zone / DNS / Edit, which includes reading, on every visible zone"
        yield Finding(subject, Level.PROBLEM, sentence, cure)
    elif granted := sum(isinstance(usage, Usage) for usage in usages.values()):
        yield Finding(subject, Level.OK, f"granted in {granted} of {len(usages)} zones")


def _to_edit_records(observations: Observations) -> Iterator[Finding]:
    subject = "permission DNS:Edit"
    if isinstance(observations.zones, Failure) or not observations.zones:
        return
    listed = {zone.name: details.listed_permissions for zone, details in observations.zones.items()}
    without = [name for name, permissions in listed.items() if permissions and _EDIT_DNS not in permissions]
    cure = "grant Zone / DNS / Edit on the zones to publish in"
    if without:
        sentence = f"Cloudflare's legacy list of permissions lacks it in {_shown(without)}; only a write will prove it"
        yield Finding(subject, Level.WARNING, sentence, cure)
    else:
        hint = ", though Cloudflare's legacy list of permissions has it" if all(listed.values()) else ""
        sentence = f"unknown until the first write{hint}"
        yield Finding(subject, Level.UNKNOWN, sentence, f"if the write is refused, {cure}")


def _to_read_tunnels(observations: Observations, policy: Policy) -> Iterator[Finding]:
    subject, tunnels = "permission Cloudflare Tunnel:Read", observations.tunnels
    denials = {
        policy.tunnel_label(tunnel): observation.denial for tunnel, observation in tunnels.items() if observation.denial
    }
    if denials:
        sentence = f"denied for {_shown(denials)}: {sentence_of(next(iter(denials.values())))}"
        account = f"account {observations.account}, or set CLOUDFLARE_ACCOUNT_ID if they are in another"
        yield Finding(subject, Level.PROBLEM, sentence, f"grant Account / Cloudflare Tunnel / Edit on {account}")
    elif granted := sum(isinstance(observation.tunnel, StoredTunnel | Refused) for observation in tunnels.values()):
        yield Finding(subject, Level.OK, f"granted for {granted} of {len(tunnels)} tunnels")


def _shown(names: Collection[str]) -> str:
    """Return names in a sentence; of many, only the first."""
    first = list(names)[:_NAMES_SHOWN]
    rest = len(names) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest else "")
