"""What lecturer and students get to see: complete, safe to open, and no hidden case in it.

Each check is a function that names what is wrong, and is shown something wrong as well.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

from birnn_course.course import UNITS
from birnn_course.exercises.checking import EXERCISES
from birnn_course.exercises.spec import EQUALS
from birnn_course.grading import case_sets, reports
from birnn_course.grading.marking import mark
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.notebooks import code_cells, digest_of_code
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission
from birnn_course.misconceptions import Misconception, catalogue
from birnn_course.misconceptions.lessons import sections
from birnn_course.questions.bank import bank
from birnn_course.record import Attempt, Record, export
from birnn_course.sandbox.outside.pool import Sandbox
from grading.classes import NAMES, NOTEBOOKS, SECONDS, Notebook, the_class, verdict_of

from conftest import ROOT, require

SEED = 11
Class = Mapping[str, Mapping[str, Marked]]
"""By student and notebook."""
COLUMNS = "student,notebook,exercise,points,max_points,verdict,misconception"
EVIL = "<img src=x onerror=alert(1)>\"'&`</code></p><script>alert(2)</script>"


def write(
    folder: Path, marked: Class, handed_in: Iterable[Submission] = (), lessons: str = ""
) -> Path:
    store = Store(folder)
    try:
        for student, notebooks in marked.items():
            for name, result in notebooks.items():
                store.keep(student, name, "digest", result, 0.5)
        reports.write(folder, store, list(handed_in), SEED, lessons)
    finally:
        store.close()
    return folder


def marks(unit: str, **verdicts: tuple[str, str]) -> Marked:
    """All right but for those that are named."""
    made = []
    for name in NAMES[unit]:
        exercise = EXERCISES[name]
        verdict, misconception = verdicts.get(name, ("right", ""))
        points = exercise.points if verdict == "right" else 0
        named = f"Your result equals what you get if {misconception}." if misconception else ""
        made.append(
            Mark(name, unit, exercise.title, points, exercise.points, verdict, "A sentence.",
                 misconception, named)
        )  # fmt: skip
    return Marked(made)


def as_handed_in() -> dict[str, dict[str, Marked]]:
    """The class of `classes.py`, with the marks that it must get."""
    marked: dict[str, dict[str, Marked]] = defaultdict(dict)
    for each in the_class():
        if each.rows and each.rows.keys() <= EXERCISES.keys():
            marks_ = marks(EXERCISES[next(iter(each.rows))].unit, **each.rows)
            marked[each.student][each.name] = marks_
    return marked


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pages(out: Path) -> dict[str, str]:
    found = [out / "class.html", *sorted((out / "feedback").iterdir())]
    return {path.name: path.read_text(encoding="utf-8") for path in found}


# ── tables ──────────────────────────────────────────────────────────────────────────────────────


def wrong_with_columns(text: str) -> list[str]:
    lines = text.split("\n")
    if lines[0] != COLUMNS:
        return [f"columns: {lines[0]}"]
    found = []
    for row in csv.DictReader(io.StringIO(text)):
        if not (row["points"].isdigit() and row["max_points"].isdigit()):
            found.append(f"no number: {row}")
        if row["verdict"] not in (*reports.WORDS, "no exercise"):
            found.append(f"verdict: {row}")
        if row["misconception"] and row["misconception"] not in catalogue():
            found.append(f"misconception: {row}")
    return found


def test_the_columns_are_those_of_the_contract(tmp_path: Path) -> None:
    write(tmp_path, as_handed_in() | {"x": {"essay.ipynb": Marked(note="No function.")}})
    text = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    assert wrong_with_columns(text) == []
    assert "\r" not in text and not text.startswith("\ufeff")
    assert "x,essay.ipynb,,0,0,no exercise,\n" in text
    for planted in (
        text.replace("misconception\n", "belief\n", 1),
        text.replace(",right,", ",well done,", 1),
        text.replace(",2,2,", ",2.0,2,", 1),
    ):
        assert wrong_with_columns(planted)


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "|x", "%x", "a;=1", "b; +cmd|' /C x'!A0", "＝1"]


def formulas_in(text: str) -> list[str]:
    """Cells that a spreadsheet would run, whether it cuts at commas or at semicolons."""
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    cells += [cell for line in text.split("\n") for cell in line.replace('"', "").split(";")]
    return [cell for cell in cells if re.match(r"\s*[=+\-@|%＝＋－＠]", cell)]


def test_no_name_becomes_a_formula(tmp_path: Path) -> None:
    write(tmp_path, {name: {f"{name}.ipynb": marks("01")} for name in FORMULAS})
    for name in ("grades.csv", "totals.csv"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert formulas_in(text) == []
        assert formulas_in(text.replace("'=1+1", "=1+1"))
        assert formulas_in(text.replace("a,=1", "a;=1"))
    assert {row["student"].replace("'=", "=") for row in table(tmp_path / "totals.csv")} >= {
        "=1+1",
        " =1".replace(" =", "' ="),
    }


def wrong_with_totals(grades: list[dict[str, str]], totals: list[dict[str, str]]) -> list[str]:
    points: Counter[tuple[str, str]] = Counter()
    most: dict[str, int] = {}
    for row in grades:
        if row["exercise"]:
            points[row["student"], f"unit_{EXERCISES[row['exercise']].unit}"] += int(row["points"])
            points[row["student"], "points"] += int(row["points"])
            most[row["exercise"]] = int(row["max_points"])
    found = []
    students = [row["student"] for row in totals]
    pages_of = reports._pages_of(students)
    if sorted(students) != sorted({row["student"] for row in grades}):
        found.append("one row a student")
    for row in totals:
        student = row["student"]
        for column, value in row.items():
            wanted: int | str = points.get((student, column), "")
            if column == "max_points":  # the same for all, whatever they handed in
                wanted = sum(most.values())
            elif column == "feedback":
                wanted = f"feedback/{pages_of[student]}"
            elif column == "points":
                wanted = points[student, "points"]
            if column != "student" and value != str(wanted):
                found.append(f"{student} {column}: {value} for {wanted}")
    return found


def test_totals_are_the_sums_of_the_grades(tmp_path: Path) -> None:
    write(tmp_path, as_handed_in() | {"x": {"essay.ipynb": Marked(note="No function.")}})
    grades, totals = table(tmp_path / "grades.csv"), table(tmp_path / "totals.csv")
    assert wrong_with_totals(grades, totals) == []
    units = ["unit_01", "unit_02", "unit_04"]
    assert list(totals[0]) == ["student", *units, "points", "max_points", "feedback"]
    assert {row["max_points"] for row in totals} == {"45"}
    assert all((tmp_path / row["feedback"]).is_file() for row in totals)
    [one] = [row for row in totals if row["student"] == "asks"]
    assert [one[unit] for unit in units] == ["", "15", ""]
    assert wrong_with_totals(grades, [row | {"max_points": "15"} for row in totals])
    assert wrong_with_totals(grades[1:], totals)
    assert wrong_with_totals(grades, [*totals, totals[0]])
    assert wrong_with_totals(grades, [totals[0] | {"points": "99"}, *totals[1:]])


# ── pages ───────────────────────────────────────────────────────────────────────────────────────

OURS = {
    *("html", "head", "meta", "title", "style", "body", "main", "footer", "section", "details"),
    *("summary", "h1", "h2", "h3", "p", "ul", "ol", "li", "table", "caption", "thead", "tbody"),
    *("tr", "th", "td", "div", "span", "code", "pre", "strong", "a", "q", "br", "nav"),
}
OUR_ATTRIBUTES = {
    *("lang", "charset", "name", "content", "http-equiv", "class", "style", "aria-hidden", "href"),
    *("scope", "colspan", "id", "open", "tabindex", "role", "aria-label"),
}


class _Reader(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.items: list[str] = []
        self.text = ""
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag == "li":
            self.items.append("")
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._cell = True
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.items:
            self.items[-1] += data
        if self._cell:
            self.rows[-1][-1] += data


def foreign(page: str) -> list[str]:
    """Elements and attributes that no template has."""
    found = []
    for tag, attributes in _Reader(page).tags:
        if tag not in OURS:
            found.append(tag)
        found += [f"{tag} {name}" for name in attributes if name not in OUR_ATTRIBUTES]
    return found


def test_what_students_wrote_is_text_and_nothing_else(tmp_path: Path) -> None:
    """Their names, their files' names, what their cells raise and what their functions say."""
    evil = marks("01")
    sentence = f"Stops with {EVIL}."
    marked = [replace(m, verdict="callable", points=0, sentence=sentence) for m in evil.marks]
    marked[0] = replace(marked[0], verdict="not attempted", cause=f"`f` is missing: {EVIL}")
    errors = [(1, EVIL, EVIL), (2, "x", f"E: {EVIL}")]
    evil = Marked(marked, errors, note=f"Look: {EVIL}", advice=EVIL)
    write(tmp_path, {EVIL: {f"{EVIL}.ipynb": evil}, "Ada": {"b.ipynb": marks("02")}})
    found = pages(tmp_path)
    assert len(found) == 3
    for name, page in found.items():
        assert foreign(page) == [], name
        if name != "Ada.html":
            assert "<script>alert(2)</script>" in _Reader(page).text
    one = found["class.html"]
    assert foreign(one.replace("&lt;img src=x onerror=alert(1)&gt;", "<img src=x onerror=a>"))
    assert foreign(one.replace("<main>", '<main onclick="x">'))


