"""Right and doubly wrong answers to the exercises, one module per unit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from birnn_course.exercises.checking import EXERCISES


def of_all_units(table: str) -> dict[str, Any]:
    """``SOLUTIONS`` or ``TWO_AT_ONCE`` of all units together, by the names of the exercises."""
    found: dict[str, Any] = {}
    for path in sorted(Path(__file__).parent.glob("unit_*.py")):
        found |= getattr(import_module(f"{__name__}.{path.stem}"), table)
    return found


def named(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function under the name by which ``check`` finds its exercise."""

    def learners(*arguments: Any) -> Any:
        return function(*arguments)

    learners.__name__ = name
    return learners


def mistake_of(name: str, misconception: str) -> Callable[..., Any]:
    """The function of an exercise's first mistake from this misconception."""
    mistakes = EXERCISES[name].mistakes
    return next(m.function for m in mistakes if m.misconception == misconception)
