"""Plain data as bytes and back, with limits, for a peer that cannot be trusted.

No pickle: the bytes are MessagePack, and hold null, booleans, numbers, text, bytes and arrays only.
What is none of these travels as an array that starts with one of four tags.
"""

from __future__ import annotations

import math
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack
import torch
from torch import Tensor

from birnn_course.running.plain import DEEPEST, MOST_NUMBERS, Plain

MOST_BYTES = 17 * 2**20
"""The longest message; a million complex128 take most of it."""
_MOST_ALIKE = 64  # keys of a dict with one hash: each is compared with all before it

_LIST, _TUPLE, _DICT, _TENSOR = range(4)
_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.float16, torch.bfloat16, torch.float32, torch.float64,
        torch.complex64, torch.complex128,
    )
}  # fmt: skip


class NotUnderstoodError(Exception):
    """Bytes that are no plain data, or more of it than is taken."""


def pack(value: Plain) -> bytes:
    """Plain data, see :func:`birnn_course.running.plain.decode`, as bytes."""
    # Half a character, which UTF-8 does not have, is written all the same: the reader mends it.
    packed = msgpack.packb(_tagged(value), unicode_errors="surrogatepass")
    assert isinstance(packed, bytes)
    return packed


@dataclass
class Quota:
    """What one peer may still send.

    Parameters
    ----------
    bytes : int
    values : int
        Entries of lists, tuples and dicts, and these themselves; a tensor counts as one.
    """

    bytes: int
    values: int = 2 * MOST_NUMBERS


def unpack(data: bytes, quota: Quota | None = None) -> Plain:
    """Plain data from bytes of whatever origin.

    Parameters
    ----------
    data : bytes
        One message.
    quota : Quota, optional
        The values are taken from it.

    Raises
    ------
    NotUnderstoodError
        If they are not what :func:`pack` makes, or too large or too deep.
    """
    quota = quota or Quota(MOST_BYTES)
    try:
        if len(data) > MOST_BYTES:
            raise ValueError("too long")
        # Before memory is taken: an empty list is one byte here and 64 as an object.
        tagged = msgpack.unpackb(
            data,
            unicode_errors="replace",
            list_hook=_at_most(4 * MOST_NUMBERS),
            max_array_len=4 * MOST_NUMBERS,
            max_map_len=0,
            max_ext_len=0,
        )
        return _untagged(tagged, 2 * DEEPEST, [MOST_NUMBERS], quota)
    except Exception as error:
        # msgpack, torch and int() all have errors of their own for nonsense.
        raise NotUnderstoodError(type(error).__name__) from None


def send(line: socket.socket, message: Plain) -> None:
    """Send one message."""
    data = pack(message)
    line.sendall(len(data).to_bytes(4, "big") + data)


def receive(
    line: socket.socket,
    seconds: float | None = None,
    quota: Quota | None = None,
    most: int = MOST_BYTES,
) -> Plain:
    """The next message, of at most so many bytes.

    Raises
    ------
    NotUnderstoodError
        If it is no plain data, or too large.
    EOFError
        If the other side has ended.
    TimeoutError
        If it is not complete in time, however slowly it comes.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    length = int.from_bytes(_exactly(line, 4, deadline), "big")
    if length > most or (quota is not None and length > quota.bytes):
        raise NotUnderstoodError("too long")
    if quota is not None:
        quota.bytes -= length
    return unpack(_exactly(line, length, deadline), quota)


def _exactly(line: socket.socket, count: int, deadline: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        if deadline is not None:
            line.settimeout(max(deadline - time.monotonic(), 1e-3))
        piece = line.recv(min(count - len(data), 2**20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _at_most(count: int) -> Callable[[list[Any]], list[Any]]:
    """Passes lists on, until there are too many or they hold too much."""
    left = count

    def passed(items: list[Any]) -> list[Any]:
        nonlocal left
        left -= 1 + len(items)
        if left < 0:
            raise ValueError("too large")
        return items

    return passed


def _tagged(value: Plain) -> Any:
    if isinstance(value, list | tuple):
        return [_TUPLE if isinstance(value, tuple) else _LIST, *map(_tagged, value)]
    if isinstance(value, dict):
        return [_DICT, *(_tagged(part) for pair in value.items() for part in pair)]
    if isinstance(value, Tensor):
        raw = value.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        return [_TENSOR, str(value.dtype).removeprefix("torch."), list(value.shape), raw]
    return value


def _untagged(value: Any, depth: int, left: list[int], quota: Quota) -> Plain:
    left[0] -= 1
    quota.values -= 1
    if depth == 0 or left[0] < 0 or quota.values < 0:
        raise ValueError("too large or too deep")
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is not list:
        raise TypeError("not plain data")
    tag, *rest = value
    if type(tag) is not int or not _LIST <= tag <= _TENSOR:
        raise ValueError("no tag")
    if tag == _TENSOR:
        name, shape, raw = rest
        return _tensor(name, shape, raw, left)
    items = [_untagged(item, depth - 1, left, quota) for item in rest]
    if tag == _DICT:
        keys = items[::2]
        if max(Counter(map(hash, keys)).values(), default=0) > _MOST_ALIKE:
            raise ValueError("keys that collide")
        return dict(zip(keys, items[1::2], strict=True))
    return tuple(items) if tag == _TUPLE else items


def _tensor(name: str, shape: list[int], raw: bytes, left: list[int]) -> Tensor:
    # First of all: the product of a long list of large numbers takes hours.
    if len(shape) > DEEPEST or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError("no shape")
    dtype, count = _DTYPES[name], math.prod(shape)
    left[0] -= count
    if left[0] < 0:
        raise ValueError("too large")
    if len(raw) != count * dtype.itemsize:
        raise ValueError("as many bytes as numbers need")
    flat = torch.frombuffer(bytearray(raw), dtype=torch.uint8) if raw else torch.empty(0).byte()
    # A byte other than 0 and 1 would make a bool that is neither.
    return (flat.ne(0) if dtype is torch.bool else flat.view(dtype)).reshape(shape)