def test_lessons_and_beliefs_are_linked_if_it_is_known_where_they_are(tmp_path: Path) -> None:
    section = sections()["swapped-halves"]
    marked = {"Ada": {"n.ipynb": marks("01", read_both_ways=("direction", "swapped-halves"))}}
    places = {
        "https://hub.example/course": ("https://hub.example/course",) * 2,
        "../site": ("../site", "../../site"),  # a student's page lies one folder deeper
        "": ("", ""),
    }
    for number, (lessons, starts) in enumerate(places.items()):
        folder = tmp_path / str(number)
        write(folder, marked, lessons=lessons)
        for name, start in zip(("class.html", "feedback/Ada.html"), starts, strict=True):
            page = (folder / name).read_text(encoding="utf-8")
            links = _Reader(page).tags
            assert section.heading in page
            for address in (section.link, "beliefs/swapped-halves.html"):
                found = [a for tag, a in links if tag == "a" and a["href"] == f"{start}/{address}"]
                assert bool(found) == bool(lessons), (lessons, name, address)
                assert all((a["target"], a["rel"]) == ("_blank", "noopener") for a in found)
            assert ("beliefs/" in page) == bool(lessons)


def outside(page: str) -> list[str]:
    """What a page would fetch or run, and links that lead out of the folder."""
    found = []
    for tag, attributes in _Reader(page).tags:
        for name in ("src", "srcset", "data", "action", "poster", "background"):
            found += [f"{tag} {name}"] if name in attributes else []
        address = attributes.get("href") or ""
        if tag in ("link", "script", "iframe", "object", "embed", "base", "form"):
            found.append(tag)
        if address.startswith(("/", "\\")) or re.match(r"[a-zA-Z][\w+.-]*:", address):
            found.append(f"{tag} href {address}")
    found += re.findall(r"url\(|@import|https?://", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    if policy is None or not policy[1].startswith("default-src 'none'"):
        found.append("no policy")
    return found


def test_no_page_needs_a_network(tmp_path: Path) -> None:
    write(tmp_path, as_handed_in())
    found = pages(tmp_path)
    for name, page in found.items():
        assert outside(page) == [], name
    page = found["class.html"]
    for planted in (
        page.replace("<main>", '<main><a href="https://example.org">x</a>'),
        page.replace("<main>", '<main><a href="//example.org">x</a>'),
        page.replace("<main>", '<main><img src="x.png">'),
        page.replace("default-src 'none'", "default-src *"),
        page.replace("</style>", "body { background: url(x) }</style>"),
    ):
        assert outside(planted)


def test_names_that_look_alike_get_pages_of_their_own(tmp_path: Path) -> None:
    names = ["a b", "a_b", "a/b", "a\\b", "a  b", "Kim", "kim", "..", ".", "é", "è", "x" * 300]
    names += ["x" * 299, "-", "con", "CON", "a b.", "index.html"]
    write(tmp_path, {name: {"n.ipynb": marks("01")} for name in names})
    of = reports._pages_of(names)
    assert len({page.casefold() for page in of.values()}) == len(names)
    assert of["a_b"] == "a_b.html"
    for name, page in of.items():
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,80}\.html", page)
        text = _Reader((tmp_path / "feedback" / page).read_text(encoding="utf-8")).text
        assert f"Feedback for {name}\n" in text
    # one that is called as another's page is named
    [made] = [page for name, page in of.items() if name == "a b"]
    again = reports._pages_of(["a b", made.removesuffix(".html")])
    assert len(set(again.values())) == 2


