from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from birnn_course import dependence_map
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
