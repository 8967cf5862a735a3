from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from birnn_course import SequenceTagger, evaluate, fit, padded_batches, predict


def copy_task(n: int = 8) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [(ids, ids) for ids in torch.randint(4, (n, 16, 5), generator=generator)]


def tagger(seed: int = 0) -> SequenceTagger:
    torch.manual_seed(seed)
    return SequenceTagger(4, 4, 8, bidirectional=True, cell="gru", embedding_dim=8)


def test_fit_learns_and_reports_the_loss_of_each_epoch() -> None:
    model = tagger()
    history = fit(model, copy_task(), epochs=8)
    assert len(history) == 8
    assert history[0] > 0.5 > 0.1 > history[-1]
    assert evaluate(model, copy_task()) == 1.0


def test_the_same_seeds_give_the_same_weights() -> None:
    first, second, other = tagger(), tagger(), tagger()
    assert fit(first, copy_task(), epochs=2) == fit(second, copy_task(), epochs=2)
    assert fit(other, copy_task(), epochs=2, seed=1) != fit(first, copy_task(), epochs=2)
    pairs = zip(first.parameters(), tagger().parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


def test_the_reported_loss_is_per_tag_not_per_batch() -> None:
    class Fixed(nn.Module):
        """Scores that training does not change: the loss of a tag is ln 4, or ln 4 + 1."""

        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, inputs: Tensor) -> Tensor:
            return torch.zeros(*inputs.shape, 4) + 0 * self.unused

    big, small = torch.zeros(9, 2, dtype=torch.long), torch.zeros(1, 2, dtype=torch.long)
    assert fit(Fixed(), [(big, big), (small, small)], epochs=1)[0] == pytest.approx(math.log(4))


def test_evaluate_counts_over_all_batches_together() -> None:
    class Zero(nn.Module):
        """Always says tag 0."""

        def forward(self, inputs: Tensor) -> Tensor:
            return F.one_hot(torch.zeros_like(inputs), 4).float()

    nine_right = (torch.zeros(1, 9, dtype=torch.long),) * 2
    one_wrong = (torch.ones(1, 1, dtype=torch.long),) * 2
    batches = [nine_right, one_wrong]
    assert evaluate(Zero(), batches) == 0.9  # the mean of the batches would be 0.5
    assert evaluate(Zero(), batches, where=lambda ids: ids == 1) == 0.0
    assert math.isnan(evaluate(Zero(), batches, where=lambda ids: ids == 3))


def test_predicting_neither_trains_nor_drops_out() -> None:
    model = nn.Sequential(nn.Embedding(4, 4), nn.Dropout(0.5))
    ids = torch.arange(4)[None]
    model.train()
    assert all(torch.equal(predict(model, ids), predict(model, ids)) for _ in range(5))
    assert not predict(model, ids).requires_grad


def test_padding_is_neither_learned_nor_counted() -> None:
    pairs = [([i % 4, (i + 1) % 4] + [2] * (i % 3), [0] * (2 + i % 3)) for i in range(12)]
    batches = padded_batches(pairs, 4)
    model = tagger()
    fit(model, batches, epochs=8)
    assert evaluate(model, batches) == 1.0
    real = sum(int(lengths.sum()) for _, _, lengths in batches)
    stretched = [(F.pad(x, (0, 5)), F.pad(y, (0, 5), value=-100), n) for x, y, n in batches]
    assert evaluate(model, stretched) == 1.0
    assert fit(tagger(), stretched, epochs=1) == pytest.approx(fit(tagger(), batches, epochs=1))
    assert real == sum(len(ids) for ids, _ in pairs)


def test_one_answer_per_sequence() -> None:
    class First(nn.Module):
        """Says the first id from a sequence of two."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(4, 4)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.embedding(inputs[:, 0])

    batches = [(ids[:, :2], ids[:, 0]) for ids, _ in copy_task()]
    model = First()
    fit(model, batches, epochs=20, lr=0.1)
    assert evaluate(model, batches) == 1.0
