"""A guess before a result, and the result beside it: one tap, one slider or one curve.

What was guessed is kept in the learner's record. A guess that is made, or changed, after its
result has been shown appears there too. What a notebook stores holds the question and the result,
never a guess.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet

import traitlets

from birnn_course.errors import CourseError
from birnn_course.record import Attempt, record
from birnn_course.widgets import CourseWidget, script, style

_HERE = Path(__file__).parent
_STYLE = style(_HERE / "guess.css")
_ID = re.compile(r"\d\d-[a-z0-9]+(?:-[a-z0-9]+)*")
_MOST_POINTS = 8
_MOST_LETTERS = 1_000
_shown: WeakSet[Measured] = WeakSet()  # results that are told of later guesses
_asked: dict[str, Axes] = {}  # of each guess of this kernel what it is drawn on

SCRIPTS = {
    "guess": (_HERE / "chart.js", _HERE / "guess.js"),
    "measured": (_HERE / "chart.js", _HERE / "measured.js"),
}
"""The scripts of each widget, for a page without a kernel."""


class Axes(NamedTuple):
    """What a number or a curve is drawn on.

    Parameters
    ----------
    scale : list of float
        The ends, or nothing where nothing is drawn.
    unit : str
        Written behind each number.
    at : list of float
        Where a curve has its points.
    xlabel : str
        What ``at`` counts.
    """

    scale: list[float]
    unit: str
    at: list[float]
    xlabel: str

    def described(self) -> dict[str, Any]:
        """As :func:`guess` and :func:`measured` take it."""
        low, high = self.scale or (None, None)
        curve = {"at": self.at, "xlabel": self.xlabel} if self.at else {}
        return {"low": low, "high": high, "unit": self.unit, **curve}


class Shown(Protocol):
    """A picture that says where on it a number lies, as those of the course's plots do."""

    alt: str
    coordinates: Mapping[str, Sequence[float]]
    """``box``: left, top, right and bottom of the axes as shares of the picture; ``x`` and ``y``:
    what stands at their left and right, their lower and upper end."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]: ...


class Guess(CourseWidget):
    """A question that one guesses at; see :func:`guess`."""

    _esm = script(*SCRIPTS["guess"])
    _css = _STYLE
    item = traitlets.Unicode().tag(sync=True)
    heading = traitlets.Unicode().tag(sync=True)
    choices: traitlets.List[str] = traitlets.List().tag(sync=True)
    curves: traitlets.Dict[str, list[float]] = traitlets.Dict().tag(sync=True)
    axes: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    value = traitlets.Any(allow_none=True).tag(sync=True)
    # What has arrived here and is in the record: until then the browser promises nothing.
    kept = traitlets.Any(allow_none=True).tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)

    def __init__(self, item: str, **shown: Any) -> None:
        super().__init__(item=item, **shown)
        earlier = _kept(item)
        if self._is_answer(earlier):  # else it was given when the question was another one
            self.value = self.kept = earlier
        self.observe(self._keep, "value")

    def _keep(self, change: dict[str, Any]) -> None:
        value = change["new"]
        if self._is_answer(value):
            record().add_if_new(as_attempt(self.item, value))
            self.notice = record().notice or ""
            self.kept = value
            for result in list(_shown):
                result.tell(self.item)

    def _is_answer(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if self.axes["at"]:
            return (
                is_guess(value) and isinstance(value, list) and len(value) == len(self.axes["at"])
            )
        return _is_number(value)

    def without_kernel(self) -> tuple[str, str]:
        """The question, with what it asks to choose from."""
        axes = Axes(**self.axes)
        if self.choices:
            asked = f"{self.heading} {' / '.join(self.choices)}"
        else:
            low, high = (_written(end, axes) for end in axes.scale)
            places = f"At {_listed(axes.at)} {axes.xlabel}".rstrip() + ": " if axes.at else ""
            asked = f"{self.heading} {places}{'from' if places else 'From'} {low} to {high}."
        return (
            f"[Guess: {asked} Run this cell to guess.]",
            f"<p><strong>Guess:</strong> {html.escape(asked)} <em>Run this cell to guess.</em></p>",
        )

    def descriptor(self) -> dict[str, Any]:
        """What was asked, without what the record has of it."""
        axes = Axes(**self.axes)
        asked = {"kind": "guess", "id": self.item, "question": self.heading}
        return (
            {**asked, "choices": self.curves or self.choices}
            if self.choices
            else {**asked, **axes.described()}
        )


class Measured(CourseWidget):
    """A result beside what was guessed; see :func:`measured`."""

    _esm = script(*SCRIPTS["measured"])
    _css = _STYLE
    item = traitlets.Unicode().tag(sync=True)
    truth = traitlets.Unicode().tag(sync=True)
    value = traitlets.Any().tag(sync=True)
    axes: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    picture: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    you = traitlets.Any(allow_none=True).tag(sync=True)

    def __init__(self, item: str, **shown: Any) -> None:
        super().__init__(item=item, you=_kept(item), **shown)
        _shown.add(self)

    def tell(self, item: str) -> None:
        """Show the guess that the record has now, if it is that of this result."""
        if item == self.item:
            self.you = _kept(item)

    def without_kernel(self) -> tuple[str, str]:
        """The result; what was guessed is the learner's own and is not stored."""
        run = "Run this cell to see your guess beside it."
        picture = self.picture.get("html", "")
        alt = f"{self.picture['alt']} " if picture else ""
        return (
            f"[{alt}{self.truth} {run}]",
            f"{picture}<p>{html.escape(self.truth)} <em>{run}</em></p>",
        )

    def descriptor(self) -> dict[str, Any]:
        """What is compared; a number that training or a machine moves stands in the text only."""
        axes = Axes(**self.axes)
        known = {"kind": "measured", "id": self.item, "exact": "≈" not in self.truth}
        return {**known, **axes.described()}


