"""How long the viewers take to follow a control, in Python alone.

Each control of each viewer is moved through its range, the others staying where they start. What
counts is the processor time from the new value to the new picture in Python: computing, drawing
and the sentence, which wait for nothing. The limit is 200 ms, above which a control is felt to
lag. ``startup.py`` stores the figures; a test counts what a move computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import process_time
from typing import Any

from birnn_course import SequenceTagger, explore, load_spelling
from birnn_course.explore.panel import Panel

LIMIT = 0.2


def viewers() -> dict[str, Panel]:
    """Every viewer of the course that asks a kernel, as it starts."""
    names = [name for name in explore.__all__ if name.endswith("_explorer")]
    made = {name: getattr(explore, name)(*_needed(name)) for name in names}
    return {name: panel for name, panel in made.items() if isinstance(panel, Panel)}


def _needed(name: str) -> tuple[Any, ...]:
    """What a viewer cannot start without: a net of the lesson's size, and words."""
    if name != "spelling_explorer":
        return ()
    data = load_spelling()
    return SequenceTagger(26, len(data.tags), 128, bidirectional=True), data


def moves(
    start: Mapping[str, Any], controls: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Settings with one control moved: every word, and five numbers across the range."""
    for control in controls:
        if control["kind"] == "choice":
            places = list(control["options"])
        elif control["kind"] == "word":
            places = ["a", "tough", "bookkeeper", "counterexample", "x" * control["longest"]]
        else:
            low, high = control["low"], control["high"]
            places = sorted({low + (high - low) * i // 4 for i in range(5)})
        here = start[control["name"]]
        yield from ({**start, control["name"]: place} for place in places if place != here)


def seconds(panel: Panel) -> list[float]:
    """How long each move takes the processor."""
    found = []
    for values in moves(dict(panel.values), panel.controls):
        began = process_time()
        panel.values = values
        found.append(process_time() - began)
    return found


def measure() -> dict[str, list[float]]:
    """Of every viewer the seconds of all its moves; what is imported at first is not counted."""
    for panel in viewers().values():
        seconds(panel)
    return {name: seconds(panel) for name, panel in viewers().items()}


def slow(found: Mapping[str, Sequence[float]]) -> list[str]:
    """The viewers that lag."""
    return [name for name, took in found.items() if max(took) > LIMIT]
