"""What every form of a question in a notebook shows: its text, its solution, its stored form."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import mistune

from birnn_course.questions.bank import Question


def markdown(text: str) -> str:
    """Markdown as HTML; HTML in it is shown, not obeyed."""
    return str(_render(text)).strip()


_render = mistune.create_markdown(escape=True)


def code(text: str) -> str:
    """Code as HTML, line by line."""
    return f"<pre><code>{html.escape(text.rstrip())}</code></pre>"


def asked(question: Question) -> str:
    """The question with its code."""
    return markdown(question.text) + (code(question.code) if question.code else "")


def again(question: Question) -> str:
    """Where a wrong answer sends one."""
    return f"<p>Read again: {html.escape(question.place)}</p>"


def solution(question: Question) -> str:
    """What is told once it is answered, folded."""
    more = {
        "Step by step": question.worked,
        "A quick check": question.quick,
        "Common mistakes": question.mistakes,
    }
    return "".join(
        f"<details><summary>{title}</summary>{markdown(text)}</details>"
        for title, text in more.items()
    )


def read_only(questions: Sequence[dict[str, Any]], what_to_do: str) -> tuple[str, str]:
    """Plain text and HTML for where no kernel runs.

    Parameters
    ----------
    questions : sequence of dict
        As the browser gets them: each with ``html``, and ``options`` with ``html`` if it has some.
    what_to_do : str
        A sentence.
    """
    title = f"A quiz with {len(questions)} questions."
    listed = "".join(f"<li>{_listed(question)}</li>" for question in questions)
    return (
        f"[{title} {what_to_do}]",
        f"<p><strong>{title}</strong> <em>{what_to_do}</em></p><ol>{listed}</ol>",
    )


def _listed(shown: dict[str, Any]) -> str:
    options = "".join(f"<li>{option['html']}</li>" for option in shown.get("options", ()))
    return f"{shown['html']}<ul>{options}</ul>" if options else str(shown["html"])
