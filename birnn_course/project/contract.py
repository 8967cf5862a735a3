"""What the three functions take and return, and one sentence for each way to return something else.

``predict(ids, lengths)``
    Letter ids ``(batch, seq_len)``, int64, a = 0 to z = 25; lengths ``(batch,)``, int64. Both on
    the CPU. Behind a word's end stands any letter. Returns a tag, 0 to 3, for each letter: integers
    ``(batch, seq_len)``. What it returns behind an end means nothing.
``score(pred, gold, lengths)``
    Both ``(batch, seq_len)``, int64. Behind a word's end there is -100 in ``gold`` and any tag in
    ``pred``. Returns a dict: ``macro_f1``, a number, and ``recall``, four numbers.
``choose(valid_scores, test_scores)``
    Both ``(models, seeds)``, float: the score of each training run. nan is a run that failed.
    Returns the number of one model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from birnn_course.data.stress import STRESSES
from birnn_course.running.calling import Outcome
from birnn_course.running.plain import Plain, describe

N_TAGS = len(STRESSES)
INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8)


@dataclass
class BrokenError(Exception):
    """A function did not return what it should.

    Parameters
    ----------
    sentence : str
        What came instead, and what to do.
    misconception : str or None
        Which belief leads there.
    empty : bool
        The function is still a stub.
    """

    sentence: str
    misconception: str | None = None
    empty: bool = False


class Tags(NamedTuple):
    """The tags of each word, and what is wrong with the shape in which they came, if anything."""

    rows: list[Tensor]
    complaint: BrokenError | None


def read_tags(outcome: Outcome, seq_len: int, lengths: list[int]) -> Tags:
    """The tags that ``predict`` gave to each word.

    Two shapes are understood although they are wrong: one word without its batch dimension, and
    a batch cut to its longest word.

    Raises
    ------
    BrokenError
        If there are no tags to be read.
    """
    value = _returned(outcome, "predict")
    if not isinstance(value, Tensor):
        raise BrokenError(
            f"`predict` returned {describe(value)}; let it return one integer tensor."
        )
    batch, longest, got = len(lengths), max(lengths), tuple(value.shape)
    if len(got) == 3 and got[-1] == N_TAGS:
        raise BrokenError(
            f"`predict` returned {describe(value)}: scores of the four tags. "
            "End with `.argmax(-1)`."
        )
    if value.dtype not in INTEGERS:
        raise BrokenError(f"`predict` returned {describe(value)}; tags are integers, 0 to 3.")
    complaint = None
    if got != (batch, seq_len):
        value, complaint = _nearly(value, batch, seq_len, longest)
    rows = [row[:n].long() for row, n in zip(value, lengths, strict=True)]
    wrong = torch.cat(rows)
    wrong = wrong[(wrong < 0) | (wrong >= N_TAGS)]
    if len(wrong):
        raise BrokenError(
            f"`predict` returned {int(wrong[0])} as the tag of a letter; tags are 0 to 3."
        )
    return Tags(rows, complaint)


def _nearly(value: Tensor, batch: int, seq_len: int, longest: int) -> tuple[Tensor, BrokenError]:
    """A tensor of another shape than it should have, if its tags can be found all the same."""
    got = tuple(value.shape)
    sentence = f"For ids {(batch, seq_len)} `predict` returned tags {got}"
    if got == (batch, longest):
        return value, BrokenError(
            f"{sentence}: cut to the longest word. `pad_packed_sequence` does that without "
            "`total_length=ids.shape[1]`.",
            "pad-packed-keeps-length",
        )
    if batch == 1 and len(got) < 2 and value.numel() in (seq_len, longest):
        return value.reshape(1, -1), BrokenError(
            f"{sentence}: the batch dimension is gone. A `squeeze` without a dimension drops it "
            "when there is one word.",
            "squeeze-is-harmless",
        )
    if got == (seq_len, batch):
        raise BrokenError(
            f"{sentence}: time comes first. Turn the result round, or build the RNN with "
            "`batch_first=True`.",
            "transposed-only-once",
        )
    raise BrokenError(f"{sentence}; they must have the shape of the ids.")


class Measured(NamedTuple):
    """What ``score`` returned."""

    macro_f1: float
    recall: list[float]


def read_score(outcome: Outcome) -> Measured:
    """The numbers that ``score`` returned; nan is a number here.

    Raises
    ------
    BrokenError
        If they are not there.
    """
    value = _returned(outcome, "score")
    wanted = 'a dict with "macro_f1", a number, and "recall", four numbers'
    if not isinstance(value, dict) or not {"macro_f1", "recall"} <= value.keys():
        raise BrokenError(f"`score` returned {describe(value)}; let it return {wanted}.")
    macro, recall = _numbers(value["macro_f1"]), _numbers(value["recall"])
    if macro is None or len(macro) != 1:
        raise BrokenError(f'"macro_f1" is {describe(value["macro_f1"])}; let it be one number.')
    if recall is None or len(recall) != N_TAGS:
        raise BrokenError(
            f'"recall" is {describe(value["recall"])}; let it be four numbers, one for each tag.'
        )
    return Measured(macro[0], recall)


def _numbers(value: Plain) -> list[float] | None:
    if isinstance(value, Tensor):
        value = value.flatten().tolist()
    if not isinstance(value, list | tuple):
        value = [value]
    if not all(type(number) in (int, float) for number in value):
        return None
    return [float(number) for number in value]


def read_choice(outcome: Outcome, n_models: int) -> int:
    """The number of the model that ``choose`` returned.

    Raises
    ------
    BrokenError
        If it is not one.
    """
    value = _returned(outcome, "choose")
    if isinstance(value, Tensor) and value.numel() == 1 and value.dtype in INTEGERS:
        value = int(value)
    if type(value) is not int:
        raise BrokenError(
            f"`choose` returned {describe(value)}; let it return one integer, the number of a row."
        )
    if not 0 <= value < n_models:
        raise BrokenError(
            f"`choose` returned {value} for {n_models} models, which have the numbers 0 to "
            f"{n_models - 1}."
        )
    return value


def _returned(outcome: Outcome, name: str) -> Plain:
    if outcome.kind == "returned":
        return outcome.value
    what = {
        "empty": "returns nothing yet",
        "raised": f"stops with {outcome.text}",
        "stopped": f"was stopped: {outcome.text}",
        "refused": f"returned {outcome.text}, which is no plain data",
    }
    raise BrokenError(f"`{name}` {what[outcome.kind]}.", empty=outcome.kind == "empty")


def nearly_equal(a: float, b: float) -> bool:
    """Whether two scores are equal up to rounding; nan equals nothing."""
    return math.isclose(a, b, rel_tol=0, abs_tol=1e-5)
