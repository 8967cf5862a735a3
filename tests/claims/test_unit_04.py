"""What lesson 04 claims beyond what it runs: trained models for five seeds, not just for one."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course import (
    SequenceTagger,
    batches_of_one_length,
    evaluate,
    fit,
    pad_dependence,
    padded_batches,
)
from birnn_course.data import Spelling
from birnn_course.data.batches import Batch
from birnn_course.exercises.unit_04 import TURN_AROUND
from claims import EVERY_SEED

PAD, WIDTH = 26, 28


def widen(inputs: Tensor, targets: Tensor, width: int) -> Batch:
    more = (0, width - inputs.shape[1])
    return F.pad(inputs, more, value=PAD), F.pad(targets, more, value=-100)


def speller(spelling: Spelling, batches: list[Batch], seed: int) -> SequenceTagger:
    torch.manual_seed(seed)
    model = SequenceTagger(27, len(spelling.tags), 64, bidirectional=True)
    fit(model, batches, epochs=3, seed=seed)
    return model


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_trained_on_padding_it_is_worse_without(seed: int, spelling: Spelling) -> None:
    train = padded_batches(spelling.encode(spelling.train), 32, pad_id=PAD, seed=seed)
    clean = batches_of_one_length(spelling.encode(spelling.test[:3_000]), 512)
    n = [torch.full((len(inputs),), inputs.shape[1]) for inputs, _ in clean]
    padded = speller(spelling, [widen(*batch[:2], WIDTH) for batch in train], seed)
    packed = speller(spelling, train, seed)

    def accuracy(model: SequenceTagger, more: int | None, lengths: bool) -> float:
        batches: list[Batch] = []
        for (inputs, targets), own in zip(clean, n, strict=True):
            width = WIDTH if more is None else inputs.shape[1] + more
            wide = widen(inputs, targets, width)
            batches.append((*wide, own) if lengths else wide)
        return 100 * evaluate(model, batches)

    by_pads = {pads: accuracy(padded, pads, False) for pads in (0, 1, 2, 6)}
    as_trained = accuracy(padded, None, False)
    own, wide = accuracy(packed, 0, False), accuracy(packed, None, True)
    shown = {pads: f"{value:.2f}" for pads, value in by_pads.items()}
    print(
        f"speller, seed {seed}: trained padded, by pads {shown}, to {WIDTH}: {as_trained:.2f}; "
        f"trained packed, own: {own:.2f}, to {WIDTH}: {wide:.2f}"
    )
    assert abs(as_trained - wide) < 2
    assert as_trained - by_pads[0] > 3
    assert by_pads[6] - by_pads[0] > 3
    assert abs(own - wide) < 0.05


def test_only_what_has_not_met_the_padding_stays() -> None:
    x = torch.randn(1, 5, 4, generator=torch.Generator().manual_seed(0))
    padded = F.pad(x, (0, 0, 0, 6))
    for layers in (1, 2):
        torch.manual_seed(0)
        rnn = nn.GRU(4, 6, layers, batch_first=True, bidirectional=True)
        change = (rnn(padded)[0][:, :5] - rnn(x)[0]).abs().amax((0, 1))
        assert (change[:6].max() > 1e-3) == (layers == 2)  # layer 2 reads both halves of layer 1
        assert change[6:].max() > 1e-3


def test_left_padding_troubles_the_forward_reader() -> None:
    torch.manual_seed(0)
    rnn = nn.GRU(4, 6, batch_first=True, bidirectional=True)
    x = torch.randn(1, 5, 4)
    change = (rnn(F.pad(x, (0, 0, 6, 0)))[0][:, 6:] - rnn(x)[0]).abs().amax((0, 1))
    assert change[:6].min() > 1e-3 and change[6:].max() < 1e-6


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("layers", [1, 2])
def test_packed_is_as_if_alone_and_its_gradients_too(cell: type[nn.RNNBase], layers: int) -> None:
    torch.manual_seed(0)
    rnn = cell(4, 6, layers, batch_first=True, bidirectional=True)
    lengths = torch.tensor([3, 8, 1, 5])
    x = torch.randn(4, 8, 4, requires_grad=True)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, _ = pad_packed_sequence(rnn(packed)[0], batch_first=True)
    output.pow(2).sum().backward()
    assert x.grad is not None
    for row, n in enumerate(lengths.tolist()):
        own = x.detach()[row : row + 1, :n].requires_grad_()
        alone = rnn(own)[0]
        assert torch.allclose(output[row, :n], alone[0], rtol=0, atol=1e-5)
        alone.pow(2).sum().backward()
        assert own.grad is not None
        assert torch.allclose(x.grad[row, :n], own.grad[0], rtol=0, atol=1e-5)
        assert not x.grad[row, n:].any()


def test_the_lessons_tagger_does_not_depend_on_padding_in_any_cell() -> None:
    ids = torch.randint(26, (3, 8), generator=torch.Generator().manual_seed(0))
    for cell in ("rnn", "gru", "lstm"):
        torch.manual_seed(0)
        tagger = SequenceTagger(27, 5, 16, cell=cell, bidirectional=True)
        assert pad_dependence(tagger, ids, [3, 8, 6], pad_value=PAD).max() <= 1e-5
        directly = pad_dependence(lambda ids, n, t=tagger: t(ids), ids, [3, 8, 6], pad_value=PAD)
        assert directly.max() > 1e-3


def test_what_packing_says_of_odd_lengths() -> None:
    x = torch.randn(3, 6, 4)
    floats = pack_padded_sequence(x, torch.tensor([6.0, 4.9, 2.9]), batch_first=True)
    assert floats.batch_sizes.tolist() == [3, 3, 2, 2, 1, 1]  # cut to 6, 4 and 2
    pack_padded_sequence(x, [8, 4, 2], batch_first=True)  # too long: not a word
    with pytest.raises(RuntimeError, match="to be equal to batch_size"):
        pack_padded_sequence(x, [6, 4], batch_first=True)  # too few, sorted


def test_a_mask_without_an_axis_for_the_features_runs_only_where_sizes_agree() -> None:
    def runs(batch: int, steps: int, features: int) -> bool:
        try:
            _ = torch.ones(batch, steps, features) * torch.ones(batch, steps)
        except RuntimeError:
            return False
        return True

    assert runs(1, 3, 3) and runs(3, 3, 3)
    assert not runs(2, 3, 3) and not runs(1, 3, 4) and not runs(3, 3, 4)


def test_without_biases_zeros_do_not_move_a_reader_that_starts_there() -> None:
    for cell in (nn.RNN, nn.GRU, nn.LSTM):
        torch.manual_seed(0)
        rnn = cell(4, 6, batch_first=True, bidirectional=True, bias=False)
        x = torch.randn(1, 5, 4)
        output, _ = rnn(F.pad(x, (0, 0, 0, 5)))
        assert torch.allclose(output[:, :5], rnn(x)[0], rtol=0, atol=1e-6)
        assert (output[:, 9, :6] - output[:, 4, :6]).abs().max() > 1e-3  # the forward reader drifts


def test_retain_graph_reaches_back_and_raises_after_an_optimizer_step() -> None:
    def train(pieces: int, optimize: bool) -> bool:
        """Whether the first piece gets a gradient from the last one's loss."""
        torch.manual_seed(0)
        lstm, state = nn.LSTM(3, 4, batch_first=True), None
        optimizer = torch.optim.SGD(lstm.parameters(), lr=0.1)
        first = torch.randn(2, 4, 3, requires_grad=True)
        for i in range(pieces):
            output, state = lstm(first if i == 0 else torch.randn(2, 4, 3), state)
            first.grad = None
            output.sum().backward(retain_graph=True)
            if optimize:
                optimizer.step()
        return first.grad is not None

    assert train(3, optimize=False)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        train(3, optimize=True)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="a CPU without oneDNN")
