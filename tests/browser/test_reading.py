"""The reading explorer computes what PyTorch does; everybody can use it, with a kernel or not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from birnn_course.data.spelling import Spelling
from birnn_course.explore import reading
from birnn_course.explore.nets import exported, rebuilt, stored
from birnn_course.explore.reading import ReadingExplorer, reading_explorer
from birnn_course.models import CELLS, SequenceTagger
from browser.alone import opened_alone
from browser.axe import violations
from browser.lab import Lab, new_page

pytestmark = pytest.mark.browser

SCRIPTS = [
    Path(reading.__file__).with_name("js") / f"{n}.js" for n in ("forward", "tagger", "reading")
]
NEAR = 1e-5


@pytest.fixture(scope="module")
def arithmetic(browser: Browser) -> Iterator[Page]:
    """A page that has the scripts, with their functions in reach."""
    page = new_page(browser)
    page.add_script_tag(content="\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS[:2]))
    yield page
    page.context.close()


RUN = """([net, words, pads]) => {
    const own = tagger(net);
    return words.map(ids => reading(own, ids, pads).probabilities);
}"""


def from_pytorch(model: SequenceTagger, ids: list[int], pads: int) -> torch.Tensor:
    """In doubles: the browser's weights are exactly these, its numbers are doubles."""
    embedded = model.embedding(torch.tensor([ids]))
    embedded = torch.nn.functional.pad(embedded, (0, 0, 0, pads))
    return model.head(model.rnn(embedded)[0])[0].softmax(-1)


def difference(
    page: Page, net: dict[str, Any], model: SequenceTagger, words: list[list[int]], pads: int
) -> float:
    found = page.evaluate(RUN, [net, words, pads])
    with torch.no_grad():
        return max(
            float(
                (torch.tensor(own, dtype=torch.float64) - from_pytorch(model, ids, pads))
                .abs()
                .max()
            )
            for own, ids in zip(found, words, strict=True)
        )


def test_the_browser_says_what_pytorch_says(arithmetic: Page, spelling: Spelling) -> None:
    words = [[ord(c) - 97 for c in word] for word in random.Random(0).sample(spelling.test, 500)]
    for name, net in stored()["nets"].items():
        assert difference(arithmetic, net, rebuilt(name).double(), words, 0) < NEAR


@pytest.mark.parametrize("cell", CELLS)
def test_any_cell_size_and_number_of_layers(arithmetic: Page, cell: str) -> None:
    words = [[0], [3, 1, 4], [25, 0, 13, 13, 2, 7, 8]]
    for layers, both, hidden, pads in itertools.product((1, 2, 3), (True, False), (1, 5), (0, 2)):
        torch.manual_seed(hidden)
        model = (
            SequenceTagger(
                26, 4, hidden, bidirectional=both, cell=cell, num_layers=layers, embedding_dim=3
            )
            .half()
            .double()
        )
        net = exported(model)
        assert difference(arithmetic, net, model, words, pads) < NEAR


def test_a_wrong_weight_would_be_seen(arithmetic: Page) -> None:
    torch.manual_seed(0)
    model = SequenceTagger(26, 4, 5, bidirectional=True, cell="gru", embedding_dim=3).half()
    net = exported(model.double())
    model.rnn.weight_hh_l0.data[3, 1] += 0.5
    assert difference(arithmetic, net, model, [[3, 1, 4]], 0) > NEAR


# ── On a page without a kernel ──────────────────────────────────────────────────────────────────


def opened(page: Page, folder: Path, explorer: ReadingExplorer, theme: str = "light") -> Page:
    """From the disk, with no network."""
    names = ("heading", "note", "controls", "values", "library")
    return opened_alone(page, folder, explorer, "reading", SCRIPTS, names, theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, tmp_path: Path, theme: str) -> None:
    opened(
        page,
        tmp_path,
        reading_explorer("free", "knight", layers="2", pads="padded", summary="both ends"),
        theme,
    )
    page.locator("details").evaluate("node => { node.open = true; }")
    expect(page.get_by_role("status")).to_contain_text("on average")
    assert violations(page) == []
    page.add_style_tag(content=".bx-note { color: #999 !important; background: #888 !important; }")
    assert "color-contrast" in {found.rule for found in violations(page)}


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_is_wider_than_the_window(page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, tmp_path, reading_explorer("free", "background"))
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    page.add_style_tag(content=".bx-stage { width: 1200px; max-width: none; }")
    assert page.evaluate(wider)


