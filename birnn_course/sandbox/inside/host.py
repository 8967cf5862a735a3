"""The process inside bubblewrap from which submissions are forked: ``host WAY SOCKET SECONDS``.

It imports once what every notebook needs, and nothing that knows an answer. SOCKET is the number of
the descriptor of its line to the grader; SECONDS is how much processor time a submission gets.

``many``
    Each message is the number of a processor and brings the socket of one submission and a
    lifeline, which is a socket too. A fork in namespaces of its own serves the first, on that
    processor alone. When the grader closes its end of the lifeline, or ends, the fork is killed.
    One byte back says that it is gone.
``once``
    The line is the socket of the only submission, served by this very process.
``unprotected``
    The same, without a system-call filter; for systems that have no sandbox.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from birnn_course.sandbox import ANSWERS, GONE, PRIVATE, PROCESSOR_BYTES, READY, REFUSED
from birnn_course.sandbox.inside.limits import MOST_THREADS, address_space, pin, set_limits

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_STAND_IN = (*ANSWERS, "record")  # whoever runs this may have a record, which is nobody else's
MOST_MEMORY = 3 * 2**29  # bytes beyond what the imports take
_FEW_THREADS = 8  # more of them have to be content with what time others leave
_COUNT_EVERY = 0.1  # seconds between two counts of them


def main(way: str, descriptor: int, cpu_seconds: float) -> None:
    """Serve submissions until the grader hangs up."""
    line = socket.socket(fileno=descriptor)
    ipython = _prepare()
    from birnn_course.running.by_hand import refuse
    from birnn_course.sandbox import wire
    from birnn_course.sandbox.inside.student import serve

    def serve_alone(connection: socket.socket) -> None:
        start = wire.receive(connection)
        refuse(start[0])
        serve(connection, ipython, start)

    most_memory = address_space() + MOST_MEMORY if address_space() else 0
    if way == "unprotected":
        set_limits(cpu_seconds, most_memory, in_namespace=False)
        line.send(READY)
        return serve_alone(line)

    from birnn_course.sandbox.inside import jail, pages
    from birnn_course.sandbox.inside.calls import RIGHTS_AND_TIMES, system_call_filter

    # Who cannot mount cannot keep a device from being changed by whoever has made it.
    calls = system_call_filter(without=RIGHTS_AND_TIMES if way == "once" else ())

    def confine(processor: int | None = None) -> None:
        os.chdir(PRIVATE)
        pin(processor)
        set_limits(cpu_seconds, most_memory)
        jail.drop_privileges(calls)

    if way == "once":
        confine()
        _keep_only(descriptor)
        line.send(READY)
        return serve_alone(line)

    def isolated(connection: socket.socket, processor: int | None) -> None:
        jail.mount_private_folder()
        start = wire.receive(connection)
        jail.cover(refuse(start[0]))  # only here can a source be hidden that was imported
        confine(processor)
        serve(connection, ipython, start)

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the supervisors
    pages.gather()
    line.send(READY)
    while True:
        message, descriptors, *_ = socket.recv_fds(line, PROCESSOR_BYTES, 2)
        if not message:
            return None
        connection, lifeline = descriptors
        number = int.from_bytes(message, "big", signed=True)
        work = partial(isolated, processor=None if number < 0 else number)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            line.close()
            _supervise(connection, socket.socket(fileno=lifeline), work)
        os.close(connection)
        os.close(lifeline)


def _prepare() -> InteractiveShell:
    """Import what notebooks need, so that no fork has to, and make the IPython they run in."""
    gc.disable()  # of what is imported nothing is garbage
    import matplotlib
    import torch

    import birnn_course

    matplotlib.use("agg")
    import matplotlib.pyplot
    import torch.nn.functional
    import torch.nn.utils.rnn

    _stand_in_for_what_knows_answers()
    # Explorers take as long as all others together, and no exercise is about them.
    for name in (name for name in dir(birnn_course) if not name.endswith("_explorer")):
        getattr(birnn_course, name)

    torch.set_num_threads(1)
    torch.nn.LSTM(2, 2, bidirectional=True)(torch.zeros(3, 1, 2))  # what torch makes at first use
    from birnn_course.sandbox.inside.student import shell

    ipython = shell()
    # The first seed reads the source of all that calls it: PyTorch keeps the stack for a GPU. The
    # first result makes what shows results.
    first = "import torch\ntorch.manual_seed(0)\ndel torch\n1 + 1"
    ipython.run_cell(first, store_history=False)
    gc.collect()
    gc.freeze()  # a fork that collects garbage would copy all of this
    gc.enable()
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
        threads = _threads(status)
        if threads > MOST_THREADS:
            break
        if threads > _FEW_THREADS:
            # All of them together then count as about one of another's on the same processor.
            with suppress(OSError):  # it has just ended, or has no group of its own yet
                os.setpriority(os.PRIO_PGRP, pid, 19)
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
