"""What the quiz and the terminal do alike when a question is answered."""

from __future__ import annotations

import json
import random
from typing import Any

from birnn_course.questions.bank import BLANK, Question
from birnn_course.questions.judging import Judgement, Response
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


def as_attempt(
    question: Question,
    response: Response,
    judgement: Judgement,
    sure: bool | None = None,
    **when: Any,
) -> Attempt:
    """What the record keeps of an answer; ``at`` and ``version`` if it was given elsewhere."""
    return Attempt(
        item=question.id,
        kind="question",
        unit=question.unit,
        points=judgement.points,
        max_points=1.0,
        answer=json.dumps(response),
        probes=question.probes,
        misconception=judgement.misconceptions[0] if judgement.misconceptions else None,
        sure=sure,
        **when,
    )
