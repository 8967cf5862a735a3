"""What the quiz and the terminal do alike when a question is answered."""

from __future__ import annotations

import json
import random

from birnn_course.questions.bank import BLANK, Question
from birnn_course.questions.judging import Response, Verdict
from birnn_course.record import Attempt

PROMPTS = {
    "shape": "The shape, as a tuple:",
    "number": "The number:",
    "output": "What is printed, line by line:",
    "code": f"What belongs at {BLANK}:",
}


def shuffled(question: Question) -> list[int]:
    """Positions of the options in the order shown: the same for all, so a class can discuss."""
    positions = list(range(len(question.answers)))
    random.Random(question.id).shuffle(positions)
    return positions


def attempt(
    question: Question, response: Response, verdict: Verdict, sure: bool | None = None
) -> Attempt:
    """What the record keeps of an answer."""
    return Attempt(
        item=question.id,
        kind="question",
        unit=question.unit,
        points=verdict.points,
        max_points=1.0,
        answer=json.dumps(response),
        probes=question.probes,
        misconception=verdict.misconceptions[0] if verdict.misconceptions else None,
        sure=sure,
    )
