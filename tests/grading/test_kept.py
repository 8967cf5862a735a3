"""Nothing that a person changed in OUT is lost, and nothing that was acknowledged either."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

import grading.classes as classes
from birnn_course.cli import main
from birnn_course.errors import CourseError
from birnn_course.grading import classroom, course_state, reports, tables
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.outputs import Outputs
from birnn_course.grading.store import Store
from grading.test_class import few, grade, marked_at_once
from grading.test_reports import marks

__all__ = ["marked_at_once"]
Results = dict[str, dict[str, Marked]]


def write(out: Path, marked: Results, **options: object) -> list[str]:
    """As a run does; who is not there any more is forgotten."""
    with closing(Store(out)) as store:
        for key in store.digests():
            store.forget(*key)
        for student, notebooks in marked.items():
            for name, result in notebooks.items():
                store.keep(student, name, "digest", result, 0.5)
        return reports.write(out, store, [], 1, **options)  # type: ignore[arg-type]


CLASS: Results = {
    "Ada": {"n.ipynb": marks("01")},
    "Bo": {"n.ipynb": marks("01", stream=("value", ""))},
    "z;b": {"n.ipynb": marks("01")},
    "z,b": {"n.ipynb": marks("01")},
}


def totals(out: Path) -> list[dict[str, str]]:
    with (out / "totals.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def change(out: Path, old: str, new: str) -> None:
    text = (out / "totals.csv").read_text(encoding="utf-8")
    assert old in text
    (out / "totals.csv").write_text(text.replace(old, new), encoding="utf-8")


# ── totals.csv ──────────────────────────────────────────────────────────────────────────────────


def test_a_row_that_a_person_changed_stays_and_is_said(tmp_path: Path) -> None:
    assert write(tmp_path, CLASS) == []
    before = (tmp_path / "totals.csv").read_bytes()
    assert write(tmp_path, CLASS) == []
    assert (tmp_path / "totals.csv").read_bytes() == before
    change(tmp_path, "Bo,12,12,15", "Bo,12,14,15")
    sentence = "totals.csv: Bo: points stays 14, where 12 is computed."
    for _ in range(3):
        assert write(tmp_path, CLASS) == [sentence]
        assert totals(tmp_path)[1]["points"] == "14"
    page = (tmp_path / "class.html").read_text(encoding="utf-8")
    assert "Changed in totals.csv (1)" in page and "points stays 14" in page
    # What is computed anew stands beside it: another unit, and other rows.
    more = CLASS | {who: CLASS[who] | {"m.ipynb": marks("02")} for who in ("Ada", "Bo")}
    assert write(tmp_path, more) == ["totals.csv: Bo: points stays 14, where 27 is computed."]
    assert [row["unit_02"] for row in totals(tmp_path)] == ["15", "15", "", ""]
    assert [row["points"] for row in totals(tmp_path)] == ["30", "14", "15", "15"]
    # Without the row it is computed again.
    text = (tmp_path / "totals.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in text if not line.startswith("Bo")]
    (tmp_path / "totals.csv").write_text("".join(kept), encoding="utf-8")
    assert write(tmp_path, more) == []
    assert [row["points"] for row in totals(tmp_path)] == ["30", "27", "15", "15"]


def test_columns_and_rows_of_a_person_stay(tmp_path: Path) -> None:
    write(tmp_path, CLASS)
    lines = (tmp_path / "totals.csv").read_text(encoding="utf-8").splitlines()
    own = [f"{lines[0]},remark", f"{lines[1]},=B2+1", *(f"{line}," for line in lines[2:])]
    own.append("Eve,,9,15,,on paper")
    (tmp_path / "totals.csv").write_text("\n".join(own) + "\n", encoding="utf-8")
    for _ in range(2):
        assert write(tmp_path, CLASS) == [
            "totals.csv: Eve: the row stays, which is of nobody here."
        ]
        rows = totals(tmp_path)
        assert [row["student"] for row in rows] == ["Ada", "Bo", "z,b", "z,b", "Eve"]
        assert {row["student"]: row["remark"] for row in rows}["Ada"] == "=B2+1"
        assert rows[-1]["points"] == "9" and rows[-1]["remark"] == "on paper"


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_spreadsheet_may_have_written_it(tmp_path: Path, delimiter: str) -> None:
    write(tmp_path, CLASS)
    rows = [list(row.values()) for row in totals(tmp_path)]
    rows[1][2] = "7"
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(
        [list(totals(tmp_path)[0]), *rows]
    )
    (tmp_path / "totals.csv").write_bytes(b"\xef\xbb\xbf" + file.getvalue().encode())
    assert write(tmp_path, CLASS) == ["totals.csv: Bo: points stays 7, where 12 is computed."]
    assert [row["points"] for row in totals(tmp_path)] == ["15", "7", "15", "15"]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"not,a,table\n1,2,3\n", b'student\n"x'])
def test_what_is_no_table_any_more_is_set_aside(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, CLASS)
    (tmp_path / "totals.csv").write_bytes(data)
    [sentence] = write(tmp_path, CLASS)
    assert sentence == "totals.csv was changed by somebody; that one is totals (changed).csv now."
    assert (tmp_path / "totals (changed).csv").read_bytes() == data
    assert len(totals(tmp_path)) == 4 and write(tmp_path, CLASS) == []


def test_a_table_that_no_run_wrote_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "totals.csv").write_text("student,points\nAda,3\n")
    assert len(write(tmp_path, CLASS)) == 1
    assert (tmp_path / "totals (changed).csv").read_text() == "student,points\nAda,3\n"


@pytest.mark.parametrize("moment", ["will_write", "have_written", "set_totals"])
def test_a_run_that_was_cut_short_leaves_nothing_that_looks_changed(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, CLASS)
    other = CLASS | {"Bo": {"n.ipynb": marks("01")}}
    before = getattr(Store, moment)
    for number in range(2):
        times = iter(range(100))

        def stop(store: Store, *args: object, times: Iterator[int] = times) -> None:
            if next(times) == number:  # noqa: B023  it is called in this very turn
                raise KeyboardInterrupt
            before(store, *args)

        with monkeypatch.context() as patch:
            patch.setattr(Store, moment, stop)
            with pytest.raises(KeyboardInterrupt):
                write(tmp_path, other)
        assert write(tmp_path, other) == []
        assert [row["points"] for row in totals(tmp_path)] == ["15"] * 4
        assert not list(tmp_path.rglob("*(changed)*"))
        assert write(tmp_path, CLASS) == []


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_a_person_changed_is_set_aside_and_is_said(tmp_path: Path) -> None:
    write(tmp_path, CLASS)
    for name in ("class.html", "grades.csv", "feedback/Ada.html"):
        (tmp_path / name).write_text(f"mine: {name}")
    sentences = write(tmp_path, CLASS)
    assert len(sentences) == 3
    for name in ("class (changed).html", "grades (changed).csv", "feedback/Ada (changed).html"):
        assert (tmp_path / name).read_text().startswith("mine: ")
    assert write(tmp_path, CLASS) == []
    (tmp_path / "class.html").write_text("mine again")
    write(tmp_path, CLASS)
    assert (tmp_path / "class (changed) 2.html").read_text() == "mine again"


def test_only_pages_that_a_run_wrote_are_deleted(tmp_path: Path) -> None:
    write(tmp_path, CLASS)
    feedback = tmp_path / "feedback"
    (feedback / "notes.html").write_text("mine")
    (feedback / "sub").mkdir()
    fewer = {"Ada": CLASS["Ada"]}
    assert write(tmp_path, fewer) == []
    assert sorted(p.name for p in feedback.iterdir()) == ["Ada.html", "notes.html", "sub"]
    write(tmp_path, CLASS)
    (feedback / "Bo.html").write_text("with a remark of mine")
    write(tmp_path, fewer)
    assert (feedback / "Bo.html").read_text() == "with a remark of mine"


def test_one_page_that_cannot_be_written_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    for blocked in ("feedback/Ada.html", "class.html", "grades.csv", "totals.csv"):
        out = tmp_path / blocked.replace("/", "-")
        (out / blocked).mkdir(parents=True)
        with pytest.raises(CourseError, match=r"1 file in .* could not be written") as caught:
            write(out, CLASS)
        assert blocked in str(caught.value) and "\n" not in str(caught.value)
        wanted = {"class.html", "grades.csv", "totals.csv", "Ada.html", "Bo.html"}
        there = {path.name for path in out.rglob("*") if path.is_file()}
        assert wanted - there == {blocked.rpartition("/")[2]}
        (out / blocked).rmdir()
        assert write(out, CLASS) == []
        assert (out / blocked).is_file()


def test_one_page_that_cannot_be_made_keeps_no_other_from_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = reports._feedback

    def made(pages: object, person: object, *args: object) -> str:
        page = make(pages, person, *args)  # type: ignore[arg-type]
        return page if person.student != "Bo" else f"{page}\ud83d"  # type: ignore[attr-defined]

    monkeypatch.setattr(reports, "_feedback", made)
    with pytest.raises(CourseError, match=r"feedback/Bo\.html"):
        write(tmp_path, CLASS)
    assert {p.name for p in (tmp_path / "feedback").iterdir()} >= {"Ada.html"}
    assert (tmp_path / "class.html").is_file() and len(totals(tmp_path)) == 4


def test_a_file_in_the_place_of_the_folder_costs_the_pages_only(tmp_path: Path) -> None:
    (tmp_path / "feedback").write_text("mine")
    with pytest.raises(CourseError, match=r"4 files .* could not be written: feedback/"):
        write(tmp_path, CLASS)
    assert (tmp_path / "feedback").read_text() == "mine"
    assert (tmp_path / "class.html").is_file() and len(totals(tmp_path)) == 4


HIDDEN = "\x1b[31m \x00 \x07 \u202e \ud83d".encode("utf-8", "surrogatepass").decode(
    "utf-8", "replace"
)


def test_no_control_character_reaches_a_page(tmp_path: Path) -> None:
    evil = marks("01", stream=("callable", ""), best_score=("not attempted", ""))
    evil = Marked(
        [Mark(**{**vars(m), "sentence": HIDDEN, "cause": HIDDEN}) for m in evil.marks],
        [(1, HIDDEN, HIDDEN)],
        note=HIDDEN,
        advice=HIDDEN,
    )
    write(tmp_path, {f"E{HIDDEN}": {f"n{HIDDEN}.ipynb": evil}}, lessons=f"https://x/{HIDDEN}")
    for path in tmp_path.rglob("*"):
        if path.suffix in (".html", ".csv"):
            text = path.read_text(encoding="utf-8")
            assert not [c for c in text if ord(c) < 32 and c not in "\n\t"], path.name
            assert "\u202e" not in text


def test_names_of_files_are_cut(tmp_path: Path) -> None:
    name = "n" * 5_000 + ".ipynb"
    write(tmp_path, {"Ada": {name: marks("01")}, "Bo": {name: Marked(note="Odd.")}})
    for path in tmp_path.rglob("*"):
        if path.suffix in (".html", ".csv"):
            assert "n" * 201 not in path.read_text(encoding="utf-8"), path.name
    assert "n" * 200 in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def test_quotes_and_semicolons_make_no_cells(tmp_path: Path) -> None:
    name = 'x";"=1+1";".ipynb'
    write(tmp_path, {'a";=2': {name: marks("01")}})
    for table in ("grades.csv", "totals.csv"):
        for line in (tmp_path / table).read_text(encoding="utf-8").splitlines():
            assert ";" not in line
            for cell in next(csv.reader([line], delimiter=";")):
                assert not cell.lstrip("'\" ").startswith("=")
    assert ";" in tables.csv_of(["a"], [["x;=1"]])


# ── what is kept of the run ─────────────────────────────────────────────────────────────────────


def test_two_graders_do_not_work_in_one_folder(
    tmp_path: Path, marked_at_once: list[object]
) -> None:
    place, out = classes.lay_out(few(), tmp_path / "in"), tmp_path / "out"
    with closing(Store(out)):
        result = grade(place, out)
        assert result.exit_code == 1 and not marked_at_once
        assert result.stderr == (
            f"birnn: another birnn grade is at work in {out}; wait until it has ended, or name "
            "another folder with -o.\n"
        )
    assert grade(place, out).exit_code == 0


def test_the_seed_that_was_kept_first_holds(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        assert store.settle("seed", "5") == "5"
        assert store.settle("seed", "6") == "5"


@pytest.mark.parametrize(
    "script",
    [
        "create table notes (text)", "create table run (id, what)", "create table marked (student)",
        "create table run (name, value); create table other (x)",
    ],
)  # fmt: skip
def test_a_file_of_another_program_is_left_alone(tmp_path: Path, script: str) -> None:
    with closing(sqlite3.connect(tmp_path / "grading.sqlite")) as file:
        file.executescript(script)
    before = (tmp_path / "grading.sqlite").read_bytes()
    with pytest.raises(CourseError, match=r"is a file of another program"):
        Store(tmp_path)
    assert (tmp_path / "grading.sqlite").read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "grading.sqlite").write_bytes(b"mine " * 1_000)
    with pytest.raises(CourseError, match="cannot be used"):
        Store(tmp_path)
    assert (tmp_path / "grading.sqlite").read_bytes() == b"mine " * 1_000


DAMAGED = ["", "{", "null", "[]", '{"marks": []}', "[" * 10_000, '"\\ud83d"', "1e999"]


@pytest.mark.parametrize("result", DAMAGED, ids=[d[:12] for d in DAMAGED])
def test_a_damaged_row_is_made_again(
    result: str, tmp_path: Path, marked_at_once: list[object]
) -> None:
    place, out = classes.lay_out(few(), tmp_path / "in"), tmp_path / "out"
    assert grade(place, out).exit_code == 0
    number = len(marked_at_once)
    with closing(sqlite3.connect(out / "grading.sqlite")) as file, file:
        file.execute("update marked set result = ? where student = 'Ada' and notebook like '01%'",
                     (result,))  # fmt: skip
    again = grade(place, out)
    assert again.exit_code == 0, again.output
    assert "birnn: 1 damaged result will be made again." in again.stderr
    assert len(marked_at_once) == number + 1


def test_wrong_types_in_a_row_are_damage() -> None:
    sound = marks("01").as_json()
    assert Marked.from_json(json.loads(json.dumps(sound))) == marks("01")
    for name, value in (("note", 3), ("look", "x"), ("code", None), ("errors", [[1, 2, 3]])):
        with pytest.raises(ValueError, match="no result"):
            Marked.from_json(sound | {name: value})
    marked = sound | {"marks": [sound["marks"][0] | {"points": "9"}]}
    with pytest.raises(ValueError, match="no result"):
        Marked.from_json(marked)


def test_a_seed_that_is_none_is_one_sentence(tmp_path: Path, marked_at_once: list[object]) -> None:
    place, out = classes.lay_out(few(), tmp_path / "in"), tmp_path / "out"
    assert grade(place, out).exit_code == 0
    with closing(sqlite3.connect(out / "grading.sqlite")) as file, file:
        file.execute("update run set value = 'many' where name = 'seed'")
    result = grade(place, out)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "has lost its seed" in result.stderr


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Lets databases grow by so many pages only, as a disk that is full does."""
    connect = sqlite3.connect

    def limited(pages: int) -> None:
        def opened(*args: object, **options: object) -> sqlite3.Connection:
            file = connect(*args, **options)  # type: ignore[call-overload]
            file.execute(f"pragma max_page_count = {pages}")
            return file  # type: ignore[no-any-return]

        monkeypatch.setattr("birnn_course.grading.store.sqlite3.connect", opened)

    yield limited


