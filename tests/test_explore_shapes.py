"""The shape explorer's Python face: its modules, its presets, and what it stores."""

from __future__ import annotations

import itertools
import json

import pytest
import torch

from birnn_course import shape_explorer
from birnn_course.draw import slices
from birnn_course.draw.drawing import MOST
from birnn_course.errors import CourseError
from birnn_course.explore.shapes import (
    BATCH,
    HIDDEN,
    PRESETS,
    SLICES,
    STEPS,
    batch,
    library,
    module,
)
from birnn_course.models import CELLS


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_opens_with_few_controls(preset: str) -> None:
    explorer = shape_explorer(preset)
    assert len(explorer.preset) <= 2 or preset == "free"
    assert {*explorer.preset} <= {control["name"] for control in explorer.controls}
    described = explorer.descriptor()
    assert (described["kind"], described["name"], described["preset"]) == (
        "explorer",
        "shapes",
        preset,
    )
    assert described["values"] == explorer.values
    assert len(json.dumps(explorer.library)) < 15_000


def test_without_an_argument_everything_is_there() -> None:
    assert [*shape_explorer().preset] == [control["name"] for control in shape_explorer().controls]


def test_a_module_of_fewer_layers_is_the_beginning_of_the_large_one() -> None:
    first = shape_explorer(layers=3, kind="lstm").values
    large, small = module(first), module({**first, "layers": "1"})
    assert small.num_layers == 1 and large.num_layers == 3
    assert all(torch.equal(v, large.state_dict()[k]) for k, v in small.state_dict().items())
    assert {*library()["nets"]} == {
        f"{kind}, {way}" for kind in CELLS for way in ("both ways", "left to right")
    }


@pytest.mark.parametrize("batch_first", [True, False])
def test_its_input_has_the_shape_that_is_asked_for(batch_first: bool) -> None:
    values = shape_explorer(batch_first=batch_first, seq_len=7, batch=2).values
    assert tuple(batch(values).shape) == ((2, 7, 5) if batch_first else (7, 2, 5))
    output, _ = module(values)(batch(values))
    assert output.shape[2] == 2 * HIDDEN


def test_a_stored_explorer_shows_and_says_what_the_slice_has_read() -> None:
    plain, page = shape_explorer("one-layer").without_kernel()
    assert plain == (
        "[Which slice has read the whole sequence? output[:, -1] has the shape (3, 8). "
        "Half of it has read one step only. Run this cell to explore.]"
    )
    assert "<svg" in page and "Run this cell" in page and "<script" not in page
    explorer = shape_explorer("one-layer")
    explorer.values = {**explorer.values, "slice": "output[:, 99]"}  # as somebody may have typed
    plain, page = explorer.without_kernel()
    assert "output[:, 99] cannot be taken here" in plain and "<svg" not in page


@pytest.mark.parametrize(
    ("preset", "values"),
    [(preset, {}) for preset in PRESETS]
    + [("free", {"layers": 3, "kind": "lstm", "batch": 4, "seq_len": 7})],
)
def test_what_is_stored_is_small(preset: str, values: dict[str, str]) -> None:
    _, page = shape_explorer(preset, **values).without_kernel()
    assert len(page[page.index("<figure") : page.index("</figure>")]) <= MOST


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"preset": "none"}, "There is no preset 'none'; choose one of one-layer, two-layers"),
        ({"layers": 4}, "There is no layers='4'. The explorer knows slice: "),
        ({"cell": "gru"}, "There is no cell='gru'"),
        ({"slice": "h_n[2]"}, "h_n[2] cannot be taken here: index 2 is out of bounds"),
        ({"slice": "output +"}, "output + cannot be taken here"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(
    arguments: dict[str, str | int], sentence: str
) -> None:
    with pytest.raises(CourseError) as caught:
        shape_explorer(**arguments)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


def test_every_slice_in_the_list_can_be_taken_somewhere() -> None:
    values = shape_explorer(layers=2, kind="lstm").values
    results = slices.run(module(values), batch(values))
    for text in SLICES:
        assert slices.taken(results, text).lit


def test_exploring_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    library.cache_clear()
    shape_explorer()
    assert torch.equal(torch.randn(3), expected)


def every_setting() -> list[dict[str, str]]:
    """All that the controls can be set to, but for the slice."""
    names = ("kind", "reads", "layers", "batch_first", "seq_len", "batch")
    options = {c["name"]: c["options"] for c in shape_explorer().controls}
    found = itertools.product(*(options[name] for name in names))
    return [dict(zip(names, values, strict=True)) for values in found]


def test_there_are_so_many_settings() -> None:
    assert len(every_setting()) == 3 * 2 * 3 * 2 * STEPS * BATCH
