"""What lesson 05 claims beyond what it runs: trained models for five seeds, other libraries."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics.classification import MulticlassF1Score
from torchmetrics.functional import accuracy as tm_accuracy
from torchmetrics.functional import confusion_matrix as tm_confusion_matrix
from torchmetrics.functional import f1_score as tm_f1
from torchmetrics.functional import precision as tm_precision

from birnn_course import RareEvents, fit
from birnn_course.metrics import (
    Scores,
    average_precision,
    bootstrap_interval,
    confusion_matrix,
    confusion_per_sequence,
)
from claims import EVERY_SEED

SENSOR = RareEvents()


class EventTagger(nn.Module):
    """As in the lesson."""

    def __init__(self, bidirectional: bool) -> None:
        super().__init__()
        self.rnn = nn.GRU(1, 24, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(48 if bidirectional else 24, 2)

    def forward(self, readings: Tensor) -> Tensor:
        scores: Tensor = self.head(self.rnn(readings)[0])
        return scores


@cache
def data(seed: int, n: int) -> tuple[Tensor, Tensor]:
    return SENSOR.sample(n, seed=seed)


@cache
def chance_of(seed: int, bidirectional: bool) -> Tensor:
    """Probabilities on the lesson's test set after the lesson's training, with another seed."""
    readings, events = data(1, 2_000)
    torch.manual_seed(seed)
    model = EventTagger(bidirectional)
    batches = list(zip(readings.split(80), events.split(80), strict=True))
    fit(model, batches, epochs=9, lr=0.015, seed=seed)
    with torch.no_grad():
        probability: Tensor = model(data(2, 4_000)[0]).softmax(-1)[..., 1]
    return probability


def at_half(p: Tensor) -> Scores:
    return Scores(confusion_matrix(data(2, 4_000)[1], (p > 0.5).long(), 2))


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_98_percent_accuracy_and_12_percent_recall(seed: int) -> None:
    readings, events = data(2, 4_000)
    best = average_precision(events, SENSOR.chance(readings))
    p = chance_of(seed, True)
    scores, area = at_half(p), average_precision(events, p)
    print(
        f"seed {seed}: both ways accuracy {scores.accuracy:.4f}, recall {scores.recall[1]:.3f}, "
        f"average precision {area:.3f} of {best:.3f}"
    )
    assert scores.accuracy >= 0.98
    assert 0.08 <= float(scores.recall[1]) <= 0.15
    assert 0.32 <= area < best


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_left_to_right_knows_nothing_and_the_costs_and_intervals_are_as_said(seed: int) -> None:
    events = data(2, 4_000)[1]
    left, both = chance_of(seed, False), chance_of(seed, True)
    area = average_precision(events, left)
    print(f"seed {seed}: left to right average precision {area:.4f}")
    assert area <= 0.03 and at_half(left).predicted[1] == 0

    def cost(threshold: float, miss: int, alarm: int) -> int:
        missed = (events == 1) & (both < threshold)
        return miss * int(missed.sum()) + alarm * int(((events == 0) & (both >= threshold)).sum())

    assert cost(0.05, 19, 1) < 0.65 * cost(0.5, 19, 1)
    assert cost(0.75, 1, 3) < cost(0.5, 1, 3)
    pair = [confusion_per_sequence(events, (p > 0.5).long(), 2) for p in (left, both)]
    counts = torch.stack(pair, dim=1)

    def gain(c: Tensor) -> float:
        return 100 * (Scores(c[1]).accuracy - Scores(c[0]).accuracy)

    few, many = (bootstrap_interval(counts[:n], gain) for n in (50, 4_000))
    print(f"  gain in accuracy: {few} from 50 sequences, {many} from 4,000")
    assert few[0] < 0 < few[1]
    assert 0.05 < many[0] < many[1] < 0.25


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_twenty_sequences_are_learned_by_heart(seed: int) -> None:
    x, y = (part[:20] for part in data(1, 2_000))
    new_x, new_y = (part[:100] for part in data(3, 2_000))
    floor = F.binary_cross_entropy(SENSOR.chance(new_x), new_y.double()).item()
    torch.manual_seed(seed)
    student = EventTagger(True)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.02)
    history: dict[str, list[float]] = {"training": [], "validation": []}
    for _ in range(80):
        for a, b in zip(x.split(10), y.split(10), strict=True):
            optimizer.zero_grad()
            F.cross_entropy(student(a).transpose(1, 2), b).backward()
            nn.utils.clip_grad_norm_(student.parameters(), 0.1)
            optimizer.step()
        with torch.no_grad():
            for name, a, b in (("training", x, y), ("validation", new_x, new_y)):
                history[name].append(F.cross_entropy(student(a).transpose(1, 2), b).item())
    with torch.no_grad():
        seen = average_precision(y, student(x).softmax(-1)[..., 1])
        unseen = average_precision(new_y, student(new_x).softmax(-1)[..., 1])
    print(
        f"seed {seed}: average precision {seen:.2f} seen, {unseen:.2f} unseen; training "
        f"{history['training'][-1]:.3f}, validation {min(history['validation']):.3f} at best, "
        f"{history['validation'][-1]:.3f} at the end, floor {floor:.3f}"
    )
    assert seen > 0.7 and unseen < 0.25
    assert history["training"][-1] < 0.6 * floor
    assert history["validation"][-1] > 1.3 * min(history["validation"]) > 1.3 * floor


def test_windows_that_overlap_are_looked_up() -> None:
    at_random, in_time = [], []
    for seed in range(20):
        g = torch.Generator().manual_seed(seed)
        walk = torch.randn(3_000, generator=g).cumsum(0)
        machine = torch.randint(2, (30,), generator=g).repeat_interleave(100)
        windows, states = walk.unfold(0, 20, 1), machine[10:2_991]

        def look_up(known: Tensor, asked: Tensor, windows: Any = windows, s: Any = states) -> float:
            nearest = torch.cdist(windows[asked], windows[known]).argmin(1)
            return float((s[known][nearest] == s[asked]).double().mean())

        shuffled = torch.randperm(len(windows), generator=g)
        at_random.append(look_up(shuffled[:2_000], shuffled[2_000:]))
        in_time.append(look_up(torch.arange(1_500), torch.arange(1_600, 2_900)))
    print(f"random split {min(at_random):.2f} at least, in time {sum(in_time) / 20:.2f} on average")
    assert min(at_random) > 0.8
    assert abs(sum(in_time) / 20 - 0.5) < 0.08


# ── The other library ───────────────────────────────────────────────────────────────────────────

TRUTH = torch.tensor([1] * 60 + [0] * 40)
PREDICTED = torch.tensor([1] * 50 + [0] * 10 + [1] * 5 + [0] * 35)


def test_torchmetrics_takes_predictions_first_and_rows_are_true() -> None:
    assert float(tm_precision(PREDICTED, TRUTH, task="binary")) == pytest.approx(50 / 55)
    assert float(tm_precision(TRUTH, PREDICTED, task="binary")) == pytest.approx(50 / 60)
    assert tm_confusion_matrix(PREDICTED, TRUTH, task="binary").tolist() == [[35, 5], [10, 50]]


def test_the_function_of_torchmetrics_is_micro_and_its_class_is_macro() -> None:
    tokens, predicted = torch.tensor([0] * 95 + [1] * 5), torch.zeros(100, dtype=torch.long)
    function = tm_f1(predicted, tokens, task="multiclass", num_classes=2)
    assert float(function) == pytest.approx(0.95)
    assert float(MulticlassF1Score(num_classes=2)(predicted, tokens)) == pytest.approx(
        0.487, abs=1e-3
    )


def test_torchmetrics_wants_the_classes_in_dimension_1() -> None:
    scores, tags = torch.randn(2, 5, 3), torch.randint(3, (2, 5))
    with pytest.raises(ValueError, match=r"preds.shape\[1\]"):
        tm_accuracy(scores, tags, task="multiclass", num_classes=3)
    tm_accuracy(scores.transpose(1, 2), tags, task="multiclass", num_classes=3)


def test_exchanged_arguments_leave_f1_and_accuracy() -> None:
    exchanged = Scores(confusion_matrix(PREDICTED, TRUTH, 2))
    right = Scores(confusion_matrix(TRUTH, PREDICTED, 2))
    assert torch.equal(exchanged.precision, right.recall)
    assert torch.equal(exchanged.f1, right.f1) and exchanged.accuracy == right.accuracy


def test_a_batch_of_padding_only_has_a_loss_of_nan_and_what_its_gradients_are() -> None:
    linear = nn.Linear(2, 3)
    loss = F.cross_entropy(linear(torch.ones(4, 2)), torch.full((4,), -100))
    (gradient,) = torch.autograd.grad(loss, linear.weight)
    assert math.isnan(loss.item()) and not gradient.any()
    each = F.cross_entropy(linear(torch.ones(4, 2)), torch.zeros(4).long(), reduction="none")
    real = torch.zeros(4)
    (gradient,) = torch.autograd.grad((each * real).sum() / real.sum(), linear.weight)
    assert gradient.isnan().all()


def test_the_best_pointer_hits_in_half_of_the_sequences_whatever_the_draw() -> None:
    for seed in (2, *range(10, 15)):
        readings, events = data(seed, 4_000)
        some = events.any(1)
        exact = SENSOR.chance(readings)[some]
        hits = events[some].gather(1, exact.argmax(1, keepdim=True)).double().mean().item()
        blind = events[some].double().mean(0)
        print(f"seed {seed}: {hits:.3f} of {int(some.sum())}, fixed step {blind.max():.3f} at best")
        assert 0.47 < hits < 0.54
        assert blind.max() < 0.05


def test_the_answers_to_the_guesses_in_the_exercises() -> None:
    silent = Scores(confusion_matrix(torch.tensor([1, 0]), torch.tensor([0, 0]), 2))
    assert math.isnan(float(silent.precision[1])) and float(silent.recall[1]) == 0
    nothing = Scores(confusion_matrix(torch.tensor([0, 0]), torch.tensor([0, 0]), 2))
    assert math.isnan(float(nothing.recall[1]))
    # the report to repair: each of its three mistakes moves the number
    tags = torch.tensor([[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    predicted = torch.tensor([[0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    real = torch.arange(4) < torch.tensor([[4], [2], [4], [1]])

    def report(mask: Tensor | None, average: str, batches: int) -> float:
        masks = real.new_ones(4, 4) if mask is None else mask
        parts = zip(*(t.chunk(batches) for t in (tags, predicted, masks)), strict=True)
        f1s = [Scores(confusion_matrix(t, s, 2, mask=m)).average(average) for t, s, m in parts]  # type: ignore[arg-type]
        return sum(f1s) / len(f1s)

    right = report(real, "macro", 1)
    wrong = (report(None, "macro", 1), report(real, "weighted", 1), report(real, "macro", 2))
    assert all(abs(value - right) > 0.005 for value in wrong)
