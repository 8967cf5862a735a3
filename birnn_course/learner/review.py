"""Which questions to ask again: what a learner believed first, then what is due, then new ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

import fsrs

from birnn_course.errors import CourseError
from birnn_course.questions.bank import Question, bank, practice
from birnn_course.questions.widget import Quiz
from birnn_course.record import Attempt, misconception_states, record


def warm_up(unit: str) -> Quiz:
    """Three questions from earlier units, to open a unit with; chosen as for a review.

    What was never asked comes from the unit just before first. Running the cell again brings the
    next three.

    Parameters
    ----------
    unit : str
        The unit that is about to begin, two digits.

    Raises
    ------
    CourseError
        If no earlier unit has questions.
    """
    earlier = [question for question in practice() if question.unit < unit]
    if not earlier:
        raise CourseError(f"no unit before {unit!r} has questions; warm_up begins with unit 02.")
    # One of each unit in turn, the nearest unit first; within a unit in its own order.
    turns: Counter[str] = Counter()
    place = {}
    for question in earlier:
        turns[question.unit] += 1
        place[question.id] = (turns[question.unit], -int(question.unit))
    earlier.sort(key=lambda question: place[question.id])
    return Quiz(
        choose(record().attempts(), 3, among=earlier),
        remember=False,
        described={"kind": "warm_up", "unit": unit},
        stored=choose((), 3, among=earlier),
    )


def choose(
    attempts: Iterable[Attempt],
    n: int = 5,
    now: datetime | None = None,
    among: Sequence[Question] | None = None,
) -> list[Question]:
    """At most ``n`` questions for a short review.

    First come questions about open misconceptions, the one shown last first, each by another
    question than the one that was missed, where there is one. Then those that are due by spaced
    repetition (FSRS, as the package ``fsrs`` has it: right counts as *good*, else *again*), the
    longest overdue first. Last, questions never asked.

    Parameters
    ----------
    attempts : iterable of Attempt
        The learner's record.
    n : int
        The most questions.
    now : datetime, optional
        In UTC; for simulations.
    among : sequence of Question, optional
        What may be asked; those never asked come in this order. All that may be practised if not
        given.

    Returns
    -------
    list of Question
        Without repeats; empty if there is nothing left to ask.
    """
    attempts = sorted(attempts, key=lambda attempt: attempt.at)
    now = now or datetime.now(UTC)
    due = _due(attempts)
    overdue = sorted((at, item) for item, at in due.items() if at <= now)
    asked = {question.id: question for question in (practice() if among is None else among)}
    wanted = [
        *(question.id for question in _about_open_misconceptions(attempts, asked.values())),
        *(item for _, item in overdue if item in asked),
        *(item for item in asked if item not in due),
    ]
    return [asked[item] for item in list(dict.fromkeys(wanted))[:n]]


def _about_open_misconceptions(
    attempts: list[Attempt], asked: Collection[Question]
) -> list[Question]:
    states = misconception_states(attempts)
    missed: dict[str, Attempt] = {}
    for attempt in attempts:
        if attempt.misconception:
            missed.pop(attempt.misconception, None)  # so that the one shown last stands last
            missed[attempt.misconception] = attempt
    latest_first = [m for m in reversed(missed) if states.get(m) == "open"]
    right_on = {a.item: a.at for a in attempts if a.right}
    long_ago = datetime.min.replace(tzinfo=UTC)
    questions = []
    for misconception in latest_first:
        probing = [question for question in asked if misconception in question.probes]
        # To be overcome it takes two of them, so first one that was not right since; of these
        # another than was missed, and the one that was right longest ago, or never.
        miss = missed[misconception]
        probing.sort(
            key=lambda q: (
                right_on.get(q.id, long_ago) > miss.at,
                q.id == miss.item,
                right_on.get(q.id, long_ago),
            )
        )
        questions += probing[:1]
    return questions


def _due(attempts: list[Attempt]) -> dict[str, datetime]:
    """When each question that was answered is due again, from its whole history."""
    # No steps of minutes, which are for learning by heart; and the same record, the same review.
    scheduler = fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    cards: dict[str, fsrs.Card] = {}
    for attempt in attempts:
        if attempt.item in bank():
            card = cards.get(attempt.item) or fsrs.Card(card_id=1)
            rating = fsrs.Rating.Good if attempt.right else fsrs.Rating.Again
            cards[attempt.item], _ = scheduler.review_card(card, rating, attempt.at)
    return {item: card.due for item, card in cards.items()}
