"""Of many notebooks of one student the newest few count, and all share one time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from birnn_course.grading import assignments, engines, marking
from birnn_course.grading.choosing import FEW, newest_few
from birnn_course.grading.engines import BUDGET, Task, Terms
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.notebooks import MOST_BYTES, UnreadableError
from birnn_course.grading.submissions import Submission, find
from birnn_course.grading.tally import Tally
from birnn_course.running.calling import Outcome
from birnn_course.sandbox.outside import pool
from birnn_course.sandbox.outside.pool import Job, Ran, Sandbox
from grading.classes import NAMES, NOTEBOOKS, Notebook

from conftest import ROOT

KNOWN = assignments.load()


def defining(*names: str) -> bytes:
    source = "\n".join(f"def {name}(*x): ..." for name in names)
    return json.dumps({"cells": [{"cell_type": "code", "source": source}]}).encode()


def handed_in(*files: tuple[str, bytes], student: str = "eve") -> list[Submission]:
    return [
        Submission(student, name, lambda data=data: data, (0, number))  # type: ignore[misc]
        for number, (name, data) in enumerate(files)
    ]


def refused(submissions: list[Submission]) -> set[str]:
    chosen = list(newest_few(submissions, KNOWN))
    assert [(s.student, s.name) for s in chosen] == [(s.student, s.name) for s in submissions]
    for submission in chosen:
        if submission.is_left_out:
            with pytest.raises(UnreadableError, match="3 newer notebooks with the same exercises"):
                submission.read()
    return {submission.name for submission in chosen if submission.is_left_out}


def test_of_forty_guesses_the_newest_few_are_marked() -> None:
    name = NOTEBOOKS["01"]
    files = [(f"{name} {n:02}.ipynb", b"{}") for n in range(40)]
    by_content = [(f"try {n:02}.ipynb", defining("pool")) for n in range(40)]
    readable = [(file, defining("stream")) for file, _ in files]
    for guesses in (readable, by_content):
        older = {file for file, _ in guesses[:-FEW]}
        assert refused(handed_in(*guesses)) == older


def test_one_notebook_of_each_unit_is_no_guess() -> None:
    named = [(f"{unit}_{slug}_exercises.ipynb", b"{}") for unit, slug in SLUGS]
    renamed = [
        (f"week {a.name[:2]}.ipynb", defining(*(e.name for e in a.exercises))) for a in KNOWN
    ]
    assert refused(handed_in(*named)) == set()
    assert refused(handed_in(*renamed)) == set()
    assert refused(handed_in(*named, *renamed, ("record.json", b"{}"))) == set()


SLUGS = [assignment.name.removesuffix("_exercises").split("_", 1) for assignment in KNOWN]


def test_what_cannot_be_read_takes_nobodys_place() -> None:
    name = NOTEBOOKS["04"]
    files = [(f"{name} a.ipynb", defining("pool"))]
    files += [(f"{name} {n}.ipynb", b"broken") for n in range(9)]
    assert refused(handed_in(*files)) == set()


def test_nothing_is_read_of_who_handed_in_a_few() -> None:
    def read() -> bytes:
        raise AssertionError("nobody asked for it")

    few = [Submission("ada", f"{n}.ipynb", read, (0, n)) for n in range(FEW)]
    assert [s.is_left_out for s in newest_few(few, KNOWN)] == [False] * FEW


def test_what_is_read_to_choose_has_an_end() -> None:
    read = []

    def large(number: int) -> bytes:
        read.append(number)
        return defining("pool") + b" " * (MOST_BYTES - 1_000)

    many = [
        Submission("eve", f"{n:02}.ipynb", lambda n=n: large(n), (0, n))  # type: ignore[misc]
        for n in range(40)
    ]
    assert sum(s.is_left_out for s in newest_few(many, KNOWN)) == 40 - FEW
    assert len(read) < 6


def test_the_newest_files_are_read_of_very_many(tmp_path: Path) -> None:
    for n in range(60):
        path = tmp_path / "eve" / f"{99 - n}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{}")
        os.utime(path, (n, n))
    names = [s.name for s in find(tmp_path)]
    assert "40.ipynb" in names and "99.ipynb" not in names and "too many files" in names


# ── one time for all of a student's notebooks ───────────────────────────────────────────────────


TERMS = Terms(1, 10.0, "many", None, ())


def tasks(student: str, number: int) -> Iterator[Task]:
    for n in range(number):
        yield Task(student, f"{n}.ipynb", b"", "")


class Slow:
    """Stands for a pool: the newest task ends first, and each took as long as is said."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.most = 0
        self.running: dict[Future[object], str] = {}
        self.left: list[tuple[str, str, float]] = []

    def begin(self, task: Task, seconds_left: float) -> Future[object]:
        assert task.student not in self.running.values(), "two of one student at once"
        future: Future[object] = Future()
        future.set_result((Marked(note=task.name), self.seconds))
        self.running[future] = task.student
        self.left.append((task.student, task.name, seconds_left))
        self.most = max(self.most, len(self.running))
        return future

    def some(self, futures: object) -> list[Future[object]]:
        done = list(self.running)[-1:]
        self.running.pop(done[0])
        return done


