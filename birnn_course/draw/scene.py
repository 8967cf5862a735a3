"""A sheet with shapes on it, in CSS pixels: drawn as SVG for a page, and as PNG for the rest.

A shape says once where it is and what ink it has; it can write itself as SVG and put itself onto
the axes of a matplotlib figure.
"""

from __future__ import annotations

import html
import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal, Protocol

from birnn_course.draw.inks import INKS, PATTERNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL import Image

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]
_HATCHES = {"dots": "..", "stripes": "//", "crosses": "x"}
_SIDES = {"start": "left", "middle": "center", "end": "right"}
_POINTS_PER_PIXEL = 0.72
_DENSE = (100, 84, 70, 58, 50)
"""Dots per 100 pixels of a PNG: where there is much to see, it is smaller."""


class Shape(Protocol):
    """Something on the sheet."""

    def _look(self) -> str:
        """The attributes that it may share with its neighbours."""

    def _svg(self) -> str:
        """As an element of SVG, without its look."""

    def _onto(self, ax: Axes) -> None:
        """Onto axes that are as large as the sheet, with y downwards."""

    def _far(self) -> Point:
        """How far it reaches to the right and down."""


@dataclass(frozen=True)
class Box:
    """A rectangle with round corners.

    Parameters
    ----------
    x, y, width, height : float
        Its upper left corner and its size, in pixels.
    fill, edge : str
        Inks, or an empty string for none.
    pattern : str
        The ink whose pattern lies upon the fill, or an empty string.
    dashed : bool
        Whether its edge is.
    thick : float
        How wide its edge is, in pixels.
    """

    x: float
    y: float
    width: float
    height: float
    fill: str = "tile"
    edge: str = "muted"
    pattern: str = ""
    dashed: bool = False
    thick: float = 1
    corner: float = 3

    def _far(self) -> Point:
        return self.x + self.width, self.y + self.height

    def _continues(self, before: Box) -> bool:
        """Whether it begins where the other one ends, and neither has round corners."""
        beside = (self.x, self.y) == (before.x + before.width, before.y)
        return beside and not self.corner and not before.corner

    def _look(self) -> str:
        fill = f"url(#{PATTERNS[self.pattern]})" if self.pattern else _of(self.fill)
        thick = f' stroke-width="{_n(self.thick)}"' if self.thick != 1 else ""
        dash = ' stroke-dasharray="4 3"' if self.dashed else ""
        return f'fill="{fill}" stroke="{_of(self.edge)}"{thick}{dash}'

    def _svg(self) -> str:
        if not self.corner:  # half as long
            corner, way = f"{_n(self.x)} {_n(self.y)}", f"{_n(self.width)}v{_n(self.height)}"
            return f'<path d="M{corner}h{way}h-{_n(self.width)}z"/>'
        return (
            f'<rect x="{_n(self.x)}" y="{_n(self.y)}" width="{_n(self.width)}" '
            f'height="{_n(self.height)}" rx="{_n(self.corner)}"/>'
        )

    def _onto(self, ax: Axes) -> None:
        from matplotlib.patches import FancyBboxPatch

        def patch(**look: object) -> None:
            r = min(self.corner, self.width / 2, self.height / 2)
            ax.add_patch(
                FancyBboxPatch(
                    (self.x + r, self.y + r),
                    max(self.width - 2 * r, 1e-6),
                    max(self.height - 2 * r, 1e-6),
                    boxstyle=f"round,pad={r}" if r else "square,pad=0",
                    mutation_aspect=1,
                    **look,  # type: ignore[arg-type]
                )
            )

        patch(
            facecolor=_light(self.fill),
            edgecolor=_light(self.edge),
            linewidth=_POINTS_PER_PIXEL * self.thick if self.edge else 0,
            linestyle=(0, (4, 3)) if self.dashed else "solid",
        )
        if self.pattern:
            patch(
                facecolor="none",
                edgecolor=_light(self.pattern),
                linewidth=0,
                hatch=_HATCHES[PATTERNS[self.pattern]],
            )


