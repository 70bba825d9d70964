"""What is believed of a tunnel's document: the table of `belief`, and how doubt ends."""

import re
from dataclasses import replace

import pytest

from tunnel_webhook.domain.cloudflared.ingress import TunnelConfiguration
from tunnel_webhook.domain.planning import belief as belief_module
from tunnel_webhook.domain.planning.belief import Belief, Doubt, Reading
from vocabulary.builders import configuration, rule

FULL = Reading(configuration(rule("a.example.com"), version=5))
OTHER = Reading(configuration(rule("b.example.com"), version=5))
NEWER = Reading(configuration(rule("b.example.com"), version=6))
OLDER = Reading(configuration(rule("b.example.com"), version=4))
EMPTY = Reading(TunnelConfiguration())
EMPTIED = Reading(TunnelConfiguration(version=6))
MISSING = Reading(TunnelConfiguration(), "tunnel blue was deleted")
BELIEVED = Belief(FULL)
EMPTY_BELIEVED = Belief(EMPTY)

TABLE = {
    "the first of the process, with rules": ("believed", [(Belief(), FULL, False), (Belief(), FULL, True)]),
    "the first, without rules; no claim older than ten minutes points at the tunnel": (
        "believed",
        [(Belief(), EMPTY, False), (Belief(), MISSING, False)],
    ),
    "the first, without rules; such a claim exists": ("in doubt", [(Belief(), EMPTY, True), (Belief(), MISSING, True)]),
    "the version and content last believed": (
        "believed",
        [
            (BELIEVED, FULL, False),
            (BELIEVED, Reading(replace(FULL.document, rules=FULL.document.rules)), True),
            (EMPTY_BELIEVED, EMPTY, True),
            (Belief(MISSING), MISSING, False),
        ],
    ),
    "a higher version, with rules": (
        "believed",
        [(BELIEVED, NEWER, False), (EMPTY_BELIEVED, NEWER, True), (Belief(MISSING), FULL, True)],
    ),
    "any other without rules": (
        "in doubt, unless what was believed has none too",
        [(BELIEVED, EMPTY, False), (BELIEVED, EMPTIED, False), (BELIEVED, MISSING, False)],
    ),
    "a lower version": (
        "in doubt",
        [
            (BELIEVED, OLDER, False),
            (Belief(Reading(TunnelConfiguration(version=5))), EMPTY, False),
            (Belief(Reading(TunnelConfiguration(version=5))), OLDER, False),
        ],
    ),
    "the same version, other content": (
        "in doubt, unless only the version was known",
        [(BELIEVED, OTHER, False), (EMPTY_BELIEVED, MISSING, False)],
    ),
}
CASES = [
    pytest.param(belief, answer, has_old_claim, result == "believed", id=f"{row} {number}")
    for row, (result, cases) in TABLE.items()
    for number, (belief, answer, has_old_claim) in enumerate(cases, start=1)
]


@pytest.mark.parametrize(("belief", "answer", "has_old_claim", "is_believed"), CASES)
def test_an_answer_is_believed_or_in_doubt_by_the_table(
    belief: Belief,
    answer: Reading,
    has_old_claim: bool,  # noqa: FBT001 -- a fact
    is_believed: bool,  # noqa: FBT001 -- an expectation
) -> None:
    after = belief.after(answer, 0.0, has_old_claim=has_old_claim)
    assert (after.doubt is None) is is_believed
    assert after.reading == (answer if is_believed else belief.reading)


def test_the_docstring_shows_this_table() -> None:
    cells = re.findall(r"^\| (.+?) +\| (.+?) +\|$", belief_module.__doc__ or "", re.MULTILINE)
    rows: dict[str, str] = {}
    for answer, result in cells[1:]:
        if answer == "points at the tunnel":
            last, kept = rows.popitem()
            rows[f"{last} {answer}"] = kept
        else:
            rows[answer] = result
    assert rows == {answer: result for answer, (result, _) in TABLE.items()}


def test_without_rules_on_both_sides_a_higher_version_is_believed() -> None:
    assert EMPTY_BELIEVED.after(EMPTIED, 0.0) == Belief(EMPTIED)


