"""How a model is called, and how what it returns is read."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from birnn_course.auditing.keeping import Snapshot, seed_everything
from birnn_course.errors import CourseError, message_of
from birnn_course.explain.extension import TABLE
from birnn_course.explain.matching import explanation_of

_LENGTHS = re.compile(r"len|^(n|ns|l|ls|sizes|n_steps|valid)$", re.IGNORECASE)
_SOMETHING_ELSE = re.compile(r"mask|^(h|c|hx|h0|h_0|c0)$|hid|state|target|label|tag", re.IGNORECASE)


class CallFailedError(Exception):
    """The model raised; ``misconceptions`` are those that the course knows behind the message."""

    def __init__(self, error: Exception) -> None:
        explained = explanation_of(error, TABLE)
        self.misconceptions = explained.misconceptions if explained else ()
        super().__init__(message_of(error, 160))


class ShapeError(Exception):
    """What the model returned has not the axes that it had before."""


@dataclasses.dataclass(frozen=True)
class Axes:
    """Which axes of a result are which; None for one that there is not.

    ``steps`` says whether the time axis has one entry per step of the input.
    """

    batch: int | None
    time: int | None
    ndim: int
    steps: bool = True


class Subject:
    """A model with everything needed to call it.

    The probes speak to it in one language: inputs ``(batch, seq_len, …)``, lengths as a list, and
    results as float64 on the CPU, ``(batch, seq_len, n)`` or ``(batch, n)``.
    """

    axes = Axes(None, None, 0)
    labels = False

    def __init__(
        self, model: Callable[..., object], state: Snapshot, *, time_first: bool, has_lengths: bool
    ) -> None:
        self.model, self.state = model, state
        self.time_first, self.has_lengths = time_first, has_lengths
        self.lengths_as, self.lengths_needed = lengths_parameter(model)

    @property
    def takes_lengths(self) -> bool:
        """Whether the model is called with lengths."""
        return self.lengths_as is not None and (self.has_lengths or self.lengths_needed)

    def raw(
        self, x: Tensor, lengths: list[int], *, seed: int | None = 0, reset: bool = True
    ) -> Tensor:
        """What the model returns, as it returns it; complex numbers as pairs.

        ``x`` is batch first, whatever the model wants. Each call begins from the same state of the
        model and the same random numbers, unless it is told otherwise.
        """
        if reset:
            self.state.restore()
        if seed is not None:
            seed_everything(seed)
        inputs = x.transpose(0, 1).contiguous() if self.time_first else x
        more: list[Tensor] = []
        named: dict[str, Tensor] = {}
        if self.lengths_as is not None and self.takes_lengths:
            if self.lengths_as in ("second", "any"):
                more.append(torch.tensor(lengths))
            else:
                named[self.lengths_as] = torch.tensor(lengths)
        # A model that prints its shapes would print them a hundred times.
        printed = contextlib.redirect_stdout(io.StringIO())
        try:
            with torch.no_grad(), warnings.catch_warnings(), printed:
                warnings.simplefilter("ignore")
                try:
                    result = self.model(inputs, *more, **named)
                except TypeError:
                    if self.lengths_as != "any":
                        raise
                    self.lengths_as = None  # *args that go on to somebody who takes one
                    result = self.model(inputs)
        except Exception as error:
            raise CallFailedError(error) from None
        tensor = first_tensor(result, batch_first=not self.time_first)
        return torch.view_as_real(tensor) if tensor.is_complex() else tensor

    def run(
        self, x: Tensor, lengths: list[int], *, seed: int | None = 0, reset: bool = True
    ) -> Tensor:
        """The result as float64 on the CPU: ``(batch, seq_len, n)`` or ``(batch, n)``."""
        return self.arrange(self.raw(x, lengths, seed=seed, reset=reset), len(x))

    def arrange(self, result: Tensor, n_samples: int) -> Tensor:
        """A result with its axes in the probes' order."""
        axes, values = self.axes, result.detach().cpu().double()
        assert axes.batch is not None
        if values.dim() == axes.ndim - 1 and n_samples == 1:
            values = values.unsqueeze(axes.batch)  # the model squeezed the batch of one away
        if values.dim() != axes.ndim or values.shape[axes.batch] != n_samples:
            shape = tuple(result.shape)
            raise ShapeError(f"for {n_samples} sequences the result has shape {shape}")
        if axes.time is None:
            return values.movedim(axes.batch, 0).reshape(n_samples, -1)
        values = values.movedim((axes.batch, axes.time), (0, 1))
        return values.reshape(n_samples, values.shape[1], -1)


