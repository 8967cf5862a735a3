"""Whole projects as learners hand them in: right ones of different kinds, and faulty ones.

Each is three functions. The models are small and trained for seconds; where the score is not the
point, it is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Planted:
    """One project.

    Attributes
    ----------
    name : str
        What is special about it.
    predict, score, choose : callable
        What is handed in.
    caught_by : str
        The misconception that must be named; empty for a right project.
    """

    name: str
    predict: Function
    score: Function
    choose: Function
    caught_by: str = ""
