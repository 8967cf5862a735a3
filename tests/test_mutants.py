"""No wrong solution earns points: slips and mutants of right solutions lose on every seed."""

from __future__ import annotations

import ast
import csv
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import mutants
import nbformat
import pytest
from answers import of_all_units
from answers.slips import CLASSIC, SLIPS
from mutants import Mutant

from birnn_course.course import UNITS
from birnn_course.exercises.checking import EXERCISES
from birnn_course.exercises.compare import first_difference
from birnn_course.exercises.spec import Arguments, Exercise
from birnn_course.running.calling import call, call_safely
from birnn_course.running.plain import Plain, decode

from conftest import ROOT

SEEDS = range(100, 120)
ONCE_PASSED = (24, 31, 100)  # each of the classic ones passed with at least one of these
LISTED = Path(__file__).with_name("equivalents.csv")
Function = Callable[..., Any]

each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)


# ── what is tried ───────────────────────────────────────────────────────────────────────────────


@cache
def notebook(unit: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What the cells of an exercise notebook's master define, and the source of each function."""
    (name,) = (u.exercises for u in UNITS if u.number == unit)
    space: dict[str, Any] = {}
    sources = {}
    for cell in nbformat.read(ROOT / "solutions" / name, as_version=4).cells:
        if cell.cell_type == "code" and not cell.source.startswith("check("):
            exec(compile(cell.source, name, "exec"), space)
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef):
                    sources[node.name] = ast.unparse(node)
    return space, sources


def of_function(function: Callable[..., Any]) -> Iterator[Mutant]:
    """Mutants of a function and of what it calls in its module."""
    space = dict(vars(inspect.getmodule(function)))  # type: ignore[arg-type]
    found = [function]
    for caller in found:  # which grows meanwhile
        for node in ast.walk(ast.parse(inspect.getsource(caller))):
            called = space.get(node.id) if isinstance(node, ast.Name) else None
            if inspect.isfunction(called) and called.__module__ == function.__module__:
                found += [called] * (called not in found)
    source = "\n".join(map(inspect.getsource, reversed(found)))  # defaults need what is called
    return mutants.of_source(source, function.__name__, space)


def mutants_of(exercise: Exercise) -> Iterator[Mutant]:
    """Of the solution in the notebook, and of the reference with what it calls."""
    space, sources = notebook(exercise.unit)
    yield from mutants.of_source(sources[exercise.name], exercise.name, space)
    yield from of_function(exercise.reference)


def equivalents() -> dict[str, dict[str, str]]:
    """By its exercise and the hash of its source why a mutant is right all the same."""
    found: dict[str, dict[str, str]] = {name: {} for name in EXERCISES}
    with LISTED.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["exercise"]][row["hash"]] = row["reason"]
    return found


# ── whether it loses ────────────────────────────────────────────────────────────────────────────


@cache
def cases(name: str, seed: int) -> list[Arguments]:
    return EXERCISES[name].draw(seed, hidden=True)


@cache
def right(name: str, seed: int, number: int) -> Plain:
    return decode(call(EXERCISES[name].reference, cases(name, seed)[number]))


def loses(exercise: Exercise, function: Function, seed: int) -> bool:
    """Whether some case shows that it is wrong; the others are not run."""
    name, tolerance = exercise.name, exercise.tolerance
    for number, arguments in enumerate(cases(name, seed)):
        outcome = call_safely(function, arguments)
        if outcome.kind != "returned":
            return True
        expected = right(name, seed, number)
        if first_difference(outcome.value, expected, tolerance=tolerance) is not None:
            return True
    return False


def kept(exercise: Exercise, function: Function, seeds: Sequence[int] = SEEDS) -> list[int]:
    """The seeds on which it earns the points."""
    return [seed for seed in seeds if not loses(exercise, function, seed)]


def verdicts(
    exercise: Exercise, found: Sequence[Mutant], equal: dict[str, str], seeds: Sequence[int]
) -> list[str]:
    """What is wrong with the cases or with the list of equivalents, in words."""
    wrong = [
        f"{m.hash} survives with seeds {survived}: {m.change}"
        for m in found
        if m.hash not in equal and (survived := kept(exercise, m.function(), seeds))
    ]
    by_hash = {m.hash: m for m in found}
    strange = equal.keys() - by_hash.keys()
    wrong += [f"{mark} is listed as equivalent, and there is none like it" for mark in strange]
    right = [by_hash[mark] for mark in equal.keys() & by_hash.keys()]
    return wrong + [
        f"{m.hash} is listed as equivalent, and loses: {m.change}"
        for m in right
        if kept(exercise, m.function(), seeds[:2]) != list(seeds[:2])
    ]


# ── the tests ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CLASSIC)
def test_what_once_passed_loses(name: str) -> None:
    for function in CLASSIC[name]:
        assert kept(EXERCISES[name], function, ONCE_PASSED) == []


