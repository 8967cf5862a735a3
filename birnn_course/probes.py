"""Questions to ask a model that it answers by running: no assumption about its inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from birnn_course.errors import CourseError


def dependence_map(model: Callable[[Tensor], object], inputs: Tensor) -> Tensor:
    """Which inputs reach which outputs, and how strongly.

    Backpropagates from the outputs of one time step and looks at which time steps of the input
    receive a gradient; then the same from the next. An entry that is not zero proves a path. A
    zero is what a missing path gives, but also a gradient too small for its number format (long
    sequences) or a step without one (a hard threshold): probe with short random inputs.

    Parameters
    ----------
    model : callable
        Maps ``inputs`` to outputs ``(batch, seq_len, features)``, or to a tuple that starts with
        them, as ``nn.RNN``, ``nn.GRU`` and ``nn.LSTM`` with ``batch_first=True`` do.
    inputs : Tensor
        Float, ``(batch, seq_len, features)``; one sequence with random values will do.

    Returns
    -------
    Tensor
        ``(output steps, input steps)``: entry ``[t, s]`` is the sum of the absolute gradients of
        a fixed random mixture of the features of output ``t`` with respect to input ``s``.

    Raises
    ------
    CourseError
        If ``inputs`` are not floats with three dimensions; ids have no gradient.
    """
    if inputs.dim() != 3 or not inputs.is_floating_point():
        raise CourseError(
            "dependence_map needs float inputs of shape (batch, seq_len, features), not "
            f"{inputs.dtype} of shape {tuple(inputs.shape)}; pass vectors instead of ids."
        )
    inputs = inputs.detach().clone().requires_grad_()
    # cuDNN refuses to go backward through an RNN in eval mode; PyTorch's own kernels do not mind.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        result = model(inputs)
        outputs = result[0] if isinstance(result, tuple) else result
        assert isinstance(outputs, Tensor)
        # Not their plain sum: after a softmax or a LayerNorm that is a constant.
        generator = torch.Generator().manual_seed(0)
        mixture = torch.randn(outputs.shape[-1], generator=generator).to(outputs)
        steps = (outputs @ mixture).unbind(1)
        grads = [torch.autograd.grad(step.sum(), inputs, retain_graph=True)[0] for step in steps]
    return torch.stack([grad.abs().sum((0, 2)) for grad in grads])


def pad_dependence(
    model: Callable[[Tensor, Tensor], object],
    inputs: Tensor,
    lengths: Tensor | Sequence[int],
    *,
    pads: int = 8,
    pad_value: float = 0,
) -> Tensor:
    """How much each answer changes when padding is added after a sequence's end.

    Every sequence is run twice, alone: without any padding, and followed by ``pads`` steps of it.
    So nothing but the padding differs. A model that handles lengths rightly changes by rounding
    only, at most about 1e-5. A large number proves a dependence; a small one is about these
    inputs, this much padding and this pad value.

    Parameters
    ----------
    model : callable
        Maps inputs ``(1, seq_len)`` or ``(1, seq_len, features)`` and lengths ``(1,)``, on the CPU,
        to outputs ``(1, seq_len, features)``, one per step, or ``(1, features)``, one per sequence;
        or to a tuple that starts with them. A module is run in eval mode and left as it was.
    inputs : Tensor
        ``(batch, seq_len)`` of ids or ``(batch, seq_len, features)``; what stands after an end is
        not looked at.
    lengths : Tensor or sequence of int
        ``(batch,)``: how many steps of each sequence are real.
    pads : int
        How many steps of padding are added; at least 1.
    pad_value : float
        What stands in them: the id of the pad symbol, or the value of every feature.

    Returns
    -------
    Tensor
        On the CPU, the largest absolute change over the features: ``(batch, seq_len)`` for one
        output per step, zero after the end; ``(batch,)`` for one per sequence.

    Raises
    ------
    CourseError
        If lengths and inputs do not fit together, or the outputs have other dimensions.
    """
    ends = [int(n) for n in lengths]
    if len(ends) != len(inputs) or not all(1 <= n <= inputs.shape[1] for n in ends):
        raise CourseError(
            f"pad_dependence needs a length from 1 to {inputs.shape[1]} for each of the "
            f"{len(inputs)} sequences, not {ends}."
        )
    if pads < 1:
        raise CourseError(f"pads must be at least 1, not {pads}.")
    changes = []
    with torch.no_grad(), _eval_mode(model):
        for sequence, n in zip(inputs, ends, strict=True):
            real = sequence[None, :n]
            padding = torch.full_like(real[:, :1], pad_value).repeat_interleave(pads, dim=1)
            clean, padded = (
                _outputs_of(model(x, torch.tensor([n])))
                for x in (real, torch.cat([real, padding], dim=1))
            )
            if clean.dim() == 3:
                clean, padded = clean[:, :n], padded[:, :n]
            change = (padded - clean).abs().amax(-1)[0].cpu()
            if clean.dim() == 3:
                change = torch.cat([change, change.new_zeros(inputs.shape[1] - n)])
            changes.append(change)
    return torch.stack(changes)


def _outputs_of(result: object) -> Tensor:
    """The outputs in what a model returned, with two or three dimensions."""
    outputs = result[0] if isinstance(result, tuple) else result
    if not isinstance(outputs, Tensor) or outputs.dim() not in (2, 3):
        what = f"shape {tuple(outputs.shape)}" if isinstance(outputs, Tensor) else "no tensor"
        raise CourseError(
            "the model must return (batch, seq_len, features) or (batch, features), not "
            + what
            + "."
        )
    return outputs


@contextmanager
def _eval_mode(model: object) -> Iterator[None]:
    """A module with its dropout off; each of its parts is left in the mode it was in."""
    parts = {m: m.training for m in model.modules()} if isinstance(model, nn.Module) else {}
    try:
        for part in parts:
            part.training = False
        yield
    finally:
        for part, training in parts.items():
            part.training = training
