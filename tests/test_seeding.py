"""Seeded random numbers: the same each time, and nobody else's are touched."""

from __future__ import annotations

import pytest
import torch

from birnn_course.seeding import seeded


def test_the_same_numbers_and_no_others_are_touched() -> None:
    torch.manual_seed(7)
    undisturbed = torch.rand(4)
    torch.manual_seed(7)
    drawn = [torch.rand(2)]
    with seeded(3):
        inside = torch.rand(5)
    with seeded(3):
        again = torch.rand(5)
    drawn.append(torch.rand(2))
    assert torch.equal(inside, again)
    assert torch.equal(torch.cat(drawn), undisturbed)
    torch.manual_seed(3)
    assert torch.equal(inside, torch.rand(5))  # those of torch.manual_seed


def test_they_go_on_after_an_error() -> None:
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeded():
        torch.rand(1)
        _ = 1 / 0
    assert torch.equal(before, torch.get_rng_state())


def test_a_gpus_numbers_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("torch.cuda.manual_seed_all", asked.append)
    with seeded(3):
        pass
    assert asked == []
    torch.manual_seed(3)  # what would touch them is noticed
    assert asked == [3]
