"""Make the learner's copy of an exercise notebook from its master in ``solutions/``.

In a master, what the learner is to write stands between two lines of nbgrader's form::

    ### BEGIN SOLUTION
    ### END SOLUTION

In the copy each such region is one line ``...`` with the indentation of its first marker, or
``pass`` without one, as a cell would show the ``...``. No cell has an output. Everything else stays
as it is.
"""

from __future__ import annotations

import copy
from typing import Any

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
STUB, AT_TOP = "...", "pass"

Notebook = Any


def learner_copy(master: Notebook) -> Notebook:
    """The learner's copy of ``master``, which is not changed.

    Raises
    ------
    ValueError
        If a region does not end, ends without a beginning, or a marker is anywhere but on a line
        of its own in a code cell: half of a solution would be shown.
    """
    notebook = copy.deepcopy(master)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = without_solutions(cell.source)
            cell.outputs = []
            cell.execution_count = None
        elif BEGIN in cell.source or END in cell.source:
            raise ValueError(f"a text cell holds a marker:\n{cell.source}")
    return notebook


def without_solutions(source: str) -> str:
    """The source of a code cell with a stub in place of each region; see :func:`learner_copy`."""
    lines: list[str] = []
    inside = False
    for line in source.splitlines():
        marker = line.strip()
        if marker not in (BEGIN, END):
            if BEGIN in line or END in line:
                raise ValueError(f"a marker needs a line of its own: {line}")
            if not inside:
                lines.append(line)
            continue
        if (marker == BEGIN) == inside:
            raise ValueError(f"{BEGIN} and {END} do not alternate in:\n{source}")
        inside = marker == BEGIN
        if inside:
            indent = line[: len(line) - len(line.lstrip())]
            lines.append(indent + (STUB if indent else AT_TOP))
    if inside:
        raise ValueError(f"{END} is missing in:\n{source}")
    return "\n".join(lines)