def parameters_of(function: Callable[..., object]) -> list[inspect.Parameter]:
    """The parameters of a function or of a module's forward; none where they cannot be known."""
    function = getattr(function, "_orig_mod", function)
    try:
        signature = inspect.signature(getattr(function, "forward", None) or function)
    except (TypeError, ValueError):
        return []
    return list(signature.parameters.values())


def by_place(parameter: inspect.Parameter) -> bool:
    """Whether an argument can be passed without its name."""
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def lengths_parameter(model: Callable[..., object]) -> tuple[str | None, bool]:
    """How a model takes lengths, and whether it insists on them.

    Returns
    -------
    str or None, bool
        ``"second"`` for the second argument, a name for a keyword, ``"any"`` for ``*args`` that
        may go on to somebody who takes them, None if it takes none.
    """
    parameters = parameters_of(model)
    if not parameters or any(p.kind is p.VAR_POSITIONAL for p in parameters[:2]):
        return "any", False
    for i, p in enumerate(parameters[1:], 1):
        required = p.default is p.empty
        other = bool(_SOMETHING_ELSE.search(p.name))
        named = bool(_LENGTHS.search(p.name)) and not other
        if i == 1 and by_place(p) and (named or (required and not other)):
            return "second", required
        if named and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD):
            return p.name, required
    return None, False


def first_tensor(result: object, *, batch_first: bool = True) -> Tensor:
    """The first tensor with an axis in what a model returned; a packed one is unpacked."""
    tensors = list(_tensors(result, batch_first))
    for tensor in tensors:
        if tensor.dim() > 0 or len(tensors) == 1:  # a loss may stand before the scores
            return tensor
    raise CourseError(
        "the model must return a tensor, or a tuple, a dict or a dataclass that begins with one, "
        f"not {type(result).__name__}; audit a function that picks it out: "
        "audit(lambda x: model(x).scores, batch)."
    )


def _tensors(value: object, batch_first: bool, depth: int = 0) -> Iterator[Tensor]:
    parts: Iterable[Any] = ()
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, PackedSequence):
        yield pad_packed_sequence(value, batch_first=batch_first)[0]
    elif isinstance(value, Mapping):
        parts = value.values()
    elif isinstance(value, list | tuple):
        parts = value
    elif dataclasses.is_dataclass(value):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif hasattr(value, "__dict__"):
        parts = vars(value).values()
    for part in parts if depth < 4 else ():
        yield from _tensors(part, batch_first, depth + 1)


def axes_of(
    shape: tuple[int, ...],
    size: tuple[int, int],
    others: list[tuple[tuple[int, ...], tuple[int, int]]],
) -> Axes:
    """Find the batch and the time axis: those that follow when batch and time change.

    ``shape`` is that of the result for inputs of this ``size``, (batch, seq_len); ``others`` are
    such pairs for inputs of other sizes.
    """
    others = [(s, z) for s, z in others if len(s) == len(shape)]

    def follows(k: int, which: int) -> bool:
        return shape[k] == size[which] and all(s[k] == z[which] for s, z in others)

    axes = range(len(shape))
    batch = next((k for k in axes if follows(k, 0)), None)
    time = next((k for k in axes if k != batch and follows(k, 1)), None)
    if time is not None or len(shape) < 2:
        return Axes(batch, time, len(shape))
    # An axis that changes with time alone and is not as long: the model sums up several steps.
    longer = [s for s, z in others if z[0] == size[0] and z[1] != size[1]]
    coarse = [k for k in axes if k != batch for s in longer if s[k] != shape[k]]
    return Axes(batch, coarse[0] if coarse else None, len(shape), steps=not coarse)
