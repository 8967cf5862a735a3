"""What was answered on the course's pages comes into the record once, and harms nothing there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from birnn_course import quiz
from birnn_course.cli import main
from birnn_course.learner import along
from birnn_course.learner.guessing import guess, measured
from birnn_course.questions.bank import bank
from birnn_course.record import Record, misconception_states, record

CHOICE, SHAPE, CODE, INVENTORY = "01-what-it-does", "01-shape-of-join", "01-by-hand", ""
CODE = next(q.id for q in bank().values() if q.kind == "code")
INVENTORY = next(q.id for q in bank().values() if q.form)


def entry(item: str, answer: Any, at: str = "2026-11-01T10:00:00.000Z", **more: Any) -> Any:
    return {"item": item, "answer": answer, "at": at, "version": "0.1.0", **more}


def file_of(*answers: Any, guesses: Any = (), **more: Any) -> bytes:
    known = {"format": "birnn-answers", "version": "0.1.0", "answers": answers, "guesses": guesses}
    return json.dumps({**known, **more}).encode()


def read_in(tmp_path: Path, data: bytes) -> Result:
    path = tmp_path / "answers.json"
    path.write_bytes(data)
    return CliRunner().invoke(main, ["progress", "--import", str(path)])


def test_answers_and_guesses_come_into_the_record_at_their_times(
    home: Path, tmp_path: Path
) -> None:
    wrong = entry(CHOICE, [1])
    again = entry(CHOICE, [1], "2026-11-02T10:00:00.000Z")
    data = file_of(
        again,
        wrong,
        entry(SHAPE, "(3, 9, 5)"),
        guesses=[entry("01-share", 47, "2026-11-03T09:00:00Z")],
    )
    result = read_in(tmp_path, data)
    assert result.exit_code == 0 and result.output.startswith("Read in: 4 answers.\n")
    first, second = Record().attempts(CHOICE)
    assert (first.points, first.misconception, json.loads(first.answer)) == (
        0,
        "fewer-weights",
        [1],
    )
    assert (first.at, second.at) == tuple(datetime(2026, 11, day, 10, tzinfo=UTC) for day in (1, 2))
    assert (first.kind, first.unit, first.probes) == ("question", "01", bank()[CHOICE].probes)
    assert misconception_states(Record().attempts())["fewer-weights"] == "open"
    assert quiz("01").states[CHOICE]["response"] == [1]
    assert guess("01-share", "How many?", low=0, high=100).value == 47
    assert "fewer-weights" in result.output  # and progress is shown after it


def test_a_file_that_is_read_in_twice_changes_nothing(home: Path, tmp_path: Path) -> None:
    data = file_of(entry(CHOICE, [1]), entry(CHOICE, [1]), guesses=[entry("01-share", [1.5, 2])])
    read_in(tmp_path, data)
    before = Record().attempts()
    result = read_in(tmp_path, data)
    assert "Read in: 0 answers, and 3 more that your record had." in result.output
    assert Record().attempts() == before and len(before) == 2


def test_what_the_record_has_stays_the_last_word(home: Path, tmp_path: Path) -> None:
    shown = quiz("01")
    shown._answered(None, {"id": CHOICE, "response": [0]}, None)
    guess("01-share", "How many?", low=0, high=100).value = 80
    data = file_of(entry(CHOICE, [1]), guesses=[entry("01-share", 20)])
    assert read_in(tmp_path, data).exit_code == 0
    assert quiz("01").states[CHOICE]["response"] == [0]  # given later, though kept earlier
    assert guess("01-share", "How many?", low=0, high=100).value == 80
    assert measured("01-share", 80.2).you == 80
    assert [json.loads(a.answer) for a in Record().attempts(CHOICE)] == [[1], [0]]


def test_what_no_page_asks_is_left_out_and_the_rest_is_read(home: Path, tmp_path: Path) -> None:
    soon = (datetime.now(UTC) + timedelta(days=40)).isoformat()
    data = file_of(
        entry("01-of-tomorrow", [0]),
        entry(CODE, "torch.zeros(3)"),
        entry(INVENTORY, [0]),
        entry(CHOICE, [77]),
        entry(CHOICE, []),
        entry(CHOICE, [0, 1]),
        entry(CHOICE, "(3, 9, 5)"),
        entry(SHAPE, [0]),
        entry(SHAPE, "words"),
        entry(SHAPE, "(3, 9, 5)"),
        entry(SHAPE, "(3, 9, 5)", soon),
        entry(SHAPE, "(3, 9, 5)", "0001-01-01T00:00:00Z"),
        guesses=[entry("99-x", 3), entry("../x", 3)],
    )
    result = read_in(tmp_path, data)
    assert "Read in: 1 answer.\n" in result.output
    assert "Left out: 11 answers to questions that this version of the course" in result.output
    assert "Left out: 2 answers with a date that cannot be" in result.output
    assert [attempt.item for attempt in Record().attempts()] == [SHAPE]


GOOD = entry(CHOICE, [1])
REFUSED = {
    "nothing": b"",
    "no JSON": b"PK\x03\x04",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"3",
    "another program's": b'{"answers": [], "guesses": []}',
    "an exported record": b'{"version": "0.1.0", "attempts": []}',
    "no guesses": b'{"format": "birnn-answers", "answers": []}',
    "deep": b"[" * 100_000,
    "deep inside": file_of(GOOD).replace(b"[1]", b"[" * 50_000 + b"]" * 50_000),
    "a long number": file_of(GOOD).replace(b"[1]", b"9" * 5_000),
    "not a number": file_of(GOOD, guesses=[entry("01-a", float("nan"))]),
    "infinite": file_of(GOOD, guesses=[entry("01-a", 1)]).replace(
        b'"answer": 1,', b'"answer": 1e999,'
    ),
    "half a letter": file_of(GOOD, guesses=[entry("01-a", "\ud800")]),
    "a text for entries": file_of(GOOD, guesses="01-a"),
    "an entry of text": file_of(GOOD, "01-a"),
    "no answer": file_of(GOOD, {"item": CHOICE, "at": "2026-11-01T10:00:00Z", "version": "1"}),
    "an answer of none": file_of(GOOD, entry(CHOICE, None)),
    "an answer of truth": file_of(GOOD, entry(CHOICE, [True])),
    "a table for an answer": file_of(GOOD, entry(CHOICE, {"0": 1})),
    "a guess of truth": file_of(GOOD, guesses=[entry("01-a", True)]),
    "a long curve": file_of(GOOD, guesses=[entry("01-a", [1] * 9)]),
    "a long text": file_of(GOOD, entry(SHAPE, "(" * 10_001)),
    "many ticks": file_of(GOOD, entry(CHOICE, [0] * 101)),
    "an item of number": file_of(GOOD, entry(3, [0])),  # type: ignore[arg-type]
    "a long version": file_of(GOOD, entry(CHOICE, [0], version="1" * 101)),
    "no time": file_of(GOOD, entry(CHOICE, [0], "yesterday")),
    "no zone": file_of(GOOD, entry(CHOICE, [0], "2026-11-01T10:00:00")),
    "another zone": file_of(GOOD, entry(CHOICE, [0], "0001-01-01T00:00:00+14:00")),
    "a number for a time": file_of(GOOD, entry(CHOICE, [0], 3)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_file_is_one_sentence_and_nothing_is_added(
    home: Path, tmp_path: Path, name: str
) -> None:
    record().add(along.read(file_of(GOOD)).attempts[0])
    before = Record().attempts()
    result = read_in(tmp_path, REFUSED[name])
    assert (result.exit_code, result.output.count("\n")) == (1, 1), result.output
    assert "is not what the page Your answers writes" in result.output
    assert Record().attempts() == before


def test_a_huge_file_is_not_read_to_its_end(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = file_of(GOOD)
    monkeypatch.setattr(along, "MOST_BYTES", len(data))
    assert read_in(tmp_path, data).exit_code == 0
    assert read_in(tmp_path, data + b" ").exit_code == 1


def test_the_files_that_are_not_there(home: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        result = CliRunner().invoke(main, ["progress", "--import", str(path)])
        assert result.exit_code == 2 and result.output.count("\n") == 1


def test_a_record_that_cannot_be_written_takes_nothing_and_says_so(
    home: Path, tmp_path: Path
) -> None:
    home.write_text("a file where the folder should be")
    result = read_in(tmp_path, file_of(GOOD))
    assert result.exit_code == 1
    assert "nothing was read in" in result.output and "not a folder" in result.output


def test_a_guess_that_no_longer_fits_is_none(home: Path, tmp_path: Path) -> None:
    read_in(tmp_path, file_of(guesses=[entry("01-share", "the last"), entry("01-late", 3)]))
    assert guess("01-share", "How many?", low=0, high=100).value is None
    assert guess("01-late", "How good?", low=0, high=100, at=[0, 1]).value is None
    assert guess("01-share", "Which?", choices=["the first", "the last"]).value == "the last"
