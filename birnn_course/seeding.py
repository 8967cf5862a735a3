"""Random numbers that are the same each time and disturb nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int = 0) -> Iterator[None]:
    """The CPU's random numbers start from ``seed``; afterwards they go on where they were.

    A GPU's are left alone. ``torch.manual_seed`` would set them for good, and writes down the whole
    stack for each kind of GPU, which takes 500 times as long in a notebook.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
