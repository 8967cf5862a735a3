"""Figures of the course: readable in black and white, with a text for those who cannot see them.

Each function returns a :class:`Picture`; as the last line of a cell it is shown. JupyterLab drops
alternative texts that are attached to an image, so a picture is HTML with the image inside. A dark
theme turns light and dark of the image round. Colours are those of :mod:`birnn_course.draw.inks`:
blue and orange are a reader's, and models, classes and samples have others.
"""

from __future__ import annotations

import base64
import html
import io
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from torch import Tensor

from birnn_course.draw.axes import coordinates
from birnn_course.draw.inks import INKS, SERIES, Look, looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation, Text

COLOURS = tuple(INKS[ink].light for ink in SERIES)
"""Of series that are no reader's, on white ground."""

HATCHES = ("", "//", "xx", "--")
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", "--", "-.", ":")
READERS = {"forward": ("..", ":"), "backward": ("//", "--")}
"""Hatch and dash of the two readers, here and in every drawing."""

LIGHTEST = 0.46
"""Share of the greys that stand behind numbers: black is read on them, in either theme."""

DARK = "filter: invert(0.93) hue-rotate(180deg)"
"""What a dark theme does with an image: light becomes dark, and colours stay what they are."""

_THEME = (
    ".birnn-plot>img{max-width:100%}"
    f"[data-jp-theme-light=false] .birnn-plot>img,[data-theme=dark] .birnn-plot>img{{{DARK}}}"
)
_STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#DDDDDD",
}


class Picture:
    """An image with its alternative text, shown by any notebook front end."""

    def __init__(self, figure: Figure, alt: str) -> None:
        from PIL import Image

        drawn, small = io.BytesIO(), io.BytesIO()
        figure.savefig(drawn, format="png", bbox_inches="tight")
        # 64 colours look the same and make a third of the bytes, which a notebook carries along;
        # PIL writes no date and no software name, so the same figure is the same bytes.
        Image.open(drawn).convert("RGB").quantize(64).save(small, format="png", optimize=True)
        self.png = small.getvalue()
        self.alt = alt
        self._figure = figure

    @property
    def coordinates(self) -> dict[str, tuple[float, ...]]:
        """Where the axes lie in the picture, for :func:`birnn_course.measured`."""
        return coordinates(self._figure)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        data = base64.b64encode(self.png).decode("ascii")
        image = f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}">'
        return {
            "text/plain": f"[{self.alt}]",
            "text/html": f'<figure class="birnn-plot"><style>{_THEME}</style>{image}</figure>',
        }


