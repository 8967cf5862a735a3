"""Of one student there is one notebook at a time, wherever it is marked; others do not wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest
from patience import PATIENCE, ends

from birnn_course.grading import engines
from birnn_course.grading.engines import Task, Terms
from birnn_course.grading.marks import Marked
from birnn_course.sandbox.outside.pool import Sandbox

JOBS = 4
TERMS = Terms(seed=0, seconds=PATIENCE, way="many", bank=None, hidden=())
Work = Callable[[Task], tuple[Marked, float]]


class Watched:
    """Stands for marking; remembers whose notebooks were in work beside which others.

    Parameters
    ----------
    together : int
        Each notebook waits until so many are in work.
    """

    def __init__(self, together: int) -> None:
        self._all_here = threading.Barrier(together)
        self._lock = threading.Lock()
        self._in_work: list[str] = []
        self.order: list[tuple[str, str]] = []
        self.seen: list[list[str]] = []

    def __call__(self, task: Task) -> tuple[Marked, float]:
        with self._lock:
            self._in_work.append(task.student)
            self.order.append((task.student, task.name))
            self.seen.append(list(self._in_work))
        self._all_here.wait(PATIENCE)
        with self._lock:
            self._in_work.remove(task.student)
        self._all_here.wait(PATIENCE)
        return Marked(note=f"{task.student} {task.name}"), 0.0


def handed_in(students: str, count: int) -> Iterator[Iterator[Task]]:
    for student in students:
        yield iter([Task(student, str(number), b"x", "") for number in range(count)])


def done(work: Work, students: Iterable[Iterator[Task]]) -> list[str]:
    """The notes in the order in which they came."""

    def some(futures: Collection[Any]) -> Collection[Any]:
        return wait(futures, return_when=FIRST_COMPLETED).done

    with ThreadPoolExecutor(JOBS) as pool:
        results = ends(
            lambda: list(
                engines._one_by_one(
                    students, lambda task, _: pool.submit(work, task), some, JOBS, TERMS
                )
            )
        )
    assert all(f"{task.student} {task.name}" == marked.note for task, marked, _ in results)
    return [marked.note for _, marked, _ in results]


def test_two_notebooks_of_a_student_are_never_in_work_at_once() -> None:
    watched = Watched(together=JOBS)
    notes = done(watched, handed_in("abcd", 3))
    assert sorted(notes) == [f"{student} {number}" for student in "abcd" for number in range(3)]
    assert all(len(set(seen)) == len(seen) for seen in watched.seen), watched.seen
    assert max(map(len, watched.seen)) == JOBS  # and others go on meanwhile
    for student in "abcd":
        assert [name for whose, name in watched.order if whose == student] == ["0", "1", "2"]


def test_who_hands_in_much_is_read_little_by_little() -> None:
    read: list[str] = []
    finished: list[str] = []

    def reading(tasks: Iterator[Task]) -> Iterator[Task]:
        for task in tasks:
            read.append(task.student)
            yield task

    def work(task: Task) -> tuple[Marked, float]:
        assert len(read) <= len(finished) + JOBS
        finished.append(task.student)
        return Marked(note=f"{task.student} {task.name}"), 0.0

    assert len(done(work, map(reading, handed_in("ab", 20)))) == 40


def test_submissions_are_spread_over_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3, 5, 8}, raising=False)
    sandbox = Sandbox()
    with sandbox._processor() as one, sandbox._processor() as two, sandbox._processor() as three:
        assert {one, two, three} == {3, 5, 8}
        with sandbox._processor() as again:
            assert again in (3, 5, 8)
    with sandbox._processor() as one, sandbox._processor() as two:
        assert one != two
    with Sandbox(spread=False)._processor() as anywhere:
        assert anywhere == -1
