"""Variables that are not settings, although whoever set them expected them to be.

| a variable that is not a setting, and                            | counts as                               |
|------------------------------------------------------------------|-----------------------------------------|
| differs from a setting in case or punctuation only               | that setting, misspelt                  |
| differs in 1 letter, or in 2 where the setting has 10 or more    | that setting, misspelt                  |
| begins with `MAX_DELETE`, or nearly so                           | a limit on deletions, misspelt          |
| is a setting after `WEBHOOK_`, `TUNNEL_WEBHOOK_`, `EXTERNAL_DNS_`| that setting, under another name        |
| is the name that another tool gives to one                       | that setting, under another name        |
| is what Kubernetes sets for a Service                            | nothing                                 |
| is anything else                                                 | nothing                                 |

Settings of 5 letters or less, such as `PORT`, are compared with nothing: too many names are close to them. To ignore a
misspelt `DRY_RUN`, `OWNER_ID`, `POLICY_FILE` or `MAX_DELETE…` would write or delete what was not meant, so these are
`critical`. Of a variable of external-dns that is never true: a ConfigMap may set it for both containers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

FOREIGN_NAMES: Mapping[str, str] = {
    "CF_API_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CF_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CF_DNS_API_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CLOUDFLARE_DNS_API_TOKEN": "CLOUDFLARE_API_TOKEN",
    "CF_API_KEY": "CLOUDFLARE_API_KEY",
    "CLOUDFLARE_KEY": "CLOUDFLARE_API_KEY",
    "CF_API_EMAIL": "CLOUDFLARE_API_EMAIL",
    "CLOUDFLARE_EMAIL": "CLOUDFLARE_API_EMAIL",
    "CF_ACCOUNT_ID": "CLOUDFLARE_ACCOUNT_ID",
    "CF_ZONE_ID": "CLOUDFLARE_ZONE_IDS",
    "CLOUDFLARE_ZONE_ID": "CLOUDFLARE_ZONE_IDS",
    "CF_TUNNEL_ID": "CLOUDFLARE_TUNNEL_ID",
    "TUNNEL_ID": "CLOUDFLARE_TUNNEL_ID",
    "TXT_OWNER_ID": "OWNER_ID",
    "EXTERNAL_DNS_TXT_OWNER_ID": "OWNER_ID",
}
"""What cloudflared, lego, cert-manager, Terraform and external-dns call what is a setting here."""

_CRITICAL = frozenset({"DRY_RUN", "OWNER_ID", "POLICY_FILE"})
_LIMITS, _LIMIT = "MAX_DELETE", "MAX_DELETES_FLOOR or MAX_DELETE_RATIO"
_EXTERNAL_DNS = "EXTERNAL_DNS_"
_PREFIXES = ("TUNNEL_WEBHOOK_", "WEBHOOK_", _EXTERNAL_DNS)
_LONG, _SHORTEST = 10, 6
_OF_A_SERVICE = re.compile(r".+_(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)(?:_.+)?)")
_ADDRESS_OF_A_SERVICE = re.compile(r"(?:tcp|udp|sctp)://\S+")


@dataclass(frozen=True, slots=True)
class Misnomer:
    """A variable that is not a setting, the setting that was probably meant, and whether to ignore it does harm."""

    name: str
    meant: str
    is_critical: bool


def misnomers(texts: Mapping[str, str], settings: Collection[str]) -> Iterator[Misnomer]:
    """Yield what the table says, in the order of the variables; `texts` is by name, and has no empty text."""
    known = {*settings, *_CRITICAL}
    by_letters = {_letters(name): name for name in known if len(_letters(name)) >= _SHORTEST}
    for name, text in texts.items():
        if name in known or _OF_A_SERVICE.fullmatch(name) or _ADDRESS_OF_A_SERVICE.fullmatch(text):
            continue
        meant = _meant(name, known, by_letters)
        if meant:
            critical = meant in _CRITICAL or meant.startswith(_LIMITS)
            yield Misnomer(name, meant, critical and not name.startswith(_EXTERNAL_DNS))


def _meant(name: str, known: Collection[str], by_letters: Mapping[str, str]) -> str:
    if name in FOREIGN_NAMES:
        return FOREIGN_NAMES[name]
    for prefix in _PREFIXES:
        if name.startswith(prefix) and name.removeprefix(prefix) in known:
            return name.removeprefix(prefix)
    letters = _letters(name)
    distances = {ours: _distance(letters, ours) for ours in by_letters if abs(len(letters) - len(ours)) <= 2}  # noqa: PLR2004 -- the most that is misspelt
    near = {ours: distance for ours, distance in distances.items() if distance <= (2 if len(ours) >= _LONG else 1)}
    if near:
        return by_letters[min(near, key=lambda ours: (near[ours], ours))]
    limits = _letters(_LIMITS)
    return _LIMIT if len(letters) >= len(limits) and _distance(letters[: len(limits)], limits) <= 1 else ""


def _letters(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())


def _distance(left: str, right: str) -> int:
    """Return how many letters are missing, added, replaced or swapped with the next (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left, start=1):
        before, above, row = row, before, [i]
        for j, other in enumerate(right, start=1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other)))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                row[j] = min(row[j], above[j - 2] + 1)
    return row[-1]
