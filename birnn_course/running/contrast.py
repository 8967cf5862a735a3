"""What a demonstration shows, in a few words: where wrong and right differ, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    difference lies. Two digits of that difference are seen, and at least two decimals.
    """
    if isinstance(wrong, Tensor) and isinstance(right, Tensor):
        if wrong.shape != right.shape:
            return Contrast("shape", str(tuple(wrong.shape)), str(tuple(right.shape)))
        differences = (wrong.double() - right.double()).abs().nan_to_num(torch.inf)
        largest = torch.unravel_index(differences.argmax(), differences.shape)
        place, decimals = tuple(map(int, largest[:-1])), _decimals(differences[largest].item())
        wrong, right = wrong[place].tolist(), right[place].tolist()
        return Contrast(f"row {list(place)}" if place else "", *_both(wrong, right, decimals))
    apart = isinstance(wrong, float) and isinstance(right, float)
    decimals = _decimals(abs(wrong - right)) if apart else 2  # type: ignore[operator]
    return Contrast("", *_both(wrong, right, decimals))


def _decimals(difference: float) -> int:
    return max(2, 1 - math.floor(math.log10(difference))) if math.isfinite(difference) else 2


def _both(wrong: object, right: object, decimals: int) -> tuple[str, str]:
    return _written(wrong, decimals), _written(right, decimals)


def _written(value: object, decimals: int) -> str:
    if isinstance(value, float):
        return f"{value:z.{decimals}f}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = ", ".join(_written(item, decimals) for item in value)
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value) if isinstance(value, str) else str(value)