# ── the class report ────────────────────────────────────────────────────────────────────────────


def wrong_with_class(page: str, grades: list[dict[str, str]]) -> list[str]:
    """What the class report counts otherwise than the table of grades."""
    verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    having: defaultdict[str, set[str]] = defaultdict(set)
    units: defaultdict[str, set[str]] = defaultdict(set)
    who: defaultdict[str, set[str]] = defaultdict(set)
    points: Counter[str] = Counter()
    for row in grades:
        unit = EXERCISES[row["exercise"]].unit
        who[unit].add(row["student"])
        kind = "right" if row["verdict"] == "right" else "wrong"
        if row["verdict"] in ("not attempted", "unreadable"):
            kind = "no answer"
        verdicts[row["exercise"]][kind] += 1
        points[row["student"]] += int(row["points"])
        if row["misconception"]:
            having[row["misconception"]].add(row["student"])
            units[row["misconception"]].add(unit)
    read = _Reader(page)
    found = []
    cells = [[" ".join(cell.split()) for cell in row] for row in read.rows]
    shown = {row[0].split()[-1]: row for row in cells if row and row[0].split()[-1:]}
    for name, counts in verdicts.items():
        wanted = [str(counts[kind]) for kind in ("right", "wrong", "no answer")]
        if shown.get(name, [])[2:6] != [str(counts.total()), *wanted]:
            found.append(f"{name}: {shown.get(name)} for {wanted}")
    for misconception, students in having.items():
        base = set().union(*(who[unit] for unit in units[misconception]))
        if shown.get(misconception, [""] * 3)[1:3] != [str(len(students)), str(len(base))]:
            found.append(f"{misconception}: {shown.get(misconception)} for {len(students)}")
    by_name = {row[0]: row for row in cells if len(row) == 3 and row[-1].endswith(" of 45")}
    for student, sum_ in points.items():
        if any(item.startswith(f"{student} (") for item in read.items):  # has all of what there is
            sum_of_units = sum(
                EXERCISES[r["exercise"]].points for r in grades if r["student"] == student
            )
            if student in by_name or sum_ != sum_of_units:
                found.append(f"{student}: has not all points")
        elif not by_name.get(student, [""])[-1].startswith(f"{sum_} of "):
            found.append(f"{student}: {by_name.get(student)} for {sum_}")
    wrong = sum(counts["wrong"] for counts in verdicts.values())
    named = [row for row in grades if row["misconception"]]
    by = len({row["student"] for row in named})
    if f"{len(named)} of {wrong} wrong results, by {by} students, equal" not in read.text:
        found.append("how much is explained")
    if f"{len(points)} students" not in read.text:
        found.append("number of students")
    return found


