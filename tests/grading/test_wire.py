"""Plain data on its way out of the sandbox, and what may not come with it."""

from __future__ import annotations

import itertools
import socket
import threading
import tracemalloc
from typing import Any

import msgpack
import pytest
import torch
from counted import calls
from patience import PATIENCE

from birnn_course.running.plain import DEEPEST, MOST_NUMBERS
from birnn_course.sandbox import wire
from birnn_course.sandbox.wire import NotUnderstoodError

DTYPES = (
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
    torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
)  # fmt: skip


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        bits = [t.contiguous().reshape(-1).view(torch.uint8).tolist() for t in (one, other)]
        return (one.dtype, one.shape, bits[0]) == (other.dtype, other.shape, bits[1])
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    return bool(one == other) or (one != one and other != other)


@pytest.mark.parametrize("value", [
    None, True, False, 0, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.5, float("inf"), float("nan"), "",
    "é – 学", "\0", [], (), {}, [[]], ((), [()]), {"a": 1, 2: "b", None: [], True: {}, (1, "x"): 3},
    [1, "a", None, (2.5, {"b": [False]})], "x" * 100_000, list(range(1000)),
], ids=lambda value: repr(value)[:30])  # fmt: skip
def test_all_plain_data_comes_back_as_it_was(value: Any) -> None:
    assert same(wire.unpack(wire.pack(value)), value)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3)], ids=str)
