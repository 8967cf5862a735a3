from __future__ import annotations

import torch

from birnn_course.data import IGNORED, batches_of_one_length, padded_batches


def test_every_pair_arrives_once_in_a_batch_of_its_length() -> None:
    pairs = [([i] * n, [i + 100] * n) for i, n in enumerate([3, 2, 3, 3, 5, 2, 3])]
    batches = batches_of_one_length(pairs, batch_size=2)
    assert [tuple(inputs.shape) for inputs, _ in batches] == [(2, 2), (2, 3), (2, 3), (1, 5)]
    assert sorted(int(row[0]) for inputs, _ in batches for row in inputs) == list(range(7))
    for inputs, tags in batches:
        assert torch.equal(tags, inputs + 100)


def test_nothing_makes_no_batches() -> None:
    assert batches_of_one_length([], 4) == []


def test_padded_batches_hold_every_pair_and_pad_to_their_own_longest() -> None:
    pairs = [([i + 1] * n, [i + 100] * n) for i, n in enumerate([3, 2, 3, 3, 5, 2, 3])]
    seen = []
    for inputs, tags, lengths in padded_batches(pairs, 2):
        assert inputs.shape == tags.shape == (len(lengths), int(lengths.max()))
        for row, row_tags, length in zip(inputs, tags, lengths.tolist(), strict=True):
            assert (row[length:] == 0).all() and (row_tags[length:] == IGNORED).all()
            assert torch.equal(row_tags[:length], row[:length] + 99)
            seen.append((int(row[0]), length))
    assert sorted(seen) == [(i + 1, n) for i, n in enumerate([3, 2, 3, 3, 5, 2, 3])]


def test_batches_by_length_hold_less_padding_and_seeds_shuffle() -> None:
    pairs = [([1] * n, [2] * n) for n in [1, 9, 2, 8, 3, 7, 4, 6]]

    def padding(**options: object) -> int:
        batches = padded_batches(pairs, 2, **options)  # type: ignore[arg-type]
        return sum(int((tags == IGNORED).sum()) for _, tags, _ in batches)

    assert padding(by_length=True) == 4
    assert padding(seed=0) > 4
    assert len({padding(seed=seed) for seed in range(5)}) > 1


def test_vectors_with_a_class_are_padded_as_ids_with_tags_are() -> None:
    pairs = [(torch.full((n, 2), i + 1.0), i) for i, n in enumerate([3, 2, 5, 4, 1])]
    seen = []
    for inputs, classes, lengths in padded_batches(pairs, 2):
        assert inputs.shape == (len(lengths), int(lengths.max()), 2)
        assert inputs.dtype == torch.float32 and classes.shape == lengths.shape
        for row, kind, length in zip(inputs, classes.tolist(), lengths.tolist(), strict=True):
            assert (row[:length] == kind + 1).all() and (row[length:] == 0).all()
            seen.append((kind, length))
    assert sorted(seen) == list(enumerate([3, 2, 5, 4, 1]))
