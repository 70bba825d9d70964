"""What `check` finds about credentials, the clock, the account and permissions: every finding, with its cure."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from doubles.emulator import ACCOUNT, Account, Distort, Drop, Respond, Zone, seed, zone_id
from doubles.inspected import AGAIN, GARBLED, OTHER_ACCOUNT, SEED, TWO_ZONES, World, with_grants, with_token
from tunnel_webhook.adapters.cloudflare.credentials import ApiKey, ApiTokenFile
from tunnel_webhook.ports import Finding, Level

pytestmark = pytest.mark.anyio

OK, WARNING, PROBLEM, UNKNOWN = Level.OK, Level.WARNING, Level.PROBLEM, Level.UNKNOWN
DENIED = "Cloudflare answers 403, 10000: Authentication error"
UNAUTHORIZED = "Cloudflare answers 403, 9109: Unauthorized to access requested resource"
KEY = ApiKey("key", "ops@example.com")
NO_SUCH_TOKEN = "Cloudflare answers 401, 1000: Invalid API Token"  # noqa: S105 -- no secret
NEW_TOKEN = "create a new API token in the Cloudflare dashboard, and set CLOUDFLARE_API_TOKEN (or its file) to it"  # noqa: S105 -- prose
GRANT_ZONES = "grant Zone / Zone / Read on the zones to publish in"
GRANT_RECORDS = "grant Zone / DNS / Edit on the zones to publish in"
TWO_ACCOUNTS = replace(SEED, accounts={**SEED.accounts, OTHER_ACCOUNT: Account(OTHER_ACCOUNT)}).with_zone(
    Zone(zone_id("example.org"), "example.org", OTHER_ACCOUNT)
)
WITHOUT_EDIT = (
    f'{{"success":true,"result":[{{"id":"{zone_id("example.com")}","name":"example.com","status":"active",'
    f'"account":{{"id":"{ACCOUNT}"}},"permissions":["#dns_records:read","#zone:read"]}}]}}'
)
WITHOUT_LIST = WITHOUT_EDIT.replace('["#dns_records:read","#zone:read"]', "null")
REFUSED = '{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}'

FINDINGS: Mapping[str, tuple[World, Finding]] = {
    "a token that does not expire": (
        World(),
        Finding("credentials", OK, "the API token is active and does not expire"),
    ),
    "a token that expires in 14 days": (
        World(state=with_token(expires_on="2026-10-05T14:13:20Z")),
        Finding("credentials", OK, "the API token is active and expires on 2026-10-05, in 14 days"),
    ),
    "a token that expires sooner": (
        World(state=with_token(expires_on="2026-10-05T14:13:19Z")),
        Finding(
            "credentials",
            WARNING,
            "the API token is active and expires on 2026-10-05, in 13 days",
            "roll it in the Cloudflare dashboard; CLOUDFLARE_API_TOKEN_FILE takes a new one without a restart",
        ),
    ),
    "a token that has expired": (
        World(state=with_token(status="expired", expires_on="2026-09-01T00:00:00Z")),
        Finding("credentials", PROBLEM, "the API token is expired", NEW_TOKEN),
    ),
    "a token that is disabled": (
        World(state=with_token(status="disabled")),
        Finding("credentials", PROBLEM, "the API token is disabled", NEW_TOKEN),
    ),
    "a token that is not valid yet": (
        World(state=with_token(not_before="2026-12-01T06:00:00Z")),
        Finding("credentials", PROBLEM, "the API token is not valid before 2026-12-01 06:00 UTC", NEW_TOKEN),
    ),
    "a token that an account owns": (
        World(state=with_token(account=ACCOUNT)),
        Finding("credentials", OK, "the API token is active and does not expire"),
    ),
    "a token that does not exist": (
        World(state=replace(SEED, tokens={})),
        Finding("credentials", PROBLEM, NO_SUCH_TOKEN, NEW_TOKEN),
    ),
    "a token that does not exist, and no account": (
        World(state=replace(SEED, tokens={}), account=""),
        Finding(
            "credentials",
            PROBLEM,
            NO_SUCH_TOKEN,
            f"{NEW_TOKEN}; if an account owns the current token, set CLOUDFLARE_ACCOUNT_ID to it",
        ),
    ),
    "a token that works and that no endpoint verifies": (
        World(state=with_token(account=OTHER_ACCOUNT)),
        Finding(
            "credentials",
            UNKNOWN,
            f"the API token works, but whether it expires is not known: {NO_SUCH_TOKEN}",
            "look at the token in the Cloudflare dashboard",
        ),
    ),
    "a key": (
        World(state=replace(SEED, keys={"ops@example.com": "key"}), credentials=KEY),
        Finding(
            "credentials",
            WARNING,
            "the Global API Key works, and may do whatever its user may",
            "set CLOUDFLARE_API_TOKEN instead: a token can be limited to what is needed",
        ),
    ),
    "a wrong key": (
        World(credentials=KEY, faults=(Respond(path="^/zones$", status=403, body=REFUSED),)),
        Finding(
            "credentials", PROBLEM, DENIED, "check that CLOUDFLARE_API_KEY and CLOUDFLARE_API_EMAIL belong together"
        ),
    ),
    "answers that are not the API's": (
        World(faults=(Respond(status=500, times=0),)),
        Finding(
            "credentials",
            PROBLEM,
            f"cannot verify token: Cloudflare answered 500, HTTP 500 {GARBLED}",
            AGAIN,
        ),
    ),
    "a token file that does not exist": (
        World(credentials=ApiTokenFile(Path("nowhere"))),
        Finding(
            "connection",
            PROBLEM,
            "CLOUDFLARE_API_TOKEN_FILE: no token can be read from nowhere (FileNotFoundError)",
            "fix what it names, and run this again",
        ),
    ),
    "no connection": (
        World(faults=(Drop(how="refuse", times=0),)),
        Finding(
            "connection",
            PROBLEM,
            "cannot reach Cloudflare: no answer from Cloudflare (ConnectError)",
            "check that Cloudflare's API can be reached from here: name resolution, firewall, CLOUDFLARE_API_URL",
        ),
    ),
    "a clock that is right": (World(ahead=30), Finding("clock", OK, "ours is within 30 s of Cloudflare's")),
    "a clock that is ahead": (
        World(ahead=90),
        Finding(
            "clock",
            WARNING,
            "ours is 90 s ahead of Cloudflare's",
            "set this machine's clock by NTP: the validity of certificates and tokens depends on it",
        ),
    ),
    "a clock that is behind": (
        World(ahead=-31),
        Finding(
            "clock",
            WARNING,
            "ours is 31 s behind Cloudflare's",
            "set this machine's clock by NTP: the validity of certificates and tokens depends on it",
        ),
    ),
    "a clock that cannot be compared": (
        World(ahead=None),
        Finding("clock", UNKNOWN, "no response carried the time", "check that NTP sets this machine's clock"),
    ),
    "an account that is set": (World(), Finding("account", OK, f"{ACCOUNT} (CLOUDFLARE_ACCOUNT_ID)")),
    "the account of the zones": (World(account=""), Finding("account", OK, f"{ACCOUNT} (the account of the zones)")),
    "zones in two accounts": (
        World(state=TWO_ACCOUNTS, account=""),
        Finding(
            "account",
            PROBLEM,
            f"it is not set, and the zones are in 2 accounts ({OTHER_ACCOUNT}, {ACCOUNT})",
            "set CLOUDFLARE_ACCOUNT_ID to the account of the tunnels",
        ),
    ),
    "no zone that shows an account": (
        World(state=with_grants(zone_read=()), account=""),
        Finding(
            "account",
            PROBLEM,
            "it is not set, and the zones do not show which it is",
            "set CLOUDFLARE_ACCOUNT_ID to the account of the tunnels",
        ),
    ),
    "visible zones": (World(), Finding("permission Zone:Read", OK, "visible zones: 1")),
    "no permission to list zones": (
        World(state=with_grants(zone_read=())),
        Finding(
            "permission Zone:Read",
            PROBLEM,
            "Cloudflare answers 403, 0: Actor 'com.cloudflare.api.token.ed17574386854bf78a67040be0a770b0' requires"
            " permission 'com.cloudflare.api.account.zone.list' to list zones",
            f"{GRANT_ZONES}, or name them in CLOUDFLARE_ZONE_IDS",
        ),
    ),
    "no zone": (
        World(state=seed([])),
        Finding(
            "permission Zone:Read",
            PROBLEM,
            "no zone is visible",
            f"{GRANT_ZONES}, and check that CLOUDFLARE_ACCOUNT_ID is their account",
        ),
    ),
    "no zone in any account": (
        World(state=seed([]), account=""),
        Finding("permission Zone:Read", PROBLEM, "no zone is visible", GRANT_ZONES),
    ),
    "a zone that does not exist": (
        World(zone_ids=(OTHER_ACCOUNT,)),
        Finding(
            "permission Zone:Read",
            PROBLEM,
            f"cannot read zone (CLOUDFLARE_ZONE_IDS {OTHER_ACCOUNT}): check CLOUDFLARE_ACCOUNT_ID,"
            " CLOUDFLARE_TUNNEL_ID and CLOUDFLARE_ZONE_IDS: one of them is not a valid id"
            " (Cloudflare: 404, 1003: Invalid or missing zone id.)",
            "fix what it names, and run this again",
        ),
    ),
    "records that are read": (World(), Finding("permission DNS:Read", OK, "granted in 1 of 1 zones")),
    "no permission to read records": (
        World(state=with_grants(dns_read=(), dns_write=())),
        Finding(
            "permission DNS:Read",
            PROBLEM,
            "denied in example.com: Cloudflare answers 403, 9109: Unauthorized to access requested resource",
            "grant Zone / DNS / Edit, which includes reading, on every visible zone",
        ),
    ),
    "records that one zone denies": (
        World(state=with_grants(TWO_ZONES, dns_read=(zone_id("example.com"),), dns_write=())),
        Finding(
            "permission DNS:Read",
            PROBLEM,
            "denied in example.org: Cloudflare answers 403, 9109: Unauthorized to access requested resource",
            "grant Zone / DNS / Edit, which includes reading, on every visible zone",
        ),
    ),
    "permission to edit records that a list names": (
        World(),
        Finding(
            "permission DNS:Edit",
            UNKNOWN,
            "unknown until the first write, though Cloudflare's legacy list of permissions has it",
            f"if the write is refused, {GRANT_RECORDS}",
        ),
    ),
    "permission to edit records without a list": (
        World(faults=(Distort(path="^/zones$", body=WITHOUT_LIST),)),
        Finding(
            "permission DNS:Edit", UNKNOWN, "unknown until the first write", f"if the write is refused, {GRANT_RECORDS}"
        ),
    ),
    "permission to edit records that a list lacks": (
        World(faults=(Distort(path="^/zones$", body=WITHOUT_EDIT),)),
        Finding(
            "permission DNS:Edit",
            WARNING,
            "Cloudflare's legacy list of permissions lacks it in example.com; only a write will prove it",
            GRANT_RECORDS,
        ),
    ),
    "tunnels that are read": (
        World(),
        Finding("permission Cloudflare Tunnel:Read", OK, "granted for 1 of 1 tunnels"),
    ),
    "no permission to read tunnels": (
        World(state=with_grants(tunnel_read=(), tunnel_write=())),
        Finding(
            "permission Cloudflare Tunnel:Read",
            PROBLEM,
            "denied for blue: Cloudflare answers 403, 9109: Unauthorized to access requested resource",
            f"grant Account / Cloudflare Tunnel / Edit on account {ACCOUNT},"
            " or set CLOUDFLARE_ACCOUNT_ID if they are in another",
        ),
    ),
    "permission to edit tunnels": (
        World(),
        Finding(
            "permission Cloudflare Tunnel:Edit",
            UNKNOWN,
            "unknown until the first write: no read proves it",
            "if the write is refused, grant Account / Cloudflare Tunnel / Edit",
        ),
    ),
}


@pytest.mark.parametrize(("world", "finding"), FINDINGS.values(), ids=FINDINGS.keys())
async def test_it_finds(world: World, finding: Finding) -> None:
    assert await world.findings_about(finding.subject) == [finding]


async def test_every_finding_but_ok_has_a_cure() -> None:
    findings = [finding for world, _ in FINDINGS.values() for finding in await world.findings()]

    assert [finding for finding in findings if finding.level is not OK and not finding.cure] == []


@pytest.mark.parametrize(
    "name", ["a token that does not exist", "a token that is disabled", "a wrong key", "answers that are not the API's"]
)
async def test_without_valid_credentials_nothing_else_is_judged(name: str) -> None:
    world, _ = FINDINGS[name]

    assert [finding.subject for finding in await world.findings()] == ["credentials", "clock"]


async def test_a_tunnel_that_may_not_be_read_is_reported_once() -> None:
    findings = await World(state=with_grants(tunnel_read=(), tunnel_write=())).findings()

    assert [finding.subject for finding in findings if "unnel" in finding.subject or "blue" in finding.subject] == [
        "permission Cloudflare Tunnel:Read",
        "permission Cloudflare Tunnel:Edit",
    ]


async def test_of_many_names_only_the_first_are_shown() -> None:
    names = [f"z{number}.example" for number in range(8)]
    world = World(state=with_grants(seed(names), dns_read=(), dns_write=()))

    (denial,) = await world.findings_about("permission DNS:Read")

    assert denial.sentence == f"denied in {', '.join(names[:5])} and 3 more: {UNAUTHORIZED}"