def test_the_class_report_counts_what_the_grades_say(tmp_path: Path) -> None:
    write(tmp_path, as_handed_in())
    grades = table(tmp_path / "grades.csv")
    page = (tmp_path / "class.html").read_text(encoding="utf-8")
    assert wrong_with_class(page, grades) == []
    assert wrong_with_class(page, grades[:-1])
    assert wrong_with_class(page, [*grades, grades[0] | {"student": "Zoe"}])
    one = next(i for i, row in enumerate(grades) if row["misconception"])
    changed = grades[one] | {"misconception": "", "verdict": "right"}
    assert wrong_with_class(page, [*grades[:one], changed, *grades[one + 1 :]])


def test_what_most_believe_comes_first_with_its_lesson(tmp_path: Path) -> None:
    believed = ("swapped-halves", verdict_of("read_both_ways", 5))
    rare = verdict_of("read_both_ways", 0)
    marked = {
        **{f"a{i}": {"n.ipynb": marks("01", read_both_ways=believed[1])} for i in range(5)},
        **{f"b{i}": {"n.ipynb": marks("01", read_both_ways=rare)} for i in range(2)},
        "c": {"n.ipynb": marks("01")},
    }
    write(tmp_path, marked)
    page = (tmp_path / "class.html").read_text(encoding="utf-8")
    text = " ".join(_Reader(page).text.split())
    first = text.index("1. 5 of the 8 students who handed in unit 01 seem to believe")
    second = text.index("2. 2 of the 8 students who handed in unit 01 seem to believe")
    assert first < second < text.index("Fewest right")
    section = sections()["swapped-halves"]
    assert f"section “{section.heading}”" in text[first:second]
    assert " ".join(catalogue()["swapped-halves"].reality.replace("`", "").split()) in text


