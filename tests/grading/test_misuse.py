"""Whatever is asked wrongly is one sentence, ends with an exit code, and loses nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from patience import PATIENCE, ends

from birnn_course.cli import main
from birnn_course.grading.engines import Task
from grading import classes
from grading.test_class import few, grade, marked_at_once

__all__ = ["marked_at_once"]


def birnn(*words: object) -> Result:
    result: Result = ends(lambda: CliRunner().invoke(main, list(map(str, words))))
    return result


def problems(result: Result) -> list[str]:
    """What is not as it should be with a refusal."""
    found = []
    if result.exit_code == 0:
        found.append("it says that all is well")
    if not isinstance(result.exception, SystemExit):
        found.append(f"a traceback of {result.exception!r}")
    if result.stderr.count("\n") != 1 or not result.stderr.startswith("birnn: "):
        found.append(f"no single sentence: {result.stderr!r}")
    if len(result.stderr) > 600:
        found.append("too long")
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "01_bidirectional_exercises.ipynb").write_text('{"cells": []}')
    (tmp_path / "file").write_text("mine")
    (tmp_path / "empty").mkdir()
    return tmp_path


GRADE: dict[str, list[str]] = {
    "seed of 65 bits": ["--seed", str(2**64)],
    "long seed": ["--seed", "9" * 5_000],
    "negative seed": ["--seed", "-1"],
    "seed no number": ["--seed", "x"],
    "no jobs": ["--jobs", "0"],
    "jobs without end": ["--jobs", "99999999"],
    **{f"timeout {x}": ["--timeout", x] for x in ("nan", "inf", "-inf", "1e300", "0", "x", "")},
    **{
        f"engine {x}": ["--engine", x]
        for x in ("dask://", "dask://:::", "dask://h", "dask://h:", "dask://:1", "dask://h:99999",
                  "dask://h:x", "dask://a b:1", "dask://h:1/x", "", "spark")
    },
    "no bank": ["--bank", ""],
    "bank is a file": ["--bank", "file"],
    "bank is a device": ["--bank", "/dev/zero"],
    "bank is empty": ["--bank", "empty"],
    "nobody again": ["--again", ""],
    "somebody else": ["--again", "bob"],
    "no units": ["--units", ""],
    "a comma": ["--units", ","],
    "other units": ["--units", "01,99"],
    "other option": ["--nonsense"],
}  # fmt: skip


@pytest.mark.parametrize("options", GRADE.values(), ids=GRADE.keys())
def test_options_of_grade(options: list[str], place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    assert problems(birnn("grade", "in", "-o", "out", *options)) == []
    assert not (place / "out" / "grades.csv").exists()
    assert (place / "file").read_text() == "mine"


OTHERS: dict[str, list[str]] = {
    "nothing": ["grade"],
    "no out": ["grade", "in"],
    "empty name": ["grade", "", "-o", "out"],
    "blank name": ["grade", " ", "-o", "out"],
    "empty out": ["grade", "in", "-o", ""],
    "device without end": ["grade", "/dev/zero", "-o", "out"],
    "device": ["grade", "/dev/null", "-o", "out"],
    "pipe": ["grade", "pipe", "-o", "out"],
    "no zip": ["grade", "file", "-o", "out"],
    "nowhere": ["grade", "nowhere", "-o", "out"],
    "nothing in it": ["grade", "empty", "-o", "out"],
    "out is a file": ["grade", "in", "-o", "file"],
    "out in a file": ["grade", "in", "-o", "file/x"],
    "out is a device": ["grade", "in", "-o", os.devnull],
    "out is what was handed in": ["grade", "in", "-o", "in"],
    "pages were handed in": ["grade", "out/feedback", "-o", "out"],
    "assign nothing": ["assign", "", "-o", "out"],
    "assign into a file": ["assign", "01", "-o", "file"],
    "assign in a file": ["assign", "01", "-o", "file/x"],
    "assign nowhere": ["assign", "01", "-o", ""],
    "assign a device": ["assign", "/dev/zero", "-o", "out"],
    "assign a file": ["assign", "file", "-o", "out"],
    "slides into a file": ["slides", "01", "-o", "file"],
    "slides nowhere": ["slides", "01", "-o", ""],
    "slides of no unit": ["slides", "", "-o", "out"],
    "slides on a folder": ["slides", "01", "-o", "slides"],
    "lab nowhere": ["lab", "", "--no-browser"],
    "a quiz of nothing": ["quiz", "", "--json"],
    "a test without end": ["test", "99999999999999999999"],
    "a test of no time": ["test", "--minutes", "nan"],
    "a test of all time": ["test", "--minutes", "inf"],
    "another command": ["nonsense"],
}


@pytest.mark.parametrize("words", OTHERS.values(), ids=OTHERS.keys())
def test_places_and_other_commands(
    words: list[str], place: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    os.mkfifo(place / "pipe")
    (place / "out" / "feedback").mkdir(parents=True)
    (place / "slides" / "01_bidirectional.html").mkdir(parents=True)
    before = sorted(path for path in place.rglob("*") if "ada" in path.parts)
    assert problems(birnn(*words)) == []
    assert (place / "file").read_text() == "mine"
    assert sorted(path for path in place.rglob("*") if "ada" in path.parts) == before
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("target", ["", os.devnull, "file/x"])
def test_an_export_that_cannot_be_written(
    target: str, place: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    result = birnn("progress", "--export", target)
    assert problems(result) == [] and not Path(os.devnull).is_file()


BANKS = {
    "leaves": "import sys\nsys.exit(3)",
    "leaves without a word": "raise SystemExit",
    "raises": "raise KeyError",
    "raises what cannot speak": "class E(Exception):\n    def __str__(self): 1 / 0\nraise E",
    "is no Python": "def (",
    "holds a zero": "x = '\0'",
    "no tuple": "EXERCISES = 3",
    "no exercise": "EXERCISES = (1,)",
}


@pytest.mark.parametrize("source", BANKS.values(), ids=BANKS.keys())
def test_a_bank_that_does_not_work(
    source: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (place / "bank").mkdir()
    (place / "bank" / "mine.py").write_text(source)
    for words in (["grade", "in", "-o", "out", "--bank", "bank"], ["assign", "bank", "-o", "out"]):
        result = birnn(*words)
        assert problems(result) == [] and "mine.py" in result.stderr


LEAVES = """
import sys
from dataclasses import replace
from birnn_course.exercises.unit_01 import EXERCISES as OURS

