from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

from birnn_course.data import RareEvents
from birnn_course.errors import CourseError
from birnn_course.metrics import average_precision


def by_enumeration(task: RareEvents, readings: Tensor, steps_read: int) -> Tensor:
    """The chance of each event, over every possible course of events, given the first readings."""
    courses = torch.tensor(list(product((0, 1), repeat=task.seq_len))).double()
    prior = (courses * task.rate + (1 - courses) * (1 - task.rate)).prod(1)
    mean = torch.zeros_like(courses)
    for steps, lift in enumerate(task.lifts.tolist(), start=1):
        mean[:, steps:] += lift * courses[:, :-steps]
    x = readings.squeeze(-1).double()[:, :steps_read]
    off = x.unsqueeze(1) - mean[:, :steps_read]  # (n, courses, steps)
    weight = prior * torch.exp(-0.5 * off.pow(2).sum(-1))
    return (weight @ courses) / weight.sum(1, keepdim=True)


@pytest.mark.parametrize("trace", [1, 2, 3])
def test_the_chance_is_what_enumeration_gives(trace: int) -> None:
    task = RareEvents(rate=0.3, trace=trace, seq_len=8)
    readings, _ = task.sample(20, seed=0)
    expected = by_enumeration(task, readings, 8)
    assert torch.allclose(task.chance(readings), expected, rtol=0, atol=1e-12)


def test_the_past_tells_nothing() -> None:
    task = RareEvents(rate=0.3, trace=2, seq_len=7)
    readings, _ = task.sample(10, seed=1)
    left = task.chance(readings, "left")
    for t in range(7):
        expected = by_enumeration(task, readings, t + 1)[:, t]
        assert torch.allclose(left[:, t], expected, rtol=0, atol=1e-12)


def test_an_event_lifts_the_readings_after_it_only() -> None:
    task = RareEvents(rate=0.02)
    readings, events = task.sample(20_000, seed=2)
    x = readings.squeeze(-1)
    alone = [(i, t) for i, t in events.nonzero().tolist() if 5 <= t < 50]
    around = torch.stack([x[i, t - 1 : t + 6] for i, t in alone]).mean(0)
    expected = torch.tensor([0.0, 0.0, 1.5, 1.2, 0.96, 0.768, 0.0])
    expected += 0.02 * 4.428  # other events
    assert torch.allclose(around, expected, rtol=0, atol=0.05)
    assert events.double().mean().item() == pytest.approx(0.02, abs=0.001)


def test_the_chance_is_calibrated_and_the_last_step_is_the_prior() -> None:
    task = RareEvents()
    readings, events = task.sample(4_000, seed=3)
    chance = task.chance(readings)
    assert chance.shape == events.shape and chance.dtype == torch.float64
    assert torch.allclose(chance[:, -1], torch.tensor(task.rate, dtype=torch.float64))
    for low, high in ((0.0, 0.01), (0.01, 0.1), (0.1, 0.5), (0.5, 1.0)):
        here = (chance >= low) & (chance < high)
        expected = chance[here].mean().item()
        error = (expected * (1 - expected) / int(here.sum())) ** 0.5
        assert abs(events[here].double().mean().item() - expected) < 4 * error


def test_the_figures_of_the_lesson() -> None:
    task = RareEvents()
    readings, events = task.sample(4_000, seed=2)
    chance = task.chance(readings)
    best = average_precision(events, chance)
    found = (chance > 0.5)[events > 0].double().mean().item()
    print(f"rate {events.double().mean():.4f}, optimum {best:.3f}, recall at 0.5 {found:.3f}")
    assert best == pytest.approx(0.385, abs=0.015)
    assert found == pytest.approx(0.17, abs=0.015)
    blind = average_precision(events, task.chance(readings, "left"))
    assert blind == pytest.approx(events.double().mean().item())


def test_the_same_seed_gives_the_same_sequences() -> None:
    task = RareEvents(seq_len=10)
    assert torch.equal(task.sample(3, seed=1)[0], task.sample(3, seed=1)[0])
    assert not torch.equal(task.sample(3, seed=1)[0], task.sample(3, seed=2)[0])


def test_what_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(CourseError, match="rate between 0 and 1"):
        RareEvents(rate=0)
    with pytest.raises(CourseError, match=r"\(n, seq_len, 1\)"):
        RareEvents().chance(torch.zeros(2, 60, 3))
