"""What a grading run has found so far, in one SQLite file: nothing is lost or done twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from birnn_course.errors import CourseError
from birnn_course.grading.marks import Marked

NAME = "grading.sqlite"
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
"""


class Store:
    """The results of one class, in ``OUT/grading.sqlite``.

    Every result is on the disk before the next call returns. One process at a time writes.

    Parameters
    ----------
    folder : Path
        OUT; made if it does not exist.

    Raises
    ------
    CourseError
        If the file cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(self.path, timeout=10, isolation_level=None)
            self._file.execute("pragma journal_mode = delete")
            self._file.execute("pragma synchronous = full")
            self._file.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise CourseError(
                f"{self.path} cannot be used ({error}); name another folder with -o."
            ) from None

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def get(self, name: str) -> str | None:
        """A setting of the run, such as its seed."""
        row = self._file.execute("select value from run where name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, name: str, value: str) -> None:
        """Keep a setting of the run."""
        self._file.execute("insert or replace into run values (?, ?)", (name, value))

    def keep(
        self, student: str, notebook: str, digest: str, marked: Marked, seconds: float
    ) -> None:
        """Keep the result of one submission; a result that was there is replaced."""
        row = (student, notebook, digest, json.dumps(marked.as_json()), seconds)
        self._file.execute("insert or replace into marked values (?, ?, ?, ?, ?)", row)

    def digests(self) -> dict[tuple[str, str], str]:
        """What each result was made from, by student and notebook."""
        with closing(self._file.execute("select student, notebook, digest from marked")) as rows:
            return {(student, notebook): digest for student, notebook, digest in rows}

    def forget(self, student: str, notebook: str) -> None:
        """Drop a result, as of a notebook that was taken back."""
        self._file.execute(
            "delete from marked where student = ? and notebook = ?", (student, notebook)
        )

    def results(self) -> Iterator[tuple[str, str, Marked]]:
        """Student, notebook and result of all, sorted."""
        rows = self._file.execute(
            "select student, notebook, result from marked order by student, notebook"
        )
        with closing(rows):
            for student, notebook, result in rows:
                yield student, notebook, Marked.from_json(json.loads(result))
