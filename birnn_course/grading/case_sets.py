"""The hidden cases: 16 sets for each exercise, of which a notebook meets one.

Which one depends on the seed and on the notebook's code without comments. So a case that leaks is
worth little to others, and the same code gets the same marks for the same seed.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from birnn_course.errors import CourseError
from birnn_course.exercises.checking import PUBLIC_SEED, Answers
from birnn_course.exercises.compare import first_difference
from birnn_course.exercises.spec import Arguments, Mistake
from birnn_course.grading import assignments
from birnn_course.running.calling import call
from birnn_course.running.plain import Plain, decode

SETS = 16
_MOST_DRAWS = 20
# The references seed PyTorch's only generator, so one thread at a time.
one_at_a_time = threading.RLock()


def chosen(seed: int, code: str) -> int:
    """Which of the sets a notebook meets, from the digest of its code."""
    return _number(seed, f"code {code}") % SETS


def public(name: str, bank: Path | None) -> Answers:
    """The cases that ``check`` shows, with their answers."""
    with one_at_a_time:
        return _public(name, bank)


def hidden(name: str, seed: int, number: int, bank: Path | None) -> Answers:
    """One of the sets of an exercise, with its answers; made when it is asked for first.

    Every mistake that the exercise knows is run on exactly these cases until two of them tell it
    from the reference; cases that do not are drawn anew.

    Raises
    ------
    CourseError
        If none of many draws can judge, or a function of the exercise raises.
    """
    with one_at_a_time:
        return _hidden(name, seed, number, bank)


@cache
def _public(name: str, bank: Path | None) -> Answers:
    torch.set_num_threads(1)
    exercise = assignments.by_name(bank)[name]
    return _CaseSet(exercise, exercise.draw(PUBLIC_SEED, hidden=False))


@cache
def _hidden(name: str, seed: int, number: int, bank: Path | None) -> Answers:
    torch.set_num_threads(1)
    exercise = assignments.by_name(bank)[name]
    for draw in range(_MOST_DRAWS):
        drawn = _number(seed, f"set {number}, draw {draw}")
        with assignments.computing(exercise, drawn, hidden=True):
            made = _CaseSet(exercise, exercise.draw(drawn, hidden=True))
            passing = [mistake.misconception for mistake, results in made.wrong
                       if not _is_distinct(made, results)]  # fmt: skip
        if not passing:
            return made
    raise CourseError(
        f"{name} cannot judge: in {_MOST_DRAWS} draws of its hidden cases {passing[0]} differs "
        "from the reference in fewer than two. Change its cases."
    )


def _is_distinct(made: Answers, results: Sequence[Plain]) -> bool:
    """Whether at least two cases tell these results from the right ones."""
    tolerance = made.exercise.tolerance
    differing = (
        number
        for number, right in enumerate(made.right)
        if first_difference(results[number], right, tolerance=tolerance) is not None
    )
    return len(list(islice(differing, 2))) == 2


@dataclass(frozen=True)
class _CaseSet(Answers):
    """Answers for many notebooks; what a mistake returns in a case is computed when asked for."""

    @cached_property
    def wrong(self) -> Sequence[tuple[Mistake, Sequence[Plain]]]:
        """What each mistake returns in each case."""
        return [(m, _Results(m.function, self.cases)) for m in self.exercise.mistakes]


class _Results(Sequence[Plain]):
    """What a function returns in each case."""

    def __init__(self, function: Callable[..., Any], cases: Sequence[Arguments]) -> None:
        self._function = function
        self._cases = cases
        self._known: dict[int, Plain] = {}

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, number: Any) -> Plain:
        if number not in self._known:
            # Beyond the last one this raises what ends a loop.
            self._known[number] = decode(call(self._function, self._cases[number]))
        return self._known[number]


def _number(seed: int, text: str) -> int:
    """63 bits that nobody knows without the seed."""
    digest = hmac.digest(str(seed).encode(), text.encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> 1
