"""The CSV files: safe in any spreadsheet, and careful with what a person wrote into them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from birnn_course.grading.printable import printable

GRADES = (
    "student", "notebook", "exercise", "points", "max_points", "verdict", "misconception",
)  # fmt: skip

Row = Mapping[str, str]
"""The cells of a line by column."""
Computed = Mapping[str, Mapping[str, Sequence[str]]]
"""For each student and column what runs computed: the last one, and one that was cut short."""


def safe(value: object) -> str:
    """Text that no spreadsheet takes for a formula, wherever it cuts a line into cells.

    Without semicolons and quotes there is one way only to read a line.
    """
    if not isinstance(value, str):
        return str(value)
    plain = printable(value).replace(";", ",").replace('"', "'")
    return f"'{plain}" if _FORMULA.match(plain) else plain


_FORMULA = re.compile(r"\s*[=+\-@|%＝＋－＠]")


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The text of a CSV file; what students wrote must be :func:`safe` by now."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    return file.getvalue()


def _read(data: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and rows, as a spreadsheet may have written them.

    Raises
    ------
    ValueError
        If it is no table with students.
    """
    text = data.decode("utf-8-sig")
    first = text.partition("\n")[0]
    mark = max(",;\t", key=first.count)
    try:
        columns, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if "student" not in columns or len(set(columns)) != len(columns):
        raise ValueError("no column of students")
    wide = [row for row in rows if any(row)]
    if any(len(row) > len(columns) for row in wide):
        raise ValueError("more cells than columns")
    padded = [row + [""] * (len(columns) - len(row)) for row in wide]
    return columns, [dict(zip(columns, row, strict=True)) for row in padded]


@dataclass
class Merged:
    """A table in which stays what a person changed.

    Attributes
    ----------
    columns : list of str
    rows : list of Row
    kept : list of (str, str)
        For a student what stays as a person wrote it, in words.
    """

    columns: list[str]
    rows: list[Row]
    kept: list[tuple[str, str]] = field(default_factory=list)


def merge(columns: Sequence[str], rows: Sequence[Row], computed: Computed, data: bytes) -> Merged:
    """The new rows, with the cells that a person changed since the last run.

    Parameters
    ----------
    columns : sequence of str
        Of the new rows; ``student`` is among them.
    rows : sequence of Row
        As they were computed now.
    computed : Computed
        Before these rows; see :func:`computed_with`.
    data : bytes
        The file as it is now.

    Raises
    ------
    ValueError
        If the file cannot be read any more.
    """
    their_columns, their_rows = _read(data)
    ours = {column for cells in computed.values() for column in cells}
    added = [c for c in their_columns if c not in columns and c not in ours]
    merged = Merged([*columns, *added], [])
    theirs = dict(_by_key(their_rows))
    for key, row in _by_key(rows):
        there, before = theirs.pop(key, {}), computed.get(key, {})
        cells = dict(row)
        for column, value in there.items():
            if column not in merged.columns or value in before.get(column, [""]):
                continue
            cells[column] = value
            if value != row.get(column, value):
                words = f"{column} stays {value or 'empty'}, where {row[column]} is computed"
                merged.kept.append((row["student"], words))
        merged.rows.append(cells)
    for key, there in theirs.items():  # who is not in the class, or not any more
        before = computed.get(key, {})
        if any(value not in before.get(column, [""]) for column, value in there.items()):
            merged.rows.append(there)
            merged.kept.append((there["student"], "the row stays, which is of nobody here"))
    return merged


def computed_with(rows: Iterable[Row], before: Computed | None = None) -> Computed:
    """What was computed before, and these rows."""
    found: dict[str, dict[str, list[str]]] = {
        key: {column: list(values) for column, values in cells.items()}
        for key, cells in (before or {}).items()
    }
    for key, row in _by_key(rows):
        for column, value in row.items():
            found.setdefault(key, {}).setdefault(column, []).append(value)
    return found


def _by_key(rows: Iterable[Row]) -> Iterator[tuple[str, Row]]:
    """Each row with the name that stands in it, and a number if it stands there twice."""
    times: Counter[str] = Counter()
    for row in rows:
        name = row["student"]
        yield f"{name}\t{times[name]}" if times[name] else name, row
        times[name] += 1
