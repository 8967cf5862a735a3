"""A guess is kept and shown beside the result, whichever comes first, and nothing depends on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from birnn_course.errors import CourseError
from birnn_course.learner.guessing import guess, measured
from birnn_course.learner.summary import describe
from birnn_course.record import record

ASKED: dict[str, Any] = {"low": 0, "high": 100, "unit": "%"}


def test_a_guess_is_beside_the_result(home: Path) -> None:
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    assert widget.value is None
    widget.value = 60
    result = measured("01-both-ways", 80.23, **ASKED)
    assert result.sentence == "You: 60 %. Measured: ≈ 80.2 %."
    assert result.marks == {"scale": [0, 100], "you": 60, "measured": 80.23}
    assert guess("01-both-ways", "How many percent?", **ASKED).value == 60  # tomorrow


def test_a_guess_after_the_result_is_shown_there_too(home: Path) -> None:
    result = measured("01-both-ways", 80.2, unit="%")
    other = measured("01-other", 3)
    assert result.sentence == "No guess. Measured: ≈ 80.2 %."
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    for value in (10, 95.5):
        widget.value = value
        assert result.sentence == f"You: {value} %. Measured: ≈ 80.2 %."
    assert other.sentence == "No guess. Measured: ≈ 3."
    assert [attempt.answer for attempt in record().attempts("guess:01-both-ways")] == ["10", "95.5"]


def test_a_choice_is_told_in_words(home: Path) -> None:
    widget = guess("02-which", "Which one?", choices=["the first", "the last"])
    result = measured("02-which", "the last")
    assert result.sentence == "No guess. It is: the last."
    widget.value = "the first"
    assert result.sentence == "You: the first. It is: the last."


@pytest.mark.parametrize("value", ["the third", 5, None, True, ["the first"]])
def test_what_is_no_choice_is_not_kept(home: Path, value: Any) -> None:
    guess("02-which", "Which one?", choices=["the first", "the last"]).value = value
    assert record().attempts() == []


@pytest.mark.parametrize("value", ["60", float("nan"), float("inf"), True, None])
def test_what_is_no_number_is_not_kept(home: Path, value: Any) -> None:
    guess("01-both-ways", "How many percent?", **ASKED).value = value
    assert record().attempts() == []


def test_it_earns_nothing_and_shows_no_belief(home: Path) -> None:
    before = describe([], {})
    guess("01-both-ways", "How many percent?", **ASKED).value = 60
    (kept,) = record().attempts()
    assert (kept.kind, kept.unit, kept.points, kept.misconception) == ("guess", "01", 0, None)
    lines = describe([kept], {}).splitlines()
    assert lines[:-1] == before.splitlines()[:-1]


def test_what_is_stored_depends_on_no_guess_and_no_widget(home: Path) -> None:
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    plain, page = widget.without_kernel()
    widget.value = 60
    assert widget.without_kernel() == (plain, page)
    assert plain == "[Guess: How many percent? From 0 % to 100 %. Run this cell to guess.]"
    choices = guess("02-which", "Which <b>?", choices=["a", "b"]).without_kernel()
    assert choices[0] == "[Guess: Which <b>? a / b Run this cell to guess.]"
    assert "Which &lt;b&gt;?" in choices[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"item": "both ways"}, 'named as in "01-both-ways"'),
        ({"low": None}, "choices, or low and high"),
        ({"low": 5, "high": 5}, "low below high"),
        ({"choices": ["a", "b"]}, "choices, or low and high"),
        ({"choices": ["a"], "low": None, "high": None}, "two to five choices"),
        ({"choices": ["a", "a"], "low": None, "high": None}, "two to five choices"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    asked = {"item": "01-a", "question": "How many?", **ASKED, **arguments}
    with pytest.raises(CourseError, match=sentence):
        guess(asked.pop("item"), asked.pop("question"), **asked)


def test_what_is_exact_needs_no_sign(home: Path) -> None:
    assert measured("01-a", 80.2, unit="%", exact=True).sentence == "No guess. Measured: 80.2 %."


def test_what_was_not_measured_is_one_sentence(home: Path) -> None:
    with pytest.raises(CourseError, match="nothing to compare with"):
        measured("01-a", float("nan"))
