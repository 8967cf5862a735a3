"""Mark one submission: run it in the sandbox, judge what came back outside of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch

from birnn_course.exercises.checking import Answers, judge
from birnn_course.exercises.report import Report
from birnn_course.exercises.spec import Arguments, Exercise
from birnn_course.grading import assignments
from birnn_course.grading.notebooks import UnreadableError, code_cells
from birnn_course.grading.prison import Job, Prison, Ran

# The references seed PyTorch's only generator, so one thread at a time.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Mark:
    """What one exercise of one submission is worth.

    Parameters
    ----------
    exercise, unit, title : str
    points, max_points : int
    verdict : str
        ``right``, ``not attempted``, ``stopped``, ``unreadable``, or the level that fails:
        ``callable``, ``type``, ``shape``, ``direction``, ``padding``, ``value``.
    sentence : str
        What is wrong and what to do next.
    misconception : str
        Id of the misconception that leads to this result, or empty.
    named : str
        "Your result equals what you get if …", or empty.
    """

    exercise: str
    unit: str
    title: str
    points: int
    max_points: int
    verdict: str
    sentence: str
    misconception: str = ""
    named: str = ""


@dataclass(frozen=True)
class Marked:
    """One submission with its marks.

    Parameters
    ----------
    marks : list of Mark
        One for each exercise of the assignments that it answers; none if it answers none.
    errors : list of (int, str)
        Which code cells raised what, counted from 1.
    note : str
        Why a lecturer should look at it; empty if nobody needs to.
    """

    marks: list[Mark] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a file or another machine."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Marked:
        """What :meth:`as_json` gave."""
        errors = [(number, text) for number, text in data["errors"]]
        return cls([Mark(**mark) for mark in data["marks"]], errors, data["note"])


def mark(name: str, data: bytes, prison: Prison, seed: int, bank: Path | None = None) -> Marked:
    """Mark the notebook called ``name``.

    Parameters
    ----------
    name : str
        The file's name.
    data : bytes
        What is in the file.
    prison : Prison
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
        return unreadable(name, str(error), bank)
    todo = assignments.belonging(name, cells, known)
    exercises = [exercise for assignment in todo for exercise in assignment.exercises]
    if not exercises:
        return Marked(note="It defines no function of any exercise.")
    calls = {exercise.name: cases(exercise.name, seed, bank) for exercise in exercises}
    ran = prison.run(Job(cells, calls))
    marks = [_marked(exercise, ran, seed, bank) for exercise in exercises]
    return Marked(marks, ran.errors, _note(ran, marks))


def unreadable(name: str, sentence: str, bank: Path | None = None) -> Marked:
    """No points for a file that cannot be read, in each exercise that its name promises."""
    todo = assignments.belonging(name, [], assignments.load(bank))
    marks = [
        Mark(e.name, e.unit, e.title, 0, e.points, "unreadable", sentence)
        for assignment in todo
        for e in assignment.exercises
    ]
    return Marked(marks, note=sentence)


def cases(name: str, seed: int, bank: Path | None) -> list[Arguments]:
    """The hidden cases of an exercise."""
    with _one_at_a_time:
        return _cases_and_answers(name, seed, bank)[0]


@cache
def _cases_and_answers(name: str, seed: int, bank: Path | None) -> tuple[list[Arguments], Answers]:
    exercise = assignments.by_name(bank)[name]
    torch.set_num_threads(1)
    drawn = exercise.draw(seed, hidden=True)
    return drawn, Answers.of(exercise, drawn)


def _marked(exercise: Exercise, ran: Ran, seed: int, bank: Path | None) -> Mark:
    with _one_at_a_time:
        drawn, answers = _cases_and_answers(exercise.name, seed, bank)
        report = judge(exercise, drawn, answers, ran.outcomes[exercise.name])
    return Mark(
        exercise.name,
        exercise.unit,
        exercise.title,
        report.points,
        exercise.points,
        _verdict(report, ran),
        report.sentence,
        report.misconception or "",
        report.named,
    )


def _verdict(report: Report, ran: Ran) -> str:
    if report.passed:
        return "right"
    if not report.attempted:
        return "not attempted"
    if any(outcome.kind == "stopped" for outcome in ran.outcomes[report.exercise]):
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
