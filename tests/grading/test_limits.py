"""What the grader computes from what students sent has a bound; counted, with the worst input."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Callable

import pytest
from counted import calls

from birnn_course.grading import causes, notebooks, reports
from birnn_course.grading.causes import MOST_ERRORS, MOST_READ, failed, why_unknown
from birnn_course.grading.looking import look_at
from birnn_course.grading.marks import Look, Mark, Marked
from birnn_course.grading.notebooks import (
    MOST_BYTES,
    UnreadableError,
    code_cells,
    digest_of_code,
)
from birnn_course.grading.submissions import Submission

UNKNOWN = "NameError: name '{}' is not defined"
LARGE = "x = 1\n" * (14 * 2**20 // 6)


class Reads:
    """Stands for a module `re`: sums up how many characters patterns were given to read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: object, *names: str) -> None:
        self.characters = 0
        for name in names:
            monkeypatch.setattr(module, name, self._noting(getattr(module, name)))

    def _noting(self, pattern: re.Pattern[str]) -> object:
        note = self

        class Noting:
            def __getattr__(self, method: str) -> Callable[..., object]:
                def noted(*arguments: object) -> object:
                    note.characters += len(str(arguments[-1]))
                    found: object = getattr(pattern, method)(*arguments)
                    return found

                return noted

        return Noting()


WORST = {
    "one cell, many errors": ([LARGE], [(1, UNKNOWN.format("f"))] * 100),
    "one line": (["f" * (14 * 2**20)], [(1, UNKNOWN.format("f"))] * 100),
    "many cells": ([LARGE[: 2**20]] * 14, [(n % 14 + 1, UNKNOWN.format("f")) for n in range(100)]),
    "a long name": ([LARGE], [(1, UNKNOWN.format("f" * 2_000))] * 100),
    "checks": (["check(f)\n" * 10**6] * 14, [(n + 1, UNKNOWN.format("f")) for n in range(14)]),
}


@pytest.mark.parametrize("cells, errors", WORST.values(), ids=WORST.keys())
def test_the_search_for_causes_reads_each_cell_once(
    cells: list[str], errors: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch, causes, "_DEFINED", "_CHECKED", "_NO_NAME")
    found = failed(cells, errors)
    for name in "fgh":
        for _ in range(50):  # as many exercises
            why_unknown(UNKNOWN.format(name), "02_shapes_exercises", found)
    assert len(found) <= MOST_ERRORS
    assert reads.characters <= 2 * MOST_READ * len(cells) + 1_000_000
    assert all(len(cell.line) < 100 and len(cell.text) < 500 for cell in found)


def test_more_than_that_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch, causes, "_DEFINED")
    monkeypatch.setattr(causes, "MOST_READ", 10 * MOST_READ)
    assert failed([LARGE], [(1, "x")])[0].defines == {"x"}
    assert reads.characters == 10 * MOST_READ


def as_source(text: str) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": text}]}).encode()


def of_size(piece: bytes, *, around: tuple[bytes, bytes] = (b"[", b"0]")) -> bytes:
    return around[0] + piece * (MOST_BYTES // len(piece) - 1) + around[1]


@pytest.mark.parametrize(
    "piece", [b'{"":1},', b"[],", b"{},", b"1.5,", b'"ab",', b"[[[]]],", b'{"\\"{":[]},']
)
def test_a_file_that_would_take_much_memory_is_refused_before_it_is_read(piece: bytes) -> None:
    data = of_size(piece)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableError, match="too many values"):
            code_cells(data)
        assert tracemalloc.get_traced_memory()[1] < 7 * MOST_BYTES
    finally:
        tracemalloc.stop()


def test_a_picture_of_the_same_size_is_not() -> None:
    for text in ("A" * (MOST_BYTES - 100), "{[,]" * (MOST_BYTES // 4 - 50)):
        picture = {"cell_type": "raw", "source": text}
        cells = [picture, {"cell_type": "code", "source": "x"}]
        assert code_cells(json.dumps({"cells": cells}).encode()) == ["x"]


@pytest.mark.parametrize(
    "piece",
    ["'''\n\\", '"""\n\\', "'\n", "\\'", "#", "'#\n", "''''\n", "'''\"\"\"\n", "\\\n'''"],
)
def test_every_character_of_the_code_is_looked_at_once(piece: str) -> None:
    """A pattern that began anew at each quote would not end for hours: the time of n characters."""
    digest_of_code([piece * (2**18 // len(piece))])


def test_what_is_the_same_is_told_in_few_words() -> None:
    right = Mark("f", "01", "", 1, 1, "right", "")
    people = [(f"s{n:04}", [("n.ipynb", Marked([right], code="c"))]) for n in range(2_000)]
    counting = {name: {"f": "n.ipynb"} for name, _ in people}
    [group] = look_at(people, counting, [])
    assert group.number == 2_000 and group.title == "The same code"
    assert max(len(entry.note) for entry in group.entries) < 100
    assert group.entries[0].note == "As s0001, s0002, s0003, s0004, s0005 and 1994 more."
    assert calls(lambda: look_at(people, counting, [])) < 50 * len(people)


def test_what_to_look_at_is_ordered_by_what_there_is_to_do() -> None:
    def handed_in(look: Look, points: int = 0) -> Marked:
        mark = Mark("f", "01", "", points, 1, "right" if points else "value", "")
        return Marked([mark], note=f"{look or 'odd'}.", look=look)

    looks: list[Look] = ["stopped", "ask", "", "blocked", "older"]
    people = [(f"s{n}", [(f"{n}.ipynb", handed_in(look))]) for n, look in enumerate(looks)]
    two = [("worse.ipynb", handed_in("ask")), ("better.ipynb", handed_in("", 1))]
    counting = {name: {"f": files[0][0]} for name, files in people} | {"s9": {"f": "better.ipynb"}}
    groups = look_at([*people, ("s9", two)], counting, [("s2", "points stays 9")])
    assert [group.title for group in groups] == [
        "Blocked by others", "Changed in totals.csv", "No answer that can be read", "Odd",
        "Not run to the end", "Several notebooks", "It costs nothing",
    ]  # fmt: skip
    by_title = {group.title: [entry.student for entry in group.entries] for group in groups}
    assert by_title["Blocked by others"] == ["s3"] and by_title["It costs nothing"] == ["s9"]
    assert all(group.todo for group in groups)


def test_a_record_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(reports, "read_export", lambda text: asked.append(text) or [])
    for size in (2**20, 2**20 + 1):
        list(reports._gains([Submission("eve", "r.json", lambda size=size: b" " * size)]))  # type: ignore[misc]
    assert [len(text) for text in asked] == [2**20]


def test_the_limits_are_those_of_an_honest_process() -> None:
    from birnn_course.sandbox.inside import student

    assert student.MOST_ERRORS == MOST_ERRORS
    assert notebooks.MOST_BRACKETS < MOST_BYTES / 10
