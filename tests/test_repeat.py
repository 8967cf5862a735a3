"""The runner that repeats tests reports a flake as a failure, with how often and how long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from repeat import OneRun, table

from conftest import ROOT

FLAKY = """
import pathlib
import pytest

seen = pathlib.Path(__file__).with_name("seen")

def test_steady():
    pass

def test_flaky():
    first = not seen.exists()
    seen.write_text("")
    assert not first

@pytest.fixture
def ends_badly():
    yield
    raise OSError

def test_teardown(ends_badly):
    pass

@pytest.mark.skip(reason="not here")
def test_skipped():
    pass
"""


def repeat(n: int, path: Path) -> tuple[int, list[list[str]]]:
    """The exit code, and the words of each line."""
    result = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "repeat.py"), str(n), str(path)],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, [line.split() for line in result.stdout.splitlines()]


def test_a_flake_is_counted_and_not_run_away(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(FLAKY)
    code, lines = repeat(2, path)
    assert code == 1
    assert [line[0] for line in lines[:3]] == ["run", "run", "passed"]
    counted = {line[-1].partition("::")[2]: (line[0], line[1]) for line in lines[3:]}
    assert counted == {
        "test_steady": ("2", "0"),
        "test_flaky": ("1", "1"),
        "test_teardown": ("0", "2"),
    }


def test_what_fails_stands_first_then_what_is_slow() -> None:
    runs = [{"quick": OneRun(True, 1), "slow": OneRun(True, 9), "bad": OneRun(False, 2)}] * 3
    lines, all_passed = table(runs)
    assert [line.split()[-1] for line in lines[1:]] == ["bad", "slow", "quick"]
    assert not all_passed and table([{"quick": OneRun(True, 1)}])[1]
    assert not table([])[1]  # nothing that ran is no success


def test_what_cannot_run_is_an_error(tmp_path: Path) -> None:
    code, _ = repeat(1, tmp_path / "missing.py")
    assert code == 1
