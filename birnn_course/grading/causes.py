"""What led to a missing function or name: a cell that raised, or one that was deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from birnn_course.course import notebooks_folder
from birnn_course.grading.notebooks import code_cells

_LONGEST_LINE = 80
_NO_NAME = re.compile(r"NameError: name '(\w+)' is not defined")


@dataclass(frozen=True)
class Failed:
    """A code cell that raised.

    Parameters
    ----------
    number : int
        Counted from 1, code cells only.
    source : str
    text : str
        What was raised, as the student's own process says.
    """

    number: int
    source: str
    text: str

    @property
    def line(self) -> str:
        """Its first line, by which a student finds it."""
        line = next((line.strip() for line in self.source.splitlines() if line.strip()), "")
        return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]} …"


def failed(cells: Sequence[str], errors: Iterable[tuple[int, str]]) -> list[Failed]:
    """The cells that raised, without checks that only miss what an earlier one should have defined.

    Parameters
    ----------
    cells : sequence of str
        Sources of the code cells.
    errors : iterable of (int, str)
        Number of the cell and what it raised.
    """
    found: list[Failed] = []
    for number, text in errors:
        if not 1 <= number <= len(cells):  # it comes from the student's process
            continue
        cell = Failed(number, cells[number - 1], text)
        name = _missing_name(text)
        is_check = name and re.search(rf"\b(?:check|hint)\({name}\b", cell.source)
        if not (is_check and why_missing(name, found)):
            found.append(cell)
    return found


def why_missing(name: str, cells: Iterable[Failed]) -> str:
    """Which cell should have defined a name and raised, in a sentence; empty if none."""
    for cell in cells:
        if _defines(cell.source, name):
            return f"`{name}` is missing because cell {cell.number} stopped: {cell.text}."
    return ""


def why_unknown(sentence: str, notebook: str, cells: Iterable[Failed]) -> str:
    """Where the name comes from that a function does not find; empty if nobody knows.

    Parameters
    ----------
    sentence : str
        What the function raised.
    notebook : str
        The name, without ``.ipynb``, of the notebook that was handed out.
    cells : iterable of Failed
        Those that raised.
    """
    name = _missing_name(sentence)
    if not name:
        return ""
    if any(_defines(source, name) for source in _handed_out(notebook)):
        default = f"`{name}` is defined in a cell of the original notebook."
    else:
        default = ""
    return why_missing(name, cells) or default


def _missing_name(text: str) -> str:
    found = _NO_NAME.search(text)
    return found[1] if found else ""


def _defines(source: str, name: str) -> bool:
    pattern = (
        rf"^(?:async[ \t]+)?(?:def|class)[ \t]+{name}\b|^{name}[ \t]*=(?!=)"
        rf"|^(?:from|import)[ \t].*\b{name}\b"
    )
    return re.search(pattern, source, re.MULTILINE) is not None


@cache
def _handed_out(notebook: str) -> list[str]:
    """The code cells of a notebook of the course; none for a lecturer's own."""
    path = notebooks_folder() / f"{notebook}.ipynb"
    return code_cells(path.read_bytes()) if path.is_file() else []
