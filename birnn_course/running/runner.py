"""Runs a learner's line of code where it can do no harm: in a process of its own.

A thread of the notebook's kernel could not be stopped, and would share its modules. So one child
process (:mod:`~birnn_course.running.child`) is kept warm, with torch imported, and runs each
answer apart from all others:

- On Linux it forks for each answer. That takes milliseconds, and an answer that never ends costs
  its own copy only.
- Elsewhere forking is missing (Windows) or unsafe once a library such as Accelerate is loaded
  (macOS). There a child runs one answer and ends, and the next child is warmed up at once.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from typing import Any, NamedTuple

from birnn_course.running import child as _program

WARM_UP = 60.0  # seconds that a new child may take to import torch
# Seconds after the time limit, at which the child ends a run itself, until we end the child.
GRACE = 1.0
FORKS = sys.platform == "linux"

_ENDED = "It ended the process."
_CUT = " … (cut here)"
_LINE = 65536  # bytes: longer than the longest reply
# What a single small computation needs: the processor, one thread, and sets in the same order.
_SETTINGS = {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class CodeRun(NamedTuple):
    """What became of a learner's code.

    Attributes
    ----------
    right : bool
        It ran and the check holds.
    sentence : str
        What happened, for the learner.
    printed : str
        What it printed, at most ``child.MOST_PRINTED`` characters.
    ran : bool
        False if it could not be tried at all, which says nothing about the code.
    """

    right: bool
    sentence: str
    printed: str = ""
    ran: bool = True


def run(code: str, check: str, *, show: str = "", timeout: float = 5.0) -> CodeRun:
    """Run ``code`` in another process, then ask whether ``check`` holds there.

    Two calls with the same arguments have the same outcome: torch is seeded before each, and
    nothing of one run is left for the next. The first call takes as long as importing torch.

    Parameters
    ----------
    code : str
        Complete code; it finds the names ``torch``, ``nn`` and ``F`` and no others.
    check : str
        An expression over the names that the code leaves; its truth decides.
    show : str
        An expression whose value the sentence tells when the check does not hold.
    timeout : float
        Seconds for code and check together. Importing torch does not count.

    Returns
    -------
    CodeRun
        Whatever happens: this raises nothing but ``KeyboardInterrupt``.
    """
    global _child
    if not all(isinstance(text, str) for text in (code, check, show)):
        return _unchecked("code, check and show are text")
    if not isinstance(timeout, int | float) or not 0 < timeout < threading.TIMEOUT_MAX:
        return _unchecked("the time limit is a number of seconds")
    with _lock:
        try:
            if _child is None or _child.has_ended():
                _drop()
                _child = _Child()
            outcome = _child.ask(code, check, show, timeout)
            if _child.used_up:
                _drop()
                # The next one gets warm while the learner reads. If it cannot, that run says so.
                with contextlib.suppress(Exception):
                    _child = _Child()
            return outcome
        except Exception as error:
            _drop()
            return _unchecked(f"{type(error).__name__}: {error}")
        except BaseException:
            # The learner interrupts the cell: nothing may go on behind it.
            _drop()
            raise


def close() -> None:
    """End the child process, if there is one. The next :func:`run` starts another."""
    with _lock:
        _drop()


class _Child:
    """One child process and a thread that listens to it.

    A thread, because reading from a pipe with a time limit works the same way nowhere else on
    Windows and POSIX. It sees replies only, never a learner's code.
    """

    def __init__(self) -> None:
        options: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NO_WINDOW}
        self._process = subprocess.Popen(
            # -P: a file torch.py in the learner's folder, or a module beside ours, is not meant.
            [sys.executable, "-P", _program.__file__, "fork" if FORKS else "once"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_SETTINGS},
            **options,
        )
        self.used_up = False  # it cannot run another answer
        self._warm = False
        self._expected = b"ready"
        self._heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        try:
            threading.Thread(target=self._listen, name="birnn-runner", daemon=True).start()
        except BaseException:
            self.end()
            raise

    def has_ended(self) -> bool:
        """Somebody else, such as a system short of memory, has ended it."""
        return self._process.poll() is not None

    def ask(self, code: str, check: str, show: str, timeout: float) -> CodeRun:
        """Run one answer.

        Raises
        ------
        RuntimeError, OSError
            If it was not run.
        """
        if not self._warm and not self._hear(time.monotonic() + WARM_UP):
            raise RuntimeError("Python with torch does not start")
        self._warm = True
        nonce = secrets.token_hex(16)
        self._expected = nonce.encode()
        request = {"nonce": nonce, "code": code, "check": check, "show": show, "timeout": timeout}
        assert self._process.stdin is not None
        start = time.monotonic()
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return self._follow(start, timeout)

    def _follow(self, start: float, timeout: float) -> CodeRun:
        """Listen until the process that runs the answer has ended, so that nothing goes on."""
        began = False
        printed = ""
        result: tuple[bool, str] | None = None
        while True:
            reply = self._hear(start + timeout + GRACE)
            kind, what = _understood(reply)
            if kind == "began":
                began = True
            elif kind == "text":
                printed += what
            elif kind == "done":
                result = what[0] is True, _clean(what[1])
            else:
                break
        self.used_up = kind != "over"
        if reply is not None and not began:
            raise RuntimeError("the process for it does not start")
        if result is None:
            # The child ends a run at the limit, so its end can mean either.
            late = time.monotonic() - start >= timeout
            unit = "second" if timeout == 1 else "seconds"
            sentence = f"It did not end within {timeout:g} {unit}." if late else _ENDED
            result = False, sentence
        return CodeRun(*result, _shown(printed))

    def end(self) -> None:
        """Kill the process with all that it started."""
        if self._process.returncode is None:
            with contextlib.suppress(OSError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _hear(self, until: float) -> bytes | None:
        """The next reply; empty when the child has ended, None when the time is over."""
        while True:
            try:
                reply = self._heard.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return None
            # A last word of the run before may have come in between.
            if not reply or reply.startswith(self._expected):
                return reply

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as replies:
            while line := replies.readline(_LINE):
                # Drop at once what the learner's code wrote here: it may be endless.
                if line.startswith(self._expected):
                    self._heard.put(line)
        self._heard.put(b"")


def _understood(reply: bytes | None) -> tuple[str, Any]:
    """Kind and content of a reply; an empty kind for none."""
    if not reply:
        return "", None
    _, kind, content = reply.split(b" ", 2)
    return kind.decode(), json.loads(content)


def _shown(printed: str) -> str:
    if len(printed) > _program.MOST_PRINTED:
        printed = printed[: _program.MOST_PRINTED - len(_CUT)] + _CUT
    return _clean(printed)


def _clean(text: str) -> str:
    """Half characters cannot be sent to a browser; show them as ``?``."""
    return text.encode("utf-8", "replace").decode()


def _unchecked(reason: str) -> CodeRun:
    return CodeRun(False, _clean(f"This could not be checked here ({reason})."), ran=False)


_child: _Child | None = None
_lock = threading.Lock()


def _drop() -> None:
    global _child
    if _child is not None:
        _child.end()
        _child = None


def _forget() -> None:
    """A fork of the kernel, such as a DataLoader's worker, leaves our child to the kernel."""
    global _child, _lock
    _child, _lock = None, threading.Lock()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
