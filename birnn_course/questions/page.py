"""A quiz on a page without a kernel: what the reader's browser needs to judge the answers itself.

So the answers can be read in the page. It is for practice, and the inventory is never on one.
"""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path
from typing import Any

from birnn_course.course import UNITS, lesson_path
from birnn_course.misconceptions.lessons import in_sections
from birnn_course.questions.bank import Answer, Question
from birnn_course.questions.judging import read_lines, read_number, read_shape
from birnn_course.questions.showing import again, markdown, solution
from birnn_course.questions.widget import Quiz

_HERE = Path(__file__).parent
SCRIPTS = tuple(_HERE / name for name in ("quiz.js", "judging.js", "page.js"))
"""The scripts of a quiz on a page: what is seen, what is judged, and what answers it."""

ELSEWHERE = (
    "Here your own code would have to run. Nothing runs on this page, so answer it in the course."
)


def values(quiz: Quiz) -> dict[str, Any]:
    """Questions with their keys, for the page's own use.

    A review or a test asks anew, as in a notebook; of a unit's quiz the page shows what was
    answered before.
    """
    asked = [*quiz.asked.values()]
    shown = [
        {**question, "elsewhere": ELSEWHERE} if question["kind"] == "code" else question
        for question in quiz.questions
    ]
    keys = {question.id: _key(question) for question in asked if question.kind != "code"}
    return {
        "questions": shown,
        "keys": keys,
        "remember": quiz.descriptor()["kind"] == "quiz",
        "states": {},
        "diagnostic": False,
        "score": "",
        "seconds_left": None,
    }


def _key(question: Question) -> dict[str, Any]:
    """What ``judging.js`` takes: HTML of every reply, and what is compared with what was typed."""
    return {
        "kind": question.kind,
        "answers": [
            {
                "html": markdown(answer.feedback),
                "right": answer.right,
                **_compared(question, answer),
            }
            for answer in question.answers
        ],
        "otherwise": markdown(question.otherwise),
        "tolerance": question.tolerance,
        "again": _again(question),
        "more": solution(question),
    }


def _again(question: Question) -> str:
    """Where a wrong answer sends one, as a link; quizzes are on pages one folder below the root."""
    place = html.escape(question.place)
    href = _headings(question.unit).get(question.part)
    if href is None:
        lesson = next(unit.lesson for unit in UNITS if unit.number == question.unit)
        href = f"{lesson_path(lesson)}.html"
    return again(question).replace(place, f'<a href="../{href}">{place}</a>')


@cache
def _headings(number: str) -> dict[str, str]:
    """Where on the site each heading of a unit's lessons is."""
    unit = next(unit for unit in UNITS if unit.number == number)
    return {section.heading: section.link for section, _ in in_sections(unit)}


def _compared(question: Question, answer: Answer) -> dict[str, Any]:
    read = {"shape": read_shape, "number": read_number, "output": read_lines}.get(question.kind)
    return {"value": read(answer.text)} if read else {}
