"""Hypothesis strategies for documents as odd as JSON allows: what cloudflared takes and what it refuses, and why."""

import json
from typing import Any

from hypothesis import strategies as st

HOST_PARTS = (
    "a", "app.example.com", "A.b", "[::1]", "[::1%25eth0]", "[fe80::1%25]", "[::ffff:1.2.3.4]", "[1.2.3.4]", "[::1", "::1", "1.2.3.4", "x:y",
    "a b", "bücher", "a%20b", "a%41", "%zz", "%", "a_b", "a\\b", "a|b", "a^b", "a`b", 'a"b', "<a>", "(a)", "a,b", "a{b}", "*", "", ".", "..", "a[b]",
    "[a]", "[]", "[::1]x", "[::g]", "[1::2::3]", "[::01]", "[::00001]", "[1:2:3:4:5:6:7::]", "[::1.2.3.04]", "[::1%25a b]", "[::1%25%41]", "%e4", "[%e4]",
    "[::ffff:1.2.3.4%25eth0]", "[::1%25é]", "[::1%é]", "[::1%251%252]",
)  # fmt: skip
SCHEMES = ("http", "https", "HTTP", "tcp", "ssh", "ws", "foo", "1http", "h+t.p-", "", "ht_tp", "unix", "unix+tls", "é")
PORTS = ("", ":80", ":", ":0", ":99999", ":8 0", ":abc", ":80:81", ":٨", ":-1", ":80a")
USERS = ("", "", "", "u@", "u:p@", "u@v@", "u%zz@", "u b@", "ü@", "u<@", "@")
TAILS = (
    "",
    "",
    "",
    "/",
    "/x",
    "?",
    "?q",
    "??",
    "?q=%zz",
    "#",
    "#f",
    "#%zz",
    "/%zz",
    "/%20",
    "#a#b",
    " ",
    "\\",
    "\x7f",
    "\t",
    "é",
    "/../",
    "?a/b",
    "#/é",
)
PLAIN_SERVICES = (
    "", "http_status:200", "http_status:", "http_status:99", "http_status:1000", "http_status:+200", "http_status:-1", "http_status: 200", "http_status:0x10",
    "http_status:00000000404", "http_status:99999999999999999999", "http_status:1_00", "http_status:٢٠٠", "HTTP_STATUS:200", "hello_world", "hello-world",
    "Hello_World", "bastion", "Bastion", "socks-proxy", "unix:", "unix:/a", "unix+tls:", "unix+tls:///x", "UNIX:/a", "unix", "localhost:8080", "192.168.1.1:80",
    "http:a", "http:", "http:/a", "http:///a", "//a", "///a", "*", ":", ":a", "a", "a/b:c", "/a:b", "?", "#", "http://a\nb", "mailto:a@b", "a:b", "http://a:80 ",
)  # fmt: skip
HOSTNAMES = (
    "", "*", "a.example.com", "A.Example.COM", "*.example.com", "*.Example.com", "**.x", "a.*.x", "*.*.x", "*x", "x*", "a.example.com:80", "a:", ":80", ":", "[::1]",
    "[::1]:80", "[a]:", "[a]b:80", "[a", "a]:80", "[a]]:1", "a:b:c", "::1", "[::1]:[", "http://a.example.com", " a.example.com", "a..b", ".a", "a.", "-a.x", "a-.x",
    "under_score.x", "bücher.example.com", "*.bücher.example.com", "xn--bcher-kva.example.com", "XN--BCHER-KVA.example.com", "xn--", "xn--a", "xn--zzzzzz", "☃.x", "faß.x",
    "FAẞ.x", "ab--cd.x", "a。b", "ａ.x", "Kelvin.x", "a\u00adb.x", "\u200d.x", "a\u200db.x", "אב.x", "אa.x", "1א.x", "é.x", "e\u0301.x", "İ.x", "ǅ.x",
    "\u0301a.x", "a/b", "a,b", "a b", "l" * 64, "É" + "l" * 64, "xn--80ak6aa92e.com", "xn--maana-pta.com", "xn--MAANA-pta.com", "․.x", "℡.x", "♥", "a\u2260b", "xn--bcher-Kva",
)  # fmt: skip
EXPRESSIONS = (
    "", "^/api(/|$)", "/api", "[", "(", ")", "*", "+", "?", "a**", "a*?*", "a{2}{3}", "a{1001}", "a{1000}", "a{,5}", "a{2,1}", "(a{1000}){1000}", "((a{100}){10})", "(?=a)", "(?!a)",
    "(?<=a)", r"\1", r"(a)\1", r"\C", r"\\C", r"[\C]", r"\Qa\E", r"\Q\C\E", r"\Qa", r"\Z", r"\z", r"\A", r"\b", r"\B", r"\h", r"\R", r"\X", r"\K", r"\G", r"\e", r"\cA", r"\a\f\t\n\r\v",
    r"\x41", r"\x{41}", r"\x{110000}", r"\x4", r"\x", r"\u0041", r"\08", r"\01", r"\8", r"\pL", r"\p{Greek}", r"\p{^Greek}", r"\PL", r"\p{Nope}", r"\p", r"\pé", r"[[:alpha:]]", "[[:nope:]]",
    "[[:^alpha:]]", "[a-z]", "[z-a]", r"[a-\d]", r"[\d-z]", "[]a]", "[]", "[^]a]", "[^]", "[a", r"[\]]", "[a-]", "[-a]", "[--a]", "(?i)A", "(?I)", "(?s).", "(?m)^", "(?U)a+", "(?x)a", "(?P<n>a)",
    "(?<n>a)", "(?P<n>a)(?P<n>b)", "(?P<é>a)", "(?P<>a)", "(?P<1>a)", "(?P<a-b>a)", "(?P=n)", "(?'n'a)", "(?#c)", "(?:a)", "(?i:a)", "(?i-s:a)", "(?-i)", "(?i", "(?", "(?)", "(?-)", "(?i-)", "(?:)", "(|a)",
    "a||b", "|", "^*", "$*", "^+", r"\b+", "(?i)(?s)", "a++", "a?+", "é+", "[é-ü]", ".", r"\.", r"\/", r"\-", r"\ ", r"\_", r"\é", r"\<", r"\"", "\\", "a\\", r"\pN{2}", "{", "}", "a{", "a{1", "a{1,", "{1}", "x{0}",
    "(?:a{0,1000}){0,2}", "()", "())", "(()", "\x00", "a\nb", "\n", "(?s)a.b", "^/[a-f0-9]{8}$", r"\d{3}", r"\w+\W\s\S\D", "(?i)straße", "(?i)ſ", "(?i)k", "[[a]]", "[[.a.]]", "[[=a=]]", r"\N", r"\N{x}", r"\o{7}",
)  # fmt: skip
REQUEST_HOSTS = (
    "a.example.com", "a.example.com:8443", "A.EXAMPLE.COM", "b.a.example.com", "example.com", "example.com.", ".example.com", "", ":80", "a:b:c", "[::1]", "[::1]:80", "a]:80",
    "xn--bcher-kva.example.com", "bücher.example.com", "a.xn--bcher-kva.example.com", "faß.x", "xn--fa-hia.x", "fass.x", "xn--n3h.x", "ab", "a.b", "a.x", "xn--9dbne9b.x", "x", "*", "*.example.com",
    "under_score.x", "xn--maana-pta.com", "kelvin.x", "ab--cd.x", "xn--e-xbb.x", "xn--9ca.x", "é.x", "-a.x", "a.",
)  # fmt: skip
REQUEST_PATHS = ("", "/", "/api", "/api/x", "/A", "/é", "/a\nb", "/aaa", "/x{0}")

