"""What led to a missing function or name: a cell that raised, or one that was deleted.

Cells and errors come from students, so each cell is read once, from its beginning to a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from birnn_course.course import notebooks_folder
from birnn_course.grading.notebooks import code_cells
from birnn_course.grading.printable import printable, shortened
from birnn_course.sandbox import MOST_ERRORS

MOST_READ = 100_000
"""Characters of a cell in which a definition is looked for."""
_LONGEST_LINE = 80
_LONGEST_TEXT = 400
_NO_NAME = re.compile(r"NameError: name '(\w{1,100})' is not defined")
_CHECKED = re.compile(r"\b(?:check|hint)\((\w+)\b")
_DEFINED = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*=(?!=)|^(?:from|import)([ \t].*)",
    re.MULTILINE,
)


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
        lines = self.source[:MOST_READ].splitlines()
        line = next((line.strip() for line in lines if line.strip()), "")
        return printable(shortened(line, _LONGEST_LINE))

    @cached_property
    def defines(self) -> frozenset[str]:
        """The names that it should have defined, at its top level."""
        return frozenset(_names_defined(self.source))


def failed(cells: Sequence[str], errors: Iterable[tuple[int, str]]) -> list[Failed]:
    """The cells that raised, without checks that only miss what an earlier one should have defined.

    Parameters
    ----------
    cells : sequence of str
        Sources of the code cells.
    errors : iterable of (int, str)
        Number of the cell and what it raised; of each cell the first is taken.
    """
    found: list[Failed] = []
    first: dict[int, str] = {}
    for number, text in errors:  # they come from the student's process
        if 1 <= number <= len(cells) and len(first) < MOST_ERRORS:
            first.setdefault(number, printable(shortened(text, _LONGEST_TEXT)))
    for number, text in first.items():
        cell = Failed(number, cells[number - 1], text)
        name = _missing_name(text)
        is_check = name in _CHECKED.findall(cell.source[:MOST_READ])
        if not (is_check and why_missing(name, found)):
            found.append(cell)
    return found


def why_missing(name: str, cells: Iterable[Failed]) -> str:
    """Which cell should have defined a name and raised, in a sentence; empty if none."""
    for cell in cells:
        if name in cell.defines:
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
    is_ours = name in _handed_out(notebook)
    default = f"`{name}` is defined in a cell of the original notebook." if is_ours else ""
    return why_missing(name, cells) or default


def _missing_name(text: str) -> str:
    found = _NO_NAME.search(text)
    return found[1] if found else ""


def _names_defined(source: str) -> Iterator[str]:
    for defined, assigned, imported in _DEFINED.findall(source[:MOST_READ]):
        if defined or assigned:
            yield defined or assigned
        else:
            yield from re.findall(r"\w+", imported)


@cache
def _handed_out(notebook: str) -> frozenset[str]:
    """What the cells of a notebook of the course define; nothing of a lecturer's own."""
    path = notebooks_folder() / f"{notebook}.ipynb"
    cells = code_cells(path.read_bytes()) if path.is_file() else []
    return frozenset(name for cell in cells for name in _names_defined(cell))
