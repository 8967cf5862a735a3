from __future__ import annotations

import pytest
import torch

from birnn_course.device import pick_device, setup
from birnn_course.errors import CourseError


def test_auto_takes_a_gpu_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BIRNN_DEVICE", raising=False)
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device().type == "cuda"
    monkeypatch.setenv("BIRNN_DEVICE", "CPU")
    assert pick_device().type == "cpu"


def test_mps_only_when_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto").type == "cpu"
    monkeypatch.setattr("birnn_course.device.differences", lambda _: {"LSTM": 1e-6})
    assert pick_device("mps").type == "mps"
    monkeypatch.setattr("birnn_course.device.differences", lambda _: {"LSTM": 1e-6, "GRU": 0.3})
    with pytest.warns(UserWarning, match=r"off by up to 0\.3 .* so the CPU is used"):
        assert pick_device("mps").type == "cpu"


def test_a_device_that_is_not_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("BIRNN_DEVICE", "cuda")
    with pytest.raises(CourseError, match="BIRNN_DEVICE=auto") as caught:
        pick_device()
    assert caught.value._render_traceback_() == [f"birnn_course: {caught.value}"]
    with pytest.raises(CourseError, match="cpu, cuda, mps or auto"):
        pick_device("tpu")


def test_setup_makes_numbers_repeatable_with_one_thread() -> None:
    device = setup(3)
    first = torch.randn(2)
    assert setup(3) == device
    assert torch.equal(torch.randn(2), first)
    assert torch.get_num_threads() == 1
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
