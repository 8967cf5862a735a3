"""Make what is handed out from what a lecturer wrote, and refuse exercises that judge badly.

Notebooks carry nbgrader's metadata, so a school that has nbgrader can release and collect them with
it; without nbgrader it does nothing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from birnn_course.course import UNITS, notebooks_folder
from birnn_course.errors import CourseError
from birnn_course.exercises.proving import indistinct
from birnn_course.exercises.spec import Exercise
from birnn_course.files import write_atomic
from birnn_course.grading import assignments
from birnn_course.grading.assignments import Assignment
from birnn_course.grading.learner_copies import learner_copy
from birnn_course.grading.marking import mark
from birnn_course.grading.words import counted
from birnn_course.sandbox.outside import bubblewrap
from birnn_course.sandbox.outside.hosts import Way
from birnn_course.sandbox.outside.pool import Sandbox, best_way

SEEDS = (1, 2, 3)
"""Seeds of the hidden cases on which an exercise is tried."""

Notebook = Any
_SCHEMA = {"schema_version": 3, "task": False}


def assign(bank: str, out: Path, way: Way) -> list[str]:
    """Write ``OUT/source`` (with solutions, for the lecturer) and ``OUT/release`` (to hand out).

    For a unit of the course both hold the learner's copy.

    Parameters
    ----------
    bank : str
        A folder with one's own exercises, or the number of a unit of the course.
    out : Path
        Each of the two folders in it has nbgrader's layout, ``ASSIGNMENT/NOTEBOOK.ipynb``.
    way : {"many", "once", "unprotected"}
        How solutions are run, if this machine allows it; else the next.

    Returns
    -------
    list of str
        One sentence for each assignment.

    Raises
    ------
    CourseError
        If an exercise cannot judge, or a solution does not earn all points.
    """
    unit = next((unit for unit in UNITS if unit.number == bank and unit.has_exercises), None)
    if unit is not None:
        known = assignments.load()
        of_unit = [a for a in known if a.name == unit.exercises.removesuffix(".ipynb")]
        notebook = _read(notebooks_folder() / unit.exercises)
        return [_write(of_unit[0], notebook, notebook, out)]
    folder = Path(bank)
    if not folder.is_dir():
        numbers = [unit.number for unit in UNITS if unit.has_exercises]
        raise CourseError(
            f"there are exercises for units {numbers[0]} … {numbers[-1]}; {bank} is neither one of "
            "these nor a folder."
        )
    tried = [(each, *_notebooks(each, folder)) for each in assignments.own(folder)]
    with Sandbox(way, hidden=[folder.resolve()]) as sandbox:
        if way != "unprotected":
            bubblewrap.require()
            best_way(sandbox)
        for assignment, master, learners in tried:
            _try_notebooks(assignment, folder, master, learners, sandbox)
    return [_write(assignment, master, learners, out) for assignment, master, learners in tried]


def _notebooks(assignment: Assignment, folder: Path) -> tuple[Notebook, Notebook]:
    """The one with solutions, and what learners get; if the exercises can judge."""
    _try_cases(assignment)
    master = _read(folder / f"{assignment.name}.ipynb")
    try:
        return master, learner_copy(master)
    except ValueError as error:
        raise CourseError(f"{assignment.name}.ipynb: {error}") from None


def _read(path: Path) -> Notebook:
    if not path.is_file():
        raise CourseError(f"{path} is missing; every NAME.py needs a NAME.ipynb with solutions.")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat has several
        raise CourseError(f"{path} is no notebook that can be read ({error}).") from None


def _try_cases(assignment: Assignment) -> None:
    for exercise in assignment.exercises:
        for seed in SEEDS:
            file = f"{assignment.name}.py"
            answers = assignments.answers_of(exercise, seed, hidden=True, file=file)
            if problems := indistinct(exercise, answers):
                raise CourseError(
                    f"{exercise.name} cannot judge: with seed {seed}, {problems[0]}. Change its "
                    "cases."
                )


def _try_notebooks(
    assignment: Assignment, folder: Path, master: Notebook, learners: Notebook, sandbox: Sandbox
) -> None:
    """The solutions earn all points, the learner's copy is not attempted."""
    for notebook, wanted in ((master, "right"), (learners, "not attempted")):
        data = nbformat.writes(notebook).encode()
        marked = mark(f"{assignment.name}.ipynb", data, sandbox, SEEDS[0], folder)
        for found in marked.marks:
            if found.verdict != wanted:
                of = "solution" if wanted == "right" else "learner's copy"
                raise CourseError(
                    f"the {of} of {found.exercise} should be {wanted} and is {found.verdict}: "
                    f"{found.sentence}"
                )


def _write(assignment: Assignment, master: Notebook, learners: Notebook, out: Path) -> str:
    for kind, notebook in (("source", master), ("release", learners)):
        marked = with_metadata(notebook, assignment.exercises)
        target = out / kind / assignment.name / f"{assignment.name}.ipynb"
        write_atomic(target, nbformat.writes(marked) + "\n")
    points = sum(exercise.points for exercise in assignment.exercises)
    exercises = counted(len(assignment.exercises), "exercise")
    return f"{assignment.name}: {exercises}, {counted(points, 'point')}."


def with_metadata(notebook: Notebook, exercises: tuple[Exercise, ...]) -> Notebook:
    """A copy whose solution and check cells nbgrader knows, without outputs.

    The check ends with its points: of a cell without a number nbgrader gives all of them.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        for name, metadata in _roles(cell.source, exercises):
            cell.metadata["nbgrader"] = metadata
            if metadata["grade"]:
                cell.source = f"check({name}).points"
    return notebook


def _roles(source: str, exercises: tuple[Exercise, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    for exercise in exercises:
        name = exercise.name
        if re.search(rf"^(async )?def {name}\b", source, re.MULTILINE):
            yield name, {
                **_SCHEMA, "grade": False, "grade_id": name, "locked": False, "solution": True,
            }  # fmt: skip
        elif re.fullmatch(rf"check\({name}\)(\.points)?", source.strip()):
            yield name, {
                **_SCHEMA, "grade": True, "grade_id": f"check_{name}", "locked": True,
                "points": exercise.points, "solution": False,
            }  # fmt: skip
