"""Start the sandbox, hand submissions to it, and get plain data back.

There are three ways, from fast to slow: forks of one preloaded process in bubblewrap, each in
namespaces of its own; one bubblewrap for each submission, where the machine refuses the namespaces;
and, if the lecturer insists, no protection at all. See :mod:`birnn_course.sandbox.inside.host`.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from birnn_course.errors import CourseError
from birnn_course.running.calling import Kind, Outcome
from birnn_course.running.plain import Arguments, Plain
from birnn_course.sandbox import GONE, LONGEST_TEXT, MOST_ERRORS, PROCESSOR_BYTES, REFUSED, wire
from birnn_course.sandbox.outside.hosts import Host, NoSandboxError, Way, next_byte

_GRACE = 2.0  # seconds in which a submission can say itself that it took too long
_MOST_TRIES = 3  # of a submission whose host is ended by somebody else
_MOST_BYTES = 2 * wire.MOST_BYTES  # of all answers of a submission, which are held until judged
_MOST_ERROR_BYTES = MOST_ERRORS * (4 * LONGEST_TEXT + 64)  # characters have up to four
_ONE_EACH = (
    "This machine allows bubblewrap but no namespaces inside of it: each submission gets a "
    "bubblewrap of its own, which takes some seconds more."
)


@dataclass(frozen=True)
class Job:
    """One notebook, and the calls to make of its functions.

    Parameters
    ----------
    cells : list of str
        The sources of the code cells.
    calls : dict
        For the name of each function the arguments of its calls.
    by_hand : tuple of str
        What of the course refuses to work; see
        :class:`~birnn_course.exercises.spec.Exercise`.
    """

    cells: list[str]
    calls: dict[str, list[Arguments]]
    by_hand: tuple[str, ...] = ()


@dataclass
class Ran:
    """What came of a job.

    Parameters
    ----------
    outcomes : dict
        For the name of each function what came of its calls; the last ones may be missing.
    errors : list of (int, str)
        Which code cells raised what, counted from 1.
    trouble : str
        What ended the notebook before its functions were called; empty if nothing did.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)
    trouble: str = ""


class _HostLostError(Exception):
    """The process that a submission was forked from has ended, which is not its doing."""


