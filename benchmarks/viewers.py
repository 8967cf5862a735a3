"""How long the viewers take to follow a control: ``make bench-viewers``.

Each control of each viewer is moved through its range, the others staying where they start. What
counts is the time from the browser's message to the new picture in Python: computing, drawing and
the sentence. The limit is 200 ms, above which a control is felt to lag.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import torch

from birnn_course import SequenceTagger, explore, load_spelling
from birnn_course.explore.panel import Panel

LIMIT = 0.2


def viewers() -> dict[str, Panel]:
    """Every viewer of the course, as it starts."""
    names = [name for name in explore.__all__ if name.endswith("_explorer")]
    return {name: getattr(explore, name)(*_needed(name)) for name in names}


def _needed(name: str) -> tuple[Any, ...]:
    """What a viewer cannot start without: a net of the lesson's size, and words."""
    if name != "spelling_explorer":
        return ()
    data = load_spelling()
    return SequenceTagger(26, len(data.tags), 128, bidirectional=True), data


def moves(panel: Panel) -> Iterator[dict[str, Any]]:
    """Settings with one control moved: every word, and five numbers across the range."""
    start = dict(panel.values)
    for control in panel.controls:
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
    """How long each move takes."""
    found = []
    for values in moves(panel):
        began = time.perf_counter()
        panel.values = values
        found.append(time.perf_counter() - began)
    return found


def main() -> int:
    """Print a line per viewer; 1 if one is slower than the limit."""
    torch.set_num_threads(1)
    slow = False
    print(f"{'viewer':24}{'moves':>6}{'median ms':>11}{'slowest ms':>12}")
    for panel in viewers().values():
        seconds(panel)  # what is imported at the first move is not counted
    for name, panel in viewers().items():
        found = seconds(panel)
        slow |= max(found) > LIMIT
        median, worst = 1000 * statistics.median(found), 1000 * max(found)
        print(f"{name:24}{len(found):6}{median:11.1f}{worst:12.1f}")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
