"""How long ``check`` takes, exercise by exercise: ``make bench-checks``.

Each exercise is checked with a right solution and with each of its known mistakes, as a learner's
cell checks it, record included. Beside it stands what the solution itself takes on the same cases:
the rest is the reference, the mistakes that it is compared with, and the comparing. Milliseconds
by the clock, one thread, the median of the rounds. The first check of an exercise stands in a
column of its own: it may load what the later ones find loaded, as scikit-learn is. What all
exercises share is loaded before.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from birnn_course.exercises import Report
    from birnn_course.exercises.spec import Exercise

Function = Callable[..., Any]


class Timed(NamedTuple):
    """What one exercise takes, in seconds."""

    name: str
    unit: str
    own: float
    first: float
    right: float
    slowest_wrong: float
    mistake: str

    @property
    def slower(self) -> float:
        """Of the right solution's check and the slowest mistake's."""
        return max(self.right, self.slowest_wrong)


def seconds(run: Callable[[], object]) -> float:
    """By the clock: what a learner waits."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def measure(exercise: Exercise, solution: Function, rounds: int) -> Timed:
    """One exercise; the rounds of one function follow each other."""
    from answers import named

    from birnn_course import check
    from birnn_course.exercises.checking import PUBLIC_SEED
    from birnn_course.running.calling import call_safely

    def median(run: Callable[[], object]) -> float:
        return statistics.median(seconds(run) for _ in range(rounds))

    def checked(function: Function) -> float:
        return median(lambda: check(named(function, exercise.name)))

    first = seconds(lambda: _must_pass(check(named(solution, exercise.name))))
    cases = exercise.draw(PUBLIC_SEED, hidden=False)
    slowest_wrong, mistake = max(
        (checked(mistake.function), mistake.misconception) for mistake in exercise.mistakes
    )
    return Timed(
        exercise.name,
        exercise.unit,
        own=median(lambda: [call_safely(solution, arguments) for arguments in cases]),
        first=first,
        right=checked(solution),
        slowest_wrong=slowest_wrong,
        mistake=mistake,
    )


def _must_pass(found: Report) -> None:
    """A check that goes wrong is quick, and its time says nothing."""
    if not found.passed:
        raise SystemExit(f"{found.exercise} did not pass: {found.sentence}")


def measure_all(exercises: Iterable[Exercise], rounds: int) -> list[Timed]:
    """Every exercise, in the order of the course, with a record of their own."""
    from answers import of_all_units

    right = {name: known[0] for name, known in of_all_units("SOLUTIONS").items()}
    with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, {"BIRNN_HOME": home}):
        return [measure(one, right.get(one.name, one.reference), rounds) for one in exercises]


def ratios(found: Sequence[Timed]) -> list[report.Ratio]:
    """What a reader takes away."""
    slowest = max(found, key=lambda one: one.slower)
    first = max(found, key=lambda one: one.first)
    return [
        report.Ratio(
            "check of the right solution / the solution itself, median exercise",
            statistics.median(one.right / one.own for one in found),
        ),
        report.Ratio(
            "check of the slowest mistake / of the right solution, median exercise",
            statistics.median(one.slowest_wrong / one.right for one in found),
        ),
        report.Ratio(f"the slowest check, seconds (`{slowest.name}`)", slowest.slower),
        report.Ratio(f"the slowest first check, seconds (`{first.name}`)", first.first),
    ]


def table(found: Sequence[Timed]) -> str:
    """A row per exercise."""
    head = (
        "exercise", "unit", "slowest mistake", "the solution itself, ms", "first check, ms",
        "check when right, ms", "check of the slowest mistake, ms", "right / itself",
    )  # fmt: skip
    rows = [
        (
            f"`{one.name}`", one.unit, one.mistake, f"{1000 * one.own:.1f}",
            f"{1000 * one.first:.0f}", f"{1000 * one.right:.0f}",
            f"{1000 * one.slowest_wrong:.0f}", f"{one.right / one.own:.1f}",
        )
        for one in found
    ]  # fmt: skip
    return report.table(head, rows, left=3)


def plot(found: Sequence[Timed]) -> Figure:
    """Four marks per exercise, on a logarithmic scale."""
    figure = report.new_figure(8, 0.24 * len(found) + 1.2)
    axes = figure.subplots()
    names = [f"{one.unit}  {one.name}" for one in found]
    for label, marker, values in (
        ("the solution itself", "|", [one.own for one in found]),
        ("first check", "+", [one.first for one in found]),
        ("check when right", ".", [one.right for one in found]),
        ("check of the slowest mistake", "x", [one.slowest_wrong for one in found]),
    ):
        axes.plot([1000 * value for value in values], names, marker, label=label)
    axes.invert_yaxis()
    axes.margins(y=0.02)
    axes.set(xscale="log", xlabel="milliseconds")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and store."""
    parser = report.options(__doc__, rounds=5)
    parser.add_argument("--exercises", type=int, help="only so many, for a trial")
    chosen = parser.parse_args(arguments)
    from birnn_course.device import setup
    from birnn_course.exercises.checking import EXERCISES

    setup()
    exercises = list(EXERCISES.values())[: chosen.exercises]
    measure_all(exercises[:1], 1)
    found = measure_all(exercises, chosen.rounds)
    about = (
        f"{len(found)} exercises, the median of {chosen.rounds} rounds; what is counted stands in "
        "`benchmarks/checks.py`."
    )
    text = report.page(
        "Checks: how long `check` takes", about, ratios(found), table(found), report.machine()
    )
    report.keep("checks", text, plot(found), chosen.out)


if __name__ == "__main__":
    main()
