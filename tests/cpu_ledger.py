"""A pytest plugin: how many CPU seconds the tests of each folder take, beside the stored ones.

``pytest -p tests.cpu_ledger --ledger show`` prints them after the tests, and which files took most;
``--ledger store`` keeps them as ``tests/ledger.json``. It judges nothing: seconds differ from
processor to processor, and what counts is whether a folder's share has grown.

Counted is what the test processes used, with all that they started and waited for: kernels,
JupyterLab, Chromium. What runs in a sandbox is not, since its parent does not wait for it.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

LEDGER = "tests/ledger.json"
STARTING = "starting and collecting"
MOST = 10  # files that are named


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--ledger",
        choices=("show", "store"),
        help="CPU seconds of each folder: show them beside the stored ones, or store them",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--ledger"):
        config.pluginmanager.register(Ledger(config), "cpu-ledger")


def used() -> float:
    """CPU seconds of this process and of everything it has started, so far."""
    total = sum(os.times()[:4])
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has just ended
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


class Ledger:
    """Charges what was used since the last time to the file whose tests have just run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seconds: Counter[str] = Counter()
        self._before = 0.0

    def charge(self, name: str) -> None:
        now = used()
        self._seconds[name] += max(now - self._before, 0.0)
        self._before = now

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        result = yield
        self.charge(STARTING)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Iterator[None]:
        result = yield
        if nextitem is None or nextitem.path != item.path:
            self.charge(str(item.path.relative_to(self._config.rootpath)))
        return result

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["cpu_seconds"] = dict(self._seconds)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """One of the processes that run the tests side by side has ended."""
        self._seconds.update(getattr(node, "workeroutput", {}).get("cpu_seconds", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if hasattr(self._config, "workeroutput"):
            return
        ledger = self._config.rootpath / LEDGER
        stored = json.loads(ledger.read_text(encoding="utf-8")) if ledger.exists() else {}
        terminalreporter.section("CPU seconds")
        now = by_folder(self._seconds)
        for line in [*table(now, stored), *most(self._seconds)]:
            terminalreporter.write_line(line)
        if self._config.getoption("--ledger") == "store":
            rounded = {name: round(seconds) for name, seconds in sorted(now.items())}
            ledger.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def by_folder(seconds: Mapping[str, float]) -> dict[str, float]:
    """The sums over the files of each folder; what is no file stays as it is."""
    sums: Counter[str] = Counter()
    for name, spent in seconds.items():
        sums[str(Path(name).parent) if "/" in name else name] += spent
    return dict(sums)


def most(seconds: Mapping[str, float]) -> list[str]:
    """The files that took most, a line each."""
    return [f"{spent:>6.0f}  {name}" for name, spent in Counter(seconds).most_common(MOST)]


def table(now: Mapping[str, float], stored: Mapping[str, float]) -> list[str]:
    """A line for each folder, with the stored seconds beside those of now, and one for all."""
    rows = [(name, now.get(name, 0.0), stored.get(name, 0.0)) for name in sorted({*now, *stored})]
    rows.append(("all", sum(now.values()), sum(stored.values())))
    return [f"{'':<24}{'now':>6}{'stored':>8}", *(f"{n:<24}{a:>6.0f}{b:>8.0f}" for n, a, b in rows)]