def mistaken(name: str, k: int) -> Marked:
    """All right but for the k-th mistake of an exercise, as its author names it."""
    exercise = EXERCISES[name]
    made = marks(exercise.unit, **{name: verdict_of(name, k)})
    named = exercise.mistakes[k].named
    return replace(made, marks=[replace(m, named=m.named and named) for m in made.marks])


def text_of(folder: Path, marked: Class) -> str:
    page = (write(folder, marked) / "class.html").read_text(encoding="utf-8")
    return " ".join(_Reader(page).text.split())


def test_ties_go_by_unit_and_are_told(tmp_path: Path) -> None:
    made = [("pool", 0), ("translate", 5), ("translate", 6), ("read_both_ways", 0), ("stream", 0)]
    marked = {f"{name}{k}{n}": {"n.ipynb": mistaken(name, k)} for name, k in made for n in range(2)}
    text = text_of(tmp_path / "five", marked)
    first = [
        re.search(rf"{n}\. 2 of the (\d+) students who handed in unit (..)", text)
        for n in (1, 2, 3)
    ]
    assert [found and found.groups() for found in first] == [("4", "01"), ("4", "01"), ("4", "02")]
    assert "2 more are as frequent as no. 3" in text
    marked["more"] = {"n.ipynb": mistaken("translate", 6)}
    text = text_of(tmp_path / "one more", marked)
    assert "1. 3 of the 5 students who handed in unit 02" in text
    assert "2 more are as frequent as no. 3" in text
    fewer = {student: marked[student] for student in marked if "pool" not in student}
    assert "1 more is as frequent as no. 3" in text_of(tmp_path / "fewer", fewer)
    three = {student: marked[student] for student in fewer if "stream" not in student}
    assert "as frequent" not in text_of(tmp_path / "three", three)


def test_misconceptions_about_one_section_are_counted_together(tmp_path: Path) -> None:
    """Three of one student each are not common, and yet three students need the section."""
    made = [("from_output", 3), ("from_output", 4), ("from_output", 7)]
    about = {sections()[EXERCISES[name].mistakes[k].misconception] for name, k in made}
    [section] = about
    marked = {f"{name}{k}": {"n.ipynb": mistaken(name, k)} for name, k in made}
    marked |= {f"right{n}": {"n.ipynb": marks("02")} for n in range(4)}
    ids = {EXERCISES[name].mistakes[k].misconception for name, k in made}
    text = text_of(tmp_path, marked)
    assert (
        f"3 of the 7 students who handed in unit 02 show one of {len(ids)} misconceptions about "
        f"unit {section.unit}, section “{section.heading}”"
    ) in text
    # All of it by one student is one student.
    alone = {"one": {f"{k}.ipynb": mistaken(name, k) for name, k in made}, "b": marked["right0"]}
    assert "misconceptions about" not in text_of(tmp_path / "alone", alone)


def test_the_hardest_is_that_with_the_fewest_right_of_the_answers(tmp_path: Path) -> None:
    unread = marks("02", **dict.fromkeys(NAMES["02"], ("unreadable", "")))
    stub = marks("02", **dict.fromkeys(NAMES["02"], ("not attempted", "")))
    marked = {f"stub{n}": {"n.ipynb": stub} for n in range(2)}
    marked |= {f"unread{n}": {"n.ipynb": unread} for n in range(5)}
    marked |= {
        "a": {"n.ipynb": marks("02", translate=("value", ""))},
        "b": {"n.ipynb": marks("02")},
    }
    marked["c"] = {"n.ipynb": marks("02", summarise=("not attempted", ""))}
    text = text_of(tmp_path, marked)
    assert "Fewest right: translate (2 of 3 answers). Often not attempted by those" in text
    assert "handed in the notebook: summarise (3 of 10), from_output (2 of 10)" in text


