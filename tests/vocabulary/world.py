"""A tunnel and a zone that a person edited by hand: unknown keys, odd numbers and escapes, records of many types.

The documents are written as Cloudflare returns them, so that they keep every character there too.
"""

from tunnel_webhook.domain.dns import target_of
from vocabulary.builders import BLUE, record

ADMIN = (
    '{"path":"^/admin","service":"http://by-hand:80","hostname":"hand.example.com",'
    '"originRequest":{"new":1.50,"connectTimeout":10}}'
)
HAND = (
    '{"note":"\\u00fc","service":"https://hand:443","hostname":"hand.example.com","originRequest":{"noTLSVerify":true}}'
)
WILD = '{"weight":1E2,"service":"http://wild:80","hostname":"*.wild.example.com"}'
EVERYWHERE = '{"path":"^/everywhere","service":"http_status:418"}'
CATCH_ALL = '{"service":"http_status:404","originRequest":{}}'


def document(*rules: str) -> str:
    """Return a document of these rules and a catch-all."""
    ingress = ",".join((*rules, CATCH_ALL))
    return (
        f'{{"x":1.50,"ingress":[{ingress}],"warp-routing":{{"enabled":true}},"originRequest":{{"connectTimeout":30}}}}'
    )


RULES = (ADMIN, HAND, WILD, EVERYWHERE)
DOCUMENT = document(*RULES)
RECORDS = (
    record("example.com", "10 mail.example.com", "MX"),
    record("hand.example.com", target_of(BLUE), proxied=True, comment="made by hand, owner=ops"),
    record("like.example.com", target_of(BLUE), proxied=True, comment="heritage=tunnel-webhooks,owner=x"),
    record("www.example.com", "192.0.2.1", "A", proxied=True),
    record("_acme-challenge.app.example.com", "token", "TXT"),
    record("elsewhere.example.com", target_of("0a0a0a0a-0000-4000-8000-000000000000"), proxied=True),
    record("cname-app.example.com", '"heritage=external-dns,external-dns/owner=old"', "TXT"),
)
