"""Questions to ``score``, which it answers by running.

The right numbers come from counts: of every real letter of all words together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from birnn_course.data.batches import IGNORED
from birnn_course.findings import Finding, ok, problem
from birnn_course.metrics import Scores
from birnn_course.project.answers import scores_of
from birnn_course.project.asking import Query, ask_all
from birnn_course.project.caller import Caller
from birnn_course.project.contract import N_TAGS, BrokenError, Measured, nearly_equal, read_score

N_WORDS, LONGEST = 300, 14
SHARES = (0.67, 0.16, 0.04, 0.13)

QUESTIONS = {
    "value": Query("Is it macro-F1, with the recall of each tag?"),
    "metric-pads": Query("Does it leave out the pads?"),
    "parts": Query("Is it counted over all letters together, and divided once?"),
    "undefined": Query("Is it a number when a tag is never predicted?"),
}


class Case(NamedTuple):
    """Words with right and predicted tags."""

    predicted: list[Tensor]
    gold: list[Tensor]

    def right(self) -> Measured:
        """What ``score`` should return."""
        return _as_measured(self.counts())

    def counts(self) -> Scores:
        """Of all letters."""
        return scores_of(self.predicted, self.gold)

    def reordered(self, order: list[int]) -> Case:
        """The same words in another order."""
        return Case([self.predicted[i] for i in order], [self.gold[i] for i in order])

    def rejoined(self) -> Case:
        """The same letters in half as many rows: each word and the next as one."""

        def join(rows: list[Tensor]) -> list[Tensor]:
            return [torch.cat(rows[i : i + 2]) for i in range(0, len(rows), 2)]

        return Case(join(self.predicted), join(self.gold))


def draw_case(seed: int, *, equal: bool = False, never: int | None = None) -> Case:
    """Random words, whose tags are as unequal as real ones, and wrong in another proportion."""
    generator = torch.Generator().manual_seed(seed)

    def tags(shares: tuple[float, ...], n: int) -> Tensor:
        return torch.multinomial(torch.tensor(shares), n, replacement=True, generator=generator)

    predicted, gold = [], []
    for _ in range(N_WORDS):
        n = 8 if equal else int(torch.randint(2, LONGEST, (1,), generator=generator))
        true = tags(SHARES, n)
        kept = torch.rand(n, generator=generator) < 0.6 + 0.03 * n - 0.1 * (true == 2)
        guess = torch.where(kept, true, tags((0.3, 0.1, 0.2, 0.4), n))
        predicted.append(guess if never is None else guess.where(guess != never, 0))
        gold.append(true)
    return Case(predicted, gold)


def probe_score(caller: Caller, seed: int = 0) -> list[Finding]:
    """One finding for each of ``QUESTIONS``."""

    def ask(case: Case, *, in_pads: int = 0, more: int = 0) -> Measured:
        lengths = [len(row) for row in case.gold]
        predicted = pad_sequence(case.predicted, batch_first=True, padding_value=in_pads)
        gold = pad_sequence(case.gold, batch_first=True, padding_value=IGNORED)
        wider = len(gold), more
        predicted = torch.cat([predicted, torch.full(wider, in_pads)], dim=1)
        gold = torch.cat([gold, torch.full(wider, IGNORED)], dim=1)
        return read_score(caller("score", (predicted, gold, torch.tensor(lengths)), 0))

    right_without_pads = False

    def value() -> Finding:
        nonlocal right_without_pads
        case = draw_case(seed, equal=True)
        finding = _value(ask(case), case)
        right_without_pads = finding.verdict == "ok"
        return finding

    probes: dict[str, Callable[[], Finding]] = {
        "value": value,
        "metric-pads": lambda: _pads(ask, draw_case(seed + 1), right_without_pads),
        "parts": lambda: _parts(ask, *(draw_case(seed + i, equal=True) for i in (2, 3))),
        "undefined": lambda: _undefined(ask, draw_case(seed + 4, equal=True, never=2)),
    }
    return ask_all(QUESTIONS, probes)


Ask = Callable[..., Measured]


def _as_measured(scores: Scores) -> Measured:
    return Measured(scores.average("macro"), scores.recall.nan_to_num(0.0).tolist())


def _same(a: Measured, b: Measured) -> bool:
    """Whether two answers of one function are the same; nan is the same as nan."""
    pairs = zip((a.macro_f1, *a.recall), (b.macro_f1, *b.recall), strict=True)
    return all(nearly_equal(x, y) or (math.isnan(x) and math.isnan(y)) for x, y in pairs)


def _value(got: Measured, case: Case) -> Finding:
    right, counts = case.right(), case.counts()
    if _same(got, right):
        return ok(f"{N_WORDS} words without pads: {got.macro_f1:.3f}, and so it should.")
    seen = f"It says {got.macro_f1:.3f} where macro-F1 is {right.macro_f1:.3f}"
    if nearly_equal(got.macro_f1, counts.accuracy):
        return problem(
            f"{seen}: it is the accuracy, to which the rare tags hardly matter.",
            "accuracy-shows-skill",
        )
    if nearly_equal(got.macro_f1, counts.average("weighted")):
        return problem(
            f"{seen}: it is the F1 weighted by how often each tag occurs. Give all four the same "
            "weight.",
            "one-default-f1",
        )
    if not nearly_equal(got.macro_f1, right.macro_f1):
        return problem(f"{seen}. Compute F1 for each of the four tags, then their mean.")
    at = next(i for i in range(N_TAGS) if not nearly_equal(got.recall[i], right.recall[i]))
    seen = f"The recall of tag {at} is {right.recall[at]:.3f}, and it says {got.recall[at]:.3f}"
    if all(map(nearly_equal, got.recall, counts.precision.tolist())):
        return problem(
            f"{seen}: it is the precision. `pred` and `gold` have changed places on the way.",
            "argument-order",
        )
    return problem(f"{seen}. Of all letters with that tag, how many were found?")


def _pads(ask: Ask, case: Case, right_without: bool) -> Finding:
    """Where it is right without pads, a wrong number with them is their doing."""
    before, right = ask(case), case.right()
    for changes in ({"in_pads": 3}, {"more": 5}, {"in_pads": 2, "more": 5}):
        after = ask(case, **changes)
        if not _same(before, after):
            what = "other tags stood in the pads" if "in_pads" in changes else "5 pads were added"
            return problem(
                f"It says {before.macro_f1:.3f}, and {after.macro_f1:.3f} when {what}. "
                "Cut the pads out before you count.",
                "pads-in-accuracy",
            )
    if right_without and not _same(before, right):
        return problem(
            f"It says {before.macro_f1:.3f} for words of different lengths, where macro-F1 is "
            f"{right.macro_f1:.3f}. Count every letter before a word's end, and no other."
        )
    return ok("The same with other tags in the pads, and with more of them.")


def _parts(ask: Ask, case: Case, other: Case) -> Finding:
    case = Case([*case.predicted, *other.predicted], [*case.gold, *other.gold])
    order = torch.randperm(len(case.gold), generator=torch.Generator().manual_seed(0)).tolist()
    before, after, rejoined = ask(case), ask(case.reordered(order)), ask(case.rejoined())
    if not _same(before, after):
        return problem(
            f"It says {before.macro_f1:.4f}, and {after.macro_f1:.4f} for the same words in "
            "another order. Batches were averaged; add up their counts.",
            "mean-of-batch-f1",
        )
    if not _same(before, rejoined):
        return problem(
            f"It says {before.macro_f1:.3f}, and {rejoined.macro_f1:.3f} for the same letters in "
            "half as many rows. Words were averaged; add up their counts.",
            "token-mean-is-sequence-mean",
        )
    return ok("The same in another order, and with two words to a row.")


def _undefined(ask: Ask, case: Case) -> Finding:
    finding = _never_right(ask(case), case, "Tag 2 is never predicted")
    if finding is not None:
        return finding
    absent = Case(case.predicted, [tags.where(tags != 2, 0) for tags in case.gold])
    try:
        finding = _never_right(ask(absent), absent, "Tag 2 neither occurs nor is it predicted")
    except BrokenError as error:
        sentence = (
            f"Tag 2 neither occurs nor is it predicted, and there are four tags all the same: "
            f"{error.sentence} (scikit-learn needs `labels=[0, 1, 2, 3]` for that.)"
        )
        return problem(sentence, error.misconception)
    return finding or ok(
        "A tag that is never predicted counts as F1 0, and so if it does not occur."
    )


def _never_right(got: Measured, case: Case, what: str) -> Finding | None:
    """A problem with the mean where tag 2 is never right, if there is one."""
    right, counts = case.right(), case.counts()
    if nearly_equal(got.macro_f1, right.macro_f1):
        return None
    seen = f"{what}, so its F1 is 0, and the mean is {right.macro_f1:.3f}"
    if math.isnan(got.macro_f1):
        return problem(f"{seen}. It says nan: 0/0 went into the mean.", "zero-division-is-cosmetic")
    present = counts.f1[[0, 1, 3]].mean().item()
    if nearly_equal(got.macro_f1, present):
        return problem(
            f"{seen}. It says {got.macro_f1:.3f}: the tag was left out of the mean.",
            "zero-division-is-cosmetic",
        )
    return problem(f"{seen}. It says {got.macro_f1:.3f}.")
