"""The cell that installs the course in Colab: in all notebooks the same, and nothing elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from birnn_course.exercises.unit_01 import EXERCISES
from birnn_course.grading.assign import with_metadata
from birnn_course.grading.learner_copies import learner_copy

import colab
import notebooks as tool
import rules

PATHS = tool.stored()
ADDRESS = "https://example.org/ada/birnn-course"
CELL = colab.source(ADDRESS)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def as_made(notebook: Any, address: str | None) -> bool:
    return tool.text(colab.with_cell(notebook, address)) == tool.text(notebook)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_stored_notebook_has_the_cell_of_the_address_that_is_set(path: Path) -> None:
    assert as_made(read(path), colab.repository())


@pytest.fixture
def small() -> Any:
    cells = [
        nbformat.v4.new_markdown_cell("# A title", id="a"),
        nbformat.v4.new_code_cell("setup()", id="b", execution_count=1),
        nbformat.v4.new_code_cell("2 + 2", id="c", execution_count=2),
    ]
    shown = nbformat.v4.new_output("execute_result", {"text/plain": "4"}, execution_count=2)
    cells[2].outputs = [shown]
    return nbformat.v4.new_notebook(cells=cells)


PLANTED: list[Callable[[Any], object]] = [
    lambda nb: nb.cells.pop(1),
    lambda nb: nb.cells.insert(3, nbformat.from_dict({**nb.cells[1], "id": "again"})),
    lambda nb: nb.cells.insert(3, nb.cells.pop(1)),
    lambda nb: nb.cells[1].update(source="%pip install birnn-course"),
    lambda nb: nb.cells[1].update(source=colab.source("https://example.org/eve/birnn-course")),
    lambda nb: nb.cells[1].update(execution_count=7),
    lambda nb: nb.cells[1].outputs.append(nbformat.v4.new_output("stream", text="Installed.")),
]


@pytest.mark.parametrize("plant", PLANTED, ids=range(len(PLANTED)))
def test_another_cell_is_found(small: Any, plant: Callable[[Any], object]) -> None:
    notebook = colab.with_cell(small, ADDRESS)
    assert as_made(notebook, ADDRESS)
    plant(notebook)
    assert not as_made(notebook, ADDRESS)


def test_a_cell_without_an_address_is_found(small: Any) -> None:
    assert as_made(small, None)
    assert not as_made(colab.with_cell(small, ADDRESS), None)


def test_the_counts_move_and_disorder_stays_disorder(small: Any) -> None:
    notebook = colab.with_cell(small, ADDRESS)
    assert [c.execution_count for c in rules.code_cells(notebook)] == [1, 2, 3]
    assert notebook.cells[3].outputs[0].execution_count == 3
    assert tool.text(colab.with_cell(notebook, None)) == tool.text(small)
    small.cells[1].execution_count = 9
    assert rules.ran_in_order(colab.with_cell(small, ADDRESS))
    small.cells[1].execution_count = small.cells[2].execution_count = None
    assert {c.execution_count for c in colab.with_cell(small, ADDRESS).cells[1:]} == {None}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebooks of a copy of the course whose address is set."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("notebooks", "solutions"):
        shutil.copytree(tool.ROOT / name, folder / name)
    set_address(folder, ADDRESS)
    assert colab.main(folder) == 0
    return folder


def set_address(folder: Path, address: str | None) -> None:
    urls = "" if address is None else f'[project.urls]\nRepository = "{address}"\n'
    (folder / "pyproject.toml").write_text(f'[project]\nname = "x"\n{urls}')


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_with_an_address_every_notebook_has_it_and_obeys_the_rules(clone: Path, path: Path) -> None:
    before, after = read(path), read(clone / path.parent.name / path.name)
    assert rules.code_cells(after)[0].source == CELL
    assert [problem for rule in rules.RULES for problem in rule(after)] == []
    kept = [c for c in after.cells if not colab.has_tag(c)]
    assert len(kept) + 1 == len(after.cells)
    assert [c.source for c in kept] == [c.source for c in before.cells if not colab.has_tag(c)]
    if path.parent == tool.SOLUTIONS:
        copied = read(clone / "notebooks" / path.name)
        made = learner_copy(after)
        assert [(c.id, c.source) for c in made.cells] == [(c.id, c.source) for c in copied.cells]


def test_a_second_run_changes_nothing_and_without_an_address_all_is_as_before(
    clone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "clone"
    shutil.copytree(clone, copy)
    assert colab.main(copy) == 0
    assert capsys.readouterr().out.startswith("0 notebooks changed.")
    set_address(copy, colab.repository())
    assert colab.main(copy) == 0
    for path in PATHS:
        assert (copy / path.parent.name / path.name).read_bytes() == path.read_bytes()


def test_moved_counts_are_those_of_a_run(clone: Path) -> None:
    stored = read(clone / "notebooks" / "01_bidirectional_exercises.ipynb")
    again, _ = tool.execute(stored, clone)
    assert tool.text(tool.normalise(again)) == tool.text(stored)


@pytest.mark.parametrize("address", ["ADDRESS", "git@example.org:ada/x", "https://a b", "x'; y"])
def test_what_is_no_address_is_one_sentence(
    tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_address(tmp_path, address)
    assert colab.main(tmp_path) == 1
    assert capsys.readouterr().out.count("\n") == 1


IN_A_SHELL = """
import sys, types
from IPython.core.interactiveshell import InteractiveShell
shell = {shell}
if {record}:
    shell.register_magic_function(lambda line: print("pip", line), "line", "pip")
if {in_colab}:
    sys.modules["google.colab"] = types.ModuleType("google.colab")
result = shell.run_cell({cell!r})
assert result.success, result
"""


def printed(shell: str, record: bool, in_colab: bool) -> str:
    code = IN_A_SHELL.format(shell=shell, record=record, in_colab=in_colab, cell=CELL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_installs_in_colab_and_nowhere_else() -> None:
    shell = "InteractiveShell.instance()"
    assert printed(shell, record=True, in_colab=False) == ""
    assert printed(shell, record=True, in_colab=True) == f"pip install -q git+{ADDRESS}"


@pytest.mark.parametrize("in_colab", [False, True])
def test_the_grader_installs_nothing_even_if_it_is_told_to(in_colab: bool) -> None:
    shell = "__import__('birnn_course.sandbox.inside.student', fromlist=['shell']).shell()"
    assert printed(shell, record=False, in_colab=in_colab) == ""


def test_it_is_handed_out_as_it_is(clone: Path) -> None:
    notebook = read(clone / "notebooks" / "01_bidirectional_exercises.ipynb")
    cell = rules.code_cells(with_metadata(notebook, EXERCISES))[0]
    assert cell.source == CELL
    assert "nbgrader" not in cell.metadata
