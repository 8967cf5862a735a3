"""Call the learner's three functions, in this process, each call with a limit of time.

What judges the functions knows nothing of how they are called: it gets a :data:`Caller`. Arguments
are tensors, and what comes back is plain data, so the functions may as well run in another process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from birnn_course.exercises.spec import Arguments
from birnn_course.running.calling import Outcome, call_safely, time_limit

Name = Literal["predict", "score", "choose"]
NAMES: tuple[Name, ...] = get_args(Name)

Caller = Callable[[Name, Arguments, int], Outcome]
"""Gets a function's name, its arguments and a seed for random numbers; tells what came of it."""

SECONDS_A_CALL, SECONDS_IN_ALL = 60.0, 300.0


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
        seconds = min(SECONDS_A_CALL, left)
        with time_limit(seconds, f"one call took more than {seconds:.0f} seconds"):
            outcome = call_safely(functions[name], arguments, seed)
        if outcome.kind == "stopped":
            stopped[name] = outcome
        return outcome

    return caller
