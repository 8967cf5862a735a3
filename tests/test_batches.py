from __future__ import annotations

import torch

from birnn_course.data import batches_of_one_length


def test_every_pair_arrives_once_in_a_batch_of_its_length() -> None:
    pairs = [([i] * n, [i + 100] * n) for i, n in enumerate([3, 2, 3, 3, 5, 2, 3])]
    batches = batches_of_one_length(pairs, batch_size=2)
    assert [tuple(inputs.shape) for inputs, _ in batches] == [(2, 2), (2, 3), (2, 3), (1, 5)]
    assert sorted(int(row[0]) for inputs, _ in batches for row in inputs) == list(range(7))
    for inputs, tags in batches:
        assert torch.equal(tags, inputs + 100)


def test_nothing_makes_no_batches() -> None:
    assert batches_of_one_length([], 4) == []
