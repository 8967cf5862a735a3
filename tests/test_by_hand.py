"""Where an exercise says *by hand*, the course's own functions refuse, and `check` says so."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch

import birnn_course
from birnn_course import (
    Scores,
    TaggingTask,
    confusion_matrix,
    edit_distance,
    names_task,
    word_error_rate,
)
from birnn_course import phone_error_rate as renamed
from birnn_course.errors import CourseError
from birnn_course.exercises import run_cases
from birnn_course.exercises.checking import EXERCISES
from birnn_course.exercises.spec import Exercise
from birnn_course.running.by_hand import out_of_reach

from conftest import ROOT

BY_HAND = {name: exercise for name, exercise in EXERCISES.items() if exercise.by_hand}
ANSWERS, LISTED = [["B"]], [[["B"]]]


def words(predicted: Any, listed: Any) -> Any:
    return word_error_rate(predicted, listed)


def phones(predicted: Any, listed: Any) -> Any:
    return birnn_course.phone_error_rate(predicted, listed)


def words_by_phones(predicted: Any, listed: Any) -> Any:
    wrong = [renamed([s], [rights]) > 0 for s, rights in zip(predicted, listed, strict=True)]
    return sum(wrong) / len(wrong)


def score(sequences: Any, lookahead: int) -> Any:
    return TaggingTask(sequences).limit("left")


def scores(events: Any, alarms: Any) -> Any:
    matrix = confusion_matrix(torch.tensor(events), torch.tensor(alarms), 2)
    return Scores(matrix).precision.tolist()


@pytest.mark.parametrize(
    ("name", "function", "what"),
    [
        ("words_wrong", words, "word_error_rate"),
        ("words_wrong", words_by_phones, "phone_error_rate"),
        ("phones_wrong", phones, "phone_error_rate"),
        ("best_score", score, "TaggingTask"),
        ("event_scores", scores, "confusion_matrix"),
    ],
)
def test_check_says_it_in_a_sentence(name: str, function: Callable[..., Any], what: str) -> None:
    exercise = EXERCISES[name]
    report = run_cases(exercise, function, exercise.draw(0, hidden=False))
    assert (report.points, report.level, report.misconception) == (0, "callable", None)
    assert "this exercise is to be done by hand: here and when it is graded" in report.sentence
    assert f"it has to do without `{what}`" in report.sentence
    assert report.sentence.count("line") == 1 and "Traceback" not in report.sentence


@pytest.mark.parametrize("exercise", BY_HAND.values(), ids=lambda e: e.name)
def test_the_notebook_says_it(exercise: Exercise) -> None:
    (path,) = (ROOT / "solutions").glob(f"{exercise.unit}_*_exercises.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    (at,) = (i for i, cell in enumerate(cells) if f"def {exercise.name}(" in cell.source)
    assert "by hand" in cells[at - 1].source


def unkept(sources: Iterable[str], exercises: Mapping[str, Exercise]) -> list[str]:
    """Exercises of a notebook that say *by hand*, for which nothing refuses."""
    return [
        name
        for source in sources
        for name, exercise in exercises.items()
        if "### Exercise" in source and f"`{name}`" in source and not exercise.by_hand
        if any(words in source.lower() for words in ("by hand", "no library", "without a library"))
    ]


def test_where_an_exercise_says_by_hand_something_refuses() -> None:
    for path in (ROOT / "solutions").glob("*_exercises.ipynb"):
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        # The text names its function, or the next cell defines it.
        texts = [f"{text}`{after[4:].partition('(')[0]}`" for text, after in pairwise(cells)]
        assert unkept(texts, EXERCISES) == []
        lax = {name: replace(exercise, by_hand=()) for name, exercise in EXERCISES.items()}
        here = [name for name, e in BY_HAND.items() if path.name.startswith(e.unit)]
        assert sorted(set(unkept(texts, lax))) == sorted(here)


def test_it_refuses_meanwhile_and_works_again() -> None:
    names = [name for exercise in BY_HAND.values() for name in exercise.by_hand]
    limit = names_task().limit("left")
    with out_of_reach(names):
        for use in (
            lambda: word_error_rate(ANSWERS, LISTED),
            lambda: renamed(ANSWERS, LISTED),
            lambda: birnn_course.word_errors.word_error_rate(ANSWERS, LISTED),
            names_task,
            lambda: confusion_matrix(torch.zeros(1), torch.zeros(1), 2),
            lambda: Scores(torch.eye(2).long()),
        ):
            with pytest.raises(CourseError, match="is to be done by hand"):
                use()
        assert edit_distance("ab", "b") == 1
    assert word_error_rate(ANSWERS, LISTED) == renamed(ANSWERS, LISTED) == 0
    assert names_task().limit("left") == limit
    assert Scores(torch.eye(2).long()).accuracy == 1


def test_it_works_again_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), out_of_reach(EXERCISES["words_wrong"].by_hand):
        1 / 0  # noqa: B018
    assert word_error_rate(ANSWERS, LISTED) == 0


def test_what_is_refused_has_no_other_copy_in_the_course() -> None:
    """Else covering its file would not do."""
    for function in (word_error_rate, renamed, TaggingTask.limit):
        body = inspect.getsource(function).strip().splitlines()[-1].strip()
        found = [
            path
            for path in Path(birnn_course.__file__).parent.rglob("*.py")
            if body in path.read_text("utf-8") and "exercises" not in path.parts
        ]
        assert len(found) == 1, body
