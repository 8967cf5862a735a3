"""One pass in Jupyter Notebook 7, which shows the same widgets in another page."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browser.axe import violations
from browser.conftest import serving
from browser.lab import SCRATCH, TOKEN, Lab, Server, write_scratch
from browser.quizzes import give
from browser.shown import QUIZZES, cell
from browser.test_closed import (
    assert_each_is_alive_again,
    assert_each_says_what_to_do,
    reopen,
    run_each,
)

from conftest import ROOT, unused_port

pytestmark = [pytest.mark.browser, pytest.mark.full]

# Notebook 7 comes with nbgrader, which is installed apart from the rest.
APART = ROOT / ".venv" / "nbgrader"


@pytest.fixture(scope="module")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    assert (APART / "notebook").is_dir(), "run: make .venv/nbgrader"
    folder = tmp_path_factory.mktemp("notebook7")
    work = folder / "work"
    work.mkdir()
    write_scratch(work)
    port = unused_port()
    command = [
        *(sys.executable, "-m", "notebook", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={work}"),
        "--JupyterNotebookApp.expose_app_in_browser=True",
    ]
    environment = {
        "PYTHONPATH": str(APART),
        "JUPYTERLAB_DIR": str(APART / "share" / "jupyter" / "lab"),  # its settings' schemas
    }
    yield from serving(Server(folder, port, command, environment))


def opened(server: Server, page: Page) -> Lab:
    """The empty notebook, in Notebook 7's page."""
    notebook = Lab(page, server)
    notebook.open(f"{server.url}/notebooks/{SCRATCH}?token={TOKEN}")
    return notebook


def test_a_quiz_is_answered_and_a_viewer_moved(notebook7: Server, page: Page) -> None:
    notebook = opened(notebook7, page)
    assert page.evaluate("() => window.jupyterapp.name") == "Jupyter Notebook"
    panel = notebook.insert_and_run(cell("quiz:one")).locator(".birnn-quiz")
    expect(panel).to_be_visible()
    for right in (False, True):
        give(panel, QUIZZES["quiz:one"], right, by_keyboard=True)
        answer = "✓ Right." if right else "✗ Not yet"
        expect(panel.get_by_role("status")).to_contain_text(answer)
    viewer = notebook.insert_and_run(cell("packing_explorer")).locator(".birnn-panel")
    expect(viewer).to_be_visible()
    viewer.get_by_role("radio", name="packed").focus()
    page.keyboard.press("ArrowDown")
    expect(viewer.get_by_role("status")).to_contain_text(
        "there are 5 steps, not the 6 that went in"
    )
    assert notebook.errors() == []
    notebook.screenshot("notebook7")


def test_a_closed_notebook_says_what_to_do(notebook7: Server, page: Page) -> None:
    notebook = opened(notebook7, page)
    run_each(notebook)
    reopen(notebook)
    assert_each_says_what_to_do(notebook)
    notebook.screenshot("notebook7-closed")
    assert_each_is_alive_again(notebook)


def test_explorer_guess_and_result_by_mouse_and_keyboard(notebook7: Server, page: Page) -> None:
    notebook = opened(notebook7, page)
    panel = notebook.insert_and_run(cell("reading_explorer")).locator(".bx")
    panel.locator(".bx-answer").nth(1).click()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".bx-answer").nth(2)).to_be_focused()
    expect(panel.get_by_role("status")).to_contain_text("Output 2 (t) has read cit")
    panel.get_by_role("radio", name="both ways").focus()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".bx-band")).to_have_count(1)
    panel.get_by_role("textbox").fill("cell")
    expect(panel.get_by_role("status")).to_contain_text("Output 2 (l) has read cel")
    assert violations(page, ".bx") == []
    result = notebook.insert_and_run(cell("measured")).locator(".bg")
    expect(result.get_by_role("status")).to_contain_text("No guess. Measured: ≈ 80.2 %.")
    asked = notebook.insert_and_run(cell("guess")).locator(".bg").first
    asked.get_by_role("slider").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    result_text = notebook.notebook().get_by_role("status").filter(has_text="Measured")
    expect(result_text).to_have_text("You: 48 %. Measured: ≈ 80.2 %.")
    drawing = notebook.insert_and_run(cell("guess:curve")).locator(".bg-drawing")
    drawing.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowUp")
    expect(drawing.locator(".bg-dot")).to_have_count(3)
    assert violations(page, ".bg") == []
    assert notebook.errors() == []
    notebook.screenshot("notebook7-explorer")


def test_a_slice_by_mouse_and_keyboard(notebook7: Server, page: Page) -> None:
    notebook = opened(notebook7, page)
    panel = notebook.insert_and_run(cell("shape_explorer")).locator(".bs")
    panel.locator(".bs-pick").nth(2).click()
    page.keyboard.press("ArrowRight")
    expect(panel.locator(".bs-pick").nth(3)).to_be_focused()
    expect(panel.get_by_role("status")).to_contain_text("output[:, 3] has the shape (3, 8)")
    assert violations(page, ".bs") == [] and notebook.errors() == []
    notebook.screenshot("notebook7-shapes")


def test_the_limit_by_keyboard(notebook7: Server, page: Page) -> None:
    notebook = opened(notebook7, page)
    panel = notebook.insert_and_run(cell("limit_explorer")).locator(".bl")
    panel.get_by_role("slider").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(panel.locator(".bl-fraction")).to_have_text("1")
    assert violations(page, ".bl") == [] and notebook.errors() == []
    notebook.screenshot("notebook7-limit")
