"""A plugin for pytest: asks the kernels of compared notebooks what each cell has cost.

``pytest -p nbval_costs --nbval …`` writes what it hears into the file that ``NBVAL_COSTS`` names.
It is used by ``notebook_costs.py``, which says what the figures mean.
"""

from __future__ import annotations

import ast
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = "tuple(__import__('training_watch').take())"
START = "import training_watch; training_watch.start(); del training_watch"


class Costs:
    """What each notebook took so far."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """The first cell of a notebook starts its kernel."""
        if _is_cell(item) and str(item.path) not in self.found:
            self.found[str(item.path)] = {"start": time.perf_counter(), "cells": []}
        yield

    # outermost: what is asked of the kernel to compare a cell belongs to it
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Before the first cell and after each, the kernel is asked."""
        if not _is_cell(item):
            return (yield)
        notebook = self.found[str(item.path)]
        if "before" not in notebook:
            notebook["before"] = _ask(item.parent.kernel)
        try:
            yield
        finally:
            notebook["cells"].append([item.cell.source, *_ask(item.parent.kernel)])
            notebook["seconds"] = time.perf_counter() - notebook["start"]

    def pytest_sessionfinish(self) -> None:
        """All of it, by the path of the notebook."""
        Path(os.environ["NBVAL_COSTS"]).write_text(json.dumps(self.found), encoding="utf-8")


def _is_cell(item: Any) -> bool:
    return type(item).__name__ == "IPyNbCell"


def _ask(kernel: Any) -> tuple[float, float, int]:
    reply = kernel.kc.execute(
        "", silent=True, user_expressions={"used": ASK}, reply=True, timeout=60
    )
    used = reply["content"]["user_expressions"]["used"]
    answer: tuple[float, float, int] = ast.literal_eval(used["data"]["text/plain"])
    return answer


def pytest_configure(config: pytest.Config) -> None:
    """Each kernel starts with the watch; it finds it where this file is."""
    config.pluginmanager.register(Costs())
    ipython = tempfile.TemporaryDirectory(prefix="ipython-")
    config.add_cleanup(ipython.cleanup)
    startup = Path(ipython.name, "profile_default", "startup")
    startup.mkdir(parents=True)
    (startup / "watch.py").write_text(START, encoding="utf-8")
    os.environ["IPYTHONDIR"] = ipython.name
