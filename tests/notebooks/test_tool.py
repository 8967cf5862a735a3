"""``make notebooks``: what it stores, that a second run changes nothing, and what lessons cost."""

from __future__ import annotations

import itertools
import re
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest

from birnn_course.course import UNITS, masters

import notebooks as tool
import rules

PATHS = tool.stored()


def comparable(notebook: Any) -> Any:
    """What must be equal on every machine: all but figures and the outputs that say so."""
    for cell in rules.code_cells(notebook):
        if rules.IGNORED in rules.tags(cell):
            cell.outputs = []
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "", tool.text(notebook))


# One notebook here; that the outputs of all are right again is what nbval compares.
ONE_IN_SHORT = [
    pytest.param(path, id=path.stem, marks=[] if path.stem == "00_start_here" else pytest.mark.full)
    for path in PATHS
]


@pytest.mark.parametrize("path", ONE_IN_SHORT)
def test_running_it_again_changes_nothing(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    again, _ = tool.execute(stored, path.parent)
    assert comparable(tool.normalise(again)) == comparable(stored)


@pytest.mark.full
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_two_runs_on_one_machine_store_the_same_bytes(path: Path) -> None:
    stored = nbformat.read(path, as_version=4)
    first, second = (tool.execute(stored, path.parent)[0] for _ in range(2))
    assert tool.text(tool.normalise(first)) == tool.text(tool.normalise(second))


MASTERS = [tool.SOLUTIONS / name for name in masters()]
EXERCISES = [master for master in MASTERS if master.stem.endswith("_exercises")]


@pytest.mark.parametrize("master", MASTERS, ids=lambda path: path.stem)
def test_the_learners_copy_is_made_from_its_master(master: Path) -> None:
    made = tool.learner_copy(nbformat.read(master, as_version=4))
    stored = nbformat.read(tool.NOTEBOOKS / master.name, as_version=4)
    assert drift(made, stored) == []
    stored.cells[-1].source += " edited by hand"
    assert drift(made, stored) == [len(stored.cells) - 1]


def points(notebook: Any) -> list[tuple[int, int]]:
    """Points and the most points of every check, as the notebook stores them."""
    texts = [
        output.data["text/plain"]
        for cell in rules.code_cells(notebook)
        if cell.source.startswith("check(")
        for output in cell.outputs
    ]
    found = [re.match(r"\w+: (\d+) of (\d+) points", text) for text in texts]
    return [(int(match[1]), int(match[2])) for match in found if match]


@pytest.mark.parametrize("master", EXERCISES, ids=lambda path: path.stem)
def test_a_solution_earns_all_points_and_an_unsolved_copy_none(master: Path) -> None:
    solved = points(nbformat.read(master, as_version=4))
    unsolved = points(nbformat.read(tool.NOTEBOOKS / master.name, as_version=4))
    assert len(solved) == len(unsolved) >= 5
    assert all(earned == most > 0 for earned, most in solved)
    assert all(earned == 0 for earned, _ in unsolved)


def test_the_solved_project_earns_all_points_and_the_unsolved_one_none() -> None:
    name = next(unit.lesson for unit in UNITS if unit.has_project)
    for folder, earned in ((tool.SOLUTIONS, 20), (tool.NOTEBOOKS, 0)):
        notebook = nbformat.read(folder / name, as_version=4)
        printed = [o.get("text") for cell in rules.code_cells(notebook) for o in cell.outputs]
        assert f"{earned} of 20 points\n" in printed


def drift(made: Any, stored: Any) -> list[int]:
    """The cells in which a stored copy differs from what its master makes."""
    pairs = itertools.zip_longest(made.cells, stored.cells)
    return [
        i
        for i, (ours, theirs) in enumerate(pairs)
        if not (ours and theirs) or (ours.id, ours.source) != (theirs.id, theirs.source)
    ]


def small(*sources: str) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])


def test_a_stored_notebook_holds_no_widget_view_no_times_and_no_version(tmp_path: Path) -> None:
    source = "from birnn_course import packing_explorer\npacking_explorer()"
    notebook, _ = tool.execute(small(source), tmp_path)
    assert rules.no_widget_state(notebook)
    tool.normalise(notebook)
    assert not rules.no_widget_state(notebook)
    (kept,) = notebook.cells[0].outputs  # and no empty output in the place of the view
    assert kept.data["text/plain"].startswith("[What does packing")
    assert "execution" not in notebook.cells[0].metadata
    assert notebook.metadata.language_info == {"name": "python"}


def test_costs_are_processor_seconds_of_each_cell(tmp_path: Path) -> None:
    busy = "start = time.process_time()\nwhile time.process_time() < start + 1: pass"
    _, costs = tool.execute(small("import time", "time.sleep(3)", busy), tmp_path)
    assert 1 <= costs[2].cpu_seconds > costs[1].cpu_seconds


@pytest.mark.parametrize("name", ["77", "0", "02_sh", "shapes"])
def test_an_unknown_name_is_one_sentence(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main([name]) == 1
    assert capsys.readouterr().out.count("\n") == 1


LESSON, TASKS = "notebooks/02_shapes.ipynb", "notebooks/02_shapes_exercises.ipynb"
DEEPER = "notebooks/02_shapes_deeper.ipynb"
MASTER = "solutions/02_shapes_exercises.ipynb"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("02_shapes", [LESSON]),
        ("02_shapes.ipynb", [LESSON]),
        (LESSON, [LESSON]),
        ("02_shapes_exercises", [TASKS, MASTER]),
        (MASTER, [TASKS, MASTER]),
        ("02", [LESSON, DEEPER, TASKS, MASTER]),
    ],
)
def test_a_name_means_one_notebook_and_a_number_its_unit(name: str, meant: list[str]) -> None:
    assert [path.relative_to(tool.ROOT).as_posix() for path in tool.stored(name)] == meant


def kinds(path: Path) -> list[str | None]:
    cells = nbformat.read(path, as_version=4).cells
    return [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]


def test_new_cells_of_a_lesson_are_left_to_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.setattr(tool, "stored", partial(tool.stored, folder=tmp_path))
    notebook = small("1", "2", "3")
    notebook.cells[0].metadata["slideshow"] = {"slide_type": "slide"}
    notebook.cells[1].metadata["slideshow"] = {"slide_type": ""}
    lesson, tasks = tmp_path / LESSON, tmp_path / TASKS
    lesson.parent.mkdir()
    for path in (lesson, tasks):
        path.write_text(tool.text(notebook), encoding="utf-8")
    assert tool.main(["02_shapes"]) == 0
    assert capsys.readouterr().out.startswith(f"{LESSON}: written")
    assert kinds(lesson) == ["slide", "skip", "skip"]
    assert kinds(tasks) == ["slide", "", None]  # not run; and only lessons have slides
    assert tool.main([TASKS]) == 0
    assert kinds(tasks) == ["slide", "", None]
