"""The training loop of the course."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from birnn_course.data.batches import Batch


def fit(
    model: nn.Module,
    batches: Sequence[Batch],
    *,
    epochs: int,
    lr: float = 1e-2,
    seed: int = 0,
) -> list[float]:
    """Train a tagger with cross-entropy, Adam and a one-cycle learning rate.

    Parameters
    ----------
    model : nn.Module
        Maps ids ``(batch, seq_len)`` to scores ``(batch, seq_len, n_tags)``.
    batches : sequence of (Tensor, Tensor)
        Input ids and tag ids, both ``(batch, seq_len)``, on the model's device.
    epochs : int
        How often every batch is seen.
    lr : float
        The highest learning rate; it rises to this value and falls to almost zero
        (Smith and Topin, 2017, arXiv 1708.07120).
    seed : int
        Decides the order of the batches in each epoch.

    Returns
    -------
    list of float
        Mean loss per tag, in nats, of each epoch while it was trained.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=epochs * len(batches))
    generator = torch.Generator().manual_seed(seed)
    history = []
    model.train()
    with _progress(epochs * len(batches)) as step:
        for _ in range(epochs):
            total, n = 0.0, 0
            for i in torch.randperm(len(batches), generator=generator).tolist():
                inputs, tags = batches[i]
                loss = F.cross_entropy(model(inputs).flatten(0, 1), tags.flatten())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += loss.item() * tags.numel()
                n += tags.numel()
                step()
            history.append(total / n)
    return history


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """The best tag of each element, ``(batch, seq_len)``, for ids ``(batch, seq_len)``."""
    model.eval()
    best: Tensor = model(inputs).argmax(-1)
    return best


def evaluate(
    model: nn.Module,
    batches: Sequence[Batch],
    where: Callable[[Tensor], Tensor] | None = None,
) -> float:
    """Share of tags that are right, between 0 and 1, over all batches together.

    Parameters
    ----------
    model : nn.Module
        As in :func:`fit`.
    batches : sequence of (Tensor, Tensor)
        Input ids and tag ids, both ``(batch, seq_len)``.
    where : callable, optional
        Maps input ids to a bool tensor of the same shape: count these elements only.

    Returns
    -------
    float
        nan if there is nothing to count.
    """
    right = total = 0
    for inputs, tags in batches:
        counted = where(inputs) if where else torch.ones_like(inputs, dtype=torch.bool)
        right += int((predict(model, inputs) == tags)[counted].sum())
        total += int(counted.sum())
    return right / total if total else float("nan")


@contextmanager
def _progress(n_steps: int) -> Iterator[Callable[[], None]]:
    """A bar under the running cell that is gone when training ends; nothing outside notebooks.

    tqdm draws on stderr, or leaves a widget or a time behind: either would make the stored
    output of a notebook differ from run to run.
    """
    # It starts and ends as nothing, so that nothing is what a notebook stores and compares.
    nothing = {"text/plain": "", "text/html": ""}
    # A kernel can be running only if IPython is loaded already.
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if not hasattr(shell, "kernel"):
        yield lambda: None
        return
    from IPython.display import display

    handle = display(nothing, raw=True, display_id=True)
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done % max(1, n_steps // 50) == 0:
            bar = (
                f'<progress max="{n_steps}" value="{done}" aria-label="training" '
                'style="width: 20em"></progress>'
            )
            handle.update({**nothing, "text/html": bar}, raw=True)

    try:
        yield step
    finally:
        handle.update(nothing, raw=True)
