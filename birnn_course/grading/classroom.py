"""Grade a class: find what was handed in, mark what is new, write the reports."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from birnn_course import __version__
from birnn_course.errors import CourseError
from birnn_course.grading import assignments, engines, marking, reports, walls
from birnn_course.grading.assignments import Assignment
from birnn_course.grading.engines import Task, Terms
from birnn_course.grading.marking import unreadable
from birnn_course.grading.notebooks import UnreadableError
from birnn_course.grading.prison import Job, NoSandboxError, Prison, Way
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission, find


@dataclass(frozen=True)
class Request:
    """What a lecturer asks for; see ``birnn grade --help``.

    Parameters
    ----------
    place : Path
        The submissions.
    out : Path
        Where results go.
    seed : int or None
        Of the hidden cases; None for the one that OUT was graded with, or a new one.
    jobs : int or None
        How many at a time; None for one per processor.
    seconds : float
        For one notebook, by the clock.
    bank : Path or None
        A folder with a lecturer's own exercises.
    engine : str
        ``local``, or the address of a Dask scheduler as ``dask://HOST:PORT``.
    again : tuple of str
        Students to be marked once more.
    protected : bool
        Whether students' code is shut in.
    lessons : str
        Address of the folder with the lessons, for links in the pages.
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
    engine: engines.Engine
    terms: Terms
    submissions: list[Submission]
    new: list[tuple[Submission, str]]
    sentences: list[str]

    @property
    def waiting(self) -> int:
        """How many notebooks are to be marked."""
        return len(self.new)

    @property
    def marked(self) -> int:
        """How many notebooks have a result."""
        return len(self.store.digests())

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
        for submission, digest in self.new:
            try:
                data = submission.read()
            except UnreadableError as error:
                marked = unreadable(submission.name, str(error), self.terms.bank)
                self.store.keep(submission.student, submission.name, digest, marked, 0.0)
                on_done(submission.student)
            else:
                yield Task(submission.student, submission.name, data, digest)

    def report(self) -> None:
        """Write the CSV files and pages."""
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
    sentences: list[str] = []
    submissions = find(request.place)
    unknown = set(request.again) - {submission.student for submission in submissions}
    if unknown:
        raise CourseError(f"nobody called {sorted(unknown)[0]} handed anything in.")
    known = assignments.load(bank)
    prisons: list[Prison] = []
    try:
        with closing(Store(request.out)) as store:
            seed = _seed(store, request.seed)
            _same_exercises(store, bank)
            new = _new(store, submissions, request.again)
            # The sandboxes do their imports while the right answers are computed here.
            prisons += _begun(request, hidden) if new else []
            for name in _exercises_of(new, known):
                marking.cases(name, seed, bank)
            engine, way = _engine(request, prisons, sentences)
            if store.get("seed") is None:  # not before everything is ready to begin
                store.set("seed", str(seed))
                if request.seed is None:
                    sentences.append(_DRAWN.format(seed))
            terms = Terms(seed, request.seconds, way, bank, hidden)
            yield Run(request, store, engine, terms, submissions, new, sentences)
    finally:
        for prison in prisons:
            prison.close()


def _exercises_of(
    new: Sequence[tuple[Submission, str]], known: Sequence[Assignment]
) -> Iterator[str]:
    """What is certainly needed, from the names of the files."""
    for assignment in known:
        if any(assignments.belonging(s.name, [], [assignment]) for s, _ in new):
            yield from (exercise.name for exercise in assignment.exercises)


def _begun(request: Request, hidden: Sequence[Path]) -> list[Prison]:
    """Sandboxes that do their imports, if the work is done here."""
    if request.engine.startswith("dask://"):
        return []
    if request.engine != "local":
        raise CourseError(f"there is no engine {request.engine}; use local or dask://HOST:PORT.")
    if request.protected:
        walls.demand()
    way: Way = "many" if request.protected else "unprotected"
    jobs = request.jobs or workers()
    return [Prison(way, request.seconds, hidden).begin() for _ in range(jobs)]


def _engine(
    request: Request, prisons: list[Prison], sentences: list[str]
) -> tuple[engines.Engine, Way]:
    if request.engine.startswith("dask://"):
        way: Way = "many" if request.protected else "unprotected"
        return engines.dask(request.engine.removeprefix("dask://")), way
    if not prisons:
        return engines.local([]), "many"
    way, sentence = best_way(prisons[0])
    if sentence:
        sentences.append(sentence)
    for prison in prisons:
        prison.way = way
    return engines.local(prisons), way


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


_ONE_EACH = (
    "This machine allows bubblewrap but no namespaces inside of it: each submission gets a "
    "bubblewrap of its own, which takes some seconds more."
)


def way_to_shut_in() -> Way:
    """The best sandbox that works here.

    Raises
    ------
    CourseError
        If none works; the sentence says what to do.
    """
    walls.demand()
    with Prison() as prison:
        return best_way(prison)[0]


def best_way(prison: Prison) -> tuple[Way, str]:
    """How this prison works here, and a sentence if that is not the fast way; it is left so."""
    reason = ""
    ways: tuple[Way, ...] = ("many", "once") if prison.way == "many" else (prison.way,)
    for way in ways:
        prison.way = way
        try:
            ran = prison.run(Job(["def answer():\n    return 42"], {"answer": [()]}))
        except NoSandboxError as error:
            reason = str(error)
            prison.close()
            continue
        if ran.outcomes["answer"][0].value == 42:
            return way, _ONE_EACH if way == "once" else ""
        reason = ran.trouble or ran.outcomes["answer"][0].text
        prison.close()
    raise CourseError(
        f"no process can be shut in here ({reason}): allow user namespaces, use another machine "
        "or a container that has them, or add --no-sandbox if you trust every submission with "
        "your files."
    )


_DRAWN = "The hidden cases are drawn with seed {}; it is kept in OUT."


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


def _same_exercises(store: Store, bank: Path | None) -> None:
    terms = f"course {__version__}, exercises {assignments.digest(bank)}"
    if (kept := store.get("terms")) is None:
        store.set("terms", terms)
    elif kept != terms:
        raise CourseError(
            f"{store.path.parent} was graded with another version of the course or of your own "
            "exercises; name another folder with -o, so that all get the same cases."
        )


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
