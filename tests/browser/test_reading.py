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
from torch.nn.utils.rnn import pack_padded_sequence

from birnn_course.data.spelling import Spelling
from birnn_course.explore.nets import exported, rebuilt, stored
from birnn_course.explore.reading import SCRIPTS, ReadingExplorer, reading_explorer
from birnn_course.models import CELLS, SequenceTagger
from browser.alone import opened_alone
from browser.axe import violations
from browser.lab import Lab, new_page

pytestmark = pytest.mark.browser

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
        worst = difference(arithmetic, net, rebuilt(name).double(), words, 0)
        print(f"{name}: 500 words, largest difference {worst:.1e}")
        assert worst < NEAR


@pytest.mark.parametrize("cell", CELLS)
def test_any_cell_size_and_number_of_layers(arithmetic: Page, cell: str) -> None:
    """500 words of 1 to 12 letters, 25 networks of random sizes."""
    draw = random.Random(cell)
    worst = 0.0
    for which in range(25):
        layers, both = 1 + which % 3, which % 2 == 0
        torch.manual_seed(which)
        model = (
            SequenceTagger(
                *(26, draw.randint(2, 9), draw.randint(1, 20)),
                bidirectional=both,
                cell=cell,
                num_layers=layers,
                embedding_dim=draw.randint(1, 9),
            )
            .half()
            .double()
        )
        lengths = [draw.randint(1, 12) for _ in range(20)]
        words = [[draw.randrange(26) for _ in range(length)] for length in lengths]
        net = exported(model)
        worst = max(worst, difference(arithmetic, net, model, words, draw.choice((0, 3))))
    print(f"{cell}: 500 words, largest difference {worst:.1e}")
    assert worst < NEAR


def test_every_packing_of_four_lengths_is_pytorchs(arithmetic: Page) -> None:
    script = next(path for path in SCRIPTS if path.stem == "packing")
    arithmetic.add_script_tag(content=script.read_text(encoding="utf-8"))
    all_lengths = list(itertools.product(range(1, 8), repeat=4))
    found = arithmetic.evaluate("all => all.map(packing)", all_lengths)
    assert len(found) == 2_401
    different = [x for x, own in zip(all_lengths, found, strict=True) if not is_packing(own, x)]
    assert different == []
    swapped = {**found[0], "order": [1, 0, 2, 3]}  # of four equal lengths
    assert not is_packing(swapped, all_lengths[0]) and not is_packing(found[1], all_lengths[0])


def is_packing(own: dict[str, Any], lengths: tuple[int, ...]) -> bool:
    """Whether it is PyTorch's: each row of the batch is marked with its sequence and its step."""
    marked = torch.stack(
        torch.meshgrid(torch.arange(len(lengths)), torch.arange(max(lengths)), indexing="ij"), -1
    )
    packed = pack_padded_sequence(
        marked, torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )
    assert packed.sorted_indices is not None
    order, sizes, rows = packed.sorted_indices, packed.batch_sizes, packed.data
    return own == {"order": order.tolist(), "sizes": sizes.tolist(), "rows": rows.tolist()}


def test_a_wrong_weight_would_be_seen(arithmetic: Page) -> None:
    torch.manual_seed(0)
    model = SequenceTagger(26, 4, 5, bidirectional=True, cell="gru", embedding_dim=3).half()
    net = exported(model.double())
    model.rnn.weight_hh_l0.data[3, 1] += 0.5
    assert difference(arithmetic, net, model, [[3, 1, 4]], 0) > NEAR


# ── On a page without a kernel ──────────────────────────────────────────────────────────────────


def opened(page: Page, folder: Path, explorer: ReadingExplorer, theme: str = "light") -> Page:
    """From the disk, with no network."""
    names = ("heading", "note", "controls", "preset", "first", "values", "library")
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
    expect(page.get_by_role("cell", name="k n i g h t pad pad pad").first).to_be_visible()
    assert violations(page) == []
    page.locator(".bx-answer").nth(1).click()
    page.get_by_role("button", name="Sounds in ARPAbet").click()
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


