"""What a stored output says that it is, for whoever makes pages of the notebooks."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbval.plugin import IPyNbFile

from birnn_course import (
    draw_packed,
    guess,
    measured,
    mixed_test,
    quiz,
    reading_explorer,
    threshold_explorer,
    warm_up,
)
from birnn_course.descriptor import KINDS, MIME, described
from birnn_course.questions.bank import bank
from birnn_course.record import Attempt, record

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(
    path for kind in ("notebooks", "solutions") for path in ROOT.glob(f"{kind}/*.ipynb")
)
LINE: dict[str, Any] = {"low": 0, "high": 100, "unit": "%"}


def stored(shown: Any) -> dict[str, Any]:
    bundle = shown._repr_mimebundle_()
    data: dict[str, Any] = (bundle[0] if isinstance(bundle, tuple) else bundle)[MIME]
    assert data["kind"] in KINDS
    assert json.loads(json.dumps(data)) == data  # and nbval compares what JSON holds
    return data


def test_each_is_enough_to_build_the_thing_again(home: Path) -> None:
    asked = stored(quiz("01"))
    assert (asked["kind"], asked["unit"]) == ("quiz", "01")
    assert asked["questions"] == [question["id"] for question in quiz("01").questions]
    line = stored(guess("01-a", "How many?", **LINE))
    assert (line.pop("kind"), line.pop("id")) == ("guess", "01-a")
    assert line == {"question": "How many?", **LINE}
    tap = stored(guess("01-b", "Which?", choices=["a", "b"]))
    assert tap["choices"] == ["a", "b"]
    explorer = stored(reading_explorer("summary", "city", summary="output[:, -1]"))
    assert (explorer["name"], explorer["preset"]) == ("reading", "summary")
    assert explorer["values"]["word"] == "city"
    assert explorer["values"]["summary"] == "output[:, -1]"
    again = {k: v for k, v in explorer["values"].items() if k not in ("word", "at")}
    assert stored(reading_explorer(explorer["preset"], "city", **again)) == explorer
    at = stored(threshold_explorer(torch.tensor([0, 1]), torch.tensor([0.1, 0.9]), threshold=30))
    assert (at["name"], at["values"]) == ("threshold", {"threshold": 30, "miss": 1, "alarm": 1})
    drawn = draw_packed(["cat", "a"])
    assert stored(drawn) == {"kind": "drawing", "alt": drawn.alt}
    ten = mixed_test(2, n=3)
    assert stored(ten)["number"] == 2 and len(stored(ten)["questions"]) == 3


def test_a_number_that_moves_is_not_in_it(home: Path) -> None:
    assert stored(measured("01-a", 80.2, **LINE)) == stored(measured("01-a", 80.3, **LINE))
    assert stored(measured("01-a", 2, exact=True))["exact"]


def test_nothing_stored_depends_on_a_record_or_tells_a_key(home: Path) -> None:
    def all_of_it() -> str:
        shown = (
            quiz("01"),
            warm_up("03"),
            guess("01-a", "How many?", **LINE),
            measured("01-a", 80.2, **LINE),
        )
        return json.dumps([widget._stored() for widget in shown])

    before = all_of_it()
    guess("01-a", "How many?", **LINE).value = 60
    for question in bank().values():
        if question.unit in ("01", "02"):
            record().add(Attempt(question.id, "question", question.unit, 0, 1, "[0]"))
    assert all_of_it() == before
    for answer in (answer for question in bank().values() for answer in question.answers):
        assert answer.feedback[:40] not in before


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'quizz'"):
        described("quizz")


# Functions that show something which says what it is, as a cell calls them.
SHOW = {"quiz", "diagnostic", "warm_up", "mixed_test", "guess", "measured"}


def _calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in SHOW or name.endswith("_explorer") or name.startswith("draw_"):
                yield name


def without_descriptor(notebook: Any) -> list[str]:
    """Cells that show a quiz, guess, explorable or drawing and do not store what it is."""
    problems = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        found = [o["data"][MIME] for o in cell.outputs if MIME in o.get("data", {})]
        called = list(_calls(cell.source))
        if len(found) < len(called) or any(each.get("kind") not in KINDS for each in found):
            problems.append(f"cell {number} shows {called} and stores {found}")
    return problems


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_notebook_stores_them(path: Path) -> None:
    assert without_descriptor(nbformat.read(path, as_version=4)) == []


def test_a_cell_without_one_is_found() -> None:
    cell = nbformat.v4.new_code_cell("quiz('01')", outputs=[shown(kind="quiz", unit="01")])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert without_descriptor(notebook) == []
    cell.outputs = [shown(kind="quizz", unit="01")]
    assert without_descriptor(notebook)
    del cell.outputs[0]["data"][MIME]
    assert "stores []" in without_descriptor(notebook)[0]


def shown(**description: str) -> Any:
    data = {"text/html": "<p>", MIME: description}
    return nbformat.v4.new_output("display_data", data)


def test_nbval_compares_them(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Its own comparison, on two outputs that differ in nothing else."""
    path = tmp_path / "planted.ipynb"
    one, other = shown(kind="quiz", unit="01"), shown(kind="quiz", unit="02")
    cells = [nbformat.v4.new_code_cell("quiz('01')", outputs=[one])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    (cell,) = IPyNbFile.from_parent(request.session, path=path).collect()
    assert cell.compare_outputs([one], [one])
    assert not cell.compare_outputs([other], [one])
    assert MIME in str(cell.comparison_traceback)
    del other["data"][MIME]
    assert not cell.compare_outputs([other], [one])
