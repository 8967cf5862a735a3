"""How long the tests wait for what must merely happen: no test says how soon it does."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds after which something will not happen any more, on a machine however busy."""


def soon(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether a condition comes to hold."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
