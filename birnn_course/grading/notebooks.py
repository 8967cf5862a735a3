"""The code cells of a file that claims to be a notebook."""

from __future__ import annotations

import json

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
