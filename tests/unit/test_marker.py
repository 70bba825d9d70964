"""The marker in the comment of a claiming record.

`Go bug N` names what the Go reference got wrong there.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.claimed_paths import EVERY_PATH, ClaimedPaths, digest_of
from tunnel_webhook.domain.errors import InvalidEndpoint, Reason
from tunnel_webhook.domain.marker import MAX_COMMENT, Marker
from vocabulary.builders import marker

SHORT = "heritage=tunnel-webhook,owner="
LONGEST_OWNER = "o" * (MAX_COMMENT - len(f"{SHORT},paths=."))
API = ClaimedPaths.of(["^/api(/|$)"])
ROOT = ClaimedPaths.of([""])


@pytest.mark.parametrize(
    ("written", "comment"),
    [
        pytest.param(marker("default"), f"{SHORT}default,paths=.", id="an owner"),
        pytest.param(marker("a", "service/ns/app"), f"{SHORT}a,paths=.,resource=service/ns/app", id="a resource"),
        pytest.param(marker("a,b=c%d"), f"{SHORT}a%2Cb%3Dc%25d,paths=.", id="separators"),
        pytest.param(marker("a b\tc\n"), f"{SHORT}a%20b%09c%0A,paths=.", id="space and control characters"),
        pytest.param(marker("ü☃"), f"{SHORT}%C3%BC%E2%98%83,paths=.", id="beyond ASCII"),
        pytest.param(marker('a"b;c:d/e'), f'{SHORT}a"b;c:d/e,paths=.', id="punctuation that needs no escape"),
        pytest.param(marker(LONGEST_OWNER), f"{SHORT}{LONGEST_OWNER},paths=.", id="the longest owner"),
        pytest.param(marker("a", paths=["", "^/api(/|$)"]), f"{SHORT}a,paths=.6ikXC", id="two paths"),
        pytest.param(Marker("a", paths=EVERY_PATH), f"{SHORT}a,paths=*", id="every path"),
        pytest.param(
            marker("a", "r", since=1_700_000_000),
            f"{SHORT}a,paths=.,releasing=1700000000,resource=r",
            id="the hostname is released",
        ),
        pytest.param(marker("a", since=0), f"{SHORT}a,paths=.,releasing=0", id="it was released at the epoch"),
        pytest.param(
            Marker("a", paths=ROOT, leaving=API, since=1_700_000_000),
            f"{SHORT}a,paths=.,leaving=17000000006ikXC",
            id="a path is released",
        ),
        pytest.param(
            Marker(
                "a", paths=ROOT, namespace="AbC-1", adopted=True, others=("new=1", "flag"), note="call Ann, then Bob"
            ),
            f"{SHORT}a,paths=.,ns=AbC-1,adopted,new=1,flag call Ann, then Bob",
            id="a namespace, an adopted record, unknown keys and a note",
        ),
    ],
)
def test_a_marker_is_written_escaped_and_parsed_again(written: Marker, comment: str) -> None:
    assert written.comment == comment
    assert Marker.parse(comment) == written


@pytest.mark.parametrize(
    ("comment", "named", "is_releasing"),
    [
        pytest.param(f"{SHORT}a", EVERY_PATH, False, id="published"),
        pytest.param(f"{SHORT}a,releasing=7", EVERY_PATH, True, id="released"),
    ],
)
def test_a_marker_without_paths_names_every_rule_of_its_hostname(
    comment: str, named: ClaimedPaths, is_releasing: bool
) -> None:
    parsed = Marker.parse(comment)
    assert parsed is not None
    assert parsed.named == named
    assert parsed.is_releasing is is_releasing


def test_what_is_named_includes_the_paths_that_are_leaving() -> None:
    both = Marker("a", paths=ROOT, leaving=API, since=1)
    assert both.named == ROOT | API
    assert not both.is_releasing


def test_a_resource_that_does_not_fit_becomes_its_digest_so_that_a_change_is_seen() -> None:
    room = MAX_COMMENT - len(f"{SHORT}a,paths=.,resource=")
    assert marker("a", "r" * room).comment == f"{SHORT}a,paths=.,resource={'r' * room}"
    long = marker("a", "r" * (room + 1))
    assert long.comment == f"{SHORT}a,paths=.,resource=~{digest_of(long.resource)}"
    assert long.comment != marker("a", "r" * (room + 2)).comment
    assert marker("a", "ü" * (room // 6 + 1)).comment.startswith(f"{SHORT}a,paths=.,resource=~")


def test_a_resource_of_which_only_the_digest_is_known_is_not_reported() -> None:
    parsed = Marker.parse(f"{SHORT}a,paths=.,resource=~AbC-1")
    assert parsed is not None
    assert parsed.known_resource == ""
    assert parsed.comment == f"{SHORT}a,paths=.,resource=~AbC-1"
    assert marker("a", "service/a/b").known_resource == "service/a/b"


def test_a_resource_is_left_out_where_not_even_its_digest_fits() -> None:
    owner = "o" * (MAX_COMMENT - len(f"{SHORT},paths=.,resource=~AbC-1"))
    assert marker(owner, "service/a/a-name-that-is-long").comment.endswith(
        "~" + digest_of("service/a/a-name-that-is-long")
    )
    assert marker(owner + "o", "service/a/a-name-that-is-long").comment == f"{SHORT}{owner}o,paths=."


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param("ingress/" + "n" * 63 + "/" + "a" * 253, id="the longest names of Kubernetes (Go bug 29)"),
        pytest.param("ingress/a-namespace-with-a-long-name/" + "an-ingress-" * 6, id="long names (Go bug 29)"),
    ],
)
def test_a_comment_fits_the_free_plan_whatever_the_resource_is_called(resource: str) -> None:
    comment = marker("default", resource, since=1_700_000_000).comment
    assert len(comment) <= 100
    parsed = Marker.parse(comment)
    assert parsed is not None
    assert parsed.comment == comment


@given(
    owner=st.text(min_size=1, max_size=20),
    resource=st.text(max_size=60),
    paths=st.lists(st.text(max_size=9), min_size=1, max_size=3),
    others=st.lists(st.from_regex(r"[a-z]{8,30}(=[a-z0-9]{0,9})?", fullmatch=True), max_size=2),
    note=st.text(max_size=60),
    adopted=st.booleans(),
    since=st.none() | st.integers(0, 10**10 - 1),
)
def test_writing_what_was_written_changes_nothing(
    owner: str, resource: str, paths: list[str], others: list[str], note: str, adopted: bool, since: int | None
) -> None:
    try:
        plain = marker(owner, resource, paths=paths, since=since)
        full = replace(plain, others=tuple(others), note=note, adopted=adopted)
    except InvalidEndpoint:
        return
    parsed = Marker.parse(full.comment)
    assert len(full.comment) <= MAX_COMMENT
    assert parsed is not None
    assert parsed.comment == full.comment
    assert (parsed.owner, parsed.named, parsed.since, parsed.adopted) == (owner, full.named, since, adopted)


@pytest.mark.parametrize(
    ("owner", "sentence"),
    [
        pytest.param("", "the owner is empty: set OWNER_ID", id="empty"),
        pytest.param(
            LONGEST_OWNER + "o",
            "makes a marker of 101 characters, and a record's comment holds 100: choose a shorter owner id",
            id="one character too long",
        ),
        pytest.param("o" * 200, "makes a marker of 238 characters", id="far too long"),
        pytest.param("ü" * 12, "makes a marker of 110 characters", id="too long once it is escaped"),
    ],
)
def test_a_marker_without_a_writable_owner_cannot_exist(owner: str, sentence: str) -> None:
    with pytest.raises(InvalidEndpoint, match=sentence) as error:
        Marker(owner)
    assert error.value.reason is Reason.INVALID_OWNER


def test_a_marker_whose_paths_do_not_fit_cannot_exist() -> None:
    room = (MAX_COMMENT - len(f"{SHORT}a,paths=")) // 5
    assert len(marker("a", paths=[f"^/{number}" for number in range(room)]).comment) <= MAX_COMMENT
    with pytest.raises(InvalidEndpoint, match="use fewer paths, or a shorter owner id") as error:
        marker("a", paths=[f"^/{number}" for number in range(room + 1)])
    assert error.value.reason is Reason.TOO_MANY_PATHS


@pytest.mark.parametrize(
    "comment",
    [
        pytest.param("", id="no comment"),
        pytest.param("made by hand", id="another comment"),
        pytest.param("heritage=external-dns,owner=a", id="another heritage"),
        pytest.param("heritage=tunnel-webhook", id="no owner"),
        pytest.param("heritage=tunnel-webhook,owner=", id="an empty owner"),
        pytest.param(f"{SHORT}{LONGEST_OWNER}o", id="an owner that is too long to write"),
        pytest.param(f"{SHORT}a,paths=abc", id="paths that cannot be read"),
        pytest.param(f"{SHORT}a,paths=", id="no paths at all"),
        pytest.param(" heritage=tunnel-webhook,owner=a", id="text before the heritage"),
        pytest.param("heritage=tunnel-webhooks,owner=a", id="text after the heritage"),
    ],
)
def test_any_other_comment_is_not_a_marker(comment: str) -> None:
    assert Marker.parse(comment) is None


def test_unknown_keys_and_a_note_are_kept_as_they_are() -> None:
    comment = f"{SHORT}a,paths=.,new=1,flag,resource=r  my  note"
    parsed = Marker.parse(comment)
    assert parsed == marker("a", "r", note=" my  note", others=("new=1", "flag"))


@pytest.mark.parametrize("time", ["", "soon", "-1", "1.5", "17000000000", "1_700", "\u0661"])
def test_a_time_of_release_that_is_not_one_is_ignored(time: str) -> None:
    assert Marker.parse(f"{SHORT}a,paths=.,releasing={time}") == marker("a")


@pytest.mark.parametrize("leaving", ["", "soon6ikXC", "1700000000", "1700000000abc", "1700000006ikXC", "1700000000."])
def test_leaving_paths_that_are_not_a_time_and_other_paths_are_ignored(leaving: str) -> None:
    assert Marker.parse(f"{SHORT}a,paths=.,leaving={leaving}") == marker("a")


def test_a_note_gives_way_before_the_digest_of_the_resource_does() -> None:
    full = marker("default", "ingress/a-namespace/an-ingress", note="n" * 38)
    assert full.comment.endswith(f",resource=~{digest_of(full.resource)} {'n' * 38}")
    longer = replace(full, note="n" * 39)
    assert longer.comment.endswith(",resource=ingress/a-namespace/an-ingress")
