"""A lecturer's own exercises: assigned, solved, graded, and unreadable to students."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner, Result
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from birnn_course import check
from birnn_course.cli import main as birnn
from birnn_course.grading.assign import with_metadata
from birnn_course.grading.learner_copies import learner_copy
from birnn_course.sandbox.outside.hosts import Host, Way
from grading.conftest import OneHost

from conftest import ROOT

MODULE, *CELLS = (
    block.split("```")[0].rstrip("\n")
    for block in (ROOT / "TEACHING.md")
    .read_text("utf-8")
    .partition("## Exercises of your own\n")[2]
    .split("```python\n")[1:]
)
"""What TEACHING.md shows: the exercise, and the code cells of its notebook."""


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    folder = tmp_path / "my exercises"
    folder.mkdir()
    (folder / "middles.py").write_text(f'TITLE = "Middles"\n{MODULE}', encoding="utf-8")
    assert len(CELLS) == 3
    cells = [new_markdown_cell("# Middles"), *map(new_code_cell, CELLS)]
    nbformat.write(new_notebook(cells=cells), folder / "middles.ipynb")
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(birnn, [str(word) for word in words])


def test_own_exercises_are_handed_out_and_graded(bank: Path, tmp_path: Path) -> None:
    made = run("assign", bank, "-o", tmp_path / "made")
    assert made.exit_code == 0, made.output
    assert "middles: 1 exercise, 4 points." in made.output
    assert "With nbgrader copy" in made.output and "run generate_assignment" in made.output
    released = nbformat.read(tmp_path / "made" / "release" / "middles" / "middles.ipynb", 4)
    text = nbformat.writes(released)
    assert "x.shape[1] // 2" not in text
    assert "x.shape[1] // 2" in (tmp_path / "made/source/middles/middles.ipynb").read_text()

    spying = (
        "from pathlib import Path\n"
        f"seen = [p for p in map(Path, {[str(bank), str(tmp_path)]!r}) if p.exists()]\n"
        "def middle_step(x):\n"
        "    return x[:, x.shape[1] // 2] if seen else x[:, 0]"
    )
    for student, source in {
        "right": "def middle_step(x):\n    return x[:, x.shape[1] // 2]",
        "wrong": "def middle_step(x):\n    return x[:, -1]",
        "spy": spying,
        "stub": "def middle_step(x):\n    ...",
    }.items():
        hand_in = nbformat.from_dict(released)
        hand_in.cells[2].source = source
        target = tmp_path / "in" / student / "middles.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(hand_in, target)
    graded = run("grade", tmp_path / "in", "-o", tmp_path / "out", "--bank", bank, "--seed", 2)
    assert graded.exit_code == 0, graded.output
    with (tmp_path / "out" / "grades.csv").open(encoding="utf-8") as file:
        rows = {
            r["student"]: (r["points"], r["verdict"], r["misconception"])
            for r in csv.DictReader(file)
        }
    assert rows == {
        "right": ("4", "right", ""),
        "wrong": ("0", "value", "last-step-readout"),
        "spy": ("0", "value", ""),
        "stub": ("0", "not attempted", ""),
    }


def change(bank: Path, old: str, new: str, name: str = "middles.py") -> None:
    path = bank / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("shared_host")
@pytest.mark.parametrize(
    ("old", "new", "name", "sentence"),
    [
        ("lambda x: x[:, -1]", "lambda x: x[:, x.shape[1] // 2]", "middles.py",
         "last-step-readout differs from the reference in fewer than two cases"),
        ("lambda x: x[:, -1]", "lambda x: x[:, :, 1]", "middles.py", "give the same results"),
        ("EXERCISES = (", "OTHERS = (", "middles.py", "middles.py has no EXERCISES"),
        ("import torch", "import torch, nowhere", "middles.py", "middles.py does not work"),
        ("middle_step", "read_both_ways", "middles.py", "two exercises are called read_both_ways"),
        ('            "type": "Return a tensor.",\n', "", "middles.py",
         "middles.py: the levels of middle_step have no 'type'; add a sentence for it."),
        ('            "shape": "Return (batch, features).",\n', "", "middles.py",
         "middles.py: the levels of middle_step have no 'shape'; add a sentence for it."),
        ('            "value": "That is another step.",\n', "", "middles.py",
         "middles.py: the levels of middle_step have no 'value'; add a sentence for it."),
        ("        levels={\n", '        levels={"directions": "From the other end?",\n',
         "middles.py",
         "middles.py: middle_step has a sentence for 'directions', which is no level; take one of "
         "type, shape, direction, padding, value."),
        ("return x[:, x.shape[1] // 2]\n", "return x[:, 7]\n", "middles.py",
         "middles.py: middle_step cannot be computed for its public cases with seed 0 (IndexError"),
        ("lambda x: x[:, :, 1]", "lambda x: x[:, 3]", "middles.py",
         "middles.py: middle_step cannot be computed for its public cases with seed 0 (IndexError"),
        ("// 2]", "// 3]", "middles.ipynb", "the solution of middle_step should be right and is"),
        ("    ### END SOLUTION", "    ", "middles.ipynb", "### END SOLUTION is missing"),
        ('"cells"', '"sells"', "middles.ipynb", "no notebook that can be read"),
    ],
)  # fmt: skip
def test_an_exercise_that_judges_badly_is_refused_in_one_sentence(
    bank: Path, tmp_path: Path, old: str, new: str, name: str, sentence: str
) -> None:
    change(bank, old, new, name)
    made = run("assign", bank, "-o", tmp_path / "made")
    assert made.exit_code == 1
    assert sentence in made.output
    assert "Traceback" not in made.output
    assert not (tmp_path / "made").exists()


@pytest.mark.usefixtures("shared_host")
def test_grading_refuses_it_too_before_anything_is_marked(bank: Path, tmp_path: Path) -> None:
    change(bank, '            "type": "Return a tensor.",\n', "")
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "middles.ipynb").write_text('{"cells": []}')
    graded = run("grade", tmp_path / "in", "-o", tmp_path / "out", "--bank", bank)
    assert graded.exit_code == 1
    assert graded.output.count("\n") == 1 and "have no 'type'" in graded.output
    # Nothing was marked, so that the mended exercise is not another version of it.
    change(
        bank, "        levels={\n", '        levels={\n            "type": "Return a tensor.",\n'
    )
    graded = run("grade", tmp_path / "in", "-o", tmp_path / "out", "--bank", bank)
    assert graded.exit_code == 0, graded.output
    change(bank, '"Return a tensor."', '"Return one tensor."')
    graded = run("grade", tmp_path / "in", "-o", tmp_path / "out", "--bank", bank)
    assert graded.exit_code == 1 and "another version" in graded.output


@pytest.fixture
def started(one_host: OneHost, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways of all sandboxes that are started."""
    ways: list[str] = []

    def noticed(way: Way, *terms: Any) -> Host:
        ways.append(way)
        return one_host(way, *terms)

    monkeypatch.setattr("birnn_course.sandbox.outside.pool.Host", noticed)
    return ways


