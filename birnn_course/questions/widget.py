"""The quiz in a notebook: questions one at a time, judged in Python, kept in the record."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import traitlets

from birnn_course.errors import CourseError
from birnn_course.questions.answering import PROMPTS, as_attempt, shuffled
from birnn_course.questions.bank import Question, bank, practice
from birnn_course.questions.judging import Judgement, Response, judge, verdict
from birnn_course.questions.lecture import Lecture
from birnn_course.questions.showing import again, asked, markdown, read_only, solution
from birnn_course.record import Attempt, record
from birnn_course.widgets import CourseWidget, script


def diagnostic(form: str) -> Quiz:
    """One form of the inventory: twelve questions that find out what one already believes.

    Each can also be answered with *I don't know yet*, which records nothing, and asks how sure
    one is. There is no feedback, so that the other form can measure what was learned.

    Parameters
    ----------
    form : {"A", "B"}
        A is for the start of the course.

    Raises
    ------
    CourseError
        If there is no such form.
    """
    questions = [question for question in bank().values() if question.form == form]
    if not questions or not form:
        forms = sorted({question.form for question in bank().values() if question.form})
        raise CourseError(f"there is no form {form!r}; there is {' and '.join(forms)}.")
    return Quiz(questions, feedback=False, described={"kind": "diagnostic", "form": form})


def quiz(unit: str, mode: str = "self", *, deeper: bool = False) -> Quiz | Lecture:
    """The quiz of a unit; as the last line of a cell it is shown.

    Parameters
    ----------
    unit : str
        Two digits, as in ``quiz("01")``.
    mode : {"self", "lecture"}
        ``lecture`` is for a class before a projector: large text, fields to count the hands for
        each answer, a second vote after a talk, and *Reveal*. It records nothing.
    deeper : bool
        Ask about the lesson that goes deeper instead of the core.

    Raises
    ------
    CourseError
        If the unit has no such questions, or there is no such mode.
    """
    if mode not in ("self", "lecture"):
        raise CourseError(f"there is no mode {mode!r}; there are 'self' and 'lecture'.")
    questions = practice(unit, deeper=deeper)
    if not questions:
        units = sorted({question.unit for question in practice(deeper=deeper)})
        raise CourseError(f"there is no quiz {unit!r}; there are {', '.join(units)}.")
    if mode == "lecture":
        return Lecture(questions)
    return Quiz(questions, described={"kind": "quiz", "unit": unit})


class Quiz(CourseWidget):
    """Questions, with the answers that this learner's record holds.

    The browser gets the questions without key and feedback. An answer comes as a message, is
    judged here, recorded, and its feedback sent back.

    Parameters
    ----------
    questions : list of Question
        Shown in this order.
    feedback : bool
        Without it answers are only noted, *I don't know yet* is offered, and one says how sure
        one is.
    remember : bool
        Show the answers that the record already holds; a review asks anew.
    described : dict, optional
        What the descriptor says beside the questions.
    stored : list of Question, optional
        Those that a stored notebook shows, where the ones to ask come from a record.
    """

    _esm = script(Path(__file__).with_name("quiz.js"))
    questions: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    states: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    diagnostic = traitlets.Bool(False).tag(sync=True)
    # For a test: its result, once there is one, and the seconds left, if there is a clock.
    score = traitlets.Unicode("").tag(sync=True)
    seconds_left = traitlets.Float(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        questions: list[Question],
        *,
        feedback: bool = True,
        remember: bool = True,
        described: dict[str, Any] | None = None,
        stored: list[Question] | None = None,
    ) -> None:
        self.asked = {question.id: question for question in questions}
        self._described = {"kind": "quiz", **(described or {})}
        self._kept = questions if stored is None else stored
        super().__init__(questions=[*map(_without_key, questions)], diagnostic=not feedback)
        if remember:
            self.states = self._remembered()
        self.on_msg(self._answered)

    def _remembered(self) -> dict[str, Any]:
        """The last answer to each question, judged again without running a learner's code."""
        states = {}
        for earlier in record().attempts():
            question = self.asked.get(earlier.item)
            if question is None:
                continue
            response = json.loads(earlier.answer)
            if self.diagnostic:
                states[question.id] = _noted(response, earlier.sure)
                continue
            if question.kind == "code":
                sentence = "It was right." if earlier.right else "It was not right yet."
                judgement = Judgement(earlier.points, (f"Your answer from before: {sentence}",))
            else:
                judgement = judge(question, response)
            states[question.id] = _state(question, response, judgement)
        return states

    def _answered(self, _: object, message: dict[str, Any], __: object) -> None:
        # Nobody sees an exception in a callback, so every problem becomes feedback.
        question = self.asked[message["id"]]
        response = message["response"]
        try:
            state = self._judge(question, response, message.get("sure"))
        except Exception as error:
            problem = f"This answer could not be checked ({type(error).__name__}: {error})."
            state = {"response": response, "html": f"<p>{html.escape(problem)}</p>"}
        # a new state even for the same answer, so that it is announced again
        self.states = {key: value for key, value in self.states.items() if key != question.id}
        self.states = {**self.states, question.id: state}

    def _judge(self, question: Question, response: Response, sure: bool | None) -> dict[str, Any]:
        if self.diagnostic and response == DONT_KNOW:
            return _noted(response, None)
        judgement = judge(question, response)
        if not judgement.readable:
            return _state(question, response, judgement)
        self._keep(as_attempt(question, response, judgement, sure))
        state = _noted(response, sure) if self.diagnostic else _state(question, response, judgement)
        if notice := record().notice:
            state["html"] += f"<p>{html.escape(notice)}</p>"
        return state

    def _keep(self, answer: Attempt) -> None:
        record().add(answer)

    def without_kernel(self) -> tuple[str, str]:
        """The questions with their options, to be read only."""
        questions = [_without_key(question) for question in self._kept]
        return read_only(questions, "Run this cell to answer them; what you answered is kept.")

    def descriptor(self) -> dict[str, Any]:
        """Which questions, in order, and where they come from."""
        return {**self._described, "questions": [question.id for question in self._kept]}


DONT_KNOW = [-1]
"""What the browser sends for *I don't know yet*."""


def _noted(response: Response, sure: bool | None) -> dict[str, Any]:
    """The learner's answer in a diagnostic, which is told nothing."""
    text = "Noted, and nothing recorded." if response == DONT_KNOW else "Noted."
    mark = "" if response == DONT_KNOW else "noted"
    return {"response": response, "sure": sure, "mark": mark, "html": f"<p>{text}</p>"}


def _without_key(question: Question) -> dict[str, Any]:
    """What the browser may know of a question."""
    shown: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "html": asked(question),
        "place": question.place,
    }
    if question.kind in ("one", "several"):
        shown["options"] = [
            {"position": i, "html": markdown(question.answers[i].text)} for i in shuffled(question)
        ]
    else:
        shown["prompt"] = PROMPTS[question.kind]
    return shown


def _state(question: Question, response: Response, judgement: Judgement) -> dict[str, Any]:
    """The learner's answer, and the feedback to it in HTML."""
    if not judgement.readable:
        return {"response": response, "html": f"<p>{html.escape(judgement.sentences[0])}</p>"}
    feedback = [*map(markdown, judgement.sentences)]
    if not judgement.right:
        feedback.append(again(question))
    parts = (f"<p><strong>{verdict(judgement)}</strong></p>", *feedback, solution(question))
    mark = "right" if judgement.right else "wrong"
    return {"response": response, "mark": mark, "html": "".join(parts)}
