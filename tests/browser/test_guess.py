"""A guess in JupyterLab: by keyboard, before and after its result, and never in the way."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.axe import violations
from browser.lab import Lab

pytestmark = pytest.mark.browser

ASK = "from birnn_course import guess, measured\n"
LINE = "'How many percent of the letters?', low=0, high=100, unit='%')"


def test_a_number_is_guessed_by_keyboard_after_its_result(scratch: Lab) -> None:
    result = scratch.insert_and_run(f"{ASK}measured('01-late', 80.2, low=0, high=100, unit='%')")
    expect(result.get_by_role("status")).to_have_text("No guess. Measured: ≈ 80.2 %.")
    expect(result.locator(".bg-mark")).to_have_count(1)
    asked = scratch.insert_and_run(f"{ASK}guess('01-late', {LINE}")
    slider = asked.get_by_role("slider", name="How many percent of the letters?")
    expect(asked.locator(".bg-value")).to_have_text("?")
    slider.focus()
    for _ in range(10):
        scratch.page.keyboard.press("ArrowRight")
    expect(asked.get_by_role("status")).to_have_text("Your guess: 60 %. Go on and see.")
    below = scratch.notebook().locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea")
    expect(below.get_by_role("status")).to_have_text("You: 60 %. Measured: ≈ 80.2 %.")
    you, truth = (
        below.locator(f".bg-{name}").bounding_box() for name in ("mark.bg-you", "measured")
    )
    assert you is not None and truth is not None and you["x"] < truth["x"]
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"guess-{theme.lower()}")
        assert violations(scratch.page, ".bg") == []
    assert scratch.errors() == []


def test_one_tap_is_a_guess_and_it_is_there_tomorrow(scratch: Lab) -> None:
    source = f"{ASK}guess('01-tap', 'Which state?', choices=['the first', 'the last'])"
    asked = scratch.insert_and_run(source)
    asked.get_by_role("radio", name="the last").click()
    expect(asked.get_by_role("status")).to_have_text("Your guess: the last. Go on and see.")
    scratch.restart_kernel()
    again = scratch.insert_and_run(source)
    expect(again.get_by_role("radio", name="the last")).to_be_checked()
    result = scratch.insert_and_run(f"{ASK}measured('01-tap', 'the first')")
    expect(result.get_by_role("status")).to_have_text("You: the last. It is: the first.")
