"""How a test answers a question of a quiz, by mouse or by keyboard."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from birnn_course.questions.bank import Question


def position_of(panel: Locator, value: int) -> Locator:
    """The option that stands at ``value`` in the bank; the page shuffles them."""
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
            for _ in question.answers:
                if position_of(panel, min(wanted)).is_checked():
                    break
                keyboard.press("ArrowDown")
            expect(position_of(panel, min(wanted))).to_be_checked()
        elif question.kind == "one":
            position_of(panel, min(wanted)).click()
    else:
        wrong = next(answer for answer in question.answers if not answer.right)
        text = question.right[0].text if right else wrong.text
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
