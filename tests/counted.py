"""Work that is counted and not timed: the same on every machine, however busy it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Work(NamedTuple):
    """Functions called, Python's own included, and numbers that PyTorch's operations returned."""

    calls: int
    numbers: int


class _Numbers(TorchDispatchMode):
    returned = 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = operation(*args, **(kwargs or {}))
        self.returned += sum(x.numel() for x in tree_leaves(found) if isinstance(x, Tensor))
        return found


def calls(function: Callable[[], object]) -> int:
    """How many functions are called while this one runs."""
    found = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal found
        found += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(before)
    return found


def imported(code: str, before: str = "pass") -> set[str]:
    """The modules that some code loads in a Python of its own, beyond those loaded before it."""
    program = (
        f"import sys\n{before}\nloaded = set(sys.modules)\n{code}\n"
        "print(*set(sys.modules) - loaded)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stdout.splitlines()[-1].split())


def work(function: Callable[[], object]) -> Work:
    """What a function does when it is run again: what it does only once is not counted."""
    with _Numbers():
        function()
    with _Numbers() as numbers:
        function()
    return Work(calls(function), numbers.returned)
