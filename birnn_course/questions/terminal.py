"""A question in the terminal: shown as text, answered by letters or by typing."""

from __future__ import annotations

import click

from birnn_course.questions.answering import PROMPTS, as_attempt, shuffled
from birnn_course.questions.bank import Question
from birnn_course.questions.judging import Judgement, Response, judge
from birnn_course.record import record

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def ask(question: Question) -> bool:
    """Ask until there is a readable answer, judge and record it, and tell.

    Returns
    -------
    bool
        False if the learner wants to stop (an empty line, or end of input).
    """
    click.echo(question.text.rstrip())
    if question.code:
        click.echo("\n" + "\n".join(f"    {line}" for line in question.code.rstrip().splitlines()))
    order = shuffled(question) if question.kind in ("one", "several") else []
    for letter, position in zip(_LETTERS, order, strict=False):
        click.echo(f"  {letter}) {question.answers[position].text}")
    while True:
        try:
            typed = _read(question)
        except click.Abort:
            return False
        if not typed.strip():
            return False
        response: Response = _ticked(typed, order) if order else typed
        judgement = judge(question, response) if response else _UNREADABLE
        if judgement.readable:
            break
        click.echo(judgement.sentences[0])
    record().add(as_attempt(question, response, judgement))
    click.echo("Right." if judgement.right else "Not yet.")
    for sentence in judgement.sentences:
        click.echo(f"  {sentence}")
    if not judgement.right:
        click.echo(f"  Step by step: {question.worked}")
        click.echo(f"  Read again: {question.place}")
    return True


_UNREADABLE = Judgement(0, ("Type one of the letters, or several as in: a c",), readable=False)


def _read(question: Question) -> str:
    if question.kind == "one":
        return str(click.prompt("Letter", default="", show_default=False))
    if question.kind == "several":
        return str(click.prompt("Letters", default="", show_default=False))
    if question.kind != "output":
        return str(click.prompt(PROMPTS[question.kind].rstrip(":"), default="", show_default=False))
    click.echo(f"{PROMPTS['output']} (end with an empty line)")
    lines: list[str] = []
    while line := str(click.prompt("", default="", show_default=False, prompt_suffix="> ")):
        lines.append(line)
    return "\n".join(lines)


def _ticked(typed: str, order: list[int]) -> list[int]:
    """Positions of the letters, or none at all if anything else was typed."""
    letters = typed.replace(",", " ").replace(" ", "").lower()
    if any(letter not in _LETTERS[: len(order)] for letter in letters):
        return []
    return [order[_LETTERS.index(letter)] for letter in letters]
