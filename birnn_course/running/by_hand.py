"""What an exercise is to be done without: functions of the course that refuse to work for it.

Their code is exchanged in place, so it does not matter where somebody has put them before, or by
which name they are called.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any


@contextmanager
def out_of_reach(names: Iterable[str]) -> Iterator[None]:
    """Let what these dotted names stand for refuse to work meanwhile."""
    kept = [(function, function.__code__, name) for function, name in _functions(names)]
    try:
        for function, _, name in kept:
            function.__code__ = _refusal(name)
        yield
    finally:
        for function, code, _ in kept:
            function.__code__ = code


def refuse(names: Iterable[str]) -> list[str]:
    """Let them refuse for good in this process; the files in which their code can still be read."""
    names = list(names)
    sources = {inspect.getsourcefile(pkgutil.resolve_name(name)) for name in names}
    for function, name in _functions(names):
        function.__code__ = _refusal(name)
    files = [file for source in sources if source for file in (source, cache_from_source(source))]
    return [file for file in files if Path(file).exists()]


def _functions(names: Iterable[str]) -> Iterator[tuple[FunctionType, str]]:
    """Every function that a name stands for, each with what its user calls it."""
    for name in names:
        found = pkgutil.resolve_name(name)
        if isinstance(found, ModuleType):
            for inner, value in vars(found).items():
                if getattr(value, "__module__", "") == found.__name__:
                    yield from ((function, inner) for function in _within(value))
        else:
            yield from ((function, name.rpartition(".")[2]) for function in _within(found))


def _within(value: Any) -> Iterator[FunctionType]:
    """A function itself, or those of a class."""
    if isinstance(value, type):
        for method in vars(value).values():
            yield from _within(getattr(method, "fget", getattr(method, "__func__", method)))
    elif isinstance(value, FunctionType) and not value.__closure__:
        # What has a closure was made by the standard library, for a named tuple, say.
        yield value


def _refusal(name: str) -> CodeType:
    """The code of a function that says why it does not work."""

    def refuse(*_: object, **__: object) -> None:
        from birnn_course.errors import CourseError

        raise CourseError("TEXT")

    text = (
        "this exercise is to be done by hand: here and when it is graded it has to do without "
        f"`{name}`"
    )
    code = refuse.__code__
    return code.replace(co_consts=tuple(text if c == "TEXT" else c for c in code.co_consts))