def test_tensors_come_back_to_the_bit(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    value = torch.randint(0, 2, shape).to(dtype)
    assert same(wire.unpack(wire.pack(value)), value)


def test_a_tensor_that_lies_otherwise_in_memory_comes_back() -> None:
    value = torch.arange(24.0).reshape(2, 3, 4).transpose(0, 2)[1:]
    assert same(wire.unpack(wire.pack(value)), value)
    odd = torch.tensor([float("nan"), float("inf"), -0.0])
    assert same(wire.unpack(wire.pack(odd)), odd)


def test_half_a_character_is_mended() -> None:
    assert wire.unpack(wire.pack("a\ud800b")) == "a���b"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [0, value]
    return value


def tensor(dtype: object, shape: object, raw: object) -> list[object]:
    return [3, dtype, shape, raw]


@pytest.mark.parametrize("raw", [
    b"", b"\xc1", b"\x93\x00", msgpack.packb([0, 1]) + b"\x00", b"\xd9\xff",
], ids=str)  # fmt: skip
def test_bytes_that_are_no_message(raw: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        wire.unpack(raw)


NONSENSE = [
    b"bytes", {"a": 1}, {1: 2}, [], [[0]], [4, 1], ["list", 1], [2, "key without a value"],
    [2, [0], 1], [2, [2], 1],
    msgpack.ExtType(1, b"x"), msgpack.Timestamp(0), [0, msgpack.Timestamp(0)],
    nested(2 * DEEPEST), [0, *[None] * (MOST_NUMBERS + 1)], [0, *[[0]] * (MOST_NUMBERS + 1)],
    tensor("float32", [2], b"1234567"), tensor("float32", [1], "text"),
    tensor("object", [1], b"12345678"), tensor(["uint8"], [1], b"1"),
    tensor("float32", [-1], b""), tensor("float32", [-1, -1], b"1234"),
    tensor("uint8", [1.0], b"1"), tensor("uint8", [True], b"1"), tensor("uint8", ["1"], b"1"),
    tensor("uint8", [[1]], b"1"), tensor("uint8", 1, b"1"), tensor("uint8", None, b""),
    tensor("uint8", [1] * (DEEPEST + 1), b"1"), tensor("uint8", [2**63 - 1, 2**63 - 1], b""),
    [3], [3, "uint8", [0]],
    tensor("bool", [MOST_NUMBERS + 1], bytes(MOST_NUMBERS + 1)),
    [0, *[tensor("bool", [MOST_NUMBERS // 2], bytes(MOST_NUMBERS // 2))] * 3],
]  # fmt: skip


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:40])
def test_values_that_are_no_plain_data_or_too_much(value: Any) -> None:
    with pytest.raises(NotUnderstoodError):
        wire.unpack(msgpack.packb(value))


def test_the_limits_themselves_are_reached() -> None:
    assert wire.unpack(msgpack.packb(nested(2 * DEEPEST - 1))) is not None
    assert len(wire.unpack(msgpack.packb([0, *[None] * (MOST_NUMBERS - 1)]))) == MOST_NUMBERS - 1
    largest = torch.zeros(MOST_NUMBERS - 1, dtype=torch.complex128)
    assert len(wire.pack(largest)) <= wire.MOST_BYTES
    assert wire.unpack(wire.pack(largest)).shape == largest.shape
    assert wire.unpack(msgpack.packb(tensor("bool", [2], b"\x02\x00"))).tolist() == [True, False]


@pytest.mark.parametrize("data", [
    msgpack.packb(tensor("float32", [2**63 - 1] * 1_000_000, b"")),
    b"\xdd" + (2**24).to_bytes(4, "big") + b"\x90" * 2**24,
    b"\x91" * 2**24,
    b"\xdd\xff\xff\xff\xff" * 1000,
], ids=["shape without end", "empty lists", "depth", "promises"])  # fmt: skip
def test_nonsense_costs_little(data: bytes) -> None:
    assert calls(lambda: refused(data)) < 100
    tracemalloc.start()
    refused(data)
    assert tracemalloc.get_traced_memory()[1] < 6 * len(data) + 2**17
    tracemalloc.stop()


def test_what_nonsense_costs_would_be_noticed() -> None:
    """As many lists as are taken: each is looked at before they turn out to be no plain data."""
    data = b"\xdd" + (2**19).to_bytes(4, "big") + b"\x90" * 2**19
    assert calls(lambda: refused(data)) > 2**19
    tracemalloc.start()
    refused(data)
    assert tracemalloc.get_traced_memory()[1] > 30 * len(data)
    tracemalloc.stop()


def refused(data: bytes) -> None:
    with pytest.raises(NotUnderstoodError):
        wire.unpack(data)


# ── messages ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lines() -> Any:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_messages_come_in_order(lines: Any) -> None:
    ours, theirs = lines
    for message in ("one", [2], {"three": torch.ones(3)}):
        wire.send(theirs, message)
    assert wire.receive(ours) == "one"
    assert wire.receive(ours, PATIENCE) == [2]
    assert wire.receive(ours, PATIENCE)["three"].tolist() == [1, 1, 1]


def test_a_message_that_is_too_long_is_not_waited_for(lines: Any) -> None:
    ours, theirs = lines
    theirs.sendall((wire.MOST_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(NotUnderstoodError):
        wire.receive(ours, PATIENCE)


def test_all_messages_together_have_a_limit(lines: Any) -> None:
    ours, theirs = lines
    quota = wire.Quota(250)
    wire.send(theirs, "x" * 100)
    wire.send(theirs, "x" * 100)
    wire.send(theirs, "x" * 100)
    assert wire.receive(ours, PATIENCE, quota) == wire.receive(ours, PATIENCE, quota) == "x" * 100
    with pytest.raises(NotUnderstoodError):
        wire.receive(ours, PATIENCE, quota)


def test_all_values_together_have_a_limit(lines: Any) -> None:
    ours, theirs = lines
    quota = wire.Quota(wire.MOST_BYTES, values=10)
    for message in ([1, 2, 3], {"a": torch.ones(1_000)}, [1, 2, 3]):
        wire.send(theirs, message)
    assert wire.receive(ours, PATIENCE, quota) == [1, 2, 3]
    assert wire.receive(ours, PATIENCE, quota)["a"].sum() == 1_000
    assert quota.values == 3
    with pytest.raises(NotUnderstoodError):
        wire.receive(ours, PATIENCE, quota)


def test_a_message_may_have_a_limit_of_its_own(lines: Any) -> None:
    ours, theirs = lines
    for size in (90, 100):
        wire.send(theirs, "x" * size)
    assert wire.receive(ours, PATIENCE, most=100) == "x" * 90
    with pytest.raises(NotUnderstoodError):
        wire.receive(ours, PATIENCE, most=100)


def alike(count: int) -> dict[tuple[int, ...], int]:
    """So many keys with one hash: that of -1 is that of -2."""
    return dict.fromkeys(itertools.islice(itertools.product((-1, -2), repeat=8), count), 0)


def test_keys_that_would_be_compared_with_all_others_are_refused() -> None:
    assert len({hash(key) for key in alike(256)}) == 1
    few = alike(64) | dict.fromkeys(range(10_000))
    assert wire.unpack(wire.pack(few)) == few
    refused(wire.pack(alike(65)))


def test_half_a_message_ends_with_its_sender(lines: Any) -> None:
    ours, theirs = lines
    theirs.sendall(b"\0\0\0\x09only")
    theirs.close()
    with pytest.raises(EOFError):
        wire.receive(ours, PATIENCE)


def test_one_byte_after_the_other_does_not_prolong_the_time(lines: Any) -> None:
    """Else all thousand come, 20 seconds later, and are not understood."""
    ours, theirs = lines
    done = threading.Event()
    dripped = 0

    def drip() -> None:
        nonlocal dripped
        theirs.sendall((1000).to_bytes(4, "big"))
        while not done.wait(0.02):
            theirs.sendall(b"x")
            dripped += 1

    dripping = threading.Thread(target=drip)
    dripping.start()
    with pytest.raises(TimeoutError):
        wire.receive(ours, 0.3)
    done.set()
    dripping.join()
