"""The question bank: its form, and a loader that refuses a bad question.

One YAML file per unit. A question holds its key, a feedback for every answer it foresees, and a
*proof*: Python that computes the truth without seeing the key (see ``proof.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from birnn_course import files
from birnn_course.course import place
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue

Kind = Literal["one", "several", "shape", "number", "output", "code"]
NO_VALUE: Any = ...
"""The value of an answer that has none; None is a value like others."""
BLANK = "____"
"""Where the learner's line goes in the template of a ``code`` question."""


@dataclass(frozen=True)
class Answer:
    """An answer that a question foresees: an option to tick, or something a learner may type.

    Parameters
    ----------
    text : str
        What is shown for an option, or what would be typed: ``(4, 7, 6)``, ``0.5``, a line of code.
    right : bool
        Whether it belongs to the key.
    feedback : str
        What a learner who gives it is told.
    misconception : str, optional
        What a learner who gives it believes.
    value : object, optional
        The proof's ``result`` equals it if and only if the answer is right.
    holds : str, optional
        Instead of ``value``: an expression over the proof's names that is true if and only if this
        answer is right.
    """

    text: str
    right: bool
    feedback: str
    misconception: str | None = None
    value: Any = NO_VALUE
    holds: str | None = None


@dataclass(frozen=True)
class Question:
    """One question with its key, feedback and proof.

    Parameters
    ----------
    id : str
        Unique in the course: unit number, a hyphen, words.
    unit : str
        Two digits.
    kind : str
        ``one`` or ``several`` options to tick; a ``shape``, a ``number`` or the ``output`` of
        ``code`` to type; or a line of ``code`` to fill into a template.
    text : str
        The question, in Markdown.
    answers : tuple of Answer
        The options, or the right answer and the foreseen wrong ones.
    proof : str
        Python whose names decide every answer. For ``output`` the code itself is the proof.
    code : str
        Code shown with the question; for kind ``code`` the template with ``____``.
    check, show : str
        For kind ``code``: expression that must be true after the completed code ran, and one whose
        value tells a learner what came out instead.
    otherwise : str
        Feedback for an unforeseen typed answer.
    tolerance : float
        For ``number``: how far an answer may be off.
    form : str
        ``A`` or ``B`` if it belongs to that form of the inventory; such a question is asked
        nowhere else.
    part : str
        The heading in a lesson of its unit under which its answer is taught.
    deeper : bool
        Whether the lesson that goes deeper asks it, and not the core.
    worked, quick, mistakes : str
        Shown afterwards: the steps to the answer, a one-line check to run, common mistakes.
    """

    id: str
    unit: str
    kind: Kind
    text: str
    answers: tuple[Answer, ...]
    worked: str
    quick: str
    mistakes: str
    proof: str = ""
    code: str = ""
    check: str = ""
    show: str = ""
    otherwise: str = ""
    tolerance: float = 0.0
    form: str = ""
    part: str = ""
    deeper: bool = False

    @property
    def right(self) -> tuple[Answer, ...]:
        """The key."""
        return tuple(answer for answer in self.answers if answer.right)

    @property
    def probes(self) -> tuple[str, ...]:
        """Ids of the misconceptions that a wrong answer can show."""
        return tuple(dict.fromkeys(a.misconception for a in self.answers if a.misconception))

    @property
    def place(self) -> str:
        """Where its answer is taught: the part of a lesson, or the unit where it names none."""
        return place(self.unit, self.part, deeper=self.deeper)

    def with_key(self, *right: Answer) -> Question:
        """The same question with another key, to see that its proof would notice."""
        return replace(self, answers=tuple(replace(a, right=a in right) for a in self.answers))


def practice(unit: str | None = None, *, deeper: bool | None = None) -> list[Question]:
    """All questions, or a unit's, or those of its core or deeper quiz, in their order.

    The inventory's are not among them: if they were practised, it would no longer measure.
    """
    return [
        q
        for q in bank().values()
        if not q.form and unit in (None, q.unit) and deeper in (None, q.deeper)
    ]


@cache
def bank() -> dict[str, Question]:
    """All questions by id, in the order of the units.

    Raises
    ------
    CourseError
        If a question is refused; the sentence names it and says what to mend.
    """
    folder = resources.files(__package__)
    questions: dict[str, Question] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            for entry in files.read_yaml(path):
                question = parse(entry, path.name.removesuffix(".yaml"))
                if question.id in questions:
                    raise CourseError(f"two questions are called {question.id}; rename one.")
                questions[question.id] = question
    return questions


def parse(entry: dict[str, Any], unit: str) -> Question:
    """One question of a unit's file; refuses what :func:`problems` finds."""
    name = entry.get("id", "without an id")
    try:
        answers = tuple(Answer(**answer) for answer in entry.get("answers", ()))
        question = Question(**{**entry, "unit": unit, "answers": answers})
    except TypeError as error:
        # Python's own words: a missing or an unexpected field, by name
        raise CourseError(f"question {name}: {str(error).partition(') ')[2] or error}.") from None
    found = problems(question)
    if found:
        raise CourseError(f"question {name}: {'; '.join(found)}.")
    return question


def problems(question: Question) -> list[str]:
    """What is wrong with the form of a question; nothing is run."""
    found = []
    n_right, n = len(question.right), len(question.answers)
    if question.kind not in get_args(Kind):
        return [f"kind must be one of {', '.join(get_args(Kind))}"]
    if not question.id.startswith(f"{question.unit}-"):
        found.append(f"its id must start with {question.unit}-")
    if question.kind == "several":
        if n_right < 2 or n_right == n:
            found.append("needs at least two right options and a wrong one")
    elif n_right != 1:
        found.append(f"needs one right answer and has {n_right}")
    if n < 3:
        found.append("needs at least three answers, so that wrong ones can teach")
    if len({answer.text for answer in question.answers}) < n:
        found.append("two answers read the same")
    for answer in question.answers:
        if not answer.feedback.strip():
            found.append(f"the answer {answer.text!r} has no feedback")
        if answer.misconception and answer.misconception not in catalogue():
            found.append(f"there is no misconception {answer.misconception}")
        if answer.right and answer.misconception:
            found.append(f"the right answer {answer.text!r} shows a misconception")
        if question.kind in ("one", "several") and (answer.value is NO_VALUE) == (not answer.holds):
            found.append(f"the answer {answer.text!r} needs a value or holds, one of the two")
    fields = ("text", "worked", "quick", "mistakes", *_NEEDED[question.kind])
    found += [f"has no {field}" for field in fields if not getattr(question, field).strip()]
    if question.kind == "code" and question.code.count(BLANK) != 1:
        found.append(f"its code needs the blank {BLANK} once")
    return found


_NEEDED: dict[Kind, tuple[str, ...]] = {
    "one": ("proof",),
    "several": ("proof",),
    "shape": ("proof", "otherwise"),
    "number": ("proof", "otherwise"),
    "output": ("code", "otherwise"),
    "code": ("code", "check"),
}
