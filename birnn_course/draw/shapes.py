"""One batch on its way through a model: every tensor with its shape, step above step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import READERS
from birnn_course.draw.scene import Box, Label, Line, Point, Scene
from birnn_course.draw.tensors import (
    DEEP,
    FLAT,
    HALF,
    MOST_SAMPLES,
    MOST_STEPS,
    SHALLOW,
    STEP,
    box,
    slab,
)
from birnn_course.errors import CourseError

LEFT, WIDTH, GAP = 34.0, 96, 26


def draw_shapes(
    tensors: Mapping[str, Tensor], words: Sequence[str] | None = None, *, directions: int = 2
) -> Drawing:
    """A batch from letters to scores: each tensor below the one that it is made of.

    Final states hang by lines from their places in ``output``, and what is made of them hangs from
    them; the places are found by comparing values.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Name to tensor, in order. The first has the shape ``(batch, seq_len)``. The others may be
        ``(batch, seq_len, features)``, a state ``(directions, batch, hidden_size)``,
        ``(batch, features)`` or ``(batch,)``. The one called ``output`` is the RNN's.
    words : sequence of str, optional
        One per sample: their letters stand on the first tensor instead of its numbers.
    directions : int
        Of the RNN: ``output`` has so many halves.

    Raises
    ------
    CourseError
        If a tensor has another shape, if there are more than 10 steps or 6 samples, or if the
        words do not fit.
    """
    flow = _Flow(tensors, words, directions)
    for name, tensor in tensors.items():
        flow.add(name, tensor)
    stages = "; ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in tensors.items())
    return Drawing(flow.scene, f"One batch, tensor below tensor: {stages}.{flow.claims()}")


class _Source(NamedTuple):
    """Something drawn from which a later tensor may take its numbers."""

    values: Tensor
    at: Point
    ink: str
    what: str


class _Flow:
    """The sheet, and what is needed to go on downwards."""

    def __init__(
        self, tensors: Mapping[str, Tensor], words: Sequence[str] | None, directions: int
    ) -> None:
        first = next(iter(tensors.values()), None)
        if first is None or first.ndim != 2:
            raise CourseError("draw_shapes begins with a tensor of shape (batch, seq_len).")
        self.batch, self.steps = first.shape
        if self.steps > MOST_STEPS or self.batch > MOST_SAMPLES:
            raise CourseError(
                f"A drawing has room for {MOST_STEPS} steps and {MOST_SAMPLES} samples; "
                f"this batch is {tuple(first.shape)}."
            )
        longest = max(map(len, words or [""]))
        if words is not None and (len(words) != self.batch or longest > self.steps):
            raise CourseError(
                f"draw_shapes needs {self.batch} words of at most {self.steps} letters."
            )
        self.scene = Scene()
        self._words = words
        self._inks = READERS[:directions]
        self._sources: list[_Source] = []
        self._claims: list[str] = []

    def add(self, name: str, tensor: Tensor) -> None:
        """One tensor, below the others."""
        shape = tuple(tensor.shape)
        first = not self.scene.shapes
        above = self.scene.bottom
        top = 8.0 if first else above + GAP
        before = len(self._claims)
        if shape[:2] == (self.batch, self.steps) and len(shape) == 2:
            self._title(name, shape, "batch, seq_len", top + 12)
            self._letters(tensor, top)
        elif shape[:2] == (self.batch, self.steps) and len(shape) == 3:
            top += DEEP * (self.batch - 1)
            self._title(name, shape, "batch, seq_len, features", top + HALF / 2)
            self._sequence(name, tensor, top)
        elif len(shape) == 3 and shape[:2] == (len(self._inks), self.batch):
            top += SHALLOW * (self.batch - 1)
            self._title(name, shape, "layers · directions, batch, features", top + 6)
            self._ends(name, tensor, top)
        elif shape[:1] == (self.batch,) and len(shape) < 3:
            top += SHALLOW * (self.batch - 1)
            self._title(name, shape, "batch" + ", features" * (len(shape) == 2), top + 6)
            self._vector(name, tensor, top)
        else:
            raise CourseError(
                f"draw_shapes cannot draw {name} of shape {shape} in a batch of {self.batch} "
                f"sequences with {self.steps} steps; see its help for the shapes."
            )
        if not first and len(self._claims) == before:
            down = [(LEFT - 18, above - 6), (LEFT - 18, top + 8)]
            self.scene.add(Line(down, "muted", 1.5, arrow=True))

    def claims(self) -> str:
        """What the lines show, for the alternative text."""
        return "".join(f" {sentence}" for sentence in self._claims)

    def _title(self, name: str, shape: tuple[int, ...], axes: str, y: float) -> None:
        x = LEFT + STEP * self.steps + DEEP * (self.batch - 1) + 26
        self.scene.add(
            Label(x, y, f"{name} {shape}", size=13, anchor="start", bold=True, code=True),
            Label(x, y + 18, axes, "muted", 12, "start"),
        )

    def _letters(self, ids: Tensor, top: float) -> None:
        placed = [
            (str(self._words[i][t : t + 1] if self._words else ids[i, t].item()), i, t)
            for i in range(self.batch)
            for t in range(self.steps)
        ]
        for text, i, t in sorted(placed, key=lambda place: place[0] == ""):  # alike, in one group
            x, y = LEFT + STEP * t + 2, top + 28 * i
            if text:
                self.scene.add(Box(x, y, STEP - 4, 24, corner=0))
                self.scene.add(Label(x + STEP / 2 - 2, y + 12, text, size=14, bold=True))
            else:
                pad = Box(x, y, STEP - 4, 24, "pad-soft", "pad", "pad", dashed=True, corner=0)
                self.scene.add(pad)

    def _sequence(self, name: str, tensor: Tensor, top: float) -> None:
        recurrent = name == "output"
        slab(self.scene, LEFT, top, self.batch, self.steps, self._inks if recurrent else ("",), ())
        if not recurrent:
            return
        n = len(self._inks)
        for half, (ink, values) in enumerate(zip(self._inks, tensor.chunk(n, 2), strict=True)):
            for t in range(self.steps):
                x = LEFT + STEP * t + (12 if half else STEP - 12)
                at = (x, top + HALF * (n - half) - HALF / 2)
                what = f"the {ink} half of step {t}" if n == 2 else f"step {t}"
                self._sources.append(_Source(values[:, t], at, ink, what))

    def _source(self, values: Tensor) -> _Source | None:
        """Where these numbers came from, the nearest one."""
        for source in reversed(self._sources):
            if source.values.shape == values.shape and torch.allclose(
                source.values, values, rtol=0, atol=1e-5
            ):
                return source
        return None

    def _ends(self, name: str, state: Tensor, top: float) -> None:
        """Blocks of a state: each below the place where it arose."""
        behind = SHALLOW * (self.batch - 1)
        middle = LEFT + STEP * self.steps / 2
        found = []
        for i, (ink, block) in enumerate(zip(self._inks, state, strict=True)):
            source = self._source(block)
            left = source.at[0] - (12 if i else STEP - 12) if source else LEFT + 2 * STEP * i
            what = f"{name}[{i}]"
            self._deep(left, top, STEP, ink)
            # Outside, where the other block cannot be: a word may have two letters.
            at, side = (left - 6, "end") if left < middle else (left + STEP + behind + 4, "start")
            self.scene.add(Label(at, top + FLAT / 2, f"[{i}]", ink, 12, side, True))  # type: ignore[arg-type]
            if source:
                self._hang(source, source.at[0], top, what)
            found.append(_Source(block, (left + STEP / 2, top + FLAT), ink, what))
        self._sources += found

    def _vector(self, name: str, tensor: Tensor, top: float) -> None:
        """One row of numbers per sample: of the readers, if they are found, else plain."""
        n = len(self._inks)
        parts = tensor.chunk(n, dim=1) if tensor.ndim == 2 else ()
        sources = [self._source(part) for part in parts]
        left = LEFT + STEP * self.steps / 2 - WIDTH / 2
        if not sources or not all(sources):
            self._deep(left, top, WIDTH, "")
            return
        for i, source in enumerate(sources):
            assert source is not None
            x, width = left + WIDTH / n * i, WIDTH / n
            self._deep(x, top, width, source.ink)
            self._hang(source, x + width / 2, top, f"{name}[:, {_run(i, parts)}]")

    def _deep(self, x: float, top: float, width: float, ink: str) -> None:
        for sample in reversed(range(self.batch)):
            shift = SHALLOW * sample
            self.scene.add(box(x + shift, top - shift, width, FLAT, ink, patterned=not sample))

    def _hang(self, source: _Source, x: float, top: float, what: str) -> None:
        """A line from where it came from."""
        (start, y), ink = source.at, source.ink
        turn = top - SHALLOW * self.batch - (4 if ink == "forward" else 9)
        way = [(start, y), (start, turn), (x, turn), (x, top)] if x != start else [(x, y), (x, top)]
        self.scene.add(Line(way, ink, 2, ink == "backward", arrow=True))
        self._claims.append(f"{what} is {source.what}.")


def _run(i: int, parts: Sequence[Tensor]) -> str:
    size = parts[0].shape[1]
    return f"{i * size or ''}:{(i + 1) * size}"
