"""With the real nbgrader: what `birnn assign` makes is released and graded, and marks agree."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from birnn_course.cli import main as birnn
from grading.handed_in import half_solved, solved, untouched

from conftest import ROOT

NBGRADER = ROOT / ".venv" / "nbgrader"
UNIT = "01_bidirectional_exercises"

pytestmark = pytest.mark.full


def nbgrader(course: Path, *command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command, "--course", str(course)],
        cwd=course,
        env={
            **os.environ,
            "PYTHONPATH": str(NBGRADER),
            "PATH": f"{NBGRADER / 'bin'}{os.pathsep}{os.environ['PATH']}",  # it calls alembic
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]


def hand_in(course: Path, student: str, notebook: object) -> None:
    target = course / "submitted" / student / UNIT / f"{UNIT}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(notebook, target)


def filled_in(released: Path, answers: object) -> object:
    """What was released, with the sources of the cells that the student may change."""
    notebook = nbformat.read(released, as_version=4)
    for cell, theirs in zip(notebook.cells, answers.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = theirs.source
    return notebook


def test_marks_of_honest_students_agree(tmp_path: Path) -> None:
    assert NBGRADER.is_dir(), "run: make .venv/nbgrader"
    course = tmp_path / "course"
    course.mkdir()
    made = CliRunner().invoke(birnn, ["assign", "01", "-o", str(course)])
    assert made.exit_code == 0, made.output
    (course / "release").rename(course / "ours")  # nbgrader makes its own
    nbgrader(course, "generate_assignment", UNIT)
    released = course / "release" / UNIT / f"{UNIT}.ipynb"
    some = {"read_both_ways", "best_score"}
    for student, answers in (
        ("full", solved(UNIT)),
        ("partial", half_solved(UNIT, some)),
        ("stub", untouched(UNIT)),
    ):
        hand_in(course, student, filled_in(released, answers))
    nbgrader(course, "autograde", UNIT)
    nbgrader(course, "export", "--to", "theirs.csv")
    with (course / "theirs.csv").open(encoding="utf-8") as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}

    graded = CliRunner().invoke(
        birnn, ["grade", str(course / "submitted"), "-o", str(tmp_path / "out"), "--seed", "3"]
    )
    assert graded.exit_code == 0, graded.output
    with (tmp_path / "out" / "totals.csv").open(encoding="utf-8") as file:
        ours = {row["student"]: float(row["points"]) for row in csv.DictReader(file)}
    assert theirs == ours
    assert ours == {"full": 15.0, "partial": 5.0, "stub": 0.0}
