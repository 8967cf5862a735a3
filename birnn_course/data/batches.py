"""From lists of sequences to the tensors a model is trained on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]
"""Input ids and tag ids, both ``(batch, seq_len)``, int64."""


def batches_of_one_length(
    pairs: Iterable[tuple[Sequence[int], Sequence[int]]],
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
    by_length: defaultdict[int, list[tuple[Sequence[int], Sequence[int]]]] = defaultdict(list)
    for inputs, tags in pairs:
        by_length[len(inputs)].append((inputs, tags))
    batches: list[Batch] = []
    for _, group in sorted(by_length.items()):
        ids, targets = (torch.tensor(part, device=device) for part in zip(*group, strict=True))
        batches += zip(ids.split(batch_size), targets.split(batch_size), strict=True)
    return batches
