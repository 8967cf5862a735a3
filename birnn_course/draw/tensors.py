"""Tensors as slabs with named axes, and memory as a strip that is cut or walked through."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from birnn_course.draw.drawing import Drawing
from birnn_course.draw.scene import Box, Label, Line, Scene
from birnn_course.errors import CourseError

MOST_STEPS, MOST_SAMPLES = 10, 6
STEP, DEEP = 46, 12  # pixels of a step, and of a sample behind another
HALF = 34
TILE = 38


def draw_output(output: Tensor, h_n: Tensor) -> Drawing:
    """Where the last layer's final states stand in the output of a bidirectional RNN.

    Parameters
    ----------
    output : Tensor
        ``(batch, seq_len, 2 * hidden_size)``, batch first.
    h_n : Tensor
        ``(2 * num_layers, batch, hidden_size)``.

    Raises
    ------
    CourseError
        If they are not of one such RNN, or the output has more than 10 steps or 6 samples.
    """
    if output.ndim != 3 or h_n.ndim != 3 or output.shape[2] != 2 * h_n.shape[2]:
        raise CourseError(
            "draw_output needs output (batch, seq_len, 2 * hidden_size) and h_n "
            f"(2 * num_layers, batch, hidden_size), not {tuple(output.shape)} "
            f"and {tuple(h_n.shape)}."
        )
    batch, steps, hidden = output.shape[0], output.shape[1], h_n.shape[2]
    if steps > MOST_STEPS or batch > MOST_SAMPLES:
        raise CourseError(
            f"A drawing has room for {MOST_STEPS} steps and {MOST_SAMPLES} samples; "
            f"this output is {tuple(output.shape)}."
        )
    left, top = 58.0, 42.0 + DEEP * (batch - 1)
    back = DEEP * (batch - 1)
    scene = Scene()
    title = f"output  (batch {batch}, seq_len {steps}, 2 × hidden {hidden})"
    scene.add(Label(left, 16, title, anchor="start", bold=True))
    for sample in reversed(range(batch)):
        x, y = left + DEEP * sample, top - DEEP * sample
        for half, ink in enumerate(("backward", "forward")):
            last = 0 if ink == "backward" else steps - 1
            final = {last} if sample == 0 else set()
            for t in sorted(range(steps), key=final.__contains__):  # what is lit lies on top
                place = (x + STEP * t, y + HALF * half)
                scene.add(_slab(*place, STEP, ink, sample == 0, t in final))
    foot = top + 2 * HALF
    scene.add(
        Label(left - 8, top + HALF / 2, f"{hidden}:{2 * hidden}", "backward", 12, "end", True),
        Label(left - 8, top + HALF * 1.5, f":{hidden}", "forward", 12, "end", True),
        *(Label(left + STEP * (t + 0.5), foot + 14, str(t), "muted", 12) for t in range(steps)),
        Label(left + STEP * steps / 2, foot + 32, "step", "muted", 12),
    )
    right = left + max(STEP * steps + back + 96, 9.0 * len(title))
    layers = h_n.shape[0] // 2
    scene.add(
        Label(right, 16, f"h_n  ({h_n.shape[0]}, batch {batch}, hidden {hidden})", bold=True,
              anchor="start")
    )  # fmt: skip
    for row in range(h_n.shape[0]):
        ink = ("forward", "backward")[row % 2]
        last = row // 2 == layers - 1
        y = top - back + (HALF + back + 14) * row + back
        for sample in reversed(range(batch)):
            place = (right + DEEP * sample, y - DEEP * sample)
            scene.add(_slab(*place, 66, ink, sample == 0, sample == 0 and last))
        where = f"after step {steps - 1}" if ink == "forward" else "after step 0"
        layer = f"layer {row // 2 + 1}, " if layers > 1 else ""
        text = f"h_n[{row}]  {layer}{ink}, {where}"
        scene.add(Label(right + 80 + back, y + HALF / 2, text, ink, 13, "start", True))
        if last:
            _follow(scene, ink, left, top, steps, back, right, y)
    ends = "The forward half of its last step and the backward half of its step 0"
    return Drawing(
        scene,
        f"output of shape {tuple(output.shape)} as a slab: along it the {steps} steps, below the "
        f"forward half, above it the backward half. {ends} are the last two blocks of h_n, "
        f"of shape {tuple(h_n.shape)}.",
    )


def _slab(x: float, y: float, width: float, ink: str, in_front: bool, lit: bool) -> Box:
    return Box(
        x, y, width, HALF, f"{ink}-soft", "text" if lit else ink,
        pattern=ink if in_front else "", thick=3 if lit else 1,
    )  # fmt: skip


def _follow(
    scene: Scene, ink: str, left: float, top: float, steps: int, back: float, right: float, y: float
) -> None:
    """From the half in the output to its block of h_n."""
    gap = left + STEP * steps + back
    if ink == "forward":
        start = top + HALF * 1.5
        way = [(left + STEP * steps, start), (gap + 48, start), (gap + 48, y + HALF / 2)]
    else:
        above = top - back - 12
        way = [(left + STEP / 2, top), (left + STEP / 2, above), (gap + 64, above)]
        way.append((gap + 64, y + HALF / 2))
    scene.add(Line([*way, (right, y + HALF / 2)], ink, 2.5, ink == "backward", arrow=True))


def draw_memory(x: Tensor, names: Sequence[str], views: dict[str, Tensor]) -> Drawing:
    """The numbers of one tensor in the order of memory, and what each view makes neighbours.

    Parameters
    ----------
    x : Tensor
        ``(rows, columns)`` of at most 24 numbers, all different.
    names : sequence of str
        One letter per row of ``x``; row *a* has the tiles a0, a1, …
    views : dict of str to Tensor
        Title, such as ``x.view(6, 2)``, to the tensor: the same numbers with other axes.

    Raises
    ------
    CourseError
        If the names do not fit, numbers are equal, or a view has other numbers.
    """
    if x.ndim != 2 or len(names) != len(x) or x.numel() > 24:
        raise CourseError("draw_memory needs a tensor of two axes with one name per row.")
    tile = {
        value: (f"{names[r]}{c}", r == 0)
        for r, row in enumerate(x.tolist())
        for c, value in enumerate(row)
    }
    if len(tile) != x.numel():
        raise CourseError("draw_memory tells numbers apart by their value; two of them are equal.")
    scene = Scene()
    scene.add(Label(12, 16, "in memory", "muted", 13, "start"))
    _tiles(scene, [[tile[v] for v in x.flatten().tolist()]], 12, 30)
    left, top = 12.0, 104.0
    for title, view in {"x": x, **views}.items():
        if view.ndim != 2 or sorted(view.flatten().tolist()) != sorted(tile):
            raise CourseError(f"{title} does not have the same numbers as x, along two axes.")
        scene.add(Label(left, top - 12, title, size=13, anchor="start", bold=True, code=True))
        _tiles(scene, [[tile[v] for v in row] for row in view.tolist()], left, top)
        left += max(TILE * view.shape[1], 8.2 * len(title)) + 44
    rows = "; ".join(
        f"{title}: first row {' '.join(tile[v][0] for v in view[0].tolist())}"
        for title, view in views.items()
    )
    return Drawing(
        scene,
        f"{x.numel()} numbers in one strip of memory, the rows {', '.join(names)} one after the "
        f"other, and read in other shapes. {rows}.",
    )


def _tiles(scene: Scene, rows: list[list[tuple[str, bool]]], left: float, top: float) -> None:
    for r, row in enumerate(rows):
        for c, (name, first) in enumerate(row):
            x, y = left + TILE * c, top + TILE * r
            fill = "lit" if first else "ground"
            scene.add(
                Box(x + 1, y + 1, TILE - 4, TILE - 4, fill, "text"),
                Label(x + TILE / 2 - 1, y + TILE / 2 - 1, name, size=13, bold=True),
            )
