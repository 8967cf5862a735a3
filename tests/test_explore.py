from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from panels import change

from birnn_course import (
    dependence_explorer,
    packing_explorer,
    shape_explorer,
    threshold_explorer,
)
from birnn_course.explore.panel import Choice, Integer, Panel, View


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({}, "inputs 0 to 2; 5 of 8"),
        ({"reads": "right to left"}, "inputs 2 to 7; 2 of 8"),
        ({"reads": "both ways", "cell": "gru"}, "inputs 0 to 7; none of 8"),
        ({"late": 2, "cell": "rnn"}, "inputs 0 to 4; 3 of 8"),
        ({"step": 0}, "input 0; 7 of 8"),
        ({"seq_len": 12}, "inputs 0 to 2; 9 of 12"),
    ],
)
def test_the_dependence_explorer_tells_what_was_seen(values: dict[str, Any], seen: str) -> None:
    panel = dependence_explorer()
    sentence = change(panel, **values)
    assert seen in sentence
    row = panel.picture.split("◀")[1].split("</tr>")[0]
    unseen = 0 if "none" in seen else int(seen.split("; ")[1].split()[0])
    assert row.count("·") == unseen


def test_a_value_that_cannot_be_is_a_sentence_and_the_picture_stays() -> None:
    panel = dependence_explorer()
    before = panel.picture
    assert "steps 0 to 7" in change(panel, step=9)
    assert change(panel, step=None) == "Output step t: type a whole number from 0 to 11."
    assert "choose rnn, gru or lstm" in change(panel, step=2, cell="cnn")
    assert panel.picture == before
    assert "has seen" in change(panel, cell="lstm")


def test_exploring_leaves_the_random_numbers_alone() -> None:
    import torch

    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    change(dependence_explorer(), cell="gru")
    assert torch.equal(torch.randn(3), expected)


def test_without_a_kernel_it_is_readable() -> None:
    data, _ = dependence_explorer()._repr_mimebundle_()
    assert data["text/plain"].startswith("[Which inputs has this output seen? Output 2 has seen")
    assert "<table" in data["text/html"]
    assert "Run this cell" in data["text/html"]
    assert "<script" not in data["text/html"]


def test_every_viewer_shows_its_problems_instead_of_raising() -> None:
    def draw(size: int, kind: str) -> View:
        if size == 3:
            raise ValueError("Three is not possible; choose another.")
        return View(f"<p>{kind}</p>", f"{size} {kind}")

    controls = [Integer("size", "Size", 1, 5), Choice("kind", "Kind", ("a", "b"))]
    panel = Panel("t", "Title?", controls, {"size": 1, "kind": "a"}, draw)
    assert change(panel, size=3) == "Three is not possible; choose another."
    assert (panel.stale, panel.picture) == (True, "<p>a</p>")  # of other values than are shown
    assert change(panel, size=6) == "Size: type a whole number from 1 to 5."
    assert panel.stale
    assert change(panel, size="2") == "Size: type a whole number from 1 to 5."
    assert change(panel, size=5, kind="b") == "5 b"
    assert (panel.stale, panel.answered) == (False, 4)


def unexpected(size: int) -> View:
    if size == 3:
        raise RuntimeError("no such size")
    return View("<p>", f"{size}")


def test_what_nobody_foresaw_is_a_sentence_too() -> None:
    panel = Panel("t", "Title?", [Integer("size", "Size", 1, 5)], {"size": 1}, unexpected)
    assert change(panel, size=3) == "This cannot be drawn (RuntimeError: no such size)."
    assert (panel.stale, panel.answered) == (True, 1)
    assert change(panel, size=4) == "4"
    assert not panel.stale


EXPLORERS: dict[str, Callable[[], Panel]] = {
    "dependence": dependence_explorer,
    "packing": packing_explorer,
    "shapes": shape_explorer,
    "threshold": threshold_explorer,
}
NEVER = {
    "integer": (None, 2.5, -1, 10**30, "3", ""),
    "choice": (None, "", "neither", 1),
    "word": (None, "", "Zoë", "two words", "a" * 99, "3"),
}


def old_under_new(panel: Panel) -> list[str]:
    """Values after which an old picture would stand under new controls, and nothing says so."""
    found = []
    for control in list(panel.controls):
        good = panel.values[control["name"]]
        for bad in NEVER[control["kind"]]:
            before, answered = panel.picture, panel.answered
            sentence = change(panel, **{control["name"]: bad})
            same = panel.picture == before and panel.answered == answered + 1
            if not (panel.stale and same and sentence.startswith(control["label"])):
                found.append(f"{control['name']}={bad!r}: {sentence}")
        change(panel, **{control["name"]: good})
        if panel.stale:
            found.append(f"{control['name']}={good!r} stays grey")
    return found


@pytest.mark.parametrize("name", EXPLORERS)
def test_no_picture_contradicts_its_controls(name: str) -> None:
    assert old_under_new(EXPLORERS[name]()) == []


def test_a_picture_that_does_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Integer, "check", lambda *_: None)
    panel = Panel("t", "Title?", [Integer("size", "Size", 1, 5)], {"size": 1}, lambda size: VIEW)
    assert old_under_new(panel)


VIEW = View("<p>", "Seen.")
