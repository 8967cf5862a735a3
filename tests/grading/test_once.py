"""Where namespaces are refused inside of bubblewrap, each submission gets a bubblewrap."""

from __future__ import annotations

import subprocess

import pytest
from patience import PATIENCE

from birnn_course.sandbox.outside.pool import Job, Sandbox

from conftest import require

SECRET = "sesame-opens-all-doors"
CODE = """
import ctypes, glob, os, socket

def right():
    return 42

def environments():
    found = b""
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            found += open(path, "rb").read()
        except OSError:
            pass
    return b"GRADER_SECRET" in found

def forks():
    return os.fork()

def connects():
    return socket.socket()

def writes():
    open("/usr/planted", "w")

def reads():
    from birnn_course.exercises.unit_01 import read_both_ways

def locks():
    import fcntl
    fcntl.flock(open(os.__file__), fcntl.LOCK_EX)

def changes():
    os.chmod("/dev/null", 0o666)

def writes_to_the_grader():
    return [os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, 2)]

def processors():
    return len(os.sched_getaffinity(0))

def kills():
    for number in (0, -1, os.getppid()):
        try:
            os.kill(number, 9)
        except OSError:
            pass
    return "alive"
"""


@pytest.fixture
def bubblewrap() -> None:
    program = require("bwrap")
    line = [program, "--unshare-all", "--ro-bind", "/", "/", "true"]
    if subprocess.run(line, capture_output=True).returncode != 0:
        require("user namespaces")


def test_it_is_confined_as_well(bubblewrap: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SECRET", SECRET)
    names = ("environments", "forks", "connects", "writes", "reads", "locks", "changes",
             "writes_to_the_grader", "processors", "kills", "right")  # fmt: skip
    with Sandbox("once", PATIENCE) as sandbox:
        ran = sandbox.run(Job([CODE], {name: [()] for name in names}))
    found = {name: ran.outcomes[name][0] for name in names}
    assert found["environments"].value is False
    assert found["writes_to_the_grader"].value == ["/dev/null"] * 3
    assert found["processors"].value == 1
    for name in ("forks", "connects", "writes", "reads", "locks", "changes"):
        assert found[name].kind == "raised", found[name]
    assert found["right"].value == 42
