"""The hidden cases: 16 sets for each exercise, of which a notebook meets one.

Which one depends on the seed and on the notebook's code without comments. So a case that leaks is
worth little to others, and the same code gets the same marks for the same seed.
"""

from __future__ import annotations

import hmac
import threading
from functools import cache
from pathlib import Path

import torch

from birnn_course.errors import CourseError
from birnn_course.exercises.checking import PUBLIC_SEED, Answers
from birnn_course.exercises.proving import indistinct
from birnn_course.grading import assignments

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

    Every mistake that the exercise knows is run on exactly these cases, and is told from the
    reference and from the others; cases that do not are drawn anew.

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
    return Answers(exercise, exercise.draw(PUBLIC_SEED, hidden=False))


@cache
def _hidden(name: str, seed: int, number: int, bank: Path | None) -> Answers:
    torch.set_num_threads(1)
    exercise = assignments.by_name(bank)[name]
    for draw in range(_MOST_DRAWS):
        drawn = _number(seed, f"set {number}, draw {draw}")
        answers = assignments.answers_of(exercise, drawn, hidden=True, file=exercise.unit)
        if not (problems := indistinct(exercise, answers)):
            return answers
    raise CourseError(
        f"{name} cannot judge: in {_MOST_DRAWS} draws of its hidden cases {problems[0]}. Change "
        "its cases."
    )


def _number(seed: int, text: str) -> int:
    """63 bits that nobody knows without the seed."""
    digest = hmac.digest(str(seed).encode(), text.encode(), "sha256")
    return int.from_bytes(digest[:8], "big") >> 1
