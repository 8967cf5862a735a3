"""The picture that stands beside a link when somebody shares it."""

from __future__ import annotations

import io
from functools import cache

WIDTH, HEIGHT = 1200, 630
WORD, ANSWERS = "city", ("S", "IH", "T", "IY")


@cache
def picture() -> bytes:
    """A PNG of 1200 × 630: *city*, two readers, and what they say together."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch

    from birnn_course.draw.inks import INKS

    ink = {name: pair.light for name, pair in INKS.items()}
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor="#fffdf9")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.set_axis_off()
    for i, (letter, answer) in enumerate(zip(WORD, ANSWERS, strict=True)):
        left = 270 + 170 * i
        for top, height, fill, edge, text, size in (
            (150, 66, "ground", "muted", answer, 30),
            (424, 106, "tile", "text", letter, 52),
        ):
            box = FancyBboxPatch(
                (left + 10, top + 10), 110, height - 20, boxstyle="round,pad=10,rounding_size=12",
                facecolor=ink[fill], edgecolor=ink[edge], linewidth=2,
            )  # fmt: skip
            ax.add_patch(box)
            ax.text(left + 65, top + height / 2, text, size=size, weight="bold", ha="center",
                    va="center", color=ink["text"])  # fmt: skip
    for y, reader, start, end, hatch in ((262, "backward", 960, 240, "///"), (344, "forward", 240, 960, "..")):
        for i in range(len(WORD)):
            box = FancyBboxPatch(
                (270 + 170 * i + 8, y + 8), 114, 34, boxstyle="round,pad=8,rounding_size=10",
                facecolor=ink[f"{reader}-soft"], edgecolor=ink[reader], linewidth=2, hatch=hatch,
            )  # fmt: skip
            ax.add_patch(box)
        ax.annotate("", (end, y + 25), (start, y + 25),
                    arrowprops={"arrowstyle": "-|>,head_width=.5,head_length=.9", "color": ink[reader], "lw": 3})  # fmt: skip
    ax.text(WIDTH / 2, 84, "Bidirectional RNNs, read from both ends", size=27, weight="bold",
            ha="center", va="center", color=ink["text"])  # fmt: skip
    ax.text(WIDTH / 2, 578, "What sound is the c? The letter after it tells.", size=21, ha="center",
            va="center", color=ink["muted"])  # fmt: skip
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", facecolor=figure.get_facecolor())
    return drawn.getvalue()
