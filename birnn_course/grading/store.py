"""What a grading run has found so far, in one SQLite file: nothing is lost or done twice."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from birnn_course.errors import CourseError
from birnn_course.grading.marks import Marked

NAME = "grading.sqlite"
_COLUMNS = {
    "run": ("name", "value"),
    "marked": ("student", "notebook", "digest", "result", "seconds"),
    "written": ("path", "digest"),
    "totals": ("student", "cells"),
}
_TABLES = """
create table if not exists run (name text primary key, value text not null);
create table if not exists marked (
    student text not null,
    notebook text not null,
    digest text not null,
    result text not null,
    seconds real not null,
    primary key (student, notebook)
);
create table if not exists written (path text, digest text, primary key (path, digest));
create table if not exists totals (student text primary key, cells text not null);
"""


class Store:
    """The results of one class, in ``OUT/grading.sqlite``.

    Every result is on the disk before the next call returns. One process at a time has it.

    Parameters
    ----------
    folder : Path
        OUT; made if it does not exist.

    Raises
    ------
    CourseError
        If the file cannot be used, also by any method; what is on the disk stays there.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        with self._sentence_instead():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder)
            try:
                self._file = sqlite3.connect(self.path, timeout=10, isolation_level=None)
                self._must_be_ours()
                self._file.execute("pragma journal_mode = delete")
                self._file.execute("pragma synchronous = full")
                self._file.executescript(_TABLES)
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Let go of the file."""
        if file := getattr(self, "_file", None):
            file.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextmanager
    def _sentence_instead(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            why = getattr(error, "strerror", None) or error
            raise CourseError(
                f"{self.path} cannot be used ({why}); mend that and run the same command again, "
                "or name another folder with -o. What was marked before is kept."
            ) from None

    def _must_be_ours(self) -> None:
        """Nothing is written into the file of another program."""
        tables = {
            name: tuple(column[1] for column in self._file.execute(f"pragma table_info({name})"))
            for name in _COLUMNS
        }
        there = {name: columns for name, columns in tables.items() if columns}
        count = "select count(*) from sqlite_master where type = 'table'"
        number = self._file.execute(count).fetchone()[0]
        if number != len(there) or any(_COLUMNS[name] != there[name] for name in there):
            raise CourseError(
                f"{self.path} is a file of another program; name another folder with -o."
            )

    def mend(self) -> int:
        """Drop results that cannot be read, so that they are made again; how many there were."""
        with self._sentence_instead():
            rows = self._file.execute("select rowid, student, notebook, digest, result from marked")
            damaged = [(rowid,) for rowid, *texts in rows.fetchall() if not _is_sound(*texts)]
            self._file.executemany("delete from marked where rowid = ?", damaged)
        return len(damaged)

    def get(self, name: str) -> str | None:
        """A setting of the run, such as its seed."""
        with self._sentence_instead():
            row = self._file.execute("select value from run where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def settle(self, name: str, value: str) -> str:
        """Keep a setting of the run, unless there is one; the one that holds from now on."""
        with self._sentence_instead():
            self._file.execute("insert or ignore into run values (?, ?)", (name, value))
        return self.get(name) or value

    def keep(
        self, student: str, notebook: str, digest: str, marked: Marked, seconds: float
    ) -> None:
        """Keep the result of one submission; a result that was there is replaced."""
        row = (student, notebook, digest, json.dumps(marked.as_json()), seconds)
        with self._sentence_instead():
            self._file.execute("insert or replace into marked values (?, ?, ?, ?, ?)", row)

    def digests(self) -> dict[tuple[str, str], str]:
        """What each result was made from, by student and notebook."""
        with self._sentence_instead():
            rows = self._file.execute("select student, notebook, digest from marked").fetchall()
        return {(student, notebook): digest for student, notebook, digest in rows}

    def forget(self, student: str, notebook: str) -> None:
        """Drop a result, as of a notebook that was taken back."""
        with self._sentence_instead():
            self._file.execute(
                "delete from marked where student = ? and notebook = ?", (student, notebook)
            )

    def results(self) -> Iterator[tuple[str, str, Marked]]:
        """Student, notebook and result of all, sorted."""
        with self._sentence_instead():
            rows = self._file.execute(
                "select student, notebook, result from marked order by student, notebook"
            )
        with closing(rows):
            for student, notebook, result in rows:
                yield student, notebook, Marked.from_json(json.loads(result))

    def written(self) -> dict[str, set[str]]:
        """Of each file in OUT the digests of what a run wrote, or began to write."""
        found: dict[str, set[str]] = {}
        with self._sentence_instead():
            for path, digest in self._file.execute("select path, digest from written").fetchall():
                found.setdefault(path, set()).add(digest)
        return found

    def will_write(self, digests: Mapping[str, str]) -> None:
        """Note by path what is about to be written, so that it is known again after a crash."""
        with self._sentence_instead(), self._at_once():
            self._file.executemany("insert or ignore into written values (?, ?)", digests.items())

    def have_written(self, digests: Mapping[str, str]) -> None:
        """Note by path what is there now; an empty digest for what is gone."""
        with self._sentence_instead(), self._at_once():
            self._file.executemany(
                "delete from written where path = ? and digest != ?", digests.items()
            )

    def totals(self) -> dict[str, dict[str, list[str]]]:
        """What runs computed for totals.csv, by student and column."""
        with self._sentence_instead():
            rows = self._file.execute("select student, cells from totals").fetchall()
        return {student: json.loads(cells) for student, cells in rows}

    def set_totals(self, rows: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        """Keep what runs computed for totals.csv, in the place of what was kept before."""
        kept = [(student, json.dumps(cells)) for student, cells in rows.items()]
        with self._sentence_instead(), self._at_once():
            self._file.execute("delete from totals")
            self._file.executemany("insert into totals values (?, ?)", kept)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """All of it or nothing, and one wait for the disk."""
        self._file.execute("begin")
        try:
            yield
            self._file.execute("commit")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have done so itself
                self._file.execute("rollback")
            raise


def _is_sound(student: object, notebook: object, digest: object, result: object) -> bool:
    if not all(type(text) is str for text in (student, notebook, digest, result)):
        return False
    try:
        Marked.from_json(json.loads(str(result)))
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    return True


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder until it is closed, however this process ends."""
    try:
        import fcntl
    except ImportError:  # not on this system
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CourseError(
            f"another birnn grade is at work in {folder}; wait until it has ended, or name another "
            "folder with -o."
        ) from None
    except OSError:  # a file system without locks; SQLite has its own
        pass
    return descriptor
