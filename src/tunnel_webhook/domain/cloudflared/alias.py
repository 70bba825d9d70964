"""The second name under which cloudflared knows a rule: its hostname as A-labels (Go's `idna.Lookup`)."""

from __future__ import annotations

from unicodedata import bidirectional

import idna

from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts

_JOINERS = "\u200c\u200d"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def alias_of(hostname: str) -> str:
    """Return the A-label form of a rule's hostname; nothing where it does not differ, or where Go refuses the name.

    `idna.Lookup` follows UTS 46, so symbols pass that IDNA 2008 refuses, and names with `*` or `_` do not.
    """
    if hostname.isascii() and "xn--" not in hostname and hostname == hostname.lower():
        return ""
    return _aliases[hostname]


def _alias_of(hostname: str) -> str:
    try:
        labels = [_to_u_label(label) for label in idna.uts46_remap(hostname, std3_rules=True).split(".")]
        right_to_left = any(bidirectional(character) in _RIGHT_TO_LEFT for label in labels for character in label)
        for label in filter(None, labels):
            _check_lookup(label, right_to_left=right_to_left)
    except UnicodeError:
        return ""
    alias = ".".join(label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels)
    return "" if alias == hostname else alias


_aliases = Memo(_alias_of, weight_of_texts, MIB)


def _to_u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    encoded = label.removeprefix("xn--")
    decoded = encoded.encode().decode("punycode")
    if encoded.rfind("-") == 0 or idna.uts46_remap(decoded) != decoded:
        message = f"{label!r} encodes characters that UTS 46 maps or refuses"
        raise idna.IDNAError(message)
    return decoded


def _check_lookup(label: str, *, right_to_left: bool) -> None:
    """Raise IDNAError for a label that `idna.Lookup` refuses; it looks for hyphens among the bytes."""
    octets = label.encode()
    if label.startswith("-") or label.endswith("-") or (octets[2:4] == b"--" and len(octets) > len("xx--")):
        message = f"{label!r} has a misplaced hyphen"
        raise idna.IDNAError(message)
    idna.check_initial_combiner(label)
    if right_to_left:
        idna.check_bidi(label, check_ltr=True)
    if not all(idna.valid_contextj(label, index) for index, character in enumerate(label) if character in _JOINERS):
        message = f"{label!r} has a misplaced joiner"
        raise idna.IDNAError(message)