def test_the_fast_cpu_routine_takes_padded_lstms_only() -> None:
    lengths = torch.tensor([6, 4])
    x = torch.randn(2, 6, 3)
    packed = pack_padded_sequence(x, lengths, batch_first=True)

    def fused(cell: type[nn.RNNBase], inputs: object) -> bool:
        rnn = cell(3, 4, batch_first=True, bidirectional=True)
        with torch.autograd.profiler.profile() as profile:
            rnn(inputs)
        return any("mkldnn_rnn" in event.name for event in profile.function_events)

    assert fused(nn.LSTM, x)
    assert not fused(nn.LSTM, packed) and not fused(nn.GRU, x)


def test_with_look_ahead_the_last_answers_read_the_pads() -> None:
    torch.manual_seed(0)
    tagger = SequenceTagger(27, 5, 8, bidirectional=False, lookahead=2)
    ids = torch.randint(26, (1, 6))
    with torch.no_grad():
        change = (tagger(F.pad(ids, (0, 4), value=PAD))[:, :6] - tagger(ids)).abs().amax(-1)[0]
    assert (change > 1e-5).tolist() == [False] * 4 + [True] * 2


def test_the_guesses_of_the_exercises() -> None:
    row = torch.tensor([1, 2, 3, -1, -1])
    reference = TURN_AROUND.reference(row[None, :, None], torch.tensor([3]))[0, :, 0]
    assert reference.tolist() == [3, 2, 1, -1, -1]
    assert row.flip(0).tolist() == [-1, -1, 3, 2, 1]
    # from another library: left padding, 0 for a pad and for an a, and 7 columns for 6 letters
    ids = torch.tensor([[0, 1, 0, 13, 0, 13, 0], [0, 0, 0, 0, 5, 8, 6]])
    real = torch.tensor([[False] + 6 * [True], 4 * [False] + 3 * [True]])
    assert not real[:, 0].any()
    assert (ids[real] == 0).any() and (ids[~real] == 0).all()
    assert int(real.sum(1).max()) == ids.shape[1] - 1
