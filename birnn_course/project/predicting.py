"""Questions to ``predict``, which it answers by running.

Its answer for a word may depend on the letters of that word, and on nothing else. Each probe
changes one other thing and counts how many letters get another tag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from birnn_course.findings import Finding, ok, problem
from birnn_course.project.asking import Query, ask_all
from birnn_course.project.caller import Caller
from birnn_course.project.contract import Tags, read_tags

Word = Sequence[int]
BATCH_SIZE = 100
EQUAL, N_EQUAL = (6, 8, 10), 24
MIXED, N_MIXED = range(3, 13), 12
MORE_PADS = 6
TOLERATED = 0.001
"""Share of letters that may change by rounding: a tie between two tags may fall either way."""

QUESTIONS = {
    "shape": Query("Are the tags (batch, seq_len), also for one word and in a wide batch?"),
    "repeat": Query("Does the same batch get the same tags twice?"),
    # Where tags change by themselves, or with other words, what else changes them is not seen.
    "order": Query(
        "Do tags stay with their words when the batch is in another order?", ("repeat",)
    ),
    "alone": Query("Does a word get the tags in a batch that it gets alone?", ("repeat", "order")),
    "pads": Query("Do more pads leave all tags as they are?", ("repeat", "order", "alone")),
    "filler": Query(
        "Do other letters in the pads leave all tags as they are?", ("repeat", "order", "alone")
    ),
}


class Predictor:
    """The learner's ``predict``, asked for lists of words."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __call__(
        self, words: Sequence[Word], *, more: int = 0, letters_in_pads: bool = False, seed: int = 0
    ) -> Tags:
        """The tags of words in one batch, padded to the longest and ``more`` steps beyond."""
        lengths = [len(word) for word in words]
        seq_len = max(lengths) + more
        ids = torch.zeros(len(words), seq_len, dtype=torch.long)
        if letters_in_pads:
            ids = torch.randint(26, ids.shape, generator=torch.Generator().manual_seed(seed))
        for row, word in zip(ids, words, strict=True):
            row[: len(word)] = torch.tensor(word)
        outcome = self._caller("predict", (ids, torch.tensor(lengths)), seed)
        return read_tags(outcome, seq_len, lengths)


def predict_all(predict: Predictor, words: Sequence[Word]) -> list[Tensor]:
    """The tags of all words, in batches as they come.

    Raises
    ------
    BrokenError
        If one batch gets no tags.
    """
    starts = range(0, len(words), BATCH_SIZE)
    return [row for i in starts for row in predict(words[i : i + BATCH_SIZE]).rows]


def probe_predict(caller: Caller, words: Sequence[Word]) -> list[Finding]:
    """One finding for each of ``QUESTIONS``, on words of known lengths out of ``words``."""
    predict = Predictor(caller)
    equal, mixed = _choose(words)
    probes: dict[str, Callable[[], Finding]] = {
        "shape": lambda: _shape(predict, mixed),
        "repeat": lambda: _repeat(predict, mixed),
        "order": lambda: _order(predict, mixed),
        "alone": lambda: _alone(predict, equal),
        "pads": lambda: _pads(predict, equal),
        "filler": lambda: _filler(predict, mixed),
    }
    findings = ask_all(QUESTIONS, probes)
    pads, filler = findings[-2:]
    if pads.verdict == "ok" and filler.misconception == "zeros-are-invisible":
        findings[-1] = replace(filler, misconception="zeros-count-as-pads")
    return findings


def _choose(words: Sequence[Word]) -> tuple[list[list[Word]], list[list[Word]]]:
    """Batches of equally long words, and batches with one word of each length."""
    by_length: defaultdict[int, list[Word]] = defaultdict(list)
    for word in words:
        by_length[len(word)].append(word)
    equal = [by_length[n][:N_EQUAL] for n in EQUAL]
    mixed = []
    for i in range(N_MIXED):
        # of rare lengths the same word again
        batch = [by_length[n][-1 - i % len(by_length[n])] for n in MIXED if by_length[n]]
        shuffled = torch.randperm(len(batch), generator=torch.Generator().manual_seed(i)).tolist()
        mixed.append([batch[k] for k in shuffled])
    return equal, mixed


class _Change(NamedTuple):
    """How many letters got another tag, of how many."""

    letters: int
    of: int

    @property
    def many(self) -> bool:
        """Whether rounding cannot be the reason."""
        return self.letters > max(1, TOLERATED * self.of)

    def __str__(self) -> str:
        return f"{self.letters:,} of {self.of:,} letters got another tag"


def _changed(before: Sequence[Tensor], after: Sequence[Tensor]) -> _Change:
    a, b = torch.cat(list(before)), torch.cat(list(after))
    return _Change(int((a != b).sum()), len(a))


def _tags(predict: Predictor, batches: list[list[Word]], **changes: Any) -> list[Tensor]:
    return [row for batch in batches for row in predict(batch, **changes).rows]


def _tags_upside_down(predict: Predictor, batches: list[list[Word]]) -> list[Tensor]:
    return [row for batch in batches for row in predict(batch[::-1]).rows[::-1]]


