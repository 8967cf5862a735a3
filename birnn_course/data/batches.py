"""From lists of sequences to the tensors a model is trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

Batch = tuple[Tensor, ...]
"""Inputs and targets, and for padded sequences their lengths (on the CPU), in this order."""
IGNORED = -100
"""The target of padding: what ``F.cross_entropy`` leaves out unless told otherwise."""

Pair = tuple[Sequence[int], Sequence[int]]
"""Ids and tags of one sequence."""
Labelled = tuple[Tensor, int]
"""Vectors ``(seq_len, features)`` and the class of one sequence."""


def batches_of_one_length(
    pairs: Iterable[Pair],
    batch_size: int,
    device: torch.device | str = "cpu",
) -> list[Batch]:
    """Group tagged sequences by length and cut each group into batches.

    No sequence needs padding, because all sequences of a batch are equally long. The price is one
    smaller batch per length. Shorter sequences come first: shuffle the batches when training
    (:func:`birnn_course.fit` does).

    Parameters
    ----------
    pairs : iterable of (sequence of int, sequence of int)
        Input ids and tag ids of each sequence.
    batch_size : int
        The most sequences in a batch.
    device : torch.device or str
        Where the tensors go.

    Returns
    -------
    list of (Tensor, Tensor)
        Input ids and tag ids, both ``(batch, seq_len)``.
    """
    by_length: defaultdict[int, list[Pair]] = defaultdict(list)
    for inputs, tags in pairs:
        by_length[len(inputs)].append((inputs, tags))
    batches: list[Batch] = []
    for _, group in sorted(by_length.items()):
        ids, targets = (torch.tensor(part, device=device) for part in zip(*group, strict=True))
        batches += zip(ids.split(batch_size), targets.split(batch_size), strict=True)
    return batches


def padded_batches(
    pairs: Iterable[Pair] | Iterable[Labelled],
    batch_size: int,
    *,
    by_length: bool = False,
    pad_id: int = 0,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> list[Batch]:
    """Cut sequences into batches, each padded to its own longest sequence.

    Parameters
    ----------
    pairs : iterable of (sequence of int, sequence of int) or of (Tensor, int)
        Input ids and tag ids of each sequence, or vectors ``(seq_len, features)`` and the class;
        no sequence may be empty.
    batch_size : int
        Sequences in a batch; the last one may have fewer.
    by_length : bool
        Put sequences of similar length together, so that little is padded. Otherwise they are
        shuffled.
    pad_id : int
        Stands in the inputs after the end. In the tags there stands -100.
    seed : int
        Decides the shuffling, and which of equally long sequences come together.
    device : torch.device or str
        Where inputs and targets go. Lengths stay on the CPU, where packing wants them.

    Returns
    -------
    list of (Tensor, Tensor, Tensor)
        Input ids and tag ids, both ``(batch, seq_len)``, or vectors ``(batch, seq_len, features)``
        and classes ``(batch,)``; and lengths ``(batch,)``.
    """
    listed: list[Pair] | list[Labelled] = list(pairs)  # type: ignore[assignment]
    order = torch.randperm(len(listed), generator=torch.Generator().manual_seed(seed)).tolist()
    if by_length:
        order.sort(key=lambda i: len(listed[i][0]))
    batches: list[Batch] = []
    for start in range(0, len(order), batch_size):
        chosen = [listed[i] for i in order[start : start + batch_size]]
        rows, answers = (
            [torch.as_tensor(part) for part in parts] for parts in zip(*chosen, strict=True)
        )
        lengths = torch.tensor([len(row) for row in rows])
        inputs = pad_sequence(rows, batch_first=True, padding_value=pad_id)
        if answers[0].dim():
            targets = pad_sequence(answers, batch_first=True, padding_value=IGNORED)
        else:
            targets = torch.stack(answers)
        batches.append((inputs.to(device), targets.to(device), lengths))
    return batches
