"""The learner's record: no acknowledged answer is lost, and no trouble stops a lesson."""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from answers import named
from click.testing import CliRunner

from birnn_course import __version__, check, diagnostic, my_route, quiz, warm_up
from birnn_course import record as module
from birnn_course.cli import main
from birnn_course.record import Attempt, Record, misconception_states, record

from conftest import require

START = datetime(2025, 3, 1, 12, tzinfo=UTC)


def attempt(item: str = "q1", points: float = 1, **other: Any) -> Attempt:
    """A right answer to a question, unless told otherwise."""
    filled: dict[str, Any] = {"kind": "question", "unit": "02", "max_points": 1, "answer": "[1]"}
    return Attempt(item=item, points=points, **{**filled, **other})


def items(record: Record) -> list[str]:
    return [a.item for a in record.attempts()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "record.sqlite3"


def names(path: Path) -> list[str]:
    return sorted(p.name for p in path.parent.iterdir())


def sql(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements on the file, past the course's code; the rows of the last one."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for statement in statements:
            rows = file.execute(statement).fetchall()
    return rows


# ------------------------------------------------------------------------------- all is well


def test_what_is_added_is_there_in_the_next_session(path: Path) -> None:
    every_field = Attempt(
        item="shape",
        kind="exercise",
        unit="02",
        points=0.5,
        max_points=2,
        answer='{"é": "\\u0000"}',
        probes=("last-step-readout", "h-n-view"),
        misconception="h-n-view",
        sure=False,
        at=datetime(2025, 3, 1, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=2))),
        version="0.0.9",
    )
    record = Record(path)
    assert record.attempts() == []
    record.add(every_field)
    record.add(attempt("q2", sure=True))
    for again in (record, Record(path)):
        first, second = again.attempts()
        assert first == every_field
        assert first.sure is False
        assert (second.item, second.misconception) == ("q2", None)
        assert second.sure is True
        assert again.attempts("shape") == [every_field]
        assert again.attempts("sha%") == []
        assert again.notice is None
    assert names(path) == ["record.sqlite3"]


def test_an_attempt_is_of_now_and_of_this_version() -> None:
    before = datetime.now(UTC)
    made = attempt()
    assert before <= made.at <= datetime.now(UTC)
    assert (made.at.utcoffset(), made.version) == (timedelta(0), __version__)


def test_right_is_who_earned_all_points() -> None:
    assert attempt(points=2, max_points=2).right
    assert not attempt(points=1.5, max_points=2).right


def test_times_without_a_zone_and_points_without_a_value_are_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        attempt(at=datetime(2025, 3, 1))
    with pytest.raises(ValueError, match="finite"):
        attempt(points=float("nan"))


def test_what_no_attempt_can_hold_is_an_error_and_does_no_harm(path: Path) -> None:
    record = Record(path)
    record.add(attempt("q1"))
    for wrong in ({"unit": None}, {"answer": ["not", "text"]}):
        with pytest.raises(sqlite3.Error):
            record.add(attempt("wrong", **wrong))
    record.add(attempt("q2"))
    assert (items(record), record.notice) == (["q1", "q2"], None)


def test_it_lives_in_the_home_of_the_course(home: Path) -> None:
    Record().add(attempt())
    assert [p.name for p in home.iterdir()] == ["record.sqlite3"]


def test_the_file_is_set_to_be_safe(path: Path) -> None:
    with closing(Record(path)._connect(path)) as file:
        assert file.execute("PRAGMA busy_timeout").fetchone() == (10_000,)
        file.execute("PRAGMA synchronous = OFF")
        assert file.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        module._begin(file)
        assert file.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert file.in_transaction


# ------------------------------------------------------------------------ several processes

ADD_MANY = """
import sys; from pathlib import Path; from birnn_course.record import Attempt, Record
path, name, n = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
record = Record(path)
for i in range(n):
    record.add(Attempt(f"{name}{i}", "question", "01", 1, 1, "[0]"))
    print(f"{name}{i}" if record.notice is None else record.notice, flush=True)
"""