def test_by_keyboard_alone(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "city"))
    keyboard, status = page.keyboard, page.get_by_role("status")
    keyboard.press("Tab")
    expect(page.get_by_role("textbox")).to_be_focused()
    keyboard.press("Tab")
    expect(page.get_by_role("radio", name="both ways")).to_be_focused()
    keyboard.press("Tab")
    expect(page.locator(".bx-answer").first).to_be_focused()
    expect(status).to_contain_text("Output 0 (c) has read c with the forward reader and city with")
    keyboard.press("ArrowRight")
    expect(page.locator(".bx-answer").nth(1)).to_be_focused()
    expect(page.locator(".bx-answer").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(status).to_contain_text("Output 1 (i) has read ci with the forward reader and ity with")
    keyboard.press("Shift+Tab")
    keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="left to right")).to_be_checked()
    expect(status).to_contain_text(
        "Output 1 (i) has read ci with the forward reader; the 2 letters after"
    )
    assert page.locator(".bx-band").count() == 1


def lit(page: Page, reader: str) -> list[bool]:
    states = page.locator(f".bx-band-{reader} .bx-state")
    return [
        not found
        for found in states.evaluate_all("all => all.map(n => n.classList.contains('bx-faded'))")
    ]


def test_the_picture_shows_what_the_sentence_says(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "phone"))
    for at in range(5):
        page.locator(".bx-answer").nth(at).click()
        assert lit(page, "forward") == [t <= at for t in range(5)]
        assert lit(page, "backward") == [t >= at for t in range(5)]
        expect(page.get_by_role("status")).to_contain_text(
            f"{'phone'[: at + 1]} with the forward reader and {'phone'[at:]} with"
        )
    assert page.locator(".bx-lines path").count() == 4  # two paths, two tips


def test_what_is_no_word_greys_the_picture_and_says_so(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "city"))
    field, status = page.get_by_role("textbox"), page.get_by_role("status")
    for bad in ("Zoë", "", "two words", "3"):
        field.fill(bad)
        expect(status).to_have_text(
            "Type 1 to 10 letters from a to z. Until then the picture shows city."
        )
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(page.locator(".bx")).to_have_class("birnn-panel bx bx-stale")
        expect(page.locator(".bx-answer").first).to_be_disabled()
    field.fill("Cab")
    expect(status).to_contain_text("Output 0 (c) has read c")
    expect(page.locator(".bx")).to_have_class("birnn-panel bx")


def test_a_wrong_answer_is_marked_where_the_dictionary_knows_the_word(
    page: Page, tmp_path: Path
) -> None:
    opened(page, tmp_path, reading_explorer("readers", "knight", reads="left to right"))
    tags = stored()["answers"]["knight"].split()
    answers = reading_explorer("readers", "knight", reads="left to right").answers()
    assert answers != tags  # one that reads left to right cannot know what follows the k
    for t, (own, right) in enumerate(zip(answers, tags, strict=True)):
        label = page.locator(".bx-answer").nth(t).get_attribute("aria-label")
        assert label is not None and ("; right" if own == right else "; wrong, it is") in label
    page.get_by_role("textbox").fill("qzx")
    expect(page.locator(".bx-right, .bx-wrong")).to_have_count(0)


def test_nothing_moves_unless_it_is_played(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "city"))
    slider = page.get_by_label("How far the readers have come")
    expect(slider).to_have_value("4")
    page.get_by_role("button", name="Read").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(slider).to_have_value("4")  # it has read to the end
    expect(page.get_by_role("button", name="Read")).to_be_visible()
    slider.fill("1")
    unread = page.locator(".bx-band-forward .bx-unread")
    expect(unread).to_have_count(3)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name="Read").click()
    expect(slider).to_have_value("2")


# ── In JupyterLab ───────────────────────────────────────────────────────────────────────────────


def test_it_runs_in_a_notebook(scratch: Lab) -> None:
    output = scratch.insert_and_run(
        "from birnn_course import reading_explorer\nreading_explorer(word='city')"
    )
    panel = output.locator(".bx")
    expect(panel.get_by_role("status")).to_contain_text("Output 0 (c) has read c")
    panel.get_by_role("radio", name="left to right").check()
    expect(panel.get_by_role("status")).to_contain_text("the 3 letters after it cannot reach it")
    assert scratch.errors() == []
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"reading-{theme.lower()}")
        assert violations(scratch.page, ".bx") == []
