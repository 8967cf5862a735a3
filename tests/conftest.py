"""What the tests share."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest
import torch
from patience import PATIENCE

from birnn_course.data import Spelling, load_spelling

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("tools", "benchmarks", "tests", "tests/notebooks")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def audits_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an audit finds hangs on no clock, as long as it is not the clock that is tested."""
    monkeypatch.setattr("birnn_course.auditing.entry.SECONDS", PATIENCE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the course for one test."""
    folder = tmp_path / "birnn-home"
    monkeypatch.setenv("BIRNN_HOME", str(folder))
    return folder


def unused_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    return unused_port()


@pytest.fixture(scope="session")
def spelling() -> Spelling:
    return load_spelling()


def require(program: str) -> str:
    """The path of a program; without it a test is skipped here, and fails where CI=true."""
    found = shutil.which(program)
    if found is None:
        message = f"{program} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found
