"""The picture that stands beside a link when somebody shares it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from birnn_course.draw.inks import INKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 1200, 630
WORD, ANSWERS = "city", ("S", "IH", "T", "IY")
_FIRST, _STEP, _TILE = 270, 170, 130  # where the first tile begins, the next one, and its width


def picture() -> bytes:
    """A PNG of 1200 × 630: *city*, its two readers, and what they say together."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor=_ink("ground"))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.set_axis_off()
    _row(ax, 150, 66, "ground", "muted", texts=ANSWERS, size=30)
    for y, reader, hatch, ends in (
        (262, "backward", "///", (960, 240)),
        (344, "forward", "..", (240, 960)),
    ):
        _row(ax, y, 50, f"{reader}-soft", reader, hatch=hatch)
        arrow = {"arrowstyle": "-|>,head_width=.5,head_length=.9", "color": _ink(reader), "lw": 3}
        ax.annotate("", (ends[1], y + 25), (ends[0], y + 25), arrowprops=arrow)
    _row(ax, 424, 106, "tile", "text", texts=tuple(WORD), size=52)
    for y, text, size, ink in (
        (84, "Bidirectional RNNs, read from both ends", 27, "text"),
        (578, "What sound is the c? The letter after it tells.", 21, "muted"),
    ):
        weight = "bold" if ink == "text" else "normal"
        ax.text(
            WIDTH / 2, y, text, size=size, weight=weight, color=_ink(ink), ha="center", va="center"
        )
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", facecolor=figure.get_facecolor())
    return drawn.getvalue()


def _row(
    ax: Axes,
    top: float,
    height: float,
    fill: str,
    edge: str,
    *,
    texts: tuple[str, ...] = ("",) * len(WORD),
    size: float = 0,
    hatch: str = "",
) -> None:
    from matplotlib.patches import FancyBboxPatch

    for i, text in enumerate(texts):
        left, pad = _FIRST + _STEP * i, 8
        box = FancyBboxPatch(
            (left + pad, top + pad),
            _TILE - 2 * pad,
            height - 2 * pad,
            boxstyle=f"round,pad={pad},rounding_size=11",
            facecolor=_ink(fill),
            edgecolor=_ink(edge),
            linewidth=2,
            hatch=hatch,
        )
        ax.add_patch(box)
        middle = (left + _TILE / 2, top + height / 2)
        ax.text(
            *middle, text, size=size, weight="bold", color=_ink("text"), ha="center", va="center"
        )


def _ink(name: str) -> str:
    return INKS[name].light
