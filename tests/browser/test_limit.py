"""The limit explorer counts what Python counts; everybody can use it, with a kernel or not."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from birnn_course.data.tasks import Sequence, TaggingTask, cue_task, names_task
from birnn_course.explore import limit
from birnn_course.explore.limit import LimitExplorer, limit_explorer
from browser.alone import opened_alone
from browser.axe import violations
from browser.lab import Lab

pytestmark = pytest.mark.browser

SCRIPTS = [Path(limit.__file__).with_name("js") / "limit.js"]


def opened(page: Page, folder: Path, explorer: LimitExplorer, theme: str = "light") -> Page:
    names = ("heading", "values", "library")
    return opened_alone(page, folder, explorer, "limit", SCRIPTS, names, theme)


def bar(page: Page) -> float:
    """Share of the bar that is won."""
    share: float = page.locator(".bl-won").evaluate(
        "node => node.getBoundingClientRect().width / node.parentNode.clientWidth"
    )
    return share


@pytest.mark.parametrize("task", [names_task(), cue_task(3)], ids=["names", "cue"])
def test_at_each_look_ahead_it_shows_the_limit(
    page: Page, tmp_path: Path, task: TaggingTask
) -> None:
    explorer = limit_explorer(task)
    opened(page, tmp_path, explorer)
    slider, status = page.get_by_role("slider"), page.get_by_role("status")
    farthest = len(explorer.library["limits"]) - 1
    expect(slider).to_have_attribute("max", str(farthest))
    for k in range(farthest + 1):
        slider.fill(str(k))
        exact = task.limit("left", lookahead=k)
        expect(page.locator(".bl-fraction")).to_have_text(str(exact))
        assert bar(page) == pytest.approx(float(exact), abs=0.01)
        expect(status).to_contain_text(f"which is {exact}.")
        expect(slider).to_have_attribute("aria-valuetext", f"{k} word{'s' * (k != 1)}")
    expect(status).to_contain_text("Each holds one answer only, so every bet is right")


def test_what_is_drawn_adds_up(page: Page, tmp_path: Path) -> None:
    """Heaps, bets, ticks and crosses, counted on the page itself."""
    explorer = limit_explorer()
    opened(page, tmp_path, explorer)
    for k, heaps in enumerate((1, 1, 4, 4, 4, 4, 24)):
        page.get_by_role("slider").fill(str(k))
        bets = page.locator(".bl-bet").all_inner_texts()
        assert len(bets) == page.locator(".bl-heap").count() == heaps
        counts = [tuple(map(int, re.findall(r"(\d+) of (\d+)", bet)[0])) for bet in bets]
        won = sum(n for n, _ in counts)
        rows = page.locator(".bl-row").all_inner_texts()
        numbers = {
            mark: sum(int(re.findall(r"× (\d+)", row)[0]) for row in rows if row.startswith(mark))
            for mark in "✓✗"
        }
        assert sum(n for _, n in counts) == 60 == sum(numbers.values())
        assert won == numbers["✓"]
        assert Fraction(won, 60) == Fraction(*explorer.library["limits"][k])
        # what is not read yet is covered, for each heap apart
        assert page.locator(".bl-hidden").count() == (heaps if k < 6 else 0)
        table = page.locator("details tbody tr")
        assert table.count() == heaps
    assert "toothache" in " ".join(page.locator(".bl-word").all_inner_texts())


def test_a_beginning_may_be_chosen_and_say_less_than_the_task(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, limit_explorer(lookahead=6))
    page.get_by_role("combobox").select_option("sometimes Paris")
    expect(page.locator(".bl-known").last).to_have_text("Paris")
    expect(page.get_by_text("Words read after Paris: 6 of 6")).to_be_visible()
    uneven = limit_explorer()
    uneven.library = {
        **uneven.library,
        "limits": [[3, 4], *uneven.library["limits"][1:]],  # as if other beginnings were easier
    }
    opened(page, tmp_path, uneven)
    expect(page.get_by_role("status")).to_contain_text(
        "right for 36 of 60, which is 3/5. In the whole task it is 3/4."
    )


def test_words_are_heaps_of_their_next_letters(page: Page, tmp_path: Path) -> None:
    counts = {("a", "K"): 700, ("e", "S"): 210, ("h", "CH"): 80, ("h", "K"): 10}
    task = TaggingTask(
        Sequence(("c", letter), (sound, "-"), Fraction(n, 1000))
        for (letter, sound), n in counts.items()
    )
    opened(page, tmp_path, limit_explorer(task, of=("word", "letter")))
    status = page.get_by_role("status")
    expect(status).to_have_text(
        "The model has read c and must answer. All 100 words look the same to it, so all get one "
        "answer. The best bet is K: right for 71 of 100, which is 71/100."
    )
    page.get_by_label("Letters read after c: 0 of 1").fill("1")
    expect(status).to_have_text(
        "1 more letter read. Now there are 3 heaps. 1 still holds more than one answer. The best "
        "bets are right for 99 of 100, which is 99/100."
    )


def test_by_keyboard_alone(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, limit_explorer())
    keyboard, status = page.keyboard, page.get_by_role("status")
    keyboard.press("Tab")
    expect(page.get_by_role("combobox")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(status).to_contain_text("The model has read today Georgia and must answer.")
    keyboard.press("Tab")
    expect(page.get_by_role("slider")).to_be_focused()
    expect(status).to_contain_text("All 60 sentences look the same to it, so all get one answer.")
    keyboard.press("ArrowRight")
    expect(status).to_contain_text("1 more word read. The last of these words splits nothing")
    keyboard.press("End")
    expect(status).to_contain_text("6 more words read. Now there are 24 heaps.")
    expect(page.get_by_role("slider")).to_be_focused()
    keyboard.press("Tab")
    expect(page.get_by_text("The same as a table")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(25)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, tmp_path: Path, theme: str) -> None:
    for k in (2, 6):
        opened(page, tmp_path, limit_explorer(lookahead=k), theme)
        page.locator("details").evaluate("node => { node.open = true; }")
        assert violations(page) == []
    page.add_style_tag(content=".bl-label { color: #999 !important; background: #888 !important; }")
    assert "color-contrast" in {found.rule for found in violations(page)}


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_is_wider_than_the_window(page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, tmp_path, limit_explorer(lookahead=6))
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    # and nothing is cut off: each word, bet and number has the room that it needs
    cut = """() => [...document.querySelectorAll('.bl-word, .bl-bet, .bl-row')]
        .filter(node => node.scrollWidth > node.clientWidth + 1
            || node.scrollHeight > node.clientHeight + 1).map(node => node.textContent)"""
    assert page.evaluate(cut) == []
    page.add_style_tag(content=".bl-word { width: 12px; }")
    assert page.evaluate(cut) != []


@pytest.mark.full
def test_it_runs_in_a_notebook(scratch: Lab) -> None:
    output = scratch.insert_and_run(
        "from birnn_course import limit_explorer\nlimit_explorer(lookahead=2)"
    )
    panel = output.locator(".bl")
    expect(panel.locator(".bl-fraction")).to_have_text("3/5")
    panel.get_by_role("slider").focus()
    scratch.page.keyboard.press("End")
    expect(panel.locator(".bl-fraction")).to_have_text("1")
    assert scratch.errors() == []
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"limit-{theme.lower()}")
        assert violations(scratch.page, ".bl") == []
