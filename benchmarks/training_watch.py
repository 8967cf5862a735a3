"""Runs inside a notebook's kernel and tells what its cells cost, training apart.

Training is what lies between the making of an optimizer and its last step within a cell: forward,
loss, backward and step, whether ``fit`` makes them, another function of the course or a loop in
the cell, and what PyTorch imports for its first optimizer. An optimizer that an earlier cell made
counts from its first step in this one. What is computed before and after is not training.
"""

from __future__ import annotations

import functools
import itertools
import resource
import sys
import time
from typing import Any, NamedTuple

from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

_numbers = itertools.count()
_made: dict[int, float] = {}  # when each optimizer of this cell was
_spans: dict[
    int, list[float]
] = {}  # of each that made a step in this cell: its start and last step


class Usage(NamedTuple):
    """Processor seconds of the kernel so far, of these training since last asked; peak bytes."""

    cpu: float
    training: float
    memory: int


def start() -> None:
    """Notice every optimizer and each of its steps from now on."""
    make = Optimizer.__init__

    @functools.wraps(make)
    def noticed(optimizer: Optimizer, *args: Any, **kwargs: Any) -> None:
        _made[_number(optimizer)] = time.process_time()
        make(optimizer, *args, **kwargs)

    Optimizer.__init__ = noticed
    register_optimizer_step_post_hook(_stepped)


def _stepped(optimizer: Optimizer, *_: Any) -> None:
    now, number = time.process_time(), _number(optimizer)
    _spans.setdefault(number, [_made.get(number, now), now])[1] = now


def _number(optimizer: Optimizer) -> int:
    # an id() may be that of an earlier optimizer which is gone
    number: int = optimizer.__dict__.setdefault("_watched_as", next(_numbers))
    return number


def take() -> Usage:
    """What was used, and begin with the next cell."""
    training = covered([(first, last) for first, last in _spans.values()])
    _spans.clear()
    _made.clear()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(time.process_time(), training, peak * unit)


def covered(spans: list[tuple[float, float]]) -> float:
    """How much is covered by at least one span: two models may be trained in turns."""
    total, end = 0.0, float("-inf")
    for first, last in sorted(spans):
        total += max(0.0, last - max(first, end))
        end = max(end, last)
    return total
