"""The shape explorer returns what PyTorch does, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Page, expect
from test_explore_shapes import every_setting
from test_live import bundle

from birnn_course.draw import slices
from birnn_course.errors import CourseError
from birnn_course.explore.shapes import (
    SCRIPTS,
    SLICES,
    ShapeExplorer,
    batch,
    library,
    module,
    shape_explorer,
)
from birnn_course.live import assets, placeholder, restored
from browser.alone import opened_alone
from browser.axe import violations
from browser.lab import Lab, new_page

pytestmark = pytest.mark.browser

NEAR = 1e-5
START = """library => {
    const nets = Object.fromEntries(Object.entries(library.nets).map(
        ([name, net]) => [name, {...net, weights: unpacked(net.weights)}]));
    const [shape, data] = library.x;
    const flat = halves(data);
    window.input = (batch, steps) => upTo(batch).map(i => upTo(steps).map(t =>
        flat.subarray((i * shape[1] + t) * shape[2], (i * shape[1] + t + 1) * shape[2])));
    window.runOf = ({kind, reads, layers, batch_first}) => x => returned(nets[`${kind}, ${reads}`],
        {layers: Number(layers), batchFirst: batch_first === 'True'}, x);
}"""
RETURNED = """all => all.map(values => {
    const run = runOf(values)(input(Number(values.batch), Number(values.seq_len)));
    return Object.fromEntries(Object.entries(run.tensors).map(([name, {shape, places}]) =>
        [name, {shape, numbers: places.map(place => run.numbers[place])}]));
})"""
MEASURED = """all => all.map(([values, text]) => {
    const runOn = runOf(values);
    try {
        const x = input(Number(values.batch), Number(values.seq_len));
        const found = measured(text, x, runOn);
        const run = runOn(x);
        const lit = new Set(found.places.map(place => {
            const {name, sample, step, half, block} = placeOf(run, place);
            return JSON.stringify(name === 'output' ? [name, sample, step, half] : [name, sample, block, 0]);
        }));
        return {
            shape: found.shape, mixed: found.mixed, verdict: verdictOn(found, run),
            parts: found.parts.map(({reader, layer, steps, share}) => [reader, layer, steps, share]),
            lit: [...lit].map(JSON.parse),
        };
    } catch (error) {
        if (!(error instanceof SliceError)) throw error;
        return error.message;
    }
})"""  # noqa: E501


@pytest.fixture(scope="module")
def arithmetic(browser: Browser) -> Iterator[Page]:
    """A page that has the modules and the scripts, with their functions in reach."""
    page = new_page(browser)
    for path in SCRIPTS[:-1]:
        page.add_script_tag(content=path.read_text(encoding="utf-8"))
    page.evaluate(START, library())
    yield page
    page.context.close()


def from_pytorch(values: dict[str, str]) -> dict[str, torch.Tensor]:
    """In doubles: the browser's weights are exactly these, its numbers are doubles."""
    return slices.run(module(values).double(), batch(values).double()).named()


def difference(own: dict[str, Any], expected: dict[str, torch.Tensor]) -> float:
    assert {name: tuple(found["shape"]) for name, found in own.items()} == {
        name: tuple(tensor.shape) for name, tensor in expected.items()
    }
    return max(
        float((torch.tensor(own[name]["numbers"]).double() - tensor.flatten()).abs().max())
        for name, tensor in expected.items()
    )


def test_every_setting_returns_what_pytorch_returns(arithmetic: Page) -> None:
    settings = every_setting()
    found = arithmetic.evaluate(RETURNED, settings)
    differences = [
        difference(own, from_pytorch(values)) for own, values in zip(found, settings, strict=True)
    ]
    print(f"{len(settings)} settings, largest difference {max(differences):.1e}")
    assert len(differences) == 1_008 and max(differences) < NEAR


def test_states_in_another_order_would_be_seen(arithmetic: Page) -> None:
    values = shape_explorer(layers=2).values
    (own,) = arithmetic.evaluate(RETURNED, [values])
    turned = {**from_pytorch(values), "h_n": from_pytorch(values)["h_n"].flip(0)}
    assert difference(own, from_pytorch(values)) < NEAR < difference(own, turned)


def by_python(values: dict[str, str], text: str) -> dict[str, Any] | None:
    """What the drawing says of a slice; nothing if it cannot be taken."""
    rnn, x = module(values), batch(values)
    try:
        found = slices.read(rnn, x, text)
    except CourseError:
        return None
    return {
        "shape": [*found.shape],
        "mixed": [*found.mixed],
        "verdict": [*slices.verdict(slices.run(rnn, x), found)],
        "parts": [[*part._replace(steps=[*part.steps])] for part in found.parts],  # type: ignore[arg-type]
        "lit": sorted([*cell] for cell in found.lit),
    }


