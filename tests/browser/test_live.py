"""Explorables and guesses without a kernel: in a deck and on a page, by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser, Locator, Page, expect
from test_guessing import Plotted
from test_live import CURVE, LINE, bundle

from birnn_course.explore.reading import reading_explorer
from birnn_course.explore.shapes import shape_explorer
from birnn_course.learner.guessing import guess, measured
from birnn_course.live import assets, placeholder
from birnn_course.slides.deck import deck
from birnn_course.slides.export import page as page_of
from birnn_course.slides.export import write
from browser.axe import violations
from browser.lab import keep_picture
from browser.test_slides import SCREENS, opened, problems

pytestmark = pytest.mark.browser

WIDGETS = {
    "Two readers": lambda: reading_explorer("readers", "background"),
    "Pads": lambda: reading_explorer("pads", "phone", pads="padded", summary="both ends"),
    "A guess": lambda: guess("01-share", "How many percent?", **LINE),
    "Measured": lambda: measured("01-share", 80.2, **LINE),
    "A curve": lambda: guess("01-late", "How good, so many words late?", **CURVE),
    "The curve": lambda: measured("01-late", [60, 60, 100], **CURVE),
    "Choices": lambda: guess("01-which", "Which?", choices={"slow": [1, 2, 3], "fast": [1, 3, 3]}),
    "Slices": lambda: shape_explorer("one-layer"),
    "Blocks": lambda: shape_explorer("two-layers"),
}


@pytest.fixture(scope="module")
def lecture(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """A deck with one of each on a slide of its own, opened from the disk."""
    folder = tmp_path_factory.mktemp("live")
    cells: list[Any] = []
    for heading, made in WIDGETS.items():
        cells.append(new_markdown_cell(f"# {heading}"))
        cells[-1].metadata["slideshow"] = {"slide_type": "slide"}
        output = new_output("display_data", data=bundle(made()))
        cells.append(new_code_cell("show()", outputs=[output]))
        cells[-1].metadata |= {
            "slideshow": {"slide_type": "-"},
            "birnn": {"slide": {"hide": "typed"}},
        }
    write(["01"], folder)
    file = folder / "live.html"
    file.write_text(page_of(deck(new_notebook(cells=cells))), encoding="utf-8")
    assert file.read_text(encoding="utf-8").count('"library": {"tags"') == 1
    with opened(browser, file) as page:
        yield page


def slide(page: Page, heading: str) -> None:
    page.evaluate("i => Reveal.slide(i, 0, 99)", [*WIDGETS].index(heading))


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_slide_with_something_live_fits(lecture: Page, size: tuple[int, int]) -> None:
    lecture.set_viewport_size({"width": size[0], "height": size[1]})
    assert problems(lecture) == []
    live = "[...document.querySelectorAll('section.present .live')]"
    cut = f"() => {live}.map(node => node.scrollHeight - node.clientHeight).filter(n => n > 1)"
    for heading in WIDGETS:
        slide(lecture, heading)
        keep_picture(lecture, f"slide-live-{heading}-{size[0]}")
        assert lecture.evaluate(cut) == [], heading


def test_no_live_slide_stands_in_anybodys_way(lecture: Page) -> None:
    lecture.set_viewport_size({"width": 1280, "height": 720})
    for heading in WIDGETS:
        slide(lecture, heading)
        assert violations(lecture) == [], heading


def test_keys_in_an_explorer_move_it_and_not_the_slides(lecture: Page) -> None:
    slide(lecture, "Two readers")
    panel = lecture.locator("section.present .bx")
    panel.locator(".bx-answer").first.click()
    for at in (1, 2):
        lecture.keyboard.press("ArrowRight")
        expect(panel.locator(".bx-answer").nth(at)).to_be_focused()
    expect(panel.get_by_role("status")).to_contain_text("Output 2 (c) has read bac")
    panel.get_by_role("radio", name="both ways").focus()
    lecture.keyboard.press("ArrowRight")
    expect(panel.locator(".bx-band")).to_have_count(1)
    panel.get_by_role("textbox").fill("cab")
    lecture.keyboard.type("s?")  # neither the speaker's window nor the help
    panel.get_by_role("textbox").fill("background")
    panel.get_by_role("radio", name="both ways").check()
    index = "() => Reveal.getIndices().h"
    assert lecture.evaluate(index) == 0
    assert panel.locator(".bx-lines path").count() > 4


def test_a_presenter_turns_the_page_from_inside_too(lecture: Page) -> None:
    index = "() => Reveal.getIndices().h"
    slide(lecture, "Two readers")
    lecture.locator("section.present .bx-answer").first.click()
    lecture.keyboard.press("PageDown")
    assert lecture.evaluate(index) == 1
    lecture.locator("section.present .bx-answer").first.click()
    lecture.keyboard.press("PageUp")
    assert lecture.evaluate(index) == 0
    lecture.locator("section.present .bx-answer").first.click()
    lecture.keyboard.press("Escape")  # out of the explorer: the deck has its keys again
    lecture.keyboard.press("ArrowRight")
    assert lecture.evaluate(index) == 1


def test_a_guess_on_a_slide_is_beside_its_result_on_the_next(lecture: Page) -> None:
    slide(lecture, "A guess")
    lecture.locator("section.present").get_by_role("slider").focus()
    for _ in range(3):
        lecture.keyboard.press("ArrowLeft")
    assert lecture.evaluate("() => Reveal.getIndices().h") == 2
    slide(lecture, "Measured")
    status = lecture.locator("section.present").get_by_role("status")
    expect(status).to_have_text("You: 47 %. Measured: ≈ 80.2 %.")
    lecture.reload()
    lecture.wait_for_function("() => window.Reveal && Reveal.isReady()")
    slide(lecture, "Measured")
    expect(status).to_have_text("No guess. Measured: ≈ 80.2 %.")  # the next class guesses anew


# ── A page ──────────────────────────────────────────────────────────────────────────────────────

PAGE = """<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">
<title>Live</title><meta name="viewport" content="width=device-width"><style>
html {{ color-scheme: {theme}; }} body {{ margin: 8px; font-family: sans-serif; background: Canvas;
color: CanvasText; }} {style}</style></head>
<body><main><h1>Live</h1>{parts}</main><script>{script}</script></body></html>"""


def live_page(
    page: Page,
    folder: Path,
    theme: str = "light",
    parts: str = "",
    *,
    keeps: bool = True,
    planted: tuple[str, str] = ("", ""),
) -> None:
    """Open a page with the parts, where one text of its script is ``planted`` for another."""
    parts = parts or "".join(placeholder(made()) for made in WIDGETS.values())
    made = assets(parts, keeps=keeps)
    assert planted[0] in made.script
    script = made.script.replace(*planted) if planted[0] else made.script
    file = folder / "live.html"
    file.write_text(
        PAGE.format(theme=theme, style=made.style, script=script, parts=parts), encoding="utf-8"
    )
    page.context.set_offline(True)
    page.goto(file.as_uri())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_from_the_disk_is_there_for_everybody(
    page: Page, tmp_path: Path, theme: str
) -> None:
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.set_viewport_size({"width": 390, "height": 4_000})  # all of it: axe sees no further
    live_page(page, tmp_path, theme)
    page.get_by_role("slider", name="6 late").focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("radio", name="fast").check()
    expect(page.locator(".bx-map-row.bx-chosen .bx-half-backward").first).to_be_visible()
    keep_picture(page, f"live-page-{theme}", full_page=True)
    assert violations(page) == []
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider) and failed == []


def test_a_curve_is_drawn_by_pointer_or_by_keys_and_kept(page: Page, tmp_path: Path) -> None:
    live_page(page, tmp_path)
    asked, result = page.locator(".bg-drawing"), page.locator("[data-birnn-result='01-late']")
    expect(result.get_by_role("status")).to_contain_text("No guess. Measured: ≈ 60 %, ≈ 60 %")
    expect(result.locator(".bg-dot-you")).to_have_count(0)
    first, second, last = (page.get_by_role("slider", name=f"{at} late") for at in (0, 1, 6))
    expect(first).to_have_attribute("aria-valuetext", "no guess yet")
    first.focus()
    page.keyboard.press("ArrowDown")  # the first touch lays all points at one height
    assert [slider.input_value() for slider in (first, second, last)] == ["49"] * 3
    last.focus()
    for _ in range(2):
        page.keyboard.press("ArrowUp")
    expect(result.get_by_role("status")).to_contain_text("You: 49 %, 49 %, 51 %. Measured:")
    box = asked.locator(".bg-plot").bounding_box()
    assert box is not None
    x, y, width, height = box["x"], box["y"], box["width"], box["height"]
    page.mouse.move(x + 0.05 * width, y + 0.75 * height)
    page.mouse.down()
    page.mouse.move(x + 0.95 * width, y + 0.25 * height, steps=30)
    page.mouse.up()
    drawn = [float(slider.input_value()) for slider in (first, second, last)]
    assert drawn[0] == pytest.approx(25, abs=7) and drawn[2] == pytest.approx(75, abs=3)
    assert drawn[0] < drawn[1] < drawn[2]
    you, truth = result.locator(".bg-dot-you"), result.locator(".bg-dot-measured")
    expect(you).to_have_count(3)
    tops = [[dot.bounding_box() for dot in (kind.first, kind.last)] for kind in (you, truth)]
    assert all(box is not None for pair in tops for box in pair)
    assert tops[0][0]["y"] > tops[1][0]["y"]  # type: ignore[index]  # a lower guess lies lower
    page.reload()
    expect(result.get_by_role("status")).to_contain_text(f"You: {drawn[0]:g} %")


def test_the_middle_of_a_line_can_be_meant(page: Page, tmp_path: Path) -> None:
    live_page(page, tmp_path)
    status = page.locator("[data-birnn-result='01-share']").get_by_role("status")
    page.get_by_role("slider", name="How many percent?").focus()
    page.keyboard.press("Enter")
    expect(status).to_have_text("You: 50 %. Measured: ≈ 80.2 %.")


def test_nobody_has_to_guess(page: Page, tmp_path: Path) -> None:
    live_page(page, tmp_path)
    ask = page.get_by_role("group", name="How many percent?")
    show, choice = ask.get_by_role("button", name="Just show me"), page.locator(".bg-choices span")
    show.click()
    expect(ask.get_by_role("status")).to_contain_text("Skipped. That’s fine.")
    expect(page.locator("[data-birnn-result='01-share']")).to_be_focused()
    size, other = show.bounding_box(), choice.last.bounding_box()
    assert size is not None and other is not None
    assert size["height"] >= 30 and size["width"] >= other["width"] * 0.8


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_guess_is_laid_where_the_picture_says(page: Page, tmp_path: Path, theme: str) -> None:
    plotted = Plotted()
    asked = {"low": 50, "high": 100, "unit": "%"}
    made = [
        guess("01-on", "How many?", **asked),
        measured("01-on", 80, picture=plotted, at=1),
        measured("01-on", 80, picture=plotted),
        guess("01-all", "How good?", at=[0, 1, 2], **asked),
        measured("01-all", [60, 80, 100], picture=plotted),
    ]
    live_page(page, tmp_path, theme, "".join(map(placeholder, made)))
    expect(page.locator(".bg-laid")).to_have_count(0)
    page.get_by_role("slider", name="How many?").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("slider", name="0").last.focus()
    page.keyboard.press("Enter")
    left, top, right, bottom = plotted.coordinates["box"]
    pictures = page.locator(".bg-hug")

    def near(locator: Locator, picture: Locator, x: float, y: float) -> None:
        """Whether something stands at a point of the axes."""
        dot, image = locator.bounding_box(), picture.locator("img").bounding_box()
        assert dot is not None and image is not None
        at = left + (right - left) * x / 2, bottom - (bottom - top) * (y - 50) / 50
        place = image["x"] + at[0] * image["width"], image["y"] + at[1] * image["height"]
        middle = dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2
        assert middle == pytest.approx(place, abs=1.5)

    near(pictures.nth(0).locator(".bg-dot-you"), pictures.nth(0), 1, 75.5)
    near(pictures.nth(1).locator("polyline"), pictures.nth(1), 1, 75.5)  # a line across
    for i in range(3):
        near(pictures.nth(2).locator(".bg-dot-you").nth(i), pictures.nth(2), i, 75)
    keep_picture(page, f"guess-upon-{theme}", full_page=True)
    page.set_viewport_size({"width": 800, "height": 3_000})
    assert violations(page) == []
