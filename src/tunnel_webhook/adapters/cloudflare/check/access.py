"""Who asks, and what they may do, as far as reading tells.

| subject                              | verdict  | when                                                                   |
|--------------------------------------|----------|------------------------------------------------------------------------|
| credentials                          | ok       | the API token is active                                                |
| credentials                          | warning  | it expires within 14 days, or a Global API Key takes its place         |
| credentials                          | problem  | it is disabled, expired, not valid yet, or nothing is answered to it   |
| credentials                          | unknown  | it opens something, and no endpoint verifies it                        |
| clock                                | warning  | ours is more than 30 s away from Cloudflare's                          |
| clock                                | unknown  | no answer told the time                                                |
| account                              | problem  | it is not set, and the zones do not tell which it is                   |
| permission …:Read                    | problem  | a reading was denied, or no zone is seen                               |
| permission …:Edit                    | unknown  | always: no reading proves it, and nothing is written to find out       |
| permission DNS:Edit                  | warning  | Cloudflare lists the permissions for a zone, and this is not in it     |

The list of permissions in a zone is a legacy, which Cloudflare describes as the membership of a user: it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from tunnel_webhook.adapters.cloudflare.check.observations import Sightings, cure_of, is_denied, told
from tunnel_webhook.adapters.cloudflare.codec import Tunnel, Usage, VerifiedToken
from tunnel_webhook.adapters.cloudflare.failures import Refused
from tunnel_webhook.domain.external_dns.policy import Policy
from tunnel_webhook.ports import Failure, Finding, Level

EXPIRES_SOON = timedelta(days=14)
CLOCK_TOLERANCE = timedelta(seconds=30)

_NEW_TOKEN = "make a new API token in the Cloudflare dashboard, and set CLOUDFLARE_API_TOKEN (or its file) to it"  # noqa: S105 -- prose
_EDIT_DNS = "#dns_records:edit"
_AT_MOST = 5


def about_credentials(sightings: Sightings) -> Finding:
    """Judge the credentials; all else is worth telling only where these are no problem."""
    subject, token = "credentials", sightings.token
    if isinstance(token, VerifiedToken):
        return _about_token(token, datetime.fromtimestamp(sightings.now, UTC))
    if lockout := sightings.lockout:
        return Finding(subject, Level.PROBLEM, told(lockout), _cure_of_lockout(lockout, sightings))
    if token is None:
        sentence = "the Global API Key works, and may do whatever its user may"
        return Finding(
            subject,
            Level.WARNING,
            sentence,
            "set CLOUDFLARE_API_TOKEN in its place: a token may do only what it must",
        )
    sentence = f"the API token works, but whether it expires is not known: {told(token)}"
    return Finding(subject, Level.UNKNOWN, sentence, "look at the token in the Cloudflare dashboard")


def _cure_of_lockout(lockout: Failure, sightings: Sightings) -> str:
    if not is_denied(lockout):
        return cure_of(lockout)
    if sightings.token is None:
        return "see that CLOUDFLARE_API_KEY and CLOUDFLARE_API_EMAIL belong together"
    owned = "; if an account owns the present one, CLOUDFLARE_ACCOUNT_ID must name it"
    return _NEW_TOKEN + (owned if isinstance(sightings.account, Failure) else "")


def _about_token(token: VerifiedToken, now: datetime) -> Finding:
    subject = "credentials"
    begins, ends = token.not_before, token.expires_on
    if token.status != "active" or (ends and ends <= now):
        what = "expired" if ends and ends <= now else token.status or "of no status that Cloudflare tells"
        return Finding(subject, Level.PROBLEM, f"the API token is {what}", _NEW_TOKEN)
    if begins and begins > now:
        sentence = f"the API token is valid only from {begins:%Y-%m-%d %H:%M} UTC on"
        return Finding(subject, Level.PROBLEM, sentence, _NEW_TOKEN)
    if ends is None:
        return Finding(subject, Level.OK, "the API token is active and does not expire")
    soon = ends - now < EXPIRES_SOON
    cure = (
        "roll it in the Cloudflare dashboard; CLOUDFLARE_API_TOKEN_FILE takes a new one without a restart"
        if soon
        else ""
    )
    sentence = f"the API token is active and expires on {ends:%Y-%m-%d}, in {(ends - now).days} days"
    return Finding(subject, Level.WARNING if soon else Level.OK, sentence, cure)


def about_clock(sightings: Sightings) -> Finding:
    """Judge our clock by Cloudflare's."""
    try:
        theirs = parsedate_to_datetime(sightings.date).replace(tzinfo=UTC)
    except ValueError:
        return Finding("clock", Level.UNKNOWN, "no answer told the time", "see that this machine keeps its time by NTP")
    ahead = datetime.fromtimestamp(sightings.now, UTC) - theirs
    seconds = f"{abs(ahead.total_seconds()):.0f} s {'ahead of' if ahead > timedelta() else 'behind'} Cloudflare's"
    if abs(ahead) > CLOCK_TOLERANCE:
        cure = "keep the time of this machine by NTP: certificates and tokens are judged by it"
        return Finding("clock", Level.WARNING, f"ours is {seconds}", cure)
    return Finding("clock", Level.OK, f"ours is within {CLOCK_TOLERANCE.total_seconds():.0f} s of Cloudflare's")


