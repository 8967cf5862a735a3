"""What lesson 03 claims beyond what it runs: trained models for five seeds, not just for one."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from birnn_course import batch_dependence, evaluate, fit, names_task, predict
from birnn_course.data import TaggingTask
from birnn_course.data.batches import Batch
from claims import EVERY_SEED


class Tagger(nn.Module):
    """As the lesson writes it out."""

    def __init__(self, names: TaggingTask, batch_first: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(names.words), 32)
        self.rnn = nn.GRU(32, 32, batch_first=batch_first, bidirectional=True)
        self.head = nn.Linear(64, len(names.tags))

    def forward(self, ids: Tensor) -> Tensor:
        scores: Tensor = self.head(self.rnn(self.embedding(ids))[0])
        return scores


def batches(ids: Tensor, tags: Tensor, size: int = 25) -> list[Batch]:
    return list(zip(ids.split(size), tags.split(size), strict=True))


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_what_the_forgotten_flag_costs(seed: int) -> None:
    names = names_task()
    train, test = names.sample(3_000, seed=10 + seed), names.sample(1_200, seed=20 + seed)
    is_place = names.tags.index("PLACE")

    def by_kind(ids: Tensor, tags: Tensor) -> tuple[Tensor, Tensor]:
        order = torch.argsort((tags == is_place).any(1).int(), stable=True)
        return ids[order], tags[order]

    def trained(batch_first: bool, data: list[Batch]) -> Tagger:
        torch.manual_seed(seed)
        tagger = Tagger(names, batch_first)
        fit(tagger, data, epochs=4, seed=seed)
        return tagger

    right, forgotten = (trained(flag, batches(*train)) for flag in (True, False))
    cheat = trained(False, batches(*by_kind(*train)))

    shuffled, in_order = batches(*test), batches(*by_kind(*test))
    one_by_one = batches(test[0][:400], test[1][:400], size=1)

    def scores(model: nn.Module) -> list[float]:
        return [
            evaluate(model, data, names.is_ambiguous) for data in (in_order, shuffled, one_by_one)
        ]

    some = test[0][:500]
    order = torch.randperm(len(some), generator=torch.Generator().manual_seed(1))

    def changed(model: nn.Module) -> float:
        """Share of the answers on ambiguous names that change with the order of the file."""
        first = torch.cat([predict(model, ids) for ids in some.split(25)])
        other = torch.cat([predict(model, ids) for ids in some[order].split(25)])
        differs = first != other[order.argsort()]
        return differs[names.is_ambiguous(some)].float().mean().item()

    everywhere = evaluate(right, shuffled), evaluate(forgotten, shuffled)
    hidden = evaluate(forgotten, shuffled, names.is_ambiguous)
    of_right, of_cheat = scores(right), scores(cheat)
    changes = changed(right), changed(cheat)
    print(
        f"seed {seed}: all words {everywhere[0]:.4f} {everywhere[1]:.4f}, ambiguous: flag set "
        f"{[f'{s:.3f}' for s in of_right]}, forgotten {hidden:.3f}, trained on a sorted file "
        f"{[f'{s:.3f}' for s in of_cheat]}, answers that change {changes[1]:.3f}"
    )
    assert everywhere[0] > 0.995 and abs(everywhere[1] - 39 / 40) < 0.01
    assert min(of_right) > 0.995
    assert abs(hidden - 0.6) < 0.06
    assert of_cheat[0] > 0.99 and max(of_cheat[1:]) < 0.7
    assert changes[0] == 0 and changes[1] > 0.2


def test_the_limits_that_the_lesson_computes() -> None:
    names = names_task()
    # What stands to the left of a word tells nothing about its tag: knowing the word alone, or
    # the word and all before it, gives the same limit.
    heaps: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for words, tags, chance in names.sequences:
        for word, tag in zip(words, tags, strict=True):
            heaps[word][tag] += chance  # type: ignore[assignment]
    alone = sum(max(heap.values()) for heap in heaps.values()) / 8  # words in a sentence
    assert alone == names.limit("left", ambiguous_only=False)
    assert float(alone) == 39 / 40


def test_a_mismatch_of_padding_and_packing_is_silent_only_where_sizes_agree() -> None:
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

    rnn = nn.GRU(8, 4, bidirectional=True)
    for lengths, silent in (([6, 3, 5, 4], False), ([3, 7, 5], False), ([4, 3, 2, 1], True)):
        sentences = [torch.randn(n, 8) for n in lengths]
        for pad, pack in product((True, False), repeat=2):
            padded = pad_sequence(sentences, batch_first=pad)
            try:
                packed = pack_padded_sequence(
                    padded, lengths, batch_first=pack, enforce_sorted=False
                )
                output, _ = pad_packed_sequence(rnn(packed)[0], batch_first=True)
            except (RuntimeError, IndexError):
                assert pad != pack and not silent
                continue
            right = all(
                torch.allclose(output[i, :n], rnn(sentence)[0], rtol=0, atol=1e-5)
                for i, (n, sentence) in enumerate(zip(lengths, sentences, strict=True))
            )
            assert right == (pad == pack)


def test_a_guard_state_is_silent_where_batch_and_steps_agree() -> None:
    rnn = nn.GRU(8, 4, bidirectional=True)
    with pytest.raises(RuntimeError, match="Expected hidden size"):
        rnn(torch.randn(5, 10, 8), torch.zeros(2, 5, 4))
    assert batch_dependence(lambda x: rnn(x, torch.zeros(2, 6, 4)), torch.randn(6, 6, 8)).all()


def test_a_bare_squeeze_takes_the_batch_axis_of_a_batch_of_one() -> None:
    assert torch.randn(1, 1, 10, 8).squeeze().shape == (10, 8)
    assert torch.randn(1, 1, 10, 8).squeeze(1).shape == (1, 10, 8)


def test_untrained_losses_are_close_to_the_logarithm_of_the_number_of_classes() -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        rnn, head = nn.RNN(8, 4, bidirectional=True), nn.Linear(8, 3)
        scores = head(rnn(torch.randn(5, 10, 8))[0])
        loss = F.cross_entropy(scores.flatten(0, 1), torch.randint(3, (50,)))
        assert 0.9 < loss.item() < 1.5


def test_the_guess_of_exercise_2_the_shape_tells_of_one_missing_turn_and_not_of_two() -> None:
    rnn, x = nn.GRU(3, 4, bidirectional=True), torch.randn(2, 5, 3)
    right = rnn(x.transpose(0, 1))[0].transpose(0, 1)
    neither = rnn(x)[0]
    assert neither.shape == right.shape
    assert not torch.allclose(neither, right, rtol=0, atol=1e-3)
    assert rnn(x)[0].transpose(0, 1).shape != right.shape
    assert rnn(x.transpose(0, 1))[0].shape != right.shape


def test_the_guess_of_exercise_4_the_last_column_is_a_final_state_in_one_of_four() -> None:
    right = []
    for batch_first, bidirectional in product((False, True), repeat=2):
        rnn = nn.GRU(3, 4, batch_first=batch_first, bidirectional=bidirectional)
        output, h_n = rnn(torch.randn(5, 5, 3))
        final = torch.cat(list(h_n), dim=1)
        if torch.allclose(output[:, -1], final, rtol=0, atol=1e-5):
            right.append((batch_first, bidirectional))
    assert right == [(True, False)]


def test_the_guess_of_exercise_6_sample_0_has_lost_its_own_earlier_steps() -> None:
    rnn, x = nn.GRU(3, 4), torch.randn(4, 5, 3)
    assert batch_dependence(rnn, x)[0].nonzero().flatten().tolist() == [0]
    wrong = (rnn(x)[0][0] - rnn(x[0])[0]).abs().amax(1) > 1e-4
    assert wrong.tolist() == [False, True, True, True, True]
