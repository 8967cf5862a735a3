"""Which questions to ask again: what a learner believed first, then what is due, then new ones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import fsrs

from birnn_course.progress import Attempt, misconception_states
from birnn_course.questions.bank import Question, bank


def choose(attempts: Iterable[Attempt], n: int = 5, now: datetime | None = None) -> list[Question]:
    """At most ``n`` questions for a short review.

    First come questions about open misconceptions, the one shown last first, each by another
    question than the one that was missed, where there is one. Then those that are due by spaced
    repetition (FSRS, as the package ``fsrs`` has it: right counts as *good*, else *again*), the
    longest overdue first. Last, questions never asked, in course order.

    Parameters
    ----------
    attempts : iterable of Attempt
        The learner's record.
    n : int
        The most questions.
    now : datetime, optional
        In UTC; for simulations.

    Returns
    -------
    list of Question
        Without repeats; empty if there is nothing left to ask.
    """
    attempts = sorted(attempts, key=lambda attempt: attempt.at)
    now = now or datetime.now(UTC)
    due = _due(attempts)
    overdue = sorted((at, item) for item, at in due.items() if at <= now)
    # the inventory is not practised, or it would no longer measure
    practice = [item for item, question in bank().items() if not question.form]
    wanted = [
        *(question.id for question in _about_open_misconceptions(attempts)),
        *(item for _, item in overdue if item in practice),
        *(item for item in practice if item not in due),
    ]
    return [bank()[item] for item in list(dict.fromkeys(wanted))[:n]]


def _about_open_misconceptions(attempts: list[Attempt]) -> list[Question]:
    states = misconception_states(attempts)
    missed: dict[str, str] = {}
    for attempt in attempts:
        if attempt.misconception:
            missed.pop(attempt.misconception, None)  # so that the one shown last stands last
            missed[attempt.misconception] = attempt.item
    latest_first = [m for m in reversed(missed) if states.get(m) == "open"]
    right_on = {a.item: a.at for a in attempts if a.right}
    questions = []
    for misconception in latest_first:
        probing = [q for q in bank().values() if misconception in q.probes and not q.form]
        # another one than was missed; of these the one that was right longest ago, or never
        probing.sort(
            key=lambda q: (
                q.id == missed[misconception],
                right_on.get(q.id, datetime.min.replace(tzinfo=UTC)),
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
