"""Where submissions are marked: threads of this process, or the workers of a Dask cluster.

Either way the same function marks one submission, in a sandbox that its worker keeps.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn_course.errors import CourseError
from birnn_course.grading.marking import Marked, mark
from birnn_course.grading.prison import Job, NoSandboxError, Prison, Way


@dataclass(frozen=True)
class Terms:
    """What holds for all submissions of a run.

    Parameters
    ----------
    seed : int
        Of the hidden cases.
    seconds : float
        For one submission, by the clock.
    way : {"many", "once", "unprotected"}
    bank : Path or None
        A lecturer's own exercises.
    hidden : tuple of Path
        What students' code must not see, wherever it lies.
    """

    seed: int
    seconds: float
    way: Way
    bank: Path | None
    hidden: tuple[Path, ...]


@dataclass(frozen=True)
class Task:
    """One submission to be marked: whose it is, its file's name, its bytes and their digest."""

    student: str
    name: str
    data: bytes
    digest: str


Done = tuple[Task, Marked, float]
Engine = Callable[[Iterable[Task], Terms], Iterator[Done]]


class _Kept(threading.local):
    """The sandbox of this thread."""

    prison: Prison | None = None
    terms: Terms | None = None


_kept = _Kept()
_open: list[Prison] = []
_spare: list[Prison] = []


def _new(way: Way, seconds: float, hidden: tuple[Path, ...]) -> Prison:
    prison = Prison(way, seconds, hidden)
    _open.append(prison)
    return prison


def trial(way: Way, seconds: float, hidden: tuple[Path, ...]) -> str:
    """Why submissions cannot be marked in this way here; empty if they can.

    The sandbox that was tried is the first that :func:`local` uses.
    """
    prison = _new(way, seconds, hidden)
    try:
        ran = prison.run(Job(["def answer():\n    return 42"], {"answer": [()]}))
    except NoSandboxError as error:
        return str(error)
    outcome = ran.outcomes["answer"][0]
    if outcome.value != 42:
        return ran.trouble or outcome.text or "it does not run what it should"
    _spare.append(prison)
    return ""


def mark_here(task: Task, terms: Terms) -> tuple[Marked, float]:
    """Mark one submission with this thread's own sandbox; also says how many seconds it took."""
    if _kept.prison is None or _kept.terms != terms:
        if _kept.prison is not None:
            _kept.prison.close()
        try:
            _kept.prison = _spare.pop()
        except IndexError:
            _kept.prison = _new(terms.way, terms.seconds, terms.hidden)
        _kept.terms = terms
    start = time.monotonic()
    marked = mark(task.name, task.data, _kept.prison, terms.seed, terms.bank)
    return marked, time.monotonic() - start


def close_all() -> None:
    """End every sandbox that was kept in this process."""
    _spare.clear()
    while _open:
        _open.pop().close()


atexit.register(close_all)


def local(jobs: int) -> Engine:
    """Mark in so many threads; the work is done in their sandboxes."""

    def run(tasks: Iterable[Task], terms: Terms) -> Iterator[Done]:
        with _pool(jobs) as pool:
            # A few ahead of the workers, so that a class of any size needs the same memory.
            waiting: dict[Future[tuple[Marked, float]], Task] = {}
            tasks = iter(tasks)
            more = True
            while more or waiting:
                while more and len(waiting) < 2 * jobs:
                    task = next(tasks, None)
                    more = task is not None
                    if task is not None:
                        waiting[pool.submit(mark_here, task, terms)] = task
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    task = waiting.pop(future)
                    yield task, *future.result()

    return run


@contextmanager
def _pool(jobs: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="birnn-grade")
    try:
        yield pool
    finally:
        # Closing a sandbox ends what still runs in it, so nobody waits for an endless loop.
        pool.shutdown(wait=False, cancel_futures=True)
        close_all()
        pool.shutdown(wait=True)


def dask(address: str) -> Engine:
    """Mark on the workers of the Dask cluster at this address, each with a sandbox of its own.

    A worker that dies costs time only: what it had is marked by another one.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise CourseError("Dask is not installed; run: pip install 'birnn-course[grade]'") from None

    def run(tasks: Iterable[Task], terms: Terms) -> Iterator[Done]:
        try:
            client: Any = Client(address, timeout=20, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CourseError(
                f"no Dask scheduler answers at {address} ({error}); start one, or leave out "
                "--engine."
            ) from None
        with client:
            # Not pure: what was marked once may be marked again on purpose.
            asked = {
                client.submit(_on_worker, task, terms, pure=False, retries=5): task
                for task in tasks
            }
            for future in as_completed(list(asked)):
                marked, seconds = future.result()
                yield asked.pop(future), Marked.from_json(marked), seconds

    return run


def _on_worker(task: Task, terms: Terms) -> tuple[dict[str, Any], float]:
    marked, seconds = mark_here(task, terms)
    return marked.as_json(), seconds
