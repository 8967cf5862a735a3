"""Keep the cell that installs the course in Google Colab in all notebooks (``make colab``).

Colab opens a notebook without the package around it, so the notebook must say where the course is.
That is ``[project.urls] Repository`` in ``pyproject.toml``, which whoever hosts a copy sets. As
long as it is not set, no notebook has the cell.

No notebook is run: the cell stores nothing, and the counts of those after it move by one.
"""

from __future__ import annotations

import copy
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from notebooks import ROOT, Notebook, stored, text

TAG = "colab-install"


def repository(folder: Path = ROOT) -> str | None:
    """The address of the repository that ``pyproject.toml`` in ``folder`` names, or None.

    Raises
    ------
    ValueError
        If what it names is no address that pip can install from.
    """
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Repository")
    if address is not None and not re.fullmatch(r"https://[\w.~:/-]+", address):
        raise ValueError(
            f"[project.urls] Repository is {address!r}; give the address that git clones, which "
            "starts with https://."
        )
    return address


def source(address: str) -> str:
    """What the cell holds: in Colab it installs the course, elsewhere it does nothing."""
    return (
        "# In Google Colab this installs the course. Elsewhere it does nothing.\n"
        "import sys\n"
        'if "google.colab" in sys.modules:\n'
        f"    %pip install -q git+{address}"
    )


def has_tag(cell: Any) -> bool:
    """Whether a cell is meant to be this one."""
    return TAG in cell.metadata.get("tags", ())


def with_cell(notebook: Notebook, address: str | None) -> Notebook:
    """A copy with the cell before its first code cell, or without it if there is no address."""
    notebook = copy.deepcopy(notebook)
    for old in [i for i, cell in enumerate(notebook.cells) if has_tag(cell)][::-1]:
        del notebook.cells[old]
        _shift(notebook.cells[old:], -1)
    first = next((i for i, c in enumerate(notebook.cells) if c.cell_type == "code"), None)
    if address is not None and first is not None:
        cell = nbformat.v4.new_code_cell(source(address), id=TAG, metadata={"tags": [TAG]})
        cell.execution_count = notebook.cells[first].execution_count
        _shift(notebook.cells[first:], 1)
        notebook.cells.insert(first, cell)
    return notebook


def _shift(cells: Sequence[Any], by: int) -> None:
    """Move the counts of cells that were run, and of their results, in place."""
    for cell in cells:
        for counted in (cell, *cell.get("outputs", ())):
            if counted.get("execution_count") is not None:
                counted["execution_count"] += by


def main(folder: Path = ROOT) -> int:
    """Put the cell into all notebooks of a clone, or take it out of them."""
    try:
        address = repository(folder)
    except ValueError as error:
        print(error)
        return 1
    changed = 0
    for path in stored(folder=folder):
        before = path.read_text(encoding="utf-8")
        after = text(with_cell(nbformat.reads(before, as_version=4), address))
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            changed += 1
    what = f"installs from {address}" if address else "is in none: no address is set"
    print(f"{changed} notebooks changed. The cell for Colab {what}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