def _figure(columns: int = 1, width: float = 7.0, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    # Figure without pyplot: nothing global, nothing to close
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = list(figure.subplots(1, columns, squeeze=False)[0])
    return figure, axes


def plot_dependence(maps: Mapping[str, Tensor], *, of: str = "step") -> Picture:
    """One square per map of a probe: a dot where an input reaches an output.

    Parameters
    ----------
    maps : mapping of str to Tensor
        Title to map, each ``(outputs, inputs)``, as :func:`birnn_course.dependence_map` and
        :func:`birnn_course.batch_dependence` return them.
    of : str
        What a row or a column stands for: a step, or a sample.
    """
    from matplotlib.colors import ListedColormap

    colours = ListedColormap(["white", INKS["tile"].light])
    side = max(2.7, *(0.18 * max(values.shape) for values in maps.values()))  # inches
    figure, axes = _figure(len(maps), width=side * len(maps) + 0.4, height=side + 0.4)
    for ax, (title, values) in zip(axes, maps.items(), strict=True):
        reached = (values > 0).cpu()
        rows, columns = reached.shape
        ax.grid(False)
        ax.pcolormesh(reached, cmap=colours, vmin=0, vmax=1, edgecolor="#BBBBBB")
        ax.set_aspect("equal")
        ax.invert_yaxis()
        for t, s in reached.nonzero().tolist():
            ax.plot(s + 0.5, t + 0.5, "o", color=INKS["text"].light, markersize=8)
        ax.set(title=_broken(title, int(9 * side)), xlabel=f"input {of}")
        for axis, n in ((ax.xaxis, columns), (ax.yaxis, rows)):
            _count(axis, n, every=1 if n <= 12 else 2)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel(f"output {of}")
    described = "; ".join(f"{title}: {describe_map(values)}" for title, values in maps.items())
    return Picture(figure, f"Which inputs reach which outputs. {described}.")


def describe_map(values: Tensor) -> str:
    """The pattern of a dependence map in words, as *output t sees inputs 0 to t*."""
    reached = values > 0
    patterns = {
        "no output sees any input": reached.new_zeros(reached.shape),
        "every output sees every input": reached.new_ones(reached.shape),
        "output t sees input t only": reached.new_ones(reached.shape).tril().triu(),
        "output t sees inputs 0 to t": reached.new_ones(reached.shape).tril(),
        "output t sees inputs t to the end": reached.new_ones(reached.shape).triu(),
    }
    patterns |= {
        f"output t sees inputs 0 to t + {k}": reached.new_ones(reached.shape).tril(k)
        for k in range(1, reached.shape[1] - 1)
    }
    matches = (words for words, pattern in patterns.items() if reached.equal(pattern))
    return next(matches, "another pattern")


def plot_bars(
    groups: Mapping[str, Mapping[str, float]],
    *,
    alt: str,
    ylabel: str = "accuracy in %",
    limits: Mapping[str, float] | None = None,
) -> Picture:
    """Groups of bars with their values written on them, and dashed lines for known limits.

    Parameters
    ----------
    groups : mapping of str to mapping of str to float
        Name of a group (below the axis) to name of a bar (in the legend) to its value. All groups
        have the same bars. Of a value that is not a number only ``nan`` is written.
    alt : str
        What the picture shows, as a claim; never a trained number.
    ylabel : str
        Label of the axis. If it names ``%``, the axis reaches from 0 to 100 at least and the values
        are written as whole numbers; else it reaches from 0 as far as the values do.
    limits : mapping of str to float, optional
        Label to height of a line across the picture.
    """
    percent = "%" in ylabel
    written = "{:z.0f}".format if percent else _number
    names = list(next(iter(groups.values())))
    heights = {name: [float(values[name]) for values in groups.values()] for name in names}
    figure, (ax,) = _figure(width=max(7.0, 0.8 * len(groups), 0.2 * len(names) * len(groups)))
    width = 0.8 / len(names)
    numbers: list[Annotation] = []
    for i, (name, look) in enumerate(looks(names).items()):
        where = [g + (i - (len(names) - 1) / 2) * width for g in range(len(groups))]
        bars = ax.bar(
            where,
            [0.0 if math.isnan(value) else value for value in heights[name]],
            width * 0.92,
            label=_folded(name),
            color=_colour(look),
            edgecolor="white",
            hatch=_hatch(look),
        )
        numbers += ax.bar_label(bars, [*map(written, heights[name])], padding=2, fontsize=9)
    for number in numbers:  # a limit may pass behind it
        number.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    _draw_limits(ax, limits)
    if percent:
        ax.update_datalim([(0, 100)], updatex=False)
    ax.margins(y=0.12)  # room for the numbers
    if ax.get_ylim()[0] < 0:
        ax.axhline(0, color="black", linewidth=0.8)
    ax.set(ylabel=ylabel)
    ax.set_xticks(range(len(groups)), list(groups))
    _add_legend(ax)
    figure.draw_without_rendering()  # only then is known what takes how much room
    if _crowded(numbers):
        for number in numbers:
            number.set_rotation(90)
    if _crowded(ax.get_xticklabels()):
        letters = max(int(ax.bbox.width / len(groups) / 9), 6)  # side by side
        ax.set_xticks(range(len(groups)), [_broken(group, letters) for group in groups])
        figure.draw_without_rendering()
        if _crowded(ax.get_xticklabels()):
            upright = [_broken(group, 24) for group in groups]
            ax.set_xticks(range(len(groups)), upright, rotation=90)
    return Picture(figure, alt)


def plot_lines(
    lines: Mapping[str, Sequence[float]],
    *,
    alt: str,
    xlabel: str,
    ylabel: str,
    limits: Mapping[str, float] | None = None,
) -> Picture:
    """Lines told apart by marker and dash as well as colour; dashed black lines for known limits.

    Parameters
    ----------
    lines : mapping of str to sequence of float
        Label to heights at steps 0, 1, 2, …
    xlabel, ylabel : str
        Labels of the axes.
    alt : str
        What the picture shows, as a claim; never a trained number.
    limits : mapping of str to float, optional
        Label to height of a line across the picture.
    """
    figure, (ax,) = _figure()
    look = looks(lines)
    for label, heights in lines.items():
        wider = 1 + _lines_upon(label, lines)  # else nobody sees what lies below
        ax.plot(
            range(len(heights)),
            heights,
            _dash(look[label]),
            marker=MARKERS[look[label].pattern] if len(heights) <= 20 else None,
            color=_colour(look[label]),
            linewidth=1.5 * wider,
            markersize=6 * wider,
            label=_folded(label),
        )
    _draw_limits(ax, limits)
    ax.set(xlabel=xlabel, ylabel=_with_start(ylabel, ax))
    n_steps = max(len(heights) for heights in lines.values())
    if n_steps <= 12:
        ax.set_xticks(range(n_steps))
    else:
        ax.locator_params("x", integer=True)  # there is no step 2.5
    _add_legend(ax)
    return Picture(figure, alt)


def plot_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    alt: str,
    xlabel: str,
    ylabel: str,
    limits: Mapping[str, float] | None = None,
) -> Picture:
    """Curves through given points, told apart by dash as well as colour.

    Parameters
    ----------
    curves : mapping of str to (sequence of float, sequence of float)
        Label to the positions and the heights of its points.
    xlabel, ylabel : str
        Labels of the axes.
    alt : str
        What the picture shows, as a claim; never a trained number.
    limits : mapping of str to float, optional
        Label to height of a line across the picture.
    """
    figure, (ax,) = _figure()
    look = looks(curves)
    for label, (where, heights) in curves.items():
        dash, colour = _dash(look[label]), _colour(look[label])
        ax.plot(where, heights, dash, color=colour, linewidth=2, label=_folded(label))
    _draw_limits(ax, limits)
    ax.set(xlabel=xlabel, ylabel=_with_start(ylabel, ax))
    _add_legend(ax)
    return Picture(figure, alt)


