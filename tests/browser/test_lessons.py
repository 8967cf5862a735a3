"""The course as its reader sees it: opened by ``birnn lab``, run in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from birnn_course.course import UNITS, Unit
from browser.axe import RENDERED, violations
from browser.conftest import as_a_newcomer, pictured
from browser.lab import WINDOW, CourseServer, Lab, new_page

pytestmark = pytest.mark.browser

QUICKEST = UNITS[2]  # of those with a viewer
TEXT = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-RenderedMarkdown"
OUTPUT = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"


@pytest.fixture(scope="module")
def _window(server: CourseServer, browser: Browser) -> Iterator[Lab]:
    page = new_page(browser)
    yield from as_a_newcomer(server, page)
    page.context.close()


@pytest.fixture
def first_hour(_window: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One window, in which the first tests follow one another as a newcomer's steps do."""
    for _ in pictured(_window.page, request):
        yield _window


def test_a_newcomer_sees_the_first_lesson_and_its_contents(first_hour: Lab) -> None:
    lab, page = first_hour, first_hour.page
    first = UNITS[0]
    expect(page.locator(".jp-NotebookPanel h1").first).to_contain_text(first.title)
    expect(page.locator("#table-of-contents")).to_be_visible()
    expect(page.locator("#table-of-contents")).to_contain_text("Where should you slow down?")
    # no question about news, no other message over the lesson
    assert page.locator(".jp-Dialog, .Toastify__toast").count() == 0
    # and nothing to save yet
    assert not page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty")
    lab.screenshot("first-start")


# Letters in each line of the paragraphs that fill some.
LINES = """() => [...document.querySelectorAll('.jp-RenderedMarkdown p')]
    .map(node => [node.textContent.length,
                  Math.round(node.clientHeight / parseFloat(getComputedStyle(node).lineHeight))])
    .filter(([, lines]) => lines > 2).map(([letters, lines]) => letters / lines)"""
SMALL: ViewportSize = {"width": 1024, "height": 768}


def test_a_line_of_text_has_about_75_letters(first_hour: Lab) -> None:
    """Also in a small window whose contents are folded, where nothing is cut off."""
    lab, page = first_hour, first_hour.page
    lab.command("application:toggle-left-area")
    for window in (WINDOW, SMALL):
        page.set_viewport_size(window)
        assert 60 < max(page.evaluate(LINES)) <= 76, page.evaluate(LINES)
    seen = lab.notebook().locator(".jp-WindowedPanel-outer")
    assert seen.evaluate("node => node.scrollWidth <= node.clientWidth")
    lab.screenshot("lesson-1024")
    planted = page.add_style_tag(content=".jp-RenderedMarkdown p { max-width: none !important; }")
    assert max(page.evaluate(LINES)) > 76
    planted.evaluate("node => node.remove()")
    page.set_viewport_size(WINDOW)
    lab.command("application:toggle-left-area")


def runs_from_top_to_bottom(lab: Lab) -> None:
    lab.run_all()
    assert lab.errors() == []
    counts = lab.notebook().locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
    assert [text for text in counts if text.strip("[]: ")] == [
        f"[{n}]:" for n in range(1, len(counts) + 1)
    ]


@pytest.mark.full
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.number)
def test_every_lesson_runs_and_is_there_for_everybody(lab: Lab, unit: Unit) -> None:
    """Its texts and its outputs, in both themes."""
    lab.open_notebook(unit.lesson)
    runs_from_top_to_bottom(lab)
    for theme in ("Light", "Dark"):
        lab.set_theme(theme)
        with lab.full_height():
            lab.screenshot(f"{unit.number}-{theme.lower()}")
            assert violations(lab.page, OUTPUT) == []
            found = violations(lab.page, TEXT)
            assert [str(case) for case in found if case.rule not in RENDERED] == []


def test_the_start_runs_and_the_diagnostic_is_answered_by_keyboard(first_hour: Lab) -> None:
    lab, page = first_hour, first_hour.page
    lab.open_notebook(UNITS[0].lesson)
    runs_from_top_to_bottom(lab)
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
    expect(lab.notebook()).to_contain_text(
        "1 of 12 questions answered (I don't know yet is not counted)."
    )


def test_a_lesson_runs_with_its_viewer(first_hour: Lab) -> None:
    first_hour.open_notebook(QUICKEST.lesson)
    runs_from_top_to_bottom(first_hour)
    expect(first_hour.notebook().locator(".bs").first).to_be_visible()


def test_an_error_in_a_cell_would_be_seen(scratch: Lab) -> None:
    """The check for errors above can fail."""
    expect(scratch.insert_and_run("1 / 0")).to_contain_text("ZeroDivisionError")
    assert len(scratch.errors()) == 1
