"""Plain data: what goes into a learner's function and comes out of it, and nothing else.

:func:`decode` makes a copy of exact built-in types, so that no object of the learner's takes part
in a comparison.
"""

from __future__ import annotations

import copy
import itertools
from collections import Counter, OrderedDict, defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

MOST_NUMBERS = 1_000_000
_DICTS = (dict, OrderedDict, defaultdict, Counter)
_NUMPY_SCALARS = (np.bool_, np.int32, np.int64, np.float32, np.float64)
DEEPEST = 20

Plain = Any
"""None, bool, int, float, str, ``torch.Tensor``, and lists, tuples and dicts of these."""

Arguments = tuple[Any, ...]
"""What a learner's function is called with: plain data each."""


class NotPlainError(Exception):
    """A result holds something that is not plain data; the text names it, like "a generator"."""


def copied(value: Any) -> Any:
    """A copy of anything, with little work if it is plain data.

    Tensors as ``copy.deepcopy`` makes them take twenty times as long.
    """
    kind = type(value)
    if kind in (str, int, float, bool):
        return value
    if kind in (list, tuple):
        return kind(map(copied, value))
    if kind is dict:
        return {key: copied(item) for key, item in value.items()}
    if kind is Tensor and value.layout is torch.strided and not value.requires_grad:
        return value.clone()
    return copy.deepcopy(value)


def decode(value: object) -> Plain:
    """A copy of plain data: tensors detached and on the CPU, fractions and NumPy's scalars as
    Python's own numbers, NumPy's arrays of numbers as lists, a ``torch.Size`` and named tuples as
    tuples, the standard library's kinds of dict as dicts.

    Raises
    ------
    NotPlainError
        If anything in it is of another type, other subclasses of plain types included, or if it
        is too large or too deep.
    """
    left = [MOST_NUMBERS]
    return _decode(value, DEEPEST, left)


def _decode(value: Any, depth: int, left: list[int]) -> Plain:
    kind = type(value)  # isinstance would believe what an object says about itself
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        raise NotPlainError("something too large")
    if value is None or kind in (bool, float, str):
        return value
    if kind is int and abs(value) < 2**63:
        return value
    if kind is Fraction:
        return float(value)
    if kind in _NUMPY_SCALARS:
        return value.item()
    if kind is np.ndarray and value.dtype.kind in "biuf":
        if value.size > left[0]:
            raise NotPlainError("something too large")
        return _decode(np.ndarray.tolist(value), depth, left)
    if kind is torch.Tensor:
        return _decode_tensor(value, left)
    if kind is list:
        return [_decode(item, depth - 1, left) for item in value]
    # Read by the plain type's own methods; a class of the learner's may have others.
    if kind in (tuple, torch.Size) or _is_named_tuple(kind):
        return tuple(_decode(item, depth - 1, left) for item in tuple.__iter__(value))
    if kind in _DICTS:
        items = dict.items(value)
        return {_decode(k, 2, left): _decode(v, depth - 1, left) for k, v in items}
    if kind is int:
        raise NotPlainError("an int that is too large")
    raise NotPlainError(f"{'an' if kind.__name__[:1] in 'AEIOUaeiou' else 'a'} {kind.__name__}")


def _is_named_tuple(kind: type) -> bool:
    # A packed sequence is one too, and better called by its name.
    named = issubclass(kind, tuple) and hasattr(kind, "_fields")
    return named and kind is not PackedSequence


def _decode_tensor(value: Tensor, left: list[int]) -> Tensor:
    if value.layout is not torch.strided or value.is_meta or value.is_nested or value.is_quantized:
        raise NotPlainError("a tensor that is not an ordinary one")
    left[0] -= value.numel()
    if left[0] < 0:
        raise NotPlainError("something too large")
    # Through the class, since an instance may carry a `detach` of its own.
    return torch.Tensor.detach(value).to("cpu", copy=True).resolve_conj().resolve_neg()


def describe(value: Plain) -> str:
    """What kind of thing a result is, in words; nothing about its numbers."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and type {value.dtype}"
    if isinstance(value, list | tuple):
        kinds = " and ".join(sorted({type(item).__name__ for item in value}))
        of = f" of type {kinds}" if kinds else ""
        return f"a {type(value).__name__} with {len(value)} entries{of}"
    if isinstance(value, dict):
        keys = [repr(key)[:40] for key in itertools.islice(value, 10)]
        more = ", …" if len(value) > len(keys) else ""
        return f"a dict with the keys {', '.join(keys)}{more}"
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name == 'int' else 'a'} {name}"