def guess(
    item: str,
    question: str,
    *,
    choices: Sequence[str] | Mapping[str, Sequence[float]] = (),
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
    at: Sequence[float] = (),
    xlabel: str = "",
) -> Guess:
    """Ask for a guess: one of a few choices, a number on a line, or a curve.

    Nothing depends on it; :func:`measured` shows it beside the result.

    Parameters
    ----------
    item : str
        The guess's own name, with its unit, as ``"01-both-ways"``.
    question : str
        One sentence.
    choices : sequence of str, or mapping of str to sequence of float, optional
        Two to five answers; of a mapping also the curve that is drawn above each.
    low, high : float, optional
        The ends of the line, where a number is asked.
    unit : str
        Written behind the number, as ``"%"``.
    at : sequence of float, optional
        Where a curve is asked: the places of its two to eight points, in rising order.
    xlabel : str
        What the places count, as ``"steps late"``.

    Raises
    ------
    CourseError
        If neither choices nor both ends are given, or the name is none, or the places are not two
        to eight that rise.
    """
    if not _ID.fullmatch(item):
        raise CourseError(f'A guess is named as in "01-both-ways", not {item!r}.')
    line = low is not None and high is not None
    if bool(choices) == line or (line and not low < high):  # type: ignore[operator]
        raise CourseError("A guess needs choices, or low and high with low below high.")
    if choices and not (2 <= len(set(choices)) == len(choices) <= 5):
        raise CourseError("A guess needs two to five choices that differ.")
    places = [float(place) for place in at]
    if places and (choices or not 2 <= len(places) <= _MOST_POINTS or places != sorted({*places})):
        raise CourseError("A guessed curve needs low and high, and at with 2 to 8 rising numbers.")
    curves = choices if isinstance(choices, Mapping) else {}
    if any(len(heights) < 2 for heights in curves.values()):
        raise CourseError("The curve of a choice needs two heights or more.")
    _asked[item] = axes = Axes(_scale(low, high), unit, places, xlabel)
    return Guess(
        item,
        heading=question,
        choices=list(choices),
        curves={name: [*map(float, heights)] for name, heights in curves.items()},
        axes=axes._asdict(),
    )


