from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course import batch_dependence, dependence_map, pad_dependence, try_out
from birnn_course.errors import CourseError


def reached(model: object, seq_len: int = 6) -> Tensor:
    torch.manual_seed(0)
    return dependence_map(model, torch.randn(2, seq_len, 3)) > 0  # type: ignore[arg-type]


ONES = torch.ones(6, 6, dtype=torch.bool)


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_triangle_triangle_square(cell: type[nn.RNNBase]) -> None:
    torch.manual_seed(0)
    rnn = cell(3, 4, batch_first=True, bidirectional=True)
    assert torch.equal(reached(rnn), ONES)
    assert torch.equal(reached(lambda x: rnn(x)[0][..., :4]), ONES.tril())
    assert torch.equal(reached(lambda x: rnn(x)[0][..., 4:]), ONES.triu())
    assert torch.equal(reached(cell(3, 4, batch_first=True)), ONES.tril())


def test_it_agrees_with_changing_the_inputs_one_by_one() -> None:
    torch.manual_seed(0)
    model = nn.Conv1d(3, 4, kernel_size=3, padding=1)

    def run(x: Tensor) -> Tensor:
        return model(x.transpose(1, 2)).transpose(1, 2)

    x = torch.randn(1, 6, 3)
    changed = torch.zeros(6, 6, dtype=torch.bool)
    for s in range(6):
        other = x.clone()
        other[0, s] += 1
        changed[:, s] = (run(other) != run(x)).any(-1)[0]
    assert torch.equal(dependence_map(run, x) > 0, changed)


def test_two_layers_mix_the_directions() -> None:
    torch.manual_seed(0)
    rnn = nn.GRU(3, 4, num_layers=2, batch_first=True, bidirectional=True)
    assert torch.equal(reached(lambda x: rnn(x)[0][..., :4]), ONES)


def test_a_softmax_or_a_layer_norm_at_the_end_hides_nothing() -> None:
    torch.manual_seed(0)
    rnn = nn.GRU(3, 4, batch_first=True)
    for last in (nn.Softmax(-1), nn.LayerNorm(4)):
        assert torch.equal(reached(lambda x, last=last: last(rnn(x)[0])), ONES.tril())


def test_the_model_and_the_input_stay_as_they_were() -> None:
    rnn = nn.LSTM(3, 4, batch_first=True)
    rnn.eval()
    x = torch.randn(1, 6, 3, requires_grad=True)
    with torch.no_grad():  # also works where gradients are off
        dependence_map(rnn, x)
    assert x.grad is None
    assert all(p.grad is None for p in rnn.parameters())
    assert not rnn.training


def test_ids_and_unbatched_inputs_are_refused_in_a_sentence() -> None:
    rnn = nn.LSTM(3, 4, batch_first=True)
    for inputs in (torch.zeros(1, 6, dtype=torch.long), torch.zeros(6, 3)):
        with pytest.raises(CourseError, match="float inputs of shape"):
            dependence_map(rnn, inputs)


# ── batch_dependence ────────────────────────────────────────────────────────────────────────────

APART, MIXED = torch.eye(5, dtype=torch.bool), torch.ones(5, 5, dtype=torch.bool)


@pytest.mark.parametrize("cell", [nn.RNN, nn.GRU, nn.LSTM])
def test_samples_mix_where_the_batch_is_read_as_time(cell: type[nn.RNNBase]) -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 7, 3)
    meant = cell(3, 4, batch_first=True, bidirectional=True)
    assert torch.equal(batch_dependence(meant, x) > 0, APART)
    assert torch.equal(batch_dependence(cell(3, 4), x) > 0, MIXED.tril())
    assert torch.equal(batch_dependence(cell(3, 4, bidirectional=True), x) > 0, MIXED)


def test_the_batch_may_stand_anywhere() -> None:
    torch.manual_seed(0)
    rnn = nn.GRU(3, 4, bidirectional=True)
    x = torch.randn(7, 5, 3)
    assert torch.equal(batch_dependence(rnn, x, batch_dim=1) > 0, APART)
    assert torch.equal(batch_dependence(rnn, x, batch_dim=-2) > 0, APART)
    # h_n: (2, batch, hidden_size), whatever the layout of the inputs
    assert torch.equal(batch_dependence(lambda x: rnn(x)[1], x, batch_dim=1) > 0, APART)
    swapped = batch_dependence(lambda x: rnn(x.transpose(0, 1))[1], x.transpose(0, 1), batch_dim=0,
                               output_batch_dim=1)  # fmt: skip
    assert torch.equal(swapped > 0, APART)