@each_exercise
def test_a_few_mutants_lose(exercise: Exercise) -> None:
    listed = equivalents()[exercise.name]
    found = [m for m in mutants_of(exercise) if m.hash not in listed]
    for mutant in found[:: len(found) // 3][:3]:
        assert kept(exercise, mutant.function(), SEEDS[:1]) == [], mutant.change


@pytest.mark.full
@each_exercise
def test_every_mutant_loses_on_every_seed(exercise: Exercise) -> None:
    found = list(mutants_of(exercise))
    listed = equivalents()[exercise.name]
    assert verdicts(exercise, found, listed, SEEDS) == []
    killed = len(found) - len(listed)
    print(f"\n{exercise.name:24}{len(found):6} made{len(listed):5} equivalent{killed:6} killed")


@pytest.mark.full
@each_exercise
def test_every_answer_is_right_or_wrong_on_every_seed(exercise: Exercise) -> None:
    name = exercise.name
    for function in (exercise.reference, *of_all_units("SOLUTIONS").get(name, ())):
        assert kept(exercise, function) == list(SEEDS)
    wrong = [mistake.function for mistake in exercise.mistakes]
    wrong += of_all_units("TWO_AT_ONCE").get(name, [])
    for function in (*wrong, *CLASSIC.get(name, ()), *SLIPS.get(name, ())):
        assert kept(exercise, function) == []


# ── what would be found ─────────────────────────────────────────────────────────────────────────


def of_text(source: str) -> dict[str, Mutant]:
    return {m.change: m for m in mutants.of_source(source, "f", {})}


def test_each_operator_makes_its_changes() -> None:
    source = '''
def f(x, y, rows):
    """A docstring."""
    if x < 2 and y:
        return sorted(rows[1:-1])
    total = max(x, y) + 0.5
    return [x - y, -x, x if y else total, rows.T.flip(0), len(set(rows)) == 3]
'''
    made = of_text(source)
    for change in (
        "x < 2 -> x <= 2", "x < 2 -> x > 2", "2 -> 3", "2 -> 1", "x < 2 and y -> x < 2 or y",
        "x < 2 and y -> y", "sorted(rows[1:-1]) -> rows[1:-1]", "1:-1 -> 1:", "1:-1 -> :-1",
        "max -> min", "max(x, y) -> max(y, x)", "max(x, y) + 0.5 -> max(x, y)", "0.5 -> 1.0",
        "x - y -> y", "x - y -> x + y", "-x -> x", "x if y else total -> total",
        "rows.T.flip(0) -> rows.T", "set(rows) -> rows",
        "len(set(rows)) == 3 -> len(set(rows)) != 3", "total = max(x, y) + 0.5 -> pass",
        "len(set(rows)) == 3 -> sorted(len(set(rows))) == sorted(3)",
    ):  # fmt: skip
        assert change in made, change
    assert not any("docstring" in change for change in made)
    assert len({m.hash for m in made.values()}) == len(made)


def test_a_mutant_that_does_not_end_is_ended() -> None:
    source = "def f(n):\n    while n > 0:\n        n -= 1\n    return n"
    endless = of_text(source)["n -= 1 -> pass"].function()
    assert call_safely(endless, (3,)).text.startswith("AssertionError")
    assert call_safely(endless, (0,)).value == 0
    twice = of_text(source)["n > 0 -> n >= 0"].function()
    assert [twice(80), twice(80)] == [-1, -1]  # each call has all the steps


def test_a_survivor_and_a_stale_or_wrong_entry_are_found() -> None:
    exercise = EXERCISES["words_wrong"]
    listed = equivalents()[exercise.name]
    found = list(mutants_of(exercise))
    some = [m for m in found if m.hash in listed] + [m for m in found if m.hash not in listed][:1]
    assert verdicts(exercise, some, listed, SEEDS[:2]) == []
    (stale,) = verdicts(exercise, some, {**listed, "0": ""}, SEEDS[:2])
    assert stale == "0 is listed as equivalent, and there is none like it"
    (wrong,) = verdicts(exercise, some, {**listed, some[-1].hash: ""}, SEEDS[:2])
    assert wrong.endswith(f"is listed as equivalent, and loses: {some[-1].change}")


def test_cases_without_the_event_let_it_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = replace(EXERCISES["words_wrong"], cases=lambda *_: [([["B"]], [[["B"]]])])
    monkeypatch.setitem(EXERCISES, "words_wrong", kind)
    for remembered in (cases, right):
        remembered.cache_clear()
    for function in CLASSIC["words_wrong"]:
        assert kept(kind, function, SEEDS[:2]) == list(SEEDS[:2])
    for remembered in (cases, right):
        remembered.cache_clear()
