"""One process to fork submissions from, for all tests that need no other; each takes seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from birnn_course.grading import classroom
from birnn_course.sandbox.outside import pool
from birnn_course.sandbox.outside.hosts import Host, Way

from conftest import require


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """As where it is graded: several threads for so little mostly wait for each other, busily."""
    torch.set_num_threads(1)


class OneHost:
    """Stands where hosts are started; the first of them serves all, and nobody ends it."""

    def __init__(self) -> None:
        self._host: Host | None = None

    def __call__(self, way: Way, seconds: float, hidden: Sequence[Path]) -> Host:
        require("bwrap")
        assert way == "many"
        if self._host is None or self._host._process.poll() is not None:
            self._host = Host("many", 60.0, ())
            self._host.end = lambda: None  # type: ignore[method-assign]
        return self._host

    def end(self) -> None:
        if self._host is not None:
            Host.end(self._host)


@pytest.fixture(scope="session")
def one_host() -> Iterator[OneHost]:
    host = OneHost()
    yield host
    host.end()


@pytest.fixture
def shared_host(one_host: OneHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sandboxes of this test share the host of the session."""
    share(one_host, monkeypatch)


def share(one_host: OneHost, patch: pytest.MonkeyPatch) -> None:
    """Let all sandboxes in this process use that host."""
    for module in (classroom, pool):
        patch.setattr(module, "Host", one_host)
