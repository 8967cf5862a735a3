"""Run a student's notebook in this process and call functions of it, as the grader asks.

From the first cell on nothing here can be trusted: the student's code may have changed any of it.
The grader believes no verdict, only values.
"""

from __future__ import annotations

import io
import socket
import sys
from contextlib import suppress
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from birnn_course.errors import message_of
from birnn_course.running.calling import Outcome, call_safely, time_limit
from birnn_course.sandbox import LONGEST_TEXT, MISSING, MOST_ERRORS, wire

# What belongs to the notebook's own machine: installing, plotting inline, other languages.
NOT_HERE = (
    "pip", "conda", "mamba", "uv", "matplotlib", "load_ext", "reload_ext", "autoreload", "gui",
    "bash", "sh", "script", "system", "html", "javascript", "cd",
)  # fmt: skip


def shell() -> InteractiveShell:
    """The IPython in which notebooks run, without history, colours or programs of the system."""
    config = Config()
    config.HistoryManager.enabled = False  # its thread would be lost in a fork
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 0
    config.DisplayFormatter.active_types = ["text/plain"]  # nobody looks at the others
    made = InteractiveShell.instance(config=config)
    for name in NOT_HERE:
        # IPython's stub takes the function's first parameter for itself.
        made.register_magic_function(lambda line: None, "line", name)  # type: ignore[arg-type]
        made.register_magic_function(lambda line, cell: None, "cell", name)  # type: ignore[arg-type]
    # `!ls`, windows for plots, and the tracebacks that nobody reads and that take time.
    for name in ("system", "getoutput", "enable_gui", "showtraceback", "showsyntaxerror"):
        setattr(made, name, lambda *_, **__: None)
    setattr(made, "ask_exit", _leave)  # noqa: B010  what exit() calls; mypy knows of none
    return made


def _leave() -> None:
    raise SystemExit


def serve(grader: socket.socket, ipython: InteractiveShell, start: tuple[Any, ...]) -> None:
    """Answer the grader until it hangs up.

    ``start`` is its first message: ``(by hand, cells, names, seconds for a cell, seconds for a
    function)``; what is to be done by hand has been seen to. The answer is a list of ``(number of
    cell, message)`` for cells that raised. Each message after that is ``(nonce, name, arguments)``;
    the answer is ``(nonce, kind, value, text, printed)``.
    """
    _, cells, names, cell_seconds, function_seconds = start
    sys.stdout = sys.stderr = _Nowhere()
    sys.stdin = io.StringIO()
    found, errors = _run(ipython, cells, names, cell_seconds)
    wire.send(grader, errors)
    with suppress(EOFError):
        while True:
            nonce, name, arguments = wire.receive(grader)
            outcome = _call(found[name], arguments, function_seconds)
            texts = outcome.text[:LONGEST_TEXT], outcome.printed[:LONGEST_TEXT]
            answer = (nonce, outcome.kind, outcome.value, *texts)
            wire.send(grader, answer)


def _run(
    ipython: InteractiveShell, cells: list[str], names: list[str], seconds: float
) -> tuple[dict[str, list[Any]], list[tuple[int, str]]]:
    """Run all cells; what each name was set to, last first, and what was raised where."""
    found: dict[str, list[Any]] = {name: [] for name in names}
    errors: list[tuple[int, str]] = []
    import builtins

    builtins.input = lambda *_: ""
    for number, source in enumerate(cells, 1):
        error: BaseException | None
        try:
            with time_limit(seconds, f"more than {seconds:g} seconds"):
                result = ipython.run_cell(source, store_history=False)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as raised:  # sys.exit() and what slips through IPython
            error = raised
        if error is not None and len(errors) < MOST_ERRORS:
            errors.append((number, _words(error)[:LONGEST_TEXT]))
        for name, values in found.items():
            value = ipython.user_ns.get(name)
            if callable(value) and not any(value is earlier for earlier in values):
                values.insert(0, value)
    return found, errors


def _words(error: BaseException) -> str:
    if type(error) is SyntaxError and error.lineno is not None:
        # Not the name of the cell's file, which nobody has.
        return f"SyntaxError: {error.msg} in line {error.lineno}"
    return message_of(error)


def _call(candidates: list[Any], arguments: tuple[Any, ...], seconds: float) -> Outcome:
    """The last definition of a function counts, unless it is a stub and an earlier one is not.

    A solution may stand in a new cell above the one with the stub.
    """
    outcome = Outcome("empty", text="" if candidates else MISSING)
    with time_limit(seconds, f"more than {seconds:g} seconds"):
        for function in candidates:
            outcome = call_safely(function, arguments)
            if outcome.kind != "empty":
                break
    return outcome


class _Nowhere(io.TextIOBase):
    """Takes what cells print and keeps nothing."""

    encoding = "utf-8"

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str) -> int:
        """The length of the text, as every file says."""
        return len(text)
