"""What an exercise is: a function to write, the cases that judge it, and how people get it wrong.

What goes into a learner's function and comes out of it is plain data, so that it can travel
between processes: tensors, numbers, strings, tuples, lists, dicts. A module travels as its class
name, its arguments and its weights (:data:`Module`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from birnn_course.running.plain import Arguments as Arguments

Level = Literal["callable", "type", "shape", "direction", "padding", "value"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""What is looked at, in this order; the first that fails is what the learner hears about."""

Module = tuple[str, dict[str, Any], dict[str, Tensor]]
"""A module of ``torch.nn`` on its way: class name, arguments, state dict."""


EQUALS = "Your result equals what you get if "


@dataclass(frozen=True)
class Mistake:
    """A misconception as a function that a learner who has it would write.

    Parameters
    ----------
    misconception : str
        Its id in the catalogue. Two mistakes of one exercise may have the same.
    when : str
        Completes "Your result equals what you get if …".
    function : callable
        Takes the exercise's arguments, whatever the case, and returns the wrong result.
    """

    misconception: str
    when: str
    function: Callable[..., Any]

    @property
    def named(self) -> str:
        """What is said to whoever makes it."""
        return f"{EQUALS}{self.when}."


@dataclass(frozen=True)
class Exercise:
    """One function that the learner writes.

    Parameters
    ----------
    name : str
        The function's name; the exercise is found by it.
    unit : str
        Two digits.
    points : int
        For the right result in all cases; otherwise 0.
    title : str
        What the function does, in a few words.
    cases : callable
        Gets a generator and whether the cases are hidden (for marks) or public (for the learner).
        Returns the arguments of each call. All that is drawn comes from the generator.
    reference : callable
        Returns the right result. Its parameters are those the learner's function must take.
    mistakes : tuple of Mistake
        The cases must tell them from the reference and from each other.
    levels : dict
        One or two sentences for each level that can fail: what is wrong and what to do next.
        Every exercise needs ``type`` and ``value``, and one that returns a tensor, a list, a tuple
        or a dict needs ``shape``. ``callable`` speaks for itself, so it has none. Without
        ``direction``, a right set of numbers in a wrong order counts as wrong values.
    hints : tuple of three str
        From a nudge to nearly the code.
    tolerance : float
        The largest difference between two equal numbers.
    real : callable, optional
        For exercises with padded batches. Gets the arguments and returns a bool tensor with the
        leading dimensions of the result: which of its entries are not padding.
    by_hand : tuple of str
        Dotted names of functions, classes and modules of the course that would answer it. The
        notebook says that it is to be done without them, and they refuse to work for it, in
        ``check`` and when it is graded.
    part : str
        The heading in a lesson of its unit under which it is taught; a check that fails names it.
    apart : bool
        Whether the other exercises of the notebook may use these, so that this one runs apart
        from them when it is graded.
    """

    name: str
    unit: str
    points: int
    title: str
    cases: Callable[[torch.Generator, bool], list[Arguments]]
    reference: Callable[..., Any]
    mistakes: tuple[Mistake, ...]
    levels: Mapping[Level, str]
    hints: tuple[str, str, str]
    tolerance: float = 1e-5
    real: Callable[..., Tensor] | None = None
    by_hand: tuple[str, ...] = ()
    part: str = ""
    apart: bool = False

    @property
    def probes(self) -> tuple[str, ...]:
        """Ids of all misconceptions that this exercise can name."""
        return tuple(dict.fromkeys(mistake.misconception for mistake in self.mistakes))

    def sentence(self, level: Level) -> str:
        """What its author says of a level that fails; a plain sentence where that is nothing."""
        return self.levels.get(level, f"The result is wrong: see its {level}.")

    def draw(self, seed: int, *, hidden: bool) -> list[Arguments]:
        """The cases for one seed, on the CPU whatever the default device is."""
        with torch.device("cpu"):
            return self.cases(torch.Generator().manual_seed(seed), hidden)


def random_module(name: str, arguments: dict[str, Any], generator: torch.Generator) -> Module:
    """A module of ``torch.nn`` with random weights, in which every path can be measured.

    All weights are positive, so that paths do not cancel out, and neither so small that a path
    vanishes nor so large that a state saturates.
    """
    weights = {}
    for key, shape in _shapes(name, **arguments).items():
        largest = 0.1
        if key.startswith("weight"):  # inputs may be larger than states, which are below 1
            largest = (0.5 if key.startswith("weight_ih_l0") else 1) / shape[-1]
        weights[key] = largest * (0.5 + 0.5 * torch.rand(shape, generator=generator))
    return name, arguments, weights


@cache
def _shapes(name: str, **arguments: Any) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in bare(name)(**arguments).state_dict().items()}


def build_module(module: Module) -> nn.Module:
    """The module that arrived as class name, arguments and state dict."""
    name, arguments, weights = module
    built = bare(name)(**arguments)
    built.load_state_dict(weights)
    return built


@cache
def bare(name: str) -> type[nn.Module]:
    """The class of ``torch.nn`` with this name, but that no weights are drawn: they take most of
    the time, and others are put in their place.
    """
    kind = getattr(nn, name)
    assert issubclass(kind, nn.Module)
    return type(name, (kind,), {"reset_parameters": lambda self: None})