def add_many(path: Path, name: str, n: int) -> subprocess.Popen[str]:
    """A process that adds ``name0``, ``name1``, … and prints each when it is acknowledged."""
    command = [sys.executable, "-c", ADD_MANY, str(path), name, str(n)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("n", [60, pytest.param(500, marks=pytest.mark.full)])
def test_no_acknowledged_answer_is_lost_when_one_of_two_is_killed(path: Path, n: int) -> None:
    with add_many(path, "a", n) as killed, add_many(path, "b", n) as other:
        assert killed.stdout and other.stdout
        acknowledged = [killed.stdout.readline().strip() for _ in range(n // 2)]
        killed.send_signal(signal.SIGKILL)
        acknowledged += killed.stdout.read().split("\n")[:-1]
        assert other.stdout.read().split() == [f"b{i}" for i in range(n)]
    assert (killed.returncode, other.returncode) == (-signal.SIGKILL, 0)
    assert n // 2 <= len(acknowledged) < n
    record = Record(path)
    kept = items(record)
    assert [i for i in kept if i.startswith("b")] == [f"b{i}" for i in range(n)]
    from_killed = [i for i in kept if i.startswith("a")]
    # Of the killed process, at most the one answer is there that it did not come to print.
    assert from_killed[: len(acknowledged)] == acknowledged
    assert len(from_killed) <= len(acknowledged) + 1
    assert (record.notice, names(path)) == (None, ["record.sqlite3"])


def kill_inside_a_transaction(path: Path) -> None:
    """Leave a file that is half changed, and the journal that can restore it."""
    script = (
        "import os, signal, sqlite3, sys\n"
        "file = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "file.execute('PRAGMA cache_size = 1')\n"  # so that the file itself is written early
        "file.execute('BEGIN IMMEDIATE')\n"
        "file.execute('UPDATE attempts SET item = hex(zeroblob(100000))')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    before = path.read_bytes()
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert path.read_bytes() != before
    assert names(path) == ["record.sqlite3", "record.sqlite3-journal"]


def test_killed_inside_a_transaction_it_leaves_no_trace(path: Path) -> None:
    record = Record(path)
    record.add(attempt("q1"))
    kill_inside_a_transaction(path)
    record.add(attempt("q2"))
    assert (items(record), record.notice) == (["q1", "q2"], None)
    assert names(path) == ["record.sqlite3"]


def test_a_journal_left_behind_does_not_reach_a_fresh_file(path: Path) -> None:
    Record(path).add(attempt("q1"))
    kill_inside_a_transaction(path)
    path.unlink()
    record = Record(path)
    record.add(attempt("q2"))
    assert (items(record), record.notice) == (["q2"], None)
    assert names(path) == ["record.sqlite3"]


def test_of_many_who_find_it_damaged_one_sets_it_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("garbage" * 1000)
    processes = [add_many(path, name, 5) for name in "abcd"]
    for process in processes:
        process.communicate()
    assert sorted(items(Record(path))) == sorted(f"{name}{i}" for name in "abcd" for i in range(5))
    assert names(path) == ["record.sqlite3", "record.sqlite3.damaged", "record.sqlite3.lock"]


def test_a_fresh_file_is_not_taken_for_the_damaged_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process sets the file aside just when this one is about to."""
    set_aside = Record._set_aside

    def too_late(self: Record) -> None:
        monkeypatch.setattr(Record, "_set_aside", set_aside)
        Record(path).add(attempt("theirs"))
        set_aside(self)

    path.parent.mkdir()
    path.write_text("garbage" * 1000)
    monkeypatch.setattr(Record, "_set_aside", too_late)
    record = Record(path)
    record.add(attempt("ours"))
    assert (items(record), record.notice) == (["theirs", "ours"], None)
    assert names(path) == ["record.sqlite3", "record.sqlite3.damaged", "record.sqlite3.lock"]


def test_only_one_process_at_a_time_sets_aside(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.01)
    path.parent.mkdir()
    path.write_text("garbage" * 1000)
    with closing(sqlite3.connect(f"{path}.lock", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "Another program" in str(Record(path).notice)
        assert path.read_text().startswith("garbage")
    assert "kept as record.sqlite3.damaged" in str(Record(path).notice)


def test_while_another_program_holds_it_answers_wait_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(module, "BUSY_SECONDS_IN_TROUBLE", 0.01)
    record = Record(path)
    record.add(attempt("q1"))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        record.add(attempt("q2"))
        record.add(attempt("q3"))
        assert record.notice and "Another program is using" in record.notice
        assert items(record) == ["q2", "q3"]
    assert items(record) == ["q1", "q2", "q3"]
    assert items(Record(path)) == ["q1"]
    record.add(attempt("q4"))
    assert record.notice is None
    assert items(record) == items(Record(path)) == ["q1", "q2", "q3", "q4"]


def test_what_waits_keeps_its_order_and_the_last_trouble_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = module._save

    def too_long(file: sqlite3.Connection, attempt: Attempt) -> Any:
        if attempt.item == "long":
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(file, attempt)

    path.parent.mkdir()
    path.write_text("garbage" * 1000)
    record = Record(path)
    set_aside = record.notice
    with monkeypatch.context() as patch:
        patch.setattr(module, "_save", too_long)
        record.add(attempt("long"))
        record.add(attempt("short"))
        assert "is full" in str(record.notice)
        assert items(record) == ["long", "short"]
    record.add(attempt("last"))
    assert items(Record(path)) == ["long", "short", "last"]
    assert record.notice == set_aside


def test_a_record_deleted_in_mid_session_begins_again(path: Path) -> None:
    record = Record(path)
    record.add(attempt("q1"))
    path.unlink()
    path.parent.rmdir()
    assert record.attempts() == []
    record.add(attempt("q2"))
    assert (items(Record(path)), record.notice) == (["q2"], None)


# ------------------------------------------------------------------------------ damaged files


def overwrite(start: int, content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(start)
            file.write(content)

    return damage


def statement(text: str) -> Callable[[Path], None]:
    return lambda path: void(sql(path, text))


def void(_: object) -> None:
    pass


def put_null(path: Path) -> None:
    """Where none may be, so the table's description is another one meanwhile."""
    edit = "UPDATE sqlite_master SET sql = replace(sql, '{}', '{}')"
    strict, lax = "answer TEXT NOT NULL", "answer TEXT"
    sql(path, "PRAGMA writable_schema = ON", edit.format(strict, lax))
    sql(path, "UPDATE attempts SET answer = NULL WHERE id = 7")
    sql(path, "PRAGMA writable_schema = ON", edit.format(lax, strict))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "garbage": lambda path: void(path.write_bytes(bytes(range(256)) * 100)),
    "text": lambda path: void(path.write_text("hello")),
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "truncated in its header": lambda path: os.truncate(path, 50),
    "a page of zeros": overwrite(4096, bytes(4096)),
    "a page of garbage": overwrite(8192, b"garbage!" * 512),
    "no schema": overwrite(100, b"x" * 1000),
    "no table": statement("DROP TABLE attempts"),
    "no column": statement("ALTER TABLE attempts DROP COLUMN probes"),
    "another table of that name": lambda path: void(
        sql(path, "DROP TABLE attempts", "CREATE TABLE attempts (x)", "PRAGMA user_version = 0")
    ),
    "a time that is none": statement("UPDATE attempts SET at = 'noon' WHERE id = 7"),
    "a time without a zone": statement("UPDATE attempts SET at = '2025-03-01' WHERE id = 7"),
    "probes that are none": statement("UPDATE attempts SET probes = '3' WHERE id = 7"),
    "no text": put_null,
    "text that is none": statement("UPDATE attempts SET item = CAST(x'ff' AS TEXT)"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of several pages that nothing is wrong with."""
    path = tmp_path_factory.mktemp("sound") / "record.sqlite3"
    record = Record(path)
    for i in range(20):
        record.add(attempt(f"q{i}", answer="x" * 700))
    assert path.stat().st_size > 4 * 4096
    assert (len(Record(path).attempts()), Record(path).notice) == (20, None)
    return path.read_bytes()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_set_aside_and_a_fresh_one_begins(
    path: Path, sound: bytes, damage: Callable[[Path], None]
) -> None:
    path.parent.mkdir()
    for aside in ("record.sqlite3.damaged", "record.sqlite3.damaged 2"):
        path.write_bytes(sound)
        damage(path)
        damaged = path.read_bytes()
        record = Record(path)
        assert record.notice and f"kept as {aside}, and a new one has begun" in record.notice
        assert (path.parent / aside).read_bytes() == damaged
        record.add(attempt("new"))
        assert items(record) == items(Record(path)) == ["new"]
        assert Record(path).notice is None
    assert not list(path.parent.glob("*-journal"))


def test_every_kind_of_corruption_is_damage() -> None:
    error = sqlite3.DatabaseError()
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT_INDEX
    assert module._means_damage(error)
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    assert not module._means_damage(error)


def test_damage_in_mid_session_costs_no_new_answer(path: Path) -> None:
    record = Record(path)
    record.add(attempt("q1"))
    path.write_text("garbage" * 1000)
    record.add(attempt("q2"))
    assert record.notice and "record.sqlite3.damaged" in record.notice
    assert items(record) == items(Record(path)) == ["q2"]
    path.write_text("garbage" * 1000)
    assert record.attempts() == []
    assert record.notice and "record.sqlite3.damaged 2" in record.notice


def test_an_empty_file_is_not_damaged(path: Path) -> None:
    """That is what SQLite makes first: another process may have begun just now."""
    path.parent.mkdir()
    path.touch()
    record = Record(path)
    record.add(attempt("q1"))
    assert (items(record), record.notice, names(path)) == (["q1"], None, ["record.sqlite3"])


# -------------------------------------------------------------------- places of no use


def test_without_a_home_the_record_is_in_memory(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for path in (tmp_path / "home" / "record.sqlite3", tmp_path / "home" / "x" / "record.sqlite3"):
        record = Record(path)
        record.add(attempt("q1"))
        record.add(attempt("q2"))
        assert items(record) == ["q1", "q2"]
        assert [a.item for a in record.attempts("q2")] == ["q2"]
        assert record.notice and "is a file, not a folder" in record.notice
        assert "only until this session ends" in record.notice
        assert Record(path).attempts() == []


def test_a_folder_in_the_place_of_the_file_is_left_alone(path: Path) -> None:
    path.mkdir(parents=True)
    record = Record(path)
    record.add(attempt("q1"))
    assert record.notice and "cannot be used" in record.notice
    assert (items(record), names(path)) == (["q1"], ["record.sqlite3"])


IN_SANDBOX = """
import json, sys; from datetime import UTC, datetime; from pathlib import Path
from birnn_course import record as module; from birnn_course.record import Attempt, Record
path = Path(sys.argv[1])
def attempt(item, answer="[0]"): return Attempt(item, "question", "01", 1, 1, answer)
def items(record): return [a.item for a in record.attempts()]
"""


def in_sandbox(script: str, path: Path, *mounts: str) -> Any:
    """What a script prints as JSON inside bubblewrap, with the record's folder mounted so."""
    command = [require("bwrap"), "--dev-bind", "/", "/", *mounts]
    command += [sys.executable, "-c", IN_SANDBOX + script, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not result.stderr
    return json.loads(result.stdout)


def test_a_full_disk_loses_nothing_and_is_tried_again(path: Path) -> None:
    path.parent.mkdir()
    script = """
ballast = path.with_name("ballast"); ballast.write_bytes(bytes(100_000))
record = Record(path)
opened = record.notice
n = 0
while record.notice is None and n < 200:
    record.add(attempt(f"q{n}", "x" * 4000)); n += 1
try: path.with_name("rest").write_bytes(bytes(262144))
except OSError: pass
for i in range(n, n + 10): record.add(attempt(f"q{i}", "x" * 4000))
second = Record(path)
full = [record.notice, second.notice, items(record), items(Record(path))]
ballast.unlink()
record.add(attempt(f"q{n + 10}"))
print(json.dumps([opened, n, *full, record.notice, items(Record(path))]))
"""
    opened, n, notice, of_second, in_session, on_disk, after, at_last = in_sandbox(
        script, path, "--size", "262144", "--tmpfs", str(path.parent)
    )
    assert opened is None
    assert 10 < n < 200
    assert notice == of_second
    assert f"The disk that holds {path.parent} is full" in notice
    every = [f"q{i}" for i in range(n + 11)]
    assert in_session == every[:-1]
    assert on_disk == every[: n - 1]  # all that were acknowledged
    assert (after, at_last) == (None, every)


def test_a_disk_that_is_full_at_the_start_is_no_error(path: Path) -> None:
    path.parent.mkdir()
    script = """
path.with_name("ballast").write_bytes(bytes(8192))
record = Record(path); record.add(attempt("q1"))
print(json.dumps([record.notice, items(record)]))
"""
    notice, kept = in_sandbox(script, path, "--size", "8192", "--tmpfs", str(path.parent))
    assert "is full" in notice
    assert kept == ["q1"]


def test_a_read_only_folder_is_read_and_not_written(path: Path) -> None:
    Record(path).add(attempt("q1"))
    before = path.read_bytes()
    read_only = ("--ro-bind", str(path.parent), str(path.parent))
    script = """
record = Record(path); opened = record.notice; record.add(attempt("q2"))
print(json.dumps([opened, record.notice, items(record)]))
"""
    opened, notice, kept = in_sandbox(script, path, *read_only)
    assert opened == notice
    assert "cannot be used (attempt to write a readonly database)" in notice
    assert kept == ["q1", "q2"]
    older = 'module.MIGRATIONS.append(lambda f: f.execute("UPDATE attempts SET unit = 9"))\n'
    assert in_sandbox(older + script, path, *read_only)[2] == ["q1", "q2"]
    assert (path.read_bytes(), names(path)) == (before, ["record.sqlite3"])


def test_a_damaged_file_in_a_read_only_folder_stays(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("garbage" * 1000)
    script = """
record = Record(path); record.add(attempt("q1"))
print(json.dumps([record.notice, items(record)]))
"""
    notice, kept = in_sandbox(script, path, "--ro-bind", str(path.parent), str(path.parent))
    assert "cannot be used" in notice
    assert (kept, names(path)) == (["q1"], ["record.sqlite3"])


# ------------------------------------------------------------------------------ other versions


def make_newer(path: Path, *statements: str) -> bytes:
    Record(path).add(attempt("q1"))
    sql(path, *statements, f"PRAGMA user_version = {len(module.MIGRATIONS) + 1}")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("statements", "readable"),
    [
        ([], True),
        (["ALTER TABLE attempts ADD COLUMN minutes REAL NOT NULL DEFAULT 0"], True),
        (["ALTER TABLE attempts RENAME TO answers"], False),
        # So a table looks that this SQLite does not understand.
        (
            [
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = 'CREATE TABLE attempts (x) FROM THE FUTURE'",
            ],
            False,
        ),
    ],
)
def test_a_newer_record_is_not_touched(path: Path, statements: list[str], readable: bool) -> None:
    before = make_newer(path, *statements)
    record = Record(path)
    opened = record.notice
    record.add(attempt("q2"))
    assert items(record) == ["q1", "q2"][not readable :]
    assert record.notice == opened
    assert opened and "newer version of the course" in opened
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.damaged*"))


def test_a_record_that_becomes_newer_in_mid_session_is_not_touched(path: Path) -> None:
    record = Record(path)
    before = make_newer(path)
    record.add(attempt("q2"))
    assert record.notice and "newer version of the course" in record.notice
    assert (items(record), path.read_bytes()) == (["q1", "q2"], before)


def after_the_version_is_read(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """Let something happen just after the version was read for the first time."""
    version = module._version

    def read_then(file: sqlite3.Connection) -> int:
        found = version(file)
        monkeypatch.setattr(module, "_version", version)
        then()
        return found

    monkeypatch.setattr(module, "_version", read_then)


def test_a_record_that_becomes_newer_while_it_is_opened_is_not_touched(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Record(path)
    after_the_version_is_read(monkeypatch, lambda: make_newer(path))
    record.add(attempt("q2"))
    assert record.notice and "newer version of the course" in record.notice
    assert sql(path, "PRAGMA user_version") == [(2,)]
    assert sorted(items(record)) == ["q1", "q2"]


def test_a_reader_sees_one_state_of_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(path)
    record.add(attempt("q1"))
    refused = []

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("ALTER TABLE attempts DROP COLUMN probes")
            except sqlite3.OperationalError as error:
                refused.append(error)

    after_the_version_is_read(monkeypatch, write)
    assert items(record) == ["q1"]
    assert [e.sqlite_errorcode for e in refused] == [sqlite3.SQLITE_BUSY]


def test_an_older_record_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 2 of these tests' course calls unit 02 unit 12."""
    Record(path).add(attempt("q1"))
    assert sql(path, "PRAGMA user_version") == [(1,)]

    def second(file: sqlite3.Connection) -> None:
        file.execute("UPDATE attempts SET unit = '12'")

    monkeypatch.setattr(module, "MIGRATIONS", [*module.MIGRATIONS, second])
    record = Record(path)
    record.add(attempt("q2"))
    assert [(a.item, a.unit) for a in Record(path).attempts()] == [("q1", "12"), ("q2", "02")]
    assert sql(path, "PRAGMA user_version") == [(2,)]
    assert record.notice is None


def test_a_migration_that_is_cut_off_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Record(path).add(attempt("q1"))
    before = path.read_bytes()

    def cut_off(file: sqlite3.Connection) -> None:
        file.execute("UPDATE attempts SET unit = '12'")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "MIGRATIONS", [*module.MIGRATIONS, cut_off])
        with pytest.raises(KeyboardInterrupt):
            Record(path)
    assert [a.unit for a in Record(path).attempts()] == ["02"]
    assert len(before) == path.stat().st_size


def test_a_database_of_version_0_gets_its_table(path: Path) -> None:
    path.parent.mkdir()
    sql(path, "PRAGMA application_id = 7")
    assert path.stat().st_size > 0
    assert sql(path, "PRAGMA user_version") == [(0,)]
    record = Record(path)
    record.add(attempt("q1"))
    assert (items(Record(path)), record.notice) == (["q1"], None)
    assert sql(path, "PRAGMA user_version") == [(1,)]


# ------------------------------------------------------------------------------ misconceptions

M, OTHER = "h-n-view", "last-step-readout"
Step = tuple[float, dict[str, Any]]  # hours after START, and what is special


def chose(hours: float, sure: bool | None = False, item: str = "q1", **other: Any) -> Step:
    special = {"item": item, "points": 0, "misconception": M, "sure": sure, **other}
    return hours, {"probes": (M, OTHER), **special}


def right(hours: float, item: str, **other: Any) -> Step:
    return hours, {"item": item, "probes": (M, OTHER), **other}


def state(*steps: Step) -> str | None:
    made = [attempt(**{"at": START + timedelta(hours=h), **special}) for h, special in steps]
    states = misconception_states(made)
    assert misconception_states(reversed(made)) == states  # the order is that of the times
    assert set(states) <= {M}
    return states.get(M)


SURE = chose(0, sure=True)
MINUTE = 1 / 60


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], None),
        ([right(0, "q1"), right(48, "q2")], None),
        ([right(0, "e", kind="exercise")], None),
        ([chose(0)], None),
        ([chose(0, sure=None)], None),
        ([chose(0), right(1, "q2"), right(48, "q3")], None),
        ([chose(0, misconception=None, sure=True)], None),
        ([SURE], "open"),
        ([chose(0), chose(1)], "open"),
        ([chose(0, sure=None), chose(1, sure=None, item="q2")], "open"),
        ([chose(0), right(1, "q2"), right(48, "q3"), chose(900, item="q4")], "open"),
        ([chose(0, kind="exercise", item="e"), chose(1, kind="exercise", item="e")], "open"),
    ],
)
def test_when_a_misconception_is_shown(steps: list[Step], expected: str | None) -> None:
    assert state(*steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # a day apart
        ([right(1, "q2"), right(25, "q3")], "overcome"),
        ([right(1, "q2"), right(25 - MINUTE, "q3")], "open"),
        ([right(1, "q2"), right(20, "q3"), right(24, "q4"), right(25, "q5")], "overcome"),
        ([right(1, "q2"), right(20, "q3"), right(24, "q4")], "open"),
        # two items; the one that showed it may be one of them
        ([right(1, "q2"), right(99, "q2")], "open"),
        ([right(1, "q2"), right(20, "q3"), right(26, "q2")], "open"),
        ([right(1, "q2"), right(20, "q3"), right(44, "q2")], "overcome"),
        ([right(1, "q1"), right(25, "q2")], "overcome"),
        # that probe it, and are right
        ([right(1, "q2"), right(25, "q3", probes=(OTHER,))], "open"),
        ([right(1, "q2"), right(25, "q3", points=0.5)], "open"),
        ([right(1, "q2"), right(25, "q3", misconception=M, sure=False)], "open"),
        ([right(1, "q2", misconception=M, sure=False), right(25, "q3")], "open"),
        ([right(1, "e", kind="exercise", misconception=M)], "open"),
        ([right(1, "q2"), right(9, "q4", points=0, sure=True), right(25, "q3")], "overcome"),
        # after it was last shown
        ([right(-30, "q2"), right(1, "q3")], "open"),
        ([right(1, "q2"), chose(2, sure=True), right(25, "q3")], "open"),
        ([right(1, "q2"), chose(2), right(25, "q3")], "open"),
        ([right(1, "q2"), chose(2), right(25, "q3"), right(49, "q4")], "overcome"),
        # an exercise
        ([right(1, "e", kind="exercise")], "overcome"),
        ([right(1, "e", kind="exercise", points=0.5)], "open"),
        ([right(1, "e", kind="exercise", probes=(OTHER,))], "open"),
        ([right(-1, "e", kind="exercise")], "open"),
        # opened again
        ([right(1, "e", kind="exercise"), chose(2, sure=True)], "open"),
        ([right(1, "e", kind="exercise"), chose(2)], "overcome"),
        ([right(1, "e", kind="exercise"), chose(2), chose(3)], "open"),
        ([right(1, "e", kind="exercise"), chose(2), right(3, "q2"), chose(4)], "open"),
        (
            [
                *(right(1, "e", kind="exercise"), chose(2)),
                *(right(3, "e", kind="exercise"), chose(4)),
            ],
            "open",
        ),
        ([right(1, "q2"), right(25, "q3"), chose(26, sure=True), right(50, "q4")], "open"),
        (
            [
                *(right(1, "q2"), right(25, "q3"), chose(26, sure=True)),
                *(right(27, "q4"), right(51, "q3")),
            ],
            "overcome",
        ),
    ],
)
def test_when_a_shown_misconception_is_overcome(steps: list[Step], expected: str) -> None:
    assert state(SURE, *steps) == expected


def test_each_misconception_has_a_state_of_its_own() -> None:
    made = [
        attempt("q1", 0, probes=(M, OTHER), misconception=M, sure=True, at=START),
        attempt("q2", 0, probes=(M, OTHER), misconception=OTHER, sure=True, at=START),
        attempt("e", 1, kind="exercise", probes=(OTHER,), at=START + timedelta(hours=1)),
    ]
    assert misconception_states(made) == {M: "open", OTHER: "overcome"}


# -------------------------------------------------------------------------------------- export


def test_the_export_has_ids_and_no_answer(path: Path) -> None:
    record = Record(path)
    late = START + timedelta(hours=1)
    early = START.astimezone(timezone(timedelta(hours=2)))
    record.add(attempt("q2", answer='"my secret"', at=late, probes=(M,)))
    record.add(attempt("q1", 0, answer='"my secret"', misconception=M, sure=True, at=early))
    text = module.export(record)
    assert "secret" not in text
    exported = json.loads(text)
    assert exported["version"] == __version__
    first, second = exported["attempts"]
    assert first == {
        "item": "q1",
        "kind": "question",
        "unit": "02",
        "points": 0,
        "max_points": 1,
        "misconception": M,
        "sure": True,
        "at": "2025-03-01T12:00:00+00:00",
        "version": __version__,
    }
    assert (second["item"], second["misconception"], second["sure"]) == ("q2", None, None)
    assert set(exported) == {"version", "attempts"}


# ---------------------------------------------------------------------------- one for all


def test_there_is_one_record_for_each_process_and_home(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = record()
    assert record() is first
    monkeypatch.setenv("BIRNN_HOME", str(tmp_path / "another"))
    assert record() is not first
    monkeypatch.setenv("BIRNN_HOME", str(home))
    assert record() is first
    with monkeypatch.context() as fork:
        fork.setattr(os, "getpid", lambda: -1)
        assert record() is not first


def test_an_attempt_like_the_last_one_at_its_item_is_not_kept_again(path: Path) -> None:
    kept = Record(path)
    for answer in ("a", "a", "b", "a"):
        kept.add_if_new(attempt("q1", answer=answer))
        kept.add_if_new(attempt("q2", answer="c"))
    assert [a.answer for a in kept.attempts("q1")] == ["a", "b", "a"]
    assert len(kept.attempts("q2")) == 1


def test_all_see_what_could_not_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_text("a file where the folder should be")
    form = diagnostic("A")
    for shown in form.questions:
        form._answered(None, {"id": shown["id"], "response": [0], "sure": False}, None)
        assert "other notebooks cannot see them" in form.states[shown["id"]]["html"]
    n = len(form.questions)
    assert f"{n} of {n} questions answered" in repr(my_route())
    assert diagnostic("A").states.keys() == form.states.keys()
    last = warm_up("02").questions[0]["id"]
    asked = quiz(last[:2])
    asked._answered(None, {"id": last, "response": [0]}, None)
    assert last not in {shown["id"] for shown in warm_up("02").questions}
    check(named(lambda *_: 1, "best_score"))
    result = CliRunner().invoke(main, ["progress"])
    assert f"{n} of {n} questions answered" in result.output
    assert [a.item for a in record().attempts()][n:] == [last, "best_score"]
