"""What only a GPU can show, run by ``make test-gpu``; and that these checks can fail."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from birnn_course import SequenceTagger, fit, names_task
from birnn_course import device as devices
from birnn_course.data import batches_of_one_length
from birnn_course.device import TOLERANCE, differences, setup


def test_the_cpu_agrees_with_itself_and_another_direction_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = differences("cpu")
    assert len(found) == 12 and max(found.values()) < 1e-6
    results, calls = devices._results, iter(range(1_000))

    def turned(layer: nn.RNNBase, x: torch.Tensor, packed: bool) -> object:
        return results(layer, x.flip(1) if next(calls) % 2 else x, packed)

    monkeypatch.setattr(devices, "_results", turned)
    assert min(differences("cpu").values()) > 100 * TOLERANCE


@pytest.fixture
def gpu() -> torch.device:
    device = setup()
    assert device.type == "cuda", "BIRNN_DEVICE=cuda, on a machine with a GPU"
    return device


@pytest.mark.gpu
def test_every_kind_of_layer_agrees_with_the_cpu(gpu: torch.device) -> None:
    found = differences(gpu)
    print(found)
    assert {name: worst for name, worst in found.items() if not worst < TOLERANCE} == {}


@pytest.mark.gpu
def test_lengths_stay_on_the_cpu(gpu: torch.device) -> None:
    x = torch.randn(2, 3, 4, device=gpu)
    with pytest.raises(RuntimeError, match="CPU"):
        pack_padded_sequence(x, torch.tensor([3, 2], device=gpu), batch_first=True)
    pack_padded_sequence(x, torch.tensor([3, 2]), batch_first=True)


@pytest.mark.gpu
def test_a_state_on_another_device_raises(gpu: torch.device) -> None:
    gru = nn.GRU(4, 5, batch_first=True, bidirectional=True).to(gpu)
    with pytest.raises(RuntimeError, match="same device"):
        gru(torch.randn(2, 3, 4, device=gpu), torch.zeros(2, 2, 5))


@pytest.mark.gpu
def test_cudnn_has_no_gradients_in_eval(gpu: torch.device) -> None:
    lstm = nn.LSTM(4, 5, batch_first=True, bidirectional=True).to(gpu).eval()
    loss = lstm(torch.randn(2, 3, 4, device=gpu))[0].sum()
    with pytest.raises(RuntimeError, match="training mode"):
        loss.backward()
    with torch.backends.cudnn.flags(enabled=False):
        lstm(torch.randn(2, 3, 4, device=gpu))[0].sum().backward()


@pytest.mark.gpu
def test_weights_that_are_not_one_chunk_only_warn(gpu: torch.device) -> None:
    tidy = nn.GRU(4, 5, batch_first=True, bidirectional=True).to(gpu)
    scattered = nn.GRU(4, 5, batch_first=True, bidirectional=True).to(gpu)
    # Not with new parameters: for those, PyTorch gathers the weights at the next call.
    for mine, weight in zip(scattered.parameters(), tidy.parameters(), strict=True):
        mine.data = weight.detach().clone()
    x = torch.randn(2, 3, 4, device=gpu)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        output = scattered(x)[0]
    assert any("single contiguous chunk" in str(warning.message) for warning in caught)
    assert torch.allclose(output, tidy(x)[0], rtol=0, atol=1e-5)


@pytest.mark.gpu
def test_the_same_seed_trains_the_same_model(gpu: torch.device) -> None:
    task = names_task()
    ids, tags = (part.tolist() for part in task.sample(500, seed=1))
    batches = batches_of_one_length(zip(ids, tags, strict=True), 50, gpu)

    def losses() -> list[float]:
        torch.manual_seed(0)
        tagger = SequenceTagger(len(task.words), len(task.tags), 16, bidirectional=True).to(gpu)
        return fit(tagger, batches, epochs=2)

    first, second = losses(), losses()
    assert first == pytest.approx(second, rel=1e-3)
