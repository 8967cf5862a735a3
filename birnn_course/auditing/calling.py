"""How a model is called, and how what it returns is read."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import io
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from birnn_course.auditing.keeping import Snapshot, seed_everything
from birnn_course.errors import CourseError
from birnn_course.explain.extension import TABLE
from birnn_course.explain.matching import explanation_of

_LENGTHS = re.compile(r"len|^(n|ns|l|ls|sizes|n_steps|valid)$", re.IGNORECASE)
_SOMETHING_ELSE = re.compile(r"mask|^(h|c|hx|h0|h_0|c0)$|hid|state|target|label|tag", re.IGNORECASE)


class CallFailedError(Exception):
    """The model raised; ``misconceptions`` are those that the course knows behind the message."""

    def __init__(self, error: Exception) -> None:
        explained = explanation_of(error, TABLE)
        self.misconceptions = explained.misconceptions if explained else ()
        text = " ".join(str(error).split())
        short = text if len(text) <= 160 else f"{text[:160]} …"
        super().__init__(f"{type(error).__name__}: {short}" if short else type(error).__name__)


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

    def __init__(
        self, model: Callable[..., object], state: Snapshot, *, time_first: bool, padded_ends: bool
    ) -> None:
        self.model = model
        self.state = state
        self.time_first = time_first
        self.lengths_as, self.lengths_needed = lengths_parameter(model)
        self.padded_ends = padded_ends
        self.axes: Axes | None = None
        self.labels = False
        self.squeezed = False
        self.calls = 0

    @property
    def takes_lengths(self) -> bool:
        """Whether the model is called with lengths."""
        return self.lengths_as is not None and (self.padded_ends or self.lengths_needed)

    def raw(
        self, x: Tensor, lengths: list[int] | None, *, seed: int | None = 0, reset: bool = True
    ) -> Tensor:
        """What the model returns, as it returns it.

        ``x`` is batch first, whatever the model wants. Each call begins from the same state of the
        model and the same random numbers, unless it is told otherwise.
        """
        if reset:
            self.state.restore()
        if seed is not None:
            seed_everything(seed)
        inputs = x.transpose(0, 1).contiguous() if self.time_first else x
        arguments: list[object] = [inputs]
        keywords: dict[str, object] = {}
        if self.takes_lengths and lengths is not None:
            where = torch.tensor(lengths, dtype=torch.long)
            if self.lengths_as in ("second", "any"):
                arguments.append(where)
            else:
                keywords[str(self.lengths_as)] = where
        self.calls += 1
        try:
            with torch.no_grad(), warnings.catch_warnings(), _quiet():
                warnings.simplefilter("ignore")
                try:
                    result = self.model(*arguments, **keywords)
                except TypeError:
                    if self.lengths_as != "any":
                        raise
                    self.lengths_as = None  # *args that go on to somebody who takes one
                    result = self.model(inputs)
        except Exception as error:
            raise CallFailedError(error) from None
        return first_tensor(result, batch_first=not self.time_first)

    def run(
        self, x: Tensor, lengths: list[int] | None, *, seed: int | None = 0, reset: bool = True
    ) -> Tensor:
        """The result as float64 on the CPU: ``(batch, seq_len, n)`` or ``(batch, n)``."""
        return self.arrange(self.raw(x, lengths, seed=seed, reset=reset), len(x))

    def arrange(self, result: Tensor, n_samples: int) -> Tensor:
        """A result with its axes in the probes' order."""
        axes = self.axes
        assert axes is not None and axes.batch is not None
        if result.is_complex():
            result = torch.view_as_real(result)
        values = result.detach().cpu().double()
        if values.dim() == axes.ndim - 1 and n_samples == 1:
            values = values.unsqueeze(axes.batch)  # the model squeezed the batch of one away
            self.squeezed = True
        if values.dim() != axes.ndim or values.shape[axes.batch] != n_samples:
            raise ShapeError(
                f"for {n_samples} sequences the result has shape {tuple(result.shape)}"
            )
        if axes.time is None:
            return values.movedim(axes.batch, 0).reshape(n_samples, -1)
        values = values.movedim((axes.batch, axes.time), (0, 1))
        return values.reshape(n_samples, values.shape[1], -1)


def lengths_parameter(model: Callable[..., object]) -> tuple[str | None, bool]:
    """How a model takes lengths, and whether it insists on them.

    Returns
    -------
    str or None, bool
        ``"second"`` for the second argument, a name for a keyword, ``"any"`` for ``*args`` that
        may go on to somebody who takes them, None if it takes none.
    """
    model = getattr(model, "_orig_mod", model)
    call = getattr(model, "forward", None) or model
    try:
        parameters = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return "any", False
    kinds = inspect.Parameter
    if not parameters or parameters[0].kind is kinds.VAR_POSITIONAL:
        return "any", False
    for i, p in enumerate(parameters[1:], 1):
        if p.kind is kinds.VAR_POSITIONAL and i == 1:
            return "any", False
        required = p.default is kinds.empty
        named = _LENGTHS.search(p.name) and not _SOMETHING_ELSE.search(p.name)
        by_place = p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        plain = named or (required and not _SOMETHING_ELSE.search(p.name))
        if i == 1 and by_place and plain:
            return "second", required
        if named and p.kind in (kinds.KEYWORD_ONLY, kinds.POSITIONAL_OR_KEYWORD):
            return p.name, required
    return None, False


def first_tensor(result: object, *, batch_first: bool = True) -> Tensor:
    """The first tensor with an axis in what a model returned; a packed one is unpacked."""
    tensors = list(_tensors(result, batch_first, 0))
    for tensor in tensors:
        if tensor.dim() > 0 or len(tensors) == 1:  # a loss may stand before the scores
            return tensor
    raise CourseError(
        "the model must return a tensor, or a tuple, a dict or a dataclass that begins with one, "
        f"not {type(result).__name__}; audit a function that picks it out: "
        "audit(lambda x: model(x).scores, batch)."
    )


def _tensors(value: object, batch_first: bool, depth: int) -> Iterable[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, PackedSequence):
        yield pad_packed_sequence(value, batch_first=batch_first)[0]
    elif depth < 4:
        parts: Iterable[object] = ()
        if isinstance(value, Mapping):
            parts = value.values()
        elif isinstance(value, list | tuple):
            parts = value
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
        elif hasattr(value, "__dict__"):
            parts = vars(value).values()
        for part in parts:
            yield from _tensors(part, batch_first, depth + 1)


def axes_of(
    shape: tuple[int, ...], size: tuple[int, int], others: list[tuple[tuple[int, ...], Any]]
) -> Axes:
    """Find the batch and the time axis: those that follow when batch and time change.

    Parameters
    ----------
    shape : tuple of int
        That of the result.
    size : (int, int)
        Batch and seq_len of the inputs.
    others : list of (tuple of int, (int, int))
        Shapes of results for inputs of other sizes.
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


def _quiet() -> contextlib.AbstractContextManager[object]:
    """A model that prints its shapes would print them a hundred times."""
    return contextlib.redirect_stdout(io.StringIO())
