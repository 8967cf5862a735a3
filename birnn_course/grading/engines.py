"""Where submissions are marked: threads of this process, or the workers of a Dask cluster.

Either way the same function marks one submission, in a sandbox that its worker keeps.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn_course.errors import CourseError, message_of
from birnn_course.grading.marking import mark
from birnn_course.grading.marks import Marked
from birnn_course.sandbox.outside.hosts import Way
from birnn_course.sandbox.outside.pool import Sandbox

BUDGET = 3
"""A student's notebooks get together so many times the seconds of one."""


@dataclass(frozen=True)
class Terms:
    """What holds for all submissions of a run.

    Parameters
    ----------
    seed : int
        Of the hidden cases.
    seconds : float
        For one submission, by the clock; :data:`BUDGET` times as much for a student's all.
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
Engine = Callable[[Iterable[Iterator[Task]], Terms], Iterator[Done]]
"""Gets the submissions of each student in turn, and gives results as they come."""


def local(sandbox: Sandbox, jobs: int) -> Engine:
    """Mark in threads of this process, while the sandbox does the work.

    Parameters
    ----------
    sandbox : Sandbox
        Closed when all is done.
    jobs : int
        How many submissions at a time.
    """

    def run(students: Iterable[Iterator[Task]], terms: Terms) -> Iterator[Done]:
        pool = ThreadPoolExecutor(jobs, thread_name_prefix="birnn-grade")

        def begin(task: Task, seconds_left: float) -> Any:
            return pool.submit(_timed, task, terms, sandbox, seconds_left)

        def some(futures: Collection[Any]) -> Iterable[Any]:
            return wait(futures, return_when=FIRST_COMPLETED).done

        try:
            yield from _one_by_one(students, begin, some, 2 * jobs, terms)
        finally:
            # Closing the sandbox ends what still runs in it, so nobody waits for an endless loop.
            pool.shutdown(wait=False, cancel_futures=True)
            sandbox.close()
            pool.shutdown(wait=True)

    return run


def _one_by_one(
    students: Iterable[Iterator[Task]],
    begin: Callable[[Task, float], Any],
    some: Callable[[Collection[Any]], Iterable[Any]],
    most: int,
    terms: Terms,
) -> Iterator[Done]:
    """Results as they come: of each student one submission after the other, of a few students.

    So a class of any size needs one memory, and nobody gets more than one student's time.

    Parameters
    ----------
    students : iterable of iterator of Task
        The submissions of each.
    begin : callable
        Starts a task, for which there are so many seconds left, and returns its future.
    some : callable
        Waits until some of the futures are done, and returns these.
    most : int
        How many students at a time.
    terms : Terms
        How much time there is.
    """
    running: dict[Any, tuple[Task, Iterator[Task], float]] = {}
    waiting = iter(students)

    def go_on(tasks: Iterator[Task], seconds_left: float) -> None:
        if (task := next(tasks, None)) is not None:
            running[begin(task, seconds_left)] = task, tasks, seconds_left

    more = True
    while more or running:
        while more and len(running) < most:
            tasks = next(waiting, None)
            more = tasks is not None
            if tasks is not None:
                go_on(tasks, BUDGET * terms.seconds)
        for future in some(running.keys()) if running else ():
            task, tasks, seconds_left = running.pop(future)
            marked, seconds = future.result()
            yield task, marked, seconds
            go_on(tasks, seconds_left - seconds)


def _timed(task: Task, terms: Terms, sandbox: Sandbox, seconds_left: float) -> tuple[Marked, float]:
    start = time.monotonic()
    marked = mark(task.name, task.data, sandbox, terms.seed, terms.bank, seconds_left)
    return marked, time.monotonic() - start


def dask(address: str) -> Engine:
    """Mark on the workers of the Dask cluster at this address, each with a sandbox of its own.

    A worker that dies costs time only: what it had is marked by another one.
    """
    try:
        from distributed import Client, wait
    except ImportError:
        raise CourseError("Dask is not installed; run: pip install 'birnn-course[grade]'") from None

    def run(students: Iterable[Iterator[Task]], terms: Terms) -> Iterator[Done]:
        try:
            client: Any = Client(address, timeout=10, set_as_default=False)
        except Exception as error:  # of the system, of asyncio and of Dask
            raise CourseError(
                f"no Dask scheduler answers at {address} ({message_of(error)}); start one, or "
                "leave out --engine."
            ) from None

        def begin(task: Task, seconds_left: float) -> _Remote:
            # Not pure: what was marked once may be marked again on purpose.
            return _Remote(
                client.submit(_on_worker, task, terms, seconds_left, pure=False, retries=5)
            )

        def some(futures: Collection[_Remote]) -> Iterable[_Remote]:
            asked = {remote.future: remote for remote in futures}
            done = wait(list(asked), return_when="FIRST_COMPLETED").done
            return [asked[future] for future in done]

        with client:
            try:
                yield from _one_by_one(students, begin, some, _MOST_SENT, terms)
            except (CourseError, GeneratorExit):
                raise
            except Exception as error:
                raise CourseError(
                    f"the Dask cluster at {address} failed ({message_of(error)}); what was marked "
                    "is kept, and the same command goes on from here."
                ) from None

    return run


_MOST_SENT = 200  # to a cluster at a time


@dataclass(frozen=True)
class _Remote:
    """What a worker will have found."""

    future: Any

    def result(self) -> tuple[Marked, float]:
        marked, seconds = self.future.result()
        return Marked.from_json(marked), seconds


class _Kept(threading.local):
    """The sandbox of a worker's thread, for one submission after the other."""

    sandbox: Sandbox | None = None
    terms: Terms | None = None


_kept = _Kept()


def _on_worker(task: Task, terms: Terms, seconds_left: float) -> tuple[dict[str, Any], float]:
    if _kept.sandbox is None or _kept.terms != terms:
        if _kept.sandbox is not None:
            _kept.sandbox.close()
        _kept.sandbox = Sandbox(terms.way, terms.seconds, terms.hidden, spread=False)
        _kept.terms = terms
        atexit.register(_kept.sandbox.close)
    marked, seconds = _timed(task, terms, _kept.sandbox, seconds_left)
    return marked.as_json(), seconds
