"""The process in which a learner's code runs; :mod:`~birnn_course.running.runner` starts it.

It imports torch once, says that it is ready, and then answers requests: one JSON line on its
standard input, lines of ``nonce kind JSON`` back on its standard output. The kinds are

=========  ==================================================================
``began``  the learner's code starts now
``text``   a piece of what it printed
``done``   right or not, and a sentence
``over``   the process that ran it has ended, with or without having said so
=========  ==================================================================

The learner is careless, not hostile. Everything here stops accidents, such as an endless loop or
a closed descriptor; somebody who studies this file can get round it, and fools nobody but himself.

This file is run by its path and imports nothing of the course.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import random
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MOST_PRINTED = 2000  # characters
MOST_SHOWN = 200  # characters of the value after a check that does not hold
MOST_MESSAGE = 300  # characters of an error's message
# Memory beyond what torch itself takes, in bytes. An answer needs some KB; a laptop or a shared
# server can spare this much without pushing the notebook's own kernel out.
SPARE_MEMORY = 2**29
SEED = 0

# A careless loop around one that starts a process would fill the machine with them, and the
# parent of this process, which kill() reaches first, may be the notebook's kernel.
_REFUSED = {
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "pty.spawn", "subprocess.Popen", "_winapi.CreateProcess", "os.kill", "os.killpg",
}  # fmt: skip

Say = Callable[[str, object], None]
# Kept here because the learner's code may assign to os.
_write, _exit = os.write, os._exit


def main() -> None:
    """Answer requests until the parent closes the pipe, which it also does by ending."""
    requests, replies = _private_pipes()
    names = _imported()
    _write(replies, b"ready\n")
    for line in requests:
        request = json.loads(line)
        say = _speaker(replies, request["nonce"])
        if "once" in sys.argv:
            _answer(request, names, say)
        # A copy of this process: each answer starts from the same clean torch within
        # milliseconds, whatever the one before it has broken. Safe because nothing above has
        # started a thread or computed with a tensor.
        pid = os.fork()
        if pid == 0:
            # Closed, so that it cannot read the next request.
            requests.close()
            _answer(request, names, say)
        # It ends by itself, at the time limit at the latest.
        os.waitpid(pid, 0)
        say("over", None)


def run_and_check(code: str, check: str, show: str, names: dict[str, Any]) -> tuple[bool, str]:
    """Run the code, then the check in the same names; say whether it holds, in one sentence.

    See :func:`birnn_course.running.runner.run` for the arguments. Whatever the code raises
    becomes the sentence.
    """
    before = ""
    try:
        with _memory_limit():
            try:
                # dont_inherit: the annotations import above is not the learner's.
                program = compile(code, "<your code>", "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:  # ValueError: a null byte, a half character
                kind = type(error).__name__ if isinstance(error, SyntaxError) else "SyntaxError"
                text = error.msg if isinstance(error, SyntaxError) else str(error)
                return False, f"{kind} in your line: {_first_line(text)}."
            exec(program, names)
            before = "It ran, but the check cannot be made: "
            if bool(eval(check, names)):
                return True, "It ran, and the check holds."
            return False, f"It ran, but the check does not hold{_seen(show, names)}."
    except BaseException as error:
        # After the limit is lifted: at its edge there would be no room for the sentence.
        return False, before + _sentence(error)


class Printed(io.TextIOBase):
    """Stands for stdout and stderr: sends the first characters on, and drops the rest.

    Sent at once, so that an endless loop too shows what it printed; dropped here, so that it
    costs neither memory nor a full pipe.
    """

    encoding = "utf-8"

    def __init__(self, say: Say) -> None:
        self._say = say
        # One more than is shown tells the parent that something was cut.
        self._room = MOST_PRINTED + 1
        self._lock = threading.Lock()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """Send what fits; returns the length of the text, as every file does."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        with self._lock:
            piece = text[: self._room]
            self._room -= len(piece)
            if piece:
                self._say("text", piece)
        return len(text)


def _private_pipes() -> tuple[io.BufferedReader, int]:
    """The two pipes to the parent, moved away from where print() and input() would use them."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
    return requests, replies


def _imported() -> dict[str, Any]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    # One thread: a fork of a process with a pool of threads can hang.
    torch.set_num_threads(1)
    if sys.platform == "linux":
        import resource

        # A crash leaves no file behind in the learner's folder.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return {"torch": torch, "nn": nn, "F": F}


def _speaker(replies: int, nonce: str) -> Say:
    """A function that sends one line to the parent.

    The nonce is new for each request: what the code writes to this pipe by accident is no reply.
    """

    def say(kind: str, what: object) -> None:
        # The first line break ends whatever the code itself may have written here.
        data = f"\n{nonce} {kind} {json.dumps(what)}\n".encode()
        while data:
            data = data[_write(replies, data) :]

    return say


def _answer(request: dict[str, Any], names: dict[str, Any], say: Say) -> None:
    """Run one answer and end this process, with every thread that it started."""
    try:
        # Ends the process from a thread that needs neither the interpreter's lock nor a signal,
        # so nothing the code does in Python or torch holds it up. It also bounds the life of
        # this process should the parent be gone.
        faulthandler.dump_traceback_later(request["timeout"], exit=True)
        sys.stdout = sys.stderr = Printed(say)
        names["torch"].manual_seed(SEED)
        random.seed(SEED)
        sys.addaudithook(_refuse)
        say("began", None)
        say("done", run_and_check(request["code"], request["check"], request["show"], names))
    finally:
        _exit(0)


def _refuse(event: str, _: object) -> None:
    if event in _REFUSED:
        raise RuntimeError("an answer cannot start or end other processes")


@contextlib.contextmanager
def _memory_limit() -> Iterator[None]:
    """Let the address space grow by ``SPARE_MEMORY`` at most.

    Only on Linux: elsewhere there is no such limit that works, and the time limit has to do.
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + SPARE_MEMORY
    if before[0] != resource.RLIM_INFINITY:
        limit = min(limit, before[0])
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


_ORIGIN = re.compile(r", (?:grad_fn=<[^>]*>|requires_grad=True)")


def _seen(show: str, names: dict[str, Any]) -> str:
    """``: SHOW is VALUE``, or nothing where there is no such value."""
    if not show:
        return ""
    try:
        value = eval(show, names)
        # torch.Size([2, 3]) is read more easily as (2, 3).
        if isinstance(value, tuple) and type(value).__name__ == "Size":
            value = tuple(value)
        # How a tensor came about is not what came out.
        text = _ORIGIN.sub("", " ".join(repr(value).split()))
    except Exception:
        return ""
    return f": {show} is {_cut(text, MOST_SHOWN)}"


def _sentence(error: BaseException) -> str:
    """The error in one sentence: its type and the first line of its message."""
    if isinstance(error, SystemExit):
        return "It ended the process."
    try:
        message = _first_line(str(error))
    except BaseException:  # its __str__ is the learner's too
        message = ""
    return type(error).__name__ + (f": {message}." if message else ".")


def _first_line(text: str) -> str:
    """The first line, without the full stop or colon at its end."""
    lines = text[: 4 * MOST_MESSAGE].strip().splitlines() or [""]
    return _cut(lines[0], MOST_MESSAGE).rstrip(" .:")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


if __name__ == "__main__":
    main()
