"""Confine this process, for good, before it runs a student's code (Linux).

A fork of the preloaded parent enters namespaces of its own, so that it sees no process, file or
network of anybody else's; then it drops its privileges, and a system-call filter keeps it so.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import pyseccomp

from birnn_course.sandbox import DEVICES, PRIVATE

_ID = 1000  # who it is inside; nobody outside
_PRIVATE_OPTIONS = b"size=64m,nr_inodes=4096,mode=700"
_libc = ctypes.CDLL(None, use_errno=True)

_NEW = {  # flags of unshare(2), from sched.h
    "mount": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
}  # fmt: skip
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8  # flags of mount(2), from sys/mount.h
_FLAGS_THAT_STAY = _NO_SUID | _NO_DEVICES | _NO_PROGRAMS  # what is set cannot be taken away
_REMOUNT, _THIS_PLACE, _RECURSIVE, _NOT_SHARED = 0x20, 0x1000, 0x4000, 0x40000
_SET_NO_NEW_PRIVILEGES, _SET_DUMPABLE, _SET_DEATH_SIGNAL = 38, 4, 1  # of prctl(2)
_CAPABILITY_VERSION = 0x20080522


def enter_namespaces() -> None:
    """Enter new namespaces; the next fork is the first process of its own.

    Raises
    ------
    OSError
        If this machine does not let it.
    """
    flags = 0
    for flag in _NEW.values():
        flags |= flag
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(flags), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{_ID} {group} 1")


def start_session() -> None:
    """Leave the process group of the others, and end when the parent does.

    A signal to a process group reaches its members in every namespace.
    """
    os.setsid()
    _check(_libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")


def mount_private_folder() -> None:
    """An empty private folder, all else read-only, and no ``/proc``.

    For the first process of the new namespaces.
    """
    _check(_libc.mount(None, b"/", None, _RECURSIVE | _NOT_SHARED, None), "mount")
    flags = _NO_SUID | _NO_DEVICES | _NO_PROGRAMS
    _check(_libc.mount(b"tmpfs", PRIVATE.encode(), b"tmpfs", flags, _PRIVATE_OPTIONS), "mount")
    # Whoever has made a device could change its rights and times. It can be written into all the
    # same.
    for device in map(os.fsencode, DEVICES):
        stays = os.statvfs(device).f_flag & _FLAGS_THAT_STAY
        change = _REMOUNT | _THIS_PLACE | _READ_ONLY | stays
        _check(_libc.mount(None, device, None, change, None), "mount")
    # A fresh /proc is refused inside a container; nothing at all is safer anyway.
    _check(_libc.mount(b"tmpfs", b"/proc", b"tmpfs", flags | _READ_ONLY, b"size=4k"), "mount")


def cover(files: Iterable[str]) -> None:
    """Put nothing in the place of files, for this submission."""
    for name in files:
        _check(_libc.mount(b"/dev/null", name.encode(), None, _THIS_PLACE, None), "mount")


def drop_privileges(calls: pyseccomp.SyscallFilter) -> None:
    """Drop every capability and load the filter; nothing gives them back."""
    _check(_libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    _check(_libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc.capset(header, nothing), "capset")
    calls.load()


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
