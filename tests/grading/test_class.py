"""A whole class, graded by the command: every mark right, and nothing lost or done twice."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result
from patience import PATIENCE, soon

from birnn_course.cli import main
from birnn_course.errors import CourseError
from birnn_course.exercises.checking import EXERCISES
from birnn_course.grading import classroom, engines
from birnn_course.grading.engines import Task, Terms
from birnn_course.grading.marking import mark
from birnn_course.grading.marks import Marked
from birnn_course.grading.submissions import Submission, find
from birnn_course.running.calling import Outcome
from birnn_course.sandbox.outside.hosts import Host, NoSandboxError
from birnn_course.sandbox.outside.pool import Job, Ran, Sandbox, best_way
from grading import classes
from grading.classes import NAMES, NOTEBOOKS, SECONDS, SEED, HandedIn, Notebook, Row, expected
from grading.wrong import WRONG

from conftest import require

OPTIONS = ["--seed", str(SEED), "--timeout", str(SECONDS)]


def grade(place: Path, out: Path, *options: str) -> Result:
    """``birnn grade`` in this process."""
    return CliRunner().invoke(main, ["grade", str(place), "-o", str(out), *options])


def rows_of(out: Path) -> list[Row]:
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return [(s, n, e, int(p), int(most), v, m) for s, n, e, p, most, v, m in rows]


def kept(out: Path) -> dict[tuple[str, str], float]:
    """For each result that is kept how long it took; the same number means the same run."""
    with closing(sqlite3.connect(out / "grading.sqlite", timeout=PATIENCE)) as file:
        try:
            rows = file.execute("select student, notebook, seconds from marked").fetchall()
        except sqlite3.OperationalError:  # so early that there is no table
            return {}
    return {(student, notebook): seconds for student, notebook, seconds in rows}


@dataclass(frozen=True)
class Graded:
    """The class after it was graded."""

    handed_in: list[HandedIn]
    place: Path
    out: Path


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    require("bwrap")
    folder = tmp_path_factory.mktemp("class")
    handed_in = classes.the_class()
    place = classes.lay_out(handed_in, folder / "handed in")
    result = grade(place, folder / "out", *OPTIONS, "--jobs", "2")
    assert result.exit_code == 0, result.output
    return Graded(handed_in, place, folder / "out")


# ── the marks ───────────────────────────────────────────────────────────────────────────────────


def test_every_row_is_right(graded: Graded) -> None:
    got, wanted = rows_of(graded.out), expected(graded.handed_in)
    assert {"too much": set(got) - set(wanted), "missing": set(wanted) - set(got)} == {
        "too much": set(),
        "missing": set(),
    }
    assert got == wanted
    assert len({row[0] for row in got}) >= 60


@pytest.mark.parametrize(
    ("student", "sentence"),
    [
        ("deleted", "<code>build</code> is defined in a cell of the original notebook."),
        ("cells-raise", "<code>stream</code> is missing because cell 20 stopped: ModuleNotFoundE"),
        ("cells-raise", "<li>Cell 20, <code>import pandas_of_mine</code>: ModuleNotFoundError"),
        ("syntax", "<code>translate</code> is missing because cell"),
        ("lesson", "This is the lesson. Hand in 01_bidirectional_exercises.ipynb."),
        ("by-chance", "These are other numbers. Perhaps some are lost or doubled"),
        ("loops", "Look for a loop without end, too much memory, or <code>os._exit</code>."),
        ("deleted-answer", "there was no function of this name"),
        ("stub-none", "A function that returns nothing counts as not attempted"),
        ("word-document", "Open it in JupyterLab, save it, and hand it in again."),
    ],
)
def test_feedback_says_what_led_to_it(graded: Graded, student: str, sentence: str) -> None:
    page = (graded.out / "feedback" / f"{student}.html").read_text(encoding="utf-8")
    assert sentence in page.replace("&#39;", "'")
    assert sentence not in (graded.out / "feedback" / "Ada.html").read_text(encoding="utf-8")


def test_every_mistake_of_every_exercise_is_named(graded: Graded) -> None:
    named = Counter((row[2], row[6]) for row in rows_of(graded.out) if row[6])
    for names in NAMES.values():
        for name in names:
            mistakes = EXERCISES[name].mistakes
            assert len(WRONG[name]) == len(mistakes), name
            for misconception, n in Counter(m.misconception for m in mistakes).items():
                assert named[name, misconception] >= n, (name, misconception)


def read_results(out: Path) -> dict[str, bytes]:
    files = (
        out / "grades.csv",
        out / "totals.csv",
        out / "class.html",
        *(out / "feedback").iterdir(),
    )
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.usefixtures("shared_host")
def test_same_seed_same_bytes_with_one_job_as_with_two(tmp_path: Path) -> None:
    place = classes.lay_out(few(), tmp_path / "place")
    for jobs in ("1", "2"):
        assert grade(place, tmp_path / jobs, *OPTIONS, "--jobs", jobs).exit_code == 0
    assert read_results(tmp_path / "1") == read_results(tmp_path / "2")


@pytest.mark.full
def test_the_whole_class_gets_the_same_bytes_again(graded: Graded, tmp_path: Path) -> None:
    assert grade(graded.place, tmp_path, *OPTIONS, "--jobs", "1").exit_code == 0
    assert read_results(tmp_path) == read_results(graded.out)


@pytest.mark.usefixtures("shared_host")
def test_only_what_is_new_is_marked(
    graded: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = tmp_path / "place", tmp_path / "out"
    shutil.copytree(graded.place, place)
    shutil.copytree(graded.out, out)
    before, wanted = kept(out), expected(graded.handed_in)
    with monkeypatch.context() as patch:
        patch.setattr(classroom, "Host", no_sandbox_is_needed)
        assert grade(place, out, "--timeout", str(SECONDS)).exit_code == 0
    assert kept(out) == before
    assert rows_of(out) == wanted

    name = f"{NOTEBOOKS['04']}.ipynb"
    (place / "Ada" / name).write_bytes(Notebook("04", {"pool": "..."}).encoded())
    shutil.rmtree(place / "untouched")
    result = grade(place, out, "--timeout", str(SECONDS), "--again", "renamed")
    assert result.exit_code == 0, result.output
    after = kept(out)
    assert {key for key in after if before[key] != after[key]} == {
        ("Ada", name),
        ("renamed", "final FINAL (2) – ready.ipynb"),
    }
    open_now = ("Ada", name, "pool", 0, 3, "not attempted", "")
    assert rows_of(out) == [
        open_now if row[:3] == open_now[:3] else row for row in wanted if row[0] != "untouched"
    ]
    assert not (out / "feedback" / "untouched.html").exists()
    assert grade(place, out, "--again", "nobody").exit_code == 1


def no_sandbox_is_needed(*_: object) -> Host:
    raise AssertionError("there was nothing to mark")


# ── what was handed in ──────────────────────────────────────────────────────────────────────────


def few() -> list[HandedIn]:
    return [h for h in classes.the_class() if h.student in ("Ada", "Ünal Özgür", "李 雷")]


@pytest.mark.parametrize(
    "pack",
    [
        classes.as_nbgrader,
        lambda h, path: classes.as_moodle_folders(h, path / "course-week 4.zip"),
        lambda h, path: classes.as_moodle_flat(h, path / "course-week 4.zip"),
        lambda h, path: classes.as_canvas(h, path / "submissions.zip"),
        lambda h, path: classes.as_zip(
            h, path / "mine.zip", lambda h, n: f"mine/{h.student}/{h.name}", lambda h, n: h.student
        ),
        lambda h, path: classes.as_zip(
            h, path / "x.zip", lambda h, n: f"{h.student}/{h.name}", lambda h, n: h.student
        ),
    ],
    ids=["nbgrader", "moodle", "moodle-flat", "canvas", "zip-in-a-folder", "zip"],
)
def test_each_way_of_handing_in_finds_the_same(
    pack: Callable[[list[HandedIn], Path], tuple[Path, list[HandedIn]]], tmp_path: Path
) -> None:
    place, read = pack(few(), tmp_path)
    found = {(s.student, s.name): s.read() for s in find(place)}
    assert found == {(h.student, h.name): h.data for h in read}


# ── the seed ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def marked_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Task]]:
    """No sandbox: every notebook has no mark. The list holds what was to be marked."""
    asked: list[Task] = []

    def marked(task: Task, terms: Terms, *_: object) -> tuple[Marked, float]:
        asked.append(task)
        return Marked(note=f"seed {terms.seed}"), 0.1

    monkeypatch.setattr(engines, "_timed", marked)
    monkeypatch.setattr("birnn_course.grading.marking.prepare", lambda *_: None)
    monkeypatch.setattr(classroom, "Host", lambda *_: SimpleNamespace(end=lambda: None))
    monkeypatch.setattr(
        "birnn_course.sandbox.outside.pool.best_way", lambda sandbox: (sandbox.way, "")
    )
    monkeypatch.setattr("birnn_course.sandbox.outside.bubblewrap.executable", lambda: "bwrap")
    yield asked


def test_a_seed_is_drawn_printed_and_kept(marked_at_once: list[Task], tmp_path: Path) -> None:
    place, out = classes.lay_out(few(), tmp_path / "place"), tmp_path / "out"
    result = grade(place, out)
    assert result.exit_code == 0, result.output
    seed = printed_seed(result, out, now=len(few()), unchanged=0)
    assert f"seed {seed}" in (out / "class.html").read_text(encoding="utf-8")
    count = len(marked_at_once)
    assert count == len(few())
    assert printed_seed(grade(place, out), out, now=0, unchanged=count) == seed
    assert printed_seed(grade(place, out, "--seed", seed), out, now=0, unchanged=count) == seed
    assert len(marked_at_once) == count
    again = grade(place, out, "--again", "Ada")
    assert printed_seed(again, out, now=3, unchanged=count - 3) == seed
    assert len(marked_at_once) == count + 3
    other = tmp_path / "other"
    assert printed_seed(grade(place, other), other, now=count, unchanged=0) != seed


def test_what_is_prepared_while_the_sandbox_starts_is_read_once_for_both(
    marked_at_once: list[Task], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reads: Counter[tuple[str, str]] = Counter()
    prepared: list[tuple[str, str]] = []
    started = threading.Event()

    def found(*arguments: Any) -> list[Submission]:
        return [replace(s, read=partial(read, s)) for s in find(*arguments)]

    def read(submission: Submission) -> bytes:
        reads[submission.student, submission.name] += 1
        return submission.read()

    def prepare(submission: Submission, *_: object) -> None:
        submission.read()
        prepared.append((submission.student, submission.name))
        if len(prepared) == 2:
            started.set()

    def best_way(sandbox: Sandbox) -> tuple[str, str]:
        assert started.wait(PATIENCE)
        return sandbox.way, ""

    monkeypatch.setattr(classroom, "find", found)
    monkeypatch.setattr("birnn_course.grading.marking.prepare", prepare)
    monkeypatch.setattr("birnn_course.sandbox.outside.pool.best_way", best_way)
    result = grade(classes.lay_out(few(), tmp_path / "place"), tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert len(marked_at_once) == len(few()) and len(prepared) >= 2
    # Once for its digest, and once to be prepared or marked.
    assert reads == {(h.student, h.name): 2 for h in few()}


def printed_seed(result: Result, out: Path, *, now: int, unchanged: int) -> str:
    """The seed, from the last line of a run in which so many were marked."""
    assert result.exit_code == 0, result.output
    pattern = (
        rf"{now} marked now, {unchanged} unchanged, seed (\d+) \(kept in {re.escape(str(out))}\)"
    )
    found = re.match(pattern, result.stdout.splitlines()[-1])
    assert found, result.stdout
    return found[1]


def test_who_handed_in_no_notebook_has_a_row(marked_at_once: list[Task], tmp_path: Path) -> None:
    place, out = classes.lay_out(few(), tmp_path / "place"), tmp_path / "out"
    (place / "Eve").mkdir()
    (place / "Eve" / "solution.py").write_text("x = 1")
    result = grade(place, out, "--seed", "5")
    printed_seed(result, out, now=len(few()), unchanged=0)
    totals = (out / "totals.csv").read_text(encoding="utf-8")
    assert "\nEve,0,0,feedback/Eve.html\n" in totals
    assert "Eve" not in (out / "grades.csv").read_text(encoding="utf-8")
    note = "No notebook was handed in. There is solution.py."
    assert note in (out / "class.html").read_text(encoding="utf-8")
    # Later there is one, and the row is that of anybody else.
    name = f"{NOTEBOOKS['01']}.ipynb"
    shutil.copy(place / "Ada" / name, place / "Eve" / name)
    printed_seed(grade(place, out), out, now=1, unchanged=len(few()))
    assert note not in (out / "class.html").read_text(encoding="utf-8")


def test_the_folder_of_one_student_is_told_from_that_of_a_class(
    marked_at_once: list[Task], tmp_path: Path
) -> None:
    place = classes.lay_out(few(), tmp_path / "place")
    sentence = "is counted as a student. If these are one student's files, name the folder above."
    result = grade(place / "Ada", tmp_path / "one")
    assert result.exit_code == 0
    assert f"birnn: {NOTEBOOKS['01']} {sentence}" in result.stderr
    for deeper, _ in (classes.as_nbgrader(few(), tmp_path),):
        assert sentence in grade(deeper / "Ada", tmp_path / "nbgrader").stderr
    assert sentence not in grade(place, tmp_path / "class").stderr
    flat, _ = classes.as_canvas(few(), tmp_path / "canvas.zip")
    assert sentence not in grade(flat, tmp_path / "canvas").stderr


def test_another_seed_for_the_same_results_is_refused(
    marked_at_once: list[Task], tmp_path: Path
) -> None:
    place, out = classes.lay_out(few(), tmp_path / "place"), tmp_path / "out"
    assert grade(place, out, "--seed", "5").exit_code == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    (place / "Ada" / f"{NOTEBOOKS['01']}.ipynb").unlink()
    result = grade(place, out, "--seed", "6")
    assert result.exit_code == 1
    assert result.stderr.strip() == (
        f"birnn: {out} was graded with seed 5; leave out --seed, or name another folder with -o."
    )
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


# ── stopped in the middle ───────────────────────────────────────────────────────────────────────


def start(place: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    # a shell starts what it runs in the background deaf to Ctrl-C, the tests too
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from birnn_course.cli import main; main(sys.argv[1:])"
    )
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            program,
            "grade",
            place,
            "-o",
            out,
            *OPTIONS,
            *options,
            "--jobs",
            "1",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_marks(run: subprocess.Popen[str], out: Path, number: int) -> None:
    def enough() -> bool:
        assert run.poll() is None, "it ended before it could be stopped"
        return (out / "grading.sqlite").exists() and len(kept(out)) >= number

    assert soon(enough)


def everything_it_started(run: subprocess.Popen[str]) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):  # it was quicker
        return psutil.Process(run.pid).children(recursive=True)
    return []


def assert_gone(processes: list[psutil.Process]) -> None:
    assert psutil.wait_procs(processes, timeout=PATIENCE)[1] == []


@pytest.mark.usefixtures("shared_host")
def test_ctrl_c_loses_nothing(tmp_path: Path) -> None:
    require("bwrap")
    place, read = classes.as_nbgrader(classes.small_class(), tmp_path)
    out = tmp_path / "out"
    run = start(place, out)
    wait_for_marks(run, out, 3)
    started = everything_it_started(run)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=PATIENCE)
    assert run.returncode == 130, stderr
    assert stderr.strip().endswith("birnn: stopped; the same command goes on from here.")
    assert "Traceback" not in stderr
    assert_gone(started)
    before = kept(out)
    assert 3 <= len(before) < len(read)
    assert grade(place, out, *OPTIONS).exit_code == 0
    assert before.items() <= kept(out).items()
    assert rows_of(out) == expected(read)


def killed_and_graded_again(
    folder: Path, wait: Callable[[subprocess.Popen[str], Path], None]
) -> None:
    place, read = classes.as_moodle_flat(classes.small_class(), folder / "class.zip")
    out = folder / "out"
    run = start(place, out)
    wait(run, out)
    started = everything_it_started(run)
    run.kill()
    run.communicate(timeout=PATIENCE)
    assert_gone(started)
    before = kept(out) if (out / "grading.sqlite").exists() else {}
    assert grade(place, out, *OPTIONS).exit_code == 0
    after = kept(out)
    assert before.items() <= after.items()
    assert after.keys() == {(h.student, h.name) for h in read}
    assert rows_of(out) == expected(read)


@pytest.mark.usefixtures("shared_host")
def test_a_killed_grader_loses_nothing(tmp_path: Path) -> None:
    require("bwrap")
    killed_and_graded_again(tmp_path, lambda run, out: wait_for_marks(run, out, 2))


@pytest.mark.full
@pytest.mark.parametrize("number", range(10))
def test_a_killed_grader_loses_nothing_at_any_moment(number: int, tmp_path: Path) -> None:
    require("bwrap")
    # From the first import to the last mark; a run that is done by then loses nothing either.
    moment = random.Random(number).uniform(0.2, 15)

    def wait(run: subprocess.Popen[str], out: Path) -> None:
        ends = time.monotonic() + moment
        while run.poll() is None and time.monotonic() < ends:
            time.sleep(0.01)

    killed_and_graded_again(tmp_path, wait)


@pytest.mark.full
def test_killed_and_marked_again_in_a_row_loses_nothing(tmp_path: Path) -> None:
    """After the first results each run marks one student once more, and is killed on the way."""
    require("bwrap")
    place, read = classes.as_moodle_flat(classes.small_class(), tmp_path / "class.zip")
    out = tmp_path / "out"
    run = start(place, out)
    wait_for_marks(run, out, 2)
    run.kill()
    run.communicate(timeout=PATIENCE)
    acknowledged = kept(out)
    for student in sorted({h.student for h in read}):
        run = start(place, out, "--again", student)
        moment = time.monotonic() + random.Random(student).uniform(1, 8)
        while run.poll() is None and time.monotonic() < moment:
            time.sleep(0.01)
        run.kill()
        run.communicate(timeout=PATIENCE)
        after = kept(out)
        assert acknowledged.keys() <= after.keys()
        lost = {key for key in acknowledged if acknowledged[key] != after[key]}
        assert {who for who, _ in lost} <= {student}
        acknowledged = after
    assert grade(place, out, *OPTIONS).exit_code == 0
    assert rows_of(out) == expected(read)


@pytest.mark.full
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    require("bwrap")
    place, read = classes.as_nbgrader(classes.small_class(), tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(out)]
    if subprocess.run(mounted, capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        run = start(place, out)
        wait_for_marks(run, out, 2)
        filled = out / "something else"
        with suppress(OSError), filled.open("wb") as file:
            while True:
                file.write(bytes(512))
                file.flush()
        _, stderr = run.communicate(timeout=PATIENCE)
        assert run.returncode == 1, stderr
        assert "Traceback" not in stderr and stderr.count("birnn: ") == 1
        before = kept(out)
        assert 2 <= len(before) < len(read)
        filled.unlink()
        subprocess.run([*mounted[:4], "remount,size=64m", "tmpfs", str(out)], check=True)
        assert grade(place, out, *OPTIONS).exit_code == 0
        assert before.items() <= kept(out).items()
        assert rows_of(out) == expected(read)
    finally:
        subprocess.run(["umount", str(out)], check=True)


# ── one student among others ────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("shared_host")
def test_what_one_student_wrote_keeps_no_page_from_the_others(tmp_path: Path) -> None:
    """Half a character, as JSON can hold it, in a cell, in what it raises, and in a file's name."""
    require("bwrap")
    place = tmp_path / "in"
    source = "# \ud83d\x1b[31m\u202e\nraise ValueError('\ud83d\x00\u2066')"
    notebook = Notebook("04", dict.fromkeys(classes.NAMES["04"], classes.STUB)).first(source)
    data = json.dumps(notebook.data).encode()
    assert b"\\ud83d" in data
    for student, name in (("Eve", "\u202e"), (os.fsdecode(b"Ev\xffe"), "n")):
        (place / student).mkdir(parents=True)
        (place / student / f"{NOTEBOOKS['04']} {name}.ipynb").write_bytes(data)
    for student in ("Ada", "Zoe"):
        (place / student).mkdir()
        shutil.copy(place / "Eve" / f"{NOTEBOOKS['04']} \u202e.ipynb", place / student / "n.ipynb")
    for _ in range(2):
        assert grade(place, tmp_path / "out", *OPTIONS).exit_code == 0
    pages = [tmp_path / "out" / "class.html", *(tmp_path / "out" / "feedback").iterdir()]
    assert len(pages) == 5
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not [c for c in text if not c.isprintable() and c not in "\n\t\u200c\u200d"]
    assert "\ufffd[31m" in (tmp_path / "out/feedback/Zoe.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("shared_host")
def test_the_same_code_is_pointed_out_and_an_untouched_notebook_is_not(tmp_path: Path) -> None:
    require("bwrap")
    body = "# {}\nreturn torch.zeros(3)"
    for student, words in (("Ada", "mine"), ("Bo", "my own")):
        data = Notebook("04", {"pool": body.format(words)}).encoded()
        classes.lay_out([HandedIn(student, "n.ipynb", data)], tmp_path / "in")
    untouched = Notebook("04", dict.fromkeys(classes.NAMES["04"], classes.STUB)).encoded()
    classes.lay_out([HandedIn(who, "n.ipynb", untouched) for who in ("Cy", "Di")], tmp_path / "in")
    assert grade(tmp_path / "in", tmp_path / "out", *OPTIONS).exit_code == 0
    page = (tmp_path / "out" / "class.html").read_text(encoding="utf-8")
    assert "The same code (2)" in page and "As Bo." in page and "As Ada." in page
    assert "As Cy" not in page and "As Di" not in page


# ── without the fast sandbox ────────────────────────────────────────────────────────────────────


def test_without_bubblewrap_it_refuses_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = classes.lay_out(few(), tmp_path / "place")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = grade(place, tmp_path / "out", *OPTIONS)
    assert result.exit_code == 1
    assert result.stderr.strip().count("\n") == 0
    assert result.stderr.startswith("birnn: grading needs bubblewrap, on Linux: install it")
    assert "--no-sandbox" in result.stderr
    assert not (tmp_path / "out" / "grades.csv").exists()


def test_without_a_sandbox_it_warns_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    one = [h for h in classes.small_class() if h.student == "wrong-04-4"]
    place, read = classes.as_canvas(one, tmp_path / "class.zip")
    result = grade(place, tmp_path / "out", *OPTIONS, "--no-sandbox")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("birnn: WITHOUT A SANDBOX every submission can read and change")
    assert rows_of(tmp_path / "out") == expected(read)


def test_one_bubblewrap_for_each_submission_gives_the_same_marks() -> None:
    require("bwrap")
    one = next(h for h in classes.the_class() if h.student == "loops")
    assert one.data is not None
    with Sandbox("once", SECONDS) as sandbox:
        marked = mark(one.name, one.data, sandbox, SEED)
    assert {m.exercise: (m.verdict, m.misconception) for m in marked.marks} == one.rows


@pytest.mark.usefixtures("shared_host")
def test_a_sandbox_that_starts_slowly_costs_nobody_time(monkeypatch: pytest.MonkeyPatch) -> None:
    require("bwrap")
    seconds = 4.0
    ready = Host.ready

    def slow_start(host: Host) -> socket.socket:
        time.sleep(seconds + 0.5)
        return ready(host)

    monkeypatch.setattr(Host, "ready", slow_start)
    with Sandbox("many", seconds) as sandbox:
        ran = sandbox.run(Job(["def answer():\n    return 42"], {"answer": [()]}))
    assert [outcome.value for outcome in ran.outcomes["answer"]] == [42]


@pytest.mark.parametrize("times", [1, 3])
def test_who_ends_the_sandbox_costs_no_submission_a_point(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a system does that is short of memory. Ended again and again, it is the last word."""
    require("bwrap")
    hosts: list[Host] = []
    ready = Host.ready

    def noted(host: Host) -> socket.socket:
        if host not in hosts:
            hosts.append(host)
        return ready(host)

    monkeypatch.setattr(Host, "ready", noted)
    seconds = 2.0 if times == 1 else PATIENCE  # it must not end before it has been lost three times
    slow = Job(
        [f"import time\ntime.sleep({seconds})\ndef answer():\n    return 42"], {"answer": [()]}
    )
    with Sandbox("many", 2 * PATIENCE) as sandbox, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(sandbox.run, slow) for _ in range(2)]
        for lost in range(times):
            assert soon(lambda lost=lost: len(hosts) > lost)
            ready(hosts[lost])
            time.sleep(0.7)
            os.kill(hosts[lost]._process.pid, signal.SIGKILL)
        outcomes = [future.result().outcomes["answer"][0] for future in running]
    if times == 1:
        assert [outcome.value for outcome in outcomes] == [42, 42]
    else:
        assert {outcome.text for outcome in outcomes} == {
            "the process that ran it was ended again and again"
        }


def test_closing_the_sandbox_ends_who_waits_for_it() -> None:
    require("bwrap")
    endless = Job(["while True:\n    pass"], {"answer": [()]})
    with ThreadPoolExecutor(1) as pool:
        with Sandbox("many", 600.0) as sandbox:
            running = pool.submit(sandbox.run, endless)
            time.sleep(1)
        with pytest.raises(CourseError, match="closed"):
            running.result(timeout=PATIENCE)


def test_a_sandbox_that_is_ended_while_it_starts_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bubblewrap forks what then waits for it, before anything in it ends with its parent."""
    program, forked = tmp_path / "bwrap", tmp_path / "forked"
    program.write_text(f"#!/bin/sh\nsleep 3600 &\necho $! > '{forked}.new'\n"
                       f"mv '{forked}.new' '{forked}'\nwait\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    host = Host("many", SECONDS, ())
    assert soon(forked.exists)
    child = psutil.Process(int(forked.read_text()))
    host.end()
    assert_gone([child])


@pytest.mark.usefixtures("shared_host")
def test_a_syntax_error_is_named_by_its_line_and_no_made_up_file() -> None:
    require("bwrap")
    with Sandbox("many", SECONDS) as sandbox:
        ran = sandbox.run(Job(["x = 1\ndef f(:\n    pass"], {"f": [()]}))
    [(number, text)] = ran.errors
    assert number == 1 and text.startswith("SyntaxError: ") and text.endswith(" in line 2")


def test_the_slower_sandbox_is_used_where_the_fast_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = {"many"}

    def run(sandbox: Sandbox, job: Job) -> Ran:
        if sandbox.way in refused:
            raise NoSandboxError("no")
        return Ran({"answer": [Outcome("returned", 42)]})

    monkeypatch.setattr(Sandbox, "run", run)
    way, sentence = best_way(Sandbox())
    assert way == "once" and "a bubblewrap of its own" in sentence
    refused.add("once")
    with pytest.raises(CourseError, match=r"no process can be shut in here \(no\)"):
        best_way(Sandbox())
