"""Limits on what one process may use; any system with a ``resource`` module has most of them."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_MOST_FILES = 256  # open at once
_MOST_FILE_BYTES = 32 * 2**20


def address_space() -> int:
    """Bytes that this process has in its address space, shared libraries included; 0 if unknown."""
    if sys.platform != "linux":
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def set_limits(cpu_seconds: float, most_memory: int) -> None:
    """Limit this process for good.

    Parameters
    ----------
    cpu_seconds : float
        Processor time after which the system kills it.
    most_memory : int
        Bytes of address space; 0 for no limit.
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
    for name, most in limits.items():
        if kind := getattr(resource, name, None):
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))
