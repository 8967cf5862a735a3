"""Every viewer in JupyterLab, moved by keyboard alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from browser.lab import Lab
from browser.quizzes import give
from browser.shown import QUIZZES, SHOWN, cell

pytestmark = pytest.mark.browser

# These need no kernel; see test_reading.py and test_limit.py.
ALONE = ("reading_explorer", "limit_explorer")
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
    # Not every move shows: another kind of cell has seen the same inputs.
    assert len(seen) > controls / 2

    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        panel.scroll_into_view_if_needed()
        scratch.screenshot(f"{name}-{theme.lower()}")
    assert scratch.errors() == []


def test_a_viewer_says_what_each_key_changed(scratch: Lab) -> None:
    panel = shown(scratch, "dependence_explorer")
    sentence, keyboard = panel.get_by_role("status"), scratch.page.keyboard
    expect(sentence).to_have_text("Output 2 has seen inputs 0 to 2; 5 of 8 cannot reach it.")

    # Tab into the first group of radio buttons, then arrows; from there on only Tab and arrows.
    panel.get_by_role("radio", name="left to right").focus()
    keyboard.press("ArrowDown")
    expect(sentence).to_have_text("Output 2 has seen inputs 2 to 7; 2 of 8 cannot reach it.")
    keyboard.press("ArrowDown")
    expect(panel.get_by_role("radio", name="both ways")).to_be_checked()
    expect(sentence).to_have_text("Output 2 has seen inputs 0 to 7; none of 8 cannot reach it.")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    keyboard.press("Tab")  # cell
    keyboard.press("Tab")  # sequence length
    expect(panel.get_by_label("Sequence length")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(sentence).to_have_text("Output 2 has seen inputs 0 to 2; 6 of 9 cannot reach it.")
    keyboard.press("Tab")  # answers late
    keyboard.press("ArrowUp")
    keyboard.press("Tab")  # output step
    keyboard.press("ArrowUp")
    expect(sentence).to_have_text("Output 3 has seen inputs 0 to 4; 4 of 9 cannot reach it.")
    scratch.screenshot("explorer")
    for key in ("Backspace", "9"):
        keyboard.press(key)
    expect(sentence).to_contain_text("has the steps 0 to 8; choose one of them.")


def test_a_picture_of_other_values_is_greyed(scratch: Lab) -> None:
    panel = shown(scratch, "dependence_explorer")
    steps = panel.get_by_label("Sequence length")
    steps.fill("14")
    expect(panel.get_by_role("status")).to_contain_text("type a whole number from 2 to 12")
    expect(panel).to_have_class("birnn-panel birnn-stale")
    expect(panel.get_by_text("still the one before")).to_be_visible()
    steps.fill("9")
    expect(panel.get_by_role("status")).to_contain_text("6 of 9 cannot reach it")
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
    viewer = shown(scratch, "dependence_explorer")
    quiz = scratch.notebook().locator(".birnn-quiz").last
    expect(quiz).to_be_visible()
    scratch.restart_kernel()
    guess.get_by_role("slider").press("ArrowRight")
    expect(guessed).to_have_text("Your guess: 52 %.")  # nothing is promised meanwhile
    viewer.get_by_role("radio", name="both ways").check()
    expect(viewer).to_have_class("birnn-panel birnn-stale")
    give(quiz, QUIZZES["quiz:one"], right=True, by_keyboard=False)
    lecture.get_by_role("button", name="Reveal").click()
    for panel in (quiz, viewer, lecture):
        expect(panel.get_by_role("status")).to_have_text(NO_ANSWER)
    expect(guessed).to_have_text(NOT_KEPT)
    expect(viewer).to_have_class("birnn-panel birnn-stale")
