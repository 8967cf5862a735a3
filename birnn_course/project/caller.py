"""Call the learner's three functions, in this process, each call with a limit of time.

What judges the functions knows nothing of how they are called: it gets a :data:`Caller`. Arguments
are tensors, and what comes back is plain data, so the functions may as well run in another process.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, get_args

from birnn_course.exercises.spec import Arguments
from birnn_course.running.calling import Outcome, attempt

Name = Literal["predict", "score", "choose"]
NAMES: tuple[Name, ...] = get_args(Name)

Caller = Callable[[Name, Arguments, int], Outcome]
"""Gets a function's name, its arguments and a seed for random numbers; tells what came of it."""

SECONDS_A_CALL, SECONDS_IN_ALL = 60.0, 300.0


class TooLongError(KeyboardInterrupt):
    """Interrupts the learner's function as the stop button would."""


def here(functions: Mapping[Name, Callable[..., Any]]) -> Caller:
    """Call the functions in this process.

    A function that ran too long, or that the learner stopped, is not called again.
    """
    stopped: dict[Name, Outcome] = {}
    ends = time.monotonic() + SECONDS_IN_ALL

    def caller(name: Name, arguments: Arguments, seed: int) -> Outcome:
        left = ends - time.monotonic()
        if name not in stopped and left <= 0:
            text = f"all calls together took more than {SECONDS_IN_ALL:.0f} seconds"
            stopped[name] = Outcome("stopped", text=text)
        if name in stopped:
            return stopped[name]
        with _limit(min(SECONDS_A_CALL, left)):
            outcome = attempt(functions[name], arguments, seed)
        if outcome.kind == "stopped":
            stopped[name] = outcome
        return outcome

    return caller


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """Raise :class:`TooLongError` in the block after so many seconds, where the system can."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooLongError(f"one call took more than {seconds:.0f} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
