"""What the suite promises of itself: without a browser it fails, and a failure leaves a picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from browser.lab import SCREENSHOTS, CourseServer, Lab, new_page

from conftest import ROOT, require

pytestmark = pytest.mark.browser

PLANTED = """
def test_planted_success(page):
    page.set_content("<h1>What nobody asks for</h1>")

def test_planted_failure(page):
    page.set_content("<h1>What was on the page</h1>")
    assert False
"""


def run(folder: Path, **environment: str) -> str:
    """The closing line of a session with a test that holds and one that does not."""
    path = folder / "test_planted.py"
    path.write_text(PLANTED)
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
    require("chromium")
    kept = SCREENSHOTS / "failed-test_planted_failure.png"
    kept.unlink(missing_ok=True)
    assert run(tmp_path).startswith("1 failed, 1 passed")
    assert not (SCREENSHOTS / "failed-test_planted_success.png").exists()
    assert kept.read_bytes().startswith(b"\x89PNG")
    kept.unlink()


@pytest.mark.full
def test_no_page_is_opened_as_another_left_it(server: CourseServer, browser: Browser) -> None:
    """JupyterLab keeps a window's layout on its server."""

    def contents() -> Locator:
        lab = Lab(new_page(browser), server)
        lab.open(server.first_address())
        return lab.page.locator("#table-of-contents")

    server.restore_layout()
    first = contents()
    expect(first).to_be_visible()
    with first.page.expect_response(
        lambda answer: answer.request.method == "PUT" and "/api/workspaces/" in answer.url
    ):
        Lab(first.page, server).command("application:toggle-left-area")
    first.page.context.close()
    second = contents()
    expect(second).to_be_hidden()
    second.page.context.close()
    server.restore_layout()
    third = contents()
    expect(third).to_be_visible()
    third.page.context.close()


def test_what_is_not_installed_is_an_error_in_continuous_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        require("no-such-program")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception):
        require("no-such-program")


@pytest.mark.full
@pytest.mark.parametrize(("ci", "outcome"), [("true", "2 errors"), ("", "2 skipped")])
def test_where_there_is_no_chromium(tmp_path: Path, ci: str, outcome: str) -> None:
    """The same, in a whole session of pytest."""
    empty = tmp_path / "empty"
    empty.mkdir()
    closing = run(tmp_path, CI=ci, PATH=str(empty))
    assert closing.startswith(outcome), closing
