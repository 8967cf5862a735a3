"""Snippets of Python in data files: the one way to run a demonstration or a proof."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from birnn_course.seeding import seeded


def execute(source: str, name: str) -> dict[str, Any]:
    """Execute ``source`` in a fresh namespace and return that namespace.

    It holds ``torch``, ``nn`` and ``F`` and nothing of the file the snippet came from, so a
    snippet cannot look at the key it is to prove. PyTorch is seeded with 0, on the CPU.

    Parameters
    ----------
    source : str
        The snippet.
    name : str
        Where it came from, for tracebacks.
    """
    namespace: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "__name__": name}
    with seeded():
        exec(compile(source, f"<{name}>", "exec"), namespace)
    return namespace


def printed(source: str, name: str) -> str:
    """What ``source`` prints, without the last line break."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        execute(source, name)
    return output.getvalue().rstrip("\n")


def showing(source: str, name: str) -> str:
    """A whole program of a demonstration, which prints how ``wrong`` and ``right`` differ.

    Parameters
    ----------
    source : str
        A snippet that sets both names.
    name : str
        Where it came from, for tracebacks.
    """
    try:
        namespace = execute(source, name)
        wrong, right = namespace["wrong"], namespace["right"]
    except Exception:  # such as one that needs a GPU
        wrong = right = None
    difference = "print(wrong, right)"
    if isinstance(wrong, torch.Tensor) and isinstance(right, torch.Tensor):
        if wrong.shape != right.shape:
            difference = "print(wrong.shape, right.shape)"
        elif wrong.numel() > 1 and wrong.is_floating_point():
            difference = "print((wrong - right).abs().max())"
        elif wrong.numel() > 1:
            difference = 'print((wrong != right).sum(), "numbers of", right.numel(), "differ")'
    functional = "import torch.nn.functional as F\n" if "F." in source else ""
    header = f"import torch\n{functional}from torch import nn\n\ntorch.manual_seed(0)\n"
    return f"{header}{source.rstrip()}\n{difference}"


def same(first: object, second: object) -> bool:
    """Equality that also understands tensors, up to rounding, and looks into sequences."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        close = first.shape == second.shape and first.dtype == second.dtype
        return close and torch.allclose(first, second, rtol=0, atol=1e-5)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        pairs = zip(first, second, strict=False)
        return len(first) == len(second) and all(same(a, b) for a, b in pairs)
    if type(first) is bool or type(second) is bool:
        return first is second
    return bool(first == second)
