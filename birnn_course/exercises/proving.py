"""Whether the cases of an exercise are good enough to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from torch import Tensor

from birnn_course.exercises.checking import Answers
from birnn_course.exercises.compare import constant, first_difference
from birnn_course.exercises.spec import Exercise, Level
from birnn_course.running.plain import Plain


def unsaid(exercise: Exercise, answers: Answers) -> list[Level]:
    """Levels that a result can fail at and for which ``levels`` has no sentence.

    Anybody can return another type or other values; another shape only where the right result has
    one.
    """
    shaped = any(isinstance(right, Tensor | list | tuple | dict) for right in answers.right)
    needed: list[Level] = ["type", "shape", "value"] if shaped else ["type", "value"]
    return [level for level in needed if level not in exercise.levels]


def indistinct(exercise: Exercise, answers: Answers) -> list[str]:
    """Which mistakes these cases do not tell from the reference, from each other or from a
    placeholder, in words.

    Parameters
    ----------
    exercise : Exercise
        Whose tolerance counts.
    answers : Answers
        For the cases that are asked about.
    """

    def differing(some: Sequence[Plain], others: Sequence[Plain]) -> int:
        pairs = zip(some, others, strict=True)
        return sum(
            first_difference(a, b, tolerance=exercise.tolerance) is not None for a, b in pairs
        )

    found = [
        f"{mistake.misconception} differs from the reference in fewer than two cases"
        for mistake, results in answers.wrong
        if differing(results, answers.right) < 2
    ]
    found += [
        f"{mistake.misconception} gives the same result in all cases, as a placeholder does"
        for mistake, results in answers.wrong
        if constant(results)
    ]
    return found + [
        f"{one.misconception} and {other.misconception} give the same results"
        for (one, some), (other, others) in combinations(answers.wrong, 2)
        if not differing(some, others)
    ]
