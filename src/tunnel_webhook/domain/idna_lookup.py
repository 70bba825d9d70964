"""International names under look-up rules: UTS 46 as Go's `idna.Lookup` has it, which cloudflared uses.

They accept more than the rules for registration (IDNA 2008): names with emoji are registered, and looked up.
"""

from __future__ import annotations

from unicodedata import bidirectional

import idna

_PREFIX = "xn--"
_JOINERS = "\u200c\u200d"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})


def to_a_labels(name: str, *, only_international: bool) -> str:
    """Return a name with its labels as A-labels; raise UnicodeError for a name that Go refuses.

    With `only_international`, `*` is left as it is, and so are ASCII labels, such as `_dmarc`, unless another label is
    written from right to left: then all of them have to agree on a direction.
    """
    mapped = idna.uts46_remap(name, std3_rules=not only_international).split(".")
    labels = [_to_u_label(label) for label in mapped]
    right_to_left = any(bidirectional(character) in _RIGHT_TO_LEFT for label in labels for character in label)
    for label, given in zip(labels, mapped, strict=True):
        is_plain = given == "*" or (not right_to_left and given.isascii() and not given.startswith(_PREFIX))
        if label and not (only_international and is_plain):
            _check_label(label, right_to_left=right_to_left)
    return ".".join(label if label.isascii() else _PREFIX + label.encode("punycode").decode() for label in labels)


def to_u_labels(name: str) -> str:
    """Return a name of A-labels that `to_a_labels` made, in Unicode."""
    labels = name.split(".")
    return ".".join(
        label[len(_PREFIX) :].encode().decode("punycode") if label.startswith(_PREFIX) else label for label in labels
    )


def _to_u_label(label: str) -> str:
    if not label.startswith(_PREFIX):
        return label
    encoded = label.removeprefix(_PREFIX)
    decoded = encoded.encode().decode("punycode")
    if encoded.rfind("-") == 0 or idna.uts46_remap(decoded) != decoded:
        message = f"{label!r} encodes characters that UTS 46 maps or refuses"
        raise idna.IDNAError(message)
    return decoded


def _check_label(label: str, *, right_to_left: bool) -> None:
    """Raise IDNAError for a label that `idna.Lookup` refuses; it looks for hyphens among the bytes."""
    octets = label.encode()
    if label.startswith("-") or label.endswith("-") or (octets[2:4] == b"--" and len(octets) > len("xx--")):
        message = f"{label!r} has a misplaced hyphen"
        raise idna.IDNAError(message)
    if not label.isascii():
        # A `_` beside international characters has no A-label; `_` alone is left to the callers.
        idna.uts46_remap(label)
    idna.check_initial_combiner(label)
    if right_to_left:
        idna.check_bidi(label, check_ltr=True)
    if not all(idna.valid_contextj(label, index) for index, character in enumerate(label) if character in _JOINERS):
        message = f"{label!r} has a misplaced joiner"
        raise idna.IDNAError(message)
