"""A test of questions from all units, with a score at the end and a clock if one wants it."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from birnn_course.course import TITLES
from birnn_course.errors import CourseError
from birnn_course.questions.bank import Question, practice
from birnn_course.questions.widget import Quiz
from birnn_course.record import Attempt


def mixed_test(
    number: int = 1,
    *,
    n: int = 10,
    units: Sequence[str] | None = None,
    seed: int = 0,
    minutes: float | None = None,
) -> MixedTest:
    """Ten questions from all units; ``mixed_test(2)`` asks the next ten.

    All questions stand in one mixed order, which the seed decides, and each test takes the next
    ones of it: none is asked again before all were. So the same numbers are the same test for
    everybody, whatever they answered before.

    Answers are judged, told and recorded as in a quiz. The score counts the first answer to each
    question.

    Parameters
    ----------
    number : int
        Which test; from 1.
    n : int
        How many questions.
    units : sequence of str, optional
        Two digits each, as in ``units=["01", "02"]``. All if not given.
    seed : int
        Another seed, another order.
    minutes : float, optional
        A clock, counted from when the cell is run. When it has run down, the score is told and
        stays; further answers are taken and recorded, and do not change it.

    Raises
    ------
    CourseError
        If a unit has no questions, or a number makes no sense.
    """
    return MixedTest(draw(number, n, units, seed), number, minutes)


def draw(
    number: int = 1, n: int = 10, units: Sequence[str] | None = None, seed: int = 0
) -> list[Question]:
    """The questions of a test; see :func:`mixed_test`."""
    questions = practice()
    known = sorted({question.unit for question in questions})
    unknown = [unit for unit in units or () if unit not in known]
    if unknown:
        raise CourseError(f"unit {unknown[0]!r} has no questions; {', '.join(known)} have some.")
    if number < 1 or n < 1:
        raise CourseError("tests are counted from 1, and have one question at least.")
    questions = [question for question in questions if units is None or question.unit in units]
    n = min(n, len(questions))
    generator = random.Random(seed)
    order: list[Question] = []
    while len(order) < number * n:
        # A test that begins with the last questions of a round asks none of them twice.
        begun = order[len(order) - len(order) % n :]
        following = _mixed(questions, generator)
        order += [question for question in following if question not in begun]
        order += begun
    return order[(number - 1) * n : number * n]


def _mixed(questions: Sequence[Question], generator: random.Random) -> list[Question]:
    """All questions in a random order that spreads each unit evenly."""
    places: list[tuple[float, Question]] = []
    for unit in dict.fromkeys(question.unit for question in questions):
        own = [question for question in questions if question.unit == unit]
        own.sort(key=lambda _: generator.random())
        places += [((i + generator.random()) / len(own), q) for i, q in enumerate(own)]
    return [question for _, question in sorted(places, key=lambda place: place[0])]


def result(questions: Sequence[Question], points: Mapping[str, float]) -> str:
    """The score, and which units to look at again.

    Parameters
    ----------
    questions : sequence of Question
        The whole test.
    points : mapping of str to float
        By id, for the questions that were answered.
    """
    sentences = [f"{_plain(sum(points.values()))} of {len(questions)} points."]
    open_ = len(questions) - len(points)
    if open_:
        sentences.append(f"Not answered: {open_}.")
    lost: dict[str, float] = {}
    for question in questions:
        if question.id in points:
            missing = 1 - points[question.id]
            lost[question.unit] = lost.get(question.unit, 0) + missing
    again = [
        f"unit {unit} ({TITLES.get(unit, 'no title')}), {_plain(missing)} lost"
        for unit, missing in sorted(lost.items(), key=lambda item: -item[1])
        if missing > 0
    ]
    if again:
        sentences.append(f"Look again at {'; '.join(again)}.")
    elif points:
        sentences.append("Every answer was right.")
    return " ".join(sentences)


def _plain(points: float) -> str:
    return f"{math.floor(10 * points + 0.5) / 10:.1f}".removesuffix(".0")


class MixedTest(Quiz):
    """A quiz with a score, told when the last question is answered or the time is over.

    ``questions`` are shown in this order; for the rest see :func:`mixed_test`.
    """

    def __init__(
        self, questions: list[Question], number: int = 1, minutes: float | None = None
    ) -> None:
        if minutes is not None and minutes <= 0:
            raise CourseError("minutes must be more than 0; leave it out for a test without clock.")
        self._test = questions
        self._number = number
        self._points: dict[str, float] = {}
        self._ends = None if minutes is None else time.monotonic() + 60 * minutes
        which = {"kind": "mixed_test", "number": number, "minutes": minutes}
        super().__init__(questions, remember=False, described=which)
        if minutes is not None:
            self.seconds_left = 60.0 * minutes

    def _answered(self, widget: object, message: dict[str, Any], buffers: object) -> None:
        self._look_at_the_clock()
        if "clock" not in message:
            super()._answered(widget, message, buffers)

    def _look_at_the_clock(self) -> None:
        if self._ends is None:
            return
        self.seconds_left = max(0.0, self._ends - time.monotonic())
        if not self.seconds_left and not self.score:
            self.score = (
                f"Time is up, and what you answered is kept. {result(self._test, self._points)} "
                "You can go on; it no longer counts."
            )

    def _keep(self, answer: Attempt) -> None:
        super()._keep(answer)
        if self.score:
            return
        self._points.setdefault(answer.item, answer.points)
        if len(self._points) == len(self._test):
            score = result(self._test, self._points)
            self.score = f"{score} Test {self._number + 1} asks the next questions."
            self._ends = self.seconds_left = None
