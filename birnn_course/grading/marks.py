"""What one submission is worth; plain data that needs none of what computed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mark:
    """What one exercise of one submission is worth.

    Parameters
    ----------
    exercise, unit, title : str
    points, max_points : int
    verdict : str
        ``right``, ``not attempted``, ``stopped``, ``unreadable``, or the level that fails:
        ``callable``, ``type``, ``shape``, ``direction``, ``padding``, ``value``.
    sentence : str
        What is wrong and what to do next.
    misconception : str
        Id of the misconception that leads to this result, or empty.
    named : str
        "Your result equals what you get if …", or empty.
    """

    exercise: str
    unit: str
    title: str
    points: int
    max_points: int
    verdict: str
    sentence: str
    misconception: str = ""
    named: str = ""


@dataclass(frozen=True)
class Marked:
    """One submission with its marks.

    Parameters
    ----------
    marks : list of Mark
        One for each exercise of the assignments that it answers; none if it answers none.
    errors : list of (int, str)
        Which code cells raised what, counted from 1.
    note : str
        Why a lecturer should look at it; empty if nobody needs to.
    """

    marks: list[Mark] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a file or another machine."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Marked:
        """What :meth:`as_json` gave."""
        errors = [(number, text) for number, text in data["errors"]]
        return cls([Mark(**mark) for mark in data["marks"]], errors, data["note"])
