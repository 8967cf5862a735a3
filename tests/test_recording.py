"""A check leaves its mark in the learner's record, once for each different result."""

from __future__ import annotations

from pathlib import Path

import pytest
from answers import named

from birnn_course import check
from birnn_course.exercises import EXERCISES
from birnn_course.record import Record


@pytest.fixture(autouse=True)
def fresh(home: Path) -> None:
    """A record of its own."""


def test_what_was_tried_is_recorded_once_and_a_stub_never() -> None:
    name, exercise = next(iter(EXERCISES.items()))
    check(named(lambda *_: None, name))
    assert Record().attempts() == []
    mistake = exercise.mistakes[0]
    for _ in range(2):  # the cell is run again, unchanged
        check(named(mistake.function, name))
    (attempt,) = Record().attempts()
    assert (attempt.item, attempt.kind, attempt.points) == (name, "exercise", 0)
    assert attempt.misconception == mistake.misconception
    assert mistake.misconception in attempt.probes
    check(named(exercise.reference, name))
    assert Record().attempts()[-1].right
    check(named(mistake.function, name))
    assert len(Record().attempts()) == 3
