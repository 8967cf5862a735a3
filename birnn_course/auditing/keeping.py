"""Leave a model, the random numbers and the global switches as they were."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import random
import re
from collections import deque
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# What nn.Module keeps for itself; a forward pass leaves it alone, and probes hang hooks in it.
_MACHINERY = re.compile(
    r"_(parameters|modules|forward|backward|state_dict|load_state_dict|is_full)"
)


def parts_of(model: object) -> tuple[list[nn.Module], list[object]]:
    """The modules that a callable uses, outermost first, and the other objects that it is made of.

    A function is looked into: a module in its closure or among the globals that it names is found,
    so that ``lambda x, n: net(x)`` can be switched to eval mode like ``net``.
    """
    roots: list[nn.Module] = []
    others: list[object] = []
    seen: set[int] = set()

    def visit(thing: object, depth: int) -> None:
        if id(thing) in seen or depth > 4:
            return
        seen.add(id(thing))
        if isinstance(thing, nn.Module):
            roots.append(thing)
            return
        inside: list[object] = []
        if isinstance(thing, FunctionType):
            with contextlib.suppress(TypeError, ValueError):
                names = inspect.getclosurevars(thing)
                inside = [*names.nonlocals.values(), *names.globals.values()]
            inside += [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()]
        elif isinstance(thing, functools.partial):
            inside = [thing.func, *thing.args, *thing.keywords.values()]
        elif isinstance(thing, MethodType):
            inside = [thing.__self__]
        elif isinstance(thing, list | tuple | dict):
            inside = list(thing.values() if isinstance(thing, dict) else thing)
        elif not isinstance(thing, type | ModuleType | BuiltinFunctionType | Tensor) and (
            type(thing).__module__.partition(".")[0] not in ("torch", "numpy", "builtins")
        ):
            others.append(thing)
            inside = list(getattr(thing, "__dict__", {}).values())
        for part in inside:
            visit(part, depth + 1)

    visit(model, 0)
    return roots, others


class Snapshot:
    """Everything that the objects given hold now, to be put back.

    Attributes are put back as the very same objects; lists, dicts and tensors that were changed in
    place get their old content again. What a C++ object keeps to itself is out of reach. Without
    ``parameters`` only what may be a state is kept.
    """

    def __init__(self, owners: list[object], *, parameters: bool = True) -> None:
        self._attributes = [(o, dict(vars(o))) for o in owners if hasattr(o, "__dict__")]
        self._containers: list[tuple[Any, Any]] = []
        self._tensors: list[list[Any]] = []
        self._puts: list[Callable[[], object]] = []
        self._parameters = parameters
        self._seen: set[int] = set()
        for _, attributes in self._attributes:
            for name, value in attributes.items():
                if parameters or not _MACHINERY.match(name):
                    self._keep(value, 0)

    def _keep(self, value: Any, depth: int) -> None:
        if id(value) in self._seen or depth > 5:
            return
        self._seen.add(id(value))
        if isinstance(value, Tensor):
            if self._parameters or not isinstance(value, nn.Parameter):
                version = None if value.is_inference() else value._version
                kept = value.detach().clone()
                self._tensors.append([value, version, kept, value.grad, value.requires_grad])
        elif isinstance(value, torch.Generator):
            self._puts.append(functools.partial(value.set_state, value.get_state()))
        elif isinstance(value, random.Random):
            self._puts.append(functools.partial(value.setstate, value.getstate()))
        elif isinstance(value, np.random.Generator):
            bits = value.bit_generator
            self._puts.append(functools.partial(setattr, bits, "state", bits.state))
        elif isinstance(value, dict | list | set | deque | tuple):
            if not isinstance(value, tuple):
                self._containers.append((value, copy.copy(value)))
            for part in value.values() if isinstance(value, dict) else value:
                self._keep(part, depth + 1)

    def restore(self, *, thoroughly: bool = False) -> None:
        """Put everything back; ``thoroughly`` compares every number, not only versions."""
        for owner, kept in self._attributes:
            _refill(vars(owner), kept)
        for container, kept in self._containers:
            _refill(container, kept)
        for entry in self._tensors:
            tensor, version, kept, grad, requires_grad = entry
            changed = version is not None and tensor._version != version
            if changed or (thoroughly and not torch.equal(tensor.data, kept)):
                tensor.data.copy_(kept)
                entry[1] = None if version is None else tensor._version
            if tensor.is_leaf:
                if tensor.grad is not grad:
                    tensor.grad = grad
                if tensor.requires_grad != requires_grad:
                    tensor.requires_grad_(requires_grad)
        for put in self._puts:
            put()


def _refill(container: Any, kept: Any) -> None:
    """Give a container its old content, if it has another one by now."""
    if isinstance(container, dict):
        if list(container) != list(kept) or any(container[k] is not v for k, v in kept.items()):
            container.clear()
            container.update(kept)
    elif len(container) != len(kept) or (
        container != kept
        if isinstance(container, set)
        else any(a is not b for a, b in zip(container, kept, strict=True))
    ):
        container.clear()
        (container.update if isinstance(container, set) else container.extend)(kept)


@contextlib.contextmanager
def everything_kept(owners: list[object]) -> Iterator[None]:
    """Whatever happens inside, also an error: afterwards all is as it was."""
    with contextlib.ExitStack() as after:
        after.callback(torch.set_rng_state, torch.get_rng_state())
        after.callback(random.setstate, random.getstate())
        after.callback(np.random.set_state, np.random.get_state())
        after.callback(torch.set_default_dtype, torch.get_default_dtype())
        after.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(1)  # the batches are tiny, and threads would wait for one another
        if torch.cuda.is_available():
            if torch.cuda.is_initialized():
                after.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
            switches: list[Any] = [torch.backends.cuda.matmul, torch.backends.cudnn]
            for part in switches:
                after.callback(setattr, part, "allow_tf32", part.allow_tf32)
                part.allow_tf32 = False  # its rounding (1e-3) would pass for an influence
        after.callback(Snapshot(owners).restore, thoroughly=True)
        yield


def seed_everything(seed: int) -> None:
    """The same random numbers for the next call as for every other one."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)


@contextlib.contextmanager
def in_float64(modules: list[nn.Module], default: torch.dtype) -> Iterator[None]:
    """Weights and buffers in float64; afterwards the same tensors hold their own numbers again."""
    tensors = {id(t): t for m in modules for t in (*m._parameters.values(), *m._buffers.values())
               if t is not None and t.is_floating_point()}.values()  # fmt: skip
    kept, before = [(t, t.data) for t in tensors], torch.get_default_dtype()
    try:
        torch.set_default_dtype(default)
        for tensor, data in kept:
            tensor.data = data.double()
        yield
    finally:
        torch.set_default_dtype(before)
        for tensor, data in kept:
            tensor.data = data


class Coarsest(TorchDispatchMode):
    """Listens to every operation for the number format with the largest rounding."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype = torch.float64

    def __torch_dispatch__(  # type: ignore[no-untyped-def]
        self, func, types, args=(), kwargs=None
    ):
        result = func(*args, **(kwargs or {}))
        for t in tree_leaves(result):
            floats = isinstance(t, Tensor) and t.is_floating_point()
            if floats and torch.finfo(t.dtype).eps > torch.finfo(self.dtype).eps:
                self.dtype = t.dtype
        return result
