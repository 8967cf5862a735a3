"""What a lecturer and each student get to see: CSV files and pages that work offline.

Everything that students wrote, their names included, is escaped: jinja2 does it in pages, and in
CSV files nothing looks like a formula.
"""

from __future__ import annotations

import csv
import hashlib
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from birnn_course import __version__
from birnn_course.exercises.report import with_code
from birnn_course.files import write_atomic
from birnn_course.grading.lessons import sections
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.notebooks import UnreadableError, has_too_many_values
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission
from birnn_course.grading.tally import WORDS, Tally
from birnn_course.grading.words import counted
from birnn_course.learner import inventory
from birnn_course.misconceptions import Misconception, catalogue
from birnn_course.record import read_export
from birnn_course.running.snippets import showing

COLUMNS = (
    "student", "notebook", "exercise", "points", "max_points", "verdict", "misconception",
)  # fmt: skip


def write(
    folder: Path,
    store: Store,
    submissions: Sequence[Submission],
    seed: int,
    lessons: str = "",
) -> None:
    """Write ``grades.csv``, ``totals.csv``, ``feedback/`` and ``class.html`` into OUT.

    Parameters
    ----------
    folder : Path
        OUT.
    store : Store
        What was marked.
    submissions : sequence of Submission
        What was handed in; exported records are read from here.
    seed : int
        Of the hidden cases, for the class report.
    lessons : str
        Address of the folder with the lessons, for links to them; without it there are none.
    """
    pages = _pages()
    pages.globals["lessons"] = lessons.rstrip("/")
    page_of = _pages_of(student for student, _ in store.digests())
    tally = Tally()
    look: list[dict[str, str]] = []
    people: dict[str, _Person] = {}
    with (folder / "grades.csv.part").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for student, handed_in in _by_student(store):
            person = people[student] = _Person(student, page_of[student])
            best = _best(handed_in)
            look += _to_look_at(person, handed_in, best)
            for notebook, marked in handed_in:
                for mark in marked.marks:
                    if best[mark.exercise] == notebook:
                        tally.count(student, mark)
                        person.count(mark)
                        table.writerow(map(_safe, _row(student, notebook, mark)))
                if notebook and not marked.marks:
                    table.writerow(map(_safe, (student, notebook, "", 0, 0, "no exercise", "")))
    (folder / "grades.csv.part").replace(folder / "grades.csv")
    ordered = sorted(people.values(), key=lambda person: _alphabetical(person.student))
    units = tally.units
    _write_totals(folder / "totals.csv", ordered, units)
    feedback = folder / "feedback"
    feedback.mkdir(parents=True, exist_ok=True)
    for student, handed_in in _by_student(store):
        html = pages.get_template("feedback.html").render(
            person=people[student],
            most=sum(units.values()),
            left_out=[unit for unit in units if unit not in people[student].units],
            notebooks=_shown(handed_in, _best(handed_in)),
            version=__version__,
        )
        write_atomic(feedback / page_of[student], html)
    kept = set(page_of.values())
    for old in feedback.glob("*.html"):
        if old.name not in kept:
            old.unlink()
    marked_people = [person for person in ordered if person.most]
    html = pages.get_template("class.html").render(
        people=ordered,
        marked=marked_people,
        units=units,
        tally=tally,
        look=sorted(look, key=lambda entry: _alphabetical(entry["student"])),
        gains=sorted(_gains(submissions), key=lambda entry: _alphabetical(entry["student"])),
        seed=seed,
        version=__version__,
        median=statistics.median(p.share for p in marked_people) if marked_people else 0,
    )
    write_atomic(folder / "class.html", html)


@dataclass
class _Person:
    """A student and what they earned.

    Attributes
    ----------
    units : dict
        For each unit that was handed in the points and how many there are.
    """

    student: str
    page: str
    units: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, mark: Mark) -> None:
        points, most = self.units.get(mark.unit, (0, 0))
        self.units[mark.unit] = points + mark.points, most + mark.max_points

    @property
    def points(self) -> int:
        return sum(points for points, _ in self.units.values())

    @property
    def most(self) -> int:
        """Of what was handed in."""
        return sum(most for _, most in self.units.values())

    @property
    def share(self) -> float:
        """In percent of what was handed in."""
        return 100 * self.points / self.most if self.most else 0.0


