"""Answers and guesses that a reader of the course's pages took along, read into the record.

The file is what the page *Your answers* writes. What is in it is judged here again: only what was
answered and when is taken from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from birnn_course.course import TITLES
from birnn_course.errors import CourseError
from birnn_course.learner import guessing
from birnn_course.questions.answering import as_attempt
from birnn_course.questions.bank import Question, bank
from birnn_course.questions.judging import Response, judge
from birnn_course.record import Attempt, Record

FORMAT = "birnn-answers"
MOST_BYTES = 20 * 2**20  # a browser keeps less than that
_MOST_LETTERS = 10_000
_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


class Along(NamedTuple):
    """What a file of answers holds.

    Parameters
    ----------
    attempts : list of Attempt
        In the order of their times.
    n_unknown : int
        How many belong to no question that is asked on a page of this version of the course.
    n_dated : int
        How many have a time that has not come yet, or was before the course.
    """

    attempts: list[Attempt]
    n_unknown: int
    n_dated: int


def bring(path: Path, record: Record) -> list[str]:
    """Read a file of answers into the record; returns sentences of what was done.

    The record keeps all that it has. What it has already is not added again.

    Raises
    ------
    CourseError
        If the file is something else, or the record cannot be written. Then nothing was added.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        along = read(data)
    except ValueError:
        raise CourseError(
            f"{path} is not what the page Your answers writes; take your answers along once more."
        ) from None
    added = record.add_missing(along.attempts)
    if added is None:
        raise CourseError(f"nothing was read in. {record.notice}")
    known = len(along.attempts) - added
    sentences = [
        f"Read in: {_counted(added)}{f', and {known} more that your record had' if known else ''}."
    ]
    if along.n_unknown:
        sentences.append(
            f"Left out: {_counted(along.n_unknown)} to questions that this version of the course "
            "does not ask on pages. Update the course and read the file in again."
        )
    if along.n_dated:
        sentences.append(
            f"Left out: {_counted(along.n_dated)} with a date that cannot be; was the clock wrong?"
        )
    return sentences


def read(data: bytes, now: datetime | None = None) -> Along:
    """The attempts in what the page wrote.

    Raises
    ------
    ValueError
        If it wrote no such thing.
    """
    if len(data) > MOST_BYTES:
        raise ValueError("too large")
    try:
        known = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
        json.dumps(known, ensure_ascii=False).encode()  # half a letter cannot be kept
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(known, dict) or known.get("format") != FORMAT:
        raise ValueError("another program's")
    latest = (now or datetime.now(UTC)) + timedelta(days=1)
    attempts, n_unknown, n_dated = [], 0, 0
    for kind, entry in _entries(known):
        at = _time(entry["at"])
        attempt = (_answer if kind == "answers" else _guess)(entry, at)
        if attempt is None:
            n_unknown += 1
        elif not _FIRST_DAY <= at <= latest:
            n_dated += 1
        else:
            attempts.append(attempt)
    return Along(sorted(attempts, key=lambda attempt: attempt.at), n_unknown, n_dated)


def _entries(known: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    texts = {"item", "at", "version"}
    for kind in ("answers", "guesses"):
        entries = known.get(kind)
        if not isinstance(entries, list):
            raise ValueError(f"no {kind}")
        for entry in entries:
            if not isinstance(entry, dict) or not entry.keys() >= {*texts, "answer"}:
                raise ValueError(f"no entry of {kind}")
            if any(not isinstance(entry[name], str) or len(entry[name]) > 100 for name in texts):
                raise ValueError("no text")
            yield kind, entry


def _answer(entry: dict[str, Any], at: datetime) -> Attempt | None:
    """An answer, judged; None if its question is asked on no page."""
    question, response = bank().get(entry["item"]), entry["answer"]
    if not _is_response(response):
        raise ValueError("no answer")
    # What runs a reader's code is asked in the course only, and so is the inventory.
    if question is None or question.form or question.kind == "code":
        return None
    if not _fits(question, response):  # the question was another one then
        return None
    judgement = judge(question, response)
    if not judgement.readable:
        return None
    return as_attempt(question, response, judgement, at=at, version=entry["version"])


def _guess(entry: dict[str, Any], at: datetime) -> Attempt | None:
    item, value = entry["item"], entry["answer"]
    if not guessing.is_guess(value):
        raise ValueError("no guess")
    if not guessing.is_name(item) or item[:2] not in TITLES:
        return None
    return guessing.as_attempt(item, value, at=at, version=entry["version"])


def _is_response(response: Any) -> bool:
    if isinstance(response, list):
        return len(response) <= 100 and all(type(i) is int for i in response)
    return isinstance(response, str) and len(response) <= _MOST_LETTERS


def _fits(question: Question, response: Response) -> bool:
    if question.kind not in ("one", "several"):
        return isinstance(response, str)
    if isinstance(response, str) or (question.kind == "one" and len(response) != 1):
        return False
    return all(0 <= i < len(question.answers) for i in response)


def _time(text: str) -> datetime:
    """A time as a browser writes it; in no other zone, so that none can be out of bounds."""
    at = datetime.fromisoformat(text)
    if at.tzinfo != UTC:
        raise ValueError("no time")
    return at


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _counted(n: int) -> str:
    return f"{n} {'answer' if n == 1 else 'answers'}"
