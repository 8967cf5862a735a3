"""What the suite promises of itself: without a browser it fails, and a failure leaves a picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from browser.lab import SCREENSHOTS

from conftest import ROOT

pytestmark = pytest.mark.browser

PLANTED = """
def test_{name}(page):
    page.set_content("<h1>What was on the page</h1>")
    assert {holds}
"""


def run(folder: Path, name: str, holds: bool, **environment: str) -> str:
    """The closing line of a session in which a page is opened and the test holds or not."""
    path = folder / f"test_{name}.py"
    path.write_text(PLANTED.format(name=name, holds=holds))
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "browser.conftest", str(path)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.splitlines()[-1]


def test_a_failure_leaves_a_picture(tmp_path: Path) -> None:
    kept = SCREENSHOTS / "failed-test_planted_failure.png"
    kept.unlink(missing_ok=True)
    assert run(tmp_path, "planted_success", holds=True).startswith("1 passed")
    assert not (SCREENSHOTS / "failed-test_planted_success.png").exists()
    assert run(tmp_path, "planted_failure", holds=False).startswith("1 failed")
    assert kept.read_bytes().startswith(b"\x89PNG")
    kept.unlink()


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_where_there_is_no_chromium(tmp_path: Path, ci: str, outcome: str) -> None:
    """In continuous integration that is an error, elsewhere a skipped test."""
    empty = tmp_path / "empty"
    empty.mkdir()
    closing = run(tmp_path, "without", holds=True, CI=ci, PATH=str(empty))
    assert closing.startswith(outcome), closing
