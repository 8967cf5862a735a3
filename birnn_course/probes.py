"""Questions to ask a model that it answers by running: no assumption about its inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

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


def try_out(call: Callable[[], object]) -> str:
    """Make a call and say what becomes of it, also if that is an error.

    Parameters
    ----------
    call : callable
        Takes nothing, as ``lambda: layer(x)``.

    Returns
    -------
    str
        ``runs, (3, 7, 8)`` with the shape of the tensor that comes back, or of the first of
        several; ``runs`` if none does; else the kind of the error and its first line.
    """
    try:
        result = call()
    except Exception as error:
        return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    first = result[0] if isinstance(result, tuple) and result else result
    return f"runs, {tuple(first.shape)}" if isinstance(first, Tensor) else "runs"


def batch_dependence(
    model: Callable[[Tensor], object],
    inputs: Tensor,
    *,
    batch_dim: int = 0,
    output_batch_dim: int | None = None,
) -> Tensor:
    """Which samples of a batch reach the outputs of which samples, and how strongly.

    Backpropagates from all outputs of one sample and looks at which samples of the input receive
    a gradient; then the same from the next. A model that treats its samples apart gives a matrix
    that is zero outside the diagonal. An entry that is not zero proves a path. A zero is what a
    missing path gives, but also a gradient too small for its number format or a step without one:
    probe with short random inputs. Layers that mix samples on purpose, such as BatchNorm in
    training mode, show as well: call ``model.eval()`` first.

    Parameters
    ----------
    model : callable
        Maps ``inputs`` to a float tensor, or to a tuple that starts with one, as ``nn.RNN``,
        ``nn.GRU`` and ``nn.LSTM`` do. What else the model needs, such as lengths, is given by a
        function around it: ``lambda x: model(x, lengths)``.
    inputs : Tensor
        Float, with at least two samples along ``batch_dim``, such as ``(batch, seq_len,
        features)``; random values will do. Sizes that all differ make a mix-up visible.
    batch_dim : int
        The dimension of ``inputs`` in which one sample follows the other.
    output_batch_dim : int, optional
        That of the outputs, if it is another one; 1 for ``h_n``.

    Returns
    -------
    Tensor
        ``(batch, batch)``: entry ``[i, j]`` is the sum of the absolute gradients of a fixed random
        mixture of all outputs of sample ``i`` with respect to the inputs of sample ``j``.

    Raises
    ------
    CourseError
        If ``inputs`` are not floats (ids have no gradient) or hold fewer than two samples; if the
        outputs are packed or carry no gradient, or their number of samples is another one.
    """
    inputs = inputs.detach().clone()
    if not inputs.is_floating_point():
        raise CourseError(
            f"batch_dependence needs float inputs, not {inputs.dtype}; test the part of the model "
            "after the embedding, with vectors instead of ids."
        )
    if not -inputs.dim() <= batch_dim < inputs.dim() or inputs.shape[batch_dim] < 2:
        raise CourseError(
            "batch_dependence needs at least two samples: inputs of shape "
            f"{tuple(inputs.shape)} do not hold them along dimension {batch_dim}."
        )
    samples = inputs.movedim(batch_dim, 0)
    n_samples = len(samples)
    samples.requires_grad_()
    # cuDNN refuses to go backward through an RNN in eval mode; PyTorch's own kernels do not mind.
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        result = model(samples.movedim(0, batch_dim))
        packed = isinstance(result, PackedSequence)  # which is a tuple as well
        outputs = result[0] if isinstance(result, tuple) else result
        if packed or isinstance(outputs, PackedSequence):
            raise CourseError(
                "batch_dependence cannot tell the samples of a PackedSequence apart; let the "
                "model end with pad_packed_sequence."
            )
        assert isinstance(outputs, Tensor)
        rows = _by_sample(outputs, n_samples, batch_dim, output_batch_dim)
        # Not their plain sum: after a softmax or a LayerNorm that is a constant.
        generator = torch.Generator().manual_seed(0)
        mixture = torch.randn(rows.shape[1], generator=generator).to(rows)
        grads = [
            torch.autograd.grad(mixed, samples, retain_graph=True, materialize_grads=True)[0]
            for mixed in (rows @ mixture).unbind()
        ]
    return torch.stack([grad.abs().flatten(1).sum(1) for grad in grads])


def _by_sample(outputs: Tensor, n_samples: int, batch_dim: int, output_dim: int | None) -> Tensor:
    """Outputs as ``(batch, everything else)``, if there are as many samples as in the inputs."""
    dim = batch_dim if output_dim is None else output_dim
    if not -outputs.dim() <= dim < outputs.dim() or outputs.shape[dim] != n_samples:
        raise CourseError(
            f"the inputs hold {n_samples} samples, and outputs of shape {tuple(outputs.shape)} do "
            f"not hold as many along dimension {dim}; say which one it is with output_batch_dim, "
            "or look for the place where the axes were swapped."
        )
    if not outputs.requires_grad:
        raise CourseError(
            f"the outputs, of type {outputs.dtype}, carry no gradient; let the model return its "
            "scores, without argmax, detach or no_grad."
        )
    return outputs.movedim(dim, 0).flatten(1) if outputs.dim() > 1 else outputs.unsqueeze(1)


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
            f"the model must return (batch, seq_len, features) or (batch, features), not {what}."
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
