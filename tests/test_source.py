"""Every statement and question of the text that this course grew from is met in a notebook.

``source.csv`` names, for each, a notebook, a piece of one cell's source, and a pattern that the
stored output of such a cell must show: what was claimed, or the run that refutes it.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from birnn_course.course import UNITS, notebooks_folder

TABLE = Path(__file__).with_name("source.csv")
BUILT = {name.removesuffix(".ipynb") for unit in UNITS for name in unit.lessons}


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["notebook"] in BUILT]


def shown(cell: Any) -> str:
    """All text that a cell stores, without its HTML tags."""
    texts = []
    for output in cell.get("outputs", ()):
        texts.append(output.get("text", ""))
        texts += [data for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
    return re.sub(r"<[^>]*>", "", "\n".join(texts))


def is_met(notebook: Any, cell: str, pattern: str) -> bool:
    return any(
        re.search(pattern, shown(candidate))
        for candidate in notebook.cells
        if candidate.cell_type == "code" and cell in candidate.source
    )


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["number"])
def test_the_statement_is_met(row: dict[str, str]) -> None:
    notebook = nbformat.read(notebooks_folder() / f"{row['notebook']}.ipynb", as_version=4)
    assert is_met(notebook, row["cell"], row["pattern"]), row["statement"]


def test_a_statement_that_is_not_met_is_found() -> None:
    row = rows()[0]
    notebook = nbformat.read(notebooks_folder() / f"{row['notebook']}.ipynb", as_version=4)
    assert not is_met(notebook, row["cell"], "no output shows this")
    assert not is_met(notebook, "no cell holds this", row["pattern"])


def test_the_numbers_are_in_order() -> None:
    assert [int(row["number"]) for row in rows()] == sorted({int(row["number"]) for row in rows()})
