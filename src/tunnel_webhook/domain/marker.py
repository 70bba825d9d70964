"""The marker: what the comment of a claiming record says, in at most 100 characters.

    heritage=tunnel-webhook,owner=<owner>,paths=<paths>[,ns=<digest>][,adopted][,leaving=<time><paths>][,resource=<…>]

100 characters are the limit of Cloudflare's Free plan ("Record attributes"). Values are `%`-escaped.

| key         | says                                                                                              |
|-------------|---------------------------------------------------------------------------------------------------|
| `owner`     | whose the hostname is                                                                             |
| `paths`     | which of its rules are ours (`claimed_paths`); every rule where the key is missing                |
| `ns`        | a digest of the namespace that holds the hostname                                                 |
| `adopted`   | a person made the record: it is unmarked in the end, not deleted                                  |
| `releasing` | the hostname was deleted at that time, in seconds since the epoch: all its paths are released     |
| `leaving`   | these paths were deleted at that time (10 digits), and the others stay                            |
| `resource`  | the Kubernetes resource that asks for it; `~` and a digest where it does not fit                  |
| others      | kept as they are, as far as they fit                                                              |

What follows a space is a person's note, and is kept where it fits. Until a deleted path is released, its rule stays
ours to remove, should a late or simultaneous write bring it back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

from tunnel_webhook.domain.claimed_paths import EVERY_PATH, NO_PATHS, ClaimedPaths, digest_of
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts
from tunnel_webhook.domain.quotation import quoted

HERITAGE = "heritage=tunnel-webhook"
MAX_COMMENT = 100

_KNOWN = frozenset({"owner", "paths", "ns", "adopted", "releasing", "leaving", "resource"})
_TIME = re.compile(r"[0-9]{1,10}")
_LEAVING = re.compile(r"([0-9]{10})(.+)")
_DIGEST = re.compile(r"~[A-Za-z0-9_-]{5}")
_TO_ESCAPE = re.compile(r"[%,=\x00-\x20\x7f-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Marker:
    """The content of a claim.

    `paths` are published, `leaving` were deleted at `since` (seconds since the epoch) and are still ours. `namespace`
    is a digest. `others` are keys that we do not know, `note` is a person's text.

    Raises InvalidEndpoint for an owner that is empty or does not fit, and for paths that do not fit.
    """

    owner: str
    resource: str = ""
    paths: ClaimedPaths = EVERY_PATH
    leaving: ClaimedPaths = NO_PATHS
    since: int | None = None
    namespace: str = ""
    adopted: bool = False
    others: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Check that the owner and the paths fit."""
        if not self.owner:
            raise InvalidEndpoint(Reason.INVALID_OWNER, "the owner is empty: set OWNER_ID")
        needed = len(",".join(self._needed))
        if needed <= MAX_COMMENT:
            return
        length = len(f"{HERITAGE},owner={_escape(self.owner)},paths=.")
        if length > MAX_COMMENT:
            sentence = (
                f"owner {quoted(self.owner)} makes a marker of {length} characters, and a record's comment holds"
                f" {MAX_COMMENT}: choose a shorter owner id"
            )
            raise InvalidEndpoint(Reason.INVALID_OWNER, sentence)
        sentence = (
            f"the marker of its record would have {needed} characters, and a record's comment holds {MAX_COMMENT}:"
            " use fewer paths, or a shorter owner id"
        )
        raise InvalidEndpoint(Reason.TOO_MANY_PATHS, sentence)

    @staticmethod
    def parse(comment: str) -> Marker | None:
        """Return the marker in a comment; None for any other text, and for a marker that we could not write."""
        return _markers[comment]

    @property
    def comment(self) -> str:
        """The marker as a comment, with as much as fits of what is not needed."""
        return next(text for text in self._candidates() if len(text) <= MAX_COMMENT)

    @property
    def named(self) -> ClaimedPaths:
        """The paths whose rules are ours, those that are leaving included."""
        return self.paths | self.leaving if self.leaving else self.paths

    @property
    def is_releasing(self) -> bool:
        """Whether all paths are leaving, and so the hostname."""
        return not self.paths

    @property
    def known_resource(self) -> str:
        """The resource, or nothing where only its digest fits."""
        return "" if _DIGEST.fullmatch(self.resource) else self.resource

    def _candidates(self) -> Iterator[str]:
        needed = ",".join(self._needed)
        others = "".join(f",{other}" for other in self.others)
        note = f" {self.note}" if self.note else ""
        resource, digest = self._resources()
        yield f"{needed}{others}{resource}{note}"
        yield f"{needed}{others}{digest}{note}"
        for kept in (others, ""):
            yield f"{needed}{kept}{resource}"
            yield f"{needed}{kept}{digest}"
        yield needed

    @property
    def _needed(self) -> tuple[str, ...]:
        texts = [HERITAGE, f"owner={_escape(self.owner)}", f"paths={(self.paths or self.leaving).text}"]
        texts += [f"ns={self.namespace}"] if self.namespace else []
        texts += ["adopted"] if self.adopted else []
        if self.is_releasing:
            texts.append(f"releasing={self.since}")
        elif self.leaving:
            texts.append(f"leaving={self.since:010}{self.leaving.text}")
        return tuple(texts)

    def _resources(self) -> tuple[str, str]:
        if not self.resource:
            return "", ""
        short = self.resource if _DIGEST.fullmatch(self.resource) else f"~{digest_of(self.resource)}"
        return f",resource={_escape(self.resource)}", f",resource={short}"


def _parse_marker(comment: str) -> Marker | None:
    text, _, note = comment.partition(" ")
    heritage, *pairs = text.split(",")
    if heritage != HERITAGE:
        return None
    values = {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
    paths = ClaimedPaths.parse(values["paths"]) if "paths" in values else EVERY_PATH
    if not paths:
        return None
    leaving, since = NO_PATHS, None
    if _TIME.fullmatch(values.get("releasing", "")):
        paths, leaving, since = NO_PATHS, paths, int(values["releasing"])
    elif (parts := _LEAVING.fullmatch(values.get("leaving", ""))) and (gone := ClaimedPaths.parse(parts[2])):
        leaving, since = gone - paths, int(parts[1])
    try:
        return Marker(
            owner=unquote(values.get("owner", "")),
            resource=unquote(values.get("resource", "")),
            paths=paths,
            leaving=leaving,
            since=since if leaving else None,
            namespace=values.get("ns", ""),
            adopted="adopted" in values,
            others=tuple(pair for pair in pairs if pair.partition("=")[0] not in _KNOWN),
            note=note,
        )
    except InvalidEndpoint:
        return None


def _weigh(comment: str, marker: Marker | None) -> int:
    texts = cast("tuple[str, ...]", (marker.owner, marker.resource, marker.note, *marker.others) if marker else ("",))
    paths = len(marker.named.digests) if marker else 0
    return weight_of_texts(comment, texts) + 200 + 60 * paths


_markers = Memo(_parse_marker, _weigh, 8 * MIB)


def _escape(text: str) -> str:
    return _TO_ESCAPE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode(errors="replace")), text)
