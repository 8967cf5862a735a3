"""Small models for the planted projects, each trained once, when it is first needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor, nn

from birnn_course import SequenceTagger, fit, load_project, padded_batches
from birnn_course.data.batches import Batch


@cache
def batches() -> list[Batch]:
    project = load_project()
    return padded_batches(project.encode(project.train), 64, by_length=True)


class Reader(nn.Module):
    """A bidirectional LSTM that reads pads if it gets no lengths, with layers to forget about."""

    def __init__(
        self, *, batch_first: bool = True, norm: bool = False, dropout: float = 0.0, size: int = 64
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(26, 32)
        self.rnn = nn.LSTM(32, size, batch_first=batch_first, bidirectional=True)
        self.norm = nn.BatchNorm1d(2 * size) if norm else None
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * size, 4)

    def forward(self, ids: Tensor, lengths: Tensor | None = None) -> Tensor:
        output, _ = self.rnn(self.embedding(ids))
        if self.norm is not None:
            output = self.norm(output.transpose(1, 2)).transpose(1, 2)
        scores: Tensor = self.head(self.dropout(output))
        return scores


class Convolution(nn.Module):
    """Two 1-D convolutions; with a mask, pads are zeros in every layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(26, 32)
        self.layers = nn.ModuleList(
            [nn.Conv1d(32, 96, 5, padding=2), nn.Conv1d(96, 96, 5, padding=2)]
        )
        self.head = nn.Linear(96, 4)

    def forward(self, ids: Tensor, lengths: Tensor, *, masked: bool = True) -> Tensor:
        x = self.embedding(ids).transpose(1, 2)
        real = (torch.arange(ids.shape[1]) < lengths.unsqueeze(1)).unsqueeze(1)
        for layer in self.layers:
            x = torch.relu(layer(x * real if masked else x))
        scores: Tensor = self.head(x.transpose(1, 2))
        return scores


def _trained(model: nn.Module, epochs: int, share: int = 1) -> nn.Module:
    with torch.enable_grad():  # whoever needs it first may be predicting
        fit(model, batches()[::share], epochs=epochs)
    return model.eval()


@cache
def tagger() -> nn.Module:
    torch.manual_seed(0)
    return _trained(SequenceTagger(26, 4, 64, bidirectional=True, embedding_dim=32), 4)


@cache
def reader(*, batch_first: bool = True, norm: bool = False, dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(0)
    return _trained(Reader(batch_first=batch_first, norm=norm, dropout=dropout, size=24), 1, 2)


@cache
def convolution() -> nn.Module:
    torch.manual_seed(0)
    return _trained(Convolution(), 3)


Table = dict[tuple[int, ...], Counter[int]]


@cache
def contexts() -> Table:
    """Which tags each letter has had between each two pairs of neighbours, and fewer of them."""
    project, table = load_project(), defaultdict(Counter)
    for ids, tags in project.encode(project.train):
        for at, tag in enumerate(tags):
            for k in range(3):
                table[around(ids, at, k)][tag] += 1
    return table


def around(ids: Sequence[int], at: int, k: int) -> tuple[int, ...]:
    return tuple(ids[i] if 0 <= i < len(ids) else -1 for i in range(at - k, at + k + 1))
