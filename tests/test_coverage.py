"""Every known misconception is cured somewhere: shown in a lesson, and asked about.

``misconceptions.csv`` lists all that we know of, with the unit that cures them and how much they
matter. The catalogue may hold more; it may not hold less.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

from birnn_course.course import UNITS, notebooks_folder
from birnn_course.exercises.checking import EXERCISES
from birnn_course.misconceptions import catalogue
from birnn_course.questions.bank import Question, bank

LISTED = Path(__file__).with_name("misconceptions.csv")
BUILT = {unit.number for unit in UNITS}


@dataclass(frozen=True)
class Row:
    """One known misconception."""

    misconception: str
    unit: str
    importance: int

    def __str__(self) -> str:
        return f"{self.misconception} (unit {self.unit}, importance {self.importance})"


def rows() -> list[Row]:
    with LISTED.open(encoding="utf-8", newline="") as file:
        listed = [
            Row(r["misconception"], r["unit"], int(r["importance"])) for r in csv.DictReader(file)
        ]
    return [row for row in listed if row.unit in BUILT]


def shown_in_lessons() -> set[str]:
    """Ids for which a lesson compares a wrong and a right result."""
    return set(_tagged())


def _tagged() -> Iterator[str]:
    for name in (name for unit in UNITS for name in unit.lessons):
        lesson = nbformat.read(notebooks_folder() / name, as_version=4)
        for cell in lesson.cells:
            tags = cell.metadata.get("tags", ())
            yield from (tag[4:] for tag in tags if tag.startswith("mis:"))


def asked_about() -> set[str]:
    """Ids that an answer to a question, or a run of an exercise, can reveal."""
    questions = (question.probes for question in bank().values())
    exercises = (exercise.probes for exercise in EXERCISES.values())
    return {probe for probes in (*questions, *exercises) for probe in probes}


def gaps(rows: Collection[Row], shown: Collection[str], asked: Collection[str]) -> list[str]:
    """What is missing: all of importance 4 and 5, and more than a fifth of importance 3."""
    missing = []
    for row in rows:
        lacks = [
            name
            for name, covered in (("lesson", shown), ("question or exercise", asked))
            if row.misconception not in covered
        ]
        if lacks and row.importance >= 3:
            missing.append((row, f"{row}: no {' and no '.join(lacks)}"))
    threes = [row for row in rows if row.importance == 3]
    allowed = sum(row.importance == 3 for row, _ in missing) <= 0.2 * len(threes)
    return [text for row, text in missing if row.importance > 3 or not allowed]


def test_all_that_matter_are_in_the_catalogue() -> None:
    for row in rows():
        if row.importance >= 3:
            entry = catalogue()[row.misconception]
            assert (entry.unit, entry.importance) == (row.unit, row.importance), row


def test_all_that_matter_are_shown_and_asked_about() -> None:
    shown, asked = shown_in_lessons(), asked_about()
    print(f"\n{'unit':5}{'importance':11}{'known':>6}{'shown':>6}{'asked':>6}")
    for unit in sorted(BUILT):
        for importance in (5, 4, 3):
            these = {
                r.misconception for r in rows() if (r.unit, r.importance) == (unit, importance)
            }
            if these:
                counts = (len(these), len(these & shown), len(these & asked))
                print(f"{unit:5}{importance:<11}" + "".join(f"{n:6}" for n in counts))
    assert gaps(rows(), shown, asked) == []


def asked_less_than_twice(questions: Collection[Question]) -> list[str]:
    """Misconceptions of importance 5 that fewer than two questions can reveal."""
    counts = Counter(probe for question in questions for probe in question.probes)
    worst = [m for m in catalogue().values() if m.importance == 5 and m.unit in BUILT]
    return [misconception.id for misconception in worst if counts[misconception.id] < 2]


def test_the_worst_are_asked_about_twice() -> None:
    """One question to be missed, another for the review; the inventory is not practised."""
    practised = [question for question in bank().values() if not question.form]
    assert asked_less_than_twice(practised) == []
    assert "predict-the-next" in asked_less_than_twice([q for q in practised if q.unit != "01"])


def test_a_gap_is_found() -> None:
    four, threes = Row("a", "01", 4), [Row(f"b{i}", "01", 3) for i in range(5)]
    everything = {"a", *(row.misconception for row in threes)}
    assert gaps([four, *threes], everything, everything) == []
    assert gaps([four, *threes], everything - {"b0"}, everything) == []
    assert len(gaps([four, *threes], everything - {"b0"}, everything - {"b1"})) == 2
    assert gaps([four], everything - {"a"}, everything) == ["a (unit 01, importance 4): no lesson"]
    assert "no question or exercise" in gaps([four], everything, ())[0]


def test_each_is_listed_once() -> None:
    listed = [row.misconception for row in rows()]
    assert len(listed) == len(set(listed)) > 0
