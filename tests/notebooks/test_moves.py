"""In a rebuilt lesson every number that training moves stands behind ≈.

The lesson is run once more with other random numbers; what is printed may differ behind ≈ alone.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from rebuilt import REBUILT

import notebooks as tool

SANITIZE = Path(__file__).with_name("sanitize.cfg")


def blanked(cell: Any) -> list[str]:
    """The text that a cell stores, as nbval compares it."""
    rules = configparser.ConfigParser(interpolation=None)
    rules.read_string(SANITIZE.read_text(encoding="utf-8"))
    texts = [
        o.get("text", o.get("data", {}).get("text/plain", "")) for o in cell.get("outputs", ())
    ]
    for rule in rules.sections():
        regex, instead = rules[rule]["regex"], rules[rule]["replace"]
        texts = [re.sub(regex, instead, text, flags=re.DOTALL) for text in texts]
    return texts


def moved(notebook: Any, folder: Path) -> list[str]:
    """Cells that print something else, and not behind ≈, when the random numbers are others."""
    other = nbformat.from_dict(notebook)
    for cell in other.cells:
        if cell.cell_type == "code":
            cell.source = re.sub(r"(manual_seed\(|\bsetup\(seed=)0\)", r"\g<1>1)", cell.source)
    again, _ = tool.execute(other, folder)
    return [
        cell.source
        for before, cell in zip(notebook.cells, tool.normalise(again).cells, strict=True)
        if blanked(before) != blanked(cell)
    ]


@pytest.mark.full
@pytest.mark.parametrize("name", [name for unit in REBUILT for name in unit.lessons])
def test_what_training_moves_stands_behind_the_sign(name: str) -> None:
    path = tool.NOTEBOOKS / name
    assert moved(nbformat.read(path, as_version=4), path.parent) == []


@pytest.mark.full
def test_a_number_that_moves_without_the_sign_is_found(tmp_path: Path) -> None:
    seeded = new_code_cell("import torch\ntorch.manual_seed(0)\nscore = torch.rand(1).item()")
    with_sign = new_code_cell("print(f'≈ {score:.3f}')")
    without = new_code_cell("print(f'{score:.3f}')")
    notebook, _ = tool.execute(new_notebook(cells=[seeded, with_sign, without]), tmp_path)
    assert moved(notebook, tmp_path) == [without.source]
