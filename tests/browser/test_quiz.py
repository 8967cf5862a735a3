"""The quiz in JupyterLab: every kind of question by mouse and by keyboard, in both themes."""

from __future__ import annotations

import nbformat
import pytest
from playwright.sync_api import Locator, expect

from birnn_course.course import UNITS
from birnn_course.questions.bank import Question, bank
from browser.conftest import Lab

pytestmark = pytest.mark.browser

# The first question of each kind
QUESTIONS = [question for question in bank().values() if question.unit == "01"]
BY_KIND = {question.kind: question for question in reversed(QUESTIONS)}
WRONG = {kind: next(a for a in q.answers if not a.right) for kind, q in BY_KIND.items()}


def show_quiz(lab: Lab) -> Locator:
    """Run a cell that shows the quiz, in a new first cell of the notebook."""
    lab.insert_and_run("from birnn_course import quiz\nquiz('01')")
    panel = lab.page.locator(".jp-OutputArea .birnn-quiz")
    expect(panel).to_be_visible(timeout=30_000)
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


def position_of(panel: Locator, value: int) -> Locator:
    return panel.locator(f"input[value='{value}']")


def give(panel: Locator, question: Question, right: bool, by_keyboard: bool) -> None:
    """Give a right or a wrong answer and send it."""
    keyboard = panel.page.keyboard
    if question.kind in ("one", "several"):
        wanted = {i for i, answer in enumerate(question.answers) if answer.right == right}
        wanted = wanted if right else {min(wanted)}
        for i in range(len(question.answers)):
            box = position_of(panel, i)
            if question.kind == "several" and box.is_checked() != (i in wanted):
                if by_keyboard:
                    box.focus()
                    keyboard.press("Space")
                else:
                    box.click()
        if question.kind == "one" and by_keyboard:
            panel.locator("input[type='radio']").first.focus()
            keyboard.press("Space")
            while not position_of(panel, min(wanted)).is_checked():
                keyboard.press("ArrowDown")
        elif question.kind == "one":
            position_of(panel, min(wanted)).click()
    else:
        text = question.right[0].text if right else WRONG[question.kind].text
        field = panel.locator("input[type='text'], textarea")
        if by_keyboard:
            field.focus()
            keyboard.press("Control+A")
            keyboard.type(text.rstrip("\n"))
        else:
            field.fill(text)
    button = panel.get_by_role("button", name="Check answer")
    if by_keyboard:
        button.focus()
        keyboard.press("Enter")
    else:
        button.click()


@pytest.mark.parametrize("by_keyboard", [False, True], ids=["mouse", "keyboard"])
def test_every_kind_answered_wrong_and_right(lab: Lab, by_keyboard: bool) -> None:
    panel = show_quiz(lab)
    status = panel.get_by_role("status")
    for question in BY_KIND.values():
        go_to(panel, question, by_keyboard)
        for right in (False, True):
            give(panel, question, right, by_keyboard)
            expect(status).to_contain_text("✓ Right." if right else "✗ Not yet", timeout=20_000)
            if by_keyboard:  # answering rebuilds nothing, so the focus is where it was
                expect(panel.get_by_role("button", name="Check answer")).to_be_focused()
    assert lab.errors() == []
    lab.screenshot(f"quiz-{'keyboard' if by_keyboard else 'mouse'}")


def test_answers_are_back_after_a_kernel_restart(lab: Lab) -> None:
    panel = show_quiz(lab)
    question = BY_KIND["one"]
    go_to(panel, question, by_keyboard=False)
    give(panel, question, right=True, by_keyboard=False)
    expect(panel.get_by_role("status")).to_contain_text("✓ Right.")
    panel.evaluate("node => { node.dataset.before = 'restart'; }")
    lab.restart_kernel()
    lab.command("notebook:run-cell")  # the cell that shows the quiz, again
    expect(panel).not_to_have_attribute("data-before", "restart", timeout=30_000)
    go_to(panel, question, by_keyboard=False)
    expect(panel.get_by_role("status")).to_contain_text("✓ Right.")
    right = next(i for i, answer in enumerate(question.answers) if answer.right)
    expect(position_of(panel, right)).to_be_checked()


def test_nothing_stands_in_the_way_of_anybody(lab: Lab) -> None:
    panel = show_quiz(lab)
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.set_theme(theme)
        for question in BY_KIND.values():
            go_to(panel, question, by_keyboard=False)
            give(panel, question, right=False, by_keyboard=False)
            expect(panel.get_by_role("status")).to_contain_text("✗ Not yet", timeout=20_000)
            panel.locator("summary").first.click()
            assert lab.violations(".birnn-quiz") == [], (theme, question.kind)
        lab.screenshot(f"quiz-{theme.split()[1].lower()}")


def test_a_quiz_that_stands_in_the_way_would_be_found(lab: Lab) -> None:
    panel = show_quiz(lab)
    panel.evaluate("node => { node.style.color = '#777'; node.style.background = '#888'; }")
    assert any("color-contrast" in found for found in lab.violations(".birnn-quiz"))
    go_to(panel, BY_KIND["shape"], by_keyboard=False)
    panel.locator("input").evaluate("node => node.parentNode.replaceWith(node)")
    assert any("label" in found for found in lab.violations(".birnn-quiz"))


def test_the_working_copy_holds_no_key(lab: Lab) -> None:
    show_quiz(lab)
    lab.command("docmanager:save")
    stored = (lab.server.copy / UNITS[0].lesson).read_text()
    assert nbformat.reads(stored, as_version=4)
    for question in bank().values():
        for answer in question.answers:
            assert answer.feedback[:40] not in stored