def plot_grids(
    grids: Mapping[str, Tensor],
    *,
    alt: str,
    xlabel: str,
    ylabel: str,
    numbers: bool = False,
) -> Picture:
    """One grid of shades per table, side by side: the further from the ground, the higher.

    Parameters
    ----------
    grids : mapping of str to Tensor
        Title to values ``(rows, columns)``; all grids have the same shades and the same rows.
    xlabel, ylabel : str
        What the columns and the rows are; both are counted from 0.
    alt : str
        What the picture shows, as a claim; never a trained number.
    numbers : bool
        Write each value other than 0 into its field, for tables of counts.
    """
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    shares = [i / 255 * (LIGHTEST if numbers else 1) for i in range(256)]
    greys = ListedColormap(colormaps["Greys"](shares))
    known = [v for values in grids.values() for v in values.flatten().tolist() if math.isfinite(v)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    # A grid is as wide as it has columns, so that equal steps look equally long.
    wide = [max(values.shape[1], 6) for values in grids.values()]
    rows = max(values.shape[0] for values in grids.values())
    across, down = (0.5, 0.4) if numbers else (0.13, 0.2)  # of one field, in inches
    figure, axes = _figure(len(grids), across * sum(wide) + 1.2, down * rows + 0.9)
    layout = axes[0].get_gridspec()
    assert layout is not None
    layout.set_width_ratios(wide)
    for ax, (title, values) in zip(axes, grids.items(), strict=True):
        ax.grid(False)
        shades = ax.pcolormesh(values.cpu(), cmap=greys, vmin=low, vmax=high, edgecolor="#BBBBBB")
        ax.invert_yaxis()
        for row, column in values.nonzero().tolist() if numbers else ():
            text = _number(float(values[row, column]))
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center")
        for axis, n in ((ax.xaxis, values.shape[1]), (ax.yaxis, values.shape[0])):
            _count(axis, n, every=1 if numbers or n <= 5 else 5)
        ax.set(title=title, xlabel=xlabel)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel(ylabel)
    if not numbers:
        figure.colorbar(shades, ax=axes)
    return Picture(figure, alt)


def _count(axis: Axis, n: int, *, every: int) -> None:
    """Number the fields along an axis from 0, one of ``every`` so many."""
    axis.set_ticks([i + 0.5 for i in range(0, n, every)], [*map(str, range(0, n, every))])


def _add_legend(ax: Axes) -> None:
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # beside the axes


def _with_start(label: str, ax: Axes) -> str:
    """The label of the upright axis, which says where it starts if that is not at zero."""
    low, high = ax.get_ylim()
    if low <= 0 <= high:
        return label
    return (
        f"{label}\n(the axis {'starts' if low > 0 else 'ends'} at {low if low > 0 else high:.3g})"
    )


def _colour(look: Look) -> str:
    return INKS[look.ink].light


def _hatch(look: Look) -> str:
    return READERS[look.ink][0] if look.ink in READERS else HATCHES[look.pattern]


def _dash(look: Look) -> str:
    return READERS[look.ink][1] if look.ink in READERS else DASHES[look.pattern]


def _number(value: float) -> str:
    """A value as it is written: with three digits, or all those before the point."""
    return f"{value:z,.0f}" if abs(value) >= 100 else f"{value:z.3g}"


def _folded(label: str) -> str:
    """A label of the legend in lines that leave room for the picture."""
    return "\n".join(_broken(line, 40) for line in label.splitlines())


def _broken(text: str, letters: int) -> str:
    """A text in lines of at most so many letters, if its words are not longer."""
    return textwrap.fill(text, letters, break_long_words=False)


def _crowded(texts: Iterable[Text]) -> bool:
    """Whether texts that were drawn side by side run into one another."""
    extents = sorted((text.get_window_extent() for text in texts), key=lambda extent: extent.x0)
    return any(left.overlaps(right) for left, right in pairwise(extents))


def _lines_upon(label: str, lines: Mapping[str, Sequence[float]]) -> int:
    """How many of the lines drawn after this one hide most of it."""
    drawn = [h for heights in lines.values() for h in heights if math.isfinite(h)] or [0.0]
    near = (max(drawn) - min(drawn)) / 50
    later = list(lines.values())[list(lines).index(label) + 1 :]
    return sum(
        2 * sum(abs(a - b) <= near for a, b in zip(lines[label], other, strict=False)) > len(other)
        for other in later
    )


def _draw_limits(ax: Axes, limits: Mapping[str, float] | None) -> None:
    for i, (label, height) in enumerate((limits or {}).items()):
        dash = ("--", ":", "-.", (0, (9, 3)))[i % 4]
        ax.axhline(height, color="black", linestyle=dash, linewidth=1.6, label=_folded(label))
