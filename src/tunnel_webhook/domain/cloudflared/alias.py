"""The second name under which cloudflared knows a rule: its hostname as A-labels (Go's `idna.Lookup`)."""

from __future__ import annotations

from tunnel_webhook.domain.idna_lookup import to_a_labels
from tunnel_webhook.domain.memo import MIB, Memo, weight_of_texts


def alias_of(hostname: str) -> str:
    """Return the A-label form of a rule's hostname; nothing where it does not differ, or where Go refuses the name.

    `idna.Lookup` follows UTS 46, so symbols pass that IDNA 2008 refuses, and names with `*` or `_` do not.
    """
    if hostname.isascii() and "xn--" not in hostname and hostname == hostname.lower():
        return ""
    return _aliases[hostname]


def _alias_of(hostname: str) -> str:
    try:
        alias = to_a_labels(hostname, only_international=False)
    except UnicodeError:
        return ""
    return "" if alias == hostname else alias


_aliases = Memo(_alias_of, weight_of_texts, MIB)
