"""Whether a device computes recurrent layers as the CPU does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course.seeding import seeded

TOLERANCE = 1e-4
"""Devices add in another order; a wrong direction or state is off by 0.1 and more."""
LAYERS = ("RNN", "GRU", "LSTM")
_LENGTHS = [7, 5, 2]


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
