"""The quiz on a projector: hands are counted, and the answer is shown to all at once."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import traitlets

from birnn_course.misconceptions import catalogue
from birnn_course.questions import showing
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Answer, Question
from birnn_course.widgets import CourseWidget, script

MOST_HANDS = 999
REFUSAL = f"Type a whole number from 0 to {MOST_HANDS}."
VOTES = ("First vote", "Second vote")
"""Before and after the students have talked to each other."""

Rounds = Sequence[Sequence[int | None]]
"""For each vote the hands for each option in the order shown; None where nothing was typed."""


class Lecture(CourseWidget):
    """Questions for a class, with a field for the hands that are raised for each option.

    What students would type elsewhere (a shape, a number, code) is chosen here from the answers
    that the question foresees. The browser gets key and feedback of a question when they are
    revealed, and loses them when it is asked again. Nothing is recorded: a class is no learner.

    Parameters
    ----------
    questions : list of Question
        Shown in this order.
    """

    _esm = script(Path(__file__).with_name("lecture.js"))
    questions: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    # By id: the rounds counted so far, the answer if it is revealed, a sentence to be announced.
    states: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    votes = traitlets.List(list(VOTES)).tag(sync=True)
    most_hands = traitlets.Int(MOST_HANDS).tag(sync=True)
    refusal = traitlets.Unicode(REFUSAL).tag(sync=True)

    def __init__(self, questions: list[Question]) -> None:
        self._asked = {question.id: question for question in questions}
        super().__init__(questions=[_without_key(question) for question in questions])
        self.on_msg(self._counted)

    def _counted(self, _: object, message: dict[str, Any], __: object) -> None:
        """The hands counted for one question, and whether to reveal its answer now."""
        question, rounds = self._asked[message["id"]], message["rounds"]
        if any(not _is_count(hands) for counted in rounds for hands in counted):
            state: dict[str, Any] = {"rounds": rounds, "answer": None, "status": REFUSAL}
        elif message["reveal"]:
            state = {"rounds": rounds, **_revealed(question, rounds)}
        else:
            state = {"rounds": rounds, "answer": None, "status": ""}
        self.states = {**self.states, question.id: state}

    def without_kernel(self) -> tuple[str, str]:
        """The questions with their options, to be read only."""
        return showing.read_only(self.questions, "Run this cell to ask a class.")

    def descriptor(self) -> dict[str, Any]:
        """Which questions, in order."""
        return {"kind": "lecture", "questions": list(self._asked)}


def _is_count(hands: object) -> bool:
    return hands is None or (type(hands) is int and 0 <= hands <= MOST_HANDS)


def _options(question: Question) -> Iterator[tuple[str, Answer]]:
    """Letters and answers in the order shown."""
    for letter, position in zip(string.ascii_uppercase, shuffled(question), strict=False):
        yield letter, question.answers[position]


def _without_key(question: Question) -> dict[str, Any]:
    """What the browser may know of a question before its answer is revealed."""
    text = showing.asked(question)
    if question.kind == "several":
        text += "<p>More than one is right. Raise a hand for each.</p>"
    # Not Markdown: what would be typed is shown as it would be typed.
    show = showing.markdown if question.kind in ("one", "several") else showing.code
    options = [{"letter": letter, "html": show(a.text)} for letter, a in _options(question)]
    return {"id": question.id, "html": text, "options": options}


def _revealed(question: Question, rounds: Rounds) -> dict[str, Any]:
    """The answer as HTML for each option, with its share of each vote; and it in one sentence."""
    options = list(_options(question))
    totals = [sum(hands or 0 for hands in counted) for counted in rounds]
    results = [
        {
            "right": answer.right,
            "html": _feedback(answer),
            "votes": [
                _bar(counted[i] or 0, total) for counted, total in zip(rounds, totals, strict=True)
            ],
        }
        for i, (_, answer) in enumerate(options)
    ]
    heads = [
        f"{vote}: {total} {'hand' if total == 1 else 'hands'}"
        for vote, total in zip(VOTES, totals, strict=False)
    ]
    status = [f"Right: {' and '.join(letter for letter, answer in options if answer.right)}."]
    for head, counted, total in zip(heads, rounds, totals, strict=True):
        right = [
            f"{letter} {_share(hands or 0, total)}"
            for (letter, answer), hands in zip(options, counted, strict=True)
            if answer.right and total
        ]
        status.append(", ".join([head, *right]) + ".")
    answer = {"options": results, "heads": heads, "more": showing.solution(question)}
    return {"answer": answer, "status": " ".join(status)}


def _feedback(answer: Answer) -> str:
    mark = "✓ Right" if answer.right else "✗ Not right"
    parts = [f"<p><strong>{mark}</strong></p>", showing.markdown(answer.feedback)]
    if answer.misconception:
        belief = catalogue()[answer.misconception].belief
        parts.append(showing.markdown(f"*The belief behind it:* {belief}"))
    return "".join(parts)


def _bar(hands: int, total: int) -> str:
    """A share as a bar with its text beside it."""
    if not total:
        return "<p>Not counted</p>"
    width = 100 * hands / total
    # The text says it all; the bar is for the eye.
    return (
        f'<div class="birnn-bar" aria-hidden="true"><div style="width: {width:.1f}%"></div></div>'
        f"<p>{_share(hands, total)}</p>"
    )


def _share(hands: int, total: int) -> str:
    return f"{hands} ({100 * hands / total:.0f} %)"