whole = st.sampled_from((0, 1, -1, 30, 2**63 - 1, 2**63, -(2**63) - 1, 2**64 - 1, 2**64))
fractions = st.sampled_from((1.0, 1.5, 1e2, -0.0))
scalars = st.one_of(st.none(), st.booleans(), whole, fractions, st.sampled_from(("", "10s", "10", "true", "x")))
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(st.sampled_from(("a", "required")), scalars, max_size=1))
texts = st.sampled_from(("", "x", "socks"))
ip_rules = st.fixed_dictionaries(
    {},
    optional={
        "prefix": st.sampled_from(("10.0.0.0/8", "10.0.0.1/8", "::/0", "1.2.3.4", "", "x/8", "10.0.0.0/33", "10.0.0.0/08", "::/129", "fe80::%eth0/64", "010.0.0.0/8", "::1.2.3.4/120", "10.0.0.0/-1", "10.0.0.0/", None)),
        "ports": st.one_of(st.none(), st.lists(st.sampled_from((80, 1, 65535, 0, 65536, -1, None)), max_size=2)),
        "allow": st.one_of(st.booleans(), st.none()),
    },
)  # fmt: skip
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
ORIGIN_KEYS = (
    "connectTimeout", "tlsTimeout", "tcpKeepAlive", "noHappyEyeballs", "keepAliveConnections", "keepAliveTimeout", "httpHostHeader", "originServerName", "matchSNItoHost", "caPool",
    "noTLSVerify", "disableChunkedEncoding", "bastionMode", "proxyAddress", "proxyPort", "proxyType", "ipRules", "http2Origin", "access",
)  # fmt: skip
odd_origin_requests = st.dictionaries(st.sampled_from(ORIGIN_KEYS), values, max_size=2)

