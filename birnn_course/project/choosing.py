"""Questions to ``choose``, which it answers by running.

The right model is the one with the highest mean over the seeds on the validation words, among those
of which no run failed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from birnn_course.findings import Finding, ok, problem
from birnn_course.project.asking import Query, ask_all
from birnn_course.project.caller import Caller
from birnn_course.project.contract import read_choice

N_MODELS, N_SEEDS, N_TABLES = 4, 5, 6

QUESTIONS = {
    "by-test": Query("Does the choice stay when the test scores are others?"),
    # What else it chooses by is not seen where it chooses by the wrong numbers.
    "by-valid": Query("Is it the highest mean over the seeds, on validation?", ("by-test",)),
    "failed": Query(
        "Is a model with a failed run left alone, and a tie settled without the test?",
        ("by-test", "by-valid"),
    ),
}


def tables(seed: int) -> list[tuple[Tensor, Tensor]]:
    """Scores on validation and test, in which every wrong way to choose gives another model."""
    generator = torch.Generator().manual_seed(seed)
    found: list[tuple[Tensor, Tensor]] = []
    while len(found) < N_TABLES:
        valid, test = (
            (0.7 + 0.05 * torch.randn(N_MODELS, N_SEEDS, generator=generator)).clamp(0, 1)
            for _ in range(2)
        )
        right = int(valid.mean(1).argmax())
        tempting = {
            int(valid.amax(1).argmax()),
            int(valid.amin(1).argmax()),
            int(valid.median(1).values.argmax()),
            int(valid[:, 0].argmax()),
            int(test.mean(1).argmax()),
            int(test.amax(1).argmax()),
        }
        means = valid.mean(1).sort().values
        if right not in tempting and (means[-1] - means[-2] > 0.002):
            found.append((valid, test))
    return found


def probe_choose(caller: Caller, seed: int = 0) -> list[Finding]:
    """One finding for each of ``QUESTIONS``."""

    def ask(valid: Tensor, test: Tensor) -> int:
        return read_choice(caller("choose", (valid, test), 0), len(valid))

    probes = {"by-test": _by_test, "by-valid": _by_valid, "failed": _failed}
    drawn = tables(seed)
    return ask_all(QUESTIONS, {name: partial(probe, ask, drawn) for name, probe in probes.items()})


Ask = Callable[[Tensor, Tensor], int]
Tables = list[tuple[Tensor, Tensor]]


def _by_test(ask: Ask, drawn: Tables) -> Finding:
    changed = 0
    for valid, test in drawn:
        before = ask(valid, test)
        others = (test[[1, 2, 3, 0]], test[[2, 3, 0, 1]], test[[3, 0, 1, 2]], 1 - test)
        changed += any(ask(valid, other) != before for other in others)
    seen = f"In {changed} of {len(drawn)} tables the choice changed with the test scores."
    if not changed:
        return ok(seen)
    return problem(
        f"{seen} Then the score that you report was among those you chose from, and flatters. "
        "Choose by validation alone.",
        "choose-by-test",
    )


def _by_valid(ask: Ask, drawn: Tables) -> Finding:
    chosen = [ask(valid, test) for valid, test in drawn]
    right = [int(valid.mean(1).argmax()) for valid, _ in drawn]
    highest = [int(valid.amax(1).argmax()) for valid, _ in drawn]
    hits = sum(a == b for a, b in zip(chosen, right, strict=True))
    seen = f"In {hits} of {len(drawn)} tables it chose the model with the highest mean."
    if hits == len(drawn):
        return ok(seen)
    if chosen == highest:
        return problem(
            f"{seen} In all it chose the one with the best single run. With more seeds any model "
            "has a lucky one; the mean does not grow with luck.",
            "best-seed-is-the-model",
        )
    return problem(f"{seen} Take the mean over the seeds, then the highest.")


def _failed(ask: Ask, drawn: Tables) -> Finding:
    for at in range(N_MODELS):
        for valid, test in drawn:
            weak = valid.clone()
            weak[at] *= 0.5
            alone = ask(weak, test)
            weak[at, -1 - at] = math.nan
            choice, best = ask(weak, test), int(weak.mean(1).nan_to_num(-1).argmax())
            if choice == at:
                return problem(
                    f"It chose model {at}, of which one run is nan and the others are the lowest. "
                    "`argmax` takes nan for the highest number, and Python's `max` keeps one "
                    "that comes first.",
                    "argmax-skips-nan",
                )
            if choice != best:
                return problem(
                    f"One run of model {at} is nan, and it chose model {choice}, which has not "
                    "the highest mean of the others"
                    + (". A comparison with nan is always False." if alone == best else "."),
                    "argmax-skips-nan" if alone == best else None,
                )
            # Without its failed run this model would be far ahead, even with 0 in its place.
            strong = valid * 0.5
            strong[at] = 0.95
            strong[at, -1 - at] = math.nan
            if ask(strong, test) == at:
                return problem(
                    f"It chose model {at}, of which one run of {N_SEEDS} is nan: that run was left "
                    "out of the mean, or counted as a number. Leave such a model out."
                )
    for valid, test in drawn:
        best = int(valid.mean(1).argmax())
        tied = valid.clone()
        tied[(best + 1) % N_MODELS] = valid[best]
        choices = {ask(tied, other) for other in (test, 1 - test, test.flip(0))}
        if len(choices) > 1:
            return problem(
                f"2 of {N_MODELS} models are equal on validation, and the test scores settled it. "
                "Take the first of the two.",
                "choose-by-test",
            )
    return ok(f"{2 * N_MODELS * len(drawn)} tables with a failed run, {len(drawn)} with a tie.")
