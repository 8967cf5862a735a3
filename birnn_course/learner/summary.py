"""Where a learner stands, in plain text: ``birnn progress``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from birnn_course.course import PROJECT, UNITS
from birnn_course.learner.inventory import answered_of, measure, tell
from birnn_course.misconceptions import catalogue
from birnn_course.questions.bank import bank, practice
from birnn_course.record import Attempt, misconception_states


def describe(attempts: Iterable[Attempt], exercises: Mapping[str, str]) -> str:
    """Units, questions and exercises, misconceptions, and what to do next.

    Parameters
    ----------
    attempts : iterable of Attempt
        The learner's record.
    exercises : mapping of str to str
        Name of every exercise to its unit.
    """
    attempts = list(attempts)
    solved = {a.item for a in attempts if a.right}
    answered = {a.item for a in attempts}
    lines = []
    for unit in UNITS:
        questions = [q.id for q in practice(unit.number)]
        tasks = [name for name, of in exercises.items() if of == unit.number]
        counts = [
            f"{sum(item in solved for item in items)} of {len(items)} {what}"
            f"{_tried(len(answered.intersection(items)), tried)}"
            for items, what, tried in (
                (questions, "questions right", "answered"),
                (tasks, "exercises passed", "tried"),
            )
            if items
        ]
        # of the inventory: which of its answers are right is not told, but by what one learns
        inventory = {q.id for q in bank().values() if q.unit == unit.number and q.form}
        if inventory:
            counts.append(answered_of(len(answered & inventory), len(inventory)))
        best = max((a.points for a in attempts if a.item == PROJECT), default=None)
        if unit.has_project:
            counts.append("project not handed in" if best is None else f"project {best:g} points")
        items = {*questions, *tasks, *inventory, *([PROJECT] if unit.has_project else [])}
        done = items and items <= solved | (answered & (inventory | {PROJECT}))
        sign = "✓" if done else "•" if items & answered else " "
        listed = ", ".join(counts) or "nothing to answer"
        lines.append(f"{sign} {unit.number}  {unit.title}: {listed}")
    states = misconception_states(attempts)
    for state, title in (("open", "Shown and open"), ("overcome", "Overcome")):
        ids = [m for m, its in states.items() if its == state and m in catalogue()]
        if ids:
            lines += ["", f"{title}:", *(f"  {m}: {catalogue()[m].belief}" for m in ids)]
    gain = tell(measure(attempts))
    lines += ["", *gain] if gain else []
    return "\n".join([*lines, "", f"Next: {_next(states, answered, solved, exercises)}"])


def _tried(n: int, what: str) -> str:
    return f" ({n} {what})" if n else ""


def _next(
    states: Mapping[str, str], answered: set[str], solved: set[str], exercises: Mapping[str, str]
) -> str:
    if not answered:
        return f"{UNITS[0].lesson}, with birnn lab."
    if "open" in states.values():
        return "birnn review asks about the open ones."
    for unit in UNITS:
        items = [q.id for q in practice(unit.number)]
        items += [name for name, of in exercises.items() if of == unit.number]
        if not solved.issuperset(items) or (unit.has_project and PROJECT not in answered):
            return f"{unit.lesson}, with birnn lab."
    return "birnn review, from time to time."
