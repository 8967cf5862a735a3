"""The record of whoever grades is no student's: a submission gets one that keeps nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from birnn_course.sandbox.outside.hosts import Way
from birnn_course.sandbox.outside.pool import Job, Ran, Sandbox
from grading.classes import SECONDS

from conftest import ROOT

JOB = Job(
    [
        "from birnn_course.record import record\nrecord()",
        "import birnn_course\nbirnn_course.my_route()",
        """
import os, pathlib
def left():
    try:
        record().attempts()
    except AttributeError:
        pass
    return sorted(path.name for path in pathlib.Path(os.environ["BIRNN_HOME"]).rglob("*"))
""",
    ],
    {"left": [()]},
)
WITHOUT_STAND_IN = """
import sys
from birnn_course.sandbox.inside import host
host._STAND_IN = host.ANSWERS
host.main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the course, for whoever grades."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("BIRNN_HOME", str(home))
    return home


def run(way: Way) -> Ran:
    with Sandbox(way, SECONDS) as sandbox:
        return sandbox.run(JOB)


def assert_nothing_is_kept(way: Way, home: Path) -> None:
    ran = run(way)
    assert (ran.errors, ran.trouble, ran.outcomes["left"][0].value) == ([], "", [])
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("shared_host")
def test_no_record_is_made_in_the_sandbox(home: Path) -> None:
    assert_nothing_is_kept("many", home)


def test_no_record_is_reached_or_made_without_a_sandbox(home: Path) -> None:
    assert_nothing_is_kept("unprotected", home)


def test_without_the_stand_in_there_would_be_one(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without_stand_in.py").write_text(WITHOUT_STAND_IN)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{tmp_path}")
    monkeypatch.setattr("birnn_course.sandbox.outside.hosts.HOST", "without_stand_in")
    assert run("unprotected").outcomes["left"][0].value == ["record.sqlite3"]
    assert [path.name for path in home.iterdir()] == ["record.sqlite3"]
