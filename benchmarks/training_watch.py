"""Runs inside a notebook's kernel and tells what its cells cost, training apart.

Training is what lies between the first and the last step of an optimizer within a cell: forward,
loss, backward and step, whether ``fit`` makes them, another function of the course or a loop in
the cell. A model's first batch is not in it, and neither is what is computed before and after, so
training comes out a little too small and the rest of the notebook a little too large.
"""

from __future__ import annotations

import itertools
import resource
import sys
import time
from typing import Any, NamedTuple

from torch.optim.optimizer import Optimizer, register_optimizer_step_post_hook

_numbers = itertools.count()
_steps: dict[int, list[float]] = {}  # of each optimizer in this cell: its first and last step


class Told(NamedTuple):
    """Processor seconds of the kernel so far, of these training since last asked; peak bytes."""

    cpu: float
    training: float
    memory: int


def start() -> None:
    """Notice every step of every optimizer from now on."""
    register_optimizer_step_post_hook(_stepped)


def _stepped(optimizer: Optimizer, *_: Any) -> None:
    now = time.process_time()
    # an id() may be that of an earlier optimizer which is gone
    number = optimizer.__dict__.setdefault("_watched_as", next(_numbers))
    _steps.setdefault(number, [now, now])[1] = now


def take() -> Told:
    """What was used, and begin with the next cell."""
    training = covered([(first, last) for first, last in _steps.values()])
    _steps.clear()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return Told(time.process_time(), training, peak * unit)


def covered(spans: list[tuple[float, float]]) -> float:
    """How much is covered by at least one span: two models may be trained in turns."""
    total, end = 0.0, float("-inf")
    for first, last in sorted(spans):
        total += max(0.0, last - max(first, end))
        end = max(end, last)
    return total