def about_account(sightings: Sightings) -> Finding:
    """Judge which account the tunnels are looked for in."""
    if isinstance(sightings.account, Failure):
        sentence = "it is not set, and the zones do not tell which it is"
        if not isinstance(sightings.zones, Failure) and sightings.zones:
            found = sorted({stored.account_id for stored in sightings.zones.values()} - {""})
            sentence = f"it is not set, and the zones are in {len(found)} ({', '.join(found)})"
        return Finding("account", Level.PROBLEM, sentence, "set CLOUDFLARE_ACCOUNT_ID to the account of the tunnels")
    whence = "CLOUDFLARE_ACCOUNT_ID" if sightings.is_account_given else "that of the zones"
    return Finding("account", Level.OK, f"{sightings.account} ({whence})")


def about_permissions(sightings: Sightings, policy: Policy) -> Iterator[Finding]:
    """Judge the permissions that are needed, one after the other."""
    yield from _to_read_zones(sightings)
    yield from _to_read_records(sightings)
    yield from _to_edit_records(sightings)
    yield from _to_read_tunnels(sightings, policy)
    if sightings.tunnels:
        yield Finding(
            "permission Cloudflare Tunnel:Edit",
            Level.UNKNOWN,
            "unknown until the first write: no reading proves it",
            "if that is refused, grant Account / Cloudflare Tunnel / Edit",
        )


def _to_read_zones(sightings: Sightings) -> Iterator[Finding]:
    subject, zones = "permission Zone:Read", sightings.zones
    cure = "grant Zone / Zone / Read on the zones to publish in"
    if is_denied(zones):
        yield Finding(subject, Level.PROBLEM, told(zones), f"{cure}, or name them in CLOUDFLARE_ZONE_IDS")
    elif isinstance(zones, Failure):
        yield Finding(subject, Level.PROBLEM, str(zones), cure_of(zones))
    elif not zones:
        given = ", and see that CLOUDFLARE_ACCOUNT_ID is their account" if sightings.is_account_given else ""
        yield Finding(subject, Level.PROBLEM, "no zone is seen", cure + given)
    else:
        yield Finding(subject, Level.OK, f"zones seen: {len(zones)}")


def _to_read_records(sightings: Sightings) -> Iterator[Finding]:
    subject = "permission DNS:Read"
    denied = [zone.name for zone, usage in sightings.usages.items() if is_denied(usage)]
    answer = next((told(usage) for usage in sightings.usages.values() if is_denied(usage)), "")
    if denied:
        cure = "grant Zone / DNS / Edit, which holds for reading, on every zone that is seen"
        yield Finding(subject, Level.PROBLEM, f"denied in {_named(denied)}: {answer}", cure)
    elif granted := sum(isinstance(usage, Usage) for usage in sightings.usages.values()):
        yield Finding(subject, Level.OK, f"granted in {granted} of {len(sightings.usages)} zones")


def _to_edit_records(sightings: Sightings) -> Iterator[Finding]:
    subject = "permission DNS:Edit"
    if isinstance(sightings.zones, Failure) or not sightings.zones:
        return
    listed = {zone.name: set(stored.listed_permissions) for zone, stored in sightings.zones.items()}
    without = [name for name, permissions in listed.items() if permissions and _EDIT_DNS not in permissions]
    cure = "grant Zone / DNS / Edit on the zones to publish in"
    if without:
        sentence = f"Cloudflare's legacy list of permissions lacks it in {_named(without)}; only a write will prove it"
        yield Finding(subject, Level.WARNING, sentence, cure)
    else:
        hint = ", though Cloudflare's legacy list of permissions names it" if all(listed.values()) else ""
        yield Finding(subject, Level.UNKNOWN, f"unknown until the first write{hint}", f"if that is refused, {cure}")


def _to_read_tunnels(sightings: Sightings, policy: Policy) -> Iterator[Finding]:
    subject = "permission Cloudflare Tunnel:Read"
    refused = {policy.tunnel_label(tunnel): each.refusal for tunnel, each in sightings.tunnels.items() if each.refusal}
    if refused:
        answer = next(told(refusal) for refusal in refused.values() if refusal)
        account = f"account {sightings.account}, or set CLOUDFLARE_ACCOUNT_ID if they are in another"
        cure = f"grant Account / Cloudflare Tunnel / Edit on {account}"
        yield Finding(subject, Level.PROBLEM, f"denied for {_named(refused)}: {answer}", cure)
    elif granted := sum(isinstance(each.tunnel, Tunnel | Refused) for each in sightings.tunnels.values()):
        yield Finding(subject, Level.OK, f"granted for {granted} of {len(sightings.tunnels)} tunnels")


def _named(names: Iterable[str]) -> str:
    """Return names in a sentence; of many, only the first."""
    found = list(names)
    rest = f" and {len(found) - _AT_MOST} more" if len(found) > _AT_MOST else ""
    return ", ".join(found[:_AT_MOST]) + rest