def test_an_id_of_a_lecturers_own_is_shown_once_with_the_mistake(tmp_path: Path) -> None:
    one = Mark("own", "own", "Own", 0, 2, "value", "No.", "my-own-id", f"{EQUALS}you take `x`.")
    marked = {name: {"own.ipynb": Marked([one])} for name in ("a", "b")}
    text = text_of(tmp_path, marked)
    assert "1. 2 of the 2 students who handed in unit own get what you get if you take x" in text
    assert text.count("my-own-id") == 1
    rows = _Reader((tmp_path / "class.html").read_text(encoding="utf-8")).rows
    assert ["you take x my-own-id", "2", "2", "own (2)", "no lesson of the course"] in rows


def shows_nothing(program: str) -> list[str]:
    """What a program prints without telling ``wrong`` from ``right``."""

    space: dict[str, object] = {}

    def printed(source: str) -> str:
        output = io.StringIO()
        with redirect_stdout(output):
            exec(source, space)
        return output.getvalue()

    *lines, last = program.splitlines()
    before = printed("\n".join(lines))
    text = before + printed(last)
    alike = before + printed(f"wrong = right\n{last}")
    return [text] if not text.strip() or text == alike else []


@pytest.mark.parametrize("misconception", catalogue().values(), ids=lambda m: m.id)
def test_an_example_for_the_lecture_prints_the_difference(misconception: Misconception) -> None:
    if misconception.needs == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    program = reports._example(misconception)
    assert program.startswith("import torch\n") and misconception.demo.strip() in program
    assert shows_nothing(program) == []


def test_an_example_that_prints_nothing_is_found() -> None:
    program = reports._example(catalogue()["swapped-halves"])
    assert shows_nothing(program) == []
    assert shows_nothing(program.rpartition("\n")[0] + "\nNone")
    assert shows_nothing(program.rpartition("\n")[0] + "\nprint(wrong.shape == right.shape)")


def test_what_to_look_at_is_told_to_the_lecturer_and_what_to_do_to_the_student(
    tmp_path: Path,
) -> None:
    unread = replace(
        marks("02", **dict.fromkeys(NAMES["02"], ("unreadable", ""))),
        note="It cannot be read.",
        advice="Save it again.",
        look="ask",
    )
    marked = {
        "Zoe": {
            "": Marked(note="No notebook was handed in. There is x.py.", advice="Do.", look="ask")
        },
        "ada": {"a.ipynb": marks("02"), "b.ipynb": unread},
        "Bo": {"b.ipynb": unread},
    }
    write(tmp_path, marked)
    page = (tmp_path / "class.html").read_text(encoding="utf-8")
    rows = [row for row in _Reader(page).rows if len(row) == 3]
    assert [row for row in rows if row[2].startswith(("It cannot", "No notebook"))] == [
        ["Bo", "b.ipynb", "It cannot be read."],
        ["Zoe", "none", "No notebook was handed in. There is x.py."],
        ["ada", "b.ipynb", "It cannot be read."],
    ]
    assert page.index("It costs nothing (1)") > page.index("No answer that can be read (2)")
    assert "Save it again" not in page
    pages = {p.stem: p.read_text(encoding="utf-8") for p in (tmp_path / "feedback").iterdir()}
    assert "It cannot be read. Save it again." in pages["Bo"]
    assert "No notebook was handed in. There is x.py. Do." in pages["Zoe"]
    # Nothing was called, so nothing is said of calls.
    assert (
        "were called with" in pages["ada"] and "were called with" not in pages["Bo"] + pages["Zoe"]
    )
    grades, totals = table(tmp_path / "grades.csv"), table(tmp_path / "totals.csv")
    assert {row["student"] for row in grades} == {"ada", "Bo"}
    assert [list(row.values()) for row in totals] == [
        ["ada", "15", "15", "15", "feedback/ada.html"],
        ["Bo", "0", "0", "15", "feedback/Bo.html"],
        ["Zoe", "", "0", "15", "feedback/Zoe.html"],
    ]


