"""The quiz in JupyterLab: every kind of question by mouse and by keyboard, and what it keeps."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from birnn_course.questions.bank import Question, bank, practice
from browser.axe import violations
from browser.lab import SCRATCH, CourseServer, Lab
from browser.quizzes import give, position_of
from browser.shown import first_of_each_kind

pytestmark = pytest.mark.browser

UNIT = "01"
QUESTIONS = practice(UNIT, deeper=False)
BY_KIND = first_of_each_kind()


def test_the_unit_has_all_kinds_of_questions() -> None:
    assert {question.unit for question in BY_KIND.values()} == {UNIT}


def show_quiz(lab: Lab) -> Locator:
    """Run a cell that shows the quiz, in a new first cell of the notebook."""
    output = lab.insert_and_run(f"from birnn_course import quiz\nquiz({UNIT!r})")
    panel = output.locator(".birnn-quiz")
    expect(panel).to_be_visible()
    return panel


def go_to(panel: Locator, question: Question, by_keyboard: bool) -> None:
    order = [q.id for q in QUESTIONS]
    for _ in order:
        number = int(panel.locator(".birnn-heading").inner_text().split()[1])
        target = order.index(question.id) + 1
        if number == target:
            return
        name = "Next question" if number < target else "Previous question"
        button = panel.get_by_role("button", name=name)
        if by_keyboard:
            button.focus()
            panel.page.keyboard.press("Enter")
        else:
            button.click()
        expect(panel.locator(".birnn-heading")).to_be_focused()


@pytest.mark.parametrize(
    "by_keyboard", [pytest.param(False, marks=pytest.mark.full), True], ids=["mouse", "keyboard"]
)
def test_every_kind_answered_wrong_and_right(scratch: Lab, by_keyboard: bool) -> None:
    panel = show_quiz(scratch)
    status = panel.get_by_role("status")
    for question in BY_KIND.values():
        go_to(panel, question, by_keyboard)
        for right in (False, True):
            give(panel, question, right, by_keyboard)
            expect(status).to_contain_text("✓ Right." if right else "✗ Not yet")
            if by_keyboard:  # answering rebuilds nothing, so the focus is where it was
                expect(panel.get_by_role("button", name="Check answer")).to_be_focused()
    assert scratch.errors() == []
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"quiz-{theme.lower()}")


def test_answers_are_back_after_a_kernel_restart(scratch: Lab) -> None:
    panel = show_quiz(scratch)
    right = answer_one(panel)
    panel.evaluate("node => { node.dataset.before = 'restart'; }")
    scratch.restart_kernel()
    scratch.command("notebook:run-cell")  # the cell that shows the quiz, again
    expect(panel).not_to_have_attribute("data-before", "restart")
    assert_answered(panel, right)


@pytest.mark.full
def test_answers_are_back_after_a_reload_of_the_page(scratch: Lab) -> None:
    panel = show_quiz(scratch)
    right = answer_one(panel)
    panel.evaluate("node => { node.dataset.before = 'reload'; }")
    scratch.command("docmanager:save")
    scratch.page.reload()
    scratch.wait_for_kernel(SCRATCH)
    # The kernel ran on, so the widget is there again without running its cell.
    expect(panel).to_be_visible()
    expect(panel).not_to_have_attribute("data-before", "reload")
    assert_answered(panel, right)
    # And it still answers.
    give(panel, BY_KIND["one"], right=False, by_keyboard=False)
    expect(panel.get_by_role("status")).to_contain_text("✗ Not yet")
    assert scratch.errors() == []


def answer_one(panel: Locator) -> int:
    """Answer the question of kind *one* right; returns the option that is right."""
    question = BY_KIND["one"]
    go_to(panel, question, by_keyboard=False)
    give(panel, question, right=True, by_keyboard=False)
    expect(panel.get_by_role("status")).to_contain_text("✓ Right.")
    return next(i for i, answer in enumerate(question.answers) if answer.right)


def assert_answered(panel: Locator, right: int) -> None:
    go_to(panel, BY_KIND["one"], by_keyboard=False)
    expect(panel.get_by_role("status")).to_contain_text("✓ Right.")
    expect(position_of(panel, right)).to_be_checked()


def test_the_working_copy_holds_no_key(scratch: Lab, server: CourseServer) -> None:
    answer_one(show_quiz(scratch))
    scratch.command("docmanager:save")
    stored = (server.copy / SCRATCH).read_text()
    assert "quiz(" in nbformat.reads(stored, as_version=4).cells[0].source
    for question in bank().values():
        for answer in question.answers:
            assert answer.feedback[:40] not in stored


def test_dots_and_the_end_say_how_it_went(scratch: Lab) -> None:
    asked = [q for q in QUESTIONS if q.kind == "one"][:3]
    panel = scratch.insert_and_run(
        "from birnn_course.questions.bank import bank\n"
        "from birnn_course.questions.widget import Quiz\n"
        f"Quiz([bank()[name] for name in {[q.id for q in asked]}], remember=False)"
    ).locator(".birnn-quiz")
    heading, keyboard = panel.locator(".birnn-heading"), scratch.page.keyboard
    for question, right in zip(asked, (True, False), strict=False):
        give(panel, question, right, by_keyboard=False)
        expect(panel.get_by_role("status")).to_contain_text("✓" if right else "✗")
        panel.get_by_role("button", name="Next question").click()
    for number, state in enumerate(("right", "not yet", "no answer yet"), 1):
        dot = panel.get_by_role("button", name=f"Question {number}: {state}", exact=True)
        expect(dot).to_have_attribute("tabindex", "0" if number == 3 else "-1")
    dot.focus()
    keyboard.press("ArrowLeft")
    expect(heading).to_have_text("Question 2 of 3")
    keyboard.press("ArrowRight")
    expect(dot).to_be_focused()
    panel.get_by_role("button", name="How it went").click()
    expect(heading).to_have_text("1 of 3 right")
    expect(panel).to_contain_text(f"One idea to repeat: Question 2{asked[1].place}")
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"quiz-end-{theme.lower()}")
        assert violations(scratch.page, ".birnn-quiz") == []
    panel.get_by_role("button", name="Go on at question 3").click()
    give(panel, asked[2], right=True, by_keyboard=True)
    panel.get_by_role("button", name="How it went").click()
    panel.get_by_role("button", name="Question 2", exact=True).click()
    give(panel, asked[1], right=True, by_keyboard=True)
    expect(panel.get_by_role("status")).to_contain_text("✓ Right.")
    panel.locator(".birnn-dot").last.click()
    panel.get_by_role("button", name="How it went").click()
    expect(heading).to_be_focused()
    expect(panel).to_contain_text("Nothing to repeat. Well done!")
    assert scratch.errors() == []
