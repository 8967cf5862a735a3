"""The limit explorer's Python face: what it sends is the task, exactly, and what is too large."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import pytest

from birnn_course import TaggingTask, cue_task, limit_explorer, names_task
from birnn_course.data.tasks import Sequence
from birnn_course.errors import CourseError
from birnn_course.explore.limit import heaps_of


def best(rows: list[Any], lookahead: int) -> Fraction:
    """The share that the best bets win, counted by a plain table of bets."""
    tags = {tag for _, tag, _ in rows}
    heaps = {tuple(words[:lookahead]) for words, _, _ in rows}
    won = sum(
        max(
            sum(n for words, tag, n in rows if tuple(words[:lookahead]) == heap and tag == bet)
            for bet in tags
        )
        for heap in heaps
    )
    return Fraction(won, sum(n for _, _, n in rows))


@pytest.mark.parametrize(
    ("task", "beginnings", "farthest"),
    [(names_task(), 24, 6), (cue_task(1), 15, 1), (cue_task(3), 15, 3), (cue_task(5), 15, 5)],
)
def test_what_is_sent_is_the_task(task: TaggingTask, beginnings: int, farthest: int) -> None:
    library = json.loads(json.dumps(heaps_of(task)))
    assert len(library["beginnings"]) == beginnings
    limits = [Fraction(*limit) for limit in library["limits"]]
    assert limits == [task.limit("left", lookahead=k) for k in range(farthest + 1)]
    assert limits[-1] == 1 and limits[-2] == Fraction(3, 5)
    for beginning in library["beginnings"]:
        rows = library["rests"][beginning["rest"]]
        assert [best(rows, k) for k in range(farthest + 1)] == limits
        for k in range(farthest + 1):  # rows of one heap stand together
            seen = [" ".join(words[:k]) for words, _, _ in rows]
            assert len({*seen}) == 1 + sum(a != b for a, b in pairwise(seen))
    # A sentence that is counted twice would be noticed.
    rows[0][2] += 1
    assert best(rows, 0) != limits[0]


def test_what_is_sent_is_small() -> None:
    assert len(json.dumps(heaps_of(names_task()))) < 4_000
    assert [n for _, _, n in heaps_of(names_task())["rests"][0]] == 4 * [3, 3, 3, 2, 2, 2]


def test_a_task_whose_words_do_not_tell_at_all() -> None:
    """Even the whole sequence leaves a bet, and beginnings may differ."""
    chances = {("a", "x", "X"): 4, ("a", "x", "Y"): 1, ("a", "y", "Y"): 3, ("b", "x", "Y"): 2}
    task = TaggingTask(
        Sequence((first, second), (tag, "-"), Fraction(n, 10))
        for (first, second, tag), n in chances.items()
    )
    library = heaps_of(task)
    assert [Fraction(*limit) for limit in library["limits"]] == [Fraction(1, 2), Fraction(7, 8)]
    [beginning] = library["beginnings"]  # b has one tag
    assert beginning["words"] == ("a",)
    plain, _ = limit_explorer(task, lookahead=1).without_kernel()
    assert "Look-ahead 1: 2 heaps; the best that any model can do is 7/8." in plain


def test_without_a_kernel_it_is_readable() -> None:
    plain, page = limit_explorer().without_kernel()
    assert plain == (
        "[How far must a model read before it can know? Look-ahead 0: 1 heap; the best that any "
        "model can do is 3/5. Run this cell to explore.]"
    )
    assert "<td>today Jordan …</td><td>PERSON</td><td>36 of 60</td>" in page
    assert "<script" not in page and "Run this cell" in page
    assert limit_explorer(lookahead=6).without_kernel()[1].count("<tr><td>") == 24


def test_what_it_is_can_be_stored_and_built_again() -> None:
    kept = json.loads(json.dumps(limit_explorer(cue_task(2), lookahead=1).descriptor()))
    assert (kept["kind"], kept["name"]) == ("explorer", "limit")
    assert kept["values"] == {"lookahead": 1, "beginning": 0}
    assert kept["library"]["limits"] == [[3, 5], [3, 5], [1, 1]]


def sequences(words: str, n: int = 1) -> list[Sequence]:
    """All sequences of a question mark and ``n`` of these words; the last one tells its tag."""
    rests = [*product(words, repeat=n)]
    return [Sequence(("?", *rest), (rest[-1], *"-" * n), Fraction(1, len(rests))) for rest in rests]


def uneven() -> list[Sequence]:
    return [
        Sequence(("?", "x"), ("X", "-"), Fraction(1, 100_003)),
        Sequence(("?", "y"), ("Y", "-"), Fraction(100_002, 100_003)),
    ]


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        ([Sequence(("a",), ("A",), Fraction(1))], "No word of this task is ambiguous"),
        (
            [Sequence(("a",), (tag,), Fraction(1, 2)) for tag in "XY"],
            "In this task no look-ahead helps",
        ),
        (sequences("ab", 9), "decides more than 8 steps after a word"),
        (sequences("abcdefg", 2), "up to 49 ways to go on; there is room for 80 and 36"),
        (uneven(), "need 100,003 sequences to be shown; there is room for 100,000"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(listed: list[Sequence], sentence: str) -> None:
    with pytest.raises(CourseError, match=sentence):
        limit_explorer(TaggingTask(listed))


def test_a_look_ahead_that_is_none_is_a_sentence() -> None:
    for wrong in (-1, 7):
        with pytest.raises(CourseError, match="lookahead: choose a whole number from 0 to 6"):
            limit_explorer(lookahead=wrong)
