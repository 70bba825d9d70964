"""Hypothesis strategies for odd documents: what cloudflared accepts, what it refuses, and the borders between both."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ODD: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "fixtures" / "oddities.json").read_text())


def odd(kind: str) -> st.SearchStrategy[str]:
    """Return one of the texts of a kind."""
    return st.sampled_from(ODD[kind])


whole = st.sampled_from((0, 1, -1, 30, 2**63 - 1, 2**63, -(2**63) - 1, 2**64 - 1, 2**64))
fractions = st.sampled_from((1.0, 1.5, 1e2, -0.0))
scalars = st.one_of(st.none(), st.booleans(), whole, fractions, st.sampled_from(("", "10s", "10", "true", "x")))
values = st.one_of(
    scalars, st.lists(scalars, max_size=2), st.dictionaries(st.sampled_from(("a", "required")), scalars, max_size=1)
)
texts = st.sampled_from(("", "x", "socks"))
ip_rules = st.fixed_dictionaries(
    {},
    optional={
        "prefix": st.one_of(odd("prefixes"), st.none()),
        "ports": st.one_of(st.none(), st.lists(st.sampled_from((80, 1, 65535, 0, 65536, -1, None)), max_size=2)),
        "allow": st.one_of(st.booleans(), st.none()),
    },
)
access = st.fixed_dictionaries(
    {},
    optional={
        "required": st.sampled_from((True, True, False, None)),
        "teamName": st.sampled_from(("acme", "", None)),
        "audTag": st.one_of(st.none(), st.lists(st.sampled_from(("x", "", None)), max_size=2)),
        "environment": texts,
    },
)
origin_requests = st.fixed_dictionaries(
    {},
    optional={
        "connectTimeout": st.one_of(whole, whole, st.none()),
        "keepAliveConnections": whole,
        "proxyPort": st.sampled_from((0, 80, 2**64 - 1)),
        "noTLSVerify": st.booleans(),
        "bastionMode": st.sampled_from((True, False, None)),
        "httpHostHeader": texts,
        "ipRules": st.one_of(st.none(), st.lists(st.one_of(ip_rules, st.none()), max_size=2)),
        "access": st.one_of(st.none(), access),
        "unknown": values,
    },
)
odd_origin_requests = st.dictionaries(odd("originKeys"), values, max_size=2)
separators = st.sampled_from(("://", "://", "://", ":", ":/", "//", ":///"))
urls = st.tuples(odd("schemes"), separators, odd("users"), odd("hosts"), odd("ports"), odd("tails")).map("".join)
services = st.one_of(st.sampled_from(("http://app:80", "https://[::1]:443", "http_status:404")), odd("services"), urls)


@st.composite
def respelled(draw: st.DrawFn, members: dict[str, Any]) -> dict[str, Any]:
    """Return an object, sometimes with one key in another spelling, which Go may or may not read."""
    if not members or draw(st.integers(0, 3)):
        return members
    key = draw(st.sampled_from(sorted(members)))
    same = (key.upper(), key.capitalize(), key.replace("s", "\u017f").replace("k", "\u212a"))
    spelling = draw(st.sampled_from((*same, key + "\u00df", key + "_")))
    return {spelling if name == key else name: value for name, value in members.items()}


def rules() -> st.SearchStrategy[dict[str, Any]]:
    """Return a rule, any part of which may be odd."""
    good = st.just("http://app:80")
    routed = st.fixed_dictionaries({"service": good, "hostname": odd("hostnames"), "path": odd("expressions")})
    served = st.fixed_dictionaries(
        {"service": services},
        optional={
            "hostname": odd("hostnames"),
            "path": odd("expressions"),
            "originRequest": origin_requests,
            "note": values,
        },
    )
    misfit = st.fixed_dictionaries(
        {},
        optional={
            "service": st.one_of(good, values),
            "hostname": values,
            "path": values,
            "originRequest": st.one_of(values, odd_origin_requests),
        },
    )
    return st.one_of(routed, routed, served.flatmap(respelled), served, misfit)


@st.composite
def odd_documents(draw: st.DrawFn) -> str:
    """Return a document, any part of which cloudflared may refuse."""
    found = draw(st.lists(rules(), max_size=3))
    if draw(st.integers(0, 9)):
        found.append({"service": "http_status:404"})
    rest: dict[str, Any] = draw(
        st.one_of(
            st.sampled_from(({}, {}, {"warp-routing": {"enabled": True}}, {"originRequest": {"bastionMode": True}})),
            st.dictionaries(
                st.sampled_from(("originRequest", "warp-routing", "ingress", "tunnel")),
                st.one_of(values, odd_origin_requests),
                max_size=1,
            ),
        )
    )
    return json.dumps(draw(respelled({"ingress": found} | rest)), ensure_ascii=draw(st.booleans()))
