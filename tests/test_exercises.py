"""The exercises: right solutions pass, every mistake is named, and nothing else earns a point."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest
import torch
from answers import of_all_units
from answers.unit_01 import read_by_two_modules
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from birnn_course.course import UNITS, solutions_folder
from birnn_course.exercises import Report, check, checking, hint, run_cases
from birnn_course.exercises.checking import EXERCISES, PUBLIC_SEED, Answers, assess
from birnn_course.exercises.compare import first_difference, misfit
from birnn_course.exercises.proving import indistinct, unsaid
from birnn_course.exercises.spec import (
    LEVELS,
    Arguments,
    Exercise,
    Mistake,
    build_module,
    random_module,
)
from birnn_course.exercises.unit_01 import BEST_SCORE, READ_BOTH_WAYS
from birnn_course.grading import learner_copies as tool
from birnn_course.grading.notebooks import UnreadableError, code_cells
from birnn_course.misconceptions import catalogue
from birnn_course.record import Attempt
from birnn_course.running.calling import Outcome, call, call_safely
from birnn_course.running.plain import NotPlainError, copied, decode, describe
from birnn_course.sandbox import wire

MASTERS = sorted((Path(__file__).parents[1] / "solutions").glob("*_exercises.ipynb"))
HIDDEN_SEED = 11
with_all_cases = pytest.mark.parametrize(
    ("seed", "hidden"),
    [
        (PUBLIC_SEED, False),
        (HIDDEN_SEED, True),
        *(pytest.param(seed, True, marks=pytest.mark.full) for seed in (12, 13)),
    ],
)
Function = Callable[..., Any]


class Remembered(list[Attempt]):
    """Stands for the learner's record, without its file."""

    add_if_new = list.append


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> Remembered:
    """No check and no hint was asked for yet; what is recorded from here on."""
    attempts = Remembered()
    monkeypatch.setattr(checking, "record", lambda: attempts)
    monkeypatch.setattr(checking, "_wrong_results", {})
    monkeypatch.setattr(checking, "_hint_counts", {})
    return attempts


each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)


@cache
def answered(exercise: str, seed: int, hidden: bool) -> tuple[list[Arguments], Answers]:
    cases = EXERCISES[exercise].draw(seed, hidden=hidden)
    return cases, Answers.of(EXERCISES[exercise], cases)


def grade(exercise: Exercise, function: Function, seed: int = 11, hidden: bool = True) -> Report:
    """As `run_cases`, with answers that the tests share."""
    cases, answers = answered(exercise.name, seed, hidden)
    outcomes = [call_safely(function, arguments) for arguments in cases]
    return assess(exercise, cases, answers, outcomes)