# What is lit and drawn: the letters, and of each band its reader, its layer, which of its states
# are lit, and where its rail begins and ends, in steps.
SEEN = """() => {
    const steps = [...document.querySelectorAll('.bx-tile')].length;
    const at = x => (x - document.querySelector('.bx-letters').getBoundingClientRect().left)
        / document.querySelector('.bx-letters').getBoundingClientRect().width * steps;
    const all = query => [...document.querySelectorAll(query)];
    const rails = all(".bx-rail").map(n => n.getBoundingClientRect());
    return {
        letters: all(".bx-tile").map(n => n.classList.contains('bx-lit')),
        row: all(".bx-map-row.bx-chosen b").map(n => n.className !== ''),
        rows: document.querySelectorAll('.bx-map-row.bx-chosen').length,
        tips: document.querySelectorAll('[class^=bx-tip]').length,
        bands: [...document.querySelectorAll('.bx-band')].map(band => {
            const box = band.getBoundingClientRect();
            const rail = rails.filter(r => Math.abs(r.top - box.bottom) < 7);
            return {
                reader: band.dataset.reader, layer: Number(band.dataset.layer),
                lit: [...band.querySelectorAll('.bx-state')].map(n =>
                    n.querySelector('svg') !== null && !n.classList.contains('bx-faded')),
                rails: rail.map(r => [at(r.left), at(r.right)]),
            };
        }),
    };
}"""


def where(lit: list[bool]) -> list[int]:
    return [t for t, on in enumerate(lit) if on]


@pytest.mark.parametrize("reads", ["both ways", "left to right"])
@pytest.mark.parametrize("layers", ["1", "2"])
@pytest.mark.parametrize("pads", ["alone", "padded", "packed"])
def test_every_path_that_is_claimed_is_drawn(
    page: Page, tmp_path: Path, reads: str, layers: str, pads: str
) -> None:
    """What is lit is what was measured, and each lit state lies on the rail of its reader."""
    word = "cab"
    opened(page, tmp_path, reading_explorer("free", word, reads=reads, layers=layers, pads=pads))
    expect(
        page.locator(".bx-map-row.bx-chosen .bx-half-forward, .bx-by-both").first
    ).to_be_visible()
    read = len(word) + (3 if pads == "padded" else 0)
    for at in range(len(word)):
        page.locator(".bx-answer").nth(at).click()
        seen = page.evaluate(SEEN)
        assert seen["rows"] == 1 and seen["letters"] == seen["row"]  # lit is measured
        for band in seen["bands"]:
            lit = where(band["lit"])
            (rail,) = band["rails"]
            end = rail[0] if band["reader"] == "forward" else rail[1]
            assert abs(end - (0 if band["reader"] == "forward" else read)) < 0.3
            assert all(rail[0] - 0.7 < t + 0.5 < rail[1] + 0.7 for t in lit)
            assert lit[0] == 0 if band["reader"] == "forward" else lit[-1] == read - 1
        halves = 2 if reads == "both ways" else 1
        between = {"1": 0, "2": 2 * read if halves == 2 else at + 1}[layers]
        assert seen["tips"] == halves + between


SUMMARIES = {
    # summary, reads, pads: what the sentence says, the steps that are read, per reader
    ("output[:, -1]", "both ways", "alone"): ("backward half has read only b", [0, 1, 2], [2]),
    ("output[:, -1]", "both ways", "padded"): ("read one pad and no letter", range(6), [5]),
    ("output[:, -1]", "both ways", "packed"): ("there are only zeros", [], []),
    ("output[:, -1]", "left to right", "padded"): ("cab, and then 3 pads", range(6), None),
    ("h_n[-1]", "both ways", "alone"): ("The forward reader is not in it", [], [0, 1, 2]),
    ("h_n[-1]", "both ways", "padded"): ("has read cab after 3 pads", [], range(6)),
    ("h_n[-1]", "left to right", "packed"): (
        "final state: it has read cab, and no",
        [0, 1, 2],
        None,
    ),
    ("both ends", "both ways", "alone"): ("Each has read cab.", [0, 1, 2], [0, 1, 2]),
    ("both ends", "both ways", "padded"): ("the backward reader after them", range(6), range(6)),
    ("both ends", "both ways", "packed"): ("has read cab, and no pad", [0, 1, 2], [0, 1, 2]),
}


def test_a_summary_says_and_shows_what_it_has_read(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("free", "cab"))
    for (summary, reads, pads), (sentence, forward, backward) in SUMMARIES.items():
        for option in (summary, reads, pads):
            page.get_by_role("radio", name=option, exact=True).check()
        expect(page.get_by_role("status")).to_contain_text(sentence)
        found = {band["reader"]: where(band["lit"]) for band in page.evaluate(SEEN)["bands"]}
        expected = {"forward": [*forward]} | ({} if backward is None else {"backward": [*backward]})
        assert found == expected, (summary, reads, pads)
    expect(page.locator(".bx-sizes")).to_have_text("222111")  # of the batch, packed
    page.locator(".bx-answer").first.click()
    expect(page.get_by_role("radio", name="none", exact=True)).to_be_checked()
    expect(page.get_by_role("status")).to_contain_text("Output 0 (c)")


