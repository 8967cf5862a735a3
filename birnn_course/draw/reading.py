"""How an RNN reads a sequence: tiles, readers, their states, and what an output has seen."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from birnn_course.draw.drawing import Drawing
from birnn_course.draw.scene import Box, Cells, Label, Line, Scene
from birnn_course.errors import CourseError

SHOWN = 16  # units of a state, in four rows
STEP = 84  # pixels from one step to the next
LEFT = 14
BAND, CELL = 66, 14
TITLE = 22


def draw_reading(
    rnn: nn.RNNBase,
    x: Tensor,
    labels: Sequence[str],
    *,
    at: int | None = None,
    answers: Sequence[str] | None = None,
) -> Drawing:
    """One sequence, read by an RNN: the states of each reader, and the path to one output.

    Parameters
    ----------
    rnn : nn.RNN, nn.GRU or nn.LSTM
        It is run on ``x``; 16 units of each state are shown.
    x : Tensor
        ``(seq_len, input_size)``, one sequence.
    labels : sequence of str
        What stands on the tiles: one text per step.
    at : int, optional
        The output whose path is drawn; what it has not read is faded.
    answers : sequence of str, optional
        What the model says at each step, above its output.

    Raises
    ------
    CourseError
        If there is not one label (and answer) for each step, or ``at`` is no step.
    """
    steps = len(x)
    for what, texts in (("labels", labels), ("answers", answers)):
        if texts is not None and len(texts) != steps:
            raise CourseError(f"draw_reading needs one of {what} per step: {steps}.")
    if at is not None and not 0 <= at < steps:
        raise CourseError(f"The sequence has the steps 0 to {steps - 1}; at={at} is none of them.")
    with torch.no_grad():
        batch = x[None] if rnn.batch_first else x[:, None]
        output = rnn(batch)[0].reshape(steps, -1).cpu()
    directions = 2 if rnn.bidirectional else 1
    halves = output.chunk(directions, dim=-1)
    scene = Scene()
    y = 4.0
    if answers is not None:
        _row(scene, answers, y, at)
        y += 40
    y = _outputs(scene, steps, directions, y, at)
    if directions == 2:
        y = _band(scene, halves[1], y, "backward", None if at is None else range(at, steps))
    y = _band(scene, halves[0], y, "forward", None if at is None else range(at + 1))
    if at is not None:
        _paths(scene, steps, directions, at, 40 * (answers is not None) + 4)
    for t, label in enumerate(labels):
        scene.add(
            Box(_middle(t) - 24, y, 48, 36, corner=5),
            Label(_middle(t), y + 18, label, size=19, bold=True),
        )
    return Drawing(scene, _alt(labels, directions, at))


def _middle(t: int) -> float:
    return LEFT + (t + 0.5) * STEP


def _row(scene: Scene, answers: Sequence[str], y: float, at: int | None) -> None:
    for t, answer in enumerate(answers):
        chosen = t == at
        scene.add(
            Box(_middle(t) - 32, y, 64, 32, edge="text" if chosen else "muted", fill="ground"),
            Label(_middle(t), y + 16, answer, size=15, bold=True),
        )


def _outputs(scene: Scene, steps: int, directions: int, y: float, at: int | None) -> float:
    """The output of each step, one half per reader."""
    for t in range(steps):
        chosen = t == at
        for i, ink in enumerate(("forward", "backward")[:directions]):
            scene.add(
                Box(
                    _middle(t) - 14 * directions + 28 * i,
                    y,
                    28,
                    22,
                    f"{ink}-soft",
                    "text" if chosen else ink,
                    pattern=ink,
                    thick=2.5 if chosen else 1,
                    corner=0,
                )
            )
    return y + 34


def _band(scene: Scene, states: Tensor, y: float, ink: str, read: range | None) -> float:
    """The states of one reader, with its name at the end where it enters."""
    steps = len(states)
    width = steps * STEP
    forward = ink == "forward"
    name = "forward reader →" if forward else "← backward reader"
    scene.add(
        Label(
            LEFT + 2 if forward else LEFT + width - 2,
            y + 8,
            name,
            ink,
            12,
            "start" if forward else "end",
            bold=True,
        ),
        Box(LEFT, y + TITLE - 4, width, BAND, f"{ink}-soft", ink, corner=8, thick=0.7),
    )
    for t, state in enumerate(states):
        faded = read is not None and t not in read
        left, top = _middle(t) - 2 * CELL, y + TITLE - 4 + (BAND - 4 * CELL) / 2
        scene.add(Cells(state[:SHOWN].tolist(), left, top, CELL, 4, ink, faded))
    return y + TITLE + BAND + 6


def _paths(scene: Scene, steps: int, directions: int, at: int, top: float) -> None:
    """From the far end of what each reader has read to the half of the output."""
    y = top + 22
    first = y + 12 + TITLE - 4  # the upper edge of the upper band
    if directions == 2:
        foot = first + BAND + 3
        x = _middle(at) + 14
        scene.add(
            Line(
                [(_middle(steps - 1) + 26, foot), (x, foot), (x, y + 2)],
                "backward",
                2.5,
                dashed=True,
                arrow=True,
            )
        )
        first += BAND + 6 + TITLE
    foot = first + BAND + 3
    x = _middle(at) - 14 * (directions - 1)
    scene.add(Line([(_middle(0) - 26, foot), (x, foot), (x, y + 2)], "forward", 2.5, arrow=True))


def _alt(labels: Sequence[str], directions: int, at: int | None) -> str:
    """The structure of the picture in words."""
    word = " ".join(labels)
    readers = "a forward reader, from the left" + (
        ", and a backward reader, from the right" if directions == 2 else ""
    )
    sentence = f"{word}, read by {readers}, each with a state at each step."
    if at is None:
        return sentence
    seen = f"{labels[0]} up to {labels[at]} through its forward half"
    if directions == 2:
        seen += f" and {labels[-1]} back to {labels[at]} through its backward half"
    return f"{sentence} Output {at} has read {seen}."
