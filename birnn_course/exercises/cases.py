"""What the units share to draw the cases of their exercises, and to run modules in them."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from birnn_course.exercises.spec import Module, random_module

CELLS = ("RNN", "GRU", "LSTM")


def random_int(low: int, high: int, generator: Generator) -> int:
    """A random integer from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def recurrent(
    cell: str,
    input_size: int,
    hidden_size: int,
    generator: Generator,
    *,
    layers: int = 1,
    batch_first: bool = True,
    bidirectional: bool = True,
) -> Module:
    """A recurrent module with random weights; see :func:`random_module`."""
    arguments = {
        "input_size": input_size,
        "hidden_size": hidden_size,
        "num_layers": layers,
        "batch_first": batch_first,
        "bidirectional": bidirectional,
    }
    return random_module(cell, arguments, generator)


def outputs_of(rnn: nn.Module, x: Tensor, state: Tensor | None = None) -> Tensor:
    """The first of the two things that a recurrent module returns."""
    outputs = rnn(x, state)[0]
    assert isinstance(outputs, Tensor)
    return outputs
