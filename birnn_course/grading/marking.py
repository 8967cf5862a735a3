"""Mark one submission: run it in the sandbox, judge what came back outside of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from birnn_course.course import UNITS
from birnn_course.exercises.checking import Answers, assess
from birnn_course.exercises.report import Report
from birnn_course.exercises.spec import Exercise
from birnn_course.grading import assignments, case_sets, causes
from birnn_course.grading.marks import Look, Mark, Marked
from birnn_course.grading.notebooks import UnreadableError, code_cells, digest_of_code
from birnn_course.grading.printable import printable
from birnn_course.grading.submissions import Submission
from birnn_course.running.calling import Outcome
from birnn_course.sandbox import MISSING
from birnn_course.sandbox.outside.pool import Job, Ran, Sandbox


def mark(
    name: str,
    data: bytes,
    sandbox: Sandbox,
    seed: int,
    bank: Path | None = None,
    seconds_left: float = math.inf,
) -> Marked:
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
    seconds_left : float
        What the student's other notebooks have left; nothing is run after that.
    """
    ends = time.monotonic() + seconds_left
    known = assignments.load(bank)
    try:
        cells, code = _prepared.pop(data) if data in _prepared else _understood(data)
    except UnreadableError as error:
        return unreadable(name, error, bank)
    todo = assignments.belonging(name, cells, known)
    exercises = [exercise for assignment in todo for exercise in assignment.exercises]
    if not exercises:
        return _without_exercise(name)
    if seconds_left <= 0:
        return _too_late(exercises, code)
    number = case_sets.chosen(seed, code)
    hidden = {e.name: case_sets.hidden(e.name, seed, number, bank) for e in exercises}
    ran = _run(sandbox, cells, exercises, hidden)
    marks = {e.name: _marked(e, ran.outcomes[e.name], hidden[e.name]) for e in exercises}
    # What a function says for itself may hold the hidden cases that it was called with. So it is
    # asked again, in a process that has never seen them, and called as `check` does.
    asked = [e for e in exercises if marks[e.name].verdict in _SPEAKING]
    if asked:
        public = {e.name: case_sets.public(e.name, bank) for e in asked}
        again = _run(sandbox, cells, asked, public) if time.monotonic() < ends else Ran()
        for e in asked:
            shown = _marked(e, again.outcomes.get(e.name, []), public[e.name])
            marks[e.name] = replace(marks[e.name], sentence=_words(marks[e.name], shown, e))
    if _LOST in ran.trouble:
        return _blocked(list(marks.values()), code)
    cells_that_failed = causes.failed(cells, ran.errors)
    found = [
        replace(marks[e.name], cause=_cause(marks[e.name], assignment.name, cells_that_failed))
        for assignment in todo
        for e in assignment.exercises
    ]
    errors = [(cell.number, cell.line, cell.text) for cell in cells_that_failed]
    note = _note(ran, found)
    return Marked(found, errors, note, look="stopped" if note else "", code=code)


def _run(
    sandbox: Sandbox, cells: list[str], exercises: Sequence[Exercise], asked: dict[str, Answers]
) -> Ran:
    """The notebook is run once, and once more for exercises apart from the others.

    What is to be done by hand in one exercise is not to be had in those that run with it: what it
    was for one call it may have left for another. What functions say is printable from here on.
    """
    together = [e for e in exercises if not e.apart]
    groups = [together, *([e] for e in exercises if e.apart)]
    ran: Ran | None = None
    for group in filter(None, groups):
        by_hand = dict.fromkeys(name for e in group for name in e.by_hand)
        cases = {e.name: list(asked[e.name].cases) for e in group}
        found = sandbox.run(Job(cells, cases, tuple(by_hand)))
        if ran is None:
            ran = Ran({}, found.errors, found.trouble)
        for name, of_one in found.outcomes.items():
            ran.outcomes[name] = [replace(o, text=printable(o.text), printed="") for o in of_one]
        ran.trouble = ran.trouble or found.trouble
    assert ran is not None
    return ran


def _without_exercise(name: str) -> Marked:
    for unit in UNITS:
        if unit.has_exercises and unit.lesson.removesuffix(".ipynb") in name.lower():
            advice = f"Hand in {unit.exercises}."
            return Marked(note="This is the lesson.", advice=advice, look="ask")
    return Marked(note="It defines no function of any exercise.", look="ask")


def _too_late(exercises: Sequence[Exercise], code: str) -> Marked:
    """Nothing was run, since the student's other notebooks took all the time that there was."""
    marks = [
        Mark(e.name, e.unit, e.title, 0, e.points, "stopped", _NO_TIME_LEFT) for e in exercises
    ]
    return Marked(marks, note=_NO_TIME_LEFT, look="stopped", code=code)


def _blocked(marks: Sequence[Mark], code: str) -> Marked:
    """Something else ended what ran it, again and again."""
    marks = [replace(mark, points=0, verdict="stopped", sentence=_NOT_YOURS) for mark in marks]
    return Marked(list(marks), note=_NOT_THEIRS, look="blocked", code=code)


def unreadable(
    name: str, error: UnreadableError, bank: Path | None = None, look: Look = "ask"
) -> Marked:
    """No points for a file that cannot be read, in each exercise that its name promises."""
    todo = assignments.belonging(name, [], assignments.load(bank))
    marks = [
        Mark(e.name, e.unit, e.title, 0, e.points, "unreadable", str(error))
        for assignment in todo
        for e in assignment.exercises
    ]
    return Marked(marks, note=error.reason, advice=error.advice, look=look)


_SPEAKING = ("callable", "type", "shape")
"""Verdicts whose sentence says what the function raised or returned."""


def prepare(submission: Submission, seed: int, bank: Path | None) -> None:
    """Compute now what this notebook will be compared with."""
    try:
        data = submission.read()
        cells, code = _prepared[data] = _understood(data)
    except UnreadableError:
        return
    number = case_sets.chosen(seed, code)
    for assignment in assignments.belonging(submission.name, cells, assignments.load(bank)):
        for exercise in assignment.exercises:
            case_sets.hidden(exercise.name, seed, number, bank)


_prepared: dict[bytes, tuple[list[str], str]] = {}
"""What is in notebooks that are marked next."""


def _understood(data: bytes) -> tuple[list[str], str]:
    """The code cells of a notebook, and the digest of its code."""
    cells = code_cells(data)
    return cells, digest_of_code(cells)


def _marked(exercise: Exercise, outcomes: Sequence[Outcome], answers: Answers) -> Mark:
    with case_sets.one_at_a_time:
        report = assess(exercise, answers.cases, answers, outcomes)
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
_LOST = "ended again and again"  # what the sandbox says of a process that somebody else ended
_NOT_THEIRS = (
    "Something else on this machine ended what ran it, again and again: another notebook, or too "
    "little memory. It is not the student's doing; the same command marks it again."
)
_NOT_YOURS = "It could not be run to its end, which is not your doing: your lecturer knows of it."
_NO_TIME_LEFT = "It was not run: this student's other notebooks took all the time there is for one."
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