WRITTEN = (
    "output", "output[0]", "output[1:, -2:, :3]", "output[:, 1:1]", "h_n[:, 0]", "h_n[-9]",
    "output[:, 0, 0, 0]", "h_n.reshape(5, -1)", "h_n.transpose(0, 1)", "h_n.transpose(0, 2)[1]",
    "torch.cat([h_n, h_n], dim=-1)", "torch.cat([h_n[0], output], 1)", "output[:,T-1]",
    "output.reshape(-1, 2*H)[-1]", "output[:, 0, H:2*H]", "c_n", "h_n.view(num_layers, -1)", "x",
    "torch.cat([output[:, 0], output[:, -1]])", "h_n[", "output[:, -1].view(-1)",
)  # fmt: skip
UNKNOWN = ("output[:,T-1]", "output[:, -1].view(-1)")
"""What Python can take and the explorer says that it does not know."""


def test_a_slice_is_what_python_takes_and_has_read_what_is_measured_there(
    arithmetic: Page,
) -> None:
    """Each setting of interest with each slice of the list; one with slices that somebody types."""
    settings = [
        values
        for values in every_setting()
        if (values["kind"], values["layers"], values["seq_len"], values["batch"])
        in {("gru", "1", "5", "3"), ("lstm", "2", "4", "2"), ("rnn", "1", "1", "1")}
    ]
    asked = [(values, text) for values in settings for text in SLICES]
    asked += [(shape_explorer(layers=2, kind="lstm", seq_len=5).values, text) for text in WRITTEN]
    wrong = []
    taken = 0
    for (values, text), own in zip(asked, arithmetic.evaluate(MEASURED, asked), strict=True):
        expected = by_python(values, text)
        taken += expected is not None
        if text in UNKNOWN:
            assert "The explorer knows" in own
        elif expected is None:
            wrong += [] if isinstance(own, str) else [(values, text, own)]
        elif isinstance(own, str) or {**own, "lit": sorted(own["lit"])} != expected:
            wrong.append((values, text, own))
    assert wrong == [] and taken > 120


# ── On a page without a kernel ──────────────────────────────────────────────────────────────────


def opened(page: Page, folder: Path, explorer: ShapeExplorer, theme: str = "light") -> Page:
    """From the disk, with no network."""
    names = ("heading", "note", "controls", "preset", "first", "values", "library")
    return opened_alone(page, folder, explorer, "shapes", SCRIPTS, names, theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(page: Page, tmp_path: Path, theme: str) -> None:
    opened(page, tmp_path, shape_explorer("free", layers=2, kind="lstm", slice="c_n[-1]"), theme)
    page.locator("details").evaluate("node => { node.open = true; }")
    expect(page.get_by_role("cell", name="layer 2, backward, after step 0").first).to_be_visible()
    assert violations(page) == []
    for text in ("output[:, -1]", "h_n.reshape(B, -1)", "output[:, 0]", "h_n[9]"):
        page.get_by_label("Your own slice").fill(text)
        assert violations(page) == [], text
    page.add_style_tag(content=".bx-note { color: #999 !important; background: #888 !important; }")
    assert "color-contrast" in {found.rule for found in violations(page)}


@pytest.mark.parametrize("width", [390, 800])
def test_nothing_is_wider_than_the_window(page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, tmp_path, shape_explorer("free", layers=3, kind="lstm", batch=4, seq_len=7))
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    page.add_style_tag(content=".bs-stage { width: 1200px; max-width: none; }")
    assert page.evaluate(wider)


def test_by_keyboard_alone(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, shape_explorer("one-layer"))
    keyboard, status = page.keyboard, page.get_by_role("status")
    keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="A slice")).to_be_focused()
    expect(status).to_contain_text("output[:, -1] has the shape (3, 8); half of it has read every")
    expect(status).to_contain_text("step 5 only with the backward reader. ✗ Half of it has read")
    keyboard.press("ArrowDown")
    expect(status).to_contain_text("output[:, 0] has the shape (3, 8)")
    keyboard.press("Tab")
    expect(page.get_by_role("radio", name="both ways")).to_be_focused()
    keyboard.press("Tab")
    expect(page.get_by_role("button", name="Step 0: output[:, 0]")).to_be_focused()
    keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Step 1: output[:, 1]")).to_be_focused()
    expect(status).to_contain_text("has read steps 0 to 1 with the forward reader")
    expect(page.get_by_role("combobox", name="A slice")).to_have_value("output[:, 1]")
    keyboard.press("Tab")
    keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="h_n[1] backward")).to_be_focused()
    expect(status).to_contain_text("It has read every step, with the backward reader alone.")