def leave(*arguments):
    sys.exit(3)

EXERCISES = (replace(OURS[0], name="mine", unit="own", {}),)
"""


@pytest.mark.parametrize(
    "change", ["reference=leave", "cases=leave", "points='3'", "points=-1", "title=None", "unit=7"]
)
def test_an_exercise_that_does_not_work(
    change: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    (place / "bank").mkdir()
    source = LEAVES.format(change) if "unit" not in change else LEAVES.replace(
        'unit="own", {}', change
    )  # fmt: skip
    (place / "bank" / "mine.py").write_text(source)
    result = birnn("grade", "in", "-o", "out", "--bank", "bank")
    assert problems(result) == [] and "mine.py" in result.stderr


def test_a_refusal_that_is_none_is_found() -> None:
    assert problems(CliRunner().invoke(main, ["--version"]))
    broken = Result(CliRunner(), b"", b"one\ntwo\n", b"", None, 1, ValueError("x"))  # type: ignore[arg-type]
    assert len(problems(broken)) >= 2


def test_a_name_of_half_characters_is_a_sentence_in_a_terminal(tmp_path: Path) -> None:
    program = "from birnn_course.cli import main; main()"
    command = [sys.executable, "-c", program, "grade", os.fsdecode(b"\xff"), "-o", "out"]
    run = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=PATIENCE)
    assert run.returncode == 1 and b"Traceback" not in run.stderr
    assert run.stderr.startswith(b"birnn: there is no ")


# ── a class with results of its own in it ───────────────────────────────────────────────────────


def test_out_inside_of_what_was_handed_in_is_no_student(
    tmp_path: Path, marked_at_once: list[Task]
) -> None:
    place = classes.lay_out(few(), tmp_path / "in")
    for _ in range(2):
        assert grade(place, place / "results").exit_code == 0
    totals = (place / "results" / "totals.csv").read_text(encoding="utf-8")
    assert len(totals.splitlines()) == 4 and "\nresults," not in totals
    other = grade(place, tmp_path / "other")
    assert f"birnn: {place / 'results'} holds results and is no student." in other.stderr
    assert len((tmp_path / "other" / "totals.csv").read_text().splitlines()) == 4


def test_who_hands_in_the_results_file_does_not_vanish(
    tmp_path: Path, marked_at_once: list[Task]
) -> None:
    place = classes.lay_out(few(), tmp_path / "in")
    (place / "Ada" / "grading.sqlite").write_text("mine")
    assert grade(place, tmp_path / "out").exit_code == 0
    assert "\nAda," in (tmp_path / "out" / "totals.csv").read_text(encoding="utf-8")


def test_stopped_at_any_moment_it_says_how_to_go_on(
    tmp_path: Path, marked_at_once: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = classes.lay_out(few(), tmp_path / "in")

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for moment in ("classroom.find", "assignments.load", "reports.write", "reports.look_at"):
        with monkeypatch.context() as patch:
            patch.setattr(f"birnn_course.grading.{moment}", stop)
            result = grade(place, tmp_path / "out")
        assert result.exit_code == 130, moment
        assert result.stderr.endswith("birnn: stopped; the same command goes on from here.\n")
    assert grade(place, tmp_path / "out").exit_code == 0
    assert len(marked_at_once) == len(few())


@pytest.mark.parametrize("error", [RuntimeError("lost"), TimeoutError()])
def test_a_cluster_that_fails_is_one_sentence(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")

    class Client:
        def __init__(self, *_: object, **__: object) -> None:
            if isinstance(error, TimeoutError):
                raise error

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def submit(self, *_: object, **__: object) -> None:
            raise error

    monkeypatch.setattr(distributed, "Client", Client)
    place = classes.lay_out(few(), tmp_path / "in")
    result = grade(place, tmp_path / "out", "--engine", "dask://127.0.0.1:8786")
    assert result.exit_code == 1 and "Traceback" not in result.stderr
    assert result.stderr.count("birnn: ") == 1 and "127.0.0.1:8786" in result.stderr
