"""A personal way through the units, after the first questions: where to slow down."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from birnn_course.course import TITLES, UNITS
from birnn_course.draw.inks import variables
from birnn_course.learner.inventory import answered_of
from birnn_course.misconceptions import catalogue
from birnn_course.questions.bank import bank
from birnn_course.record import Attempt, misconception_states, record

ENOUGH = 4
"""Answers from which on a route says something."""

_STYLE = (
    variables(".birnn-route")
    + ".birnn-route ol{display:flex;flex-wrap:wrap;gap:8px;list-style:none;margin:8px 0;padding:0}"
    ".birnn-route li{background:var(--tile);color:var(--text);border:1px solid var(--muted);"
    "border-radius:6px;padding:6px 10px;flex:1 1 9em;max-width:14em}"
    ".birnn-route li.slow{background:var(--lit);border-width:2px}"
    ".birnn-route li a{color:inherit;font-weight:bold}"
)


@dataclass(frozen=True)
class Route:
    """Which units deserve time; as the last line of a cell it is a map.

    It names no belief: that would tell which answers were wrong, and form B could no longer measure
    what was learned.

    Parameters
    ----------
    answered, asked : int
        Questions of the inventory's first form.
    slow : mapping of str to int
        For a unit, how many answers point at a misconception that it cures.
    """

    answered: int
    asked: int
    slow: Mapping[str, int]

    @property
    def sentences(self) -> list[str]:
        """What the map shows, in words."""
        found = [f"{answered_of(self.answered, self.asked)}."]
        if not self.answered:
            found += ["Nothing is known of what you believe, so take every unit in order."]
        elif not self.slow:
            found += ["No answer points at a misconception. Take the units in order."]
        for number, n in sorted(self.slow.items()):
            points = "one of your answers points" if n == 1 else f"{n} of your answers point"
            name = f"{number} · {TITLES[number]}" if number in TITLES else number
            found.append(f"Take your time for unit {name}: {points} there.")
        if 0 < self.answered < ENOUGH:
            found.append(f"{ENOUGH} answers say more.")
        return found

    def __repr__(self) -> str:
        return "\n".join([*self.sentences, f"Next: {UNITS[1].lesson}"])

    def _repr_html_(self) -> str:
        units = "".join(self._tile(unit.number, unit.title, unit.lesson) for unit in UNITS[1:])
        first, summary = UNITS[1], html.escape(" ".join(self.sentences))
        return (
            f'<div class="birnn-route"><style>{_STYLE}</style><p>{summary}</p>'
            f'<ol>{units}</ol><p>Begin with <a href="{quote(first.lesson)}">'
            f"{first.number} · {html.escape(first.title)}</a>.</p></div>"
        )

    def _tile(self, number: str, title: str, lesson: str) -> str:
        slow = number in self.slow
        note = "<br>Take your time." if slow else ""
        return (
            f'<li{" class=slow" if slow else ""}><a href="{quote(lesson)}">'
            f"{number} · {html.escape(title)}</a>{note}</li>"
        )


def my_route() -> Route:
    """The route for the record on this computer."""
    return route(record().attempts())


def route(attempts: Iterable[Attempt]) -> Route:
    """The route for a record.

    Parameters
    ----------
    attempts : iterable of Attempt
        The learner's record.
    """
    attempts = list(attempts)
    asked = {question.id for question in bank().values() if question.form == "A"}
    states = misconception_states(attempts)
    # chosen once and not sure is not yet shown, but it is worth a word here
    chosen = {a.misconception for a in attempts if a.misconception}
    open_ = [name for name in chosen & catalogue().keys() if states.get(name) != "overcome"]
    return Route(
        answered=len({attempt.item for attempt in attempts} & asked),
        asked=len(asked),
        slow=Counter(catalogue()[name].unit for name in open_),
    )
