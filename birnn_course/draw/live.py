"""A place below a running cell, drawn anew as often as one likes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Bundle = dict[str, str]
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


def after_this_cell(leave: Callable[[], Any]) -> None:
    """Show below the cell, when it has ended or failed, what ``leave`` returns then."""
    from IPython.display import display

    shell = kernel()

    def ended(_: Any = None) -> None:
        shell.events.unregister("post_run_cell", ended)
        display(leave())

    shell.events.register("post_run_cell", ended)
