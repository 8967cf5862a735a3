"""What a learner's answer is worth, and what the learner is told."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from birnn_course.questions.bank import BLANK, Answer, Question

Response = str | Sequence[int]
"""Positions of the ticked options, or what was typed."""

SENTENCES = {
    "right": "✓ Right.",
    "wrong": "✗ Not yet.",
    "partly": "✗ Not yet: {} % of the points.",
    "none": "Choose an answer first.",
    "missing": "That is right so far, and something is missing.",
    "shape": "Type a shape as a tuple, like (2, 3).",
    "number": "Type a number, like 0.25 or 3.",
    "decimals": "Write the decimals behind a point: {}",
}
"""What is said of answers to any question; ``judging.js`` says the same on a page."""
_MOST_DIGITS = 15  # of one axis: as many as JavaScript holds exactly


@dataclass(frozen=True)
class Judgement:
    """What an answer is worth.

    Parameters
    ----------
    points : float
        0 to 1.
    sentences : tuple of str
        What the learner is told, one for each ticked option or for the typed answer.
    misconceptions : tuple of str
        What the answer shows.
    readable : bool
        False if what was typed could not be read; then it does not count as an attempt.
    """

    points: float
    sentences: tuple[str, ...]
    misconceptions: tuple[str, ...] = ()
    readable: bool = True

    @property
    def right(self) -> bool:
        """Whether it is fully right."""
        return self.points == 1


def verdict(judgement: Judgement) -> str:
    """What an answer is worth, in a word or two."""
    if 0 < judgement.points < 1:
        return SENTENCES["partly"].format(math.floor(100 * judgement.points + 0.5))
    return SENTENCES["right" if judgement.right else "wrong"]


def judge(question: Question, response: Response) -> Judgement:
    """Judge positions of ticked options, or a typed text.

    For several options the points are the share of the right ones that are ticked minus the share
    of the wrong ones that are, and not below 0: ticking all or none is worth nothing.
    """
    if not isinstance(response, str):
        return _ticked(question, [question.answers[i] for i in dict.fromkeys(response)])
    if question.kind == "code":
        return _filled_in(question, response)
    return _typed(question, response)


def _ticked(question: Question, ticked: list[Answer]) -> Judgement:
    if not ticked:
        return Judgement(0, (SENTENCES["none"],), readable=False)
    n_right = len(question.right)
    hits = sum(answer.right for answer in ticked)
    points = hits / n_right - (len(ticked) - hits) / (len(question.answers) - n_right)
    sentences = [answer.feedback for answer in ticked]
    if hits < n_right and hits == len(ticked) and question.kind == "several":
        sentences.append(SENTENCES["missing"])
    return Judgement(max(0.0, points), tuple(sentences), _shown(ticked))


def _typed(question: Question, response: str) -> Judgement:
    if question.kind == "output":
        matches = [a for a in question.answers if read_lines(a.text) == read_lines(response)]
    elif question.kind == "shape":
        shape = read_shape(response)
        if shape is None:
            return Judgement(0, (SENTENCES["shape"],), readable=False)
        matches = [a for a in question.answers if read_shape(a.text) == shape]
    else:
        number = read_number(response)
        if number is None:
            return Judgement(0, (_what_to_type(response),), readable=False)
        # the right one first, so that a foreseen wrong one nearby never hides it
        near = [(abs((read_number(a.text) or 0) - number), a) for a in question.answers]
        near = [(far, a) for far, a in near if far <= question.tolerance + 1e-12]
        matches = [a for _, a in sorted(near, key=lambda pair: (not pair[1].right, pair[0]))]
    if not matches:
        return Judgement(0, (question.otherwise,))
    return Judgement(float(matches[0].right), (matches[0].feedback,), _shown(matches[:1]))


def _filled_in(question: Question, response: str) -> Judgement:
    if not response.strip():
        return Judgement(0, ("Type the missing code first.",), readable=False)
    from birnn_course.running import runner

    outcome = runner.run(
        question.code.replace(BLANK, response.strip()), question.check, show=question.show
    )
    if not outcome.ran:
        return Judgement(0, (outcome.sentence,), readable=False)
    foreseen = [a for a in question.answers if a.text.split() == response.split()]
    feedback = [a.feedback for a in foreseen if a.right == outcome.right]
    return Judgement(
        float(outcome.right),
        (outcome.sentence, *feedback),
        () if outcome.right else _shown(foreseen),
    )


def _shown(answers: list[Answer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a.misconception for a in answers if a.misconception))


def read_lines(text: str) -> list[str]:
    """Printed lines, without what cannot be seen at their ends."""
    return [line.rstrip() for line in text.strip().splitlines()]


def read_shape(text: str) -> tuple[int, ...] | None:
    """A shape as people type it: ``(4, 7, 6)``, ``4,7,6``, ``torch.Size([4, 7, 6])``; or None."""
    inner = re.sub(r"^\s*torch\.Size\((.*)\)\s*$", r"\1", text).strip().strip("()[]")
    parts = [part for part in re.split(r"[,\s×x]+", inner) if part]
    if not parts or not all(p.isdecimal() and len(p) <= _MOST_DIGITS for p in parts):
        return None
    return tuple(map(int, parts))


def _what_to_type(text: str) -> str:
    """How a number is written, for a text that is none."""
    if re.fullmatch(r"\s*[-−+]?\d*,\d+\s*%?\s*", text):
        return SENTENCES["decimals"].format(text.strip().replace(",", "."))
    return SENTENCES["number"]


def read_number(text: str) -> float | None:
    """A number as people type it: ``0.5``, ``1/2``, ``50 %``, ``.5``; None if it is none."""
    text = text.strip().replace("−", "-")
    percent = text.endswith("%")
    top, slash, bottom = text.rstrip("% ").partition("/")
    try:
        value = float(top) / (float(bottom) if slash else 1)
    except (ValueError, ZeroDivisionError):
        return None
    return value / 100 if percent else value
