"""The site in Chromium, opened from the disk: no request leaves it, and everybody can use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from birnn_course.course import notebooks_folder
from birnn_course.data.tasks import names_task
from birnn_course.explore.nets import rebuilt, stored
from birnn_course.site import build
from birnn_course.site.lessons import page as lesson
from birnn_course.site.pages import Page as Source
from browser.axe import violations
from browser.lab import keep_picture, new_page

pytestmark = pytest.mark.browser

WIDTHS = (390, 768, 1440)
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
WIDE = Source(
    "wide",
    "Wide things",
    "# Wide things\n\n"
    + "| " + " | ".join(f"`a_long_name_{i}`" for i in range(12)) + " |\n"
    + "|---" * 12 + "|\n" + "| 1 " * 12 + "|\n\n"
    + "```python\nx = " + "very_long + " * 30 + "1\n```\n\n"
    + f"`{'an_unbroken_name_' * 9}` and {'letters' * 30}\n",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A front page, the first lesson and a page of wide things."""
    folder = tmp_path_factory.mktemp("site") / "out"
    first = nbformat.read(notebooks_folder() / "00_start_here.ipynb", as_version=4)
    build.build(
        [Source("index", "Home", "# Home"), lesson("00_start_here.ipynb", first), WIDE], folder
    )
    return folder


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it."""
    folder = tmp_path_factory.mktemp("complete") / "out"
    build.write(folder)
    return folder


@contextlib.contextmanager
def opened(
    browser: Browser, file: Path, theme: str = "light", width: int = 1440, search: str = ""
) -> Iterator[Page]:
    """A page from the disk, in a browser that has no network."""
    viewport = {"width": width, "height": 900}
    page = new_page(browser, viewport=viewport, offline=True, color_scheme=theme)
    try:
        page.goto(file.as_uri() + search)
        yield page
    finally:
        page.context.close()


def strangers(browser: Browser, folder: Path, file: Path) -> list[str]:
    """What a page asks of anybody but its own folder, and what goes wrong in its scripts."""
    found: list[str] = []
    page = new_page(browser, offline=True)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((folder.as_uri(), "data:"))
            else found.append(request.url)
        ),
    )
    page.goto(file.as_uri(), wait_until="load")
    page.context.close()
    return found


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def too_wide(page: Page) -> list[int]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [width] if page.evaluate(WIDER) else []
    return found


def inaccessible(page: Page) -> list[str]:
    """With all that is folded open, and the page in sight as a whole: axe sees no further."""
    page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": 1440, "height": height + 200})
    return [str(violation) for violation in violations(page)]


# ── every page, at length ───────────────────────────────────────────────────────────────────────


@pytest.mark.full
def test_no_page_asks_anybody(browser: Browser, complete: Path) -> None:
    assert {file.name: strangers(browser, complete, file) for file in pages(complete)} == {
        file.name: [] for file in pages(complete)
    }


@pytest.mark.full
def test_no_page_scrolls_sideways(browser: Browser, complete: Path) -> None:
    for file in pages(complete):
        with opened(browser, file) as page:
            assert too_wide(page) == [], file.name


@pytest.mark.full
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_there_for_everybody(browser: Browser, complete: Path, theme: str) -> None:
    found = {}
    for file in pages(complete):
        with opened(browser, file, theme) as page:
            found[file.name] = inaccessible(page)
    assert {name: list_ for name, list_ in found.items() if list_} == {}


# ── some pages ──────────────────────────────────────────────────────────────────────────────────


def test_some_pages_ask_nobody(browser: Browser, site: Path) -> None:
    for file in pages(site):
        assert strangers(browser, site, file) == [], file.name


@pytest.mark.parametrize(
    "planted",
    [
        '<img alt="" src="https://example.org/a.png">',
        "<script>fetch('https://example.org/a')</script>",
        "<style>@import 'https://example.org/a.css';</style>",
        "<script>gone()</script>",
    ],
)
def test_who_asks_is_found(browser: Browser, tmp_path: Path, planted: str) -> None:
    (tmp_path / "a.html").write_text(f"<title>a</title>{planted}")
    assert strangers(browser, tmp_path, tmp_path / "a.html")


def test_wide_things_scroll_in_themselves(browser: Browser, site: Path) -> None:
    with opened(browser, site / "wide.html", "dark") as page:
        assert too_wide(page) == []
        page.set_viewport_size({"width": 390, "height": 900})
        for box in (page.locator(".birnn-wide"), page.locator(".highlight pre")):
            assert box.evaluate("node => node.scrollWidth > node.clientWidth")
            expect(box).to_have_attribute("tabindex", "0")
        keep_picture(page, "site-wide")
        page.add_style_tag(content=".birnn-wide { overflow: visible; }")
        assert page.evaluate(WIDER)


def test_some_pages_are_there_for_everybody(browser: Browser, site: Path) -> None:
    for name, theme in (("lessons/00_start_here", "dark"), ("wide", "light")):
        with opened(browser, site / f"{name}.html", theme) as page:
            assert page.locator("html").get_attribute("data-theme") == theme
            assert inaccessible(page) == [], name
    with opened(browser, site / "wide.html") as page:
        page.add_style_tag(content="p { color: #999 !important; background: #888 !important; }")
        assert any("color-contrast" in found for found in inaccessible(page))


def test_a_guess_opens_its_answer_and_is_kept(browser: Browser, site: Path) -> None:
    with opened(browser, site / "lessons" / "00_start_here.html") as page:
        answer = page.locator("details[data-guess='00-gru']")
        result, comment = answer.get_by_role("status"), page.get_by_text("A GRU has no cell state")
        expect(answer).to_have_count(1)
        assert not answer.get_by_text("It is: it runs").is_visible() and not comment.is_visible()
        page.get_by_role("radio", name="an error").check()
        expect(result).to_have_text("You: an error. It is: it runs, and c is something else.")
        expect(comment).to_be_visible()
        page.reload()
        expect(result).to_have_text("You: an error. It is: it runs, and c is something else.")


@pytest.mark.full
def test_a_guess_opens_no_other_answer(browser: Browser, complete: Path) -> None:
    with opened(browser, complete / "lessons" / "01_bidirectional.html") as page:
        page.get_by_role("slider", name="A word starts with c").focus()
        page.keyboard.press("ArrowRight")
        for _ in range(2):
            result = page.locator("[data-birnn-result='01-bet-on-c']")
            expect(result.get_by_role("status")).to_have_text("You: 51 %. Measured: 80.2 %.")
            expect(result).to_be_visible()
            expect(page.locator("[data-birnn-result='01-stream']")).not_to_be_visible()
            page.reload()
        live = page.locator(".birnn-live")
        assert live.count() == live.locator("> .birnn-panel").count() > 10
        keep_picture(page, "site-lesson")


def test_who_does_not_guess_is_shown_as_well(browser: Browser, site: Path) -> None:
    with opened(browser, site / "lessons" / "00_start_here.html") as page:
        answer = page.locator("details[data-guess='00-gru']")
        asked = page.locator(".birnn-out:has(+ details[data-guess='00-gru'])")
        choice, show = asked.locator("label > span").first, answer.locator("summary")
        assert choice.bounding_box()["height"] == pytest.approx(  # type: ignore[index]
            show.bounding_box()["height"],  # type: ignore[index]
            abs=2,
        )
        expect(asked.get_by_role("button")).to_have_count(0)  # there is one such button, not two
        show.focus()
        page.keyboard.press("Enter")
        expect(answer.get_by_role("status")).to_contain_text("No guess. It is: it runs")
        expect(answer).to_be_focused()


def test_the_reading_explorer_says_what_pytorch_says(browser: Browser, site: Path) -> None:
    with opened(browser, site / "lessons" / "00_start_here.html") as page:
        page.get_by_role("button", name="Sounds in ARPAbet").click()
        for network in ("both ways", "left to right"):
            page.get_by_role("radio", name=network).check()
            for word in ("city", "knight", "cabbage"):
                page.get_by_role("textbox", name="Word").fill(word)
                expect(page.locator(".bx-tile")).to_have_text([*word])
                answers = page.locator(".bx-answer").evaluate_all(ANSWERS)
                assert [sound for sound, _ in answers] == [
                    sound for sound, _ in ours(network, word)
                ]
                assert [share for _, share in answers] == pytest.approx(
                    [share for _, share in ours(network, word)], abs=0.51
                )


ANSWERS = """all => all.map(one =>
    [one.querySelector("strong").textContent, parseInt(one.textContent.match(/(\\d+) %/)[1])])"""


def ours(network: str, word: str) -> list[tuple[str, float]]:
    """PyTorch's answers to a word, written as the explorer does, with their percentages."""
    model, tags = rebuilt(network), stored()["tags"]
    with torch.no_grad():
        scores = model(torch.tensor([[ord(letter) - 97 for letter in word]]))[0].softmax(-1)
    return [
        (tags[i].replace("+", " ").replace("_", "–"), 100 * float(p))
        for p, i in zip(*scores.max(-1), strict=True)
    ]


