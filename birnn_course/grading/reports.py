"""What a lecturer and each student get to see: CSV files and pages that work offline.

Everything that students wrote, their names included, is escaped: jinja2 does it in pages, and in
CSV files nothing looks like a formula.
"""

from __future__ import annotations

import csv
import hashlib
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from birnn_course import __version__, inventory
from birnn_course.exercises.report import with_code
from birnn_course.files import write_atomic
from birnn_course.grading.lessons import Section, sections
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.notebooks import UnreadableError
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission
from birnn_course.misconceptions import Misconception, catalogue
from birnn_course.progress import read_export

COLUMNS = (
    "student", "notebook", "exercise", "points", "max_points", "verdict", "misconception",
)  # fmt: skip
WORDS = {
    "right": "right",
    "not attempted": "not attempted",
    "unreadable": "could not be read",
    "stopped": "had to be stopped",
    "callable": "stops with an error",
    "type": "returns another type",
    "shape": "has another shape or length",
    "direction": "right numbers at wrong places",
    "padding": "wrong because of padding",
    "value": "wrong values",
}
NO_ANSWER = ("not attempted", "unreadable")
_MOST_TAUGHT_AGAIN = 3


@dataclass
class _Exercise:
    """An exercise over the whole class."""

    name: str
    unit: str
    title: str
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def right(self) -> int:
        return self.verdicts["right"]

    @property
    def missing(self) -> int:
        return sum(self.verdicts[verdict] for verdict in NO_ANSWER)

    @property
    def wrong(self) -> int:
        return self.verdicts.total() - self.right - self.missing

    @property
    def ways(self) -> list[tuple[str, int]]:
        """How it is wrong, in words, and how often."""
        return [
            (WORDS[verdict], n)
            for verdict, n in self.verdicts.most_common()
            if verdict not in ("right", *NO_ANSWER)
        ]

    def share(self, number: int) -> float:
        return 100 * number / max(1, self.verdicts.total())


@dataclass
class _Wrong:
    """A misconception over the whole class."""

    misconception: Misconception | None
    id: str
    students: set[str] = field(default_factory=set)
    exercises: Counter[str] = field(default_factory=Counter)
    named: dict[str, str] = field(default_factory=dict)
    section: Section | None = None

    @property
    def is_common(self) -> bool:
        return len(self.students) > 1


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
    feedback = folder / "feedback"
    feedback.mkdir(parents=True, exist_ok=True)
    exercises: dict[str, _Exercise] = {}
    wrong: dict[str, _Wrong] = {}
    look: list[dict[str, str]] = []
    people: list[dict[str, Any]] = []
    with (folder / "grades.csv.part").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for student, handed_in in _by_student(store):
            best = _best(handed_in)
            page = page_of[student]
            _note_all(student, handed_in, page, look)
            for notebook, marked in handed_in:
                for mark in marked.marks:
                    if best.get(mark.exercise) != notebook:
                        continue
                    _count(student, mark, exercises, wrong)
                    table.writerow(map(_safe, _row(student, notebook, mark)))
                if not marked.marks:
                    table.writerow(map(_safe, (student, notebook, "", 0, 0, "no exercise", "")))
            people.append(_person(student, page, handed_in, best))
            html = pages.get_template("feedback.html").render(
                person=people[-1], notebooks=_shown(handed_in, best), version=__version__
            )
            write_atomic(feedback / page, html)
    (folder / "grades.csv.part").replace(folder / "grades.csv")
    _write_totals(folder / "totals.csv", people)
    kept = set(page_of.values())
    for old in feedback.glob("*.html"):
        if old.name not in kept:
            old.unlink()
    html = pages.get_template("class.html").render(
        people=people,
        exercises=sorted(exercises.values(), key=lambda e: e.unit),
        wrong=(ranked := sorted(wrong.values(), key=lambda w: (-len(w.students), w.id))),
        again=[w for w in ranked if w.is_common][:_MOST_TAUGHT_AGAIN],
        hardest=sorted(
            (e for e in exercises.values() if e.wrong + e.missing),
            key=lambda e: (e.share(e.right), e.name),
        )[:_MOST_TAUGHT_AGAIN],
        look=look,
        gains=list(_gains(submissions)),
        seed=seed,
        version=__version__,
        median=statistics.median(p["share"] for p in people) if people else 0,
    )
    write_atomic(folder / "class.html", html)


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


def _note_all(student: str, handed_in: HandedIn, page: str, look: list[dict[str, str]]) -> None:
    for notebook, marked in handed_in:
        if marked.note:
            look.append(
                {"student": student, "notebook": notebook, "note": marked.note, "page": page}
            )


def _count(
    student: str, mark: Mark, exercises: dict[str, _Exercise], wrong: dict[str, _Wrong]
) -> None:
    exercise = exercises.setdefault(mark.exercise, _Exercise(mark.exercise, mark.unit, mark.title))
    exercise.verdicts[mark.verdict] += 1
    if mark.misconception:
        entry = wrong.setdefault(
            mark.misconception,
            _Wrong(
                catalogue().get(mark.misconception),
                mark.misconception,
                section=sections().get(mark.misconception),
            ),
        )
        entry.students.add(student)
        entry.exercises[mark.exercise] += 1
        entry.named.setdefault(mark.exercise, mark.named)


def _person(student: str, page: str, handed_in: HandedIn, best: dict[str, str]) -> dict[str, Any]:
    units: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for notebook, marked in handed_in:
        for mark in marked.marks:
            if best[mark.exercise] == notebook:
                units[mark.unit][0] += mark.points
                units[mark.unit][1] += mark.max_points
    points = sum(p for p, _ in units.values())
    most = sum(m for _, m in units.values())
    return {
        "student": student,
        "page": page,
        "units": dict(units),
        "points": points,
        "most": most,
        "share": 100 * points / most if most else 0.0,
    }


def _write_totals(path: Path, people: list[dict[str, Any]]) -> None:
    units = sorted({unit for person in people for unit in person["units"]})
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["student", *(f"unit_{unit}" for unit in units), "points", "max_points"])
        for person in people:
            of_units = [person["units"].get(unit, [""])[0] for unit in units]
            row = [person["student"], *of_units, person["points"], person["most"]]
            table.writerow(map(_safe, row))
    part.replace(path)


def _shown(handed_in: HandedIn, best: dict[str, str]) -> list[dict[str, Any]]:
    """What a student's page says of each notebook."""
    return [
        {
            "name": notebook,
            "note": marked.note,
            "errors": marked.errors,
            "points": sum(m.points for m in marked.marks),
            "most": sum(m.max_points for m in marked.marks),
            "counts": any(best[m.exercise] == notebook for m in marked.marks),
            # Of a file that nobody can read the note says all.
            "readable": any(m.verdict != "unreadable" for m in marked.marks),
            "marks": [
                {
                    "mark": mark,
                    "words": WORDS[mark.verdict],
                    "misconception": catalogue().get(mark.misconception),
                    "section": sections().get(mark.misconception),
                }
                for mark in marked.marks
            ],
        }
        for notebook, marked in handed_in
    ]


def _gains(submissions: Iterable[Submission]) -> Iterator[dict[str, Any]]:
    """Pre, post and gain of those who handed in their exported record."""
    for submission in submissions:
        if not submission.name.lower().endswith(".json"):
            continue
        try:
            attempts = read_export(submission.read().decode("utf-8"))
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
    return pages
