"""What Cloudflare stores becomes values of the domain, and what is written becomes bytes."""

import json
from pathlib import Path

import msgspec
import pytest

from tunnel_webhook.adapters.cloudflare.codec import (
    StoredConfiguration,
    StoredRecord,
    StoredTunnel,
    StoredZone,
    encode_batch,
    encode_configuration,
    records_of,
)
from tunnel_webhook.adapters.cloudflare.envelope import Answer, decode_response
from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.dns import DnsRecord, RecordBatch
from tunnel_webhook.domain.hostname import Hostname
from vocabulary.builders import TUNNEL, claim, record

SAMPLES = Path(__file__).parents[1] / "fixtures" / "cloudflare"


def result_of(name: str) -> msgspec.Raw:
    """Return the result in a recorded response."""
    answer = decode_response(200, {}, (SAMPLES / f"{name}.json").read_bytes())
    assert isinstance(answer, Answer)
    return answer.result


def test_a_recorded_configuration_keeps_its_text_through_both_directions() -> None:
    stored = msgspec.json.decode(result_of("200-configuration"), type=StoredConfiguration)
    document = TunnelConfiguration.parse(stored.text, stored.version or 0)
    assert document.version == 1
    assert document.rules[-1].service == "http_status:404"
    sent = encode_configuration(document)
    assert json.loads(sent) == {"config": json.loads(stored.text)}
    assert all(rule.text in sent.decode() for rule in document.rules)
    assert '"originRequest":{"connectTimeout":10}' in sent.decode()


def test_a_fresh_configuration_is_an_empty_document() -> None:
    stored = msgspec.json.decode(result_of("200-configuration-fresh"), type=StoredConfiguration)
    assert stored.text == "null"
    assert stored.version == 0
    assert stored.source == "cloudflare"
    assert TunnelConfiguration.parse(stored.text).rules == ()


def test_unknown_keys_and_the_digits_of_numbers_are_sent_back() -> None:
    text = (
        '{"ingress":[{"service":"http_status:404","x":1.50}],"warp-routing":{"enabled":true},"unknown":[1E2,"\\u0041"]}'
    )
    sent = encode_configuration(TunnelConfiguration.parse(text)).decode()
    assert sent == f'{{"config":{text}}}'


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ('{"config_src":"local","remote_config":false}', True),
        ('{"config_src":"local"}', True),
        ('{"remote_config":false}', True),
        ('{"config_src":"cloudflare","remote_config":true}', False),
        ('{"remote_config":true}', False),
        ("{}", False),
    ],
    ids=["both", "only config_src", "only remote_config", "remote", "only remote_config true", "neither"],
)
def test_a_tunnel_is_local_if_either_field_says_so(text: str, is_local: bool) -> None:  # noqa: FBT001 -- an expectation
    assert msgspec.json.decode(text, type=StoredTunnel).is_local is is_local


def test_recorded_records_become_records_of_the_domain() -> None:
    stored = msgspec.json.decode(result_of("200-records"), type=list[StoredRecord])
    app, txt = records_of(stored)
    assert app == DnsRecord(
        "app.example.com", "CNAME", f"{TUNNEL}.cfargotunnel.com", proxied=True, id="023e105f4ecef8ad9ca31a8372d0c353"
    )
    assert txt.type == "TXT"
    assert txt.comment == "managed"
    assert not txt.proxied


def test_a_record_is_dated_in_seconds_since_the_epoch() -> None:
    text = b'{"id":"1","name":"a.example.com","type":"A","created_on":"2023-11-14T22:13:20.5Z"}'
    assert msgspec.json.decode(text, type=StoredRecord).record.created == 1_700_000_000.5


def test_a_record_with_only_the_required_fields_can_be_read() -> None:
    stored = msgspec.json.decode(b'{"id":"1","name":"App.Example.com.","type":"SRV"}', type=StoredRecord)
    assert stored.record == DnsRecord("app.example.com", "SRV", "", id="1")


@pytest.mark.parametrize(
    ("plan", "is_paid"),
    [('{"legacy_id":"free"}', False), ('{"legacy_id":"pro"}', True), ("{}", False), ("null", False)],
    ids=["free", "pro", "unknown", "absent"],
)
def test_a_plan_counts_as_paid_only_if_it_says_so(plan: str, is_paid: bool) -> None:  # noqa: FBT001 -- an expectation
    text = f'{{"id":"1","name":"example.com","plan":{plan}}}'
    assert msgspec.json.decode(text, type=StoredZone).is_paid is is_paid


def test_a_zone_without_an_account_has_no_account_id() -> None:
    assert msgspec.json.decode(b'{"id":"1","name":"example.com","account":null}', type=StoredZone).account_id == ""


def test_a_batch_deletes_by_id_patches_only_what_we_decide_and_posts_proxied_records_with_automatic_ttl() -> None:
    removed, changed = record("old.example.com", "x", uid="1"), claim("app.example.com")
    new = claim(Hostname("new.example.com"))
    body = json.loads(encode_batch(RecordBatch((removed,), (changed,), (new,))))
    assert body["deletes"] == [{"id": "1"}]
    decided = {"content": changed.content, "proxied": True, "comment": changed.comment}
    assert body["patches"] == [{"id": changed.id, **decided}]
    assert body["posts"] == [{"name": "new.example.com", "type": "CNAME", "ttl": 1, **decided}]
    assert list(body) == ["deletes", "patches", "posts"]
