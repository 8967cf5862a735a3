"""What lessons claim beyond what they run: trained models for five seeds, not just for one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from birnn_course import SequenceTagger, batches_of_one_length, count_parameters, evaluate, fit
from birnn_course.data import Spelling, names_task
from birnn_course.data.batches import Batch
from claims import SEEDS


def test_start_here_a_gru_unpacks_like_an_lstm_only_with_two_directions() -> None:
    x = torch.randn(3, 5, 4)
    _, (h, c) = nn.GRU(4, 6, batch_first=True, bidirectional=True)(x)
    assert h.shape == c.shape == (3, 6)
    with pytest.raises(ValueError, match="not enough values to unpack"):
        _, (h, c) = nn.GRU(4, 6, batch_first=True)(x)


def seeded(seed: int, *sizes: int, **options: object) -> SequenceTagger:
    torch.manual_seed(seed)
    return SequenceTagger(*sizes, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", SEEDS)
def test_names(seed: int) -> None:
    names = names_task()
    words, tags = names.sample(6_000, seed=10 + seed)
    train = list(zip(words.split(50), tags.split(50), strict=True))
    test = [names.sample(8_000, seed=20 + seed)]
    n = int(names.is_ambiguous(test[0][0]).sum())
    accuracy = {}
    for bidirectional in (False, True):
        tagger = seeded(
            seed, len(names.words), len(names.tags), 32, cell="gru", bidirectional=bidirectional
        )
        fit(tagger, train, epochs=4, seed=seed)
        accuracy[bidirectional] = evaluate(tagger, test, names.is_ambiguous)
    limit = float(names.limit("left"))
    print(
        f"names, seed {seed}: left to right {accuracy[False]:.4f}, both ways {accuracy[True]:.4f}"
    )
    assert abs(accuracy[False] - limit) < 3 * (limit * (1 - limit) / n) ** 0.5
    assert accuracy[True] >= 0.995


@pytest.fixture(scope="module")
def words(spelling: Spelling) -> tuple[list[Batch], list[Batch]]:
    return (
        batches_of_one_length(spelling.encode(spelling.train), 32),
        batches_of_one_length(spelling.encode(spelling.test), 512),
    )


def p_before_h(ids: Tensor) -> Tensor:
    return (ids == ord("p") - ord("a")) & (
        F.pad(ids[:, 1:], (0, 1), value=-1) == ord("h") - ord("a")
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_speller(seed: int, spelling: Spelling, words: tuple[list[Batch], list[Batch]]) -> None:
    train, test = words
    left = seeded(seed, 26, len(spelling.tags), 196, bidirectional=False)
    both = seeded(seed, 26, len(spelling.tags), 128, bidirectional=True)
    assert 1 <= count_parameters(left) / count_parameters(both) < 1.01
    for model in (left, both):
        fit(model, train, epochs=5, seed=seed)
    n_words = sum(len(tags) for _, tags in test)
    print(f"speller, seed {seed}, {n_words} test words: ", end="")
    result = {
        name: (evaluate(model, test), evaluate(model, test, p_before_h))
        for name, model in (("left", left), ("both", both))
    }
    print({name: [f"{100 * x:.2f}" for x in pair] for name, pair in result.items()})
    assert n_words > 11_990
    assert result["both"][0] >= 0.88
    assert result["both"][0] - result["left"][0] >= 0.12
    assert result["left"][1] < 0.3
    assert result["both"][1] > 0.9
