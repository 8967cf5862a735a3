"""Grade one class with nbgrader and with ``birnn grade``: ``make bench-grading``.

Every notebook is honest: solved, half solved or untouched. Both run all of a student's cells, with
start-up included, on the same machine one after the other: nbgrader as it comes (one notebook
after the other), two nbgrader processes side by side with half of the class each, and ours with two
jobs. Then ours alone with ten times the class, for memory and time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil

ROOT = Path(__file__).resolve().parent.parent
NBGRADER = ROOT / ".venv" / "nbgrader"
UNITS = ("01", "02", "04")
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(NBGRADER),
    "PATH": f"{NBGRADER / 'bin'}{os.pathsep}{os.environ['PATH']}",
    "OMP_NUM_THREADS": "1",
}
BIRNN = [str(Path(sys.executable).with_name("birnn"))]

Notebook = Any


def main() -> None:
    """Print seconds, ratios, and what a larger class costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=20, help="each with three notebooks (20)")
    parser.add_argument("--only-ours", action="store_true", help="leave nbgrader out")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n = chosen.students * len(UNITS)
        if not chosen.only_ours:
            compare(folder, chosen.students, n)
        scale(folder, chosen.students, n)


def compare(folder: Path, students: int, n: int) -> None:
    """The same class three times."""
    course = prepared(folder / "course", range(students))
    halves = [
        prepared(folder / "half1", range(students // 2)),
        prepared(folder / "half2", range(students // 2, students)),
    ]
    print(f"{n} notebooks, {os.cpu_count()} processors\n")
    start = time.perf_counter()
    wait([autograde(course)])
    alone = time.perf_counter() - start
    say("nbgrader, as it comes", alone, n)
    start = time.perf_counter()
    wait([autograde(half) for half in halves])
    pair = time.perf_counter() - start
    say("two nbgrader side by side", pair, n)
    ours, median, _ = grade(course / "submitted", folder / "out", watched=False)
    say("birnn grade --jobs 2", ours, n)
    print(f"\nnbgrader / ours: {alone / ours:.1f}; two of nbgrader / ours: {pair / ours:.1f}")
    print(f"median of one submission, ours: {median:.3f} s")
    print(f"the same marks: {same_marks(course, folder / 'out')}")


def scale(folder: Path, students: int, n: int) -> None:
    """Ours for one class, and for ten times as many students."""
    print("\n  notebooks  seconds  seconds each  most memory (MB)")
    for times in (1, 10):
        place = folder / f"times{times}"
        for student in range(times * students):
            for unit in UNITS:
                hand_in(place / f"student{student:04}" / f"{stem(unit)}.ipynb", unit, student)
        seconds, _, memory = grade(place, folder / f"out{times}", watched=True)
        print(
            f"  {times * n:9}  {seconds:7.1f}  {seconds / times / n:12.3f}  {memory / 2**20:16.0f}"
        )


def stem(unit: str) -> str:
    """The name of a unit's exercise notebook."""
    return next((ROOT / "solutions").glob(f"{unit}_*_exercises.ipynb")).stem


def hand_in(target: Path, unit: str, student: int) -> None:
    """A notebook of the course: two in three solved, of these every second one in half."""
    solution = nbformat.read(ROOT / "solutions" / f"{stem(unit)}.ipynb", as_version=4)
    blank = nbformat.read(ROOT / "notebooks" / f"{stem(unit)}.ipynb", as_version=4)
    written = fill(blank, solution, student % 3)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(written, target)


def fill(blank: Notebook, solution: Notebook, how: int) -> Notebook:
    """Untouched (0), half solved (1) or solved (2)."""
    solved = [i for i, cell in enumerate(solution.cells) if cell.source != blank.cells[i].source]
    for i in solved[: len(solved) * how // 2]:
        blank.cells[i].source = solution.cells[i].source
    return blank


def prepared(course: Path, students: range) -> Path:
    """A course folder of nbgrader with everything handed in."""
    course.mkdir()
    for unit in UNITS:
        run([*BIRNN, "assign", unit, "-o", str(course)])
    shutil.rmtree(course / "release")
    for unit in UNITS:
        run([sys.executable, "-m", "nbgrader", "generate_assignment", stem(unit)], course)
        released = nbformat.read(
            course / "release" / stem(unit) / f"{stem(unit)}.ipynb", as_version=4
        )
        solution = nbformat.read(ROOT / "solutions" / f"{stem(unit)}.ipynb", as_version=4)
        for student in students:
            notebook = nbformat.from_dict(released)
            answers = fill(nbformat.from_dict(released), solution, student % 3)
            for cell, theirs in zip(notebook.cells, answers.cells, strict=True):
                if cell.metadata.get("nbgrader", {}).get("solution"):
                    cell.source = theirs.source
            target = (
                course / "submitted" / f"student{student:04}" / stem(unit) / f"{stem(unit)}.ipynb"
            )
            target.parent.mkdir(parents=True)
            nbformat.write(notebook, target)
    return course


def run(command: list[str], folder: Path | None = None) -> None:
    """Run a command that must succeed."""
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True)


def autograde(course: Path) -> subprocess.Popen[bytes]:
    """Start nbgrader on all units, one after the other."""
    commands = [f"{sys.executable} -m nbgrader autograde {stem(unit)} >>log 2>&1" for unit in UNITS]
    return subprocess.Popen(" && ".join(commands), shell=True, cwd=course, env=ENVIRONMENT)


def wait(processes: list[subprocess.Popen[bytes]]) -> None:
    """Until all have ended well."""
    if any(process.wait() for process in processes):
        raise SystemExit("nbgrader failed; its log is lost with the folder. Run it by hand.")


def grade(place: Path, out: Path, *, watched: bool) -> tuple[float, float, int]:
    """Seconds in all, the median of one submission, and the most memory of all processes.

    To watch the memory takes a good part of a processor, so what is compared is not watched.
    """
    most = [0]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*BIRNN, "grade", str(place), "-o", str(out), "--seed", "1", "--jobs", "2"],
        env=ENVIRONMENT | {"PYTHONPATH": ""},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    if watched:
        threading.Thread(target=watch, args=(process.pid, most), daemon=True).start()
    if process.wait():
        raise SystemExit("birnn grade failed")
    seconds = time.perf_counter() - start
    with sqlite3.connect(out / "grading.sqlite") as file:
        each = [row[0] for row in file.execute("select seconds from marked")]
    return seconds, statistics.median(each), most[0]


def watch(pid: int, most: list[int]) -> None:
    """The memory of a process and all below it: what is shared counts once, where that is known."""
    while True:
        try:
            parent = psutil.Process(pid)
            total = 0
            for process in (parent, *parent.children(recursive=True)):
                total += getattr(process.memory_full_info(), "pss", process.memory_info().rss)
            most[0] = max(most[0], total)
        except psutil.NoSuchProcess:
            if not psutil.pid_exists(pid):
                return
        time.sleep(0.2)


def same_marks(course: Path, out: Path) -> bool:
    """Whether every student has the same points from both."""
    import csv

    run([sys.executable, "-m", "nbgrader", "export", "--to", "theirs.csv"], course)
    theirs: dict[str, float] = {}
    with (course / "theirs.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            theirs[row["student_id"]] = theirs.get(row["student_id"], 0) + float(row["score"])
    with (out / "totals.csv").open(encoding="utf-8") as file:
        ours = {row["student"]: float(row["points"]) for row in csv.DictReader(file)}
    return ours == theirs


def say(what: str, seconds: float, n: int) -> None:
    """One line of the table."""
    print(f"  {what:26} {seconds:7.1f} s  {seconds / n:6.3f} s a notebook", flush=True)


if __name__ == "__main__":
    main()
