"""Grade a class: find what was handed in, mark what is new, write the reports.

What takes long to import is imported late: by then the sandbox is doing its own imports.
"""

from __future__ import annotations

import gc
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from birnn_course import __version__
from birnn_course.course import learner_notebooks
from birnn_course.errors import CourseError
from birnn_course.grading.course_state import state
from birnn_course.grading.notebooks import UnreadableError
from birnn_course.grading.store import NAME, Store
from birnn_course.grading.submissions import Submission, find
from birnn_course.grading.words import counted
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
    units: tuple[str, ...] = ()


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
        for task, marked, seconds in self.engine(self._students(on_done), self.terms):
            # Who was blocked by others is marked again by the next run.
            digest = "" if marked.look == "blocked" else task.digest
            self.store.keep(task.student, task.name, digest, marked, seconds)
            on_done(task.student)

    def _students(self, on_done: Callable[[str], None]) -> Iterator[Iterator[Task]]:
        for _, group in groupby(self.new, key=lambda entry: entry[0].student):
            yield self._tasks(list(group), on_done)

    def _tasks(
        self, new: Sequence[tuple[Submission, str]], on_done: Callable[[str], None]
    ) -> Iterator[Task]:
        from birnn_course.grading.engines import Task
        from birnn_course.grading.marking import unreadable
        from birnn_course.grading.marks import Marked

        for submission, digest in new:
            try:
                data = submission.read()
            except UnreadableError as error:
                if submission.is_left_out:
                    marked = Marked(note=error.reason, advice=error.advice, look="older")
                else:
                    marked = unreadable(submission.name, error, self.terms.bank)
                self.store.keep(submission.student, submission.name, digest, marked, 0.0)
                on_done(submission.student)
            else:
                yield Task(submission.student, submission.name, data, digest)

    def report(self) -> list[str]:
        """Write the CSV files and pages; what the lecturer should know."""
        from birnn_course.grading import reports

        request, seed = self.request, self.terms.seed
        return reports.write(
            request.out, self.store, self.submissions, seed, request.lessons, request.units
        )


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
    _must_be_apart(request.place, request.out)
    former = _former_results(request.place)
    sentences = [f"{path} holds results and is no student." for path in former]
    submissions = find(request.place, {request.out, *former})
    unknown = set(request.again) - {submission.student for submission in submissions}
    if unknown:
        raise CourseError(f"nobody called {sorted(unknown)[0]} handed anything in.")
    with ExitStack() as at_the_end:
        store = at_the_end.enter_context(closing(Store(request.out)))
        seed = _seed(store, request.seed)
        terms = _same_terms(store, bank)
        if damaged := store.mend():
            sentences.append(f"{counted(damaged, 'damaged result')} will be made again.")
        digests = {submission: _digest(submission) for submission in submissions
                   if submission.is_notebook}  # fmt: skip
        is_waiting = bool(request.again) or _has_news(store, digests)
        if request.protected and is_local and is_waiting:
            bubblewrap.require()
        way: Way = "many" if request.protected else "unprotected"
        starts = is_waiting and is_local and way == "many"
        host = Host(way, request.seconds, hidden) if starts else None
        if host is not None:
            at_the_end.callback(host.end)
        # From here on two processes do their imports. Nothing of that is garbage, and it takes a
        # while to look through.
        gc.disable()
        at_the_end.callback(gc.enable)
        from birnn_course.grading import assignments, choosing, engines, marking
        from birnn_course.sandbox.outside.pool import Sandbox, best_way

        gc.freeze()
        at_the_end.callback(gc.unfreeze)
        gc.enable()
        known = assignments.load(bank)
        _must_be_known(request.units, known)
        sentences += _of_one_student(submissions, known)
        submissions = list(choosing.newest_few(submissions, known))
        new = _new(store, submissions, digests, request.again)
        if is_local:
            thread = at_the_end.enter_context(ThreadPoolExecutor(1))
            sandbox = at_the_end.enter_context(Sandbox(way, request.seconds, hidden, host))
            if new:
                # The sandbox does its imports, so there is time for some of the right answers.
                trial = thread.submit(best_way, sandbox)
                for number, (submission, digest) in enumerate(new):
                    if trial.done():
                        break
                    submission = replace(submission, read=cache(submission.read))
                    marking.prepare(submission, seed, bank)
                    new[number] = submission, digest
                way, sentence = trial.result()
                sentences += [sentence] if sentence else []
            engine = engines.local(sandbox, request.jobs or workers())
        else:
            engine = engines.dask(request.engine.removeprefix(_DASK))
        # Not before everything is ready to begin.
        store.settle("terms", terms)
        seed = int(store.settle("seed", str(seed)))
        yield Run(
            request,
            store,
            engine,
            engines.Terms(seed, request.seconds, way, bank, hidden),
            submissions,
            new,
            sentences,
        )


