"""Tensors as slabs with named axes: an output, the final states in it, and a slice of both."""

from __future__ import annotations

from collections.abc import Container

from torch import Tensor, nn

from birnn_course.draw import slices
from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import READERS
from birnn_course.draw.scene import Box, Label, Line, Scene
from birnn_course.draw.slices import Results, Slice
from birnn_course.errors import CourseError

MOST_STEPS, MOST_SAMPLES, MOST_BLOCKS = 10, 6, 6
STEP, DEEP, SHALLOW = 46, 12, 6  # pixels of a step, and of a sample behind another
HALF, BLOCK, FLAT = 34, 66, 22  # height of a half, width and height of a block of the states
LEFT = 78.0

Cell = tuple[str, int, int, int]


def draw_output(
    output: Tensor,
    h_n: Tensor,
    *,
    c_n: Tensor | None = None,
    lit: str = "",
    batch_first: bool = True,
) -> Drawing:
    """Where the final states of the last layer stand in the output of an RNN.

    A line goes from each block of ``h_n`` to the place in ``output`` where its values stand; they
    are compared. Of the batch, the first sample is in front.

    Parameters
    ----------
    output : Tensor
        ``(batch, seq_len, directions * hidden_size)``.
    h_n : Tensor
        ``(num_layers * directions, batch, hidden_size)``.
    c_n : Tensor, optional
        The other final states of an LSTM.
    lit : str
        A slice to be lit, as it is written in code: ``output[:, -1]``, ``h_n[-1]``,
        ``torch.cat([h_n[-2], h_n[-1]], dim=1)``.
    batch_first : bool
        Whether ``output`` has the batch as its first axis.

    Raises
    ------
    CourseError
        If they are not of one such RNN; if the output has more than 10 steps or 6 samples, or a
        state more than 6 blocks; or if the slice cannot be taken.
    """
    states = {"h_n": h_n} if c_n is None else {"h_n": h_n, "c_n": c_n}
    results = Results(output, states, batch_first)
    _room(results)
    found = slices.taken(results, lit) if lit else None
    scene = Scene()
    _results(scene, results, found)
    which = f" {lit}, of shape {found.shape}, is lit." if found else ""
    return Drawing(scene, _alt(results) + which)


def draw_slice(rnn: nn.RNNBase, x: Tensor, lit: str) -> Drawing:
    """A slice of what an RNN returns, lit, and below it the steps that its numbers have read.

    Parameters
    ----------
    rnn : nn.RNN, nn.GRU or nn.LSTM
        It is run on ``x``, and again with each step and each sample changed.
    x : Tensor
        ``(batch, seq_len, input_size)``, or as ``batch_first=False`` has it.
    lit : str
        As :func:`draw_output` takes it.

    Raises
    ------
    CourseError
        As :func:`draw_output`.
    """
    results = slices.run(rnn, x)
    _room(results)
    found = slices.read(rnn, x, lit)
    if not any(name == "c_n" for name, *_ in found.lit):
        results = Results(results.output, {"h_n": results.states["h_n"]}, results.batch_first)
    scene = Scene()
    _results(scene, results, found)
    y = scene.bottom + 26
    title = Label(LEFT, y, f"{lit}  {found.shape}  has read", size=13, anchor="start", bold=True)
    scene.add(title)
    for part in found.parts:
        y += 30
        for t in range(results.steps):
            seen = t in part.steps
            scene.add(
                Box(
                    LEFT + STEP * t + 2, y - 11, STEP - 4, 22,
                    f"{part.reader}-soft" if seen else "ground", part.reader if seen else "muted",
                    pattern=part.reader if seen else "", dashed=not seen, corner=0,
                )
            )  # fmt: skip
        layer = f", layer {part.layer + 1}" if part.layer < results.layers - 1 else ""
        right = LEFT + STEP * results.steps + 12
        scene.add(Label(right, y, f"{part.share}{layer}", part.reader, 12, "start", True))
    ink, sentence = slices.verdict(results, found)
    mark = {"right": "✓ ", "wrong": "✗ "}.get(ink, "")
    scene.add(Label(LEFT, y + 32, mark + sentence, ink, 13, "start", True))
    state = tuple(results.states["h_n"].shape)
    return Drawing(
        scene,
        f"output of shape {tuple(results.output.shape)} as a slab, h_n of shape {state} as a "
        "stack. "
        f"{lit}, of shape {found.shape}, is lit. {sentence}",
    )


def _room(results: Results) -> None:
    steps, batch, blocks = results.steps, results.batch, results.blocks
    if steps > MOST_STEPS or batch > MOST_SAMPLES or blocks > MOST_BLOCKS:
        raise CourseError(
            f"A drawing has room for {MOST_STEPS} steps, {MOST_SAMPLES} samples and "
            f"{MOST_BLOCKS} blocks; this output is {tuple(results.output.shape)} "
            f"and h_n {tuple(results.states['h_n'].shape)}."
        )


