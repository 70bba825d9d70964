"""What goes on: news when it begins, changes and ends, and nothing in between."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnel_webhook.domain.episodes import MOST, PATIENCE, Episodes, News, Sight


def sights(**texts: str) -> Mapping[str, Sight]:
    return {subject: Sight(text, "kind") for subject, text in texts.items()}


def over(_: str) -> bool:
    return True


def never(_: str) -> bool:
    return False


def test_what_is_new_begins_and_what_stays_the_same_is_no_news() -> None:
    episodes, news = Episodes().after(sights(a="bad"), 0.0)
    assert news == News(began=sights(a="bad"))
    for minute in range(1, 1440):
        episodes, news = episodes.after(sights(a="bad"), 60.0 * minute)
        assert news == News()


def test_another_text_is_a_change() -> None:
    episodes, _ = Episodes().after(sights(a="bad"), 0.0)
    assert episodes.after(sights(a="worse"), 1.0)[1] == News(changed=sights(a="worse"))


def test_how_long_something_is_asked_to_wait_is_no_change() -> None:
    episodes, _ = Episodes().after(sights(a="wait 12 s, version 3"), 0.0)
    assert episodes.after(sights(a="wait 3.5 s, version 3"), 1.0)[1] == News()
    assert episodes.after(sights(a="wait 3.5 s, version 4"), 1.0)[1].changed


def test_what_is_known_to_be_over_ends_at_once_with_its_last_text() -> None:
    episodes, _ = Episodes().after(sights(a="bad", b="bad"), 0.0)
    episodes, news = episodes.after({}, 1.0, "a".__eq__)
    assert news == News(ended=sights(a="bad"))
    assert not episodes.is_quiet


@pytest.mark.parametrize(("seconds", "ended"), [(PATIENCE - 1, False), (PATIENCE, True)])
def test_what_is_not_seen_any_more_ends_after_ten_minutes(seconds: float, *, ended: bool) -> None:
    episodes, _ = Episodes().after(sights(a="bad"), 0.0)
    episodes, news = episodes.after({}, seconds)
    assert bool(news.ended) is ended
    assert episodes.is_quiet is ended


def test_what_two_clients_ask_for_in_turn_is_named_once() -> None:
    episodes = Episodes()
    named = 0
    for minute in range(60):
        for seen in (sights(a="bad"), sights(b="bad")):
            episodes, news = episodes.after(seen, 60.0 * minute)
            named += len(news.began) + len(news.changed) + len(news.ended)
    assert named == 2


def test_further_subjects_are_counted_by_group_when_their_number_changes() -> None:
    many = {f"{number:06}": Sight("bad", f"kind {number % 2}") for number in range(MOST + 10)}
    episodes, news = Episodes().after(many, 0.0)
    assert len(news.began) == MOST
    assert news.others == {"kind 0": 5, "kind 1": 5}
    episodes, news = episodes.after(many, 1.0)
    assert news == News()
    episodes, news = episodes.after(dict(list(many.items())[: MOST + 2]), 2.0, over)
    assert news == News(others={"kind 0": 1, "kind 1": 1})


def test_a_long_text_is_compared_by_its_beginning() -> None:
    episodes, _ = Episodes().after(sights(a="x" * 5000), 0.0)
    assert episodes.after(sights(a="x" * 5000), 1.0)[1] == News()


looks = st.lists(
    st.tuples(
        st.sampled_from([1.0, 60.0, 400.0, 700.0]),
        st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["bad", "worse"])),
        st.booleans(),
    ),
    max_size=15,
)


@given(looks)
def test_the_news_of_every_history_tell_what_goes_on(history: list[tuple[float, dict[str, str], bool]]) -> None:
    now, episodes, known = 0.0, Episodes(), dict[str, str]()
    for seconds, texts, is_over in history:
        now += seconds
        episodes, news = episodes.after(sights(**texts), now, over if is_over else never)
        assert not set(news.began) & set(known)
        assert set(news.changed) <= set(known)
        assert set(news.ended) <= set(known) - set(texts)
        assert all(known[subject] != sight.text for subject, sight in news.changed.items())
        known |= {subject: sight.text for subject, sight in (*news.began.items(), *news.changed.items())}
        known = {subject: text for subject, text in known.items() if subject not in news.ended}
        assert texts.items() <= known.items()
        assert not is_over or set(known) == set(texts)
        assert episodes.is_quiet is not bool(known)
