"""Honest work needs no system call that is not on the list; what is not honest ends or is refused.

``honest.py`` does the work, in a process of its own, where a call off the list ends the process.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from patience import PATIENCE

from birnn_course.sandbox.inside import calls
from grading import honest

from conftest import ROOT, require

OTHERS = [pytest.param(version, marks=pytest.mark.full) for version in ("3.12", "3.13", "3.14")]
STANDARD = ("files", "threads", "waiting")
PARTS = [*STANDARD, "ipython", "pytorch", "matplotlib", "solutions"]


@pytest.fixture(scope="module", autouse=True)
def seccomp() -> None:
    require("bwrap")  # where there is no sandbox, nothing of this is there


def run(parts: list[str], python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """The parts in a process of that Python; what it has no packages for comes from this one's."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests"), sysconfig.get_path("purelib")))
    variables = os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [python, honest.__file__, *parts],
        env=variables, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def other_python(version: str) -> str:
    """The path of a Python of this version, also where a shim stands for it."""
    found = shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    versions = Path(found).resolve().parent.parent / "versions"
    return str(next(versions.glob(f"{version}.*/bin/python{version}"), found))


def test_pytorch_ipython_and_matplotlib_need_nothing_else() -> None:
    done = run(PARTS)
    assert done.returncode == 0, done.stderr
    assert [line[5:] for line in done.stdout.splitlines() if line.startswith("done ")] == PARTS


@pytest.mark.parametrize("version", OTHERS)
def test_no_other_python_needs_more(version: str) -> None:
    """With all parts where that Python has PyTorch, else with what needs no compiled package."""
    other = other_python(version)
    alone = subprocess.run([other, "-c", "import matplotlib, torch"], capture_output=True)
    parts = [*STANDARD, "ipython"] if alone.returncode else PARTS
    done = run(parts, other)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", [None, *OTHERS])
def test_programs_are_refused_as_python_expects_it(version: str | None) -> None:
    done = run(["programs"], other_python(version) if version else sys.executable)
    assert done.returncode == 0, done.stderr


def test_a_call_off_the_list_would_be_noticed() -> None:
    done = run(["files", "off_the_list"])
    assert done.returncode == -31  # SIGSYS
    assert done.stdout.split() == ["done", "files"]


# ── what is refused, and how ────────────────────────────────────────────────────────────────────

EVERY_OTHER = """
import ctypes, errno, os
from birnn_course.sandbox.inside import calls

libc = ctypes.CDLL(None, use_errno=True)
allowed = {calls._number(name) for name in (*calls._ALWAYS, *calls._WITH_ARGUMENTS)}
calls.system_call_filter().load()
assert libc.syscall(calls._number("sync")) == -1  # else what follows would be done
# For 335 and 336, which serve its own probes, Linux asks no filter; it ends who else calls them.
for number in sorted({*range(600)} - allowed - {335, 336}):
    assert libc.syscall(number, 0, 0, 0, 0, 0, 0) == -1
    print(number, errno.errorcode[ctypes.get_errno()])
"""


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=PATIENCE
    )


def test_every_other_call_is_refused_and_new_ones_are_not_there() -> None:
    done = python(EVERY_OTHER)
    assert done.returncode == 0, done.stderr
    pairs = [line.split() for line in done.stdout.splitlines()]
    found = {int(number): how for number, how in pairs}
    assert len(found) > 350
    harmful = {calls._number(name) for name in calls._HARMFUL_AMONG_NEW}
    new = {number for number in found if number in calls._NEW and number not in harmful}
    assert {found[number] for number in new} == {"ENOSYS"}
    assert calls._number("clone3") in new
    assert {how for number, how in found.items() if number not in new} == {"EPERM"}