@dataclass(frozen=True)
class Cells:
    """The numbers of a state as small squares: as large as the number, filled if it is positive.

    Parameters
    ----------
    values : sequence of float
        From -1 to 1, row after row.
    x, y, side : float
        The upper left corner of the first, and the room of each, in pixels.
    columns : int
        How many stand in a row.
    ink : str
        Whose state it is.
    faded : bool
        Whether it is there only so that one sees where it would be.
    """

    values: Sequence[float]
    x: float
    y: float
    side: float
    columns: int
    ink: str
    faded: bool = False

    def _squares(self) -> Iterable[tuple[float, float, float, bool]]:
        for i, value in enumerate(self.values):
            size = (self.side - 1.5) * max(min(abs(value), 1.0), 0.12)
            left = self.x + (i % self.columns + 0.5) * self.side - size / 2
            top = self.y + (i // self.columns + 0.5) * self.side - size / 2
            yield left, top, size, value > 0

    def _far(self) -> Point:
        rows = -(-len(self.values) // self.columns)
        return self.x + self.columns * self.side, self.y + rows * self.side

    def _look(self) -> str:
        return f'stroke="{_of(self.ink)}"' + (' opacity=".3"' if self.faded else "")

    def _svg(self) -> str:
        paths = {True: "", False: ""}
        corners = {True: (0.0, 0.0), False: (0.0, 0.0)}
        for left, top, size, positive in self._squares():
            x, y = corners[positive]  # where the last square began: what is near is short
            corners[positive] = (x + round(left - x, 1), y + round(top - y, 1))
            paths[positive] += f"m{_n(left - x)} {_n(top - y)}h{_n(size)}v{_n(size)}h-{_n(size)}z"
        return (
            f'<path d="{paths[True]}" fill="{_of(self.ink)}"/>'
            f'<path d="{paths[False]}" fill="{_of("ground")}"/>'
        )

    def _onto(self, ax: Axes) -> None:
        from matplotlib.patches import Rectangle

        for left, top, size, positive in self._squares():
            ax.add_patch(
                Rectangle(
                    (left, top),
                    size,
                    size,
                    facecolor=_light(self.ink if positive else "ground"),
                    edgecolor=_light(self.ink),
                    linewidth=_POINTS_PER_PIXEL,
                    alpha=0.3 if self.faded else 1,
                )
            )


@dataclass(frozen=True)
class Label:
    """A line of text; ``y`` is its middle."""

    x: float
    y: float
    text: str
    ink: str = "text"
    size: float = 13
    anchor: Anchor = "middle"
    bold: bool = False
    code: bool = False

    def _far(self) -> Point:
        # a letter is about so wide, in any font that a page may choose
        width = len(self.text) * self.size * (0.62 if self.bold or self.code else 0.56)
        part = {"start": 1.0, "middle": 0.5, "end": 0.0}[self.anchor]
        return self.x + part * width, self.y + 0.7 * self.size

    def _look(self) -> str:
        weight = ' font-weight="600"' if self.bold else ""
        family = ' font-family="ui-monospace,monospace"' if self.code else ""
        anchor = f' text-anchor="{self.anchor}"' if self.anchor != "start" else ""
        return f'fill="{_of(self.ink)}" font-size="{_n(self.size)}"{anchor}{weight}{family}'

    def _svg(self) -> str:
        return f'<text x="{_n(self.x)}" y="{_n(self.y)}">{html.escape(self.text)}</text>'

    def _onto(self, ax: Axes) -> None:
        ax.text(
            self.x,
            self.y,
            self.text.replace("$", r"\$"),
            color=_light(self.ink),
            fontsize=_POINTS_PER_PIXEL * self.size,
            fontweight="bold" if self.bold else "normal",
            family="monospace" if self.code else "sans-serif",
            ha=_SIDES[self.anchor],
            va="center",
        )


@dataclass(frozen=True)
class Line:
    """Straight pieces from point to point, with an arrow at the end if ``arrow``."""

    points: Sequence[Point]
    ink: str = "muted"
    thick: float = 1.5
    dashed: bool = False
    arrow: bool = False

    def _far(self) -> Point:
        return max(x for x, _ in self.points), max(y for _, y in self.points)

    def _tip(self) -> list[Point]:
        (x0, y0), (x1, y1) = self.points[-2:]
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
        a, b = (x1 - x0) / length, (y1 - y0) / length
        long, wide = 5 + self.thick, 2.5 + self.thick
        base = (x1 - a * long, y1 - b * long)
        return [
            (x1, y1),
            (base[0] - b * wide, base[1] + a * wide),
            (base[0] + b * wide, base[1] - a * wide),
        ]

    def _look(self) -> str:
        dash = ' stroke-dasharray="5 3"' if self.dashed else ""
        return f'fill="none" stroke="{_of(self.ink)}" stroke-width="{_n(self.thick)}"{dash}'

    def _svg(self) -> str:
        line = f'<path d="M{_way(self.points)}"/>'
        if self.arrow:
            tip = f'fill="{_of(self.ink)}" stroke="none"'
            line += f'<path d="M{_way(self._tip())}z" {tip}/>'
        return line

    def _onto(self, ax: Axes) -> None:
        from matplotlib.patches import Polygon

        ax.plot(
            *zip(*self.points, strict=True),
            color=_light(self.ink),
            linewidth=_POINTS_PER_PIXEL * self.thick,
            linestyle=(0, (3.5, 2)) if self.dashed else "solid",
            zorder=1,  # as patches have it: what is added later lies above
        )
        if self.arrow:
            ax.add_patch(Polygon(self._tip(), facecolor=_light(self.ink), linewidth=0))


@dataclass
class Scene:
    """A sheet, as large as what is put on it.

    Attributes
    ----------
    shapes : list of Shape
        From back to front.
    """

    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """Put shapes on top of what is there."""
        self.shapes += shapes

    @property
    def bottom(self) -> float:
        """Where the lowest shape ends."""
        return max((shape._far()[1] for shape in self.shapes), default=0.0)

    @property
    def size(self) -> Point:
        """Width and height of the sheet, in pixels, with a margin."""
        return max(shape._far()[0] for shape in self.shapes) + 6, self.bottom + 6

    def svg(self) -> str:
        """The picture as an element that a page can hold; see :func:`inks.style`."""
        # What is read lies on top, in any order; neighbours of one look say it once.
        ordered = sorted(
            self.shapes, key=lambda shape: shape._look() if isinstance(shape, Label) else ""
        )
        body = "".join(
            f"<g {look}>{_drawn(alike)}</g>"
            for look, alike in groupby(ordered, key=lambda shape: shape._look())
        )
        # The names are this picture's own: those of a hidden one on the same page draw nothing.
        mark = f"{zlib.crc32(body.encode()):x}"
        definitions = ""
        for name, pattern in _DEFINITIONS.items():
            if f"url(#{name})" in body:
                definitions += pattern.replace(f'id="{name}"', f'id="b{mark}-{name}"')
                body = body.replace(f"url(#{name})", f"url(#b{mark}-{name})")
        width, height = map(_n, self.size)
        return (
            f'<svg viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}"><defs>{definitions}</defs>{body}</svg>'
        )

    def png(self, most: float = float("inf")) -> bytes:
        """The picture in light colours, for where styles are stripped.

        It is drawn smaller until it has at most so many bytes, if that can be.
        """
        width, drawn, before = self.size[0], b"", 0.0
        for dots in _DENSE:
            # It shrinks about as its width does: what would be far too large is not drawn.
            if drawn and dots > _DENSE[-1] and len(drawn) * dots > 1.1 * most * before:
                continue
            drawn, before = self._png(min(dots, 64_000 / width)), dots
            if len(drawn) <= most:
                break
        return drawn

    def _png(self, dots: float) -> bytes:
        import matplotlib as mpl
        from matplotlib.figure import Figure
        from PIL import Image

        drawn, small = io.BytesIO(), io.BytesIO()
        with mpl.rc_context({"hatch.linewidth": 0.6}):
            width, height = self.size
            figure = Figure(figsize=(width / 100, height / 100), dpi=dots)
            ax = figure.add_axes((0, 0, 1, 1))
            ax.set(xlim=(0, width), ylim=(height, 0))
            ax.set_axis_off()
            for shape in self.shapes:
                shape._onto(ax)
            figure.savefig(drawn, format="png", facecolor=_light("ground"))
        # The inks and how they fade into white: few colours make a third of the bytes.
        image = (
            Image.open(drawn).convert("RGB").quantize(palette=_palette(), dither=Image.Dither.NONE)
        )
        image.save(small, format="png", optimize=True, bits=6)
        return small.getvalue()


def _drawn(alike: Iterable[Shape]) -> str:
    """Shapes of one look; boxes side by side, as the steps of a tensor are, are one path."""
    text, before = "", None
    for shape in alike:
        element = shape._svg()
        if isinstance(before, Box) and isinstance(shape, Box) and shape._continues(before):
            text = text.removesuffix('"/>') + element.removeprefix('<path d="')
        else:
            text += element
        before = shape
    return text


def _tile(name: str, ink: str, side: int, turned: int, marks: str) -> str:
    """A pattern: marks in a reader's ink on its soft one."""
    turn = f' patternTransform="rotate({turned})"' if turned else ""
    return (
        f'<pattern id="{name}" width="{side}" height="{side}" patternUnits="userSpaceOnUse"{turn}>'
        f'<rect width="{side}" height="{side}" fill="var(--{ink}-soft)"/>'
        f'<path d="{marks}" stroke="var(--{ink})"/></pattern>'
    )


_DEFINITIONS = {
    "dots": _tile("dots", "forward", 5, 0, "M2 2.5h1.5"),
    "stripes": _tile("stripes", "backward", 6, -45, "M0 3h6"),
    "crosses": _tile("crosses", "pad", 6, 45, "M0 3h6M3 0v6"),
}


def _palette() -> Image.Image:
    """The light inks, each whole and in two steps towards white."""
    from PIL import Image, ImageColor

    def faded(ink: str, share: float) -> Iterable[int]:
        return (round(255 - share * (255 - c)) for c in ImageColor.getrgb(_light(ink))[:3])

    palette = Image.new("P", (1, 1))
    colours = [faded(ink, share) for ink in INKS for share in (1.0, 0.6, 0.25)]
    palette.putpalette([c for colour in colours for c in colour])
    return palette


def _n(value: float) -> str:
    """A number with one decimal, as short as it can be written."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _of(ink: str) -> str:
    """An ink as a page has it, in its theme."""
    return f"var(--{ink})" if ink else "none"


def _way(points: Iterable[Point]) -> str:
    return "L".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _light(ink: str) -> str:
    return INKS[ink].light if ink else "none"
