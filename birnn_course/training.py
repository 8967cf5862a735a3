"""The training loop of the course."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from birnn_course.data.batches import IGNORED, Batch
from birnn_course.draw.race import Lane, Race


def fit(
    model: nn.Module,
    batches: Sequence[Batch],
    *,
    epochs: int,
    lr: float = 1e-2,
    seed: int = 0,
    watch: Lane | None = None,
) -> list[float]:
    """Train with cross-entropy, Adam and a one-cycle learning rate.

    Parameters
    ----------
    model : nn.Module
        Maps inputs ``(batch, seq_len)`` or ``(batch, seq_len, features)``, and lengths if the
        batches hold them, to scores: ``(batch, seq_len, n_classes)`` for one answer per step,
        ``(batch, n_classes)`` for one per sequence.
    batches : sequence of tuple of Tensor
        Inputs, targets ``(batch, seq_len)`` or ``(batch,)`` of class numbers, and for padded
        sequences lengths ``(batch,)``; all but the lengths on the model's device. Targets of -100
        are left out.
    epochs : int
        How often every batch is seen.
    lr : float
        The highest learning rate; it rises to this value and falls to almost zero
        (Smith and Topin, 2017, arXiv 1708.07120).
    seed : int
        Decides the order of the batches in each epoch.
    watch : Lane, optional
        A lane of a :class:`birnn_course.Race`, whose picture stays below the cell. Without it, a
        notebook shows loss, accuracy and the time left while the cell runs, and keeps nothing.

    Returns
    -------
    list of float
        Mean loss per target, in nats, of each epoch while it was trained.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * len(batches))
    generator = torch.Generator().manual_seed(seed)
    n_targets = [int((targets != IGNORED).sum()) for _, targets, *_ in batches]
    history = []
    model.train()
    lane = watch or Race().lane("training")
    with lane.watching(epochs, len(batches), stays=watch is not None) as learned:
        for _ in range(epochs):
            order = torch.randperm(len(batches), generator=generator).tolist()
            losses = []
            for i in order:
                inputs, targets, *lengths = batches[i]
                scores = model(inputs, *lengths)
                # cross_entropy wants the classes in dimension 1, whatever comes after it
                loss = F.cross_entropy(scores.movedim(-1, 1), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                losses.append(loss.detach())  # read at the end: a GPU would wait for each
                learned(inputs, targets, scores.detach(), losses[-1])
            total = sum(
                loss * n_targets[i]
                for i, loss in zip(order, torch.stack(losses).tolist(), strict=True)
            )
            history.append(total / sum(n_targets))
    return history


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
    """The best class of each step ``(batch, seq_len)``, or of each sequence ``(batch,)``.

    What stands at steps after a sequence's end means nothing.
    """
    model.eval()
    scores = model(inputs) if lengths is None else model(inputs, lengths)
    best: Tensor = scores.argmax(-1)
    return best


def evaluate(
    model: nn.Module,
    batches: Sequence[Batch],
    where: Callable[[Tensor], Tensor] | None = None,
) -> float:
    """Share of targets that are hit, between 0 and 1, over all batches together.

    Targets of -100, which stand for padding, are left out.

    Parameters
    ----------
    model : nn.Module
        As in :func:`fit`.
    batches : sequence of tuple of Tensor
        As in :func:`fit`.
    where : callable, optional
        Maps inputs to a bool tensor of the targets' shape: count these only.

    Returns
    -------
    float
        nan if there is nothing to count.
    """
    right, total = count_right(model, batches, where).sum(0).tolist()
    return right / total if total else float("nan")


def count_right(
    model: nn.Module,
    batches: Sequence[Batch],
    where: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """For every sequence, how many of its targets are hit, and how many there are.

    Targets of -100, which stand for padding, are left out.

    Parameters
    ----------
    model, batches, where
        As in :func:`evaluate`.

    Returns
    -------
    Tensor
        ``(n_sequences, 2)``, on the CPU; for :func:`birnn_course.bootstrap_interval`.
    """
    counts = [torch.zeros(0, 2, dtype=torch.long)]
    for inputs, targets, *lengths in batches:
        counted = targets != IGNORED
        if where:
            counted &= where(inputs)
        hit = (predict(model, inputs, *lengths) == targets) & counted
        per_sequence = [marks.reshape(len(targets), -1).sum(1) for marks in (hit, counted)]
        counts.append(torch.stack(per_sequence, dim=1).cpu())
    return torch.cat(counts)
