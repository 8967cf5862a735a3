"""The IPython extension: after a cell that raised, the explanation, if there is one."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from birnn_course.course import TITLES
from birnn_course.explain import inputs, losses, outputs, packing
from birnn_course.explain.matching import Explanation, explanation_of
from birnn_course.misconceptions import catalogue
from birnn_course.misconceptions.address import read_more

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

TABLE = (*inputs.TABLE, *outputs.TABLE, *packing.TABLE, *losses.TABLE)


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Begin to explain known errors in this session."""
    ipython.events.register("post_run_cell", explain_error)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """Stop explaining."""
    ipython.events.unregister("post_run_cell", explain_error)


def explain_error(result: ExecutionResult) -> None:
    """Print the explanation of a cell's error below its traceback.

    Does nothing if the cell ran, if the error is not known, or if anything goes wrong here. The
    error and its traceback are left as they are, and nothing of them is kept.
    """
    try:
        if result.error_in_exec is not None:
            found = explanation_of(result.error_in_exec, TABLE)
            if found:
                print(as_text(found))
    except Exception:  # an explanation that fails must not add an error to the learner's
        pass


def as_text(found: Explanation) -> str:
    """The explanation, then what may be behind it: unit, id and page of each misconception."""
    lines = [textwrap.fill(f"birnn_course: {found.text}", 88, break_on_hyphens=False)]
    for name in found.misconceptions:
        known = catalogue().get(name)
        where = (
            f"Unit {known.unit}: {TITLES[known.unit]}. " if known and known.unit in TITLES else ""
        )
        lines += [text for text in (f"{where}Misconception: {name}.", read_more(name)) if text]
    return "\n".join(lines)
