from __future__ import annotations

from collections.abc import Callable

import pytest
from panels import change

from birnn_course import packing_explorer, threshold_explorer
from birnn_course.explore.panel import Choice, Integer, Panel, View


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
    "packing": packing_explorer,
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
