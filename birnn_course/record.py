"""What the learner answered, in one SQLite file, and what it says about their misconceptions.

The lesson goes on whatever happens to the file. What cannot be written stays in memory and is
tried again with the next answer; :attr:`Record.notice` tells the learner. So that all parts of a
notebook see the same answers then, they share the one record that :func:`record` returns.

The file is opened for each operation and closed after it. Several notebooks use it at once, and
a home folder on NFS is no place for a lock that is held for hours.
"""

from __future__ import annotations

import errno
import json
import math
import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from birnn_course import __version__, files

T = TypeVar("T")

BUSY_SECONDS = 10.0
# Once the file was of no use, an answer does not wait so long for it again.
BUSY_SECONDS_IN_TROUBLE = 1.0


@dataclass(frozen=True)
class Attempt:
    """One answer to a question, one run of an exercise's check, or one guess.

    Attributes
    ----------
    item : str
        Id of the question, or name of the exercise.
    kind : {"question", "exercise", "guess"}
        Which of them it is; a guess earns nothing and shows no misconception.
    unit : str
        The unit's number, such as ``"01"``.
    points, max_points : float
        What was earned, and what could be.
    answer : str
        JSON text of what was answered or guessed; empty for an exercise.
    probes : tuple of str
        Ids of all misconceptions that this item can reveal.
    misconception : str or None
        Id of the misconception that this answer shows.
    sure : bool or None
        Whether the learner said that they were sure; None if they were not asked.
    at : datetime
        When, with a time zone.
    version : str
        Version of the course.

    Raises
    ------
    ValueError
        If ``at`` has no time zone, or points are not finite.
    """

    item: str
    kind: Literal["question", "exercise", "guess"]
    unit: str
    points: float
    max_points: float
    answer: str
    probes: tuple[str, ...] = ()
    misconception: str | None = None
    sure: bool | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    version: str = __version__

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("the time of an attempt needs a time zone")
        if not (math.isfinite(self.points) and math.isfinite(self.max_points)):
            raise ValueError("points are finite numbers")

    @property
    def right(self) -> bool:
        """Whether all points were earned; for an exercise, whether it was passed."""
        return self.points == self.max_points


