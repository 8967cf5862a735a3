"""What a demonstration shows, in a few words: where wrong and right differ, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Contrast(NamedTuple):
    """Both sides of a demonstration as text.

    Parameters
    ----------
    shown : str
        What of both is shown, as ``shape`` or ``row [0, 2]``; empty for all of it.
    wrong, right : str
        The two sides; they differ.
    """

    shown: str
    wrong: str
    right: str


def contrast(wrong: object, right: object) -> Contrast:
    """Two values that differ, or of two tensors what tells them apart.

    Of different shapes that is the shape; else the row, along the last axis, in which the largest
    difference lies. Numbers have as many digits as it takes to tell the two apart, at least two.
    """
    if not isinstance(wrong, Tensor) or not isinstance(right, Tensor):
        return Contrast("", *_apart(_written, wrong, right))
    if wrong.shape != right.shape:
        return Contrast("shape", str(tuple(wrong.shape)), str(tuple(right.shape)))
    if wrong.dim() == 0:
        return Contrast("", *_apart(_written, wrong.item(), right.item()))
    place = _row_that_differs_most(wrong, right)
    rows = (tensor[place].tolist() for tensor in (wrong, right))
    shown = f"row {list(place)}" if place else ""
    return Contrast(shown, *_apart(_written, *rows))


def _row_that_differs_most(wrong: Tensor, right: Tensor) -> tuple[int, ...]:
    difference = (wrong.double() - right.double()).abs().amax(-1).nan_to_num(torch.inf)
    place = torch.unravel_index(difference.argmax(), difference.shape)
    return tuple(int(index) for index in place)


def _apart(written: Callable[[object, int], str], *values: object) -> tuple[str, str]:
    for digits in range(2, 17):
        first, second = (written(value, digits) for value in values)
        if first != second:
            break
    return first, second


def _written(value: object, digits: int) -> str:
    if isinstance(value, float):
        return f"{value:z.{digits}f}" if abs(value) < 1e6 else f"{value:.{digits}g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = ", ".join(_written(item, digits) for item in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value) if isinstance(value, str) else str(value)
