"""DNS: the tunnel that a record points at, and the writes of one request."""

import pytest

from tunnel_webhook.domain.dns import RecordBatch, target_of
from vocabulary.builders import BLUE, record


@pytest.mark.parametrize(
    ("content", "record_type", "tunnel"),
    [
        pytest.param(f"{BLUE}.cfargotunnel.com", "CNAME", BLUE, id="a tunnel"),
        pytest.param(f"{BLUE.upper()}.CFARGOTUNNEL.COM.", "CNAME", BLUE, id="a tunnel in another spelling"),
        pytest.param("lb.example.net", "CNAME", "", id="elsewhere"),
        pytest.param("cfargotunnel.com", "CNAME", "", id="the domain of the tunnels"),
        pytest.param(f"{BLUE}.cfargotunnel.com", "TXT", "", id="not a CNAME"),
    ],
)
def test_a_cname_points_at_a_tunnel(content: str, record_type: str, tunnel: str) -> None:
    assert record("app.example.com", content, record_type).tunnel == tunnel


def test_the_target_of_a_tunnel_points_at_it() -> None:
    assert target_of(BLUE) == f"{BLUE}.cfargotunnel.com"
    assert record("app.example.com", target_of(BLUE)).tunnel == BLUE


def test_a_batch_holds_its_records_in_the_order_in_which_they_are_written() -> None:
    one, two, three = (record(f"{name}.example.com", "x") for name in "abc")
    batch = RecordBatch(deletes=(one, two), patches=(two, three), posts=(three, one))
    assert len(batch) == 6
    assert batch.records == (one, two, two, three, three, one)
