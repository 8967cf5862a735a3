"""Where a learner stopped, as far as the record knows: the notebook of the last answer."""

from __future__ import annotations

from collections.abc import Sequence

from birnn_course.course import UNITS
from birnn_course.questions.bank import practice
from birnn_course.record import Attempt


def place(attempts: Sequence[Attempt]) -> tuple[str, str]:
    """The notebook to open, and a sentence that welcomes back; both empty for a newcomer.

    Parameters
    ----------
    attempts : sequence of Attempt
        The learner's record, in the order in which it was kept.
    """
    units = {unit.number: unit for unit in UNITS}
    known = [attempt for attempt in attempts if attempt.unit in units]
    if not known:
        return "", ""
    last = known[-1]
    unit = units[last.unit]
    exercise = last.kind == "exercise"
    notebook = unit.exercises if exercise and unit.has_exercises else unit.lesson
    if exercise:
        what = "the project" if unit.has_project else f"the exercise {last.item}"
    else:
        what = "a guess" if last.kind == "guess" else "a question"
    for lesson, deeper in zip(unit.lessons, (False, True), strict=False):
        asked = [question.id for question in practice(unit.number, deeper=deeper)]
        if last.item in asked:
            notebook = lesson
            what = f"question {asked.index(last.item) + 1} of {len(asked)} of the quiz"
    return notebook, (
        f"Welcome back. The last thing you answered was {what} in unit {unit.number}, "
        f"{unit.title}: {notebook} is open."
    )