def measured(
    item: str,
    value: float | str | Sequence[float],
    *,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
    at: float | Sequence[float] | None = None,
    xlabel: str | None = None,
    picture: Shown | None = None,
    exact: bool = False,
) -> Measured:
    """Show a result beside what was guessed, also if the guess comes later.

    What the guess was drawn on is taken from it, if its cell has been run; what is said here comes
    first.

    Parameters
    ----------
    item : str
        The name of the guess.
    value : float, str or sequence of float
        The number, or the choice that is right, or the heights of a curve.
    unit : str, optional
        As in the guess.
    low, high : float, optional
        Draw both on a line, or on axes, with these ends.
    at : float or sequence of float, optional
        Where a curve has its points; on a picture also where a single number has its mark.
    xlabel : str, optional
        What ``at`` counts.
    picture : optional
        What was plotted, as ``plot_lines`` returns it: the guess is laid upon it.
    exact : bool
        Whether the number is the same everywhere. One that training or a machine moves is written
        behind the sign ≈.

    Raises
    ------
    CourseError
        If a number is not finite, or a curve has not one height for each place.
    """
    asked = _asked.get(item, Axes([], "", [], ""))
    where = asked.at if at is None else [at] if isinstance(at, int | float) else [*map(float, at)]
    axes = Axes(
        _scale(low, high) or asked.scale,
        asked.unit if unit is None else unit,
        where,
        asked.xlabel if xlabel is None else xlabel,
    )
    known = _plain(value)
    heights = known if isinstance(known, list) else []
    if heights and not where:
        axes = axes._replace(at=[float(i) for i in range(len(heights))])
    if heights and len(axes.at) != len(heights):
        raise CourseError(
            f"The curve has {len(heights)} heights and {len(axes.at)} places: give one for each."
        )
    if heights and not axes.scale:
        spread = max(heights) - min(heights) or 1.0
        axes = axes._replace(scale=[min(heights) - spread / 10, max(heights) + spread / 10])
    return Measured(
        item,
        truth=_truth(known, axes, exact),
        value=known,
        axes=axes._asdict(),
        picture=_laid(picture),
    )


def _plain(value: Any) -> float | str | list[float]:
    """The value as plain numbers: a tensor's, an array's or Python's own."""
    if isinstance(value, str):
        return value
    found = value.tolist() if hasattr(value, "tolist") else value
    known = [*map(float, found)] if isinstance(found, list | tuple) else float(found)
    for number in known if isinstance(known, list) else [known]:
        if not math.isfinite(number):
            raise CourseError(f"What was measured is {number}: there is nothing to compare with.")
    return known


def _truth(value: float | str | list[float], axes: Axes, exact: bool) -> str:
    if isinstance(value, str):
        return f"It is: {value}."
    numbers = value if isinstance(value, list) else [value]
    sign = "" if exact else "≈ "
    written = ", ".join(f"{sign}{_written(number, axes)}" for number in numbers)
    places = f", at {_listed(axes.at)} {axes.xlabel}".rstrip() if isinstance(value, list) else ""
    return f"Measured: {written}{places}."


def _laid(picture: Shown | None) -> dict[str, Any]:
    """The picture as the browser needs it, with what lies where on it."""
    if picture is None:
        return {}
    where = {name: [*map(float, numbers)] for name, numbers in picture.coordinates.items()}
    shown = picture._repr_mimebundle_()["text/html"]
    return {"html": shown, "alt": picture.alt, **where}


def _scale(low: float | None, high: float | None) -> list[float]:
    """The ends of a line, or nothing where there is none."""
    return [] if low is None or high is None else [float(low), float(high)]


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and -math.inf < value < math.inf


def is_name(item: str) -> bool:
    """Whether a guess can be called so."""
    return bool(_ID.fullmatch(item))


def is_guess(value: Any) -> bool:
    """Whether it can be one: a number, one of some choices, or the heights of a curve."""
    if isinstance(value, list):
        return 2 <= len(value) <= _MOST_POINTS and all(map(_is_number, value))
    return _is_number(value) or (isinstance(value, str) and len(value) <= _MOST_LETTERS)


def as_attempt(item: str, value: Any, **when: Any) -> Attempt:
    """What the record keeps of a guess; ``at`` and ``version`` if it was made elsewhere."""
    return Attempt(_key(item), "guess", item[:2], 0, 0, json.dumps(value), **when)


def _key(item: str) -> str:
    return f"guess:{item}"


def _kept(item: str) -> Any:
    """The last guess, or None."""
    earlier = record().attempts(_key(item))
    return json.loads(earlier[-1].answer) if earlier else None


def _written(value: float, axes: Axes) -> str:
    """A number to a thousandth of what it is drawn on, or of itself, with its unit."""
    size = axes.scale[1] - axes.scale[0] if axes.scale else abs(value)
    digits = 3 - math.ceil(math.log10(size)) if size else 0
    return f"{_number(round(value, max(digits, 0)))} {axes.unit}".rstrip()


def _number(value: float) -> str:
    return f"{int(value) if value == int(value) else value}"


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(map(_number, numbers))
