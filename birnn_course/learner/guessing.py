"""A guess before a result, and the result beside it: one tap or one slider, never a toll.

What was guessed is kept in the learner's record. A guess that is made, or changed, after its
result has been shown appears there too.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

import traitlets

from birnn_course.errors import CourseError
from birnn_course.record import Attempt, record
from birnn_course.widgets import CourseWidget, script, style

_HERE = Path(__file__).parent
_STYLE = style(_HERE / "guess.css")
_ID = re.compile(r"\d\d-[a-z0-9]+(?:-[a-z0-9]+)*")
_shown: WeakSet[Measured] = WeakSet()  # results that are told of later guesses


class Guess(CourseWidget):
    """A question that one guesses at; see :func:`guess`."""

    _esm = script(_HERE / "guess.js")
    _css = _STYLE
    heading = traitlets.Unicode().tag(sync=True)
    choices: traitlets.List[str] = traitlets.List().tag(sync=True)
    scale: traitlets.List[float] = traitlets.List().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    value = traitlets.Any(allow_none=True).tag(sync=True)

    def __init__(self, item: str, **shown: Any) -> None:
        super().__init__(value=_kept(item), **shown)
        self._item = item
        self.observe(self._keep, "value")

    def _keep(self, change: dict[str, Any]) -> None:
        value = change["new"]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value in self.choices if self.choices else number and math.isfinite(value):
            unit = self._item[:2]
            answer = json.dumps(value)
            record().add_if_new(Attempt(_key(self._item), "guess", unit, 0, 0, answer))
            for result in list(_shown):
                result.tell(self._item)

    def without_kernel(self) -> tuple[str, str]:
        """The question, with what it asks to choose from."""
        if self.choices:
            asked = f"{self.heading} {' / '.join(self.choices)}"
        else:
            low, high = (_written(end, self.unit) for end in self.scale)
            asked = f"{self.heading} From {low} to {high}."
        return (
            f"[Guess: {asked} Run this cell to guess.]",
            f"<p><strong>Guess:</strong> {html.escape(asked)} <em>Run this cell to guess.</em></p>",
        )

    def descriptor(self) -> dict[str, Any]:
        """A guess, without what the record has of it."""
        asked = {"kind": "guess", "id": self._item, "question": self.heading}
        if self.choices:
            return {**asked, "choices": list(self.choices)}
        low, high = self.scale
        return {**asked, "low": low, "high": high, "unit": self.unit}


class Measured(CourseWidget):
    """A result beside what was guessed; see :func:`measured`."""

    _esm = script(_HERE / "measured.js")
    _css = _STYLE
    sentence = traitlets.Unicode().tag(sync=True)
    marks: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)

    def __init__(self, item: str, value: float | str, truth: str, unit: str, scale: Any) -> None:
        super().__init__()
        self._item, self._value, self._unit, self._scale = item, value, unit, scale
        self._truth = truth
        self.tell(item)
        _shown.add(self)

    def tell(self, item: str) -> None:
        """Show the guess that the record has now, if it is that of this result."""
        if item != self._item:
            return
        mine = _kept(item)
        guessed = "No guess." if mine is None else f"You: {_written(mine, self._unit)}."
        self.sentence = f"{guessed} {self._truth}"
        if self._scale:
            self.marks = {"scale": self._scale, "you": mine, "measured": self._value}

    def without_kernel(self) -> tuple[str, str]:
        """The result alone: what was guessed is in the record, and not in a notebook."""
        run = "Run this cell to see your guess beside it."
        return f"[{self._truth} {run}]", f"<p>{html.escape(self._truth)} <em>{run}</em></p>"

    def descriptor(self) -> dict[str, Any]:
        """A result; one that training or a machine moves stands in the text only."""
        low, high = self._scale or (None, None)
        return {
            "kind": "measured",
            "id": self._item,
            "unit": self._unit,
            "low": low,
            "high": high,
            "exact": "≈" not in self._truth,
        }


def guess(
    item: str,
    question: str,
    *,
    choices: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
) -> Guess:
    """Ask for a guess: one of a few choices, or a number on a line.

    Nothing depends on it; :func:`measured` shows it beside the result.

    Parameters
    ----------
    item : str
        The guess's own name, with its unit, as ``"01-both-ways"``.
    question : str
        One sentence.
    choices : sequence of str, optional
        Two to five answers.
    low, high : float, optional
        The ends of the line, where a number is asked.
    unit : str
        Written behind the number, as ``"%"``.

    Raises
    ------
    CourseError
        If neither choices nor both ends are given, or the name is none.
    """
    if not _ID.fullmatch(item):
        raise CourseError(f'A guess is named as in "01-both-ways", not {item!r}.')
    line = low is not None and high is not None
    if bool(choices) == line or (line and not low < high):  # type: ignore[operator]
        raise CourseError("A guess needs choices, or low and high with low below high.")
    if choices and not (2 <= len(set(choices)) == len(choices) <= 5):
        raise CourseError("A guess needs two to five choices that differ.")
    scale = _scale(low, high)
    return Guess(item, heading=question, choices=list(choices), scale=scale, unit=unit)


def measured(
    item: str,
    value: float | str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    exact: bool = False,
) -> Measured:
    """Show a result beside what was guessed, also if the guess comes later.

    Parameters
    ----------
    item : str
        The name of the guess.
    value : float or str
        The number, or the choice that is right.
    unit : str
        As in the guess.
    low, high : float, optional
        Draw both on a line with these ends.
    exact : bool
        Whether the number is the same everywhere. One that training or a machine moves is written
        behind the sign ≈.

    Raises
    ------
    CourseError
        If the number is not finite.
    """
    if not isinstance(value, str):
        value = float(value)
        if not math.isfinite(value):
            raise CourseError(f"What was measured is {value}: there is nothing to compare with.")
    if isinstance(value, str):
        truth = f"It is: {value}."
    else:
        truth = f"Measured: {'' if exact else '≈ '}{_written(round(value, 1), unit)}."
    scale = _scale(low, high)
    return Measured(item, value, truth, unit, scale)


def _scale(low: float | None, high: float | None) -> list[float]:
    """The ends of a line, or nothing where there is none."""
    return [] if low is None or high is None else [float(low), float(high)]


def _key(item: str) -> str:
    return f"guess:{item}"


def _kept(item: str) -> Any:
    """The last guess, or None."""
    earlier = record().attempts(_key(item))
    return json.loads(earlier[-1].answer) if earlier else None


def _written(value: float | str, unit: str) -> str:
    number = value if isinstance(value, str) else f"{value:g}"
    return f"{number} {unit}".rstrip()
