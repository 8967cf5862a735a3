"""Notebooks as students hand them in, made from the course's own."""

from __future__ import annotations

from typing import Any

import nbformat

from birnn_course.course import notebooks_folder

from conftest import ROOT

SOLUTIONS = ROOT / "solutions"
Notebook = Any


def solved(name: str) -> Notebook:
    """The notebook with all solutions."""
    return nbformat.read(SOLUTIONS / f"{name}.ipynb", as_version=4)


def untouched(name: str) -> Notebook:
    """The notebook as it was handed out."""
    return nbformat.read(notebooks_folder() / f"{name}.ipynb", as_version=4)


def half_solved(name: str, functions: set[str]) -> Notebook:
    """Only these functions are written."""
    notebook, solution = untouched(name), solved(name)
    for cell, right in zip(notebook.cells, solution.cells, strict=True):
        if any(
            right.source.startswith(f"def {f}(") or f"\ndef {f}(" in right.source for f in functions
        ):
            cell.source = right.source
    return notebook
