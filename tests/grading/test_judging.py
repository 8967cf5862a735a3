"""Whatever plain data comes out of the sandbox can be judged, with little work, for nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from counted import calls

from birnn_course.exercises.checking import EXERCISES, Answers, assess
from birnn_course.running.calling import Outcome
from birnn_course.running.plain import describe
from birnn_course.sandbox import MOST_ERRORS
from birnn_course.sandbox.outside.pool import _errors, _outcome

NAN = float("nan")
ODD: list[Any] = [
    None, True, 0, -(2**63), NAN, float("-inf"), "", "\0", "`<b>`", [], (), {}, [[]], [None], [NAN],
    {NAN: NAN}, {None: None, True: 1, 1.5: "x"}, {torch.ones(1): 1}, {(1, (2, NAN)): [1]},
    {"k" * 10_000: 1}, dict.fromkeys(range(50_000)), [1, "a", None, torch.ones(2), {}],
    torch.tensor([]), torch.tensor(NAN), torch.empty(0, 3, 0), torch.ones(1, dtype=torch.bool),
    torch.ones(2, 3, dtype=torch.bfloat16), torch.ones(2, 3, dtype=torch.complex64) * NAN,
    torch.full((2, 3), 2**63 - 1), torch.ones(2, 3, dtype=torch.uint8), torch.ones(100_000),
    [0.5] * 100_000, ["x"] * 100_000, [[torch.tensor(1)]] * 1000,
]  # fmt: skip


@pytest.mark.parametrize("name", EXERCISES)
def test_odd_results_are_judged_and_earn_nothing(name: str) -> None:
    exercise = EXERCISES[name]
    cases = exercise.draw(3, hidden=True)
    answers = Answers.of(exercise, cases)

    def all_odd() -> None:
        for odd in ODD:
            report = assess(exercise, cases, answers, [Outcome("returned", odd)] * len(cases))
            assert report.points == 0
            assert len(report.sentence) < 2_000
        # In the place of every tensor, number and word of the right answer.
        for odd in ODD[:12]:
            twisted = [Outcome("returned", _replaced(right, odd)) for right in answers.right]
            assess(exercise, cases, answers, twisted)

    assert calls(all_odd) < 100_000 * len(cases)  # fewer than there are odd numbers and words


def _replaced(value: Any, odd: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return torch.full_like(value, NAN) if value.is_floating_point() else value.double()
    if isinstance(value, list | tuple):
        return type(value)(_replaced(item, odd) for item in value)
    if isinstance(value, dict):
        return {key: _replaced(item, odd) for key, item in value.items()}
    return odd


def test_what_is_returned_is_described_in_few_words() -> None:
    many = {f"{n}" + "x" * 1000: n for n in range(1000)}
    assert len(describe(many)) < 600
    assert describe({"a": 1, 2: 3}) == "a dict with the keys 'a', 2"


@pytest.mark.parametrize("answer", [
    None, 1, [], (), ("nonce",), ["nonce", "returned", 1, "", ""],
    ("other", "returned", 1, "", ""), (torch.ones(5), "returned", 1, "", ""),
    ("nonce", torch.ones(2), 1, "", ""), ("nonce", ["returned"], 1, "", ""),
    ("nonce", {}, 1, "", ""), ("nonce", "right", 1, "", ""), ("nonce", "returned", 1, "", "", ""),
], ids=repr)  # fmt: skip
def test_what_is_no_answer_to_this_call_is_refused(answer: Any) -> None:
    assert _outcome(answer, "nonce").kind == "refused"


def test_an_answer_is_cut_to_what_it_may_hold() -> None:
    outcome = _outcome(("nonce", "raised", 7, "x" * 10**6, ["no text"]), "nonce")
    assert (outcome.kind, outcome.value, len(outcome.text), outcome.printed) == (
        "raised", None, 2_000, "",
    )  # fmt: skip
    assert _errors([(1, "a"), (2,), "b", ("3", "c"), (True, "d"), (4, 5)]) == [(1, "a"), (4, "")]
    assert _errors({"no": "list"}) == []
    assert len(_errors([(1, "x")] * 10_000)) == MOST_ERRORS
