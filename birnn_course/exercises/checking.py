"""Check a function against the exercise of its name, and help with it step by step."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

from birnn_course.course import UNITS, place, solutions_folder
from birnn_course.exercises.compare import constant, first_difference, misfit
from birnn_course.exercises.report import Hint, Report
from birnn_course.exercises.spec import LEVELS, Arguments, Exercise, Level, Mistake
from birnn_course.files import write_atomic
from birnn_course.record import Attempt, record
from birnn_course.running.by_hand import out_of_reach
from birnn_course.running.calling import Outcome, call, call_safely
from birnn_course.running.plain import Plain, decode, describe

PUBLIC_SEED = 0
TRIES_BEFORE_THE_SOLUTION = 3

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for unit in UNITS
    if unit.has_exercises
    for exercise in import_module(f"birnn_course.exercises.unit_{unit.number}").EXERCISES
}
"""Every exercise of the course by the name of its function."""

_wrong_results: dict[str, set[str]] = {}
_hint_counts: dict[str, int] = {}


def check(function: object) -> Report:
    """Run the public cases of the exercise that has this function's name.

    Whatever the function does, this returns normally. It changes no random numbers of the
    notebook's.

    Parameters
    ----------
    function : callable
        The function itself, as in ``check(read_both_ways)``.

    Returns
    -------
    Report
        As the last line of a cell it is shown.
    """
    exercise = _find(function)
    if exercise is None:
        return Report("", sentence=_what_to_check(function))
    try:
        cases = exercise.draw(PUBLIC_SEED, hidden=False)
        report = run_cases(exercise, function, cases)
    except Exception as error:
        # Not the function, whose exceptions end up in the report: the answers could not be made.
        sentence = (
            f"The check itself cannot run here ({type(error).__name__}). Something it needs was "
            "changed: restart the kernel and run the notebook from the top."
        )
        report = Report(exercise.name, exercise.unit, max_points=exercise.points, sentence=sentence)
    if report.level:
        results = _wrong_results.setdefault(exercise.name, set())
        results.add(report.fingerprint)
        if len(results) >= TRIES_BEFORE_THE_SOLUTION:
            report = replace(report, sentence=f"{report.sentence} {_solution(exercise)}")
    if report.attempted:
        attempt = Attempt(
            item=report.exercise,
            kind="exercise",
            unit=report.unit,
            points=report.points,
            max_points=report.max_points,
            answer=report.fingerprint,
            probes=report.probes,
            misconception=report.misconception,
        )
        record().add_if_new(attempt)
    return report


def hint(function: object) -> Hint:
    """The next of three hints: the first names the idea, the last nearly gives the code.

    After the last one all three are shown together.

    Parameters
    ----------
    function : callable or str
        The function, or its name.
    """
    exercise = EXERCISES.get(function) if isinstance(function, str) else _find(function)
    if exercise is None:
        return Hint(_unknown(function if isinstance(function, str) else _name(function)))
    steps = len(exercise.hints)
    step = _hint_counts.get(exercise.name, 0) + 1
    _hint_counts[exercise.name] = step
    if step <= steps:
        return Hint(exercise.hints[step - 1], step, steps)
    what_now = (
        f"There is no further hint. Write what you can and run `check({exercise.name})`: after "
        f"{TRIES_BEFORE_THE_SOLUTION} different tries it says where a solution is."
    )
    return Hint(what_now, earlier=exercise.hints)


def run_cases(exercise: Exercise, function: object, cases: Sequence[Arguments]) -> Report:
    """Run a function in all cases and judge what comes of it; shows and remembers nothing."""
    # Before the function runs: it may change settings of PyTorch that a reference depends on.
    answers = Answers.of(exercise, cases)
    problem = _not_callable(exercise, function)
    if problem or not callable(function):
        return replace(_blank(exercise), attempted=True, level="callable", sentence=problem)
    outcomes: list[Outcome] = []
    with out_of_reach(exercise.by_hand):
        for arguments in cases:
            outcomes.append(call_safely(function, arguments))
            if outcomes[-1].kind == "stopped":
                break
    report = assess(exercise, cases, answers, outcomes)
    mine, reference = outcomes[0].value, answers.right[0]
    if report.passed and isinstance(mine, Tensor) and isinstance(reference, Tensor):
        report = replace(report, beside=(mine, reference))
    return replace(report, fingerprint=_fingerprint(outcomes))


@dataclass(frozen=True)
class Answers:
    """The right result of every case, and the results of each mistake; each computed when asked.

    Parameters
    ----------
    exercise : Exercise
    cases : sequence of tuple
        The arguments of each call.
    """

    exercise: Exercise
    cases: Sequence[Arguments]

    @classmethod
    def of(cls, exercise: Exercise, cases: Sequence[Arguments]) -> Answers:
        """All of them, computed now."""
        answers = cls(exercise, cases)
        answers.right, answers.wrong  # noqa: B018  they are kept
        return answers

    @cached_property
    def right(self) -> list[Plain]:
        """What the reference returns in each case."""
        return self._run(self.exercise.reference)

    @cached_property
    def wrong(self) -> Sequence[tuple[Mistake, Sequence[Plain]]]:
        """What each mistake returns in each case."""
        return [(mistake, self._run(mistake.function)) for mistake in self.exercise.mistakes]

    def _run(self, function: Callable[..., Any]) -> list[Plain]:
        return [decode(call(function, arguments)) for arguments in self.cases]


def assess(
    exercise: Exercise, cases: Sequence[Arguments], answers: Answers, outcomes: Sequence[Outcome]
) -> Report:
    """What a function is worth, from what came of calling it.

    Parameters
    ----------
    exercise : Exercise
        What it should do.
    cases : sequence of tuple
        The arguments of each call.
    answers : Answers
        For the same cases.
    outcomes : sequence of Outcome
        What came of each call, in order; calls that are missing at the end count as stopped.
    """
    missing = len(cases) - len(outcomes)
    outcomes = [*outcomes, *[Outcome("stopped", text="no result came")] * missing]
    report = replace(_blank(exercise), printed=outcomes[0].printed)
    if all(outcome.kind == "empty" for outcome in outcomes):
        return replace(report, sentence=_NOT_YET)
    found = [
        _difference(exercise, arguments, outcome, right)
        for arguments, outcome, right in zip(cases, outcomes, answers.right, strict=True)
    ]
    level = _overall(exercise, found)
    if level is None:
        sentence = f"Right in all {len(cases)} cases."
        return replace(report, attempted=True, points=exercise.points, sentence=sentence)
    # A case that shows this level, if one alone does.
    first = found.index(level if level in found else next(filter(None, found)))
    mistake = _mistake(exercise, answers, outcomes) if len(found) - found.count(None) > 1 else None
    return replace(
        report,
        attempted=True,
        level=level,
        sentence=_sentence(exercise, level, outcomes[first], answers.right[first]),
        misconception=mistake.misconception if mistake else None,
        named=mistake.named if mistake else "",
        arguments=cases[first],
        printed=outcomes[first].printed,
    )


_NOT_YET = (
    "Not attempted yet: the function returns nothing. Write its body in the place of `...`; if "
    "you have, its `return` is missing."
)


def _blank(exercise: Exercise) -> Report:
    known = {"callable", "value", *exercise.levels}
    return Report(
        exercise.name,
        exercise.unit,
        exercise.title,
        max_points=exercise.points,
        probes=exercise.probes,
        levels=tuple(level for level in LEVELS if level in known),
        place=place(exercise.unit, exercise.part),
    )


def _difference(
    exercise: Exercise, arguments: Arguments, outcome: Outcome, right: Plain
) -> Level | None:
    """The level at which one case fails."""
    if outcome.kind in ("raised", "stopped"):
        return "callable"
    if outcome.kind in ("refused", "empty"):
        return "type"
    real = None if exercise.real is None else call(exercise.real, arguments)
    return first_difference(outcome.value, right, tolerance=exercise.tolerance, real=real)


def _overall(exercise: Exercise, found: Sequence[Level | None]) -> Level | None:
    """The level to speak of, from those at which the cases fail."""
    failing = {level for level in found if level is not None}
    for level in ("callable", "type", "shape"):
        if level in failing:
            return level
    # By chance the order may be all that is wrong in one case; it must be so in every one.
    if len(failing) == 1 and failing <= exercise.levels.keys():
        return failing.pop()
    return "value" if failing else None


def _mistake(exercise: Exercise, answers: Answers, outcomes: Sequence[Outcome]) -> Mistake | None:
    """The mistake that gives these very results in all cases, if exactly one does."""
    if any(outcome.kind != "returned" for outcome in outcomes):
        return None

    def same(results: Sequence[Plain]) -> bool:
        return all(
            first_difference(outcome.value, result, tolerance=exercise.tolerance) is None
            for outcome, result in zip(outcomes, results, strict=True)
        )

    # What returns one thing whatever it gets, like `return []`, stands for code yet to come.
    matches = [m for m, results in answers.wrong if same(results) and not constant(results)]
    return matches[0] if len(matches) == 1 else None


def _sentence(exercise: Exercise, level: Level, outcome: Outcome, right: Plain) -> str:
    if outcome.kind == "raised":
        return f"The function stops with {outcome.text}. Mend that, then check again."
    if outcome.kind == "stopped":
        return f"It was stopped before it returned: {outcome.text}. Look at what should end it."
    sentence = exercise.sentence(level)
    if level not in ("type", "shape"):
        return sentence
    if level == "shape" and (where := misfit(outcome.value, right)):
        return f"{sentence} You returned {describe(outcome.value)}. {where}"
    return f"{sentence} You returned {outcome.text or describe(outcome.value)}."


def _fingerprint(outcomes: Sequence[Outcome]) -> str:
    text = repr([(outcome.kind, outcome.text, _numbers(outcome.value)) for outcome in outcomes])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _numbers(value: Plain) -> object:
    """``value`` with a repr that leaves nothing out."""
    if isinstance(value, Tensor):
        return str(value.dtype), value.tolist()
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    if isinstance(value, dict):
        return [(key, _numbers(item)) for key, item in value.items()]
    return value


def _find(function: object) -> Exercise | None:
    return EXERCISES.get(_name(function)) if callable(function) else None


def _name(function: object) -> str:
    name = getattr(function, "__name__", "")
    return name if type(name) is str else ""


def _not_callable(exercise: Exercise, function: object) -> str:
    """Why the function cannot be called as the exercise does; empty if it can."""
    if not callable(function):
        return f"`{exercise.name}` is not a function; define it with `def {exercise.name}(…)`."
    names = list(inspect.signature(exercise.reference).parameters)
    try:
        inspect.signature(function).bind(*names)
    except TypeError:
        return (
            f"The function is called with {len(names)} arguments, and yours does not take them; "
            f"let it begin with `def {exercise.name}({', '.join(names)}):`."
        )
    except ValueError:  # a function without a signature is called and shows
        pass
    return ""


def _what_to_check(function: object) -> str:
    """What to do for a learner who gave ``check`` something without an exercise."""
    example = f"`check({next(iter(EXERCISES))})`"
    if isinstance(function, str):
        return f"Give `check` the function itself, without quotes, as in {example}."
    if not callable(function):
        return (
            f"Give `check` a function and not {_a(function)}: its name without a call, "
            f"as in {example}."
        )
    return _unknown(_name(function))


def _unknown(name: str) -> str:
    if name in ("", "<lambda>"):
        return "The exercise is found by the function's name, so define it with `def` and a name."
    near = difflib.get_close_matches(name, EXERCISES, n=1)
    return (
        f"If `{name}` is your lecturer's own exercise, it is graded after you hand it in. The "
        f"course has none of that name{f'; did you mean `{near[0]}`?' if near else '.'}"
    )


def _a(value: object) -> str:
    return "None" if value is None else f"something of type {type(value).__name__}"


def _solution(exercise: Exercise) -> str:
    name = next(unit.exercises for unit in UNITS if unit.number == exercise.unit)
    return (
        f"If you are stuck, a solution with its reasons is in {_brought(name)}; "
        "read it, close it, and write it again by yourself."
    )


def _brought(name: str) -> Path:
    """Where a learner finds a solution: beside the notebook, if that is where they work.

    What is there already may have been edited, and stays.
    """
    master, here = solutions_folder() / name, Path("solutions", name)
    if here.exists():
        return here
    if not Path(name).exists() or Path("..", here).exists():  # not a working copy
        return master
    try:
        notebook = json.loads(master.read_text(encoding="utf-8"))
        # So that it is not marked if it is handed in with the rest of the folder.
        notebook["metadata"]["birnn"] = {"solution": True}
        write_atomic(here, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    except OSError:
        return master
    return here