def test_a_disk_that_is_full_loses_nothing_that_was_kept(
    tmp_path: Path, full_disk: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, notes = tmp_path, Marked(note="x" * 2_000)
    kept = []
    full_disk(30)
    with closing(Store(out)) as store:
        with pytest.raises(CourseError, match=r"full.*mend that and run the same command again"):
            for number in range(1_000):
                store.keep("ada", f"{number}.ipynb", "digest", notes, 0.0)
                kept.append(f"{number}.ipynb")
        assert 5 < len(kept) < 100
        assert {notebook for _, notebook in store.digests()} == set(kept)
    monkeypatch.undo()
    with closing(Store(out)) as store:
        assert {notebook for _, notebook in store.digests()} == set(kept)
        store.keep("ada", "more.ipynb", "digest", notes, 0.0)


def test_results_stay_where_the_reports_cannot_be_written(
    tmp_path: Path, marked_at_once: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = classes.lay_out(few(), tmp_path / "in"), tmp_path / "out"

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr("birnn_course.grading.outputs.write_atomic", refuse)
        result = grade(place, out)
    assert (result.exit_code, result.stderr.count("birnn: ")) == (1, 1)
    assert "could not be written: grades.csv (Permission denied)" in result.stderr
    number = len(marked_at_once)
    assert grade(place, out).exit_code == 0
    assert len(marked_at_once) == number and (out / "class.html").is_file()


# ── the state of the course ─────────────────────────────────────────────────────────────────────


def test_two_states_of_the_course_do_not_mix(
    tmp_path: Path, marked_at_once: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, out = classes.lay_out(few(), tmp_path / "in"), tmp_path / "out"
    assert grade(place, out).exit_code == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    monkeypatch.setattr(classroom, "state", lambda bank: "after an update")
    result = grade(place, out)
    assert result.exit_code == 1 and "another version of the course" in result.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_the_state_changes_with_all_that_marks_depend_on(tmp_path: Path) -> None:
    package, bank = tmp_path / "package", tmp_path / "bank"
    for name in course_state.MARKS_DEPEND_ON:
        path = package / (name if name.endswith(".py") else f"{name}/a.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1")
    (package / "grading" / "reports.py").write_text("x = 1")
    bank.mkdir()
    (bank / "mine.py").write_text("x = 1")
    states = {course_state.state(bank, package)}
    files = [path for path in tmp_path.rglob("*.py") if path.name != "reports.py"]
    for number, path in enumerate(files, 2):
        path.write_text("x = 2")
        states.add(course_state.state(bank, package))
        assert len(states) == number, path.name
    (package / "grading" / "reports.py").write_text("x = 2")
    assert course_state.state(bank, package) in states
    assert course_state.state(None, package) not in states


def test_all_that_cases_and_answers_import_is_part_of_the_state() -> None:
    from test_imports import IMPORTS

    needed, waiting = set(), {"birnn_course.grading.case_sets", "birnn_course.sandbox.inside.host"}
    while waiting:
        needed |= waiting
        waiting = {other for name in waiting for other in IMPORTS[name]} - needed
    covered = [name.removesuffix(".py").replace("/", ".") for name in course_state.MARKS_DEPEND_ON]
    left = {
        name.removeprefix("birnn_course.")
        for name in needed
        if not any(f"{name}.".startswith(f"birnn_course.{place}.") for place in (*covered, "draw"))
    }
    # What says sentences, keeps a learner's record, draws, or holds nothing.
    assert left <= {
        "birnn_course", "errors", "files", "findings", "record", "misconceptions",
        "misconceptions.address", "plots",
        "device", "probes", "grading", "training", "explore",
    }, left  # fmt: skip


def test_outputs_say_what_failed_in_words(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        outputs = Outputs(tmp_path, store)
        outputs.add("x.html", lambda: "\ud83d")
        outputs.add("y.html", lambda: "fine")
        outputs.write()
        assert (tmp_path / "y.html").read_text() == "fine"
        with pytest.raises(CourseError, match=r"x.html .UnicodeEncodeError"):
            outputs.complain()


def test_the_command_says_it_too(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["grade", str(tmp_path), "-o", os.devnull]).exit_code == 1
