"""What lesson 02 claims beyond what it runs: trained models for five seeds, not for one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course import SequenceTagger, evaluate, fit
from birnn_course.data.batches import Batch
from claims import EVERY_SEED

Readout = Callable[[Tensor, Tensor], Tensor]
READOUTS: dict[str, tuple[Readout, int]] = {
    "output[:, -1]": (lambda output, h_n: output[:, -1], 32),
    "h_n[-1]": (lambda output, h_n: h_n[-1], 16),
    "joined": (lambda output, h_n: torch.cat([h_n[-2], h_n[-1]], dim=1), 32),
}


class LastOrFirst(nn.Module):
    """As in the lesson."""

    def __init__(self, readout: Readout, n_features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4, 16)
        self.lstm = nn.LSTM(16, 16, batch_first=True, bidirectional=True)
        self.head = nn.Linear(n_features, 4)
        self.readout = readout

    def forward(self, ids: Tensor) -> Tensor:
        output, (h_n, _) = self.lstm(self.embedding(ids))
        scores: Tensor = self.head(self.readout(output, h_n))
        return scores


def batches(seq_len: int, position: int, n: int, seed: int) -> list[Batch]:
    ids = torch.randint(4, (n, seq_len), generator=torch.Generator().manual_seed(seed))
    return list(zip(ids.split(50), ids[:, position].split(50), strict=True))


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_a_wrong_readout_shows_at_twenty_steps_and_not_at_five(seed: int) -> None:
    accuracy = {}
    for seq_len in (5, 20):
        for position in (0, -1):
            for name, (readout, n_features) in READOUTS.items():
                torch.manual_seed(seed)
                model = LastOrFirst(readout, n_features)
                fit(model, batches(seq_len, position, 2_500, 10 + seed), epochs=3, seed=seed)
                test = batches(seq_len, position, 1_000, 20 + seed)
                accuracy[seq_len, position, name] = evaluate(model, test)
    print(f"readouts, seed {seed}:", {key: f"{100 * a:.1f}" for key, a in accuracy.items()})
    fails = {(20, 0, "output[:, -1]"), (20, -1, "h_n[-1]")}
    assert all(accuracy[key] < 0.35 for key in fails)
    assert all(value > 0.99 for key, value in accuracy.items() if key not in fails)


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_with_the_classes_last_the_loss_falls_and_the_tags_are_wrong(seed: int) -> None:
    result = {}
    for classes_last in (False, True):
        torch.manual_seed(seed)
        tagger = SequenceTagger(6, 6, 32, cell="gru", bidirectional=True)
        optimizer = torch.optim.Adam(tagger.parameters(), lr=0.01)
        losses = []
        for _ in range(400):
            ids = torch.randint(6, (50, 6))
            scores = tagger(ids)
            loss = F.cross_entropy(scores if classes_last else scores.transpose(1, 2), ids)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        right = float((tagger(ids).argmax(-1) == ids).float().mean())
        result[classes_last] = losses[0], losses[-1], right
    print(f"classes last, seed {seed}:", result)
    assert result[False][2] > 0.99 and result[False][1] < 0.1
    assert result[True][2] < 0.45 and result[True][1] < 0.1


def test_the_gradient_to_the_first_token_fades_with_the_length() -> None:
    """By orders of magnitude, for any seed."""
    for seed in EVERY_SEED:
        torch.manual_seed(seed)
        lstm = nn.LSTM(16, 16, batch_first=True)
        left = []
        for seq_len in (5, 20):
            x = torch.randn(50, seq_len, 16, requires_grad=True)
            _, (h_n, _) = lstm(x)
            (gradient,) = torch.autograd.grad((h_n @ torch.randn(16)).sum(), x)
            by_step = gradient.abs().sum((0, 2))
            left.append(float(by_step[0] / by_step[-1]))
        assert left[0] < 0.5 and left[1] < 0.01 * left[0]


def test_no_wrong_call_takes_a_perfect_tagger_to_zero() -> None:
    """The loss of a perfect tagger whose scores went through a softmax first: log(e + 5) - 1."""
    scores, tags = 15 * torch.eye(6), torch.arange(6)
    twice = F.cross_entropy(scores.softmax(-1), tags)
    floor = torch.log(torch.e + torch.tensor(5.0)) - 1
    assert torch.allclose(twice, floor, atol=1e-4) and floor > 1


def test_the_guesses_of_the_exercises() -> None:
    """Where two final states stand in a padded output, and which blocks belong to layer 0."""
    x = torch.randn(2, 8, 3)
    gru = nn.GRU(3, 4, batch_first=True, bidirectional=True)
    packed, h_n = gru(pack_padded_sequence(x, [8, 3], batch_first=True))
    output, _ = pad_packed_sequence(packed, batch_first=True)
    torch.testing.assert_close(output[1, 2, :4], h_n[0, 1])
    torch.testing.assert_close(output[1, 0, 4:], h_n[1, 1])
    both = nn.GRU(3, 4, 2, batch_first=True, bidirectional=True)
    first = {name: weight for name, weight in both.state_dict().items() if "_l0" in name}
    gru.load_state_dict(first)
    torch.testing.assert_close(both(x)[1][:2], gru(x)[1])