def test_students_stand_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    names = ["asks", "Kim", "kim", "Ünal", "Émile", "zoe", "Ada", "李 雷"]
    write(tmp_path, {name: {"n.ipynb": marks("01")} for name in names})
    ordered = [row["student"] for row in table(tmp_path / "totals.csv")]
    assert ordered == ["Ada", "asks", "Émile", "Kim", "kim", "Ünal", "zoe", "李 雷"]


def test_a_students_page_says_everything_once(tmp_path: Path) -> None:
    open_ = dict.fromkeys(NAMES["02"][2:4], ("not attempted", ""))
    made = marks("02", summarise=verdict_of("summarise", 0), **open_)
    cause = "`translate` is missing because cell 4 stopped: SyntaxError."
    gone = [replace(m, verdict="not attempted", cause=cause) for m in made.marks[4:5]]
    made = Marked([*made.marks[:4], *gone, *made.marks[5:]], [(4, "def translate(", "SyntaxError")])
    write(tmp_path, {"Ada": {"n.ipynb": made}, "Bo": {"m.ipynb": marks("04")}})
    page = (tmp_path / "feedback" / "Ada.html").read_text(encoding="utf-8")
    text = " ".join(_Reader(page).text.split())
    assert "8 of 30 points. Nothing was handed in for unit 04." in text
    assert "Right: from_output (2 points), gesture_probabilities (3 points)." in text
    assert "Not attempted: predict_shapes, tagging_loss. A sentence." in text
    assert page.count('<section class="card') == 2
    assert "translate is missing because cell 4 stopped: SyntaxError." in text
    assert "Cell 4, def translate(: SyntaxError" in text


def test_every_mistake_has_a_lesson_to_repeat() -> None:
    """A section of it, not the lesson as a whole; and one that is there."""
    titles = {unit.title for unit in UNITS}
    for exercise in EXERCISES.values():
        for misconception in exercise.probes:
            section = sections()[misconception]
            assert section.heading not in titles, misconception
            notebook = json.loads((ROOT / "notebooks" / section.notebook).read_bytes())
            text = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
            assert re.search(rf"^#+ {re.escape(section.heading)}$", text, re.MULTILINE)


# ── hidden cases ────────────────────────────────────────────────────────────────────────────────

TELLTALE = {
    "turn_around": "raise ValueError(repr(x.flatten().tolist()))",
    "pool": "return {repr(output.flatten().tolist()): 1}",
    "masked_tagging_loss": "return type(repr(scores.flatten().tolist()[:9]), (), {})()",
    "from_the_left": "print(ids); raise KeyError(str(KEPT))",
    "read_packed": "KEPT.append(x.flatten().tolist()); return x",
    "packed_final_states": "exec(compile(f'raise ValueError({x[0, 0].tolist()})', 'x', 'exec'))",
}


def hidden_numbers(names: Collection[str], seed: int, number: int) -> set[str]:
    """Every number of one set of the hidden cases, as Python and PyTorch would print it."""

    def numbers(value: Any) -> Iterator[float]:
        if isinstance(value, torch.Tensor):
            yield from value.double().flatten().tolist()
        elif isinstance(value, dict):
            yield from (n for item in value.values() for n in numbers(item))
        elif isinstance(value, list | tuple):
            yield from (n for item in value for n in numbers(item))

    def drawn(cases: Iterable[Any]) -> set[str]:
        return {f"{abs(n):.6f}"[:6] for n in numbers(list(cases)) if n != round(n)}

    hidden = [case_sets.hidden(name, seed, number, None).cases for name in names]
    return drawn(hidden) - drawn(case_sets.public(name, None).cases for name in names)


def leaked_numbers(page: str, numbers: set[str]) -> set[str]:
    return set(re.findall(r"\d\.\d{4}", _Reader(page).text)) & numbers


