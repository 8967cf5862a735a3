"""A notebook that was closed and is opened again: its widgets are gone, and their cells say so."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from browser.lab import SCRATCH, Lab
from browser.shown import cell

pytestmark = pytest.mark.browser

GONE = "model not found"
# What each cell must say, once nothing of it is alive.
KEPT = {
    "quiz": "Run this cell to answer them",
    "guess": "Run this cell to guess.",
    "measured": "Run this cell to see your guess beside it.",
    "packing_explorer": "Run this cell to explore.",
    "shape_explorer": "Run this cell to explore.",
    "reading_explorer": "Run this cell to explore.",
}


def run_each(notebook: Lab) -> None:
    """A cell for each; the last of :data:`KEPT` stands on top."""
    for name in KEPT:
        output = notebook.insert_and_run(cell(name))
        expect(output.locator(".birnn-panel")).to_be_visible()
        expect(output.locator(".birnn-kept")).to_be_hidden()


def outputs(notebook: Lab) -> dict[str, Locator]:
    areas = notebook.notebook().locator(".jp-CodeCell .jp-OutputArea")
    return {name: areas.nth(i) for i, name in enumerate(reversed(KEPT))}


def reopen(notebook: Lab) -> None:
    """Save, end the kernel, and open the page anew, which starts another kernel."""
    notebook.command("docmanager:save")
    notebook.server.end_kernels()
    notebook.page.reload()
    notebook.wait_for_kernel(SCRATCH)


def assert_each_says_what_to_do(notebook: Lab) -> None:
    for name, output in outputs(notebook).items():
        # By now JupyterLab knows that the model is gone; it says so where nobody sees it.
        expect(output.get_by_text(GONE)).to_have_count(1)
        expect(output.get_by_text(GONE)).to_be_hidden()
        expect(output.get_by_text(KEPT[name])).to_be_visible()
        expect(output.locator(".birnn-panel")).to_have_count(0)


def assert_each_is_alive_again(notebook: Lab) -> None:
    notebook.run_all()
    for output in outputs(notebook).values():
        expect(output.locator(".birnn-panel")).to_be_visible()
        expect(output.locator(".birnn-kept")).to_be_hidden()
    assert notebook.errors() == []


def test_a_closed_notebook_says_what_to_do(scratch: Lab) -> None:
    run_each(scratch)
    reopen(scratch)
    assert_each_says_what_to_do(scratch)
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"closed-{theme.lower()}")
    assert_each_is_alive_again(scratch)
