"""Right and doubly wrong answers to the exercises, one module per unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from birnn_course.exercises.checking import EXERCISES


def mistake_of(name: str, misconception: str) -> Callable[..., Any]:
    """The function of an exercise's first mistake from this misconception."""
    mistakes = EXERCISES[name].mistakes
    return next(m.function for m in mistakes if m.misconception == misconception)