@pytest.mark.usefixtures("shared_host")
def test_feedback_tells_no_hidden_case_even_to_who_asks_for_it(tmp_path: Path) -> None:
    require("bwrap")
    notebook = Notebook("04", TELLTALE).first("KEPT = []")
    with Sandbox("many", SECONDS) as sandbox:
        marked = mark(f"{NOTEBOOKS['04']}.ipynb", notebook.encoded(), sandbox, SEED)
    assert {m.points for m in marked.marks} == {0}
    number = case_sets.chosen(SEED, digest_of_code(code_cells(notebook.encoded())))
    numbers = hidden_numbers(NAMES["04"], SEED, number)
    assert len(numbers) > 100
    write(tmp_path, {"Eve": {"n.ipynb": marked}})
    page = (tmp_path / "feedback" / "Eve.html").read_text(encoding="utf-8")
    assert leaked_numbers(page, numbers) == set()
    assert leaked_numbers((tmp_path / "class.html").read_text(encoding="utf-8"), numbers) == set()
    # It still says what the function does, on the cases that everybody has.
    [turned] = [m for m in marked.marks if m.exercise == "turn_around"]
    assert turned.verdict == "callable" and "ValueError: [" in turned.sentence
    answers = case_sets.hidden("turn_around", SEED, number, None)
    leaked = answers.cases[0][0].flatten().tolist()
    planted = [replace(m, sentence=f"ValueError: {leaked}") for m in marked.marks]
    write(tmp_path / "planted", {"Eve": {"n.ipynb": Marked(planted)}})
    assert leaked_numbers(
        (tmp_path / "planted/feedback/Eve.html").read_text(encoding="utf-8"), numbers
    )


# ── records ─────────────────────────────────────────────────────────────────────────────────────


def exported(folder: Path, before: int, after: int) -> bytes:
    """The record of somebody with so many right answers in form A and in form B."""
    record = Record(folder / f"{before}-{after}.sqlite3")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for form, right in (("A", before), ("B", after)):
        items = sorted(q.id for q in bank().values() if q.form == form)
        for k, item in enumerate(items):
            at = start + timedelta(days=30 * (form == "B"), minutes=k)
            record.add(Attempt(item, "question", "00", float(k < right), 1.0, "x", at=at))
    return export(record).encode()


BROKEN = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[]",
    b"3",
    b'{"attempts": 3}',
    b'{"attempts": [{"item": 1}]}',
    b'{"attempts": {"a": 1}}',
    b"[" * 100_000,
    b'{"attempts": [{"item": "x", "kind": "question", "unit": "00", "points": 1e999, '
    b'"max_points": 1, "misconception": null, "sure": null, "at": "2026-01-01", "version": "1"}]}',
    b'{"attempts": [{"item": "x", "kind": "question", "unit": "00", "points": 1, '
    b'"max_points": 1, "misconception": null, "sure": null, "at": "2026-01-01", "version": "1"}]}',
]


def gains(out: Path) -> dict[str, list[str]]:
    page = (out / "class.html").read_text(encoding="utf-8")
    if "<h2>Before and after</h2>" not in page:
        return {}
    rows = _Reader(page.partition("<h2>Before and after</h2>")[2].partition("</table>")[0]).rows
    return {student: row for student, *row in rows[1:]}


def test_records_give_before_and_after_and_no_points(tmp_path: Path) -> None:
    marked = {name: {"n.ipynb": marks("01")} for name in ("Ada", "Bo", "Cy")}
    handed_in = [
        Submission("Ada", "record.json", lambda: exported(tmp_path, 6, 9)),
        Submission("Bo", "my/record.JSON", lambda: exported(tmp_path, 12, 12)),
        Submission("Cy", "n.ipynb", lambda: b"{}"),
    ]
    plain, out = write(tmp_path / "plain", marked), write(tmp_path / "out", marked, handed_in)
    assert gains(out) == {"Ada": ["50 %", "75 %", "50 %"], "Bo": ["100 %", "100 %", "–"]}
    assert gains(plain) == {}
    for name in ("grades.csv", "totals.csv"):
        assert (plain / name).read_bytes() == (out / name).read_bytes()


def test_a_broken_record_is_as_if_there_were_none(tmp_path: Path) -> None:
    broken = [
        Submission(f"s{k}", "record.json", lambda data=data: data)  # type: ignore[misc]
        for k, data in enumerate(BROKEN)
    ]
    marked = {"Ada": {"n.ipynb": marks("01")}}
    assert gains(write(tmp_path, marked, broken)) == {}
    good = Submission("Ada", "record.json", lambda: exported(tmp_path, 3, 6))
    assert gains(write(tmp_path, marked, [*broken, good])) == {"Ada": ["25 %", "50 %", "33 %"]}
