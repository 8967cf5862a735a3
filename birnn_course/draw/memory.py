"""Memory as a strip of tiles that is cut or walked through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import READERS
from birnn_course.draw.scene import Box, Label, Scene
from birnn_course.errors import CourseError

TILE, MOST, WIDE = 38, 24, 640


class _Tile(NamedTuple):
    """One number: what stands on it, which row or sample it is of, and its reader's ink, if any."""

    text: str
    row: int
    ink: str


def draw_memory(
    x: Tensor, names: Sequence[str], views: dict[str, Tensor], *, name: str = "x"
) -> Drawing:
    """The numbers of one tensor in the order of memory, and what each view makes neighbours.

    Parameters
    ----------
    x : Tensor
        At most 24 numbers, all different: ``(rows, columns)``, or as ``h_n`` is,
        ``(2 * num_layers, batch, hidden_size)``.
    names : sequence of str
        One letter per row of ``x``, or per sample of ``h_n``; *a* has the tiles a0, a1, … The tiles
        of ``h_n`` have the ink of their reader.
    views : dict of str to Tensor
        Title, such as ``x.view(6, 2)``, to the tensor: the same numbers with other axes. Of
        ``h_n``, a view with one row per sample is judged: does each row hold one sample?
    name : str
        What ``x`` is called.

    Raises
    ------
    CourseError
        If the names do not fit, numbers are equal, or a view has other numbers.
    """
    if x.ndim not in (2, 3) or len(names) != x.shape[-2] or not 0 < x.numel() <= MOST:
        raise CourseError(
            f"draw_memory needs a tensor of two or three axes and at most {MOST} numbers, with one "
            "name per row."
        )
    tiles = _tiles_of(x, names)
    if len(tiles) != x.numel():
        raise CourseError("draw_memory tells numbers apart by their value; two of them are equal.")
    scene = Scene()
    of = f"{name} {tuple(x.shape)} " if x.ndim == 3 else ""
    scene.add(Label(12, 16, f"{of}in memory", "muted", 13, "start"))
    strip = [tiles[v] for v in x.flatten().tolist()]
    for i, start in enumerate(range(0, len(strip), WIDE // TILE)):
        _draw(scene, [strip[start : start + WIDE // TILE]], 12, 30.0 + TILE * i)
    left, top = 12.0, scene.bottom + 36
    first = {name: x} if x.ndim == 2 else {}
    for title, view in {**first, **views}.items():
        if view.ndim != 2 or sorted(view.flatten().tolist()) != sorted(tiles):
            raise CourseError(f"{title} does not have the same numbers as {name}, along two axes.")
        rows = [[tiles[v] for v in row] for row in view.tolist()]
        judged = x.ndim == 3 and len(rows) == x.shape[1]
        width = max(TILE * view.shape[1] + 70 * judged, 8.2 * len(title)) + 44
        if left > 12 and left + width > WIDE + 44:
            left, top = 12.0, scene.bottom + 34
        scene.add(Label(left, top - 12, title, size=13, anchor="start", bold=True, code=True))
        _draw(scene, rows, left, top)
        if judged:
            _judge(scene, rows, names, left + TILE * view.shape[1] + 4, top)
        left += width
    firsts = "; ".join(
        f"{title}: first row {' '.join(_spoken(tiles[v]) for v in view[0].tolist())}"
        for title, view in views.items()
    )
    whose = "rows" if x.ndim == 2 else "samples"
    return Drawing(
        scene,
        f"{x.numel()} numbers in one strip of memory, the {whose} {', '.join(names)} one after the "
        f"other{' in each block' * (x.ndim == 3)}, and read in other shapes. {firsts}.",
    )


def _tiles_of(x: Tensor, names: Sequence[str]) -> dict[float, _Tile]:
    blocks = x[None] if x.ndim == 2 else x
    return {
        value: _Tile(f"{names[r]}{c}", r, READERS[i % 2] if x.ndim == 3 else "")
        for i, block in enumerate(blocks.tolist())
        for r, row in enumerate(block)
        for c, value in enumerate(row)
    }


def _spoken(tile: _Tile) -> str:
    return f"{tile.text} {tile.ink}".strip()


def _draw(scene: Scene, rows: list[list[_Tile]], left: float, top: float) -> None:
    side = TILE - 4
    placed = [
        (tile, left + TILE * c + 1, top + TILE * r + 1)
        for r, row in enumerate(rows)
        for c, tile in enumerate(row)
    ]
    placed.sort(key=lambda place: place[0].ink)  # what looks alike is one group
    for tile, x, y in placed:
        fill = "lit" if tile.row == 0 and not tile.ink else "ground"
        scene.add(Box(x, y, side, side, fill, tile.ink or "text"))
    for tile, x, y in placed:
        if tile.ink:  # a band of its pattern: nobody reads a text on one
            soft = f"{tile.ink}-soft"
            scene.add(Box(x, y + side - 9, side, 9, soft, tile.ink, tile.ink, corner=0))
    for tile, x, y in placed:
        middle = y + (side - 9 * bool(tile.ink)) / 2
        scene.add(Label(x + side / 2, middle, tile.text, tile.ink or "text", 13, bold=True))


def _judge(
    scene: Scene, rows: list[list[_Tile]], names: Sequence[str], left: float, top: float
) -> None:
    """Beside each row, whether it holds its own sample and no other."""
    for r, row in enumerate(rows):
        held = sorted({tile.row for tile in row})
        own = held == [r]
        text = f"{'✓' if own else '✗'} {', '.join(names[i] for i in held)}"
        y = top + TILE * r + TILE / 2 - 1
        scene.add(Label(left, y, text, "right" if own else "wrong", 13, "start", bold=True))
