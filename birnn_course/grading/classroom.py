"""Grade a class: find what was handed in, mark what is new, write the reports.

What takes long to import is imported late: by then the sandbox is doing its own imports.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from birnn_course import __version__
from birnn_course.course import learner_notebooks
from birnn_course.errors import CourseError
from birnn_course.grading.notebooks import UnreadableError
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission, find
from birnn_course.sandbox.outside import bubblewrap
from birnn_course.sandbox.outside.hosts import Host, Way

if TYPE_CHECKING:
    from birnn_course.grading.assignments import Assignment
    from birnn_course.grading.engines import Engine, Task, Terms


@dataclass(frozen=True)
class Request:
    """What a lecturer asks for.

    ``birnn grade --help`` says what each is; ``seconds`` is its ``--timeout``, and ``protected`` is
    whether students' code runs in the sandbox.
    """

    place: Path
    out: Path
    seed: int | None = None
    jobs: int | None = None
    seconds: float = 60.0
    bank: Path | None = None
    engine: str = "local"
    again: tuple[str, ...] = ()
    protected: bool = True
    lessons: str = ""


@dataclass
class Run:
    """One grading run, ready to start.

    Attributes
    ----------
    sentences : list of str
        What the lecturer should know.
    """

    request: Request
    store: Store
    engine: Engine
    terms: Terms
    submissions: list[Submission]
    new: list[tuple[Submission, str]]
    sentences: list[str]

    @property
    def waiting(self) -> int:
        """How many notebooks are to be marked."""
        return len(self.new)

    def summary(self) -> str:
        """What was done, for the end of the run."""
        now = sum(bool(submission.name) for submission, _ in self.new)
        all_ = sum(bool(name) for _, name in self.store.digests())
        return (
            f"{now} marked now, {all_ - now} unchanged, seed {self.terms.seed} "
            f"(kept in {self.request.out})"
        )

    def mark(self, on_done: Callable[[str], None]) -> None:
        """Mark all that is new; each result is on the disk before the next comes.

        Parameters
        ----------
        on_done : callable
            Gets the student's name after each notebook.
        """
        for task, marked, seconds in self.engine(self._tasks(on_done), self.terms):
            self.store.keep(task.student, task.name, task.digest, marked, seconds)
            on_done(task.student)

    def _tasks(self, on_done: Callable[[str], None]) -> Iterator[Task]:
        from birnn_course.grading.engines import Task
        from birnn_course.grading.marking import unreadable

        for submission, digest in self.new:
            try:
                data = submission.read()
            except UnreadableError as error:
                marked = unreadable(submission.name, error, self.terms.bank)
                self.store.keep(submission.student, submission.name, digest, marked, 0.0)
                on_done(submission.student)
            else:
                yield Task(submission.student, submission.name, data, digest)

    def report(self) -> None:
        """Write the CSV files and pages."""
        from birnn_course.grading import reports

        request = self.request
        reports.write(request.out, self.store, self.submissions, self.terms.seed, request.lessons)


@contextmanager
def prepare(request: Request) -> Iterator[Run]:
    """Find what is to be marked and where it can be.

    Raises
    ------
    CourseError
        If there is nothing to mark, no sandbox, or OUT was graded on other terms.
    """
    bank = request.bank.resolve() if request.bank else None
    hidden = tuple(path.resolve() for path in (request.place, request.out, bank) if path)
    is_local = _is_local(request.engine)
    sentences: list[str] = []
    submissions = find(request.place)
    unknown = set(request.again) - {submission.student for submission in submissions}
    if unknown:
        raise CourseError(f"nobody called {sorted(unknown)[0]} handed anything in.")
    with ExitStack() as at_the_end:
        store = at_the_end.enter_context(closing(Store(request.out)))
        seed = _seed(store, request.seed)
        exercises = _same_exercises(store, bank)
        new = _new(store, submissions, request.again)
        if request.protected and is_local and new:
            bubblewrap.require()
        way: Way = "many" if request.protected else "unprotected"
        host = Host(way, request.seconds, hidden) if new and is_local and way == "many" else None
        if host is not None:
            at_the_end.callback(host.end)
        # From here on two processes do their imports; this one then computes the right answers.
        from birnn_course.grading import assignments, engines, marking
        from birnn_course.sandbox.outside.pool import Sandbox, best_way

        known = assignments.load(bank)
        sentences += _of_one_student(submissions, known)
        for assignment in _assignments_of(new, known):
            for exercise in assignment.exercises:
                marking.prepare(exercise.name, seed, bank)
        if is_local:
            sandbox = at_the_end.enter_context(Sandbox(way, request.seconds, hidden, host))
            if new:
                way, sentence = best_way(sandbox)
                sentences += [sentence] if sentence else []
            engine = engines.local(sandbox, request.jobs or workers())
        else:
            engine = engines.dask(request.engine.removeprefix(_DASK))
        if store.get("seed") is None:  # not before everything is ready to begin
            store.set("terms", exercises)
            store.set("seed", str(seed))
        terms = engines.Terms(seed, request.seconds, way, bank, hidden)
        yield Run(request, store, engine, terms, submissions, new, sentences)


_DASK = "dask://"


def _is_local(engine: str) -> bool:
    if engine != "local" and not engine.startswith(_DASK):
        raise CourseError(f"there is no engine {engine}; use local or {_DASK}HOST:PORT.")
    return engine == "local"


def _of_one_student(
    submissions: Sequence[Submission], known: Sequence[Assignment]
) -> Iterator[str]:
    """A warning if a student is called as a notebook is: then it may be the folder of one."""
    notebooks = {Path(name).stem for name in learner_notebooks()}
    notebooks |= {assignment.name for assignment in known}
    called = re.compile(rf"({'|'.join(map(re.escape, notebooks))})([-_ (].*)?", re.IGNORECASE)
    for submission in submissions:
        if called.fullmatch(submission.student):
            yield (
                f"{submission.student} is counted as a student. If these are one student's files, "
                "name the folder above."
            )
            return


def _assignments_of(
    new: Sequence[tuple[Submission, str]], known: Sequence[Assignment]
) -> Iterator[Assignment]:
    """What is certainly needed, from the names of the files."""
    from birnn_course.grading.assignments import belonging

    for assignment in known:
        if any(belonging(submission.name, [], [assignment]) for submission, _ in new):
            yield assignment


def _new(
    store: Store, submissions: Sequence[Submission], again: Sequence[str]
) -> list[tuple[Submission, str]]:
    """What has to be marked, with the digest of its bytes."""
    digests = store.digests()
    seen: set[tuple[str, str]] = set()
    new: list[tuple[Submission, str]] = []
    for submission in submissions:
        if submission.name.lower().endswith(".json"):
            continue
        key = submission.student, submission.name
        seen.add(key)
        digest = _digest(submission)
        if digests.get(key) != digest or submission.student in again:
            new.append((submission, digest))
    for key in digests.keys() - seen:
        store.forget(*key)  # taken back, or handed in under another name
    return new


def _seed(store: Store, asked: int | None) -> int:
    kept = store.get("seed")
    if kept is None:
        return secrets.randbelow(2**31) if asked is None else asked
    if asked is not None and asked != int(kept):
        raise CourseError(
            f"{store.path.parent} was graded with seed {kept}; leave out --seed, or name another "
            "folder with -o."
        )
    return int(kept)


def _same_exercises(store: Store, bank: Path | None) -> str:
    """What identifies the exercises; they must be those that OUT was graded with."""
    own = hashlib.sha256()
    for path in sorted(bank.glob("*.py")) if bank else ():
        own.update(path.read_bytes())
    terms = f"course {__version__}, exercises {own.hexdigest()[:16]}"
    if store.get("terms") not in (None, terms):
        raise CourseError(
            f"{store.path.parent} was graded with another version of the course or of your own "
            "exercises; name another folder with -o, so that all get the same cases."
        )
    return terms


def _digest(submission: Submission) -> str:
    try:
        return hashlib.sha256(submission.read()).hexdigest()
    except UnreadableError as error:
        return f"unreadable: {error}"


def workers() -> int:
    """As many as this process may use processors."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
