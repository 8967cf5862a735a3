"""Whether the cases of an exercise are good enough to judge by."""

from __future__ import annotations

from itertools import combinations

from birnn_course.exercises.checking import Answers
from birnn_course.exercises.compare import first_difference
from birnn_course.exercises.spec import Exercise
from birnn_course.plain import Plain


def indistinct(exercise: Exercise, answers: Answers) -> list[str]:
    """Which mistakes these cases do not tell from the reference or from each other, in words.

    Parameters
    ----------
    exercise : Exercise
        Whose tolerance counts.
    answers : Answers
        For the cases that are asked about.
    """

    def differing(some: list[Plain], others: list[Plain]) -> int:
        pairs = zip(some, others, strict=True)
        return sum(
            first_difference(a, b, tolerance=exercise.tolerance) is not None for a, b in pairs
        )

    found = [
        f"{mistake.misconception} differs from the reference in fewer than two cases"
        for mistake, results in answers.wrong
        if differing(results, answers.right) < 2
    ]
    return found + [
        f"{one.misconception} and {other.misconception} give the same results"
        for (one, some), (other, others) in combinations(answers.wrong, 2)
        if not differing(some, others)
    ]