def test_notebooks_of_one_student_share_their_time_one_after_the_other() -> None:
    slow = Slow(12.0)
    students = [tasks("eve", 5), tasks("ada", 2), tasks("bob", 1), tasks("cy", 0)]
    done = list(engines._one_by_one(students, slow.begin, slow.some, 2, TERMS))
    assert len(done) == 8 and slow.most == 2
    budget = BUDGET * TERMS.seconds
    assert [left for who, _, left in slow.left if who == "eve"] == [
        budget, budget - 12, budget - 24, budget - 36, budget - 48,
    ]  # fmt: skip
    assert [left for who, _, left in slow.left if who == "bob"] == [budget]


class NotToBeRun:
    def run(self, job: Job) -> Ran:
        raise AssertionError("there was no time left")


def test_who_has_no_time_left_gets_a_sentence_and_no_run() -> None:
    data = Notebook("04").encoded()
    marked = marking.mark("04_packing_exercises.ipynb", data, NotToBeRun(), 1, None, 0.0)  # type: ignore[arg-type]
    assert {(m.verdict, m.points) for m in marked.marks} == {("stopped", 0)}
    assert "other notebooks took all the time" in marked.note and marked.look == "stopped"


def test_nothing_is_asked_again_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, *[100.0] * 9])
    monkeypatch.setattr(marking.time, "monotonic", lambda: next(times))
    jobs = []

    class Raising:
        def run(self, job: Job) -> Ran:
            jobs.append(job)
            raised = Outcome("raised", text="ValueError: 3.14159")
            return Ran({name: [raised] * len(of) for name, of in job.calls.items()})

    data = Notebook("04").encoded()
    marked = marking.mark("04_packing_exercises.ipynb", data, Raising(), 1, None, 50.0)  # type: ignore[arg-type]
    assert len(jobs) == 1
    assert {m.verdict for m in marked.marks} == {"callable"}
    assert "3.14159" not in str(marked)


def test_who_was_blocked_by_others_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(sandbox: Sandbox, job: Job) -> Ran:
        raise pool._HostLostError

    monkeypatch.setattr(Sandbox, "_run", lost)
    marked = marking.mark("04_packing_exercises.ipynb", Notebook("04").encoded(), Sandbox(), 1)
    assert marked.look == "blocked" and "not the student's doing" in marked.note
    assert {(m.points, m.verdict) for m in marked.marks} == {(0, "stopped")}
    assert "Look for a loop" not in str(marked.marks)


# ── the units that count ────────────────────────────────────────────────────────────────────────


def tally(**classes: dict[str, str]) -> Tally:
    """For each student the verdict of all exercises of some units."""
    counted = Tally()
    for student, units in classes.items():
        for unit, verdict in units.items():
            for name in NAMES[unit]:
                counted.count(student, Mark(name, unit, "", 0, 1, verdict, ""))
    return counted


def test_one_students_notebooks_do_not_change_what_counts() -> None:
    honest = {f"s{n}": {"01": "value"} for n in range(11)}
    for verdict in ("not attempted", "unreadable", "value", "stopped"):
        eve = {"01": "right", "02": verdict, "04": verdict}
        assert list(tally(eve=eve, **honest).counting()) == ["01"]
        assert list(tally(eve=eve, s1={"01": "value"}, s2={"01": "right"}).counting()) == ["01"]
    assert list(
        tally(eve={"01": "right", "02": "not attempted"}, ada={"01": "value"}).counting()
    ) == ["01"]
    assert list(tally(eve=eve, **honest).counting(["02", "01"])) == ["01", "02"]


def test_units_of_a_share_of_the_class_count() -> None:
    both = {f"b{n}": {"01": "right", "02": "value"} for n in range(2)}
    assert list(tally(**both, **{f"s{n}": {"01": "right"} for n in range(8)}).counting()) == [
        "01",
        "02",
    ]
    assert list(tally(**both, **{f"s{n}": {"01": "right"} for n in range(9)}).counting()) == ["01"]
    assert list(tally(ada={"01": "right"}, bob={"02": "right"}).counting()) == ["01", "02"]
    assert list(tally(ada={"04": "not attempted"}).counting()) == ["04"]
    assert tally().counting() == {}


def test_the_lessons_slugs_are_there() -> None:
    assert (ROOT / "notebooks" / f"{KNOWN[0].name}.ipynb").is_file()
