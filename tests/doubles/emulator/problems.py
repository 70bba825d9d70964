"""Every error that the emulator itself answers with: status, code and message, and whether they are confirmed.

Confirmed errors are cited in the project's reference (cloudflare-api.md 2.5, 5.7, 7) or were seen in public issues. The
others carry `unconfirmed`: another status or code would be no surprise.
"""

from __future__ import annotations

from msgspec.structs import replace

from doubles.emulator.values import Value


class Problem(Value, frozen=True):
    """An error of the API; `{}` in the message is filled in, `terse` leaves `messages` and `result` out of the body."""

    status: int
    code: int
    message: str
    chain: tuple[tuple[int, str], ...] = ()
    """The causes, in `error_chain`."""

    more: tuple[tuple[int, str], ...] = ()
    """Further errors after the first."""

    terse: bool = False
    unconfirmed: bool = False

    def about(self, *facts: object) -> Problem:
        """Return the problem with its message filled in."""
        return replace(self, message=self.message.format(*facts))


class Refused(Exception):
    """A request that is answered with a problem, and changes nothing."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem."""
        super().__init__(problem.message)
        self.problem = problem


_HEADERS = "Invalid request headers"

# Credentials
NO_CREDENTIALS = Problem(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
MALFORMED_TOKEN = Problem(400, 6003, _HEADERS, ((6111, "Invalid format for Authorization header"),))
MALFORMED_KEY = Problem(400, 6003, _HEADERS, ((6103, "Invalid format for X-Auth-Key header"),))
TWO_SCHEMES = Problem(400, 6003, _HEADERS, unconfirmed=True)
INVALID_TOKEN = Problem(401, 1000, "Invalid API Token")
AUTHENTICATION_ERROR = Problem(403, 10000, "Authentication error")
INVALID_ACCESS_TOKEN = Problem(403, 9109, "Invalid access token")
UNAUTHORIZED = Problem(403, 9109, "Unauthorized to access requested resource")
READ_ONLY = Problem(403, 10000, "{} method not allowed for the api_token authentication scheme", terse=True)
NO_ZONE_LIST = Problem(
    403,
    0,
    "Actor 'com.cloudflare.api.token.{}' requires permission 'com.cloudflare.api.account.zone.list' to list zones",
)
RATE_LIMITED = Problem(429, 971, "Please wait and consider throttling your request speed")

# Requests
_NO_ROUTE = "No route for that URI"
NO_ROUTE = Problem(404, 7000, _NO_ROUTE)
BAD_IDENTIFIER = Problem(
    404,
    7003,
    "Could not route to {}, perhaps your object identifier is invalid?",
    more=((7000, _NO_ROUTE),),
)
WRONG_METHOD = Problem(405, 10405, "Method not allowed", unconfirmed=True)
NOT_JSON = Problem(
    400,
    6003,
    _HEADERS,
    ((6105, "Invalid Content-Type header, valid values are application/json,multipart/form-data"),),
    unconfirmed=True,
)
MALFORMED_BODY = Problem(400, 6007, "Malformed JSON in request body", unconfirmed=True)
INVALID_BODY = Problem(400, 9207, "Request body is invalid.", unconfirmed=True)
INVALID_PAGE = Problem(400, 1004, "{} must be between {} and {}", unconfirmed=True)
UNKNOWN_TUNNEL = Problem(404, 1003, "Tunnel not found", unconfirmed=True)
UNKNOWN_ZONE = Problem(404, 1003, "Invalid or missing zone id.", unconfirmed=True)

# Configurations
CONFIGURATION_MISSING = Problem(404, 1055, "Configuration for tunnel not found")
BAD_CONFIGURATION = Problem(400, 1056, "Bad Configuration: Validation failed: {}\n")
LOCALLY_MANAGED = Problem(400, 1056, "Bad Configuration: the tunnel is locally managed", unconfirmed=True)

# DNS records
HOST_TAKEN = Problem(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
CNAME_TAKEN = Problem(
    400,
    81054,
    "A CNAME record with that host already exists. For more details, refer to"
    " <https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/>.",
)
NS_TAKEN = Problem(400, 81055, "An NS record cannot exist beside another record with that host.", unconfirmed=True)
IDENTICAL = Problem(400, 81058, "An identical record already exists.")
RECORD_GONE = Problem(404, 81044, "Record does not exist.")
QUOTA_EXCEEDED = Problem(400, 81045, "Record quota exceeded.")
FREE_DOMAIN = Problem(403, 1038, "You cannot use this API for domains with a .cf, .ga, .gq, .ml, or .tk TLD.")
INVALID_NAME = Problem(400, 9000, "DNS name is invalid.", unconfirmed=True)
INVALID_TYPE = Problem(400, 9004, "DNS record type is invalid.", unconfirmed=True)
TYPE_CHANGED = Problem(400, 9004, "The type of a DNS record cannot be changed.", unconfirmed=True)
INVALID_A = Problem(400, 9005, "Content for A record must be a valid IPv4 address.")
INVALID_AAAA = Problem(400, 9006, "Content for AAAA record must be a valid IPv6 address.", unconfirmed=True)
INVALID_CNAME = Problem(400, 9007, "Content for CNAME record is invalid.", unconfirmed=True)
CNAME_TO_ITSELF = Problem(400, 9039, "CNAME content cannot reference itself.", unconfirmed=True)
INVALID_TXT = Problem(400, 9207, "Content for a record of type TXT is invalid.")
INVALID_TTL = Problem(400, 9021, "Invalid TTL. Must be between {} and 86400 seconds, or 1 for automatic.")
NOT_PROXIABLE = Problem(400, 9041, "This DNS record cannot be proxied.")
TOO_MANY_TAGS = Problem(400, 9300, "DNS record has {} tags, exceeding the quota of {}.")
COMMENT_TOO_LONG = Problem(400, 9313, "DNS record comment exceeds the maximum length of {} characters.")
BATCH_TOO_LARGE = Problem(400, 9400, "The batch exceeds the limit of {} operations.", unconfirmed=True)