# What is drawn: the lit cells, the tiles that were read, and where each line begins and ends.
SEEN = """() => {
    const all = query => [...document.querySelectorAll(query)];
    const near = (x, y) => {
        const front = all('[data-key]').filter(n => n.dataset.key.split('/')[1] === '0');
        return front.find(n => {
            const {left, right, top, bottom} = n.getBoundingClientRect();
            return x >= left - 9 && x < right - 1 && y > top - 2 && y < bottom + 2;
        })?.dataset.key;
    };
    return {
        lit: all('.bs-lit').map(n => n.dataset.key),
        read: all('.bs-has').map(row => [...row.querySelectorAll('.bs-cell')].map(n =>
            !n.classList.contains('bs-unread'))),
        lines: all('.bs-lines [class^=bs-line]').map(path => {
            const of = at => path.getPointAtLength(at).matrixTransform(path.getScreenCTM());
            const [from, to] = [of(0), of(path.getTotalLength())];
            return [near(from.x, from.y), near(to.x, to.y)];
        }),
    };
}"""


def test_the_picture_shows_what_the_sentence_says(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, shape_explorer("one-layer", batch=2, seq_len=4))
    seen = page.evaluate(SEEN)
    assert {*seen["lit"]} == {f"output/{i}/3/{half}" for i in (0, 1) for half in (0, 1)}
    assert seen["read"] == [[True] * 4, [False] * 3 + [True]]
    ends = [["output/0/3/0", "h_n/0/0"], ["output/0/0/1", "h_n/0/1"]]
    assert seen["lines"] == ends
    page.get_by_role("radio", name="left to right").check()
    seen = page.evaluate(SEEN)
    assert seen["read"] == [[True] * 4] and seen["lines"] == ends[:1]
    expect(page.get_by_role("status")).to_contain_text("✓ All of it has read every step.")


def test_two_layers_time_first(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, shape_explorer("two-layers", batch=2, seq_len=4, batch_first=False))
    assert page.evaluate(SEEN)["lines"] == [
        ["output/0/3/0", "h_n/0/2"],
        ["output/0/0/1", "h_n/0/3"],
    ]
    expect(page.get_by_text("output (seq_len 4, batch 2, 2 × hidden 4)")).to_be_visible()
    page.get_by_role("button", name="Step 3: output[3]").click()
    assert len(page.evaluate(SEEN)["lit"]) == 4
    page.get_by_role("radio", name="lstm").check()
    page.get_by_role("button", name="c_n[0] forward, layer 1").click()
    expect(page.get_by_role("status")).to_contain_text("there is layer 1 in it")
    page.get_by_role("radio", name="1", exact=True).check()
    expect(page.get_by_role("status")).to_contain_text("with the forward reader alone")
    page.get_by_role("radio", name="gru").check()
    expect(page.get_by_role("status")).to_have_text(
        "c_n[0] cannot be taken here: only an LSTM returns c_n."
    )
    assert page.evaluate(SEEN)["lit"] == page.evaluate(SEEN)["read"] == []


def test_a_slice_of_ones_own(page: Page, tmp_path: Path) -> None:
    opened(page, tmp_path, shape_explorer("one-layer"))
    field, status = page.get_by_label("Your own slice"), page.get_by_role("status")
    expect(field).to_be_hidden()
    page.get_by_role("button", name="Explore freely").click()
    field.fill("output[0, 2:4, H:]")
    expect(status).to_contain_text("output[0, 2:4, H:] has the shape (2, 4)")
    assert {*page.evaluate(SEEN)["lit"]} == {"output/0/2/1", "output/0/3/1"}
    for text, says in {
        "output[:, 9]": "index 9 is out of bounds for dimension 1 with size 6.",
        "<b>": "The explorer knows output, h_n, c_n, indices",
        "": "Ask for a slice",
    }.items():
        field.fill(text)
        expect(status).to_contain_text(says)
    page.get_by_role("button", name="Explore freely").click()
    expect(field).to_be_hidden()


def test_it_lives_on_a_page_as_it_was_stored(page: Page, tmp_path: Path) -> None:
    again = restored(bundle(shape_explorer("two-layers", kind="lstm")))
    assert again is not None
    text = placeholder(again)
    made = assets(text, keeps=False)
    file = tmp_path / "page.html"
    file.write_text(
        f"<!doctype html><html lang=en><title>p</title><style>{made.style}</style>{text}"
        f"<script>{made.script}</script>",
        encoding="utf-8",
    )
    page.context.set_offline(True)
    page.goto(file.as_uri())
    expect(page.get_by_role("status")).to_contain_text("✓ All of it has read every step, from both")
    assert page.locator(".bs-lines path").count() == 4


def test_in_jupyterlab_by_keyboard(scratch: Lab) -> None:
    panel = scratch.insert_and_run(
        "from birnn_course import shape_explorer\nwidget = shape_explorer('one-layer')\nwidget"
    ).locator(".bs")
    expect(panel).to_be_visible()
    panel.get_by_role("radio", name="both ways").focus()
    scratch.page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("status")).to_contain_text("✓ All of it has read every step.")
    panel.locator(".bs-pick").nth(2).click()
    scratch.page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("status")).to_contain_text("output[:, 3]")
    output = scratch.insert_and_run("print(widget.values['slice'], widget.values['reads'])")
    expect(output).to_contain_text("output[:, 3] left to right")
    assert scratch.errors() == []
