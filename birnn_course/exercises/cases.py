"""What the units share to draw the cases of their exercises, and to run modules in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import TypeVar

import torch
from torch import Generator, Tensor, nn

from birnn_course.exercises.spec import Module, random_module

T = TypeVar("T")

CELLS = ("RNN", "GRU", "LSTM")


def random_int(low: int, high: int, generator: Generator) -> int:
    """A random integer from ``low`` to ``high``, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def in_turn(options: tuple[T, ...], generator: Generator) -> Iterator[T]:
    """All options again and again, so that none is missing; which comes first is random."""
    start = random_int(0, len(options) - 1, generator)
    return cycle(options[start:] + options[:start])


def until(enough: Callable[[T], bool], draw: Callable[[], T]) -> T:
    """What ``draw`` draws, for the first time that it is enough: what decides must be there."""
    while not enough(drawn := draw()):
        pass
    return drawn


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
