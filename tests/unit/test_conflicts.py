"""Why a hostname cannot be claimed beside the records that exist."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.dns import target_of
from tunnel_webhook.domain.errors import Reason
from tunnel_webhook.domain.hostname import Hostname
from tunnel_webhook.domain.marker import Marker
from tunnel_webhook.domain.planning.conflicts import record_conflict
from vocabulary.builders import BLUE, claim, record

APP = Hostname("app.example.com")


def test_a_record_of_ours_that_was_pointed_elsewhere_is_called_that() -> None:
    moved = replace(claim(APP), content="elsewhere.example.net")

    sentence = (
        "the CNAME record of app.example.com carries the marker of this service, but someone pointed it elsewhere"
        f" (elsewhere.example.net): point it at {target_of(BLUE)}, or remove it"
    )
    assert record_conflict(APP, BLUE, [moved]) == (Reason.RECORD_CONFLICT, sentence)


def test_a_record_without_our_marker_is_one_that_this_service_did_not_make() -> None:
    conflict = record_conflict(APP, BLUE, [record(APP, "192.0.2.1", "A")])

    assert conflict is not None
    assert "that this service did not make" in conflict[1]


@given(st.booleans(), st.sampled_from(["A", "AAAA", "CNAME"]), st.text(max_size=40))
def test_the_sentence_says_whose_the_record_was(marked: bool, record_type: str, note: str) -> None:  # noqa: FBT001 -- drawn
    comment = Marker("default").comment if marked else f"note {note}"

    conflict = record_conflict(APP, BLUE, [record(APP, "192.0.2.1", record_type, comment=comment)])

    assert conflict is not None
    assert ("carries the marker of this service" in conflict[1]) == marked
    assert ("did not make" in conflict[1]) != marked