class Sandbox:
    """A sandbox for any number of submissions, side by side; use it in a ``with`` statement.

    Parameters
    ----------
    way : {"many", "once", "unprotected"}
        From fast and safe to slow and unsafe.
    seconds : float
        What one submission gets by the clock: a third of it for a cell, a sixth for a call.
    hidden : sequence of Path
        What must not be seen, wherever it lies.
    host : Host, optional
        One that was started with the same terms; it is ended here.
    spread : bool
        Whether submissions are spread over the processors from here, each on the one that has the
        fewest. Where other processes run submissions too, the system knows better.
    """

    def __init__(
        self,
        way: Way = "many",
        seconds: float = 60.0,
        hidden: Sequence[Path] = (),
        host: Host | None = None,
        *,
        spread: bool = True,
    ) -> None:
        self.way = way
        self.seconds = seconds
        self._hidden = hidden
        self._host = host
        self._is_closed = False
        self._one_at_a_time = threading.Lock()
        self._counting = threading.Lock()
        usable = os.sched_getaffinity(0) if spread and hasattr(os, "sched_getaffinity") else {-1}
        self._on_processor = dict.fromkeys(usable, 0)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the sandbox, for good; submissions that still run have no result."""
        self._is_closed = True
        if self._host is not None:
            self._host.end()

    def fall_back(self, way: Way) -> None:
        """Work in another way from now on; for the time before the first submission."""
        self._discard(self._host)
        self.way = way

    def run(self, job: Job) -> Ran:
        """Run a notebook and call its functions.

        A function that ends the process, or has to be stopped, costs itself only: the notebook is
        run again for those after it, while there is time.

        Raises
        ------
        NoSandboxError
            If no process can be confined here.
        CourseError
            If the sandbox is closed meanwhile.
        """
        for _ in range(_MOST_TRIES):
            try:
                return self._run(job)
            except _HostLostError:
                continue
        trouble = "the process that ran it was ended again and again"
        outcomes = {name: [Outcome("stopped", text=trouble)] for name in job.calls}
        return Ran(outcomes, trouble=trouble)

    def _run(self, job: Job) -> Ran:
        ran = Ran()
        waiting = list(job.calls)
        seconds, quota = self.seconds, wire.Quota(_MOST_BYTES)
        while waiting:
            before = len(waiting)
            # Its clock starts when the sandbox is ready, whose start is nobody's fault.
            with self._connection(seconds, quota) as connection:
                self._call(connection, job, waiting, ran)
                seconds = connection.seconds_left
            if len(waiting) == before:
                ran.trouble = connection.trouble
                break
        for name in waiting:
            ran.outcomes[name] = [Outcome("stopped", text=ran.trouble)]
        return ran

    def _call(self, connection: _Connection, job: Job, waiting: list[str], ran: Ran) -> None:
        """Call the functions that are waiting, in order, until all are done or it has ended."""
        start = (job.by_hand, job.cells, waiting, self.seconds / 3, self.seconds / 6)
        if (errors := connection.ask(start, self.seconds, _MOST_ERROR_BYTES)) is None:
            return
        ran.errors = _errors(errors)
        while waiting:
            name = waiting[0]
            outcomes = ran.outcomes[name] = []
            for arguments in job.calls[name]:
                nonce = secrets.token_hex(16)
                answer = connection.ask((nonce, name, arguments), self.seconds / 6 + _GRACE)
                if answer is None:
                    outcomes.append(Outcome("stopped", text=connection.trouble))
                    waiting.pop(0)
                    return
                outcomes.append(_outcome(answer, nonce))
                if outcomes[-1].kind == "stopped":
                    break
            waiting.pop(0)

    @contextmanager
    def _connection(self, seconds: float, quota: wire.Quota) -> Iterator[_Connection]:
        """A fresh process for one submission, which is gone afterwards."""
        if self.way != "many":
            single = Host(self.way, self.seconds, self._hidden)
            try:
                yield _Connection(single.ready(), seconds, quota)
            finally:
                single.end()
            return
        ours, theirs = socket.socketpair()
        lifeline, their_lifeline = socket.socketpair()
        with ours, lifeline, self._processor() as processor:
            with theirs, their_lifeline:
                host = self._hand_over(processor, theirs.fileno(), their_lifeline.fileno())
            try:
                yield _Connection(ours, seconds, quota)
            finally:
                lifeline.shutdown(socket.SHUT_WR)
                reply = next_byte(lifeline, 10.0)
        if reply == REFUSED:
            raise NoSandboxError("namespaces inside of bubblewrap are refused here")
        if reply != GONE:
            with self._one_at_a_time:
                self._discard(host)
            raise _HostLostError

    @contextmanager
    def _processor(self) -> Iterator[int]:
        """The number of the processor with the fewest submissions; -1 to leave it to the system."""
        with self._counting:
            number = min(self._on_processor, key=self._on_processor.__getitem__)
            self._on_processor[number] += 1
        try:
            yield number
        finally:
            with self._counting:
                self._on_processor[number] -= 1

    def _hand_over(self, processor: int, *descriptors: int) -> Host:
        """Give these to a living host, which may have to be started first."""
        message = processor.to_bytes(PROCESSOR_BYTES, "big", signed=True)
        with self._one_at_a_time:
            while not self._is_closed:
                if self._host is None:
                    # The thread that does this must outlive it: bubblewrap ends with the thread.
                    self._host = Host("many", self.seconds, self._hidden)
                host = self._host
                try:
                    socket.send_fds(host.ready(), [message], descriptors)
                except NoSandboxError:
                    if not self._is_closed:
                        raise
                except OSError:
                    self._discard(host)
                else:
                    return host
        raise CourseError("the sandbox was closed; the same command goes on from here.")

    def _discard(self, host: Host | None) -> None:
        """End a host, unless another thread has replaced it already."""
        if host is not None and host is self._host:
            self._host = None
            host.end()


class _Connection:
    """The grader's end of the line to one submission."""

    def __init__(self, line: socket.socket, seconds: float, quota: wire.Quota) -> None:
        self._line = line
        self._deadline = time.monotonic() + seconds
        self._quota = quota
        self.trouble = ""

    @property
    def seconds_left(self) -> float:
        """Until its time is over."""
        return self._deadline - time.monotonic()

    def ask(self, message: Plain, seconds: float, most: int = wire.MOST_BYTES) -> Plain | None:
        """The answer; None if none came, and then ``trouble`` says why."""
        seconds = min(seconds, self.seconds_left)
        try:
            if seconds <= 0:
                raise TimeoutError
            self._line.settimeout(seconds)
            wire.send(self._line, message)
            answer = wire.receive(self._line, seconds, self._quota, most)
        except TimeoutError:
            self.trouble = "it took too long"
        except wire.NotUnderstoodError:
            self.trouble = "its answer is too large, or not plain data"
        except (EOFError, OSError):
            self.trouble = "it ended the process, or took too much memory or processor time"
        else:
            return answer
        return None


def _errors(answer: Plain) -> list[tuple[int, str]]:
    """What a submission says of its cells; nothing if that is nonsense."""
    if type(answer) is not list:
        return []
    return [
        (item[0], _text(item[1]))
        for item in answer[:MOST_ERRORS]
        if type(item) is tuple and len(item) == 2 and type(item[0]) is int
    ]


def _outcome(answer: Plain, nonce: str) -> Outcome:
    """What a submission says of a call; what is no answer to this call is worth nothing."""
    if type(answer) is not tuple or len(answer) != 5 or answer[0] != nonce:
        return Outcome("refused", text="something that is no answer")
    _, kind, value, text, printed = answer
    if kind not in get_args(Kind):
        return Outcome("refused", text="something that is no answer")
    return Outcome(kind, value if kind == "returned" else None, _text(text), _text(printed))


def _text(value: Plain) -> str:
    return value[:LONGEST_TEXT] if type(value) is str else ""


def best_way(sandbox: Sandbox) -> tuple[Way, str]:
    """How this sandbox works here, and a sentence if that is not the fast way; it is left so.

    Raises
    ------
    CourseError
        If none works; the sentence says what to do.
    """
    reason = ""
    ways: tuple[Way, ...] = ("many", "once") if sandbox.way == "many" else (sandbox.way,)
    for way in ways:
        if way != sandbox.way:
            sandbox.fall_back(way)
        try:
            ran = sandbox.run(Job(["def answer():\n    return 42"], {"answer": [()]}))
        except NoSandboxError as error:
            reason = str(error)
            continue
        if ran.outcomes["answer"][0].value == 42:
            return way, _ONE_EACH if way == "once" else ""
        reason = ran.trouble or ran.outcomes["answer"][0].text
    raise CourseError(
        f"no process can be shut in here ({reason}): allow user namespaces, use another machine "
        "or a container that has them, or add --no-sandbox if you trust every submission with "
        "your files."
    )
