"""Where submissions are marked: threads of this process, or the workers of a Dask cluster.

Either way the same function marks one submission, in a sandbox that its worker keeps.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn_course.errors import CourseError
from birnn_course.grading.marking import mark
from birnn_course.grading.marks import Marked
from birnn_course.sandbox.outside.hosts import Way
from birnn_course.sandbox.outside.pool import Sandbox


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


def local(sandbox: Sandbox, jobs: int) -> Engine:
    """Mark in threads of this process, while the sandbox does the work.

    Parameters
    ----------
    sandbox : Sandbox
        Closed when all is done.
    jobs : int
        How many submissions at a time.
    """

    def run(tasks: Iterable[Task], terms: Terms) -> Iterator[Done]:
        def work(task: Task) -> tuple[Marked, float]:
            return _timed(task, terms, sandbox)

        pool = ThreadPoolExecutor(jobs, thread_name_prefix="birnn-grade")
        try:
            yield from _as_done(pool, work, tasks, 2 * jobs)
        finally:
            # Closing the sandbox ends what still runs in it, so nobody waits for an endless loop.
            pool.shutdown(wait=False, cancel_futures=True)
            sandbox.close()
            pool.shutdown(wait=True)

    return run


def _as_done(
    pool: ThreadPoolExecutor,
    work: Callable[[Task], tuple[Marked, float]],
    tasks: Iterable[Task],
    ahead: int,
) -> Iterator[Done]:
    """Results as they come; few tasks at a time, so that a class of any size needs one memory."""
    waiting: dict[Future[tuple[Marked, float]], Task] = {}
    tasks = iter(tasks)
    more = True
    while more or waiting:
        while more and len(waiting) < ahead:
            task = next(tasks, None)
            more = task is not None
            if task is not None:
                waiting[pool.submit(work, task)] = task
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield waiting.pop(future), *future.result()


def _timed(task: Task, terms: Terms, sandbox: Sandbox) -> tuple[Marked, float]:
    start = time.monotonic()
    marked = mark(task.name, task.data, sandbox, terms.seed, terms.bank)
    return marked, time.monotonic() - start


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
            client: Any = Client(address, timeout=10, set_as_default=False)
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


class _Kept(threading.local):
    """The sandbox of a worker's thread, for one submission after the other."""

    sandbox: Sandbox | None = None
    terms: Terms | None = None


_kept = _Kept()


def _on_worker(task: Task, terms: Terms) -> tuple[dict[str, Any], float]:
    if _kept.sandbox is None or _kept.terms != terms:
        if _kept.sandbox is not None:
            _kept.sandbox.close()
        _kept.sandbox = Sandbox(terms.way, terms.seconds, terms.hidden)
        _kept.terms = terms
        atexit.register(_kept.sandbox.close)
    marked, seconds = _timed(task, terms, _kept.sandbox)
    return marked.as_json(), seconds
