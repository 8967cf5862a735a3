"""Synthetic tasks: their limits are right, and a model that beats one would be noticed."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
import torch

from birnn_course.data import TaggingTask, cue_task, names_task
from birnn_course.data.tasks import Sequence
from birnn_course.errors import CourseError


def test_names_limits_are_exact() -> None:
    names = names_task()
    assert len(names.sequences) == 864
    assert names.limit("left") == Fraction(3, 5)
    assert names.limit("right") == names.limit("both") == 1
    # 1/16 of all words are ambiguous names (one name in eight words, half of them ambiguous)
    assert names.limit("left", ambiguous_only=False) == 1 - Fraction(1, 16) * Fraction(2, 5)


@pytest.mark.parametrize("distance", [1, 3, 5])
def test_a_cue_helps_from_its_distance_on(distance: int) -> None:
    cue = cue_task(distance)
    limits = [cue.limit("left", lookahead=k) for k in range(distance + 2)]
    assert limits == [Fraction(3, 5)] * distance + [1, 1]


def test_the_limit_equals_the_best_of_all_answer_tables() -> None:
    """A task so small that every left-to-right reader can be tried."""
    chances = {"ax": 3, "ay": 2, "bx": 1, "by": 4}
    task = TaggingTask(
        Sequence(tuple(words), (words[1].upper(), "-"), Fraction(n, 10))
        for words, n in chances.items()
    )
    best = max(
        sum(
            n
            for words, n in chances.items()
            if dict(zip("ab", table, strict=True))[words[0]] == words[1]
        )
        for table in product("xy", repeat=2)
    )
    assert task.ambiguous == {"a", "b"}
    assert task.limit("left") == Fraction(best, 10)
    assert task.limit("both") == 1


def test_what_is_sampled_is_the_task() -> None:
    names = names_task()
    words, tags = names.sample(20_000, seed=0)
    assert words.shape == tags.shape == (20_000, 8)
    assert torch.equal(words, names.sample(20_000, seed=0)[0])
    assert not torch.equal(words, names.sample(20_000, seed=1)[0])
    listed = {(s.words, s.tags) for s in names.sequences}
    for row in range(100):
        drawn = tuple(names.words[i] for i in words[row]), tuple(names.tags[i] for i in tags[row])
        assert drawn in listed
    ambiguous = names.is_ambiguous(words)
    assert {names.words[i] for i in words[ambiguous].unique()} == names.ambiguous
    people = (tags[ambiguous] == names.tags.index("PERSON")).float()
    assert abs(people.mean().item() - 0.6) < 3 * (0.24 / len(people)) ** 0.5


def test_a_task_that_is_no_distribution_is_refused() -> None:
    with pytest.raises(CourseError, match="sum to 1"):
        TaggingTask([Sequence(("a",), ("A",), Fraction(1, 2))])
    with pytest.raises(CourseError, match="common length"):
        TaggingTask([Sequence(("a", "b"), ("A",), Fraction(1))])
    with pytest.raises(CourseError, match="at least 1"):
        cue_task(0)
