"""The process inside bubblewrap from which submissions are forked: ``host WAY SOCKET SECONDS``.

It imports once what every notebook needs, and nothing that knows an answer. SOCKET is the number of
the descriptor of its line to the grader; SECONDS is how much processor time a submission gets.

``many``
    Each message brings the socket of one submission and a lifeline, which is a socket too. A fork
    in namespaces of its own serves the first. When the grader closes its end of the lifeline, or
    ends, the fork is killed. One byte back says that it is gone.
``once``
    The line is the socket of the only submission, served by this very process.
``unprotected``
    The same, without a system-call filter; for systems that have no sandbox.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from birnn_course.sandbox import ANSWERS, GONE, PRIVATE, READY, REFUSED

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STAND_IN = (*ANSWERS, "record")  # whoever runs this may have a record, which is nobody else's
MOST_MEMORY = 3 * 2**29  # bytes beyond what the imports take
MOST_THREADS = 512
_COUNT_EVERY = 0.1  # seconds between two counts of them


def main(way: str, descriptor: int, cpu_seconds: float) -> None:
    """Serve submissions until the grader hangs up."""
    line = socket.socket(fileno=descriptor)
    ipython = _prepare()
    from birnn_course.running.by_hand import refuse
    from birnn_course.sandbox import wire
    from birnn_course.sandbox.inside.limits import address_space, set_limits
    from birnn_course.sandbox.inside.student import serve

    def serve_alone(connection: socket.socket) -> None:
        start = wire.receive(connection)
        refuse(start[0])
        serve(connection, ipython, start)

    most_memory = address_space() + MOST_MEMORY if address_space() else 0
    if way == "unprotected":
        set_limits(cpu_seconds, most_memory)
        line.send(READY)
        return serve_alone(line)

    from birnn_course.sandbox.inside import jail

    calls = jail.system_call_filter()

    def confine() -> None:
        os.chdir(PRIVATE)
        set_limits(cpu_seconds, most_memory)
        jail.drop_privileges(calls)

    if way == "once":
        confine()
        line.send(READY)
        return serve_alone(line)

    def isolated(connection: socket.socket) -> None:
        jail.mount_private_folder()
        start = wire.receive(connection)
        jail.cover(refuse(start[0]))  # only here can a source be hidden that was imported
        confine()
        serve(connection, ipython, start)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the supervisors
    line.send(READY)
    while True:
        message, descriptors, *_ = socket.recv_fds(line, 1, 2)
        if not message:
            return None
        connection, lifeline = descriptors
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            line.close()
            _supervise(connection, socket.socket(fileno=lifeline), isolated)
        os.close(connection)
        os.close(lifeline)


def _prepare() -> InteractiveShell:
    """Import what notebooks need, so that no fork has to, and make the IPython they run in."""
    import matplotlib
    import torch

    matplotlib.use("agg")
    import matplotlib.pyplot
    import torch.nn.functional
    import torch.nn.utils.rnn

    _stand_in_for_what_knows_answers()
    for name in ("data", "device", "metrics", "models", "plots", "probes", "word_errors"):
        importlib.import_module(f"birnn_course.{name}")  # others are loaded when they are used

    torch.set_num_threads(1)
    torch.nn.LSTM(2, 2, bidirectional=True)(torch.zeros(3, 1, 2))  # what torch makes at first use
    from birnn_course.sandbox.inside.student import shell

    ipython = shell()
    ipython.run_cell("1 + 1", store_history=False)
    gc.collect()
    gc.freeze()  # a fork that collects garbage would copy all of this
    return ipython


def _stand_in_for_what_knows_answers() -> None:
    """In the sandbox nobody has these; a notebook's ``check(f)`` still has to run."""
    import birnn_course

    for package in _STAND_IN:
        module = types.ModuleType(f"birnn_course.{package}")
        module.__getattr__ = _stand_in  # type: ignore[method-assign]
        sys.modules[module.__name__] = module
        setattr(birnn_course, package, module)
    load = birnn_course.__getattr__

    def load_what_is_here(name: str) -> object:
        try:
            return load(name)
        except ImportError:
            return _later

    setattr(birnn_course, "__getattr__", load_what_is_here)  # noqa: B010  mypy sees a method


def _stand_in(name: str) -> object:
    if name.startswith("__"):
        raise AttributeError(name)
    return _later


class _Later:
    """What ``check`` returns here."""

    points = 0
    passed = False

    def __repr__(self) -> str:
        return "graded later"


def _later(*_: object, **__: object) -> _Later:
    return _Later()


def _supervise(
    connection: int, lifeline: socket.socket, work: Callable[[socket.socket], None]
) -> NoReturn:
    """In a fork: start the submission's own process, and kill it when the lifeline ends."""
    from birnn_course.sandbox.inside import jail

    processes = os.open("/proc", os.O_RDONLY)  # the submission's own process covers it
    try:
        jail.enter_namespaces()
    except OSError:
        lifeline.send(REFUSED)
        os._exit(1)
    pid = os.fork()
    if pid == 0:
        try:
            _keep_only(connection)
            jail.start_session()
            work(socket.socket(fileno=connection))
        finally:
            os._exit(0)
    os.close(connection)
    watched = os.pidfd_open(pid)
    # No limit of the system's counts threads for root too.
    status = os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=processes)
    while not select.select([watched, lifeline.fileno()], [], [], _COUNT_EVERY)[0]:
        if _threads(status) > MOST_THREADS:
            break
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(watched, signal.SIGKILL)
    os.waitpid(pid, 0)
    with suppress(OSError):  # the grader may have ended
        lifeline.send(GONE)
    os._exit(0)


def _threads(status: int) -> int:
    """How many a process has, from its open ``/proc/PID/stat``; 0 if it has ended."""
    with suppress(OSError):
        return int(os.pread(status, 1024, 0).rpartition(b")")[2].split()[17])
    return 0


def _keep_only(descriptor: int) -> None:
    """Close every other one, and let nothing come in or go out by the standard ones."""
    os.closerange(0, descriptor)
    os.closerange(descriptor + 1, 4096)
    for standard in (0, 1, 2):
        if standard < descriptor:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
