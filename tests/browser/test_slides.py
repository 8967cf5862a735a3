"""The lecture slides in Chromium: every one fits, nothing is asked of a network, votes are told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from birnn_course.course import UNITS
from birnn_course.slides.deck import Deck, Part, Slide
from birnn_course.slides.export import page as page_of
from birnn_course.slides.export import write
from browser.axe import violations
from browser.lab import keep_picture, new_page

pytestmark = pytest.mark.browser

SCREENS = [(1280, 720), (1920, 1080)]
SMALLEST = 20  # CSS pixels of text on a screen 720 high
SMALLEST_FIGURE = 260
# Everything on every slide, with all fragments shown, in the coordinates of the slide.
PROBLEMS = """async ([smallest, smallestFigure]) => {
    const problems = [];
    for (const [i, section] of Reveal.getSlides().entries()) {
        Reveal.slide(i, 0, 99);
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        const slide = section.querySelector('.slide');
        const say = text => problems.push(`${i + 1}: ${text}`);
        if (slide.scrollHeight > 721) say(`${slide.scrollHeight - 720} too high`);
        if (slide.scrollWidth > 1281) say(`${slide.scrollWidth - 1280} too wide`);
        for (const box of slide.querySelectorAll('pre, table, .slide > *')) {
            const right = box.offsetLeft + box.offsetWidth;
            if (box.scrollWidth > box.clientWidth + 1 && box.tagName === 'PRE')
                say(`code cut off: ${box.innerText.slice(0, 40)}`);
        }
        for (const image of slide.querySelectorAll(':is(img, svg):not(.live *)'))
            if (image.checkVisibility() && image.clientHeight < smallestFigure)
                say(`a figure is ${image.clientHeight} high`);
        const walker = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const holder = node.parentElement;
            if (!node.data.trim() || holder.closest('svg')) continue;
            const size = parseFloat(getComputedStyle(holder).fontSize);
            if (size < smallest) say(`${size} px: ${node.data.trim().slice(0, 40)}`);
        }
        const box = slide.getBoundingClientRect();
        if (box.left < -1 || box.top < -1) say('beside the screen');
        if (box.right > innerWidth + 1 || box.bottom > innerHeight + 1) say('beside the screen');
    }
    return problems;
}"""


class Decks:
    """A folder with decks, each written when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, number: str) -> Path:
        lesson = next(unit.lesson for unit in UNITS if unit.number == number)
        file = self.folder / lesson.replace(".ipynb", ".html")
        if not file.exists():
            write([number], self.folder)
        return file


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> Decks:
    return Decks(tmp_path_factory.mktemp("slides"))


@contextlib.contextmanager
def opened(browser: Browser, file: Path, size: tuple[int, int] = SCREENS[0]) -> Iterator[Page]:
    """A deck in a browser that has no network."""
    viewport = {"width": size[0], "height": size[1]}
    page = new_page(browser, viewport=viewport, offline=True, reduced_motion="reduce")
    page.goto(file.as_uri())
    page.wait_for_function("() => window.Reveal && Reveal.isReady()")
    yield page
    page.context.close()


def problems(page: Page) -> list[str]:
    found: list[str] = page.evaluate(PROBLEMS, [SMALLEST, SMALLEST_FIGURE])
    return found


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "unit",
    [
        u.number if u.number == "01" else pytest.param(u.number, marks=pytest.mark.full)
        for u in UNITS
    ],
)
def test_every_slide_fits(browser: Browser, decks: Decks, unit: str, size: tuple[int, int]) -> None:
    with opened(browser, decks[unit], size) as page:
        assert problems(page) == []


