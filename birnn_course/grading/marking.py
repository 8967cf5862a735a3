"""Mark one submission: run it in the sandbox, judge what came back outside of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from birnn_course.course import UNITS
from birnn_course.exercises.checking import PUBLIC_SEED, Answers, assess
from birnn_course.exercises.report import Report
from birnn_course.exercises.spec import Arguments, Exercise
from birnn_course.grading import assignments, causes
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.notebooks import UnreadableError, code_cells
from birnn_course.running.calling import Outcome
from birnn_course.sandbox import MISSING
from birnn_course.sandbox.outside.pool import Job, Ran, Sandbox

# The references seed PyTorch's only generator, so one thread at a time.
_one_at_a_time = threading.Lock()


def mark(name: str, data: bytes, sandbox: Sandbox, seed: int, bank: Path | None = None) -> Marked:
    """Mark the notebook called ``name``.

    Parameters
    ----------
    name : str
        The file's name.
    data : bytes
        What is in the file.
    sandbox : Sandbox
        Where its code runs.
    seed : int
        Of the hidden cases.
    bank : Path, optional
        A lecturer's own exercises.
    """
    known = assignments.load(bank)
    try:
        cells = code_cells(data)
    except UnreadableError as error:
        return unreadable(name, error, bank)
    todo = assignments.belonging(name, cells, known)
    exercises = [exercise for assignment in todo for exercise in assignment.exercises]
    if not exercises:
        return _without_exercise(name)
    ran = _run(sandbox, cells, exercises, seed, bank)
    marks = {e.name: _marked(e, ran.outcomes[e.name], seed, bank) for e in exercises}
    # What a function says for itself may hold the hidden cases that it was called with. So it is
    # asked again, in a process that has never seen them, and called as `check` does.
    asked = [e for e in exercises if marks[e.name].verdict in _SPEAKING]
    if asked:
        again = _run(sandbox, cells, asked, None, bank)
        for e in asked:
            public = _marked(e, again.outcomes[e.name], None, bank)
            marks[e.name] = replace(marks[e.name], sentence=_words(marks[e.name], public, e))
    cells_that_failed = causes.failed(cells, ran.errors)
    found = [
        replace(marks[e.name], cause=_cause(marks[e.name], assignment.name, cells_that_failed))
        for assignment in todo
        for e in assignment.exercises
    ]
    errors = [(cell.number, cell.line, cell.text) for cell in cells_that_failed]
    return Marked(found, errors, _note(ran, found))


def _run(
    sandbox: Sandbox,
    cells: list[str],
    exercises: Sequence[Exercise],
    seed: int | None,
    bank: Path | None,
) -> Ran:
    """The notebook is run once, and once more for exercises apart from the others.

    What is to be done by hand in one exercise is not to be had in those that run with it: what it
    was for one call it may have left for another.
    """
    together = [e for e in exercises if not e.apart]
    groups = [together, *([e] for e in exercises if e.apart)]
    ran: Ran | None = None
    for group in filter(None, groups):
        by_hand = dict.fromkeys(name for e in group for name in e.by_hand)
        job = Job(cells, {e.name: cases(e.name, seed, bank) for e in group}, tuple(by_hand))
        found = sandbox.run(job)
        if ran is None:
            ran = found
        ran.outcomes |= found.outcomes
        ran.trouble = ran.trouble or found.trouble
    assert ran is not None
    return ran


def _without_exercise(name: str) -> Marked:
    for unit in UNITS:
        if unit.has_exercises and unit.lesson.removesuffix(".ipynb") in name.lower():
            return Marked(note="This is the lesson.", advice=f"Hand in {unit.exercises}.")
    return Marked(note="It defines no function of any exercise.")


def unreadable(name: str, error: UnreadableError, bank: Path | None = None) -> Marked:
    """No points for a file that cannot be read, in each exercise that its name promises."""
    todo = assignments.belonging(name, [], assignments.load(bank))
    marks = [
        Mark(e.name, e.unit, e.title, 0, e.points, "unreadable", str(error))
        for assignment in todo
        for e in assignment.exercises
    ]
    return Marked(marks, note=error.reason, advice=error.advice)


_SPEAKING = ("callable", "type", "shape")
"""Verdicts whose sentence says what the function raised or returned."""


def prepare(name: str, seed: int, bank: Path | None) -> None:
    """Compute now what every submission of an exercise is compared with."""
    with _one_at_a_time:
        _cases_and_answers(name, seed, bank)[1].right  # noqa: B018  it is kept


def cases(name: str, seed: int | None, bank: Path | None) -> list[Arguments]:
    """The hidden cases of an exercise for a seed; for None the public ones."""
    with _one_at_a_time:
        return _cases_and_answers(name, seed, bank)[0]


@cache
def _cases_and_answers(
    name: str, seed: int | None, bank: Path | None
) -> tuple[list[Arguments], Answers]:
    exercise = assignments.by_name(bank)[name]
    torch.set_num_threads(1)
    hidden = seed is not None
    drawn = exercise.draw(PUBLIC_SEED if seed is None else seed, hidden=hidden)
    return drawn, Answers(exercise, drawn)


def _marked(
    exercise: Exercise, outcomes: Sequence[Outcome], seed: int | None, bank: Path | None
) -> Mark:
    with _one_at_a_time:
        drawn, answers = _cases_and_answers(exercise.name, seed, bank)
        report = assess(exercise, drawn, answers, outcomes)
    mark = Mark(
        exercise.name,
        exercise.unit,
        exercise.title,
        report.points,
        exercise.points,
        _verdict(report, outcomes),
        report.sentence,
        report.misconception or "",
        report.named,
    )
    if mark.verdict == "stopped":
        return replace(mark, sentence=_STOPPED)
    if mark.verdict == "not attempted":
        is_missing = outcomes and outcomes[0].text == MISSING
        return replace(mark, sentence=_MISSING if is_missing else _NOTHING)
    return mark


def _cause(mark: Mark, notebook: str, cells: list[causes.Failed]) -> str:
    if mark.verdict == "not attempted":
        return causes.why_missing(mark.exercise, cells)
    return causes.why_unknown(mark.sentence, notebook, cells) if mark.verdict == "callable" else ""


_STOPPED = (
    "It was stopped before it returned. Look for a loop without end, too much memory, or "
    "`os._exit`."
)
# Of one function or of several.
_NOTHING = (
    "A function that returns nothing counts as not attempted: if you have written it, its `return` "
    "is missing."
)
_MISSING = (
    "When the notebook had run, there was no function of this name: if you have written it, it has "
    "another name, or its cell was deleted."
)


def _words(mark: Mark, public: Mark, exercise: Exercise) -> str:
    """The sentence that a student may read, from the same function in the public cases."""
    if public.verdict == mark.verdict:
        return public.sentence
    if mark.verdict == "callable":
        return (
            "The function stops with an error in cases that `check` does not show. Try it with "
            "other sizes, and with a batch of one."
        )
    return exercise.sentence(mark.verdict)  # type: ignore[arg-type]  # one of _SPEAKING, a level


def _verdict(report: Report, outcomes: Sequence[Outcome]) -> str:
    if report.passed:
        return "right"
    if not report.attempted:
        return "not attempted"
    if any(outcome.kind == "stopped" for outcome in outcomes):
        return "stopped"
    return report.level or "value"


def _note(ran: Ran, marks: list[Mark]) -> str:
    if ran.trouble:
        return f"The notebook did not run to its end: {ran.trouble}."
    stopped = [mark.exercise for mark in marks if mark.verdict == "stopped"]
    if stopped:
        return f"Had to be stopped, or ended the process: {', '.join(stopped)}."
    if ran.errors and not any(mark.points for mark in marks):
        return "Cells raised errors, and no exercise earned a point."
    return ""
