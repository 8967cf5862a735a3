"""The class report and a student's feedback in the browser: to be read by everybody, and whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from grading.classes import NAMES, verdict_of
from grading.test_reports import as_handed_in, exported, marks, write
from playwright.sync_api import Page

from birnn_course.grading.marks import Marked
from birnn_course.grading.submissions import Submission
from browser.axe import violations
from browser.lab import keep_picture

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class in which some mistakes are common, with everything that a page can show."""
    folder = tmp_path_factory.mktemp("graded")
    marked = as_handed_in()
    for k in range(14):
        verdicts = {"summarise": verdict_of("summarise", 0 if k < 9 else 1)}
        marked[f"Student {k + 1:02d}"]["02_shapes_exercises.ipynb"] = marks("02", **verdicts)
    errors = [(3, "x", "NameError: name 'x' is not defined"), (7, "1 / 0", "ZeroDivisionError: …")]
    everything = Marked(marks("04", pool=verdict_of("pool", 0)).marks, errors, "Please look.")
    unreadable = dict.fromkeys(NAMES["04"], ("unreadable", ""))
    marked["Ada"] = {
        "01_bidirectional_exercises.ipynb": marks("01", stream=("not attempted", "")),
        "04_packing_exercises.ipynb": everything,
        "04_packing_exercises-Copy1.ipynb": marks("04", **unreadable),
        "x" * 120 + ".ipynb": Marked(note="It defines no function of any exercise."),
    }
    marked["Zoe"] = {"": Marked(note="No notebook was handed in. There is solution.py.")}
    records = [
        Submission("Ada", "record.json", lambda: exported(folder, 5, 10)),
        Submission("Kim", "record.json", lambda: exported(folder, 8, 8)),
    ]
    return write(folder, marked, records)


def opened(page: Page, path: Path) -> Page:
    page.context.set_offline(True)
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true; })")
    return page


def cut_off(page: Page) -> bool:
    """Whether something is wider than the window."""
    wider: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wider


def out_of_reach(page: Page) -> list[str]:
    """Texts that end right of the window and of everything that scrolls."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('h2, p, li, td, th')].filter(node => {
            for (let box = node.parentElement; box; box = box.parentElement)
                if (getComputedStyle(box).overflowX === 'auto') return false;
            const range = document.createRange();
            range.selectNodeContents(node);
            return range.getBoundingClientRect().right > document.querySelector('main').clientWidth
                + document.querySelector('main').getBoundingClientRect().left + 1;
        }).map(node => node.innerText)"""
    )
    return found


@pytest.mark.parametrize("name", ["class.html", "feedback/Ada.html"])
def test_everybody_can_read_it(name: str, page: Page, out: Path) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    opened(page, out / name)
    assert violations(page) == []
    keep_picture(page, f"grading-{Path(name).stem.lower()}", full_page=True)
    for width in (1280, 800, 500):
        page.set_viewport_size({"width": width, "height": 900})
        assert not cut_off(page), width
    assert out_of_reach(page) == []
    assert complaints == []  # such as what the page's own policy refuses
    page.add_style_tag(content=".muted { color: #aaa; }")
    assert "color-contrast" in {found.rule for found in violations(page)}
    page.add_style_tag(content="h1 { width: 3000px; }")
    assert cut_off(page)
    page.add_style_tag(content="h1 { width: auto; } main { overflow: hidden; width: 200px; }")
    page.add_style_tag(content=".scroll { overflow: visible; } h2 { white-space: nowrap; }")
    assert out_of_reach(page)


def test_what_to_teach_again_is_seen_without_scrolling(page: Page, out: Path) -> None:
    page.goto((out / "class.html").as_uri())
    first = page.locator("section.card").first
    box = first.bounding_box()
    assert box is not None and box["y"] + box["height"] < 900
    assert "students who handed in unit 02 or 04 seem to believe" in first.inner_text()
    assert "Repeat:" in first.inner_text()
    page.get_by_role("link", name="Students", exact=True).click()
    assert page.locator("#students").bounding_box()["y"] < 900  # type: ignore[index]


def test_links_to_pages_of_students_lead_there(page: Page, out: Path) -> None:
    page.goto((out / "class.html").as_uri())
    addresses = page.locator("a[href^='feedback/']").evaluate_all(
        "links => links.map(link => decodeURIComponent(link.getAttribute('href')))"
    )
    assert len(set(addresses)) == len(list((out / "feedback").iterdir()))
    assert all((out / address).is_file() for address in addresses)