def test_it_agrees_with_changing_the_samples_one_by_one() -> None:
    torch.manual_seed(0)
    rnn = nn.GRU(3, 4, batch_first=True, bidirectional=True)

    def rows_mix(x: Tensor) -> Tensor:
        h_n: Tensor = rnn(x)[1]
        return h_n.reshape(len(x), -1)

    x = torch.randn(5, 7, 3)
    changed = torch.zeros(5, 5, dtype=torch.bool)
    for j in range(5):
        other = x.clone()
        other[j] += 1
        changed[:, j] = (rows_mix(other) != rows_mix(x)).any(1)
    found = batch_dependence(rows_mix, x) > 0
    assert torch.equal(found, changed)
    assert found.tolist()[0] == [True, True, False, False, False]


def test_one_number_per_sample_and_other_ranks_will_do() -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 3)
    head = nn.Linear(3, 1)
    assert torch.equal(batch_dependence(lambda x: head(x).squeeze(1), x) > 0, APART)
    assert torch.equal(batch_dependence(lambda x: head(x) - x.mean(), x) > 0, MIXED)
    assert torch.equal(
        batch_dependence(lambda x: head(x.flatten(1, -2)), x[:, None, None]) > 0, APART
    )


def test_batch_norm_mixes_in_training_mode_only() -> None:
    torch.manual_seed(0)
    norm, x = nn.BatchNorm1d(3), torch.randn(5, 3)
    assert torch.equal(batch_dependence(norm, x) > 0, MIXED)
    assert torch.equal(batch_dependence(norm.eval(), x) > 0, APART)


def test_a_softmax_at_the_end_hides_no_neighbour() -> None:
    torch.manual_seed(0)
    rnn, x = nn.GRU(3, 4), torch.randn(5, 7, 3)
    assert torch.equal(batch_dependence(lambda x: rnn(x)[0].softmax(-1), x) > 0, MIXED.tril())


def test_outputs_that_ignore_the_inputs_depend_on_none() -> None:
    weight = nn.Parameter(torch.ones(5, 2))
    assert not batch_dependence(lambda x: weight, torch.randn(5, 3)).any()


def test_the_model_and_the_batch_stay_as_they_were() -> None:
    rnn, x = nn.LSTM(3, 4).eval(), torch.randn(5, 7, 3, requires_grad=True)
    with torch.no_grad():
        batch_dependence(rnn, x)
    assert x.grad is None and x.requires_grad
    assert all(p.grad is None for p in rnn.parameters())


@pytest.mark.parametrize(
    ("model", "inputs", "sentence"),
    [
        (nn.GRU(3, 4), torch.zeros(5, 7, dtype=torch.long), "float inputs, not torch.int64"),
        (nn.GRU(3, 4), torch.zeros(1, 7, 3), "at least two samples"),
        (nn.GRU(3, 4), torch.zeros(()), "at least two samples"),
        (lambda x: nn.GRU(3, 4)(x)[0].transpose(0, 1), torch.zeros(5, 7, 3), "output_batch_dim"),
        (lambda x: nn.GRU(3, 4)(x)[0].sum(), torch.zeros(5, 7, 3), "output_batch_dim"),
        (lambda x: nn.GRU(3, 4)(x)[0].argmax(-1), torch.zeros(5, 7, 3), "without argmax"),
        (lambda x: nn.GRU(3, 4)(x)[0].detach(), torch.zeros(5, 7, 3), "carry no gradient"),
        (
            lambda x: nn.GRU(3, 4)(pack_padded_sequence(x, [7] * 5, batch_first=True)),
            torch.zeros(5, 7, 3),
            "end with pad_packed_sequence",
        ),
        (
            lambda x: pack_padded_sequence(x, [7] * 5, batch_first=True),
            torch.zeros(5, 7, 3),
            "end with pad_packed_sequence",
        ),
    ],
)
def test_what_cannot_be_probed_is_refused_in_a_sentence(
    model: Callable[[Tensor], object], inputs: Tensor, sentence: str
) -> None:
    with pytest.raises(CourseError, match=sentence):
        batch_dependence(model, inputs)