def leaves(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same lists, tuples and dicts with every leaf changed."""
    if isinstance(value, list | tuple):
        return type(value)(leaves(item, change) for item in value)
    if isinstance(value, dict):
        return {key: leaves(item, change) for key, item in value.items()}
    return change(value)


# ── Right solutions and mistakes that come together: answers/unit_NN.py ─────────────────────────

# An exercise may lack both: its reference and its master's solution are tried all the same.
SOLUTIONS: dict[str, tuple[Function, ...]] = of_all_units("SOLUTIONS")
TWO_AT_ONCE: dict[str, list[Function]] = of_all_units("TWO_AT_ONCE")


@each_exercise
@with_all_cases
def test_right_solutions_pass(exercise: Exercise, seed: int, hidden: bool) -> None:
    for function in (exercise.reference, *SOLUTIONS.get(exercise.name, ())):
        report = grade(exercise, function, seed, hidden)
        assert report.passed, f"{function.__name__}:\n{report}"
        assert report.points == report.max_points == exercise.points
        assert report.misconception is None


# ── Mistakes ────────────────────────────────────────────────────────────────────────────────────


@each_exercise
@with_all_cases
def test_the_cases_tell_all_mistakes_apart(exercise: Exercise, seed: int, hidden: bool) -> None:
    assert indistinct(exercise, answered(exercise.name, seed, hidden)[1]) == []


def test_cases_that_do_not_are_found() -> None:
    def one_step(generator: torch.Generator, hidden: bool) -> list[Arguments]:
        cases = READ_BOTH_WAYS.cases(generator, hidden)
        return [(x[:, :1], *weights) for x, *weights in cases]

    blind = replace(READ_BOTH_WAYS, cases=one_step)
    cases = blind.draw(0, hidden=True)
    found = indistinct(blind, Answers.of(blind, cases))
    assert "unflipped-outputs differs from the reference in fewer than two cases" in found
    assert "unflipped-outputs and unflipped-inputs give the same results" in found


@each_exercise
@with_all_cases
def test_every_mistake_is_named(exercise: Exercise, seed: int, hidden: bool) -> None:
    for mistake in exercise.mistakes:
        report = grade(exercise, mistake.function, seed, hidden)
        assert report.misconception == mistake.misconception
        assert report.named == f"Your result equals what you get if {mistake.when}."
        assert (report.points, report.attempted, report.passed) == (0, True, False)
        assert report.level not in (None, "callable")
        assert report.misconception in report.probes


def unnamed(exercise: Exercise, *, cases: list[Arguments], wrong_in: int) -> bool:
    """Whether a mistake that shows in ``wrong_in`` of the cases goes without a name."""
    mistake = exercise.mistakes[0].function
    answers = Answers.of(exercise, cases)
    results = [mistake if i < wrong_in else exercise.reference for i in range(len(cases))]
    outcomes = [call_safely(f, arguments) for f, arguments in zip(results, cases, strict=True)]
    report = assess(exercise, cases, answers, outcomes)
    assert report.points == 0
    return report.misconception is None


def test_a_mistake_is_named_only_if_it_shows_everywhere_and_at_least_twice() -> None:
    cases = READ_BOTH_WAYS.draw(11, hidden=True)
    assert unnamed(READ_BOTH_WAYS, cases=cases, wrong_in=len(cases) - 1)
    assert not unnamed(READ_BOTH_WAYS, cases=cases, wrong_in=len(cases))
    assert unnamed(READ_BOTH_WAYS, cases=cases[:1], wrong_in=1)
    assert not unnamed(READ_BOTH_WAYS, cases=cases[:2], wrong_in=2)


@each_exercise
@with_all_cases
def test_two_mistakes_at_once_are_not_named(exercise: Exercise, seed: int, hidden: bool) -> None:
    for function in TWO_AT_ONCE.get(exercise.name, ()):
        report = grade(exercise, function, seed, hidden)
        assert (report.points, report.attempted, report.misconception) == (0, True, None)


# ── What earns nothing ──────────────────────────────────────────────────────────────────────────


class EqualsEverything:
    """Says of itself that it is whatever is wanted."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self.kind

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self


class AgreeableTensor(Tensor):
    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function.__name__ in ("allclose", "equal", "__eq__", "eq"):
            return True
        return Tensor.__torch_function__(function, types, args, kwargs or {})  # type: ignore[no-untyped-call]


class AgreeableFloat(float):
    def __eq__(self, other: object) -> bool:
        return True

    def __sub__(self, other: object) -> float:
        return 0.0

    __hash__ = float.__hash__
    __rsub__ = __sub__


class AgreeableInt(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class AgreeableList(list[Any]):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


def zero(leaf: Any) -> Any:
    return torch.zeros_like(leaf) if isinstance(leaf, Tensor) else type(leaf)()


def noisy(leaf: Any) -> Any:
    return leaf if isinstance(leaf, str) else leaf + 1e-3


def sizes(value: Any) -> str:
    """What of the arguments does not change with the seed."""
    if isinstance(value, Tensor):
        return str(tuple(value.shape))
    if isinstance(value, list | tuple | dict) and len(value) > 4:
        return str(len(value))
    if isinstance(value, list | tuple):
        return str([sizes(item) for item in value])
    return str(
        {key: sizes(item) for key, item in value.items()} if isinstance(value, dict) else value
    )


def memorised(exercise: Exercise) -> Function:
    """Knows the right results of all public cases by the sizes of their arguments."""
    public = exercise.draw(PUBLIC_SEED, hidden=False)
    known = {sizes(case): call(exercise.reference, case) for case in public}
    return lambda *arguments: known.get(sizes(arguments), next(iter(known.values())))


def cheats(exercise: Exercise) -> Iterator[tuple[str, Function]]:
    reference = exercise.reference
    yield "zeros", lambda *arguments: leaves(reference(*arguments), zero)
    yield "noise", lambda *arguments: leaves(reference(*arguments), noisy)
    yield "public answers", memorised(exercise)
    for i in range(len(inspect.signature(reference).parameters)):
        yield f"argument {i}", lambda *arguments, i=i: arguments[i]
    for kind in (Tensor, list, float, int):
        yield f"equal {kind.__name__}", lambda *_, kind=kind: EqualsEverything(kind)
    yield "tensor subclass", lambda *_: torch.zeros(3).as_subclass(AgreeableTensor)
    yield "float subclass", lambda *_: AgreeableFloat(0)
    yield "int subclass", lambda *_: AgreeableInt(0)
    yield "list subclass", lambda *_: AgreeableList([0])
    yield "NaN", lambda *arguments: leaves(reference(*arguments), lambda leaf: leaf * float("nan"))
    yield "empty list", lambda *_: []


def cheats_that_pay(exercise: Exercise) -> list[str]:
    """Which ways around the exercise earn points in hidden cases."""
    cases = exercise.draw(HIDDEN_SEED, hidden=True)
    answers = Answers.of(exercise, cases)
    found = []
    for name, function in cheats(exercise):
        report = assess(exercise, cases, answers, [call_safely(function, case) for case in cases])
        if report.points:
            found.append(name)
    return found


@each_exercise
def test_no_way_around_an_exercise_earns_a_point(exercise: Exercise) -> None:
    assert cheats_that_pay(exercise) == []


def test_ways_around_that_pay_are_found() -> None:
    same = replace(BEST_SCORE, cases=lambda generator, hidden: BEST_SCORE.draw(0, hidden=False))
    assert cheats_that_pay(same) == ["public answers"]
    assert "noise" in cheats_that_pay(replace(BEST_SCORE, tolerance=1e-2))
    nothing = replace(BEST_SCORE, reference=lambda sequences, lookahead: 0.0, mistakes=())
    assert "zeros" in cheats_that_pay(nothing)
    echo = replace(BEST_SCORE, reference=lambda sequences, lookahead: lookahead, mistakes=())
    assert "argument 1" in cheats_that_pay(echo)


def stub_of_dots(*_: Any) -> Any: ...


def stub_of_pass(*_: Any) -> Any:
    pass


def stub_that_returns_dots(*_: Any) -> Any:
    return ...


def stub_that_raises(*_: Any) -> Any:
    raise NotImplementedError


def stub_that_raises_a_text(*_: Any) -> Any:
    raise NotImplementedError("your turn")


PLACEHOLDERS: dict[str, Any] = {
    repr(value): value
    for value in (
        0, 1, -1, 0.0, 0.5, 1.0, True, False, "", [], (), {}, [0], [1], [[]], [0.0] * 3,
        [[], 0.0], [0, 0.0], torch.zeros(1), torch.zeros(()), torch.tensor([]),
        {"ids": torch.zeros(1, 1).long(), "lengths": []},
    )
}  # fmt: skip


@each_exercise
@with_all_cases
def test_a_placeholder_is_no_belief(exercise: Exercise, seed: int, hidden: bool) -> None:
    cases, answers = answered(exercise.name, seed, hidden)
    for value in PLACEHOLDERS.values():
        report = assess(exercise, cases, answers, returned(value, answers))
        assert (report.points, report.attempted, report.misconception) == (0, True, None)
        assert report.named == ""
    for leaf in (zero, lambda leaf: zero(leaf) + 1 if not isinstance(leaf, str) else leaf):
        outcomes = [Outcome("returned", leaves(right, leaf)) for right in answers.right]
        assert assess(exercise, cases, answers, outcomes).misconception is None


def test_a_mistake_that_is_a_placeholder_is_found_and_not_named() -> None:
    half = Mistake("limit-peeks", "you say one half, whatever the world", lambda *_: 0.5)
    exercise = replace(BEST_SCORE, mistakes=(half,))
    cases = exercise.draw(HIDDEN_SEED, hidden=True)
    answers = Answers.of(exercise, cases)
    assert indistinct(exercise, answers) == [
        "limit-peeks gives the same result in all cases, as a placeholder does"
    ]
    assert assess(exercise, cases, answers, returned(0.5, answers)).misconception is None


STUBS = (
    stub_of_dots,
    stub_of_pass,
    stub_that_returns_dots,
    stub_that_raises,
    stub_that_raises_a_text,
)


@each_exercise
@pytest.mark.parametrize("stub", STUBS)
def test_a_stub_is_not_attempted(exercise: Exercise, stub: Function) -> None:
    report = grade(exercise, stub)
    assert not report.attempted and not report.passed and report.level is None
    assert (report.points, report.max_points) == (0, exercise.points)
    assert report.sentence.startswith("Not attempted yet")
    assert not report.findings


def test_an_operation_that_pytorch_lacks_is_no_stub() -> None:
    def copies(*_: Any) -> Any:
        return torch.zeros(1, device="meta").to("cpu")

    with pytest.raises(NotImplementedError):
        copies()
    report = run_cases(BEST_SCORE, copies, BEST_SCORE.draw(0, hidden=False))
    assert report.attempted and "NotImplementedError" in report.sentence


# ── Comparing ───────────────────────────────────────────────────────────────────────────────────

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("got", "expected", "level"),
    [
        (torch.ones(2), torch.ones(2), None),
        (torch.ones(2) + 9e-6, torch.ones(2), None),
        (torch.ones(2) + 2e-5, torch.ones(2), "value"),
        (1e6 * torch.ones(2) + 1, 1e6 * torch.ones(2), "value"),  # no relative tolerance
        (torch.ones(2).double(), torch.ones(2), None),
        (torch.ones(2).long(), torch.ones(2), "type"),
        (torch.ones(2).bool(), torch.ones(2).long(), "type"),
        (torch.ones(2) * 1j, torch.ones(2) * 1j, None),
        (torch.ones(2) * 2j, torch.ones(2) * 1j, "value"),
        (torch.ones(2, 1), torch.ones(2), "shape"),
        (torch.ones(()), 1.0, "type"),
        (1, 1.0, None),
        (1.0, 1, "type"),
        (True, 1, "type"),
        (1, True, "type"),
        (0.5, 0.50001, None),
        (0.5, 0.6, "value"),
        ("a", "a", None),
        ("a", "b", "value"),
        (None, 1.0, "type"),
        ([1, 2], (1, 2), None),
        ([1, 2], [1, 2, 3], "shape"),
        ([1, 2.0], [1, 2], "type"),
        ([2, 1], [1, 2], "direction"),
        (["b", "a"], ["a", "b"], "direction"),
        ([torch.ones(2), 0], [torch.ones(3), 0], "shape"),
        ({"a": 1}, {"a": 1}, None),
        ({"b": 1}, {"a": 1}, "shape"),
        ({"a": 2}, {"a": 1}, "value"),
        ({"a": 1.0}, {"a": 1}, "type"),
        (torch.arange(4.0).flip(0), torch.arange(4.0), "direction"),
        (torch.tensor([1.0, 1.0, 2.0]), torch.tensor([1.0, 2.0, 2.0]), "value"),
        ((torch.zeros(2), torch.ones(2)), (torch.ones(2), torch.zeros(2)), "direction"),
        (NAN, 1.0, "value"),
        (NAN, NAN, None),
        (INF, 1.0, "value"),
        (INF, INF, None),
        (-INF, INF, "value"),
        (torch.tensor([NAN, 1]), torch.tensor([0.0, 1]), "value"),
        (torch.tensor([NAN, 1]), torch.tensor([NAN, 1]), None),
        (torch.tensor([INF, 1]), torch.tensor([INF, 1]), None),
        (torch.tensor([INF, 1]), torch.tensor([-INF, 1]), "value"),
        (torch.zeros(0), torch.zeros(0), None),
        ([], [], None),
    ],
)
def test_the_first_difference(got: Any, expected: Any, level: str | None) -> None:
    assert first_difference(decode(got), decode(expected), tolerance=1e-5) == level


@pytest.mark.parametrize(
    ("scalar", "plain"),
    [(np.float64(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True), (np.float32(0.5), 0.5)],
)
def test_a_scalar_of_numpy_is_a_number(scalar: Any, plain: Any) -> None:
    decoded = decode([scalar])[0]
    assert type(decoded) is type(plain)
    assert decoded == plain


def test_wrong_values_say_nothing_of_their_order() -> None:
    report = Report("f", "01", attempted=True, level="value", levels=LEVELS)
    assert [f.probe for f in report.findings] == ["runs", "type", "shape or length", "values"]


def test_padding_is_a_level_of_its_own() -> None:
    real = torch.tensor([[True, True, False]])
    expected = torch.tensor([[1.0, 2.0, 0.0]])
    for got, level in [
        ([[1, 2, 7]], "padding"),
        ([[1, 3, 7]], "value"),
        ([[0, 1, 2]], "direction"),
    ]:
        result = torch.tensor(got).float()
        assert first_difference(result, expected, tolerance=1e-5, real=real) == level
        assert first_difference(result, expected, tolerance=1e-5) in ("value", level)


class AgreeableStr(str):
    pass


def own_detach() -> Tensor:
    tensor = torch.zeros(2)
    tensor.detach = lambda: torch.ones(2)  # type: ignore[method-assign]
    return tensor


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 0


def endless() -> Any:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "value",
    [
        EqualsEverything(Tensor),
        torch.zeros(2).as_subclass(AgreeableTensor),
        nn.Parameter(torch.zeros(2)),
        AgreeableFloat(1),
        AgreeableInt(1),
        AgreeableStr("a"),
        AgreeableList([1]),
        type("Dict", (dict,), {})(),
        pack_sequence([torch.zeros(2, 1)]),
        {1, 2},
        (i for i in range(3)),
        torch.zeros(2, device="meta"),
        torch.zeros(2).to_sparse(),
        torch.zeros(1).expand(10**9),
        10**30,
        nested(30),
        endless(),
        int,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_plain_is_refused(value: Any) -> None:
    with pytest.raises(NotPlainError):
        decode(value)


class Untrue(NamedTuple):
    """Shows other things than it holds."""

    first: int
    second: list[int]

    def __iter__(self) -> Any:
        return iter([9, 9])


class More(namedtuple("More", "a b")):
    """A named tuple with methods."""

    __slots__ = ()

    def __len__(self) -> int:
        return 7


def test_a_named_tuple_is_a_tuple_and_kinds_of_dict_are_dicts() -> None:
    for named, plain in ((Untrue(1, [2]), (1, [2])), (More(1, Untrue(2, [])), (1, (2, [])))):
        decoded = decode(named)
        assert type(decoded) is tuple and decoded == plain
    for other in (OrderedDict(a=1), Counter(a=1), defaultdict(int, a=1)):
        assert type(decode(other)) is dict and decode({"b": other}) == {"b": {"a": 1}}
    with pytest.raises(NotPlainError):
        decode(Untrue(1, [AgreeableInt(2)]))  # type: ignore[list-item]


def otherwise(value: Any) -> Any:
    """The same with named tuples for lists and tuples, and other kinds of dict."""
    if isinstance(value, dict):
        return OrderedDict((key, otherwise(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        kind = namedtuple("Named", [f"n{i}" for i in range(len(value))])  # type: ignore[misc]
        return kind(*map(otherwise, value))
    return value


@each_exercise
def test_right_results_in_other_containers_are_right(exercise: Exercise) -> None:
    cases, answers = answered(exercise.name, HIDDEN_SEED, True)
    outcomes = [call_safely(lambda r=right: otherwise(r), ()) for right in answers.right]
    sent = [replace(o, value=wire.unpack(wire.pack(o.value))) for o in outcomes]
    assert assess(exercise, cases, answers, outcomes).passed
    assert assess(exercise, cases, answers, sent).passed


def test_a_result_is_copied() -> None:
    assert torch.equal(decode(own_detach()), torch.zeros(2))
    tensor = torch.zeros(2, requires_grad=True)
    copied = decode([tensor, {"a": (1, 0.5, "x", True, None, Fraction(1, 2))}])
    with torch.no_grad():
        tensor += 1
    assert torch.equal(copied[0], torch.zeros(2)) and not copied[0].requires_grad
    assert copied[1] == {"a": (1, 0.5, "x", True, None, 0.5)}
    size = decode(tensor.shape)
    assert type(size) is tuple and size == (2,)


def test_a_description_names_no_number_of_the_result() -> None:
    described = [
        describe(v) for v in (torch.full((2, 3), 7.5), [7, 7], {"a": 7}, 7.5, 7, "7", None)
    ]
    assert "(2, 3)" in described[0]
    assert all("7" not in text for text in described)


# ── Judging by levels ───────────────────────────────────────────────────────────────────────────


def spoiled(change: Callable[[Tensor], Any]) -> Function:
    return lambda *arguments: change(READ_BOTH_WAYS.reference(*arguments))


@pytest.mark.parametrize(
    ("function", "level"),
    [
        (spoiled(lambda y: y.tolist()), "type"),
        (spoiled(lambda y: y.bool()), "type"),
        (spoiled(lambda y: y[..., 1:]), "shape"),
        (spoiled(lambda y: y.transpose(0, 1)), "shape"),
        (spoiled(lambda y: y.flip(1)), "direction"),
        (spoiled(lambda y: y.flip(-1)), "direction"),
        (spoiled(lambda y: 2 * y), "value"),
        (spoiled(lambda y: y if len(y) > 1 else y.flip(1)), "direction"),
        (spoiled(lambda y: 2 * y if len(y) > 1 else y.flip(1)), "value"),
        (spoiled(lambda y: None if len(y) > 1 else y), "type"),
        (spoiled(lambda y: y / 0 if len(y) > 1 else [][0]), "callable"),
    ],
)
def test_the_first_level_that_fails_speaks(function: Function, level: str) -> None:
    report = grade(READ_BOTH_WAYS, function, PUBLIC_SEED, False)
    assert report.level == level and report.points == 0
    expected = READ_BOTH_WAYS.levels.get(level)
    assert report.sentence.startswith(expected or "The function stops with IndexError")
    order = [finding.verdict for finding in report.findings]
    assert order.count("problem") == 1
    assert order == sorted(order, key=["ok", "problem", "not looked at"].index)


def test_the_arguments_are_those_of_a_case_that_shows_it() -> None:
    report = grade(READ_BOTH_WAYS, spoiled(lambda y: y[1:] if len(y) == 3 else y + 1), 0, False)
    assert report.level == "shape" and len(report.arguments[0]) == 3
    assert "read_both_ways(*check(read_both_ways).arguments)" in repr(report)
    assert not grade(READ_BOTH_WAYS, READ_BOTH_WAYS.reference).arguments


def returned(value: Any, answers: Answers) -> list[Outcome]:
    return [Outcome("returned", value)] * len(answers.right)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.name)
def test_every_level_that_can_fail_has_a_sentence(exercise: Exercise) -> None:
    cases = exercise.draw(0, hidden=False)
    answers = Answers.of(exercise, cases)
    assert unsaid(exercise, answers) == []
    # Where there is none, it is found, and judging goes on all the same.
    mute = replace(exercise, levels={})
    shaped = isinstance(answers.right[0], Tensor | list | dict)
    assert unsaid(mute, answers) == (["type", "shape", "value"] if shaped else ["type", "value"])
    for value in ("a word", [], {}, torch.zeros(9, 9), 0.25, 7, [[1.5]] * 9):
        report = assess(mute, cases, answers, returned(value, answers))
        assert report.level in ("type", "shape", "value")
        assert f"see its {report.level}" in report.sentence


def test_which_entry_has_another_length() -> None:
    exercise = EXERCISES["predict_shapes"]
    cases = exercise.draw(0, hidden=False)
    answers = Answers.of(exercise, cases)
    one_short = [[right[0], right[1][:-1], *right[2:]] for right in answers.right]
    report = assess(exercise, cases, answers, [Outcome("returned", value) for value in one_short])
    assert report.sentence.endswith(
        "You returned a list with 2 entries of type tuple. Its entry 1 (counted from 0) has "
        "another length: it is a tuple with 2 entries of type int."
    )
    assert misfit({"a": torch.zeros(2)}, {"a": torch.zeros(3)}).startswith("Its entry 'a' has ano")
    assert misfit([1], [1, 2]) == "" and misfit({"a": 1}, {"b": 1}) == ""


def test_an_exercise_with_padding() -> None:
    def double(x: Tensor, lengths: list[int]) -> Tensor:
        return 2 * x * real(x, lengths)

    def real(x: Tensor, lengths: list[int]) -> Tensor:
        return torch.arange(x.shape[1]) < torch.tensor(lengths)[:, None]

    exercise = Exercise(
        name="double",
        unit="01",
        points=1,
        title="Twice",
        cases=lambda g, hidden: [(torch.rand(2, n, generator=g), [n, n - 1]) for n in (3, 4)],
        reference=double,
        mistakes=(Mistake("pads-count", "the pads are doubled too", lambda x, lengths: 2 * x),),
        levels={"type": "A tensor.", "padding": "Pads are 0.", "value": "Not twice."},
        hints=("one", "two", "three"),
        real=real,
    )
    report = run_cases(exercise, lambda x, lengths: 2 * x, exercise.draw(0, hidden=False))
    assert (report.level, report.misconception) == ("padding", "pads-count")
    verdicts = {finding.probe: finding.verdict for finding in report.findings}
    assert verdicts["padding"] == "problem"
    assert verdicts["values"] == "not looked at"
    report = run_cases(exercise, lambda x, lengths: 3 * x, exercise.draw(0, hidden=False))
    assert (report.level, report.misconception) == ("value", None)
    assert run_cases(exercise, double, exercise.draw(0, hidden=False)).points == 1


# ── Whatever the learner wrote ──────────────────────────────────────────────────────────────────


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise ValueError


def recurse(*arguments: Any) -> Any:
    return recurse(*arguments)


def fails(*_: Any) -> Any:
    values = [1, 2]
    return values[5]


def fails_inside_torch(x: Tensor, *_: Any) -> Any:
    return torch.cat([x, "y"])  # type: ignore[list-item]


def fails_speechless(*_: Any) -> Any:
    raise SpeechlessError


def leaves_python(*_: Any) -> Any:
    sys.exit(3)


def is_stopped(*_: Any) -> Any:
    while True:
        raise KeyboardInterrupt


def fails_at_length(*_: Any) -> Any:
    raise ValueError("x" * 10_000)


def yields(x: Tensor, *_: Any) -> Any:
    yield x


def returns_itself(*_: Any) -> Any:
    return returns_itself


def named(function: Function, name: str = "read_both_ways") -> Function:
    """As if the learner had given it the exercise's name."""
    function.__name__ = name
    return function


@pytest.mark.parametrize(
    ("function", "level", "text"),
    [
        (recurse, "callable", "RecursionError"),
        (fails, "callable", "IndexError: list index out of range"),
        (fails_inside_torch, "callable", 'torch.cat([x, "y"])'),
        (fails_speechless, "callable", "SpeechlessError"),
        (leaves_python, "callable", "SystemExit: 3"),
        (is_stopped, "callable", "stopped before it returned"),
        (fails_at_length, "callable", "xx …"),
        (yields, "type", "You returned a generator."),
        (returns_itself, "type", "You returned a function."),
        (endless, "callable", "3 arguments"),
        (lambda x: x, "callable", "def read_both_ways(x, forward_weights, backward_weights):"),
    ],
)
def test_a_failure_of_the_learners_comes_back_as_a_report(
    function: Function, level: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run_cases(READ_BOTH_WAYS, function, READ_BOTH_WAYS.draw(PUBLIC_SEED, hidden=False))
    assert report.level == level
    assert text in report.sentence
    assert (report.points, report.attempted, report.misconception) == (0, True, None)
    assert "Traceback" not in repr(report) and len(report.sentence) < 700
    assert capsys.readouterr() == ("", "")


def test_an_error_is_shown_with_the_learners_own_line() -> None:
    for function, offset, source in (
        (fails, 2, "return values[5]"),
        (fails_inside_torch, 1, 'return torch.cat([x, "y"])'),
    ):
        line = inspect.getsourcelines(function)[1] + offset
        report = run_cases(READ_BOTH_WAYS, function, READ_BOTH_WAYS.draw(0, hidden=False))
        assert f"in line {line}, `{source}" in report.sentence


def test_an_error_of_a_helper_of_ours_is_shown_at_the_learners_call() -> None:
    from birnn_course import dependence_map

    def asks(x: Tensor, *_: Any) -> Any:
        return dependence_map(nn.Identity(), x.long())

    report = run_cases(READ_BOTH_WAYS, asks, READ_BOTH_WAYS.draw(0, hidden=False))
    assert "CourseError" in report.sentence
    assert "`return dependence_map(nn.Identity(), x.long())`" in report.sentence


def test_what_a_function_prints_is_shown_but_not_all_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def prints(*arguments: Any) -> Any:
        print("<b>shape</b>", *arguments[0].shape)
        for i in range(20_000):
            print(i)
        return read_by_two_modules(*arguments)

    report = run_cases(READ_BOTH_WAYS, prints, READ_BOTH_WAYS.draw(0, hidden=False))
    assert report.passed
    assert report.printed.startswith("<b>shape</b> 2 5 3\n0\n1\n")
    assert len(report.printed) <= 2_000
    assert "&lt;b&gt;shape" in report._repr_mimebundle_()["text/html"]
    assert capsys.readouterr().out == ""


def test_inputs_that_are_changed_do_not_disturb_the_comparison() -> None:
    def overwrites(x: Tensor, forward: dict[str, Tensor], backward: dict[str, Tensor]) -> Any:
        result = read_by_two_modules(x, forward, backward)
        x.zero_()
        for weight in forward.values():
            weight.fill_(9)
        backward.clear()
        return result

    cases = READ_BOTH_WAYS.draw(0, hidden=False)
    before = [x.clone() for x, *_ in cases]
    assert run_cases(READ_BOTH_WAYS, overwrites, cases).passed
    assert all(torch.equal(a, b[0]) for a, b in zip(before, cases, strict=True))


def test_a_copy_of_plain_data_is_one_and_of_anything_else_too() -> None:
    shared = torch.rand(3, 2)
    leaf = torch.rand(2, requires_grad=True)
    value = {
        "list": [1, 2.5, "a", None, True, (shared, [shared])],
        "module": ("GRU", {"hidden_size": 2}, OrderedDict(weight=shared)),
        "odd": [leaf, torch.eye(2).to_sparse(), {1, 2}, Fraction(1, 3)],
        "float64": torch.rand(2, 3, dtype=torch.float64).T,
    }
    before, made = repr(value), copied(value)
    assert repr(made) == before and isinstance(made["module"][2], OrderedDict)
    assert made["odd"][0].is_leaf and made["odd"][0].requires_grad
    for tensor in (made["list"][5][0], made["list"][5][1][0], made["module"][2]["weight"]):
        tensor.fill_(9)
    made["list"].append(1)
    made["module"][1].clear()
    with torch.no_grad():
        made["odd"][0].fill_(9)
    assert repr(value) == before


def test_a_module_is_built_as_pytorch_builds_it_and_draws_no_weights() -> None:
    before = torch.get_rng_state()
    for name, arguments in (
        ("RNN", {"input_size": 2, "hidden_size": 3}),
        ("GRU", {"input_size": 3, "hidden_size": 2, "num_layers": 2, "bidirectional": True}),
        ("LSTM", {"input_size": 3, "hidden_size": 4, "batch_first": True}),
        ("Linear", {"in_features": 3, "out_features": 2}),
    ):
        module = random_module(name, arguments, torch.Generator().manual_seed(0))
        built = build_module(module)
        assert torch.equal(torch.get_rng_state(), before)
        plain = getattr(nn, name)(**arguments)
        torch.set_rng_state(before)
        assert isinstance(built, type(plain)) and repr(built) == repr(plain)
        assert plain.state_dict().keys() == module[2].keys()
        plain.load_state_dict(module[2])
        x = torch.randn(2, 5, 3)[..., : next(iter(arguments.values()))]
        torch.set_rng_state(before)
        mine, pytorchs = built(x), plain(x)
        if name != "Linear":
            mine, pytorchs = mine[0], pytorchs[0]
        assert torch.equal(mine, pytorchs)


def test_a_result_that_is_overwritten_later_counts_as_it_was_returned() -> None:
    shared = torch.zeros(0)

    def reuses(*arguments: Any) -> Any:
        return shared.set_(read_by_two_modules(*arguments).detach())

    assert run_cases(READ_BOTH_WAYS, reuses, READ_BOTH_WAYS.draw(0, hidden=False)).passed


def test_settings_of_pytorch_that_are_changed_do_not_disturb_the_comparison() -> None:
    def changes(*arguments: Any) -> Any:
        torch.set_default_dtype(torch.float64)
        torch.manual_seed(5)
        return None

    before = torch.get_rng_state()
    try:
        for _ in range(2):
            report = check(named(changes))
            assert not report.attempted and "Not attempted" in report.sentence
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.get_rng_state(), before)


def test_random_numbers_are_the_same_at_every_call_and_the_notebooks_stay() -> None:
    drawn = []

    def random(*_: Any) -> Any:
        drawn.append(torch.rand(1).item())
        return torch.zeros(1)

    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = check(named(random))
    assert check(random) == first
    assert len(set(drawn)) == 1
    assert torch.equal(torch.get_rng_state(), before)


def test_a_reference_that_cannot_run_is_not_the_learners_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(nn, "RNN", None)
    report = check(named(lambda *arguments: arguments))
    assert not report.attempted and report.max_points == 2
    assert "restart the kernel" in report.sentence


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (None, "not None: its name without a call, as in `check(read_both_ways)`"),
        (torch.zeros(2), "not something of type Tensor"),
        ("read_both_ways", "without quotes"),
        (lambda x: x, "define it with `def` and a name"),
        (named(lambda x: x, "read_bothways"), "of that name; did you mean `read_both_ways`?"),
        (named(lambda x: x, "qqqqqq"), "If `qqqqqq` is your lecturer's own exercise, it is graded"),
        (print, "The course has none of that name."),
        (EqualsEverything(type(print)), ""),
        (type("Odd", (), {"__call__": print, "__name__": 3})(), "define it with `def`"),
    ],
)
def test_what_is_no_exercise_gets_one_sentence(function: Any, text: str) -> None:
    report = check(function)
    assert text in report.sentence
    assert (report.points, report.max_points, report.attempted, report.level) == (0, 0, False, None)
    assert report._repr_mimebundle_()["text/plain"].startswith("check\n")


def test_a_class_or_a_builtin_with_the_name_of_an_exercise_is_judged_like_any_other() -> None:
    cases = BEST_SCORE.draw(0, hidden=False)
    assert run_cases(BEST_SCORE, dict, cases).level == "callable"
    assert run_cases(BEST_SCORE, 3, cases).level == "callable"
    assert run_cases(BEST_SCORE, type("best_score", (), {}), cases).level == "callable"


def test_calls_that_are_missing_count_as_failed() -> None:
    cases, answers = answered("best_score", 11, True)
    outcomes = [call_safely(BEST_SCORE.reference, arguments) for arguments in cases]
    assert assess(BEST_SCORE, cases, answers, outcomes).passed
    report = assess(BEST_SCORE, cases, answers, outcomes[:-1])
    assert (report.level, report.points) == ("callable", 0)
    assert "no result came" in report.sentence
    assert assess(BEST_SCORE, cases, answers, [Outcome("stopped", text="late")]).points == 0


def test_an_interruption_ends_the_check_at_once() -> None:
    calls = []

    def is_stopped_too(*_: Any) -> Any:
        calls.append(1)
        raise KeyboardInterrupt

    run_cases(BEST_SCORE, is_stopped_too, BEST_SCORE.draw(0, hidden=False))
    assert len(calls) == 1


# ── What the learner sees ───────────────────────────────────────────────────────────────────────


def numbers(value: Any) -> Iterator[str]:
    """How an expected result might show up in a text."""
    if isinstance(value, Tensor):
        yield from numbers(value.flatten().tolist())
    elif isinstance(value, list | tuple):
        if len(value) > 1:
            yield str(value)
        for item in value:
            if isinstance(item, float | list | tuple):
                yield from numbers(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, float):
        yield from (f"{value:.{digits}f}" for digits in (3, 4, 6))
    elif isinstance(value, int) and value >= 10:
        yield str(value)


def revealed(report: Report, answers: Answers) -> list[str]:
    """Expected values that a report shows."""
    shown = " ".join(report._repr_mimebundle_().values())
    numerals = set(re.findall(r"\d+(?:\.\d+)?", shown))
    wanted = {text.removeprefix("-") for right in answers.right for text in numbers(right)}
    return [text for text in wanted if text in numerals or (text[0] == "[" and text in shown)]


@each_exercise
def test_a_report_shows_no_expected_value(exercise: Exercise) -> None:
    cases, answers = answered(exercise.name, PUBLIC_SEED, False)
    functions = [exercise.reference, *(mistake.function for mistake in exercise.mistakes)]
    functions += [function for _, function in cheats(exercise)]
    for function in functions:
        outcomes = [call_safely(function, arguments) for arguments in cases]
        report = assess(exercise, cases, answers, outcomes)
        assert revealed(report, answers) == []
    expected = next(text for right in answers.right for text in numbers(right))
    planted = replace(report, sentence=f"It should be {expected}.")
    assert revealed(planted, answers)


def test_a_report_is_readable_as_text_and_as_html() -> None:
    report = grade(READ_BOTH_WAYS, READ_BOTH_WAYS.mistakes[0].function, 0, False)
    plain, page = report._repr_mimebundle_().values()
    for text in (
        "✗ direction and order: wrong",
        "✓ shape or length: right",
        "– values: not looked at",
    ):
        assert text in plain
        assert text in re.sub(r"<[^>]+>", "", page)
    for text in ("read_both_ways: 0 of 2 points", "Your result equals what you get if"):
        assert text in plain and text in page
    assert "<script" not in page and "<img" not in page and "<svg" not in page
    assert page.count("<li>") == 5


def test_a_report_shows_the_learners_text_and_does_not_obey_it() -> None:
    def fails_with_html(*_: Any) -> Any:
        raise ValueError("<script>alert(1)</script> `x`")

    report = run_cases(BEST_SCORE, fails_with_html, BEST_SCORE.draw(0, hidden=False))
    page = report._repr_mimebundle_()["text/html"]
    assert "&lt;script&gt;" in page and "<script" not in page
    assert "<code>x</code>" in page
    bad = check(named(lambda x: x, "<script>"))._repr_mimebundle_()["text/html"]
    assert "<script" not in bad


def test_three_different_wrong_results_name_the_solution() -> None:
    def attempts(*results: float) -> list[bool]:
        reports = [check(named(lambda *_, r=r: r, "best_score")) for r in results]
        return ["solutions/01_bidirectional_exercises.ipynb" in r.sentence for r in reports]

    assert attempts(0.1, 0.1, 0.1, 0.2) == [False] * 4
    check(named(lambda *_: None, "best_score"))
    assert attempts(0.2, 0.3, 0.1) == [False, True, True]
    assert check(named(SOLUTIONS["best_score"][0], "best_score")).passed
    assert "solutions/" not in check(named(lambda *_: 0.1, "stream")).sentence


def test_an_earned_solution_comes_to_where_the_learner_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck() -> str:
        return [check(named(lambda *_, r=r: r, "best_score")) for r in (0.1, 0.2, 0.3)][-1].sentence

    name = "01_bidirectional_exercises.ipynb"
    mine = tmp_path / "birnn-lab"
    mine.mkdir()
    monkeypatch.chdir(mine)
    assert str(solutions_folder() / name) in stuck()  # not a working copy: it is left as it is
    assert not list(mine.iterdir())
    (mine / name).write_text("the learner's own exercises")
    assert f"is in solutions/{name};" in stuck()
    brought = mine / "solutions" / name
    solution, master = (nbformat.read(p, 4) for p in (brought, solutions_folder() / name))
    assert solution.cells == master.cells
    with pytest.raises(UnreadableError, match="the course's own solution"):
        code_cells(brought.read_bytes())  # it earns nothing if it is handed in with the folder
    assert code_cells((solutions_folder() / name).read_bytes())
    brought.write_text("with notes of my own")
    assert f"is in solutions/{name};" in stuck()
    assert brought.read_text() == "with notes of my own"
    brought.unlink()
    brought.parent.rmdir()
    (mine / "solutions").write_text("a file of mine")  # in its way
    assert str(solutions_folder() / name) in stuck()
    assert (mine / "solutions").read_text() == "a file of mine"


def test_hints_come_one_at_a_time() -> None:
    function = named(lambda x: x, "stream")
    shown = [repr(hint(step)) for step in (function, "stream", function)]
    assert [text[:12] for text in shown] == [f"Hint {i} of 3:" for i in (1, 2, 3)]
    for _ in range(2):  # a fourth is none of the three: it says what to do
        *again, what_now = repr(hint(function)).splitlines()
        assert [text.partition(": ")[2] for text in again] == [
            text.partition(": ")[2] for text in shown
        ]
        assert "no further hint" in what_now and "run `check(stream)`" in what_now
    assert repr(hint("seen_by")).startswith("Hint 1 of 3:")
    assert "did you mean `stream`" in repr(hint("streams"))
    assert "<code>state[0]</code>" in hint("stream")._repr_mimebundle_()["text/html"]


def test_hints_for_what_is_no_exercise() -> None:
    for odd in (None, 3, lambda x: x):
        assert "define it with `def`" in repr(hint(odd))


def test_an_attempt_is_recorded_and_nothing_else(recorded: Remembered) -> None:
    report = check(named(BEST_SCORE.mistakes[0].function, "best_score"))
    check(named(lambda *_: None, "best_score"))  # not attempted
    check(None)  # belongs to no exercise
    hint("best_score")
    (heard,) = recorded
    assert heard.answer == report.fingerprint
    assert (heard.item, heard.unit, heard.misconception) == ("best_score", "01", "limit-peeks")


# ── What the exercises are made of ──────────────────────────────────────────────────────────────


@each_exercise
def test_an_exercise_is_complete(exercise: Exercise) -> None:
    assert exercise.name.isidentifier() and exercise.points > 0
    assert set(exercise.levels) <= set(LEVELS) - {"callable"}
    assert {"type", "value"} <= set(exercise.levels)
    texts = [*exercise.levels.values(), *exercise.hints]
    assert all(text.endswith((".", "?")) and text.count("`") % 2 == 0 for text in texts)
    assert len(set(exercise.hints)) == 3
    for mistake in exercise.mistakes:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", mistake.misconception)
        assert not mistake.when.endswith(".") and mistake.when.count("`") % 2 == 0
    assert len(exercise.draw(0, hidden=False)) >= 4


@each_exercise
def test_the_same_seed_gives_the_same_cases_and_another_seed_others(exercise: Exercise) -> None:
    def text(seed: int, hidden: bool) -> str:
        return repr(leaves(exercise.draw(seed, hidden=hidden), _listed))

    torch.manual_seed(1)
    assert text(5, True) == text(5, True) != text(6, True)
    assert text(5, False) == text(5, False) != text(5, True)


def _listed(leaf: Any) -> Any:
    return leaf.tolist() if isinstance(leaf, Tensor) else leaf


@each_exercise
def test_half_of_the_mistakes_are_silent(exercise: Exercise) -> None:
    _, answers = answered(exercise.name, PUBLIC_SEED, False)
    silent = [results for _, results in answers.wrong if runs_silently(results, answers.right)]
    assert len(silent) >= len(exercise.mistakes) / 2


def runs_silently(results: list[Any], right: list[Any]) -> bool:
    """Whether types are right, and shapes; how long a list of steps is, is its value."""
    pairs = list(zip(results, right, strict=True))
    return all(
        type(a) is type(b) and (not isinstance(a, Tensor) or a.shape == b.shape) for a, b in pairs
    )


# ── The notebooks ───────────────────────────────────────────────────────────────────────────────


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def run(notebook: Any) -> list[Report]:
    """Run the code cells in order; the reports of those that end with a check."""
    namespace: dict[str, Any] = {}
    reports = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            source = cell.source
            if source.startswith("check("):
                reports.append(eval(source, namespace))
            else:
                exec(compile(source, "<cell>", "exec"), namespace)
    return reports


each_master = pytest.mark.parametrize("path", MASTERS, ids=lambda path: path.stem)


@each_master
def test_a_master_earns_all_points(path: Path) -> None:
    unit = [exercise.name for exercise in EXERCISES.values() if path.name[:2] == exercise.unit]
    reports = run(read(path))
    assert [report.exercise for report in reports] == unit
    assert [str(report) for report in reports if not report.passed] == []


@each_master
def test_a_learner_copy_runs_and_nothing_is_attempted_yet(path: Path) -> None:
    copy = tool.learner_copy(read(path))
    reports = run(copy)
    assert reports and not any(report.attempted for report in reports)
    assert all(report.sentence.startswith("Not attempted yet") for report in reports)
    for exercise in EXERCISES.values():
        if exercise.unit == path.name[:2]:
            (cell,) = [c for c in copy.cells if f"def {exercise.name}(" in c.source]
            (function,) = [n for n in ast.parse(cell.source).body if isinstance(n, ast.FunctionDef)]
            wanted = list(inspect.signature(exercise.reference).parameters)
            assert [argument.arg for argument in function.args.args] == wanted
            assert ast.unparse(function.body[-1]) == "..."


@each_master
def test_a_master_says_the_points(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells)
    points = [e.points for e in EXERCISES.values() if e.unit == path.name[:2]]
    assert [int(n) for n in re.findall(r"^### Exercise.*\((\d+) points?\)", text, re.M)] == points
    assert f"{sum(points)} points in all" in text


def master(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
    cells[0].outputs = [nbformat.v4.new_output("stream", text="42")]
    return nbformat.v4.new_notebook(cells=cells)


MARKED = """\
def f(x):
    y = x
    ### BEGIN SOLUTION
    for i in x:
        y += i
    return y
    ### END SOLUTION

### BEGIN SOLUTION
f(3)
### END SOLUTION
print(1)"""


def test_a_learner_copy_shows_no_solution() -> None:
    original = master(MARKED, "check(f)")
    kept = nbformat.from_dict(original)
    copy = tool.learner_copy(original)
    assert original == kept
    assert copy.cells[0].source == "def f(x):\n    y = x\n    ...\n\npass\nprint(1)"
    assert copy.cells[1].source == "check(f)"
    assert [cell.id for cell in copy.cells] == [cell.id for cell in original.cells]
    assert not any(cell.outputs or cell.execution_count for cell in copy.cells)
    nbformat.validate(copy)


@pytest.mark.parametrize(
    "source",
    [
        "### BEGIN SOLUTION\nx = 1",
        "x = 1\n### END SOLUTION",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
        "x = 1  ### BEGIN SOLUTION\n### END SOLUTION",
        "### BEGIN SOLUTION ###\nx = 1\n### END SOLUTION ###",
    ],
)
def test_a_master_with_a_broken_marker_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="SOLUTION"):
        tool.learner_copy(master(source))
    text = nbformat.v4.new_markdown_cell("### BEGIN SOLUTION\nthe key")
    with pytest.raises(ValueError, match="text cell"):
        tool.learner_copy(nbformat.v4.new_notebook(cells=[text]))


def twice(names: list[str]) -> list[str]:
    return [name for name, n in Counter(names).items() if n > 1]


def test_no_two_exercises_have_one_name() -> None:
    """They are found by it, over all units."""
    modules = [
        import_module(f"birnn_course.exercises.unit_{u.number}") for u in UNITS if u.has_exercises
    ]
    assert twice([exercise.name for module in modules for exercise in module.EXERCISES]) == []
    assert twice(["a", "b", "a"]) == ["a"]


def test_every_mistake_is_in_the_catalogue_and_there_are_enough() -> None:
    by_unit: dict[str, list[str]] = {}
    assert min(Counter(exercise.unit for exercise in EXERCISES.values()).values()) >= 5
    for exercise in EXERCISES.values():
        by_unit.setdefault(exercise.unit, []).extend(m.misconception for m in exercise.mistakes)
    for mistakes in by_unit.values():
        assert set(mistakes) <= catalogue().keys()
        assert len(mistakes) >= 12
        assert len(set(mistakes)) >= 8


def headings(unit: str) -> set[str]:
    """The headings of the lessons of a unit."""
    lessons = next(u.lessons for u in UNITS if u.number == unit)
    cells = [
        cell.source
        for name in lessons
        for cell in nbformat.read(MASTERS[0].parents[1] / "notebooks" / name, 4).cells
    ]
    return {line[3:] for source in cells for line in source.splitlines() if line[:3] == "## "}


def test_an_exercise_names_the_part_that_teaches_it() -> None:
    named = [exercise for exercise in EXERCISES.values() if exercise.part]
    assert {e.unit for e in named} >= {"01"} and all(
        exercise.part for exercise in EXERCISES.values() if exercise.unit == "01"
    )
    assert [e.name for e in named if e.part not in headings(e.unit)] == []


def test_a_check_that_fails_says_where_it_is_taught(home: Path) -> None:
    def read_both_ways(x: Tensor, forward: nn.Module, backward: nn.Module) -> Tensor:
        return x

    report = check(read_both_ways)
    again = "Read again: Part 2 · Two readers (unit 01)"
    assert again in repr(report) and again in report._repr_mimebundle_()["text/html"]
    for attempted in (True, False):  # nothing fails, or nothing was written
        assert "Read again" not in repr(Report("f", "01", attempted=attempted, place="Part 2"))
