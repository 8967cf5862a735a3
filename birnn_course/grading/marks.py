"""What one submission is worth; plain data that needs none of what computed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

Look = Literal["blocked", "ask", "stopped", "older", ""]
"""What a lecturer has to do about a notebook: mark it again, since something else ended what ran
it; ask for it again; know that it was stopped, or is an older one; nothing."""


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
    cause : str
        What outside of the function may have led to it, or empty.
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
    cause: str = ""


@dataclass(frozen=True)
class Marked:
    """One submission with its marks.

    Parameters
    ----------
    marks : list of Mark
        One for each exercise of the assignments that it answers; none if it answers none.
    errors : list of (int, str, str)
        Which code cells raised what: number, counted from 1, first line, and what was raised.
    note : str
        Why a lecturer should look at it; empty if nobody needs to.
    advice : str
        What the student should do about the note.
    look : Look
        What the lecturer has to do.
    code : str
        A digest of the code without comments; empty if there is none.
    """

    marks: list[Mark] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)
    note: str = ""
    advice: str = ""
    look: Look = ""
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data, for a file or another machine."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Marked:
        """What :meth:`as_json` gave.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it is anything else.
        """
        errors = [(number, line, text) for number, line, text in data["errors"]]
        marks = [Mark(**mark) for mark in data["marks"]]
        made = cls(marks, errors, data["note"], data["advice"], data["look"], data["code"])
        if not all(made._is_sound()):
            raise ValueError("no result of a submission")
        return made

    def _is_sound(self) -> Iterator[bool]:
        yield self.look in get_args(Look)
        yield all(type(text) is str for text in (self.note, self.advice, self.code))
        for number, line, text in self.errors:
            yield (type(number), type(line), type(text)) == (int, str, str)
        for mark in self.marks:
            for part in fields(mark):
                wanted = int if part.name in ("points", "max_points") else str
                yield type(getattr(mark, part.name)) is wanted
