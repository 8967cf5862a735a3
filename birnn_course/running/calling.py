"""Call a function that somebody else wrote, and tell what came of it, whatever that was."""

from __future__ import annotations

import contextlib
import io
import linecache
import signal
import sysconfig
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from birnn_course.errors import message_of
from birnn_course.running.plain import Arguments, NotPlainError, Plain, copied, decode
from birnn_course.seeding import seeded

MOST_PRINTED = 2_000
_STDLIB = Path(sysconfig.get_path("stdlib"))
_COURSE = Path(__file__).resolve().parent.parent

Kind = Literal["returned", "empty", "refused", "raised", "stopped"]


@dataclass(frozen=True)
class Outcome:
    """What came of one call.

    Parameters
    ----------
    kind : {"returned", "empty", "refused", "raised", "stopped"}
        It returned plain data; it is still a stub; it returned something else; it raised; the
        learner interrupted it.
    value : plain data
        What it returned; None for the other kinds.
    text : str
        What it returned or raised, and where, in words; empty if it returned plain data.
    printed : str
        The beginning of what it printed.
    """

    kind: Kind
    value: Plain = None
    text: str = ""
    printed: str = ""


def call(function: Callable[..., Any], arguments: Arguments, seed: int = 0) -> Any:
    """Call with copies of the arguments, and with the same random numbers for the same seed."""
    with seeded(seed):
        return function(*copied(arguments))


def call_safely(function: Callable[..., Any], arguments: Arguments, seed: int = 0) -> Outcome:
    """Call a learner's function; nothing it does comes out of here as an exception.

    Its result is copied at once: what the learner's code changes later does not matter.
    """
    printed = _Beginning()
    try:
        with contextlib.redirect_stdout(printed):
            result = call(function, arguments, seed)
            if result is None or result is ...:
                return Outcome("empty", printed=printed.getvalue())
            return Outcome("returned", decode(result), printed=printed.getvalue())
    except NotPlainError as error:
        return Outcome("refused", text=str(error), printed=printed.getvalue())
    except BaseException as error:  # sys.exit() and the stop button as well
        place = _learners_line(error)
        if _is_stub(error, place):
            return Outcome("empty", printed=printed.getvalue())
        kind: Kind = "stopped" if isinstance(error, KeyboardInterrupt) else "raised"
        where = f" in line {place[0]}, `{place[1]}`" if place else ""
        return Outcome(kind, text=f"{message_of(error)}{where}", printed=printed.getvalue())


class TooLongError(KeyboardInterrupt):
    """Interrupts a learner's code as the stop button would."""


@contextlib.contextmanager
def time_limit(seconds: float, text: str) -> Iterator[None]:
    """Raise :class:`TooLongError` with this text after so many seconds, where the system can."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooLongError(text)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Beginning(io.StringIO):
    """Keeps what is printed first, however much is printed."""

    def write(self, text: str) -> int:
        room = MOST_PRINTED - self.tell()
        super().write(text[: max(room, 0)])
        return len(text)


def _learners_line(error: BaseException) -> tuple[int, str] | None:
    """Number and text of the innermost line that is in no library, if there is one."""
    for frame, number in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = frame.f_code.co_filename
        if not _in_a_library(name):
            return number, linecache.getline(name, number).strip()
    return None


def _in_a_library(name: str) -> bool:
    path = Path(name)
    return (
        name.startswith("<frozen")
        or not {"site-packages", "dist-packages"}.isdisjoint(path.parts)
        or path.is_relative_to(_STDLIB)
        or path.is_relative_to(_COURSE)
    )


def _is_stub(error: BaseException, place: tuple[int, str] | None) -> bool:
    # PyTorch raises NotImplementedError too, with a text, where an operation has no code.
    if not isinstance(error, NotImplementedError):
        return False
    return not error.args or (
        place is not None and place[1].startswith("raise NotImplementedError")
    )
