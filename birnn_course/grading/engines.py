"""Where submissions are marked: threads of this process, or the workers of a Dask cluster.

Either way the same function marks one submission, in a sandbox that its worker keeps.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import defaultdict, deque
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


_MOST_HELD = 64 * 2**20  # bytes of notebooks that wait for another one of the same student


def _as_done(
    pool: ThreadPoolExecutor,
    work: Callable[[Task], tuple[Marked, float]],
    tasks: Iterable[Task],
    ahead: int,
) -> Iterator[Done]:
    """Results as they come; few tasks at a time, so that a class of any size needs one memory.

    Of one student there is one notebook at a time, so that none sees what another one does.
    """
    waiting: dict[Future[tuple[Marked, float]], Task] = {}
    held: dict[str, deque[Task]] = {}  # of each student who has a notebook in work, the next ones
    bytes_held = 0
    tasks = iter(tasks)
    task = next(tasks, None)
    while task is not None or waiting:
        while task is not None and len(waiting) < ahead and bytes_held < _MOST_HELD:
            if task.student in held:
                held[task.student].append(task)
                bytes_held += len(task.data)
            else:
                held[task.student] = deque()
                waiting[pool.submit(work, task)] = task
            task = next(tasks, None)
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            ready = waiting.pop(future)
            if later := held[ready.student]:
                following = later.popleft()
                bytes_held -= len(following.data)
                waiting[pool.submit(work, following)] = following
            else:
                del held[ready.student]
            yield ready, *future.result()


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
        of_one: dict[str, list[Task]] = defaultdict(list)
        for task in tasks:
            of_one[task.student].append(task)
        with client:
            # Not pure: what was marked once may be marked again on purpose. All of one student by
            # one worker, so that none of the notebooks sees what another one does.
            asked = {
                client.submit(_on_worker, handed_in, terms, pure=False, retries=5): handed_in
                for handed_in in of_one.values()
            }
            for future in as_completed(list(asked)):
                for task, (marked, seconds) in zip(asked.pop(future), future.result(), strict=True):
                    yield task, Marked.from_json(marked), seconds

    return run


class _Kept(threading.local):
    """The sandbox of a worker's thread, for one submission after the other."""

    sandbox: Sandbox | None = None
    terms: Terms | None = None


_kept = _Kept()


def _on_worker(tasks: list[Task], terms: Terms) -> list[tuple[dict[str, Any], float]]:
    if _kept.sandbox is None or _kept.terms != terms:
        if _kept.sandbox is not None:
            _kept.sandbox.close()
        _kept.sandbox = Sandbox(terms.way, terms.seconds, terms.hidden, spread=False)
        _kept.terms = terms
        atexit.register(_kept.sandbox.close)
    results = (_timed(task, terms, _kept.sandbox) for task in tasks)
    return [(marked.as_json(), seconds) for marked, seconds in results]
