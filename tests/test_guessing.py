"""A guess is kept and shown beside the result, whichever comes first, and nothing depends on it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest
import torch

from birnn_course.draw.axes import coordinates
from birnn_course.errors import CourseError
from birnn_course.learner.guessing import guess, measured
from birnn_course.learner.summary import describe
from birnn_course.record import record

ASKED: dict[str, Any] = {"low": 0, "high": 100, "unit": "%"}


def test_a_guess_is_beside_the_result(home: Path) -> None:
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    assert widget.value is None
    widget.value = 60
    result = measured("01-both-ways", 80.23, **ASKED)
    assert (result.you, result.truth) == (60, "Measured: ≈ 80.2 %.")
    assert result.axes["scale"] == [0, 100] and result.value == 80.23
    assert guess("01-both-ways", "How many percent?", **ASKED).value == 60  # tomorrow


def test_a_guess_after_the_result_is_shown_there_too(home: Path) -> None:
    result = measured("01-both-ways", 80.2, unit="%")
    other = measured("01-other", 3)
    assert result.you is None
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    for value in (10, 95.5):
        widget.value = value
        assert result.you == value
    assert (other.you, other.truth) == (None, "Measured: ≈ 3.")
    assert [attempt.answer for attempt in record().attempts("guess:01-both-ways")] == ["10", "95.5"]


def test_a_guess_is_promised_when_it_is_kept(home: Path) -> None:
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    assert widget.kept is None
    widget.value = 60
    assert (widget.kept, widget.notice) == (60, "")
    widget.value = "many"
    assert widget.kept == 60  # what is no guess has not arrived
    assert guess("01-both-ways", "How many percent?", **ASKED).kept == 60  # tomorrow


def test_a_guess_that_cannot_be_kept_is_said(home: Path) -> None:
    home.write_text("a file where the folder should be")
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    widget.value = 60
    assert widget.kept == 60 and "kept only until this session ends" in widget.notice


def test_a_choice_is_told_in_words(home: Path) -> None:
    widget = guess("02-which", "Which one?", choices=["the first", "the last"])
    result = measured("02-which", "the last")
    widget.value = "the first"
    assert (result.you, result.truth) == ("the first", "It is: the last.")


def test_a_choice_may_be_a_drawn_curve(home: Path) -> None:
    curves = {"step by step": [60, 80, 100], "at once": (60, 60, 100)}
    widget = guess("02-shape", "Which one?", choices=curves)
    assert widget.choices == [*curves] and widget.curves["at once"] == [60, 60, 100]
    widget.value = "at once"
    assert measured("02-shape", "at once").you == "at once"


CURVE: dict[str, Any] = {"at": [0, 1, 6], "low": 50, "high": 100, "unit": "%", "xlabel": "late"}


def test_a_curve_is_guessed_and_kept(home: Path) -> None:
    widget = guess("01-late", "How good?", **CURVE)
    widget.value = [60, 70.5, 100]
    result = measured("01-late", torch.tensor([60.04, 60, 100]))
    assert result.you == [60, 70.5, 100]
    assert result.truth == "Measured: ≈ 60 %, ≈ 60 %, ≈ 100 %, at 0, 1, 6 late."
    assert result.axes["scale"] == [50, 100]  # as in the guess
    assert guess("01-late", "How good?", **CURVE).value == [60, 70.5, 100]


def test_a_result_without_its_guess_finds_its_own_axes(home: Path) -> None:
    result = measured("01-alone", [1, 2, 3], exact=True)
    assert result.axes["at"] == [0, 1, 2]
    low, high = result.axes["scale"]
    assert low < 1 and high > 3
    assert result.truth == "Measured: 1, 2, 3, at 0, 1, 2."
    assert measured("01-flat", [2, 2]).axes["scale"] == [1.9, 2.1]


@pytest.mark.parametrize(
    "value", [[60, 70], [60, 70, 80, 90], [60, "70", 80], [60, float("nan"), 80], 60, None, "60"]
)
def test_what_is_no_such_curve_is_not_kept(home: Path, value: Any) -> None:
    guess("01-late", "How good?", **CURVE).value = value
    assert record().attempts() == []


@pytest.mark.parametrize(
    ("value", "asked", "written"),
    [
        (0.80234, {"low": 0, "high": 1}, "0.802"),
        (80.234, {"low": 0, "high": 100, "unit": "%"}, "80.2 %"),
        (12345.6, {"low": 0, "high": 1e6}, "12346"),
        (0.000123456, {}, "0.000123"),
        (0, {}, "0"),
    ],
)
def test_a_number_is_written_as_finely_as_it_is_drawn(
    home: Path, value: float, asked: dict[str, Any], written: str
) -> None:
    assert measured("01-fine", value, **asked, exact=True).truth == f"Measured: {written}."


class Plotted:
    """A picture that says where its axes lie, as those of the course do."""

    alt = "a rises"

    def __init__(self) -> None:
        from matplotlib.figure import Figure

        self.figure = Figure(figsize=(5, 3), dpi=100, layout="constrained")
        ax = self.figure.subplots()
        ax.plot([0, 1, 2], [60, 80, 100])
        ax.set(xlim=(0, 2), ylim=(50, 100), xlabel="late", ylabel="%")
        self.coordinates = coordinates(self.figure)

    def png(self) -> bytes:
        file = io.BytesIO()
        self.figure.savefig(file, format="png", bbox_inches="tight")
        return file.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        data = base64.b64encode(self.png()).decode("ascii")
        image = f'<img alt="{self.alt}" src="data:image/png;base64,{data}">'
        return {"text/html": f"<figure>{image}</figure>"}


def test_a_picture_says_where_its_axes_lie() -> None:
    """The axes that are painted end where the coordinates say."""
    from PIL import Image

    plotted = Plotted()
    ax = plotted.figure.axes[0]
    ax.patch.set_facecolor("#ff0000")
    image = Image.open(io.BytesIO(plotted.png())).convert("RGB")
    red = image.point(lambda v: v).load()
    assert red is not None
    points = [
        (x, y) for x in range(image.width) for y in range(image.height) if red[x, y] == (255, 0, 0)
    ]
    left, top, right, bottom = plotted.coordinates["box"]
    edges = (min(x for x, _ in points), min(y for _, y in points))
    ends = (max(x for x, _ in points), max(y for _, y in points))
    assert edges == pytest.approx((left * image.width, top * image.height), abs=3)
    assert ends == pytest.approx((right * image.width, bottom * image.height), abs=3)
    assert (plotted.coordinates["x"], plotted.coordinates["y"]) == ((0, 2), (50, 100))


def test_upon_curved_axes_nothing_is_laid() -> None:
    plotted = Plotted()
    plotted.figure.axes[0].set_yscale("log")
    with pytest.raises(CourseError, match="linear axes only"):
        coordinates(plotted.figure)


def test_a_result_on_a_picture_carries_it(home: Path) -> None:
    result = measured("01-on", 80, picture=Plotted(), unit="%", exact=True)
    assert result.picture["x"] == [0, 2] and len(result.picture["box"]) == 4
    plain, page = result.without_kernel()
    assert plain.startswith("[a rises Measured: 80 %. Run")
    assert page.startswith('<figure><img alt="a rises"') and "<p>Measured: 80 %. <em>Run" in page


@pytest.mark.parametrize("value", ["the third", 5, None, True, ["the first"]])
def test_what_is_no_choice_is_not_kept(home: Path, value: Any) -> None:
    guess("02-which", "Which one?", choices=["the first", "the last"]).value = value
    assert record().attempts() == []


@pytest.mark.parametrize("value", ["60", float("nan"), float("inf"), True, None])
def test_what_is_no_number_is_not_kept(home: Path, value: Any) -> None:
    guess("01-both-ways", "How many percent?", **ASKED).value = value
    assert record().attempts() == []


def test_it_earns_nothing_and_shows_no_belief(home: Path) -> None:
    before = describe([], {})
    guess("01-both-ways", "How many percent?", **ASKED).value = 60
    (kept,) = record().attempts()
    assert (kept.kind, kept.unit, kept.points, kept.misconception) == ("guess", "01", 0, None)
    lines = describe([kept], {}).splitlines()
    assert lines[:-1] == before.splitlines()[:-1]


def test_what_is_stored_depends_on_no_guess_and_no_widget(home: Path) -> None:
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    plain, page = widget.without_kernel()
    widget.value = 60
    assert widget.without_kernel() == (plain, page)
    assert plain == "[Guess: How many percent? From 0 % to 100 %. Run this cell to guess.]"
    choices = guess("02-which", "Which <b>?", choices=["a", "b"]).without_kernel()
    assert choices[0] == "[Guess: Which <b>? a / b Run this cell to guess.]"
    assert "Which &lt;b&gt;?" in choices[1]
    result = measured("01-both-ways", 80.2)
    assert result.you == 60
    run = "Run this cell to see your guess beside it."
    assert result.without_kernel() == (
        f"[Measured: ≈ 80.2 %. {run}]",
        f"<p>Measured: ≈ 80.2 %. <em>{run}</em></p>",
    )
    assert guess("01-late", "How good?", **CURVE).without_kernel()[0] == (
        "[Guess: How good? At 0, 1, 6 late: from 50 % to 100 %. Run this cell to guess.]"
    )


def test_what_describes_a_widget_says_nothing_of_a_guess_or_a_moving_number(home: Path) -> None:
    widget = guess("01-both-ways", "How many percent?", **ASKED)
    widget.value = 60
    asked = {"id": "01-both-ways", **ASKED}
    assert widget.descriptor() == {"kind": "guess", "question": "How many percent?", **asked}
    assert measured("01-both-ways", 80.2).descriptor() == {
        "kind": "measured",
        "exact": False,
        **asked,
    }
    curve = guess("01-late", "How good?", **CURVE).descriptor()
    assert curve == {"kind": "guess", "id": "01-late", "question": "How good?", **CURVE}
    choices = guess("02-which", "Which one?", choices={"a": [1, 2], "b": [2, 1]}).descriptor()
    assert choices["choices"] == {"a": [1, 2], "b": [2, 1]} and "low" not in choices


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"item": "both ways"}, 'named as in "01-both-ways"'),
        ({"low": None}, "choices, or low and high"),
        ({"low": 5, "high": 5}, "low below high"),
        ({"choices": ["a", "b"]}, "choices, or low and high"),
        ({"choices": ["a"], "low": None, "high": None}, "two to five choices"),
        ({"choices": ["a", "a"], "low": None, "high": None}, "two to five choices"),
        ({"choices": {"a": [1], "b": [1, 2]}, "low": None, "high": None}, "two heights or more"),
        ({"choices": ["a", "b"], "low": None, "high": None, "at": [0, 1]}, "2 to 8 rising"),
        ({"at": [0]}, "2 to 8 rising numbers"),
        ({"at": [1, 0]}, "2 to 8 rising numbers"),
        ({"at": [0, 0, 1]}, "2 to 8 rising numbers"),
        ({"at": range(9)}, "2 to 8 rising numbers"),
        ({"at": [0, 1], "low": None}, "choices, or low and high"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    asked = {"item": "01-a", "question": "How many?", **ASKED, **arguments}
    with pytest.raises(CourseError, match=sentence):
        guess(asked.pop("item"), asked.pop("question"), **asked)


def test_what_is_exact_needs_no_sign(home: Path) -> None:
    assert measured("01-a", 80.2, unit="%", exact=True).truth == "Measured: 80.2 %."


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1, float("nan")]])
def test_what_was_not_measured_is_one_sentence(home: Path, value: Any) -> None:
    with pytest.raises(CourseError, match="nothing to compare with"):
        measured("01-a", value)


def test_a_curve_of_another_length_is_one_sentence(home: Path) -> None:
    guess("01-late", "How good?", **CURVE)
    with pytest.raises(CourseError, match="2 heights and 3 places: give one for each"):
        measured("01-late", [1, 2])