def test_layer_2_waits_for_both_readers_of_layer_1(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("layers", "cab", layers="2"))
    slider = page.get_by_label("How far the readers have come")
    there = """layer => [...document.querySelectorAll(`[data-layer='${layer}']`)].map(band => band
        .querySelectorAll('.bx-state:not(.bx-unread)').length)"""
    for step, first, second in ((1, 1, 0), (3, 3, 0), (4, 3, 1), (6, 3, 3)):
        slider.fill(str(step))
        assert page.evaluate(there, "0") == [first, first]
        assert page.evaluate(there, "1") == [second, second]
        waits = "Layer 2 waits until both are through" if not second else ""
        expect(page.locator(".bx-progress")).to_contain_text(waits)
    assert page.locator(".bx-answer.bx-unread").count() == 0


def test_what_is_pointed_at_lights_everywhere(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "cab", reads="left to right"))
    page.mouse.move(1, 1)
    page.locator(".bx-answer").nth(1).hover()
    expect(page.get_by_role("status")).to_contain_text("Output 1 (a) has read ca")
    assert page.evaluate(SEEN)["letters"] == [True, True, False]
    expect(page.locator(".bx-map-row").nth(1)).to_have_class("bx-row bx-map-row bx-chosen")
    page.locator(".bx-map-row").nth(2).hover()
    expect(page.locator(".bx-answer").nth(2)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status")).to_contain_text("Output 2 (b) has read cab")


def test_a_sound_is_written_plainly_and_in_arpabet_on_demand(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "city"))
    sounds = page.locator(".bx-answer strong")
    expect(sounds).to_have_text(["s", "i", "t", "ee"])
    page.get_by_role("button", name="Sounds in ARPAbet").click()
    expect(sounds).to_have_text(["S", "IH", "T", "IY"])
    page.get_by_role("radio", name="left to right").check()
    expect(sounds.first).to_have_text("K")  # it cannot know what follows
    page.get_by_role("button", name="Sounds in ARPAbet").click()
    expect(sounds.first).to_have_text("k")


def test_every_sound_has_a_plain_spelling(arithmetic: Page) -> None:
    script = next(path for path in SCRIPTS if path.stem == "sounds")
    arithmetic.add_script_tag(content=script.read_text(encoding="utf-8"))
    sounds = {sound for tag in stored()["tags"] for sound in tag.split("+")} - {"_", "?"}
    assert arithmetic.evaluate("all => all.filter(s => !RESPELLED[s])", sorted(sounds)) == []
    assert arithmetic.evaluate("spoken('K+S') + ' ' + spoken('K+S', true)") == "ks K S"


def test_few_controls_until_one_explores_freely(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "cab"))
    groups, more = page.get_by_role("group"), page.get_by_role("button", name="Explore freely")
    expect(groups.locator("legend:visible")).to_have_text(["The network reads"])
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(groups.locator("legend:visible")).to_have_count(4)
    page.get_by_role("radio", name="2", exact=True).check()
    expect(page.locator(".bx-band")).to_have_count(4)
    more.click()  # what the place does not ask for goes back to what it was
    expect(groups.locator("legend:visible")).to_have_count(1)
    expect(page.locator(".bx-band")).to_have_count(2)


def test_what_is_no_word_greys_the_picture_and_says_so(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, reading_explorer("readers", "city"))
    field, status = page.get_by_role("textbox"), page.get_by_role("status")
    for bad, sentence in {
        "Zoë": "This network has learned English words, and they have no ë. Try zoe.",
        "кот": "so к is new to it. Write your word in the letters a to z, as it sounds.",
        "猫": "so 猫 is new to it.",
        "": "Type a word of 1 to 10 letters.",
        "two words": "Type one word, without a space.",
        "3": "Type letters from a to z and nothing else.",
        "abcdefghijk": "Type at most 10 letters",
    }.items():
        field.fill(bad)
        expect(status).to_contain_text(sentence)
        expect(status).to_contain_text("Until then the picture shows city.")
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