def _alphabetical(name: str) -> tuple[str, str]:
    """Sorts as a reader expects: without regard to case and accents; the name itself decides."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return plain.casefold(), name


HandedIn = list[tuple[str, Marked]]


def _by_student(store: Store) -> Iterator[tuple[str, HandedIn]]:
    for student, rows in groupby(store.results(), key=lambda row: row[0]):
        yield student, [(notebook, marked) for _, notebook, marked in rows]


def _best(handed_in: HandedIn) -> dict[str, str]:
    """For each exercise the notebook that counts: of two copies the one with more points."""
    best: dict[str, tuple[int, bool, str]] = {}
    for notebook, marked in reversed(handed_in):
        total = sum(mark.points for mark in marked.marks)
        for mark in marked.marks:
            rank = (total, mark.verdict != "unreadable", notebook)
            if mark.exercise not in best or rank[:2] >= best[mark.exercise][:2]:
                best[mark.exercise] = rank
    return {exercise: notebook for exercise, (_, _, notebook) in best.items()}


def _row(student: str, notebook: str, mark: Mark) -> tuple[object, ...]:
    return (
        student, notebook, mark.exercise, mark.points, mark.max_points, mark.verdict,
        mark.misconception,
    )  # fmt: skip


def _safe(value: object) -> object:
    """Text that no spreadsheet takes for a formula, also where it cuts cells at semicolons."""
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


_FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@|%＝＋－＠])")


def _pages_of(students: Iterable[str]) -> dict[str, str]:
    """A file name for each student's page; different ones, also where letter case is not seen."""
    students = sorted(set(students))
    times = Counter(student.casefold() for student in students)
    pages: dict[str, str] = {}
    for student in students:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", student).strip("._-")[:60]
        looks_made = re.search("-[0-9a-f]{8}$", plain) is not None
        if plain != student or times[student.casefold()] > 1 or looks_made:
            plain = f"{plain or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
        pages[student] = f"{plain}.html"
    return pages


def _to_look_at(
    person: _Person, handed_in: HandedIn, best: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    for notebook, marked in handed_in:
        if marked.note:
            counts = not marked.marks or any(best[m.exercise] == notebook for m in marked.marks)
            yield {
                "student": person.student,
                "notebook": notebook,
                "note": marked.note if counts else f"{marked.note} (It costs nothing.)",
                "page": person.page,
            }


def _write_totals(path: Path, people: Iterable[_Person], units: Mapping[str, int]) -> None:
    """All students get the same sum of points, also of what they did not hand in."""
    most = sum(units.values())
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        named = [f"unit_{unit}" for unit in units]
        table.writerow(["student", *named, "points", "max_points", "feedback"])
        for person in people:
            of_units = [person.units[unit][0] if unit in person.units else "" for unit in units]
            page = f"feedback/{person.page}"
            table.writerow(map(_safe, [person.student, *of_units, person.points, most, page]))
    part.replace(path)


def _shown(handed_in: HandedIn, best: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a student's page says of each notebook."""
    return [
        {
            "name": notebook,
            "note": f"{marked.note} {marked.advice}".strip(),
            "errors": marked.errors,
            "points": sum(m.points for m in marked.marks),
            "most": sum(m.max_points for m in marked.marks),
            "counts": any(best[m.exercise] == notebook for m in marked.marks),
            # Of a file that nobody can read the note says all.
            "readable": any(m.verdict != "unreadable" for m in marked.marks),
            "right": [mark for mark in marked.marks if mark.verdict == "right"],
            "open": _left_open(marked.marks),
            "wrong": [
                {
                    "mark": mark,
                    "words": WORDS[mark.verdict],
                    "misconception": catalogue().get(mark.misconception),
                    "section": sections().get(mark.misconception),
                }
                for mark in marked.marks
                if mark.verdict not in ("right", "not attempted") or mark.cause
            ],
        }
        for notebook, marked in handed_in
    ]


def _left_open(marks: Iterable[Mark]) -> dict[str, list[str]]:
    """Exercises that were not attempted, by what there is to say of them."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        if mark.verdict == "not attempted" and not mark.cause:
            found.setdefault(mark.sentence, []).append(mark.exercise)
    return found


def _gains(submissions: Iterable[Submission]) -> Iterator[dict[str, Any]]:
    """Pre, post and gain of those who handed in their exported record."""
    for submission in submissions:
        if not submission.name.lower().endswith(".json"):
            continue
        try:
            exported = submission.read()
            if has_too_many_values(exported):
                continue
            attempts = read_export(exported.decode("utf-8"))
            gain = inventory.measure(attempts)
        except (UnreadableError, ValueError, TypeError, ArithmeticError):
            continue  # also times that cannot be compared, or reckoned with
        if gain.pre is not None or gain.post is not None:
            yield {
                "student": submission.student,
                "pre": gain.pre,
                "post": gain.post,
                "gain": gain.gain,
            }


def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("birnn_course.grading"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters["code"] = lambda text: Markup(with_code(text))
    pages.filters["example"] = _example
    pages.globals.update(counted=counted, words=WORDS)
    return pages


def _example(misconception: Misconception) -> str:
    return showing(misconception.demo, misconception.id)
