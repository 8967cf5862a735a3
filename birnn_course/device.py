"""Which device the notebooks compute on, and the switches that make their numbers repeatable."""

from __future__ import annotations

import os
import warnings

import torch

from birnn_course.errors import CourseError
from birnn_course.parity import TOLERANCE, differences


def pick_device(name: str | None = None) -> torch.device:
    """The device called ``name``, or what ``BIRNN_DEVICE`` says, or ``auto``.

    Parameters
    ----------
    name : {"cpu", "cuda", "mps", "auto"}, optional
        ``auto`` is a CUDA GPU if there is one, else the CPU. Apple's ``mps`` is used only when
        asked for by name, and only if it computes bidirectional layers as the CPU does: older
        versions of PyTorch did not (pytorch issues 90421 and 94754). If not, the CPU is used, and
        a warning says so.

    Raises
    ------
    CourseError
        If the name is unknown, or this machine has no such device.
    """
    name = (name or os.environ.get("BIRNN_DEVICE") or "auto").lower()
    here = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return torch.device("cuda" if here["cuda"] else "cpu")
    if name not in here:
        raise CourseError(
            f"BIRNN_DEVICE is {name!r}, but it must be cpu, cuda, mps or auto; set one of these."
        )
    if not here[name]:
        raise CourseError(
            f"BIRNN_DEVICE is {name!r}, but PyTorch finds no such device here; "
            "set BIRNN_DEVICE=auto to use what there is."
        )
    if name == "mps" and (worst := max(differences(name).values())) > TOLERANCE:
        warnings.warn(
            f"Bidirectional layers on mps are off by up to {worst:.2g} with this PyTorch, so the "
            "CPU is used.",
            stacklevel=2,
        )
        name = "cpu"
    return torch.device(name)


def setup(seed: int = 0) -> torch.device:
    """Make this notebook's numbers repeatable and say which device to use.

    Seeds PyTorch, uses one CPU thread (with more, a busy machine was up to ten times slower on
    these small models), and turns TF32 off so that a GPU rounds like a CPU.

    Returns
    -------
    torch.device
        See :func:`pick_device`.
    """
    device = pick_device()
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return device