@pytest.mark.full
def test_the_limit_explorer_says_what_is_computed(browser: Browser, complete: Path) -> None:
    with opened(browser, complete / "lessons" / "01_bidirectional.html") as page:
        explorer = page.locator(".birnn-live:has(.bl-fraction)")
        for k in (0, 5, 6):
            explorer.get_by_role("slider").fill(str(k))
            exact = names_task().limit("left", lookahead=k)
            expect(explorer.locator(".bl-fraction")).to_have_text(str(exact))


def test_the_search_works_from_a_disk(browser: Browser, site: Path) -> None:
    with opened(browser, site / "index.html", width=390) as page:
        page.get_by_role("searchbox").fill("backward reader")
        page.keyboard.press("Enter")
        found = page.locator("#search-results a")
        found.filter(has_text="00 · Start here").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("00 · Start here")


def test_the_menu_and_the_theme_by_keyboard(browser: Browser, site: Path) -> None:
    with opened(browser, site / "lessons" / "00_start_here.html", width=390) as page:
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the text")).to_be_focused()
        for _ in range(2):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        menu = page.get_by_role("navigation", name="Contents")
        expect(menu.get_by_role("link", name="00 · Start here")).to_be_visible()
        assert not page.evaluate(WIDER)
        keep_picture(page, "site-menu")
        page.keyboard.press("Escape")
        expect(menu).not_to_be_visible()
        button = page.get_by_role("button", name="Dark theme")
        button.press("Enter")
        expect(button).to_have_attribute("aria-pressed", "true")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_without_scripts_all_can_be_read(browser: Browser, site: Path) -> None:
    page = new_page(browser, offline=True, java_script_enabled=False)
    page.goto((site / "lessons" / "00_start_here.html").as_uri())
    expect(page.locator("summary", has_text="Just show me")).to_be_visible()
    page.locator("summary", has_text="Just show me").click()
    expect(page.get_by_text("It is: it runs, and c is something else.")).to_be_visible()
    page.context.close()


def test_print_shows_the_text_and_no_menus(browser: Browser, site: Path) -> None:
    with opened(browser, site / "lessons" / "00_start_here.html") as page:
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for hidden in (page.get_by_role("searchbox"), page.locator(".turn"), page.locator(".here")):
            expect(hidden).not_to_be_visible()
        expect(page.locator("[data-birnn-result='00-gru']")).to_be_visible()
