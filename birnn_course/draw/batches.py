"""A padded rectangle of sequences, and the triangle that packing makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from birnn_course.draw.drawing import Drawing
from birnn_course.draw.scene import Box, Label, Line, Scene
from birnn_course.errors import CourseError

TILE = 44
LEFT = 44.0
MOST = 12


def draw_padded(words: Sequence[str]) -> Drawing:
    """Words of different lengths in one rectangle, with the pads that fill it up.

    Parameters
    ----------
    words : sequence of str
        At most 12 of at most 12 letters.
    """
    _sensible(words)
    steps = max(map(len, words))
    scene = Scene()
    for i, word in enumerate(words):
        y = 8 + TILE * i
        _sequence(scene, word, i, y)
        for t in range(len(word), steps):
            x = LEFT + TILE * t
            scene.add(Box(x, y, TILE - 6, TILE - 6, "pad-soft", "pad", "pad", dashed=True))
        _enters(scene, LEFT + TILE * steps - 2, y)
    _legend(scene, "backward reader: starts on the pads")
    pads = steps * len(words) - sum(map(len, words))
    return Drawing(
        scene,
        f"{len(words)} words as rows of a rectangle {steps} steps wide: {', '.join(words)}. "
        f"{pads} of its {steps * len(words)} places are pads, at the ends of the shorter words.",
    )


def draw_packed(words: Sequence[str]) -> Drawing:
    """The same words packed: sorted by length, without pads, with the size of each step.

    The order and the sizes come from ``pack_padded_sequence(..., enforce_sorted=False)``.

    Parameters
    ----------
    words : sequence of str
        At most 12 of at most 12 letters.
    """
    _sensible(words)
    packed = _packed(words)
    sizes = packed.batch_sizes.tolist()
    assert packed.sorted_indices is not None
    order = packed.sorted_indices.tolist()
    scene = Scene()
    scene.add(Label(LEFT, 10, "batch_sizes", "muted", 12, "start", code=True))
    for t, size in enumerate(sizes):
        scene.add(Label(LEFT + TILE * t + (TILE - 6) / 2, 28, str(size), size=14, bold=True))
    for row, i in enumerate(order):
        y = 42 + TILE * row
        _sequence(scene, words[i], i, y)
        _enters(scene, LEFT + TILE * len(words[i]) - 2, y)
    _legend(scene, "backward reader: starts at each word's own end")
    return Drawing(
        scene,
        f"The words {', '.join(words)} packed: sorted by length, no pads. batch_sizes is {sizes}.",
    )


def _sensible(words: Sequence[str]) -> None:
    if not words or len(words) > MOST or not all(0 < len(word) <= MOST for word in words):
        raise CourseError(f"A drawing has room for 1 to {MOST} words of 1 to {MOST} letters.")


def _packed(words: Sequence[str]) -> PackedSequence:
    lengths = torch.tensor([len(word) for word in words])
    rectangle = torch.zeros(len(words), int(lengths.max()), 1)
    return pack_padded_sequence(rectangle, lengths, batch_first=True, enforce_sorted=False)


def _sequence(scene: Scene, word: str, i: int, y: float) -> None:
    scene.add(
        Label(14, y + (TILE - 6) / 2, chr(ord("A") + i), size=13, bold=True),
        Line([(24, y + (TILE - 6) / 2), (LEFT - 3, y + (TILE - 6) / 2)], "forward", 2, arrow=True),
    )
    for t, letter in enumerate(word):
        x = LEFT + TILE * t
        scene.add(
            Box(x, y, TILE - 6, TILE - 6, edge="text", corner=4),
            Label(x + (TILE - 6) / 2, y + (TILE - 6) / 2, letter, size=17, bold=True),
        )


def _enters(scene: Scene, x: float, y: float) -> None:
    middle = y + (TILE - 6) / 2
    scene.add(Line([(x + 22, middle), (x, middle)], "backward", 2, arrow=True))


def _legend(scene: Scene, backward: str) -> None:
    y = scene.bottom
    scene.add(
        Label(LEFT, y + 20, "→ forward reader: starts at step 0", "forward", 12, "start", True),
        Label(LEFT, y + 40, f"← {backward}", "backward", 12, "start", True),
    )