def test_only_the_version_is_known_after_a_write_so_that_other_content_of_it_is_believed() -> None:
    written = BELIEVED.written(NEWER.document, 6)
    assert written.reading == NEWER
    stored = Reading(replace(FULL.document, version=6))
    assert written.after(stored, 0.0) == Belief(stored)
    assert written.after(stored, 0.0).after(NEWER, 0.0).doubt
    assert written.after(FULL, 0.0).doubt
    assert written.after(EMPTIED, 0.0).doubt


def test_a_write_ends_doubt() -> None:
    assert BELIEVED.after(EMPTY, 0.0).written(NEWER.document, 6).doubt is None


@pytest.mark.parametrize(
    ("belief", "answer", "sentence"),
    [
        (Belief(), EMPTY, "it is empty, although hostnames have been published through it"),
        (BELIEVED, EMPTY, "it is empty, and version 5 was not"),
        (BELIEVED, OLDER, "it is version 4, and version 5 was there before"),
        (BELIEVED, OTHER, "it is version 5 with other content than before"),
    ],
    ids=["first", "empty", "older", "other"],
)
def test_doubt_says_why(belief: Belief, answer: Reading, sentence: str) -> None:
    assert belief.after(answer, 7.0, has_old_claim=True).doubt == Doubt(answer, 7.0, 1, sentence)


def after_answers(belief: Belief, *answers: tuple[float, Reading], has_old_claim: bool = False) -> Belief:
    for at, answer in answers:
        belief = belief.after(answer, at, has_old_claim=has_old_claim)
    return belief


def test_other_content_of_the_same_version_is_believed_at_the_third_equal_answer() -> None:
    assert after_answers(BELIEVED, (0.0, OTHER), (1.0, OTHER)).doubt
    assert after_answers(BELIEVED, (0.0, OTHER), (1.0, OTHER), (2.0, OTHER)) == Belief(OTHER)


@pytest.mark.parametrize("loss", [EMPTY, EMPTIED, MISSING, OLDER], ids=["empty", "emptied", "missing", "older"])
def test_a_loss_is_believed_at_the_third_equal_answer_and_after_ten_minutes(loss: Reading) -> None:
    assert after_answers(BELIEVED, *((float(second), loss) for second in range(600))).doubt
    assert after_answers(BELIEVED, (0.0, loss), (600.0, loss)).doubt
    assert after_answers(BELIEVED, (0.0, loss), (1.0, loss), (599.9, loss)).doubt
    assert after_answers(BELIEVED, (0.0, loss), (1.0, loss), (600.0, loss)) == Belief(loss)


def test_an_empty_first_answer_is_believed_after_ten_minutes_as_well() -> None:
    answers = ((0.0, EMPTY), (1.0, EMPTY), (600.0, EMPTY))
    assert after_answers(Belief(), *answers[:2], has_old_claim=True).doubt
    assert after_answers(Belief(), *answers, has_old_claim=True) == Belief(EMPTY)


@pytest.mark.parametrize("between", [FULL, OTHER, OLDER, NEWER], ids=["believed", "doubtful", "older", "newer"])
def test_any_other_answer_in_between_starts_the_wait_again(between: Reading) -> None:
    answers = ((0.0, EMPTY), (300.0, between), (301.0, EMPTY), (600.0, EMPTY), (900.0, EMPTY))
    assert after_answers(BELIEVED, *answers).doubt
    assert after_answers(BELIEVED, *answers, (901.0, EMPTY)) == Belief(EMPTY)


def test_a_different_empty_answer_is_another_answer() -> None:
    assert after_answers(BELIEVED, (0.0, EMPTY), (1.0, EMPTIED), (600.0, EMPTY)).doubt
    assert after_answers(BELIEVED, (0.0, EMPTY), (1.0, MISSING), (600.0, MISSING)).doubt


def test_an_answer_that_is_written_in_another_way_is_the_same_answer() -> None:
    spelled = Reading(TunnelConfiguration.parse(OTHER.document.text.replace(",", " , "), 5))
    assert after_answers(BELIEVED, (0.0, OTHER), (1.0, spelled), (2.0, OTHER)) == Belief(OTHER)
