"""The test of questions from all units: which it asks, its score and its clock."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from birnn_course import mixed_test
from birnn_course.cli import main
from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.learner.mixed import MixedTest, draw, result
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Question, practice
from birnn_course.record import Record

UNIT = next(unit for unit in UNITS if unit.number == "01")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> list[Question]:
    """Three units with 12, 20 and 15 questions."""
    one = practice()[0]
    made = [
        replace(one, id=f"{unit}-{i}", unit=unit)
        for unit, size in (("01", 12), ("02", 20), ("03", 15))
        for i in range(size)
    ]
    monkeypatch.setattr("birnn_course.learner.mixed.practice", lambda: made)
    return made


def ids(questions: list[Question]) -> list[str]:
    return [question.id for question in questions]


def test_none_is_asked_again_before_all_were(many: list[Question]) -> None:
    asked = [item for number in range(1, 40) for item in ids(draw(number))]
    for end in range(1, len(asked) + 1):
        counts = Counter(asked[:end])
        # within a test that begins a new round, the order may differ by what that test holds
        behind = [q.id for q in many if counts[q.id] < max(counts.values()) - 1]
        assert behind == []
    assert sorted(asked[:47]) == sorted(ids(many))
    assert sorted(asked[47:94]) == sorted(ids(many))
    assert all(len(set(ids(draw(number)))) == 10 for number in range(1, 40))


def test_every_test_mixes_the_units(many: list[Question]) -> None:
    for number in range(1, 5):
        units = Counter(question.unit for question in draw(number))
        assert set(units) == {"01", "02", "03"}
        assert max(units.values()) <= 6


def test_the_seed_decides(many: list[Question]) -> None:
    assert ids(draw(2)) == ids(draw(2))
    assert ids(draw(2)) != ids(draw(1))
    assert ids(draw(1, seed=1)) != ids(draw(1))


def test_units_and_number_of_questions(many: list[Question]) -> None:
    assert {question.unit for question in draw(1, units=["01", "03"])} == {"01", "03"}
    assert len(draw(1, 4)) == 4
    assert sorted(ids(draw(3, 99))) == sorted(ids(many))


def test_what_makes_no_sense_is_a_sentence(home: Path) -> None:
    with pytest.raises(CourseError, match="unit '77' has no questions; 01"):
        mixed_test(units=["77"])
    with pytest.raises(CourseError, match="counted from 1"):
        mixed_test(0)
    with pytest.raises(CourseError, match="minutes must be more than 0"):
        mixed_test(minutes=0)


def test_the_inventory_is_not_asked(home: Path) -> None:
    assert not any(question.form for question in draw(1, 50))


TICKED = [question for question in practice() if question.kind == "one"][:3]


def answer(shown: MixedTest, question: Question, right: bool) -> None:
    position = next(i for i, option in enumerate(question.answers) if option.right == right)
    shown._answered(None, {"id": question.id, "response": [position]}, None)


def test_the_score_comes_with_the_last_answer(home: Path) -> None:
    shown = MixedTest(TICKED)
    answer(shown, TICKED[0], right=True)
    answer(shown, TICKED[1], right=False)
    answer(shown, TICKED[1], right=True)  # practice: the first answer counts
    assert shown.score == ""
    answer(shown, TICKED[2], right=True)
    assert shown.score == (
        f"2 of 3 points. Look again at unit 01 ({UNIT.title}), 1 lost. "
        "Test 2 asks the next questions."
    )
    before = shown.score
    answer(shown, TICKED[1], right=True)
    assert shown.score == before
    assert len(Record().attempts()) == 5
    assert MixedTest(TICKED).states == {}  # asked anew, whatever the record holds


def test_an_answer_that_cannot_be_read_does_not_count(home: Path) -> None:
    shown = MixedTest(TICKED[:1])
    shown._answered(None, {"id": TICKED[0].id, "response": []}, None)
    assert shown.score == ""
    answer(shown, TICKED[0], right=True)
    assert shown.score.startswith("1 of 1 points. Every answer was right.")


def test_when_the_time_is_over_nothing_is_lost(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)
    shown = MixedTest(TICKED, minutes=2)
    assert shown.seconds_left == 120
    answer(shown, TICKED[0], right=True)
    now += 60
    shown._answered(None, {"clock": True}, None)
    assert (shown.seconds_left, shown.score) == (pytest.approx(60), "")
    now += 61
    answer(shown, TICKED[1], right=True)  # without a word of the browser's clock
    assert shown.seconds_left == 0
    assert shown.score == (
        "Time is up, and what you answered is kept. 1 of 3 points. Not answered: 2. "
        "Every answer was right. You can go on; it no longer counts."
    )
    answer(shown, TICKED[2], right=False)
    assert "1 of 3 points" in shown.score
    assert len(Record().attempts()) == 3


def test_the_clock_stops_when_all_is_answered(home: Path) -> None:
    shown = MixedTest(TICKED[:1], minutes=2)
    answer(shown, TICKED[0], right=True)
    assert shown.seconds_left is None
    shown._answered(None, {"clock": True}, None)
    assert shown.seconds_left is None


def test_without_minutes_there_is_no_clock(home: Path) -> None:
    assert mixed_test().seconds_left is None


def test_shares_of_points_and_several_units() -> None:
    one = TICKED[0]
    questions = [replace(one, id=f"{u}-x", unit=u) for u in ("01", "88", "89")]
    points = {"01-x": 0.5, "88-x": 0.0, "89-x": 1.0}
    assert result(questions, points) == (
        "1.5 of 3 points. Look again at unit 88 (no title), 1 lost; "
        f"unit 01 ({UNIT.title}), 0.5 lost."
    )


def birnn(*arguments: str, typed: str) -> Result:
    return CliRunner().invoke(main, arguments, input=typed)


@pytest.fixture
def in_terminal(monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    """Three questions to tick, and what answers them: right, wrong, right."""
    monkeypatch.setattr("birnn_course.learner.mixed.practice", lambda: TICKED)
    typed = ""
    for right, question in zip((True, False, True), draw(1), strict=True):
        order = shuffled(question)
        letter = next(
            "abcdef"[order.index(i)] for i, a in enumerate(question.answers) if a.right == right
        )
        typed += f"{letter}\n"
    return typed


def test_in_the_terminal(in_terminal: str) -> None:
    shown = birnn("test", typed=in_terminal)
    assert shown.exit_code == 0, shown.output
    assert "3 of 3" in shown.output
    assert shown.output.endswith(f"2 of 3 points. Look again at unit 01 ({UNIT.title}), 1 lost.\n")
    assert len(Record().attempts()) == 3


def test_an_empty_line_ends_it_with_the_score_so_far(in_terminal: str) -> None:
    shown = birnn("test", typed=in_terminal[:2] + "\n")
    assert "1 of 3 points. Not answered: 2." in shown.output


def test_the_clock_in_the_terminal(in_terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: Any = iter([0.0, 30.0, 70.0])
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    shown = birnn("test", "--minutes", "1", typed=in_terminal)
    assert "Time is up" in shown.output
    assert "1 of 3 points. Not answered: 2." in shown.output
    assert len(Record().attempts()) == 2