urls = st.tuples(
    *map(st.sampled_from, (SCHEMES, ("://", "://", "://", ":", ":/", "//", ":///"), USERS, HOST_PARTS, PORTS, TAILS))
).map("".join)
services = st.one_of(
    st.sampled_from(("http://app:80", "https://[::1]:443", "http_status:404")), st.sampled_from(PLAIN_SERVICES), urls
)


@st.composite
def respelled(draw: st.DrawFn, members: dict[str, Any]) -> dict[str, Any]:
    """Return an object with one key spelled otherwise."""
    if not members or draw(st.integers(0, 3)):
        return members
    key = draw(st.sampled_from(sorted(members)))
    spelling = draw(
        st.sampled_from((key.upper(), key.capitalize(), key.replace("s", "ſ").replace("k", "\u212a"), key + "ß", key + "_"))
    )
    return {spelling if name == key else name: value for name, value in members.items()}


def rules(*, valid_service: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Return a rule that may be odd in one place or another."""
    good = st.just("http://app:80")
    plain = st.fixed_dictionaries(
        {"service": good if valid_service else services},
        optional={
            "hostname": st.sampled_from(HOSTNAMES),
            "path": st.sampled_from(EXPRESSIONS),
            "originRequest": origin_requests,
            "note": values,
        },
    )
    odd = st.fixed_dictionaries(
        {},
        optional={
            "service": st.one_of(good, values),
            "hostname": values,
            "path": values,
            "originRequest": st.one_of(values, odd_origin_requests),
        },
    )
    return st.one_of(plain, plain, plain, odd).flatmap(respelled)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a document of which any part may be such as cloudflared refuses."""
    matched = st.fixed_dictionaries(
        {"service": st.just("http://app:80"), "hostname": st.sampled_from(HOSTNAMES), "path": st.sampled_from(EXPRESSIONS)}
    )
    found = draw(st.lists(st.one_of(matched, rules()), max_size=3))
    if draw(st.integers(0, 9)):
        found.append({"service": "http_status:404"})
    document: dict[str, Any] = draw(
        st.sampled_from(({}, {}, {"warp-routing": {"enabled": True}}, {"originRequest": {"bastionMode": True}}))
    )
    if not draw(st.integers(0, 9)):
        document = {
            draw(st.sampled_from(("originRequest", "warp-routing", "ingress", "tunnel", "TunnelID"))): draw(
                st.one_of(values, odd_origin_requests)
            )
        }
    document = draw(respelled({"ingress": found, **document}))
    return json.dumps(document, ensure_ascii=draw(st.booleans()))
