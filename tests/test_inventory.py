"""Pre, post and gain, from any record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from birnn_course import my_gain
from birnn_course.learner.inventory import Gain, measure, tell
from birnn_course.learner.summary import describe
from birnn_course.questions.bank import bank
from birnn_course.questions.judging import judge
from birnn_course.record import Attempt, Record

START = datetime(2026, 1, 1, tzinfo=UTC)
FORMS = {form: [q.id for q in bank().values() if q.form == form] for form in "AB"}


def answers(form: str, n_right: int, n: int = 12, days: float = 0) -> list[Attempt]:
    """Answers to the first ``n`` questions of a form, ``n_right`` of them right."""
    return [answer(item, i < n_right, days) for i, item in enumerate(FORMS[form][:n])]


def answer(item: str, right: bool, days: float) -> Attempt:
    return Attempt(
        item, "question", item[:2], float(right), 1.0, "[0]", at=START + timedelta(days=days)
    )


def test_the_forms_are_parallel() -> None:
    assert len(FORMS["A"]) == len(FORMS["B"]) == 12
    for a, b in zip(FORMS["A"], FORMS["B"], strict=True):
        assert {*bank()[a].probes} == {*bank()[b].probes}, (a, b)
        assert len(bank()[b].answers) == 4
        assert bank()[a].text != bank()[b].text
        assert bank()[a].code != bank()[b].code


def test_the_key_has_no_form_of_its_own() -> None:
    """Over both forms the right option is not the longest more often than chance would have it."""
    longest = sum(
        max(bank()[item].answers, key=lambda answer: len(answer.text)).right
        for form in FORMS.values()
        for item in form
    )
    assert longest <= 9  # of 24; by chance 6
    places = [[a.right for a in bank()[item].answers].index(True) for item in FORMS["B"]]
    assert {*places} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("pre", "post", "gain"),
    [(3, 9, Fraction(2, 3)), (0, 12, 1), (6, 6, 0), (9, 6, -1), (12, 12, None), (12, 6, None)],
)
def test_the_gain(pre: int, post: int, gain: Any) -> None:
    found = measure([*answers("A", pre), *answers("B", post, days=60)])
    assert found == Gain(Fraction(pre, 12), Fraction(post, 12))
    assert found.gain == gain


def test_one_form_alone_gives_no_gain() -> None:
    only_a, only_b = measure(answers("A", 3)), measure(answers("B", 9))
    assert (only_a.pre, only_a.post, only_a.gain) == (Fraction(1, 4), None, None)
    assert (only_b.pre, only_b.post, only_b.gain) == (None, Fraction(3, 4), None)
    assert measure([]) == Gain(None, None)
    assert tell(only_a) == tell(measure([])) == []
    assert tell(only_b)[0].endswith("not answered")
    assert "only for those who answered both" in tell(only_b)[-1]


def test_everything_right_before_leaves_nothing_to_gain() -> None:
    found = measure([*answers("A", 12), *answers("B", 12, days=60)])
    assert tell(found)[-1].endswith("there was nothing left to gain")


def test_what_has_no_answer_is_not_right() -> None:
    """As after *I don't know yet*, which leaves none."""
    found = measure([*answers("A", 2, n=4), *answers("B", 6, n=6, days=60)])
    assert (found.pre, found.post) == (Fraction(2, 12), Fraction(6, 12))
    assert found.gain == Fraction(4, 10)


def test_the_last_answer_of_the_first_day_counts() -> None:
    item = FORMS["A"][0]
    slip = [answer(item, False, 0), answer(item, True, 0.01)]
    assert measure(slip).pre == Fraction(1, 12)
    later = [answer(item, False, 0), answer(item, True, 20)]
    assert measure(later).pre == 0
    assert measure(reversed(slip)).pre == Fraction(1, 12)  # the order of the record is no matter


def test_form_a_after_form_b_does_not_count() -> None:
    attempts = [*answers("A", 3, n=6), *answers("B", 9, days=60)]
    attempts += [answer(item, True, 61) for item in FORMS["A"]]
    assert measure(attempts).pre == Fraction(3, 12)
    assert measure([*answers("B", 9), *answers("A", 12, days=1)]).pre is None


def test_other_answers_do_not_count() -> None:
    practice = [answer(q.id, True, 0) for q in bank().values() if not q.form]
    assert measure([*practice, answer("gone-from-the-bank", True, 0)]) == Gain(None, None)


def test_progress_shows_it_after_form_b_only() -> None:
    before = describe(answers("A", 3), {})
    assert "form A" not in before
    assert "Final project: 0 of 12 questions answered, project not handed in" in before
    text = describe([*answers("A", 3), *answers("B", 9, days=60)], {})
    assert "Before the course (form A): 3 of 12 right (25 %)" in text
    assert "After it (form B):          9 of 12 right (75 %)" in text
    assert "67 % of what was not right before" in text


def test_the_notebook_tells_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    my_gain()
    assert capsys.readouterr().out.startswith("Nothing to compare yet")
    record = Record()
    for attempt in [*answers("A", 3), *answers("B", 12, days=60)]:
        record.add(attempt)
    my_gain()
    assert "100 % of what was not right before" in capsys.readouterr().out


@pytest.mark.parametrize("item", FORMS["B"])
def test_each_option_can_be_chosen(item: str) -> None:
    question = bank()[item]
    for i, option in enumerate(question.answers):
        assert judge(question, [i]).right == option.right
