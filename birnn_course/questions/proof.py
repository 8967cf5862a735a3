"""Prove a question: run its proof, and compare what comes out with every answer and the key."""

from __future__ import annotations

from typing import Any

from birnn_course.questions.bank import BLANK, Answer, Question
from birnn_course.questions.judging import read_number, read_shape
from birnn_course.running.snippets import execute, printed, same


def prove(question: Question) -> list[str]:
    """What a run of the proof says against the key; empty if the key is right.

    The proof runs in a namespace without the question, so it cannot follow a wrong key.
    """
    if question.kind == "output":
        output = printed(question.code, question.id)
        truths = [answer.text.strip() == output for answer in question.answers]
    elif question.kind == "code":
        truths = [_fills_in(question, answer) for answer in question.answers]
    else:
        namespace = execute(question.proof, question.id)
        if any(answer.holds is None for answer in question.answers) and "result" not in namespace:
            return ["the proof leaves no result to compare with; give it one, or answers holds"]
        truths = []
        for answer in question.answers:
            try:
                truths.append(_decide(question, answer, namespace))
            except Exception as error:
                return [f"{answer.text!r} cannot be decided ({type(error).__name__}: {error})"]
    return [
        f"{answer.text!r} is {'right' if truth else 'wrong'}, and the key says otherwise"
        for answer, truth in zip(question.answers, truths, strict=True)
        if truth != answer.right
    ]


def _decide(question: Question, answer: Answer, namespace: dict[str, Any]) -> bool:
    if question.kind == "shape":
        return read_shape(answer.text) == tuple(namespace["result"])
    if question.kind == "number":
        typed = read_number(answer.text)
        return typed is not None and abs(typed - namespace["result"]) <= question.tolerance
    if answer.holds is not None:
        return bool(eval(answer.holds, namespace))
    return same(namespace["result"], answer.value)


def _fills_in(question: Question, answer: Answer) -> bool:
    """Whether the check holds with this line. A line that raises does not."""
    try:
        namespace = execute(question.code.replace(BLANK, answer.text), question.id)
        return bool(eval(question.check, namespace))
    except Exception:
        return False
