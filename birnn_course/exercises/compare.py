"""Whether one result is the expected one, and if not, at which level the two part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from birnn_course.exercises.spec import Level
from birnn_course.running.plain import Plain, describe


def first_difference(
    got: Plain, expected: Plain, *, tolerance: float, real: Tensor | None = None
) -> Level | None:
    """The first level at which two results differ.

    Parameters
    ----------
    got, expected : plain data
        As :func:`decode` returns them.
    tolerance : float
        The largest absolute difference between equal numbers. NaN equals NaN, and infinity
        equals infinity of the same sign, and nothing else.
    real : Tensor, optional
        Bool, with the leading dimensions of a tensor result: True where it is not padding.

    Returns
    -------
    Level or None
        ``"type"``: other kinds of values; ``"shape"``: other sizes, lengths or keys;
        ``"direction"``: the same numbers in another order; ``"padding"``: right wherever
        ``real`` is True; ``"value"``: anything else. None if they are equal.
    """
    if not _same_types(got, expected):
        return "type"
    if not _same_shapes(got, expected):
        return "shape"
    if _same_values(got, expected, tolerance):
        return None
    if _same_in_another_order(got, expected, tolerance):
        return "direction"
    if real is not None and _same_values(got[real], expected[real], tolerance):
        return "padding"
    return "value"


def constant(results: Sequence[Plain]) -> bool:
    """Whether all results are the same, as those of a placeholder are."""
    first, *others = results
    return all(first_difference(other, first, tolerance=0) is None for other in others)


def misfit(got: Plain, expected: Plain) -> str:
    """Which entry of a result has another shape, in words; empty if it is the result as a whole.

    For results that differ at the level ``"shape"``. Nothing is told of what is expected.
    """
    if isinstance(expected, list | tuple) and len(got) == len(expected):
        pairs = [(f"{index} (counted from 0)", got[index], e) for index, e in enumerate(expected)]
    elif isinstance(expected, dict) and got.keys() == expected.keys():
        pairs = [(repr(key)[:40], got[key], e) for key, e in expected.items()]
    else:
        return ""
    where, entry = next((key, g) for key, g, e in pairs if not _same_shapes(g, e))
    what = "shape" if isinstance(entry, Tensor) else "length"
    return f"Its entry {where} has another {what}: it is {describe(entry)}."


def _kind(value: Plain) -> str:
    if isinstance(value, Tensor):
        if value.dtype is torch.bool:
            return "bool tensor"
        if value.is_complex():
            return "complex tensor"
        return "float tensor" if value.is_floating_point() else "int tensor"
    if isinstance(value, list | tuple):
        return "list"  # which of the two is about Python and not about RNNs
    return type(value).__name__


def _same_types(got: Plain, expected: Plain) -> bool:
    kinds = _kind(got), _kind(expected)
    if kinds == ("int", "float"):
        return True
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] == "list":
        return all(map(_same_types, got, expected))
    if kinds[0] == "dict":
        return all(_same_types(got[key], expected[key]) for key in got.keys() & expected.keys())
    return True


def _same_shapes(got: Plain, expected: Plain) -> bool:
    if isinstance(expected, Tensor):
        return bool(got.shape == expected.shape)
    if isinstance(expected, list | tuple):
        return len(got) == len(expected) and all(map(_same_shapes, got, expected))
    if isinstance(expected, dict):
        return got.keys() == expected.keys() and all(
            _same_shapes(got[key], expected[key]) for key in expected
        )
    return True


def _same_values(got: Plain, expected: Plain, tolerance: float) -> bool:
    """For values of the same types and shapes."""
    if isinstance(expected, Tensor):
        return _close(got, expected, tolerance)
    if isinstance(expected, list | tuple):
        return all(_same_values(g, e, tolerance) for g, e in zip(got, expected, strict=True))
    if isinstance(expected, dict):
        return all(_same_values(got[key], expected[key], tolerance) for key in expected)
    if isinstance(expected, float):
        both_nan = math.isnan(got) and math.isnan(expected)
        return both_nan or got == expected or abs(got - expected) <= tolerance
    return bool(got == expected)


def _close(got: Tensor, expected: Tensor, tolerance: float) -> bool:
    if expected.is_complex():
        got, expected = torch.view_as_real(got), torch.view_as_real(expected)
    if not expected.is_floating_point():
        return torch.equal(got.long(), expected.long())
    got, expected = got.double(), expected.double()
    return torch.allclose(got, expected, rtol=0, atol=tolerance, equal_nan=True)


def _same_in_another_order(got: Plain, expected: Plain, tolerance: float) -> bool:
    """Whether the same numbers and words are there, at other places."""
    mine, theirs = list(_leaves(got)), list(_leaves(expected))
    words = [sorted(leaf for leaf in leaves if isinstance(leaf, str)) for leaves in (mine, theirs)]
    numbers = [
        torch.cat([torch.zeros(0), *(leaf for leaf in leaves if isinstance(leaf, Tensor))])
        for leaves in (mine, theirs)
    ]
    if words[0] != words[1] or len(words[0]) + numbers[0].numel() < 2:
        return False
    return _close(numbers[0].sort().values, numbers[1].sort().values, tolerance)


def _leaves(value: Plain) -> Iterator[str | Tensor]:
    """Every word in a result, and its numbers as flat float64 tensors."""
    if isinstance(value, Tensor):
        flat = torch.view_as_real(value) if value.is_complex() else value
        yield flat.double().flatten()
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value
    elif value is not None:
        yield torch.tensor([float(value)], dtype=torch.float64)
