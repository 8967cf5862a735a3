"""Word and phone error rates against torchmetrics, which counts the same edits."""

from __future__ import annotations

import random

import pytest
from torchmetrics.functional.text import edit_distance as theirs
from torchmetrics.functional.text import word_error_rate as edits_per_token

from birnn_course import edit_distance, phone_error_rate, word_error_rate
from birnn_course.errors import CourseError


@pytest.mark.parametrize(
    ("a", "b", "edits"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)],
)
def test_edits_counted_by_hand(a: str, b: str, edits: int) -> None:
    assert edit_distance(a, b) == edits


def test_edits_as_torchmetrics_counts_them() -> None:
    draw = random.Random(0)
    for _ in range(200):
        a, b = ("".join(draw.choices("abc", k=draw.randrange(8))) for _ in range(2))
        assert edit_distance(a, b) == int(theirs([a], [b], reduction="sum"))


def test_phones_as_torchmetrics_counts_tokens() -> None:
    draw = random.Random(1)
    predicted = [draw.choices("ABC", k=draw.randrange(1, 6)) for _ in range(50)]
    right = [draw.choices("ABC", k=draw.randrange(1, 6)) for _ in range(50)]
    expected = edits_per_token([" ".join(p) for p in predicted], [" ".join(p) for p in right])
    assert phone_error_rate(predicted, [[p] for p in right]) == pytest.approx(float(expected))


def test_every_listed_pronunciation_is_right() -> None:
    tomato = [("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW")]
    for predicted in tomato:
        assert word_error_rate([predicted], [tomato]) == 0
        assert phone_error_rate([predicted], [tomato]) == 0
    half_right = tomato[0], list(tomato[0][:-1])
    assert word_error_rate(half_right, [tomato, tomato]) == 0.5
    assert phone_error_rate(half_right, [tomato, tomato]) == 1 / 12


def test_one_wrong_phone_in_each_word_makes_every_word_wrong() -> None:
    predicted, right = [("F", "OW", "N")] * 4, [[("F", "AO", "N")]] * 4
    assert word_error_rate(predicted, right) == 1
    assert phone_error_rate(predicted, right) == pytest.approx(1 / 3)


@pytest.mark.parametrize("rate", [word_error_rate, phone_error_rate])
@pytest.mark.parametrize(("predicted", "right"), [([], []), ([("F",)], []), ([("F",)], [[]])])
def test_what_cannot_be_counted_is_a_sentence(rate, predicted, right) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CourseError, match="needs one prediction for each word"):
        rate(predicted, right)