def _shape(predict: Predictor, mixed: list[list[Word]]) -> Finding:
    one = max(mixed[0], key=len)
    for words, more in ((mixed[0], 0), ([one], 0), ([one[:1]], 0), (mixed[0], MORE_PADS)):
        complaint = predict(words, more=more).complaint
        if complaint is not None:
            return problem(complaint.sentence, complaint.misconception)
    return ok("Right for ten words, for one, for one of one letter, and in a wide batch.")


def _repeat(predict: Predictor, mixed: list[list[Word]]) -> Finding:
    first = _tags(predict, mixed, seed=1)
    changed = _changed(first, _tags(predict, mixed, seed=2))
    seen = f"{changed} the second time."
    if not changed.many:
        return ok(seen)
    if _changed(first, _tags(predict, mixed, seed=1)).many:
        return problem(
            f"{seen} PyTorch's random numbers are not the reason: something is kept from call to "
            "call, such as a state that is handed on. Start each call from zeros.",
            "carried-state-as-is",
        )
    return problem(
        f"{seen} Random numbers decide: dropout is on, or a state starts at random. "
        "Call `model.eval()` first.",
        "no-grad-is-eval",
    )


def _order(predict: Predictor, mixed: list[list[Word]]) -> Finding:
    changed = _changed(_tags(predict, mixed), _tags_upside_down(predict, mixed))
    if not changed.many:
        return ok(f"{changed} in a batch turned upside down.")
    seen = f"{changed} when the batch was turned upside down."
    moved = _moved(predict, mixed)
    if moved is not None:
        return problem(f"{seen} {moved[1]}", moved[0])
    if _mixes_in_order(predict, mixed):
        return problem(
            f"{seen} The RNN reads along the batch: `batch_first=True` is missing, or stands "
            "where it should not.",
            "missing-batch-first-raises",
        )
    return problem(f"{seen} A word's tags depend on where it stands.")


def _moved(predict: Predictor, mixed: list[list[Word]]) -> tuple[str, str] | None:
    """Whether each row holds the tags of another word: which mistake, in which words."""
    agreement: defaultdict[str, list[float]] = defaultdict(list)
    for batch in mixed[:4]:
        alone = [predict([word]).rows[0] for word in batch]
        rows = predict(batch).rows
        lengths = torch.tensor([len(word) for word in batch])
        down = lengths.argsort(descending=True)
        orders = {"as given": torch.arange(len(batch)), "sorted": down}
        orders |= {"sorted up": lengths.argsort(), "sorted back": down.argsort()}
        for name, order in orders.items():
            pairs = list(zip(rows, (alone[i] for i in order.tolist()), strict=True))
            same = sum(int((a[: len(b)] == b[: len(a)]).sum()) for a, b in pairs)
            agreement[name].append(same / sum(min(len(a), len(b)) for a, b in pairs))
    mean = {name: sum(shares) / len(shares) for name, shares in agreement.items()}
    best = max(mean, key=lambda name: mean[name])
    if mean[best] < mean["as given"] + 0.1:
        return None
    if best == "sorted back":
        return "comes-back-sorted", (
            f"{100 * mean[best]:.0f} % of the tags stand in the row of another word, as if what "
            "was in order had been unsorted. `enforce_sorted=False` restores the order itself."
        )
    return "sort-by-hand", (
        f"{100 * mean[best]:.0f} % of the tags stand where their word would in a batch sorted by "
        "length. Put the rows back, or let `enforce_sorted=False` do both."
    )


def _mixes_in_order(predict: Predictor, mixed: list[list[Word]]) -> bool:
    """Whether the order matters in a batch of equally long words too."""
    words = [word[:6] for batch in mixed for word in batch if len(word) >= 6]
    return _changed(_tags(predict, [words]), _tags_upside_down(predict, [words])).many


def _alone(predict: Predictor, equal: list[list[Word]]) -> Finding:
    together = _tags(predict, equal)
    changed = _changed(_tags(predict, [[word] for batch in equal for word in batch]), together)
    if not changed.many:
        return ok(f"{changed} in company, without any pads.")
    seen = f"{changed} in a batch of {N_EQUAL} equally long words than alone."
    if _changed(together, _tags_upside_down(predict, equal)).many:
        return problem(
            f"{seen} It also matters in which order the others stand: the RNN reads along the "
            "batch.",
            "missing-batch-first-raises",
        )
    return problem(
        f"{seen} Their order does not matter: something is averaged over the batch, as BatchNorm "
        "does in training mode.",
        "batchnorm-without-eval",
    )


def _pads(predict: Predictor, equal: list[list[Word]]) -> Finding:
    changed = _changed(_tags(predict, equal), _tags(predict, equal, more=MORE_PADS))
    seen = f"{changed} when {MORE_PADS} pads were added."
    if not changed.many:
        return ok(seen)
    return problem(
        f"{seen} A backward direction reads the pads first: pack the batch, or batch words of one "
        "length. Convolution and attention need a mask.",
        "packing-only-for-h-n",
    )


def _filler(predict: Predictor, mixed: list[list[Word]]) -> Finding:
    changed = _changed(_tags(predict, mixed), _tags(predict, mixed, letters_in_pads=True))
    seen = f"{changed} when other letters stood in the pads."
    if not changed.many:
        return ok(seen)
    return problem(
        f"{seen} Where a word ends is told by `lengths`, and by nothing else: 0 is the letter a.",
        "zeros-are-invisible",
    )
