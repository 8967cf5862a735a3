"""What one probe found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "problem", "not looked at"]


@dataclass(frozen=True)
class Finding:
    """The answer to one question about a learner's function.

    Parameters
    ----------
    probe : str
        Short name.
    question : str
        What was asked.
    verdict : {"ok", "problem", "not looked at"}
        What came out.
    sentence : str
        The number that shows it, and what to do.
    misconception : str or None
        Id of the misconception that leads there; None if all is well, or several may.
    """

    probe: str
    question: str
    verdict: Verdict
    sentence: str
    misconception: str | None = None
