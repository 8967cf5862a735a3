"""The quiz for a class in JupyterLab: by keyboard alone, readable from the last row."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Question, bank, practice
from browser.axe import violations
from browser.lab import Lab

pytestmark = pytest.mark.browser

QUESTIONS = practice("03")
ASKED = {
    "one": bank()["03-cause-of-the-error"],
    "several": next(question for question in QUESTIONS if question.kind == "several"),
    "written": bank()["03-h-n-of-the-forgotten-flag"],
}
SMALLEST = 24  # pixels

# Texts that are too small, and boxes that are too narrow for what is in them.
HARD_TO_READ = """(root, smallest) => [root, ...root.querySelectorAll('*')].flatMap(node => {
    const style = getComputedStyle(node);
    if (style.display === 'none' || !node.getClientRects().length) return [];
    const words = [...node.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const named = `${node.tagName} ${node.textContent.slice(0, 40)}`;
    const found = [];
    if ((words || node.tagName === 'INPUT') && parseFloat(style.fontSize) < smallest)
        found.push(`small: ${named}`);
    const right = root.getBoundingClientRect().right;
    if (node.getBoundingClientRect().right > right + 1 || style.display !== 'inline'
        && node.scrollWidth > node.clientWidth + 1) found.push(`wide: ${named}`);
    return found;
})"""


def show_lecture(lab: Lab, width: int = 1280, height: int = 720) -> Locator:
    lab.page.set_viewport_size({"width": width, "height": height})
    lab.insert_and_run("from birnn_course import quiz\nquiz('03', mode='lecture')")
    panel = lab.page.locator(".jp-OutputArea .birnn-lecture")
    expect(panel).to_be_visible()
    return panel


def hard_to_read(panel: Locator) -> list[str]:
    return list(panel.evaluate(f"root => ({HARD_TO_READ})(root, {SMALLEST})"))


def press(panel: Locator, name: str) -> None:
    """Go on by Tab until a button has the focus, and press it; fails if Tab does not get there."""
    wanted = panel.get_by_role("button", name=name, exact=True)
    for _ in range(30):
        if wanted.evaluate("node => node === document.activeElement"):
            break
        panel.page.keyboard.press("Tab")
    expect(wanted).to_be_focused()
    outline = wanted.evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid", f"nobody sees that {name} has the focus"
    panel.page.keyboard.press("Enter")


def go_to(panel: Locator, question: Question) -> None:
    """By *Next question*, which leads to the heading of the next one."""
    heading = panel.locator(".birnn-heading")
    for number in range(1, len(QUESTIONS) + 1):
        expect(heading).to_have_text(f"Question {number} of {len(QUESTIONS)}")
        if question.id == QUESTIONS[number - 1].id:
            return
        press(panel, "Next question")
        expect(heading).to_be_focused()


def count(panel: Locator, hands: list[int]) -> None:
    """Type into the field that has the focus and into those that Tab reaches after it."""
    for n in hands:
        expect(panel.locator("input:focus")).to_have_count(1)
        panel.page.keyboard.type(str(n))
        panel.page.keyboard.press("Tab")


@pytest.mark.parametrize("kind", ASKED)
def test_a_question_is_asked_by_keyboard_alone(scratch: Lab, kind: str) -> None:
    panel = show_lecture(scratch)
    keyboard = scratch.page.keyboard
    question = ASKED[kind]
    order = shuffled(question)
    right = [question.answers[position].right for position in order]
    panel.locator(".birnn-heading").focus()
    go_to(panel, question)
    expect(panel).to_contain_text("Think alone. Vote. Talk to your neighbour. Vote again.")
    for answer in question.answers:
        assert answer.feedback[:30] not in panel.inner_text()

    while not panel.locator("input:focus").count():
        keyboard.press("Tab")
    first = [5 if good else 10 for good in right]
    count(panel, first)
    press(panel, "Second vote")
    fields = panel.locator("input")
    assert [fields.nth(2 * i).input_value() for i in range(len(right))] == list(map(str, first))
    # Tab goes through a row; the second field of each row is the second vote.
    for i, good in enumerate(right):
        expect(fields.nth(2 * i + 1)).to_be_focused()
        keyboard.type(str(20 if good else 0))
        keyboard.press("Tab")
        keyboard.press("Tab")
    while not panel.get_by_role("button", name="Reveal").evaluate(
        "node => node === document.activeElement"
    ):
        keyboard.press("Shift+Tab")
    press(panel, "Reveal")

    status = panel.get_by_role("status")
    expect(status).to_contain_text("Right: ")
    expect(panel.locator(".birnn-heading")).to_be_focused()
    rows = panel.locator("tbody tr")
    for i, position in enumerate(order):
        expect(rows.nth(i)).to_contain_text("✓ Right" if right[i] else "✗ Not right")
        expect(rows.nth(i)).to_contain_text(f"{first[i]} (")
        expect(rows.nth(i)).to_contain_text(
            f"20 ({100 // sum(right)} %)" if right[i] else "0 (0 %)"
        )
        word = max(re.findall(r"\w+", question.answers[position].feedback), key=len)
        expect(rows.nth(i)).to_contain_text(word)
    assert hard_to_read(panel) == []
    scratch.screenshot(f"lecture-{kind}")

    press(panel, "Ask again")
    expect(panel.locator("input").first).to_be_focused()
    expect(status).to_be_empty()
    assert {panel.locator("input").nth(i).input_value() for i in range(len(right))} == {""}
    assert "✓" not in panel.inner_text()
    press(panel, "Previous question" if question is not QUESTIONS[0] else "Next question")
    expect(panel.locator(".birnn-heading")).to_be_focused()
    assert scratch.errors() == []


def test_what_is_no_count_is_refused_in_its_field(scratch: Lab) -> None:
    panel = show_lecture(scratch)
    field = panel.locator("input").first
    reveal = panel.get_by_role("button", name="Reveal")
    for bad in ("1000", "-1", "2.5"):
        field.fill(bad)
        expect(field.locator("xpath=..")).to_have_text("Type a whole number from 0 to 999.")
        expect(field).to_have_attribute("aria-invalid", "true")
        reveal.click()
        expect(field).to_be_focused()
        assert "✓" not in panel.inner_text()
    assert hard_to_read(panel) == []
    field.fill("999")
    expect(field.locator("xpath=..")).to_have_text("")
    reveal.click()
    expect(panel.get_by_role("status")).to_contain_text("First vote: 999 hands")


def test_counts_and_answer_are_back_when_the_page_shows_it_again(scratch: Lab) -> None:
    panel = show_lecture(scratch)
    panel.locator("input").first.fill("7")
    scratch.wait_for_widgets()
    scratch.command("notebook:create-output-view")  # a second view of the same widget
    views = scratch.page.locator(".birnn-lecture")
    expect(views).to_have_count(2)
    expect(views.last.locator("input").first).to_have_value("7")
    views.last.get_by_role("button", name="Reveal").click()
    for view in views.all():
        expect(view.get_by_role("status")).to_contain_text("First vote: 7 hands")


@pytest.mark.full
def test_everybody_can_read_every_question(scratch: Lab) -> None:
    panel = show_lecture(scratch)
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        for question in QUESTIONS:
            for field in panel.locator("input").all():
                field.fill("3")
            assert hard_to_read(panel) == [], question.id
            if question in ASKED.values():
                assert violations(scratch.page, ".birnn-lecture") == [], (theme, question.id)
            panel.get_by_role("button", name="Reveal").click()
            expect(panel.get_by_role("status")).to_contain_text("Right: ")
            panel.locator("summary").first.click()
            assert hard_to_read(panel) == [], question.id
            if question in ASKED.values():
                assert violations(scratch.page, ".birnn-lecture") == [], (theme, question.id)
                panel.scroll_into_view_if_needed()
                scratch.screenshot(f"lecture-{question.kind}-{theme.lower()}")
            panel.get_by_role("button", name="Ask again").click()
            expect(panel.get_by_role("status")).to_be_empty()
            if question is not QUESTIONS[-1]:
                panel.get_by_role("button", name="Next question").click()
        for _ in QUESTIONS[1:]:
            panel.get_by_role("button", name="Previous question").click()


def test_the_whole_screen_is_for_the_question(scratch: Lab) -> None:
    panel = show_lecture(scratch)
    panel.get_by_role("button", name="Full screen").click()
    scratch.page.wait_for_function("() => document.fullscreenElement")
    assert panel.evaluate("node => node === document.fullscreenElement")
    assert hard_to_read(panel) == []
    scratch.screenshot("lecture-full-screen")
    panel.get_by_role("button", name="Full screen").click()
    scratch.page.wait_for_function("() => !document.fullscreenElement")


def test_what_stands_in_the_way_would_be_found(scratch: Lab) -> None:
    panel = show_lecture(scratch)
    panel.evaluate("node => { node.style.color = '#777'; node.style.background = '#888'; }")
    page = scratch.page
    assert any("color-contrast" in found.rule for found in violations(page, ".birnn-lecture"))
    panel.locator("input").first.evaluate("node => node.removeAttribute('aria-label')")
    assert any("label" in found.rule for found in violations(page, ".birnn-lecture"))
    panel.locator("p").first.evaluate("node => { node.style.fontSize = '20px'; }")
    assert [found for found in hard_to_read(panel) if found.startswith("small: P")]
    panel.locator("table").evaluate("node => { node.style.width = '200%'; }")
    assert [found for found in hard_to_read(panel) if found.startswith("wide: ")]