class Record:
    """All attempts of one learner, kept between sessions.

    Parameters
    ----------
    path : Path, optional
        The file, made if it does not exist; ``record.sqlite3`` in the course's home by default.

    Notes
    -----
    Neither opening nor using a record raises because of the file or its disk. What was kept in
    memory only is gone with this object, so a process has one; ask :func:`record` for it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or _path()
        self._unsaved: list[Attempt] = []
        self._trouble: str | None = None
        self._set_aside_as: str | None = None
        self._use(_check, otherwise=None)

    @property
    def notice(self) -> str | None:
        """One sentence for the learner if something had to be done; None if all is well."""
        if self._trouble or not self._set_aside_as:
            return self._trouble
        return (
            f"Your record could not be read: it is kept as {self._set_aside_as}, "
            "and a new one has begun."
        )

    def add(self, attempt: Attempt) -> None:
        """Keep an attempt; on return it is on the disk, unless :attr:`notice` says otherwise."""
        while self._unsaved and self._save(self._unsaved[0]):
            del self._unsaved[0]
        if self._unsaved or not self._save(attempt):
            self._unsaved.append(attempt)
        else:
            self._trouble = None

    def add_if_new(self, attempt: Attempt) -> None:
        """Keep an attempt, unless the one before at this item had the same answer.

        A cell that is run again without a change is no second attempt.
        """
        earlier = self.attempts(attempt.item)
        if not earlier or earlier[-1].answer != attempt.answer:
            self.add(attempt)

    def add_missing(self, attempts: Sequence[Attempt]) -> int | None:
        """Keep those that are not here yet, all or none: what a file brings is on the disk or not.

        Two are the same if item, time and answer are.

        Returns
        -------
        int or None
            How many were added; None if the record cannot be written, and :attr:`notice` says why.
        """
        waiting = {_identity(attempt) for attempt in self._unsaved}
        new = [attempt for attempt in attempts if _identity(attempt) not in waiting]
        return self._use(lambda file: _save_missing(file, new), otherwise=None)

    def attempts(self, item: str | None = None) -> list[Attempt]:
        """All attempts, or those at one item, in the order of their times."""
        saved: list[Attempt] = self._use(lambda file: _read(file, item), otherwise=[])
        kept = saved + [a for a in self._unsaved if item in (None, a.item)]
        return sorted(kept, key=lambda attempt: attempt.at)

    def _save(self, attempt: Attempt) -> bool:
        return self._use(lambda file: _save(file, attempt), otherwise=False)

    def _use(self, work: Callable[[sqlite3.Connection], T], *, otherwise: T) -> T:
        """What ``work`` returns; if the file is of no use, note why and return ``otherwise``."""
        try:
            try:
                return self._open(work)
            except sqlite3.DatabaseError as error:
                if not _means_damage(error):
                    raise
            self._set_aside()
            return self._open(work)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # not the file's fault: the attempt holds what no attempt can hold
        except (OSError, sqlite3.DatabaseError, _NewerError) as error:
            self._trouble = _explain(self._path, error)
            return otherwise

    def _open(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Closing takes back what was not committed.
        with closing(self._connect(self._path)) as file:
            return work(file)

    def _set_aside(self) -> None:
        """Rename a damaged file, unless another process has done so by now."""
        # The lock, an empty database, makes checking and renaming one step. Without it, the
        # second of two processes would rename the fresh file of the first.
        with closing(self._connect(self._path.with_name(f"{self._path.name}.lock"))) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            try:
                self._open(_check)
                return
            except sqlite3.DatabaseError as error:
                if not _means_damage(error):
                    raise
            aside = files.free_name(self._path.with_name(f"{self._path.name}.damaged"))
            # A journal that stays behind does no harm: SQLite deletes it when the file is fresh.
            self._path.rename(aside)
        self._set_aside_as = aside.name

    def _connect(self, path: Path) -> sqlite3.Connection:
        timeout = BUSY_SECONDS_IN_TROUBLE if self._trouble else BUSY_SECONDS
        return sqlite3.connect(path, timeout=timeout, isolation_level=None)


_records: dict[tuple[int, Path], Record] = {}


def record() -> Record:
    """The record of this process and of the home that the course has now.

    What cannot be written is in the memory of this object, so everybody asks for it here. A fork
    has one of its own: what waits to be written is for its parent to write.
    """
    mine = (os.getpid(), _path())
    if mine not in _records:
        _records[mine] = Record()
    return _records[mine]


def _path() -> Path:
    return files.home() / "record.sqlite3"


class _NewerError(Exception):
    """The file has tables of a newer version of the course."""


def _create(file: sqlite3.Connection) -> None:
    file.execute(
        "CREATE TABLE attempts ("
        "id INTEGER PRIMARY KEY, item TEXT NOT NULL, kind TEXT NOT NULL, unit TEXT NOT NULL, "
        "points REAL NOT NULL, max_points REAL NOT NULL, answer TEXT NOT NULL, "
        "probes TEXT NOT NULL, misconception TEXT, sure INTEGER, "
        "at TEXT NOT NULL, version TEXT NOT NULL)"
    )


# Number i makes tables of version i + 1 from those of version i. An empty file has version 0.
MIGRATIONS: list[Callable[[sqlite3.Connection], None]] = [_create]

_COLUMNS = ", ".join(f.name for f in fields(Attempt))


def _version(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


def _begin(file: sqlite3.Connection) -> None:
    """Start to write, in tables of this version.

    Raises
    ------
    _NewerError
        If the tables are those of a newer version.
    """

    def version_we_know() -> int:
        version = _version(file)
        if version > len(MIGRATIONS):
            raise _NewerError
        return version

    version_we_know()  # what follows already reads the tables
    file.execute("PRAGMA journal_mode = DELETE")
    file.execute("PRAGMA synchronous = FULL")
    file.execute("BEGIN IMMEDIATE")
    for migrate in MIGRATIONS[version_we_know() :]:
        migrate(file)
    file.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _check(file: sqlite3.Connection) -> None:
    """Can this file be written, and all of it be read? If not, raises what SQLite raises."""
    _begin(file)
    (found,) = file.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    _select(file, None)
    file.execute("COMMIT")


def _save(file: sqlite3.Connection, attempt: Attempt) -> Literal[True]:
    """Write an attempt; on return it is on the disk."""
    _begin(file)
    _insert(file, attempt)
    file.execute("COMMIT")
    return True


def _save_missing(file: sqlite3.Connection, attempts: Sequence[Attempt]) -> int:
    """Write those that are not there, in one transaction."""
    _begin(file)
    known = {_identity(attempt) for attempt in _select(file, None)}
    missing = {_identity(a): a for a in attempts if _identity(a) not in known}
    for attempt in missing.values():
        _insert(file, attempt)
    file.execute("COMMIT")
    return len(missing)


def _insert(file: sqlite3.Connection, attempt: Attempt) -> None:
    row = _to_row(attempt)
    marks = ", ".join("?" * len(row))
    file.execute(f"INSERT INTO attempts ({_COLUMNS}) VALUES ({marks})", row)


def _identity(attempt: Attempt) -> tuple[str, datetime, str]:
    return attempt.item, attempt.at, attempt.answer


def _read(file: sqlite3.Connection, item: str | None) -> list[Attempt]:
    file.execute("BEGIN")  # what others write from here on is not seen
    if _version(file) >= len(MIGRATIONS):
        return _select(file, item)
    # Older tables in a place that cannot be written, or they would be new by now.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        file.backup(copy)
        _begin(copy)
        return _select(copy, item)


def _select(file: sqlite3.Connection, item: str | None) -> list[Attempt]:
    query = f"SELECT {_COLUMNS} FROM attempts WHERE item = coalesce(?, item) ORDER BY id"
    return [_from_row(row) for row in file.execute(query, (item,))]


def _to_row(attempt: Attempt) -> tuple[Any, ...]:
    values = {f.name: getattr(attempt, f.name) for f in fields(attempt)}
    values["probes"] = json.dumps(attempt.probes)
    values["at"] = _timestamp(attempt)
    return tuple(values.values())


def _from_row(row: tuple[Any, ...]) -> Attempt:
    values = dict(zip((f.name for f in fields(Attempt)), row, strict=True))
    try:
        values["probes"] = tuple(json.loads(values["probes"]))
        values["at"] = datetime.fromisoformat(values["at"])
        values["sure"] = None if values["sure"] is None else bool(values["sure"])
        return Attempt(**values)
    except (TypeError, ValueError) as error:
        raise sqlite3.DatabaseError(f"a row that no attempt left: {error}") from error


def _timestamp(attempt: Attempt) -> str:
    return attempt.at.astimezone(UTC).isoformat()


def _code(error: Exception) -> int | None:
    """SQLite's primary error code; None if the error is not from SQLite itself."""
    extended: int | None = getattr(error, "sqlite_errorcode", None)
    return None if extended is None else extended & 0xFF


