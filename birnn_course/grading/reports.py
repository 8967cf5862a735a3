"""What a lecturer and each student get to see: CSV files and pages that work offline.

Everything that students wrote, their names included, is escaped by jinja2 in pages, and made safe
for spreadsheets in CSV files.
"""

from __future__ import annotations

import hashlib
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from birnn_course import __version__
from birnn_course.exercises.report import with_code
from birnn_course.grading import tables
from birnn_course.grading.looking import HandedIn, look_at
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.notebooks import UnreadableError, has_too_many_values
from birnn_course.grading.outputs import Outputs
from birnn_course.grading.printable import printable, printable_lines, shortened
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission
from birnn_course.grading.tally import WORDS, Tally
from birnn_course.grading.words import counted
from birnn_course.learner import inventory
from birnn_course.misconceptions import Misconception, catalogue
from birnn_course.misconceptions.address import one_folder_down, page_of
from birnn_course.misconceptions.lessons import sections
from birnn_course.record import read_export
from birnn_course.running.snippets import showing


def write(
    folder: Path,
    store: Store,
    submissions: Sequence[Submission],
    seed: int,
    lessons: str = "",
    units: Collection[str] = (),
) -> list[str]:
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
        Address of the site, as :func:`birnn_course.misconceptions.address.checked` leaves it, for
        links to lessons and misconceptions; without it there are none.
    units : collection of str
        Which count; without a choice those that a share of the class answered.

    Returns
    -------
    list of str
        What the lecturer should know.

    Raises
    ------
    CourseError
        If a file cannot be written; all others are.
    """
    pages = _pages()
    lessons = printable(lessons).rstrip("/")
    pages.globals["lessons"] = lessons
    outputs = Outputs(folder, store)
    page_of = _pages_of(student for student, _ in store.digests())
    people: dict[str, _Person] = {}
    tally, counts, grades = Tally(), dict[str, dict[str, str]](), list[list[str]]()
    for student, handed_in in _by_student(store):
        people[student] = _Person(student, page_of[student])
        best = counts[student] = _best(handed_in)
        for notebook, marked in handed_in:
            for mark in marked.marks:
                if best[mark.exercise] == notebook:
                    tally.count(student, mark)
                    people[student].count(mark)
                    grades.append(_row(student, notebook, mark))
            if notebook and not marked.marks and marked.look != "older":
                grades.append([*_cells(student, notebook), "", "0", "0", "no exercise", ""])
    outputs.add("grades.csv", lambda: tables.csv_of(tables.GRADES, grades))
    counting = tally.counting(units)
    for person in people.values():
        person.counting = counting
    ordered = sorted(people.values(), key=lambda person: _alphabetical(person.student))
    kept = _write_totals(outputs, store, ordered, counting)
    for student, handed_in in _by_student(store):
        page = partial(
            _feedback, pages, people[student], handed_in, counts[student], one_folder_down(lessons)
        )
        outputs.add(f"feedback/{page_of[student]}", page)
    outputs.write()
    outputs.remove("feedback", keep={f"feedback/{page}" for page in page_of.values()})
    by_name = {person.student: counts[person.student] for person in ordered}
    shown = {
        "units": counting,
        "uncounted": _uncounted(tally, counting),
        "tally": tally,
        "look": look_at(_by_student(store), by_name, kept),
        "page_of": page_of,
        "gains": sorted(_gains(submissions), key=lambda entry: _alphabetical(entry["student"])),
        "seed": seed,
    }
    outputs.add("class.html", lambda: _class(pages, ordered, shown))
    outputs.write()
    outputs.complain()
    return [*_about_units(tally, counting, units), *_about_changes(kept), *outputs.sentences]


def _feedback(
    pages: jinja2.Environment,
    person: _Person,
    handed_in: HandedIn,
    best: Mapping[str, str],
    lessons: str,
) -> str:
    """The page of a student."""
    return pages.get_template("feedback.html").render(
        person=person,
        most=sum(person.counting.values()),
        left_out=[unit for unit in person.counting if unit not in person.units],
        uncounted=[unit for unit in person.units if unit not in person.counting],
        notebooks=_shown(handed_in, best),
        lessons=lessons,
        version=__version__,
    )


def _class(pages: jinja2.Environment, people: Sequence[_Person], shown: Mapping[str, Any]) -> str:
    """The page of the lecturer."""
    marked = [person for person in people if person.most]
    return pages.get_template("class.html").render(
        people=people,
        marked=marked,
        version=__version__,
        median=statistics.median(person.share for person in marked) if marked else 0,
        **shown,
    )


def _uncounted(tally: Tally, counting: Mapping[str, int]) -> list[tuple[str, int]]:
    """Units that do not count, with the number of students who handed them in."""
    return [(unit, tally.who([unit])) for unit in tally.handed_in if unit not in counting]


def _about_units(
    tally: Tally, counting: Mapping[str, int], chosen: Collection[str]
) -> Iterator[str]:
    left_out = _uncounted(tally, counting)
    if left_out and not chosen:
        named = ", ".join(f"{unit} ({counted(n, 'student')})" for unit, n in left_out)
        yield (
            f"only units {', '.join(counting)} count, since few answered others: {named}. To "
            f"choose, say so: --units {','.join(tally.handed_in)}"
        )


def _about_changes(kept: Sequence[tuple[str, str]]) -> Iterator[str]:
    for student, what in kept[:_MOST_LISTED]:
        yield f"totals.csv: {student}: {what}."
    if len(kept) > _MOST_LISTED:
        yield f"totals.csv: {len(kept) - _MOST_LISTED} more cells stay as somebody wrote them."


_MOST_LISTED = 5


@dataclass
class _Person:
    """A student and what they earned.

    Attributes
    ----------
    units : dict
        For each unit that was handed in the points and how many there are.
    counting : dict
        The points of the units that count.
    """

    student: str
    page: str
    units: dict[str, tuple[int, int]] = field(default_factory=dict)
    counting: Mapping[str, int] = field(default_factory=dict)

    def count(self, mark: Mark) -> None:
        points, most = self.units.get(mark.unit, (0, 0))
        self.units[mark.unit] = points + mark.points, most + mark.max_points

    @property
    def points(self) -> int:
        """Of the units that count."""
        return sum(points for unit, (points, _) in self.units.items() if unit in self.counting)

    @property
    def most(self) -> int:
        """Of what was handed in and counts."""
        return sum(most for unit, (_, most) in self.units.items() if unit in self.counting)

    @property
    def share(self) -> float:
        """In percent of what was handed in."""
        return 100 * self.points / self.most if self.most else 0.0


def _alphabetical(name: str) -> tuple[str, str]:
    """Sorts as a reader expects: without regard to case and accents; the name itself decides."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return plain.casefold(), name