def _must_be_apart(place: Path, out: Path) -> None:
    """What was handed in must not lie where results are written."""
    here, pages = place.resolve(), (out / "feedback").resolve()
    if here == out.resolve() or here == pages or pages in here.parents:
        raise CourseError(f"{place} is where the results go; name another folder with -o.")


def _former_results(place: Path) -> list[Path]:
    """Folders beside those of the students that hold results of an earlier grading."""
    return [
        folder.parent
        for folder in (sorted(place.glob(f"*/{NAME}")) if place.is_dir() else ())
        if not any(folder.parent.rglob("*.ipynb"))
    ]


def _must_be_known(units: Sequence[str], known: Sequence[Assignment]) -> None:
    there = sorted({exercise.unit for assignment in known for exercise in assignment.exercises})
    for unit in units:
        if unit not in there:
            raise CourseError(f"there is no unit {unit} to count; there are {', '.join(there)}.")


_DASK = "dask://"
_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(?P<port>\d{1,5})")


def _is_local(engine: str) -> bool:
    if engine != "local" and not engine.startswith(_DASK):
        raise CourseError(f"there is no engine {engine}; use local or {_DASK}HOST:PORT.")
    address = _ADDRESS.fullmatch(engine.removeprefix(_DASK))
    if engine != "local" and (address is None or not 0 < int(address["port"]) < 2**16):
        raise CourseError(f"{engine} has no address in it; write {_DASK}HOST:PORT.")
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


_OLDER = "older: "


def _has_news(store: Store, digests: Mapping[Submission, str]) -> bool:
    """Whether anything was handed in or changed since the last run."""
    kept = {key: digest.removeprefix(_OLDER) for key, digest in store.digests().items()}
    return any(kept.get((s.student, s.name)) != digest for s, digest in digests.items())


def _new(
    store: Store,
    submissions: Sequence[Submission],
    digests: Mapping[Submission, str],
    again: Sequence[str],
) -> list[tuple[Submission, str]]:
    """What has to be marked, with the digest of its bytes."""
    kept = store.digests()
    of = {(s.student, s.name): digest for s, digest in digests.items()}
    new: list[tuple[Submission, str]] = []
    seen: set[tuple[str, str]] = set()
    for submission in submissions:
        key = submission.student, submission.name
        if submission.name.lower().endswith(".json"):
            continue
        seen.add(key)
        digest = of.get(key) or _digest(submission)
        if submission.is_left_out:
            digest = f"{_OLDER}{digest}"
        if kept.get(key) != digest or submission.student in again:
            new.append((submission, digest))
    for key in kept.keys() - seen:
        store.forget(*key)  # taken back, or handed in under another name
    return new


def _seed(store: Store, asked: int | None) -> int:
    kept = store.get("seed")
    if kept is None:
        return secrets.randbelow(2**31) if asked is None else asked
    if not re.fullmatch(r"\d{1,20}", kept):
        raise CourseError(f"{store.path} has lost its seed; name another folder with -o.")
    if asked is not None and asked != int(kept):
        raise CourseError(
            f"{store.path.parent} was graded with seed {kept}; leave out --seed, or name another "
            "folder with -o."
        )
    return int(kept)


def _same_terms(store: Store, bank: Path | None) -> str:
    """What identifies the exercises; they must be those that OUT was graded with."""
    terms = f"course {__version__}, state {state(bank)}"
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
