"""Which device the notebooks compute on, whether it can be trusted, and repeatable numbers."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course.errors import CourseError
from birnn_course.seeding import seeded

TOLERANCE = 1e-4
"""Devices add in another order; a wrong direction or state is off by 0.1 and more."""
LAYERS = ("RNN", "GRU", "LSTM")
_LENGTHS = [7, 5, 2]


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


def differences(device: torch.device | str) -> dict[str, float]:
    """How far each kind of bidirectional layer is from the CPU, at most, on this device.

    Parameters
    ----------
    device : torch.device or str
        The one to be compared.

    Returns
    -------
    dict of str to float
        For "LSTM, 2 layers, packed" and the like the largest difference of any output, final state
        or gradient.
    """
    found = {}
    for kind, num_layers, packed in product(LAYERS, (1, 2), (False, True)):
        with seeded():
            layer = getattr(nn, kind)(4, 5, num_layers, batch_first=True, bidirectional=True)
            x = torch.randn(len(_LENGTHS), max(_LENGTHS), 4)
        there = copy.deepcopy(layer).to(device)
        pairs = zip(_results(layer, x, packed), _results(there, x, packed), strict=True)
        name = f"{kind}, {num_layers} layer{'s' * (num_layers > 1)}{', packed' * packed}"
        found[name] = max(float((one - other).abs().max()) for one, other in pairs)
    return found


def _results(layer: nn.RNNBase, x: Tensor, packed: bool) -> Iterator[Tensor]:
    """Outputs, final states and the gradients of all weights, on the CPU."""
    layer.train()  # cuDNN computes gradients in no other mode
    x = x.to(layer.all_weights[0][0].device)
    if packed:
        output, state = layer(pack_padded_sequence(x, torch.tensor(_LENGTHS), batch_first=True))
        output = pad_packed_sequence(output, batch_first=True)[0]
    else:
        output, state = layer(x)
    states = state if isinstance(state, tuple) else (state,)
    sum((part**2).sum() for part in (output, *states)).backward()
    gradients = [weight.grad for weight in layer.parameters() if weight.grad is not None]
    for part in (output, *states, *gradients):
        yield part.detach().cpu()