def _means_damage(error: sqlite3.DatabaseError) -> bool:
    # SQLITE_ERROR is a table or column that is not there. No code at all: the sqlite3 module
    # or we could not make sense of a row.
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, None)
    return _code(error) in damage


def _explain(path: Path, error: Exception) -> str:
    kept = "answers are kept only until this session ends, and other notebooks cannot see them"
    if isinstance(error, _NewerError):
        return (
            f"Your record was written by a newer version of the course: {kept}; "
            "update the course to keep them."
        )
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EEXIST, errno.ENOTDIR):
        return f"{path.parent} is a file, not a folder for your record: {kept}."
    if number in (errno.ENOSPC, errno.EDQUOT) or _code(error) == sqlite3.SQLITE_FULL:
        return (
            f"The disk that holds {path.parent} is full: {kept}; "
            "free some space, and your next answer keeps them all."
        )
    if _code(error) == sqlite3.SQLITE_BUSY:
        return (
            f"Another program is using {path}: {kept}; "
            "close it, and your next answer keeps them all."
        )
    reason = error.strerror if isinstance(error, OSError) else error
    return f"Your record {path} cannot be used ({reason}): {kept}."


def export(record: Record) -> str:
    """What a learner may hand in: JSON with ids, points and times, and no answer.

    Parameters
    ----------
    record : Record
        Whose attempts, sorted by time.

    Returns
    -------
    str
        An object with ``version`` (of the course that exports) and ``attempts``.
    """
    ids_only = ("item", "kind", "unit", "points", "max_points", "misconception", "sure", "version")
    attempts = [
        {**{name: getattr(attempt, name) for name in ids_only}, "at": _timestamp(attempt)}
        for attempt in sorted(record.attempts(), key=lambda a: a.at)
    ]
    return json.dumps({"version": __version__, "attempts": attempts}, indent=1)


def read_export(text: str) -> list[Attempt]:
    """The attempts in what :func:`export` made; answers are not in it.

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        return [
            Attempt(
                item=str(entry["item"]),
                kind=entry["kind"],
                unit=str(entry["unit"]),
                points=float(entry["points"]),
                max_points=float(entry["max_points"]),
                answer="",
                misconception=entry["misconception"],
                sure=entry["sure"],
                at=datetime.fromisoformat(entry["at"]),
                version=str(entry["version"]),
            )
            for entry in json.loads(text)["attempts"]
        ]
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no exported record ({type(error).__name__})") from None


APART = timedelta(days=1)


def misconception_states(attempts: Iterable[Attempt]) -> dict[str, Literal["open", "overcome"]]:
    """Which misconceptions a learner has shown, and which of them they have overcome.

    Parameters
    ----------
    attempts : iterable of Attempt
        In any order; they count in the order of their times.

    Returns
    -------
    dict
        The state of each misconception that was ever shown, by id.

    Notes
    -----
    A misconception is *chosen* by each attempt whose ``misconception`` it is: a question or an
    exercise, the same item again or another.

    It is *shown* by a choice with ``sure=True``, and by the second and each further choice,
    however sure. The choices are counted from the start, or from when it was last overcome:
    after that, too, a single choice that is not sure changes nothing.

    Shown, it is *open*. It is *overcome* by what comes after it was last shown, whichever is
    first:

    * two right answers to two different questions that probe it, 24 hours or more apart;
    * an exercise passed that probes it.

    Right is who earned all points. An answer that chooses a misconception is no evidence against
    it, whatever its points. Wrong answers that do not choose it count neither way.
    """
    states: dict[str, Literal["open", "overcome"]] = {}
    choices: Counter[str] = Counter()
    right_since: dict[str, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda a: a.at):
        chosen = attempt.misconception
        if chosen is not None:
            choices[chosen] += 1
            if attempt.sure or choices[chosen] >= 2:
                states[chosen] = "open"
                right_since[chosen] = []
        for probed in attempt.probes if attempt.right else ():
            if probed == chosen or states.get(probed) != "open":
                continue
            if attempt.kind == "exercise" or any(
                earlier.item != attempt.item and attempt.at - earlier.at >= APART
                for earlier in right_since[probed]
            ):
                states[probed] = "overcome"
                choices[probed] = 0
            right_since[probed].append(attempt)
    return states
