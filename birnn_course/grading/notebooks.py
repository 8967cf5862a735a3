"""The code cells of a file that claims to be a notebook."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from birnn_course.grading.printable import printable, shortened

MOST_BYTES = 20 * 2**20
MOST_CELLS = 2_000
MOST_BRACKETS, MOST_COMMAS = 200_000, 1_000_000
"""Outside of texts: each bracket may become an object of 200 bytes, what a comma ends one of 60."""
_LONGEST_REASON = 1_500
_SAVE_IT = "Open it in JupyterLab, save it, and hand it in again."
_CLEAR_IT = "Clear the outputs and hand it in again."
# What is not closed ends with its line, or with the cell: each character is looked at once.
_CODE = re.compile(
    r"""(?P<text>'''(?:[^'\\]++|\\.|'(?!''))*+(?:''')?|\"""(?:[^"\\]++|\\.|"(?!""))*+(?:\""")?"""
    r"""|'(?:[^'\\\n]++|\\.)*+'?|"(?:[^"\\\n]++|\\.)*+"?)|\#[^\n]*+""",
    re.DOTALL,
)


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
        reason = printable(shortened(reason, _LONGEST_REASON))  # it may quote what is in a zip
        super().__init__(f"{reason} {advice}".strip())
        self.reason = reason
        self.advice = advice


def code_cells(data: bytes) -> list[str]:
    """The sources of the code cells, in order.

    Raises
    ------
    UnreadableError
        If it is no notebook of version 4, of a size that no notebook has, or a solution that the
        course brought.
    """
    if len(data) > MOST_BYTES:
        raise UnreadableError(f"The file is larger than {MOST_BYTES // 2**20} MB.", _CLEAR_IT)
    if has_too_many_values(data):
        raise UnreadableError("The file holds too many values.", _CLEAR_IT)
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
        if "worksheets" in notebook and "cells" not in notebook:
            raise UnreadableError("The notebook is of the old format 3.", _SAVE_IT)
        cells = notebook["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        texts = [s if isinstance(s, str) else "".join(s) for s in sources]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnreadableError("The file is no notebook that can be read.", _SAVE_IT) from None
    if _is_a_solution(notebook):
        raise UnreadableError("It is the course's own solution.", "Hand in your own notebook.")
    if len(texts) > MOST_CELLS:
        raise UnreadableError(f"The notebook has more than {MOST_CELLS:,} code cells.")
    return texts


def _is_a_solution(notebook: dict[str, object]) -> bool:
    """Whether ``check`` brought it to somebody who was stuck, and it came along in a folder."""
    metadata = notebook.get("metadata")
    ours = metadata.get("birnn") if isinstance(metadata, dict) else None
    return isinstance(ours, dict) and ours.get("solution") is True


def has_too_many_values(data: bytes) -> bool:
    """Whether so much would come of a JSON text that reading it takes too much memory.

    ``{"":1}`` is six bytes, and an object of 232. What stands in strings, such as pictures and
    code, costs no more than it is long.
    """
    if _brackets(data) <= MOST_BRACKETS and data.count(b",") <= MOST_COMMAS:
        return False  # as nearly always
    import numpy as np

    bare = np.frombuffer(data.replace(rb"\\", b"").replace(rb"\"", b""), np.uint8)
    outside = ~np.bitwise_xor.accumulate(bare == ord('"'))
    brackets = ((bare == ord("{")) | (bare == ord("["))) & outside
    commas = (bare == ord(",")) & outside
    return bool(brackets.sum() > MOST_BRACKETS or commas.sum() > MOST_COMMAS)


def _brackets(data: bytes) -> int:
    return data.count(b"{") + data.count(b"[")


def digest_of_code(cells: Iterable[str]) -> str:
    """The same for two notebooks that differ in comments, empty lines and cuts between cells only.

    Parameters
    ----------
    cells : iterable of str
        Sources of the code cells.
    """
    digest = hashlib.sha256()
    for cell in cells:
        bare = _CODE.sub(lambda found: found["text"] or "", cell)
        for line in filter(None, map(str.rstrip, bare.splitlines())):
            digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
