"""How long the tests wait for what must merely happen: no test says how soon it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

PATIENCE = 120.0
"""Seconds after which something will not happen any more, on a machine however busy."""


def ends(function: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What a function returns or raises; a failure if it hangs."""
    found: Future[Any] = Future()

    def call() -> None:
        try:
            found.set_result(function())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return found.result(seconds)


def soon(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether a condition comes to hold."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
