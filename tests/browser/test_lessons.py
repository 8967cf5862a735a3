"""The course as its reader sees it: opened by ``birnn lab``, run in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from birnn_course.course import UNITS, Unit
from browser.conftest import Lab

pytestmark = pytest.mark.browser


def test_a_newcomer_sees_the_first_lesson_and_its_contents(lab: Lab) -> None:
    page = lab.page
    first = UNITS[0]
    expect(page.locator(".jp-NotebookPanel h1").first).to_contain_text(first.title)
    expect(page.locator("#table-of-contents")).to_be_visible()
    expect(page.locator("#table-of-contents")).to_contain_text("What do you believe?")
    # no question about news, no other message over the lesson
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    # and nothing to save yet
    assert not page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab.screenshot("first-start")


def test_lesson_01_runs_and_its_viewer_moves_by_keyboard(lab: Lab) -> None:
    page = lab.page
    lab.open_notebook("01_bidirectional.ipynb")
    lab.run_all()
    assert lab.errors() == []
    counts = lab.notebook().locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
    assert [text for text in counts if text.strip("[]: ")] == [
        f"[{n}]:" for n in range(1, len(counts) + 1)
    ]
    panel = lab.notebook().locator(".birnn-panel:not(.birnn-quiz)")
    sentence = panel.get_by_role("status")
    expect(sentence).to_have_text("Output 2 has seen inputs 0 to 2; 5 of 8 cannot reach it.")

    # Tab into the first group of radio buttons, then arrows; from there on only Tab and arrows.
    panel.get_by_role("radio", name="left to right").focus()
    page.keyboard.press("ArrowDown")
    expect(sentence).to_have_text("Output 2 has seen inputs 2 to 7; 2 of 8 cannot reach it.")
    page.keyboard.press("ArrowDown")
    expect(panel.get_by_role("radio", name="both ways")).to_be_checked()
    expect(sentence).to_have_text("Output 2 has seen inputs 0 to 7; none of 8 cannot reach it.")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")  # cell
    page.keyboard.press("Tab")  # sequence length
    expect(panel.get_by_label("Sequence length")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(sentence).to_have_text("Output 2 has seen inputs 0 to 2; 6 of 9 cannot reach it.")
    page.keyboard.press("Tab")  # answers late
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")  # output step
    page.keyboard.press("ArrowUp")
    expect(sentence).to_have_text("Output 3 has seen inputs 0 to 4; 4 of 9 cannot reach it.")
    lab.screenshot("explorer")
    for key in ("Backspace", "9"):
        page.keyboard.press(key)
    expect(sentence).to_contain_text("has the steps 0 to 8; choose one of them.")

    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.screenshot(f"01-{theme.split()[1].lower()}", whole=True)


@pytest.mark.full
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.number)
def test_every_lesson_runs_top_to_bottom(lab: Lab, unit: Unit) -> None:
    lab.open_notebook(unit.lesson)
    lab.run_all()
    assert lab.errors() == []
    lab.screenshot(f"{unit.number}-whole", whole=True)


def test_the_start_runs_and_the_diagnostic_is_answered_by_keyboard(lab: Lab) -> None:
    page = lab.page
    lab.run_all()
    assert lab.errors() == []
    panel = lab.notebook().locator(".birnn-quiz")
    status = panel.get_by_role("status")
    panel.locator(".birnn-option input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")  # how sure
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(status).to_have_text("Noted.")
    panel.get_by_role("button", name="Next question").click()
    panel.get_by_label("I don't know yet").check()
    panel.get_by_role("button", name="Note answer").click()
    expect(status).to_have_text("Noted, and nothing recorded.")
    lab.run_last_code_cell()
    expect(lab.notebook()).to_contain_text("1 of 12 questions answered.")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        lab.screenshot(f"00-{theme.split()[1].lower()}", whole=True)


def test_an_error_in_a_cell_would_be_seen(lab: Lab) -> None:
    """The check for errors above can fail."""
    lab.insert_and_run("1 / 0")
    expect(lab.page.locator(".jp-OutputArea-output").first).to_contain_text("ZeroDivisionError")
    assert len(lab.errors()) == 1
