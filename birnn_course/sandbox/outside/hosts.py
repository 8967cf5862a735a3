"""Start the process that submissions are forked from; see :mod:`birnn_course.sandbox.inside.host`.

Light to import: while that process does its imports, the grader does its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from birnn_course.errors import CourseError
from birnn_course.sandbox import HOST, READY
from birnn_course.sandbox.outside import bubblewrap

Way = Literal["many", "once", "unprotected"]
START = 120.0  # seconds that the imports may take on a slow machine


class NoSandboxError(CourseError):
    """No process can be confined on this machine."""


class Host:
    """A process that does its imports and then waits at the other end of a socket.

    Parameters
    ----------
    way : {"many", "once", "unprotected"}
    seconds : float
        What one submission gets by the clock.
    hidden : sequence of Path
        What must not be seen, wherever it lies.

    Raises
    ------
    NoSandboxError
        If bubblewrap is not installed.
    """

    def __init__(self, way: Way, seconds: float, hidden: Sequence[Path]) -> None:
        self._line, theirs = socket.socketpair()
        self._is_ready = False
        self._in_use = threading.Lock()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed in end()
        # Twice the time by the clock: only what escapes the clock gets there.
        inside = [
            sys.executable, "-m", HOST, way, str(theirs.fileno()), str(2 * seconds),
        ]  # fmt: skip
        program = bubblewrap.executable()
        environment = None
        if way == "unprotected":
            environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        elif program is None:
            raise NoSandboxError("bubblewrap is not installed")
        else:
            inside = [*bubblewrap.command(program, hidden), *inside]
        with theirs:
            self._process = subprocess.Popen(
                inside,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._stderr,
                pass_fds=[theirs.fileno()],
                env=environment,
                start_new_session=True,  # Ctrl-C is for the grader alone
            )

    def ready(self) -> socket.socket:
        """The line to it, when its imports are done."""
        with self._in_use:
            if not self._is_ready and next_byte(self._line, START) != READY:
                raise NoSandboxError(self._last_error() or "the sandbox does not start")
            self._is_ready = True
            return self._line

    def _last_error(self) -> str:
        self._kill()
        if self._stderr.closed:
            return "it was closed"
        end = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(end - 2_000, 0))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def end(self) -> None:
        """Kill it with all that it started."""
        self._kill()
        with self._in_use:  # a thread that waits for its first word has heard the end by now
            self._line.close()
            self._stderr.close()

    def _kill(self) -> None:
        if self._process.returncode is None:
            # The group: what bubblewrap has just forked waits for it, and would do so for ever.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def next_byte(line: socket.socket, seconds: float) -> bytes:
    """The next byte; nothing if none comes in time."""
    line.settimeout(seconds)
    try:
        return line.recv(1)
    except OSError:
        return b""
