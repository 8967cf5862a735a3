"""The code cells of a file that claims to be a notebook."""

from __future__ import annotations

import json

MOST_BYTES = 20 * 2**20
MOST_CELLS = 2_000


class UnreadableError(Exception):
    """A file that is no notebook; the text says why, and what the student should do."""


def code_cells(data: bytes) -> list[str]:
    """The sources of the code cells, in order.

    Raises
    ------
    UnreadableError
        If it is no notebook of version 4.
    """
    if len(data) > MOST_BYTES:
        raise UnreadableError(
            f"The file is larger than {MOST_BYTES // 2**20} MB. Clear the outputs and hand it in "
            "again."
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
        if "worksheets" in notebook and "cells" not in notebook:
            raise UnreadableError(
                "The notebook is of the old format 3. Open it in JupyterLab, save it, and hand it "
                "in again."
            )
        cells = notebook["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        texts = [s if isinstance(s, str) else "".join(s) for s in sources]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnreadableError(
            "The file is no notebook that can be read. Open it in JupyterLab, save it, and hand it "
            "in again."
        ) from None
    if len(texts) > MOST_CELLS:
        raise UnreadableError(f"The notebook has more than {MOST_CELLS:,} code cells.")
    return texts
