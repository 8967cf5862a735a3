"""What drawings of numbers share: marks, a legend, and round numbers for an axis."""

from __future__ import annotations

import math
from collections.abc import Mapping

from birnn_course.draw.inks import Look
from birnn_course.draw.scene import Box, Label, Line, Scene

LETTER = 8.2  # pixels that a bold letter of 13 takes


def mark(x: float, y: float, look: Look, side: float = 7) -> Box:
    """A disc, a square, a ring or a hollow square."""
    fill = look.ink if look.pattern < 2 else "ground"
    corner = 0 if look.pattern % 2 else side / 2
    return Box(x - side / 2, y - side / 2, side, side, fill, look.ink, thick=1.5, corner=corner)


def legend(scene: Scene, looks: Mapping[str, Look], left: float, y: float) -> None:
    """The mark of each series with its name, in a row."""
    for name, look in looks.items():
        scene.add(Line([(left, y), (left + 26, y)], look.ink, 2), mark(left + 13, y, look))
        scene.add(Label(left + 33, y, name, look.ink, 13, "start", bold=True))
        left += 33 + LETTER * len(name) + 20


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers, at most so many and one, of which the ends enclose ``low`` and ``high``."""
    if not low < high < math.inf:
        low, high = (low, low + 1) if math.isfinite(low) else (0.0, 1.0)
    unit = 10 ** math.floor(math.log10((high - low) / most))
    for step in (unit * s for s in (1, 2, 2.5, 5, 10, 20)):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= most:
            break
    return [i * step for i in range(first, last + 1)]


def written(value: float) -> str:
    """A round number as it stands at an axis."""
    return f"{value:z.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
