"""What drawings of numbers share: marks, a legend, and round numbers for an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from birnn_course.draw.inks import Look
from birnn_course.draw.scene import Box, Label, Line, Scene

LETTER = 8.2  # pixels that a bold letter of 13 takes


def mark(x: float, y: float, look: Look, side: float = 7) -> Box:
    """A disc, a square, a ring or a hollow square."""
    fill = look.ink if look.pattern < 2 else "ground"
    corner = 0 if look.pattern % 2 else side / 2
    return Box(x - side / 2, y - side / 2, side, side, fill, look.ink, thick=1.5, corner=corner)


def legend(
    scene: Scene, looks: Mapping[str, Look], limits: Iterable[str], left: float, wide: float
) -> float:
    """The mark of each series with its name, and a dash for each limit; where it ends below."""
    x, y = left, 12.0
    for name, look in [*looks.items(), *((limit, None) for limit in limits)]:
        room = 33 + LETTER * len(name) + 16
        if x > left and x + room > left + wide:
            x, y = left, y + 22
        scene.add(Line([(x, y), (x + 26, y)], look.ink if look else "text", 2, dashed=not look))
        if look:
            scene.add(mark(x + 13, y, look))
        ink = look.ink if look else "text"
        scene.add(Label(x + 33, y, name, ink, 13, "start", bold=bool(look)))
        x += room
    return y + 12


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
