"""Which exercises there are to grade: those of the course, and a lecturer's own."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from birnn_course.course import UNITS
from birnn_course.errors import CourseError, message_of
from birnn_course.exercises.checking import EXERCISES, PUBLIC_SEED, Answers
from birnn_course.exercises.proving import unsaid
from birnn_course.exercises.spec import LEVELS, Exercise


@dataclass(frozen=True)
class Assignment:
    """The exercises of one notebook.

    Parameters
    ----------
    name : str
        The notebook's name without ``.ipynb``.
    title : str
    exercises : tuple of Exercise
    """

    name: str
    title: str
    exercises: tuple[Exercise, ...]


@cache
def load(bank: Path | None = None) -> list[Assignment]:
    """The assignments of the course, then those of a folder of a lecturer's own.

    Such a folder holds for each assignment ``NAME.py``, with a tuple ``EXERCISES`` of
    :class:`~birnn_course.exercises.spec.Exercise`, and ``NAME.ipynb``, the notebook with solutions.

    Raises
    ------
    CourseError
        If the folder holds none, or a file of it does not work.
    """
    found = [
        Assignment(
            unit.exercises.removesuffix(".ipynb"),
            unit.title,
            tuple(e for e in EXERCISES.values() if e.unit == unit.number),
        )
        for unit in UNITS
        if unit.has_exercises
    ]
    return found + (own(bank) if bank else [])


def own(bank: Path) -> list[Assignment]:
    """The assignments of a lecturer's own folder; see :func:`load`."""
    if not bank.is_dir():
        raise CourseError(f"{bank} is no folder; name the one with your exercises.")
    found = [_read(path) for path in sorted(bank.glob("*.py")) if not path.name.startswith("_")]
    if not found:
        raise CourseError(f"{bank} holds no exercises; there should be NAME.py and NAME.ipynb.")
    names = [exercise.name for assignment in found for exercise in assignment.exercises]
    twice = {name for name in names if names.count(name) > 1 or name in EXERCISES}
    if twice:
        raise CourseError(
            f"two exercises are called {sorted(twice)[0]}; the course's names are taken too. "
            "Rename yours."
        )
    return found


def _read(path: Path) -> Assignment:
    # A name of its own, so that two banks in one process do not meet.
    mark = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    spec = importlib.util.spec_from_file_location(f"_birnn_bank_{mark}_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses in it look themselves up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # it may want to leave, and take us with it
        raise CourseError(
            f"{path.name} does not work ({message_of(error)}); mend it and try again."
        ) from None
    exercises = getattr(module, "EXERCISES", ())
    is_tuple = isinstance(exercises, tuple | list) and len(exercises) > 0
    if not is_tuple or not all(isinstance(exercise, Exercise) for exercise in exercises):
        raise CourseError(f"{path.name} has no EXERCISES, a tuple of Exercise; add it.")
    for exercise in exercises:
        _must_be_sound(path, exercise)
        _must_judge(path, exercise)
    return Assignment(path.stem, str(getattr(module, "TITLE", path.stem)), tuple(exercises))


def _must_be_sound(path: Path, exercise: Exercise) -> None:
    """Refuse fields of other types than those that are asked for."""
    texts = (exercise.name, exercise.unit, exercise.title)
    if not all(isinstance(text, str) for text in texts):
        raise CourseError(f"{path.name}: name, unit and title of {exercise.name!r} must be texts.")
    if type(exercise.points) is not int or exercise.points < 0:
        raise CourseError(
            f"{path.name}: {exercise.name} has {exercise.points!r} points; it must be a whole "
            "number, 0 or more."
        )


def _must_judge(path: Path, exercise: Exercise) -> None:
    """Refuse an exercise here, and not when somebody's notebook is compared with it."""
    speaking = [level for level in LEVELS if level != "callable"]
    for level in exercise.levels:
        if level not in speaking:
            raise CourseError(
                f"{path.name}: {exercise.name} has a sentence for {level!r}, which is no level; "
                f"take one of {', '.join(speaking)}."
            )
    for hidden in (False, True):
        lacking = unsaid(exercise, answers_of(exercise, PUBLIC_SEED, hidden, path.name))
        if lacking:
            raise CourseError(
                f"{path.name}: the levels of {exercise.name} have no {lacking[0]!r}; add a "
                "sentence for it."
            )


def answers_of(exercise: Exercise, seed: int, hidden: bool, file: str) -> Answers:
    """The right results and those of the mistakes, for the cases of a seed.

    Raises
    ------
    CourseError
        If one of its functions raises.
    """
    with computing(exercise, seed, hidden, f"{file}: "):
        return Answers.of(exercise, exercise.draw(seed, hidden=hidden))


@contextmanager
def computing(exercise: Exercise, seed: int, hidden: bool, where: str = "") -> Iterator[None]:
    """Whatever a function of an exercise raises becomes one sentence.

    Raises
    ------
    CourseError
        If one does.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        raise CourseError(
            f"{where}{exercise.name} cannot be computed for its "
            f"{'hidden' if hidden else 'public'} cases with seed {seed} ({message_of(error)}); "
            "mend it and try again."
        ) from None


def belonging(
    name: str, cells: Iterable[str], assignments: Iterable[Assignment]
) -> list[Assignment]:
    """The assignments that a notebook answers, by its name or by the functions it defines.

    Parameters
    ----------
    name : str
        The notebook's file name.
    cells : iterable of str
        Sources of its code cells.
    assignments : iterable of Assignment
        Those to choose from.
    """
    assignments = list(assignments)
    named = [a for a in assignments if a.name.lower() in name.lower()]
    if named:
        return named
    text = "\n".join(cells)
    defined = {*_DEFINITION.findall(text), *_LAMBDA.findall(text)}
    # A lesson may define a function that one of its exercises asks for.
    is_lesson = any(unit.lesson.removesuffix(".ipynb") in name.lower() for unit in UNITS)
    least = 2 if is_lesson else 1
    return [a for a in assignments if sum(e.name in defined for e in a.exercises) >= least]


_DEFINITION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*\(", re.MULTILINE)
_LAMBDA = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*lambda\b", re.MULTILINE)


@cache
def by_name(bank: Path | None) -> Mapping[str, Exercise]:
    """Every exercise by the name of its function."""
    return {e.name: e for assignment in load(bank) for e in assignment.exercises}