def planted(folder: Path, part: Part) -> Path:
    write(["01"], folder)
    target = folder / "planted.html"
    target.write_text(page_of(Deck("A deck", [Slide("A slide", parts=[part])])), encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (Part("text", "<p>line</p>" * 40), "too high"),
        (Part("code", f"<pre>{'x' * 200}</pre>"), "cut off"),
        (Part("text", "<p style='font-size:12px'>small</p>"), "12 px"),
        (Part("text", "<table><td style='min-width:2000px'>wide</td></table>"), "too wide"),
    ],
)
def test_a_slide_that_does_not_fit_is_found(
    browser: Browser, tmp_path: Path, part: Part, problem: str
) -> None:
    with opened(browser, planted(tmp_path, part)) as page:
        assert any(problem in found for found in problems(page))


def test_what_follows_on_a_slide_keeps_its_distance(browser: Browser, tmp_path: Path) -> None:
    one = "<p>a</p><ul><li>b</li></ul><blockquote><p>c</p></blockquote>"
    table = "<table><tr><td>d</td></tr></table><p>e</p>"
    with opened(browser, planted(tmp_path, Part("text", one + table + one))) as page:
        gaps = page.evaluate("""() => [...document.querySelectorAll('.text > * + *')].map(e =>
            e.getBoundingClientRect().top
            - e.previousElementSibling.getBoundingClientRect().bottom)""")
    assert len(gaps) == 7 and min(gaps) >= 10


def test_a_deck_asks_nobody(browser: Browser, decks: Decks) -> None:
    with opened(browser, decks["01"]) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        failed: list[str] = []
        page.on("console", lambda message: failed.append(message.text))
        page.reload()
        page.wait_for_function("() => window.Reveal && Reveal.isReady()")
        page.keyboard.press("ArrowRight")
        assert asked
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        assert failed == []


def test_a_vote_is_told_by_the_next_key_press(browser: Browser, decks: Decks) -> None:
    with opened(browser, decks["01"]) as page:
        first = page.evaluate("() => Reveal.getSlides().findIndex(s => s.querySelector('.vote'))")
        assert first > 0
        page.evaluate("i => Reveal.slide(i)", first)
        feedback = page.locator("section.present .feedback")
        assert feedback.count() > 1
        for i in range(feedback.count()):
            expect(feedback.nth(i)).to_have_css("visibility", "hidden")
        page.keyboard.press("ArrowRight")
        for i in range(feedback.count()):
            expect(feedback.nth(i)).to_have_css("visibility", "visible")
        assert feedback.filter(has_text="✓").count() >= 1
        keep_picture(page, "slide-vote")


def test_the_speaker_sees_timing_and_aim(browser: Browser, decks: Decks) -> None:
    with opened(browser, decks["01"]) as page:
        with page.expect_popup() as waiting:
            page.keyboard.press("s")
        notes = waiting.value.locator(".speaker-controls-notes")
        expect(notes).to_contain_text("min, then")
        page.evaluate(
            "() => Reveal.slide(Reveal.getSlides().findIndex("
            "s => s.querySelector('.notes').innerText.includes('Belief (')))"
        )
        expect(notes).to_contain_text("Belief (")


@pytest.mark.parametrize(
    "unit",
    [
        u.number if u.number == "01" else pytest.param(u.number, marks=pytest.mark.full)
        for u in UNITS
    ],
)
def test_no_slide_stands_in_anybodys_way(browser: Browser, decks: Decks, unit: str) -> None:
    with opened(browser, decks[unit]) as page:
        found: list[str] = []
        for i in range(page.evaluate("() => Reveal.getTotalSlides()")):
            page.evaluate("i => Reveal.slide(i, 0, 99)", i)
            found += [f"{i + 1}: {problem}" for problem in violations(page)]
        assert found == []


def test_a_slide_that_stands_in_the_way_is_found(browser: Browser, tmp_path: Path) -> None:
    part = Part("text", "<p style='color:#aaa'>pale</p><img src='data:,'>")
    with opened(browser, planted(tmp_path, part)) as page:
        found = violations(page)
    assert {problem.rule for problem in found} == {"color-contrast", "image-alt"}