ARGUMENTS = {
    "F_SETLEASE": "fcntl(0, 1024, 0)", "F_NOTIFY": "fcntl(0, 1026, 0)",
    "F_GETLK": "fcntl(0, 5, 0)", "F_SETLK": "fcntl(0, 6, 0)", "F_SETLKW": "fcntl(0, 7, 0)",
    "F_OFD_GETLK": "fcntl(0, 36, 0)", "F_OFD_SETLK": "fcntl(0, 37, 0)",
    "F_OFD_SETLKW": "fcntl(0, 38, 0)", "F_SETOWN": "fcntl(0, 8, 0)", "F_SETSIG": "fcntl(0, 10, 0)",
    "F_SETOWN_EX": "fcntl(0, 15, 0)", "F_SETPIPE_SZ": "fcntl(0, 1031, 0)",
    "F_SET_RW_HINT": "fcntl(0, 1036, 0)", "F_ADD_SEALS": "fcntl(0, 1033, 0)",
    "F_SETLEASE under a longer number": "fcntl(0, 2**32 + 1024, 0)",
    "TIOCSTI": "ioctl(0, 0x5412, 0)", "TIOCSCTTY": "ioctl(0, 0x540E, 0)",
    "FIOASYNC": "ioctl(0, 0x5452, 0)", "FS_IOC_SETFLAGS": "ioctl(0, 0x40086602, 0)",
    "PR_SET_DUMPABLE": "prctl(4, 1)", "PR_SET_PDEATHSIG": "prctl(1, 0)",
    "PR_SET_TIMERSLACK": "prctl(29, 1)", "PR_SET_CHILD_SUBREAPER": "prctl(36, 1)",
    "PR_SET_MM": "prctl(35, 1)", "PR_SET_PTRACER": "prctl(0x59616D61, -1)",
    "a process": "clone(17, 0, 0, 0, 0)", "a namespace": "clone(0x10000000 | 17, 0, 0, 0, 0)",
    "a thread in a namespace": "clone(0x003D0F00 | 0x10000000, 0, 0, 0, 0)",
    "a thread that is traced": "clone(0x003D0F00 | 0x2000, 0, 0, 0, 0)",
    "MADV_WILLNEED": "madvise(0, 0, 3)", "MADV_MERGEABLE": "madvise(0, 0, 12)",
    "MADV_COLD": "madvise(0, 0, 20)", "MADV_PAGEOUT": "madvise(0, 0, 21)",
    "MADV_HWPOISON": "madvise(0, 0, 100)", "MAP_HUGETLB": "mmap(0, 4096, 3, 0x40022, -1, 0)",
    "a limit of its own": "prlimit64(0, 7, 4096, 0)", "that of another": "prlimit64(1, 7, 0, 4096)",
    "a network": "socketpair(2, 1, 0, 0)", "datagrams": "socketpair(1, 2, 0, 0)",
    "to an address": "sendto(0, 0, 0, 0, 4096, 16)",
}  # fmt: skip
ONE_CALL = """
import ctypes, errno, sys
from birnn_course.sandbox.inside import calls

libc = ctypes.CDLL(None, use_errno=True)
calls.system_call_filter().load()
for text in sys.argv[1:]:
    name, _, arguments = text.partition("(")
    values = eval(f"({arguments[:-1]},)")
    ctypes.set_errno(0)
    libc.syscall(calls._number(name), *map(ctypes.c_long, values))
    print(errno.errorcode.get(ctypes.get_errno()))
"""


def test_arguments_that_harm_are_refused() -> None:
    done = python(ONE_CALL, *ARGUMENTS.values())
    assert done.returncode == 0, done.stderr
    assert dict(zip(ARGUMENTS, done.stdout.split(), strict=True)) == dict.fromkeys(
        ARGUMENTS, "EPERM"
    )


def test_arguments_that_do_no_harm_reach_the_system() -> None:
    fine = [
        "fcntl(0, 3)", "ioctl(999, 0x5421, 0)", "prctl(16, 0)", "madvise(1, 0, 4)",
        "futex(0, 0x80, 1, 0, 0, 0)", "futex(0, 0, 1, 0, 0, 0)", "sendto(999, 0, 0, 0, 0, 0)",
    ]  # fmt: skip
    done = python(ONE_CALL, *fine)
    assert done.stdout.split() == [
        "None", "EBADF", "EFAULT", "EINVAL", "EFAULT", "EAGAIN", "EBADF",
    ], done.stderr  # fmt: skip


FOREIGN = {
    # getpid() as 32-bit x86 asks: mov eax, 20; int 0x80; ret
    "32-bit x86": """
import mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex("b814000000cd80c3"))
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
""",
    "x32": "libc.syscall(0x40000000 + 39)",
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no such calls")
@pytest.mark.parametrize("code", FOREIGN.values(), ids=FOREIGN)
def test_calls_of_another_architecture_end_the_process(code: str) -> None:
    done = python(ONE_CALL.partition("for text")[0] + code)
    assert done.returncode == -31, done.stderr  # SIGSYS
