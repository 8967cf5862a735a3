"""Every viewer in JupyterLab, moved by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from browser.lab import Lab
from browser.quizzes import give
from browser.shown import QUIZZES, SHOWN, cell

pytestmark = pytest.mark.browser

# These need no kernel; see test_reading.py, test_limit.py and test_shapes.py.
ALONE = ("reading_explorer", "limit_explorer", "shape_explorer")
VIEWERS = [name for name in SHOWN if name.endswith("_explorer") and name not in ALONE]
NO_ANSWER = "No answer yet. If the kernel was restarted, run this cell again to go on."
NOT_KEPT = "Your guess is not kept yet. If the kernel was restarted, run this cell again to guess."


def shown(lab: Lab, name: str) -> Locator:
    panel = lab.insert_and_run(cell(name)).locator(".birnn-panel")
    expect(panel).to_be_visible()
    return panel


@pytest.mark.parametrize("name", VIEWERS)
def test_a_viewer_follows_the_keyboard(scratch: Lab, name: str) -> None:
    panel = shown(scratch, name)
    picture, sentence = panel.locator(".birnn-picture"), panel.get_by_role("status")
    keyboard = scratch.page.keyboard
    controls = panel.locator(".birnn-controls > *").count()

    # From control to control by Tab alone; an arrow key or a letter moves each, and the focus
    # stays in it.
    start = picture.inner_html(), sentence.inner_text()
    seen = {start}
    panel.locator("input").first.focus()
    for _ in range(controls):
        focused = panel.locator("input:focus")
        before, kind = focused.input_value(), focused.get_attribute("type")
        at_the_end = kind == "number" and before == focused.get_attribute("max")
        if kind == "text":
            keyboard.press("s")
        else:
            keyboard.press("ArrowDown" if at_the_end or kind == "radio" else "ArrowUp")
        expect(focused).not_to_have_value(before)
        scratch.wait_for_widgets()
        seen.add((picture.inner_html(), sentence.inner_text()))
        keyboard.press("Tab")
    assert not panel.locator("input:focus").count()  # each control was met once
    # Not every move shows: a sorted batch is packed in the same order either way.
    assert len(seen) > controls / 2

    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        panel.scroll_into_view_if_needed()
        scratch.screenshot(f"{name}-{theme.lower()}")
    assert scratch.errors() == []


def test_a_viewer_says_what_each_key_changed(scratch: Lab) -> None:
    panel = shown(scratch, "packing_explorer")
    sentence, keyboard = panel.get_by_role("status"), scratch.page.keyboard
    expect(sentence).to_contain_text("the 11 real entries")
    expect(sentence).to_contain_text("batch_sizes [4, 3, 2, 1, 1]")

    # Tab from field to field and into the groups of radio buttons; only Tab and arrows.
    panel.get_by_label("Length of A").focus()
    keyboard.press("ArrowUp")
    expect(sentence).to_contain_text("batch_sizes [4, 3, 3, 1, 1]")
    keyboard.press("Tab")
    expect(panel.get_by_label("Length of B")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(sentence).to_contain_text("batch_sizes [4, 3, 3, 1]")
    for _ in range(3):  # C, D, enforce_sorted
        keyboard.press("Tab")
    keyboard.press("ArrowDown")
    expect(sentence).to_contain_text("PyTorch refuses to pack this")
    keyboard.press("ArrowUp")
    for _ in range(2):  # total_length, Show
        keyboard.press("Tab")
    keyboard.press("ArrowUp")
    expect(panel.get_by_role("radio", name="sorted", exact=True)).to_be_checked()
    expect(sentence).to_contain_text("The longest is first: B, A, D, C.")
    keyboard.press("ArrowUp")
    expect(sentence).to_have_text("11 of 24 places are real, 13 are pads.")
    scratch.screenshot("explorer")


def test_a_picture_of_other_values_is_greyed(scratch: Lab) -> None:
    panel = shown(scratch, "packing_explorer")
    length = panel.get_by_label("Length of A")
    length.fill("14")
    expect(panel.get_by_role("status")).to_contain_text("type a whole number from 0 to 7")
    expect(panel).to_have_class("birnn-panel birnn-stale")
    expect(panel.get_by_text("still the one before")).to_be_visible()
    length.fill("3")
    expect(panel.get_by_role("status")).to_contain_text("the 12 real entries")
    expect(panel).to_have_class("birnn-panel")
    expect(panel.get_by_text("still the one before")).to_be_hidden()


def test_nobody_waits_for_a_kernel_that_has_forgotten(scratch: Lab) -> None:
    scratch.insert_and_run(cell("guess"))
    guess = scratch.notebook().locator(".bg")
    guessed = guess.get_by_role("status")
    guess.get_by_role("slider").press("ArrowRight")
    expect(guessed).to_have_text("Your guess: 51 %. Go on and see.")
    scratch.insert_and_run(cell("quiz:one"))
    scratch.insert_and_run(f"{cell('quiz').removesuffix(')')}, mode='lecture')")
    lecture = scratch.notebook().locator(".birnn-lecture")
    expect(lecture).to_be_visible()
    viewer = shown(scratch, "packing_explorer")
    quiz = scratch.notebook().locator(".birnn-quiz").last
    expect(quiz).to_be_visible()
    scratch.restart_kernel()
    guess.get_by_role("slider").press("ArrowRight")
    expect(guessed).to_have_text("Your guess: 52 %.")  # nothing is promised meanwhile
    viewer.get_by_role("radio", name="padded").check()
    expect(viewer).to_have_class("birnn-panel birnn-stale")
    give(quiz, QUIZZES["quiz:one"], right=True, by_keyboard=False)
    lecture.get_by_role("button", name="Reveal").click()
    for panel in (quiz, viewer, lecture):
        expect(panel.get_by_role("status")).to_have_text(NO_ANSWER)
    expect(guessed).to_have_text(NOT_KEPT)
    expect(viewer).to_have_class("birnn-panel birnn-stale")
