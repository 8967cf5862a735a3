"""Scores as points: where each stands, what its line means, and where the axis starts."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from birnn_course import plot_points
from birnn_course.draw.charts import ticks, written
from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import MODELS, READERS, SERIES, looks
from birnn_course.draw.points import MOST, WIDTH
from birnn_course.errors import CourseError


def texts(drawing: Drawing) -> list[str]:
    sheet = ElementTree.fromstring(drawing.scene.svg())
    return [node.text or "" for node in sheet.iter("text")]


def where(drawing: Drawing) -> dict[str, float]:
    """Name of each row to what its mark says, read from the picture by its axis."""
    page = drawing.scene.svg()
    marked: dict[float, float] = {}
    round_or_square = (
        r'<rect x="([\d.]+)" y="([\d.]+)" width="10" height="10"',
        r'<path d="M([\d.]+) ([\d.]+)h10v10h-10z"',
    )
    for x, y in (place for mark in round_or_square for place in re.findall(mark, page)):
        marked[float(y) + 5] = float(x) + 5
    labels = {
        float(y): text
        for y, text in re.findall(r'<text x="[\d.]+" y="([\d.]+)">([^<]*)</text>', page)
        if float(y) in marked and not re.fullmatch(r"-?[\d.]+", text)
    }
    numbers = [
        (float(x), float(text))
        for x, y, text in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">(-?[\d.]+)</text>', page)
        if float(y) not in marked
    ]
    (x0, v0), (x1, v1) = min(numbers), max(numbers)
    assert x1 - x0 == pytest.approx(WIDTH)
    return {name: v0 + (marked[y] - x0) * (v1 - v0) / (x1 - x0) for y, name in labels.items()}


def test_each_mark_stands_at_its_score() -> None:
    drawing = plot_points({"a": 61.5, "b": [97.0, 99.0, 98.0]}, alt="b is ahead")
    assert where(drawing) == pytest.approx({"a": 61.5, "b": 98.0}, abs=0.1)
    assert {"61.5", "98.0"} <= {*texts(drawing)}
    # Planted: the same marks on another axis are other scores.
    moved = plot_points({"a": 61.5, "b": 80.0}, alt="b is ahead")
    assert where(moved) != pytest.approx(where(drawing), abs=0.1)


def test_a_line_says_what_it_is() -> None:
    runs = texts(plot_points({"a": [1.0, 2.0, 3.0], "b": [2.0, 2.5, 2.2]}, alt="a", xlabel="x"))
    assert "mark: median; line: lowest to highest of 3 runs" in runs
    uneven = texts(plot_points({"a": [1.0, 2.0], "b": [2.0, 2.5, 2.2]}, alt="a", xlabel="x"))
    assert "mark: median; line: lowest to highest of all runs" in uneven
    interval = plot_points({"a": 97.0}, intervals={"a": (96.0, 98.5)}, alt="a")
    assert "line: 95 % interval" in texts(interval)
    assert not [text for text in texts(plot_points({"a": 97.0}, alt="a")) if "line:" in text]


@pytest.mark.parametrize(
    ("scores", "options", "says"),
    [
        ({"a": 97.0, "b": 98.0}, {}, "the axis starts at 96.5"),
        ({"a": 10.0, "b": 98.0}, {}, None),
        ({"a": 97.0, "b": 98.0}, {"start": 0}, None),
        ({"a": 97.0, "b": 98.0}, {"start": 50}, "the axis starts at 50"),
        ({"a": 97.0}, {"limits": {"limit": 5.0}}, None),
        ({"a": -3.0, "b": -2.0}, {"xlabel": "log-likelihood"}, "the axis starts at -3.5"),
        ({"a": 0.2, "b": 0.97}, {"xlabel": "F1"}, None),
    ],
)
def test_an_axis_that_does_not_start_at_zero_says_so(
    scores: dict[str, float], options: dict[str, Any], says: str | None
) -> None:
    found = [text for text in texts(plot_points(scores, alt="a", **options)) if "starts" in text]
    assert (found == []) if says is None else found[0].endswith(says)


def test_percent_end_at_100() -> None:
    for high in (99.0, 100.0):
        numbers = texts(plot_points({"a": 60.0, "b": high}, alt="a"))
        assert "100" in numbers and not {"101", "105", "110", "120"} & {*numbers}


def test_groups_have_headings_and_a_model_one_look_in_all() -> None:
    scores = {g: {"left to right": 60.0, "both ways": 99.0} for g in ("names", "other words")}
    drawing = plot_points(scores, alt="both ways is ahead", limits={"limit": 60.0})
    assert {"names", "other words", "limit"} <= {*texts(drawing)}
    assert texts(drawing).count("both ways") == 2
    inside = plot_points(
        scores, intervals={"names": {"both ways": (98.0, 99.5)}}, alt="a"
    ).scene.svg()
    assert inside != plot_points(scores, alt="a").scene.svg()


def test_what_cannot_be_drawn_is_a_sentence() -> None:
    for scores in ({}, {"a": math.nan}, {"a": []}, {f"{i}": 1.0 for i in range(MOST + 1)}):
        with pytest.raises(CourseError, match="plot_points needs scores that are numbers"):
            plot_points(scores, alt="a")
    assert "no value" in texts(plot_points({"a": math.nan, "b": 2.0}, alt="a"))


def test_round_numbers_enclose_what_is_drawn() -> None:
    for low, high in ((0, 1), (0, 0.037), (58.9, 100), (-3.1, -2.9), (0, 12_345), (5, 5)):
        marks = ticks(low, high)
        assert marks[0] <= low + 1e-9 and marks[-1] >= high - 1e-9 and 2 <= len(marks) <= 6
        assert marks == sorted({*marks})
    assert [written(v) for v in (0.0, 2.5, 100.0, 20_000.0)] == ["0", "2.5", "100", "20,000"]


# ── who has which colour ────────────────────────────────────────────────────────────────────────


def test_a_readers_ink_is_a_readers_alone() -> None:
    names = ["left to right", "both ways", "a", *map(str, range(16)), "fast forward", "speaker 1"]
    assert not {look.ink for look in looks(names).values()} & {*READERS}
    found = looks(["backward half", "forward half", "both ways", "forward, padded"])
    assert [look.ink for look in found.values()] == ["backward", "forward", "violet", "forward"]
    assert len({*found.values()}) == 4


def test_a_model_looks_the_same_beside_any_other() -> None:
    alone = looks(MODELS)
    for names in (["both ways"], ["a", *reversed(MODELS)], [*MODELS, "a"], ["forward", *MODELS]):
        found = looks(names)
        assert all(found[name] == alone[name] for name in MODELS if name in names)
        assert len({*found.values()}) == len(names)
    assert len({*looks(map(str, range(16))).values()}) == 16
    assert {look.ink for look in looks("abcd").values()} == {*SERIES}
