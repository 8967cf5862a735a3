"""How a known error is recognised: by its message, and by what its frames hold."""

from __future__ import annotations

import ast
import linecache
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from types import FrameType, ModuleType, TracebackType
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Explanation:
    """What a learner is told.

    Parameters
    ----------
    text : str
        One or two sentences with the numbers of this call.
    misconceptions : tuple of str
        Ids of what may be behind it, the likeliest first.
    """

    text: str
    misconceptions: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """A message that the course knows.

    Parameters
    ----------
    fragment : str
        Regular expression that is found in the message; whatever the type of the exception, which
        has changed between versions of PyTorch.
    explain : callable
        Gets the clues; returns None if the error is another one after all.
    """

    fragment: str
    explain: Callable[[Clues], Explanation | None]


def known(
    table: list[Known], fragment: str
) -> Callable[[Callable[[Clues], Explanation | None]], Callable[[Clues], Explanation | None]]:
    """Put the decorated function into a table, under a message's fragment."""

    def enter(
        explain: Callable[[Clues], Explanation | None],
    ) -> Callable[[Clues], Explanation | None]:
        table.append(Known(fragment, explain))
        return explain

    return enter


def explanation_of(error: BaseException, table: Iterable[Known]) -> Explanation | None:
    """The explanation of an error, or of the one that it came from; None if none is known."""
    for link in _chain(error):
        message = str(link)
        for entry in table:
            match = re.search(entry.fragment, message)
            if match and link.__traceback__ is not None:
                found = entry.explain(Clues(match, link.__traceback__))
                if found:
                    return found
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then those that Python shows above it."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        yield link
        seen.add(id(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


class Clues:
    """What an error gives away: the numbers in its message, and the values in its frames.

    Lives only while one error is explained. Nothing is called but ``nn.Module.modules``: an
    explanation never runs the learner's code a second time.
    """

    def __init__(self, match: re.Match[str], trace: TracebackType) -> None:
        self.match = match
        # Of a very deep recursion the last frames will do.
        steps = list(traceback.walk_tb(trace))[-60:]
        self.frames: list[FrameType] = [frame for frame, _ in reversed(steps)]
        while trace.tb_next is not None:
            trace = trace.tb_next
        self._last = trace

    def number(self, group: str) -> int:
        """A named group of the fragment, as a number."""
        return int(self.match[group])

    def sizes(self, group: str) -> tuple[int, ...]:
        """A named group such as ``2, 3, 6``, as a tuple."""
        return tuple(int(size) for size in re.findall(r"\d+", self.match[group]))

    def local(self, name: str) -> Any:
        """A variable of the function that raised; None if it has no such variable."""
        return self.frames[0].f_locals.get(name)

    @property
    def function(self) -> str:
        """The name of the function that raised."""
        return self.frames[0].f_code.co_name

    @property
    def rnn(self) -> nn.RNNBase | None:
        """The RNN inside whose own code the error was raised, if it was."""
        module = self.local("self")
        return module if isinstance(module, nn.RNNBase) else None

    @property
    def rnn_input(self) -> Tensor | None:
        """The tensor that the RNN was called with, as it was; None for a PackedSequence."""
        for frame in self.frames:
            there = frame.f_locals
            if there.get("self") is self.rnn is not None and frame.f_code.co_name == "forward":
                x = there.get("input")
                if not isinstance(x, Tensor) or there.get("batch_sizes") is not None:
                    return None
                # By now it has turned one sequence into a batch of one.
                one = there.get("is_batched") is False and x.dim() == 3
                return x.squeeze(there["batch_dim"]) if one else x
        return None

    @cached_property
    def values(self) -> list[Any]:
        """All that the frames can see: their variables, and the notebook's."""
        scopes = [frame.f_locals for frame in self.frames]
        scopes += [f.f_globals for f in self.frames if f.f_globals.get("__name__") == "__main__"]
        seen = {id(value): value for scope in scopes for value in scope.values()}
        return list(seen.values())

    @cached_property
    def rnns(self) -> list[nn.RNNBase]:
        """The RNNs that the frames can see, within other modules too."""
        found = {
            id(inner): inner
            for value in self.values
            if isinstance(value, nn.Module)
            for inner in value.modules()
            if isinstance(inner, nn.RNNBase)
        }
        return list(found.values())

    @property
    def tensors(self) -> list[Tensor]:
        """The tensors that the frames can see under a name."""
        return [value for value in self.values if isinstance(value, Tensor)]

    def inside(self, kind: type[nn.Module]) -> bool:
        """Whether a module of this kind was being called."""
        return any(isinstance(frame.f_locals.get("self"), kind) for frame in self.frames)

    # The source of what raised. Python knows the columns of the expression, not only the line.

    @cached_property
    def _tree(self) -> ast.Module | None:
        frame = self.frames[0]
        lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
        try:
            return ast.parse("".join(lines)) if lines else None
        except SyntaxError:
            return None

    @cached_property
    def expression(self) -> ast.expr | None:
        """The expression that raised; None if there is no source."""
        positions = self._last.tb_frame.f_code.co_positions()
        line, end_line, column, end_column = next(islice(positions, self._last.tb_lasti // 2, None))
        begin, end = (line, column), (end_line, end_column)
        nodes = [n for n in ast.walk(self._tree) if isinstance(n, ast.expr)] if self._tree else []
        nodes = [node for node in nodes if (node.end_lineno, node.end_col_offset) == end]
        exact = [node for node in nodes if (node.lineno, node.col_offset) == begin]
        # A method call over several lines is said to begin at the method's name.
        return next(iter([*exact, *(node for node in nodes if isinstance(node, ast.Call))]), None)

    @property
    def assigned(self) -> ast.expr | None:
        """The right side of the assignment whose left side raised; None if none did."""
        for node in ast.walk(self._tree) if self._tree and self.expression else ():
            if isinstance(node, ast.Assign) and any(
                part is self.expression for target in node.targets for part in ast.walk(target)
            ):
                return node.value
        return None

    def value(self, node: ast.expr | None) -> Any:
        """What a name, ``name.module`` or ``name[0]`` stands for; None for anything else."""
        if isinstance(node, ast.Name):
            frame = self.frames[0]
            return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if isinstance(owner, ModuleType):
                return vars(owner).get(node.attr)
            return owner._modules.get(node.attr) if isinstance(owner, nn.Module) else None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            pair, position = self.value(node.value), node.slice.value
            if isinstance(pair, tuple | list | nn.Sequential) and isinstance(position, int):
                return pair[position]
        return None

    def named(self, node: ast.expr | None) -> list[Any]:
        """What the names in an expression stand for, from left to right."""
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)] if node else []
        names.sort(key=lambda name: (name.lineno, name.col_offset))
        return [self.value(name) for name in names]


def directions(rnn: nn.RNNBase) -> int:
    """1 or 2."""
    return 2 if rnn.bidirectional else 1


def states(rnn: nn.RNNBase) -> int:
    """The first size of ``h_n``."""
    return rnn.num_layers * directions(rnn)


def width(rnn: nn.RNNBase) -> int:
    """The last size of ``h_n``: of one direction."""
    return rnn.proj_size or rnn.hidden_size


def is_output(tensor: object, rnn: nn.RNNBase) -> bool:
    """Whether a tensor has the form of what this RNN returns for every step."""
    last = directions(rnn) * width(rnn)
    return isinstance(tensor, Tensor) and tensor.dim() == 3 and tensor.shape[2] == last


def is_state(tensor: object, rnn: nn.RNNBase) -> bool:
    """Whether a tensor has the form of this RNN's ``h_n`` for a batch."""
    return (
        isinstance(tensor, Tensor)
        and tensor.dim() == 3
        and (tensor.shape[0], tensor.shape[2]) == (states(rnn), width(rnn))
    )


def shape(tensor: Tensor) -> tuple[int, ...]:
    """A shape that prints as ``(3, 5, 4)``."""
    return tuple(tensor.shape)


def listed(values: Iterable[object]) -> str:
    """``5, 3, 2``; cut after eight."""
    values = list(values)
    return ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")
