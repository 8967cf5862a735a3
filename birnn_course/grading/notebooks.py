"""The code cells of a file that claims to be a notebook."""

from __future__ import annotations

import json
from collections.abc import Callable

MOST_BYTES = 20 * 2**20
MOST_CELLS = 2_000
_SAVE_IT = "Open it in JupyterLab, save it, and hand it in again."


class UnreadableError(Exception):
    """A file that is no notebook.

    Parameters
    ----------
    reason : str
        Why not, for lecturer and student.
    advice : str
        What the student should do.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"{reason} {advice}".strip())
        self.reason = reason
        self.advice = advice


def code_cells(data: bytes) -> list[str]:
    """The sources of the code cells, in order.

    Raises
    ------
    UnreadableError
        If it is no notebook of version 4.
    """
    if len(data) > MOST_BYTES:
        raise UnreadableError(
            f"The file is larger than {MOST_BYTES // 2**20} MB.",
            "Clear the outputs and hand it in again.",
        )
    if has_too_many_values(data):
        raise UnreadableError(
            "The file holds more lists and numbers than a notebook does.",
            "Clear the outputs and hand it in again.",
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
        if "worksheets" in notebook and "cells" not in notebook:
            raise UnreadableError(
                "The notebook is of the old format 3.",
                _SAVE_IT,
            )
        cells = notebook["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        texts = [s if isinstance(s, str) else "".join(s) for s in sources]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnreadableError(
            "The file is no notebook that can be read.",
            _SAVE_IT,
        ) from None
    if len(texts) > MOST_CELLS:
        raise UnreadableError(f"The notebook has more than {MOST_CELLS:,} code cells.")
    return texts


_MOST_GROUPS, _MOST_VALUES = 200_000, 1_000_000


def has_too_many_values(data: bytes) -> bool:
    """Whether so much would come of a JSON text that reading it takes too much memory.

    ``{"":1}`` is six bytes, and an object of 232. What stands in strings, such as pictures and
    code, costs no more than it is long.
    """
    if not any(_groups_and_commas(data.count)):
        return False
    import numpy as np  # late: before grading begins, nobody waits for it

    # Without what a backslash hides the quotes left begin and end strings, by turns.
    plain = np.frombuffer(data.replace(b"\\\\", b"").replace(b'\\"', b""), dtype=np.uint8)
    outside = np.add.accumulate(plain == ord('"'), dtype=np.uint8) % 2 == 0
    return any(_groups_and_commas(lambda sign: int(((plain == ord(sign)) & outside).sum())))


def _groups_and_commas(count: Callable[[bytes], int]) -> tuple[bool, bool]:
    """Whether there are too many of each."""
    return count(b"{") + count(b"[") > _MOST_GROUPS, count(b",") > _MOST_VALUES
