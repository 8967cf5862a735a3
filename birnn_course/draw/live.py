"""A place below a running cell, drawn anew as often as one likes."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Any

Bundle = dict[str, str]
PAUSE = 0.5
"""Seconds between two pictures, at least."""
_NOTHING = {"text/plain": "", "text/html": ""}


def kernel() -> Any:
    """The shell of the notebook that runs this, or None: a script and a terminal have none."""
    # A kernel can be running only if IPython is loaded already.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell if hasattr(shell, "kernel") else None


class Live:
    """One output of the running cell. It starts and ends as nothing, so nothing is what is stored.

    tqdm draws on stderr, or leaves a widget or a time behind: either would make the stored output
    of a notebook differ from run to run.
    """

    def __init__(self) -> None:
        from IPython.display import display

        self._handle = display(_NOTHING, raw=True, display_id=True)

    def show(self, page: str) -> None:
        """Put HTML in place of what is there."""
        self._handle.update({**_NOTHING, "text/html": page}, raw=True)

    def close(self) -> None:
        """Leave nothing."""
        self._handle.update(_NOTHING, raw=True)


class Pace:
    """When the next picture is due, so that drawing takes a fortieth of the time at most."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._asked = self._drawn = -math.inf

    def due(self) -> bool:
        """Whether to draw now; then say :meth:`drawn`."""
        cost = self._drawn - self._asked if math.isfinite(self._drawn) else 0.0
        if time.monotonic() - self._drawn < max(PAUSE, 40 * cost):
            return False
        self._asked = time.monotonic()
        return True

    def drawn(self) -> None:
        """The picture is there."""
        self._drawn = time.monotonic()

    def left(self, share: float) -> float:
        """Seconds that are left after this share of the work, if it goes on like this."""
        return (time.monotonic() - self._began) * (1 - share) / share


def after_this_cell(leave: Callable[[], Any]) -> None:
    """Show below the cell, when it has ended or failed, what ``leave`` returns then."""
    from IPython.display import display

    shell = kernel()

    def ended(_: Any = None) -> None:
        shell.events.unregister("post_run_cell", ended)
        display(leave())

    shell.events.register("post_run_cell", ended)
