"""Memory that forks share lies in huge pages where the system has them, and is as it was."""

from __future__ import annotations

import ctypes
import os
from types import SimpleNamespace

import pytest

from birnn_course.sandbox.inside import pages

from conftest import require

HUGE = 2**21
MAPS = f"""\
{HUGE:x}-{4 * HUGE:x} rw-p 00000000 00:00 0                    [heap]
{4 * HUGE + 4096:x}-{8 * HUGE - 4096:x} rw-p 00000000 00:00 0
{8 * HUGE:x}-{9 * HUGE:x} rw-p 00000000 fe:00 42               /usr/lib/a library.so
{9 * HUGE:x}-{10 * HUGE:x} r--p 00000000 00:00 0
{10 * HUGE:x}-{11 * HUGE:x} rw-s 00000000 00:01 7              /dev/zero (deleted)
{11 * HUGE:x}-{12 * HUGE:x} rw-p 00000000 00:00 0              [stack]
{12 * HUGE:x}-{12 * HUGE + 8192:x} rw-p 00000000 00:00 0
"""


@pytest.fixture(autouse=True)
def linux() -> None:
    require("bwrap")


def test_whole_huge_pages_of_memory_of_its_own_are_gathered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    def madvise(start: ctypes.c_void_p, size: ctypes.c_size_t, advice: int) -> int:
        assert advice == 25 and start.value is not None
        asked.append((start.value, size.value))
        return -1  # as on an older Linux

    monkeypatch.setattr(pages, "_libc", SimpleNamespace(madvise=madvise))
    monkeypatch.setattr(pages, "Path", lambda _: SimpleNamespace(read_text=lambda: MAPS))
    pages.gather()
    assert asked == [(HUGE, 3 * HUGE), (5 * HUGE, 2 * HUGE)]


def test_what_was_there_is_there_and_a_fork_has_its_own() -> None:
    data = bytearray(os.urandom(4 * HUGE))
    before = bytes(data)
    pages.gather()
    assert data == before
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        same = data == before
        data[:] = bytes(len(data))
        os.write(writing, b"y" if same else b"n")
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 1) == b"y" and data == before
    os.close(reading)
    os.close(writing)
