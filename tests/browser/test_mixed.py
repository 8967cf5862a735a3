"""The test of questions from all units in JupyterLab: its score is told, and its clock runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from birnn_course.learner.mixed import draw
from browser.lab import Lab
from browser.quizzes import give

pytestmark = pytest.mark.browser


def test_the_score_is_told_after_the_last_answer(scratch: Lab) -> None:
    panel = scratch.insert_and_run(
        "from birnn_course import mixed_test\nmixed_test(1, n=2, units=['01'], minutes=5)"
    ).locator(".birnn-quiz")
    expect(panel).to_be_visible()
    status, clock = panel.get_by_role("status"), panel.get_by_role("timer")
    expect(clock).to_contain_text("Time left: 4:")
    first, second = draw(1, 2, ["01"])
    give(panel, first, right=True, by_keyboard=True)
    expect(status).to_contain_text("✓ Right.")
    expect(status).not_to_contain_text("points")
    panel.get_by_role("button", name="Next question").click()
    give(panel, second, right=False, by_keyboard=True)
    expect(status).to_contain_text("of 2 points.")
    expect(status).to_contain_text("Look again at unit 01")
    expect(clock).to_be_empty()
    assert scratch.errors() == []
    scratch.screenshot("mixed-test")


def test_when_the_clock_has_run_down_it_says_so(scratch: Lab) -> None:
    panel = scratch.insert_and_run(
        "from birnn_course import mixed_test\nmixed_test(minutes=0.05)"
    ).locator(".birnn-quiz")
    expect(panel.get_by_role("timer")).to_contain_text("Time left: 0:0")
    expect(panel.get_by_role("status")).to_contain_text(
        "Time is up, and what you answered is kept. 0 of",
    )
    expect(panel.get_by_role("timer")).to_contain_text("Time left: 0:00")
    assert panel.get_by_role("button", name="Check answer").is_enabled()