def _results(scene: Scene, results: Results, found: Slice | None) -> None:
    """The slab of output, and below it a stack for each state."""
    batch, steps, hidden = results.batch, results.steps, results.hidden
    back = DEEP * (batch - 1)
    top = 44.0 + back
    both = results.directions == 2
    axes = [f"batch {batch}", f"seq_len {steps}"]
    features = f"{'2 × ' * both}hidden {hidden}"
    named = ", ".join([*(axes if results.batch_first else axes[::-1]), features])
    scene.add(Label(LEFT, 14, f"output  ({named})", anchor="start", bold=True))
    where = {
        (name, i): results.places(block)
        for name, state in results.states.items()
        for i, block in enumerate(state)
    }
    final = {("output", 0, t, half) for places in where.values() for t, half in places}
    lit = final if found is None else found.lit
    slab(scene, LEFT, top, batch, steps, READERS[: results.directions], lit, final)
    foot = top + HALF * results.directions
    right = LEFT + STEP * steps
    for half in range(results.directions):
        y = top + HALF * (results.directions - half - 0.5)
        place = f"{half * hidden or ''}:{(half + 1) * hidden}"
        text = f"{place} {READERS[half]}"
        scene.add(Label(right + back + 8, y, text, READERS[half], 12, "start", True))
    scene.add(
        *(Label(LEFT + STEP * (t + 0.5), foot + 13, str(t), "muted", 12) for t in range(steps))
    )
    scene.add(Label(right + 8, foot + 13, "step →", "muted", 12, "start"))
    if batch > 1:
        scene.add(Label(right + back + 8, top - back - 4, "batch ↗", "muted", 12, "start"))
    y, shallow = foot + 52, SHALLOW * (batch - 1)
    for name, state in results.states.items():
        title = f"{name}  ({len(state)}, batch {batch}, hidden {hidden})"
        scene.add(Label(LEFT, y, title, anchor="start", bold=True))
        y += 20 + shallow
        for i in range(len(state)):
            cells = {(name, sample, i, 0) for sample in range(batch)}
            standing = where[name, i]
            front = {(name, 0, i, 0)} if standing else set()
            ink = results.reader(i)
            marked = (front if found is None else found.lit) & cells
            _block(scene, LEFT, y, name, i, batch, ink, marked)
            layer = f", layer {results.layer(i) + 1}" if results.layers > 1 else ""
            text = f"{name}[{i}]  {ink}{layer}"
            scene.add(
                Label(LEFT + BLOCK + shallow + 12, y + FLAT / 2, text, ink, 13, "start", True)
            )
            for t, half in standing:
                thick = 2.5 if found is None else 1.5
                _follow(scene, results, t, half, top, y + FLAT / 2, thick)
            y += FLAT + shallow + 8
        y += 14


def slab(
    scene: Scene,
    left: float,
    top: float,
    batch: int,
    steps: int,
    inks: tuple[str, ...],
    lit: Container[Cell],
    final: Container[Cell] = (),
    name: str = "output",
) -> None:
    """Steps to the right, samples behind one another, one half of the features upon the other.

    Parameters
    ----------
    scene : Scene
        It is put there.
    left, top : float
        The upper left corner of the first sample.
    batch, steps : int
        How many samples and steps there are.
    inks : tuple of str
        Of each half, from below.
    lit, final : container of (str, int, int, int)
        Cells (``name``, sample, step, half) with a thick edge, and with one of their ink.
    name : str
        Of the tensor.
    """
    for sample in reversed(range(batch)):
        x, y = left + DEEP * sample, top - DEEP * sample
        cells = [
            (name, sample, t, half) for half in reversed(range(len(inks))) for t in range(steps)
        ]
        for cell in sorted(cells, key=lambda cell: (cell in lit, cell in final)):
            t, half = cell[2:]
            scene.add(
                box(
                    x + STEP * t, y + HALF * (len(inks) - 1 - half), STEP, HALF, inks[half],
                    patterned=sample == 0, lit=cell in lit, final=cell in final,
                )
            )  # fmt: skip


def _block(
    scene: Scene,
    left: float,
    y: float,
    name: str,
    i: int,
    batch: int,
    ink: str,
    lit: Container[Cell],
) -> None:
    for sample in reversed(range(batch)):
        cell, shift = (name, sample, i, 0), SHALLOW * sample
        place = (left + shift, y - shift, BLOCK, FLAT)
        scene.add(box(*place, ink, patterned=sample == 0, lit=cell in lit))


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    ink: str,
    *,
    patterned: bool,
    lit: bool = False,
    final: bool = False,
) -> Box:
    """Some numbers of a tensor, of a reader or (with no ink) of nobody."""
    return Box(
        x, y, width, height, f"{ink}-soft" if ink else "tile", "text" if lit else ink or "muted",
        pattern=ink if patterned else "", thick=3 if lit else 2 if final else 1, corner=0,
    )  # fmt: skip


def _follow(
    scene: Scene, results: Results, t: int, half: int, top: float, y: float, thick: float
) -> None:
    """From the half in the output, along the left, to its block below."""
    upper = half == results.directions - 1 and results.directions == 2
    foot = top + HALF * results.directions
    if upper:
        start = (LEFT + STEP * t, top + HALF / 2)
        way = [start, (LEFT - 48, start[1]), (LEFT - 48, y)]
    else:
        x = LEFT + STEP * (t + 1) - 9
        way = [(x, foot), (x, foot + 30), (LEFT - 26, foot + 30), (LEFT - 26, y)]
    scene.add(Line([*way, (LEFT, y)], READERS[half], thick, upper, arrow=True))


def _alt(results: Results) -> str:
    shape, state = tuple(results.output.shape), tuple(results.states["h_n"].shape)
    halves = "below the forward half, above it the backward half"
    if results.directions == 1:
        halves = "the forward reader's states"
    last = results.states["h_n"][-results.directions :]
    at_ends = [[(results.steps - 1, 0)], [(0, 1)]][: results.directions]
    ends = (
        "The forward half of its last step and the backward half of its step 0 are the last two "
        f"blocks of h_n, of shape {state}."
        if results.directions == 2
        else f"Its last step is the last block of h_n, of shape {state}."
    )
    if [results.places(block) for block in last] != at_ends:
        ends = f"The last blocks of h_n, of shape {state}, do not stand at its ends."
    return (
        f"output of shape {shape} as a slab: along it the {results.steps} steps, {halves}. {ends}"
    )
