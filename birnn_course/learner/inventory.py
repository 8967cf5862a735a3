"""What the two forms of the inventory say: how much was known before the course, and after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from birnn_course.questions.bank import bank
from birnn_course.record import APART, Attempt, record


@dataclass(frozen=True)
class Gain:
    """The shares of right answers in form A (before) and form B (after).

    Attributes
    ----------
    pre, post : Fraction or None
        Of all questions of the form; None if none of them was answered.
    """

    pre: Fraction | None
    post: Fraction | None

    @property
    def gain(self) -> Fraction | None:
        """Of what was not known before, the share that is known now.

        ``(post - pre) / (1 - pre)``, the normalised gain (Hake, 1998, doi 10.1119/1.18809).
        Negative if less is right than before; None if a form is missing, or if everything was
        right before.
        """
        if self.pre is None or self.post is None or self.pre == 1:
            return None
        return (self.post - self.pre) / (1 - self.pre)


def measure(attempts: Iterable[Attempt]) -> Gain:
    """Pre and post of one learner.

    A question without an answer is not right; *I don't know yet* leaves none. Of several answers
    to one question the last one counts that was given within a day of the first. What was answered
    in form A after form B was begun does not count.

    Parameters
    ----------
    attempts : iterable of Attempt
        The learner's record, or what was exported from it.
    """
    attempts = sorted(attempts, key=lambda attempt: attempt.at)
    after = _answers(attempts, "B")
    begun = min((a.at for a in attempts if _form(a) == "B"), default=None)
    return Gain(_share(_answers(attempts, "A", before=begun), "A"), _share(after, "B"))


def _form(attempt: Attempt) -> str:
    question = bank().get(attempt.item)
    return question.form if question else ""


def _answers(
    attempts: Iterable[Attempt], form: str, before: datetime | None = None
) -> dict[str, Attempt]:
    """The answer to each question that counts."""
    first: dict[str, datetime] = {}
    last: dict[str, Attempt] = {}
    for attempt in attempts:
        if _form(attempt) != form or (before is not None and attempt.at >= before):
            continue
        if attempt.at - first.setdefault(attempt.item, attempt.at) < APART:
            last[attempt.item] = attempt
    return last


def _share(answers: dict[str, Attempt], form: str) -> Fraction | None:
    n = sum(question.form == form for question in bank().values())
    right = sum(answer.right for answer in answers.values())
    return Fraction(right, n) if answers else None


def tell(gain: Gain) -> list[str]:
    """Pre, post and gain in words, a line each; empty before form B.

    Before that nothing is told: what was right in form A would be a hint for form B.
    """
    if gain.post is None:
        return []
    lines = [f"Before the course (form A): {_in_words(gain.pre, 'A')}"]
    lines.append(f"After it (form B):          {_in_words(gain.post, 'B')}")
    if gain.gain is not None:
        share = f"{100 * float(gain.gain):.0f} %"
        lines.append(f"Gain:                       {share} of what was not right before")
    elif gain.pre is None:
        lines.append("Gain:                       only for those who answered both forms")
    else:
        lines.append("Gain:                       there was nothing left to gain")
    return lines


def _in_words(share: Fraction | None, form: str) -> str:
    n = sum(question.form == form for question in bank().values())
    if share is None:
        return "not answered"
    return f"{int(share * n)} of {n} right ({100 * float(share):.0f} %)"


def answered_of(n: int, of: int) -> str:
    """How many questions of a form have an answer: *I don't know yet* leaves none."""
    what_counts = " (I don't know yet is not counted)" if 0 < n < of else ""
    return f"{n} of {of} questions answered{what_counts}"


def my_gain() -> None:
    """Print pre, post and gain for the record on this computer."""
    lines = tell(measure(record().attempts()))
    print("\n".join(lines) or "Nothing to compare yet: form B is not answered.")