def _by_student(store: Store) -> Iterator[tuple[str, list[tuple[str, Marked]]]]:
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


def _row(student: str, notebook: str, mark: Mark) -> list[str]:
    points = str(mark.points), str(mark.max_points)
    name, verdict = tables.safe(mark.exercise), tables.safe(mark.verdict)
    return [*_cells(student, notebook), name, *points, verdict, tables.safe(mark.misconception)]


def _cells(student: str, notebook: str) -> tuple[str, str]:
    return tables.safe(student), tables.safe(shortened(notebook))


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


def _write_totals(
    outputs: Outputs, store: Store, people: Sequence[_Person], units: Mapping[str, int]
) -> list[tuple[str, str]]:
    """All students get the same sum of points, also of what they did not hand in.

    Returns, for each student, what stays as a person wrote it since the last run.
    """
    columns = ["student", *(f"unit_{unit}" for unit in units), "points", "max_points", "feedback"]
    most = sum(units.values())
    rows: list[tables.Row] = []
    for person in people:
        of_units = [person.units[unit][0] if unit in person.units else "" for unit in units]
        page = f"feedback/{person.page}"
        cells = [person.student, *of_units, person.points, most, page]
        rows.append(dict(zip(columns, map(tables.safe, cells), strict=True)))
    before, there = store.totals(), outputs.read("totals.csv")
    merged, kept = tables.Merged(columns, rows), None
    if before and there is not None:
        try:
            merged = tables.merge(columns, rows, before, there)
            kept = merged.kept
        except ValueError:  # no table any more: it will be set aside
            pass
    lines = [[row.get(column, "") for column in merged.columns] for row in merged.rows]
    outputs.add("totals.csv", lambda: tables.csv_of(merged.columns, lines))
    store.set_totals(tables.computed_with(rows, before))
    outputs.write(merged=() if kept is None else ["totals.csv"])
    if not outputs.failed:
        store.set_totals(tables.computed_with(rows))
    return kept or []


def _shown(handed_in: HandedIn, best: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a student's page says of each notebook."""
    return [
        {
            "name": shortened(notebook),
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


_LONGEST_RECORD = 2**20  # bytes; some thousand answers


def _gains(submissions: Iterable[Submission]) -> Iterator[dict[str, Any]]:
    """Pre, post and gain of those who handed in their exported record."""
    for submission in submissions:
        if not submission.name.lower().endswith(".json"):
            continue
        try:
            data = submission.read()
            if len(data) > _LONGEST_RECORD or has_too_many_values(data):
                continue
            gain = inventory.measure(read_export(data.decode("utf-8")))
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
        # What students wrote is printable by now; this holds whoever wrote it.
        finalize=lambda value: printable_lines(value) if type(value) is str else value,
    )
    pages.filters["code"] = lambda text: Markup(with_code(printable_lines(text)))
    pages.filters["example"] = _example
    pages.globals.update(counted=counted, words=WORDS, belief_page=page_of)
    return pages


def _example(misconception: Misconception) -> str:
    return showing(misconception.demo, misconception.id)