class Reader(nn.Module):
    """A bidirectional reader of ids whose handling of lengths is a switch."""

    def __init__(self, how: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.how = how
        self.embedding = nn.Embedding(9, 4, padding_idx=0)
        self.dropout = nn.Dropout(0.5)
        self.rnn = nn.GRU(4, 6, batch_first=True, bidirectional=how != "forward")

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        x = self.dropout(self.embedding(ids))
        if self.how in ("padded", "forward"):
            return self.rnn(x)[0]
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, h_n = self.rnn(packed)
        padded, _ = pad_packed_sequence(output, batch_first=True, total_length=ids.shape[1])
        if self.how == "mean":
            return padded.mean(1)
        return torch.cat([h_n[0], h_n[1]], dim=1) if self.how == "states" else padded


IDS, LENGTHS = torch.tensor([[3, 5, 1, 2], [4, 4, 7, 7], [8, 1, 1, 1]]), [4, 2, 1]


@pytest.mark.parametrize("how", ["packed", "states", "forward"])
def test_a_model_that_handles_lengths_rightly_does_not_depend_on_padding(how: str) -> None:
    change = pad_dependence(Reader(how), IDS, LENGTHS)
    assert change.shape == ((3,) if how == "states" else (3, 4))
    assert change.max() <= 1e-5


@pytest.mark.parametrize("how", ["padded", "mean"])
def test_one_that_does_not_is_found(how: str) -> None:
    change = pad_dependence(Reader(how), IDS, torch.tensor(LENGTHS))
    assert change.shape == ((3,) if how == "mean" else (3, 4))
    last = change if how == "mean" else change[torch.arange(3), torch.tensor(LENGTHS) - 1]
    assert last.min() > 1e-3


def test_padding_that_is_there_already_is_left_out_and_steps_after_the_end_are_zero() -> None:
    model = Reader("padded")
    other = IDS.clone()
    other[1, 2:] = 0
    change = pad_dependence(model, IDS, LENGTHS)
    assert torch.equal(change, pad_dependence(model, other, LENGTHS))
    assert torch.equal(change > 0, torch.arange(4) < torch.tensor(LENGTHS)[:, None])


def test_vectors_and_tuples_and_the_pad_value() -> None:
    torch.manual_seed(0)
    rnn = nn.LSTM(3, 4, batch_first=True, bidirectional=True, bias=False)
    x = torch.randn(2, 5, 3)

    def run(x: Tensor, lengths: Tensor) -> object:
        return rnn(x)

    # without biases, zeros leave the backward reader where it starts; anything else does not
    assert pad_dependence(run, x, [5, 3]).max() <= 1e-6
    assert pad_dependence(run, x, [5, 3], pad_value=1).max() > 1e-3


def test_one_step_of_padding_is_enough_to_be_seen() -> None:
    model = Reader("padded")
    assert pad_dependence(model, IDS, LENGTHS, pads=1).max() > 1e-3


def test_the_modes_of_a_model_come_back() -> None:
    model = Reader("packed")
    model.train()
    model.embedding.eval()
    pad_dependence(model, IDS, LENGTHS)
    assert model.training and model.dropout.training and not model.embedding.training


@pytest.mark.parametrize(
    ("lengths", "pads", "sentence"),
    [
        ([4, 2], 8, "for each of the 3 sequences"),
        ([4, 2, 5], 8, "a length from 1 to 4"),
        ([4, 0, 1], 8, "a length from 1 to 4"),
        (LENGTHS, 0, "pads must be at least 1"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths: list[int], pads: int, sentence: str) -> None:
    with pytest.raises(CourseError, match=sentence):
        pad_dependence(Reader("packed"), IDS, lengths, pads=pads)


def test_outputs_of_other_dimensions_are_refused() -> None:
    with pytest.raises(CourseError, match=r"not shape \(1, 4, 1, 1\)"):
        pad_dependence(lambda ids, n: ids[..., None, None].float(), IDS, LENGTHS)
    with pytest.raises(CourseError, match="no tensor"):
        pad_dependence(lambda ids, n: None, IDS, LENGTHS)


def test_a_call_that_is_tried_out_says_its_shape_or_its_error() -> None:
    rnn, x = nn.GRU(3, 4, batch_first=True, bidirectional=True), torch.randn(2, 6, 3)
    assert try_out(lambda: rnn(x)) == "runs, (2, 6, 8)"
    assert try_out(lambda: rnn(x)[1]) == "runs, (2, 2, 4)"
    assert try_out(lambda: x.tolist()) == try_out(tuple) == "runs"

    def two_lines() -> None:
        raise ValueError("first\nsecond")

    assert try_out(two_lines) == "ValueError: first"
    assert try_out(lambda: rnn(x[..., :2])).startswith("RuntimeError: input.size(-1)")
    assert try_out(lambda: [][0]) == "IndexError: list index out of range"
