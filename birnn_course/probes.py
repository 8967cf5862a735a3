"""Questions to ask a model that it answers by running: no assumption about its inside."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

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
