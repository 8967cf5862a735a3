"""What all viewers share: a few labelled controls above a picture that follows them.

The controls are the browser's own radio buttons, number and text fields in one small anywidget,
because they then have names, groups and arrow keys without further work; the widgets of ipywidgets
lack one or the other. All computing stays in Python.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import traitlets

from birnn_course.widgets import CourseWidget, script

Value = str | int


class Choice(NamedTuple):
    """One of a few words, shown as radio buttons."""

    name: str
    label: str
    options: tuple[str, ...]

    def check(self, value: Value) -> str | None:
        """Why ``value`` cannot be used, or None."""
        return None if value in self.options else f"{self.label}: choose {_list(self.options)}."

    def describe(self) -> dict[str, Any]:
        """What the browser needs to draw it."""
        return {"kind": "choice", **self._asdict()}


class Integer(NamedTuple):
    """An integer in a range, shown as a number field."""

    name: str
    label: str
    low: int
    high: int

    def check(self, value: Value) -> str | None:
        """Why ``value`` cannot be used, or None."""
        if isinstance(value, int) and self.low <= value <= self.high:
            return None
        return f"{self.label}: type a whole number from {self.low} to {self.high}."

    def describe(self) -> dict[str, Any]:
        """What the browser needs to draw it."""
        return {"kind": "integer", **self._asdict()}


class Word(NamedTuple):
    """One word of the letters a to z, shown as a text field."""

    name: str
    label: str
    longest: int

    def check(self, value: Value) -> str | None:
        """Why ``value`` cannot be used, or None."""
        word = value.strip() if isinstance(value, str) else ""
        if word.isascii() and word.isalpha() and len(word) <= self.longest:
            return None
        return f"{self.label}: 1 to {self.longest} letters from a to z and nothing else."

    def describe(self) -> dict[str, Any]:
        """What the browser needs to draw it."""
        return {"kind": "word", **self._asdict()}


class View(NamedTuple):
    """What a viewer shows for one setting of its controls."""

    html: str
    sentence: str


class Panel(CourseWidget):
    """Controls, a picture in HTML, and one sentence that screen readers announce.

    Parameters
    ----------
    name : str
        The viewer's own, as its descriptor has it.
    title : str
        Heading of the viewer.
    controls : sequence of Choice, Integer or Word
        Drawn in this order.
    start : dict
        Name of each control to its first value.
    draw : callable
        Gets the values as keyword arguments and returns a :class:`View`. A ``ValueError`` is
        shown as a sentence below the controls, and the last picture stays, greyed.
    """

    _esm = script(Path(__file__).with_name("panel.js"))
    heading = traitlets.Unicode().tag(sync=True)
    controls: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    # Whether the picture belongs to other values than are shown; how often it was asked for.
    stale = traitlets.Bool(False).tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        name: str,
        title: str,
        controls: Sequence[Choice | Integer | Word],
        start: dict[str, Value],
        draw: Callable[..., View],
    ) -> None:
        self._name = name
        self._known = tuple(controls)
        self._draw = draw
        view = draw(**start)
        super().__init__(
            heading=title,
            controls=[control.describe() for control in controls],
            values=start,
            picture=view.html,
            sentence=view.sentence,
        )
        self.observe(self._update, "values")

    def _update(self, change: dict[str, Any]) -> None:
        # Nobody sees an exception in a widget's callback, so every problem becomes the sentence.
        values = change["new"]
        problems = [control.check(values.get(control.name)) for control in self._known]
        problem = next((p for p in problems if p), None)
        if problem is None:
            try:
                self.picture, self.sentence = self._draw(**values)
            except ValueError as error:
                problem = str(error)
            except Exception as error:
                problem = f"This cannot be drawn ({type(error).__name__}: {error})."
        if problem is not None:
            self.sentence = problem
        self.stale = problem is not None
        self.answered += 1

    def without_kernel(self) -> tuple[str, str]:
        """The picture as it is now, and what it says."""
        return (
            f"[{self.heading} {self.sentence} Run this cell to explore.]",
            f"<p><strong>{html.escape(self.heading)}</strong></p>{self.picture}"
            f"<p>{html.escape(self.sentence)} <em>Run this cell to explore.</em></p>",
        )

    def descriptor(self) -> dict[str, Any]:
        """An explorer, with the values that its controls have now."""
        return {"kind": "explorer", "name": self._name, "values": dict(self.values)}


def _list(options: Sequence[str]) -> str:
    return ", ".join(options[:-1]) + " or " + options[-1]
