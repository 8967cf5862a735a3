"""Huge pages for what forks share: the table that a fork copies then has a tenth of the entries."""

from __future__ import annotations

import ctypes
from pathlib import Path

_HUGE = 2**21  # bytes on x86-64 and, with pages of 4 KiB, on 64-bit Arm; elsewhere it is refused
_COLLAPSE = 25  # of madvise(2), from Linux 6.1 on
_libc = ctypes.CDLL(None)


def gather() -> None:
    """Move the memory of this process into huge pages; whatever the system cannot, stays."""
    for start, end in _anonymous(Path("/proc/self/maps").read_text()):
        start, end = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if start < end:
            _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _COLLAPSE)


def _anonymous(maps: str) -> list[tuple[int, int]]:
    """Where memory starts and ends that can be written and is of no file."""
    found = []
    for line in maps.splitlines():
        addresses, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(address, 16) for address in addresses.split("-"))
            found.append((start, end))
    return found
