"""Limits on what one process may use; any system with a ``resource`` module has most of them."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

MOST_THREADS = 64
_MOST_FILES = 256  # open at once
_MOST_FILE_BYTES = 32 * 2**20
_MOST_SIGNALS = 64  # that wait
_COUNTS_APART = (5, 14)  # from this Linux on a user's are counted in each user namespace
_libc = ctypes.CDLL(None)


def address_space() -> int:
    """Bytes that this process has in its address space, shared libraries included; 0 if unknown."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def pin(processor: int | None = None) -> None:
    """Let this process run on one processor only, so that its threads take no time of any other.

    Parameters
    ----------
    processor : int, optional
        Its number; if there is none, or it may not be used, that on which this process is now.
    """
    try:
        os.sched_setaffinity(0, {_libc.sched_getcpu() if processor is None else processor})
    except OSError:
        if processor is not None:
            pin()


def set_limits(cpu_seconds: float, most_memory: int, *, in_namespace: bool = True) -> None:
    """Limit this process for good.

    Parameters
    ----------
    cpu_seconds : float
        Processor time after which the system kills it.
    most_memory : int
        Bytes of address space; 0 for no limit.
    in_namespace : bool
        Whether it is in a user namespace of its own, where threads and signals are its alone.
    """
    limits = {
        "RLIMIT_CPU": int(cpu_seconds) + 1,
        "RLIMIT_FSIZE": _MOST_FILE_BYTES,
        "RLIMIT_NOFILE": _MOST_FILES,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    if most_memory:
        limits["RLIMIT_AS"] = most_memory
    if in_namespace and _release() >= _COUNTS_APART:
        limits |= {"RLIMIT_NPROC": MOST_THREADS, "RLIMIT_SIGPENDING": _MOST_SIGNALS}
    for name, most in limits.items():
        if kind := getattr(resource, name, None):
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))


def _release() -> tuple[int, ...]:
    """The version of Linux, as in ``(6, 1)``; nothing if it is not one."""
    parts = os.uname().release.split(".")[:2]
    return tuple(map(int, parts)) if all(map(str.isdecimal, parts)) else ()