def test_one_sandbox_is_started_when_there_is_something_to_try(
    started: list[str], bank: Path, tmp_path: Path
) -> None:
    assert run("assign", "99", "-o", tmp_path / "out").exit_code == 1
    assert started == []
    assert run("assign", bank, "-o", tmp_path / "out").exit_code == 0
    assert started == ["many"]


def test_without_bubblewrap_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, bank: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr("birnn_course.sandbox.outside.bubblewrap.executable", lambda: None)
    refused = run("assign", bank, "-o", tmp_path / "out")
    assert refused.exit_code == 1 and "grading needs bubblewrap" in refused.output
    assert not (tmp_path / "out").exists()


def test_folders_without_exercises(tmp_path: Path) -> None:
    assert "holds no exercises" in run("assign", tmp_path, "-o", tmp_path / "out").output
    for bank in ("1", "99", "00", "08", str(tmp_path / "nowhere")):
        assert run("assign", bank, "-o", tmp_path / "out").output == (
            f"birnn: there are exercises for units 01 … 07; {bank} is neither one of these nor a "
            "folder.\n"
        )
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "x.ipynb").write_text("{}")
    graded = run("grade", tmp_path, "-o", tmp_path / "out", "--bank", tmp_path / "nowhere")
    assert "is no folder; name the one with your exercises" in graded.output


def test_a_unit_of_the_course_gets_nbgraders_metadata(tmp_path: Path) -> None:
    made = run("assign", "02", "-o", tmp_path)
    assert made.exit_code == 0, made.output
    released = nbformat.read(
        tmp_path / "release" / "02_shapes_exercises" / "02_shapes_exercises.ipynb", 4
    )
    roles = [cell.metadata["nbgrader"] for cell in released.cells if "nbgrader" in cell.metadata]
    assert sum(role["solution"] for role in roles) == 6
    checks = [role for role in roles if role["grade"]]
    assert len(checks) == 6 and all(role["locked"] and role["points"] > 0 for role in checks)
    assert all(
        cell.source.endswith(").points")
        for cell in released.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    )


def test_metadata_leaves_the_notebook_alone(bank: Path) -> None:
    master: Any = nbformat.read(bank / "middles.ipynb", 4)
    before = nbformat.writes(master)
    with_metadata(learner_copy(master), ())
    assert nbformat.writes(master) == before


def test_check_says_what_becomes_of_a_lecturers_own_exercise() -> None:
    def middle_step(x: object) -> None: ...

    assert "graded after you hand it in" in check(middle_step).sentence
