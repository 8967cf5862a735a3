"""What lecturer and students get to see: complete, safe to open, and no hidden case in it.

Each check is a function that names what is wrong, and is shown something wrong as well.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import torch

from birnn_course.course import UNITS
from birnn_course.exercises.checking import EXERCISES, PUBLIC_SEED
from birnn_course.grading import reports
from birnn_course.grading.lessons import sections
from birnn_course.grading.marking import mark
from birnn_course.grading.marks import Mark, Marked
from birnn_course.grading.prison import Prison
from birnn_course.grading.store import Store
from birnn_course.grading.submissions import Submission
from birnn_course.misconceptions import catalogue
from birnn_course.progress import Attempt, Record, export
from birnn_course.questions.bank import bank
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
        assert formulas_in(text.replace(";'=1", ";=1"))
    assert {row["student"].replace("'=", "=") for row in table(tmp_path / "totals.csv")} >= {
        "=1+1",
        " =1".replace(" =", "' ="),
    }


def wrong_with_totals(grades: list[dict[str, str]], totals: list[dict[str, str]]) -> list[str]:
    points: Counter[tuple[str, str]] = Counter()
    most: Counter[str] = Counter()
    for row in grades:
        if row["exercise"]:
            points[row["student"], f"unit_{EXERCISES[row['exercise']].unit}"] += int(row["points"])
            points[row["student"], "points"] += int(row["points"])
            most[row["student"]] += int(row["max_points"])
    found = []
    students = [row["student"] for row in totals]
    if sorted(students) != sorted({row["student"] for row in grades}):
        found.append("one row a student")
    for row in totals:
        student = row["student"]
        for column, value in row.items():
            wanted: int | str = points.get((student, column), "")
            if column == "max_points":
                wanted = most[student]
            elif column == "points":
                wanted = points[student, "points"]
            if column != "student" and value != str(wanted):
                found.append(f"{student} {column}: {value} for {wanted}")
    return found


def test_totals_are_the_sums_of_the_grades(tmp_path: Path) -> None:
    write(tmp_path, as_handed_in() | {"x": {"essay.ipynb": Marked(note="No function.")}})
    grades, totals = table(tmp_path / "grades.csv"), table(tmp_path / "totals.csv")
    assert wrong_with_totals(grades, totals) == []
    assert list(totals[0]) == ["student", "unit_01", "unit_02", "unit_04", "points", "max_points"]
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
    *("scope", "id", "open", "tabindex", "role", "aria-label"),
}


class _Reader(HTMLParser):
    """Collects what a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
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
    said = [replace(m, verdict="callable", points=0, sentence=sentence) for m in evil.marks]
    evil = Marked(said, [(1, EVIL), (2, f"E: {EVIL}")], note=f"Look: {EVIL}")
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


def test_lessons_are_linked_if_it_is_known_where_they_are(tmp_path: Path) -> None:
    section = sections()["swapped-halves"]
    marked = {"Ada": {"n.ipynb": marks("01", read_both_ways=("direction", "swapped-halves"))}}
    for folder, lessons in ((tmp_path / "with", "https://hub.example/course/"), (tmp_path, "")):
        write(folder, marked, lessons=lessons)
        for name in ("class.html", "feedback/Ada.html"):
            page = (folder / name).read_text(encoding="utf-8")
            assert section.heading in page
            assert (f'href="https://hub.example/course/{section.link}"' in page) == bool(lessons)
            assert ("01_bidirectional.ipynb#" in page) == bool(lessons)


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
    # pages of those who are gone are gone
    write(tmp_path / "new", {"Ada": {"n.ipynb": marks("01")}})
    (tmp_path / "new" / "feedback" / "Old.html").write_text("old")
    write(tmp_path / "new", {"Ada": {"n.ipynb": marks("01")}})
    assert [p.name for p in (tmp_path / "new" / "feedback").iterdir()] == ["Ada.html"]


# ── the class report ────────────────────────────────────────────────────────────────────────────


def wrong_with_class(page: str, grades: list[dict[str, str]]) -> list[str]:
    """What the class report counts otherwise than the table of grades."""
    verdicts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    having: defaultdict[str, set[str]] = defaultdict(set)
    points: Counter[str] = Counter()
    for row in grades:
        kind = "right" if row["verdict"] == "right" else "wrong"
        if row["verdict"] in ("not attempted", "unreadable"):
            kind = "no answer"
        verdicts[row["exercise"]][kind] += 1
        points[row["student"]] += int(row["points"])
        if row["misconception"]:
            having[row["misconception"]].add(row["student"])
    read = _Reader(page)
    found = []
    cells = [[" ".join(cell.split()) for cell in row] for row in read.rows]
    shown = {row[0].split()[-1]: row for row in cells if row and row[0].split()[-1:]}
    for name, counts in verdicts.items():
        wanted = [str(counts[kind]) for kind in ("right", "wrong", "no answer")]
        if shown.get(name, [])[2:5] != wanted:
            found.append(f"{name}: {shown.get(name)} for {wanted}")
    for misconception, students in having.items():
        if shown.get(misconception, [""] * 3)[2] != str(len(students)):
            found.append(f"{misconception}: {shown.get(misconception)} for {len(students)}")
    by_name = {row[0]: row for row in cells if len(row) == 3 and " of " in row[-1]}
    for student, sum_ in points.items():
        if not by_name.get(student, [""])[-1].startswith(f"{sum_} of "):
            found.append(f"{student}: {by_name.get(student)} for {sum_}")
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
    first, second = text.index("1. 5 of 8 students"), text.index("2. 2 of 8 students")
    assert first < second < text.index("Fewest right")
    section = sections()["swapped-halves"]
    assert f"section “{section.heading}”" in text[first:second]
    assert " ".join(catalogue()["swapped-halves"].reality.replace("`", "").split()) in text


def test_every_mistake_has_a_lesson_to_repeat() -> None:
    """A section of it, not the lesson as a whole; and one that is there."""
    whole = {unit.title for unit in UNITS}
    for exercise in EXERCISES.values():
        for misconception in exercise.probes:
            section = sections()[misconception]
            assert section.heading not in whole, misconception
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


def hidden_numbers(names: Iterable[str], seed: int) -> set[str]:
    """Every number of the hidden cases, as Python and PyTorch would print it."""

    def numbers(value: Any) -> Iterator[float]:
        if isinstance(value, torch.Tensor):
            yield from value.double().flatten().tolist()
        elif isinstance(value, dict):
            yield from (n for item in value.values() for n in numbers(item))
        elif isinstance(value, list | tuple):
            yield from (n for item in value for n in numbers(item))

    def drawn(hidden: bool) -> set[str]:
        chosen = seed if hidden else PUBLIC_SEED
        return {
            f"{abs(n):.6f}"[:6]
            for name in names
            for n in numbers(EXERCISES[name].draw(chosen, hidden=hidden))
            if n != round(n)
        }

    return drawn(True) - drawn(False)


def told(page: str, numbers: set[str]) -> set[str]:
    return set(re.findall(r"\d\.\d{4}", _Reader(page).text)) & numbers


def test_feedback_tells_no_hidden_case_even_to_who_asks_for_it(tmp_path: Path) -> None:
    require("bwrap")
    notebook = Notebook("04", TELLTALE).first("KEPT = []")
    with Prison("many", SECONDS) as prison:
        marked = mark(f"{NOTEBOOKS['04']}.ipynb", notebook.encoded(), prison, SEED)
    assert {m.points for m in marked.marks} == {0}
    numbers = hidden_numbers(NAMES["04"], SEED)
    assert len(numbers) > 100
    write(tmp_path, {"Eve": {"n.ipynb": marked}})
    page = (tmp_path / "feedback" / "Eve.html").read_text(encoding="utf-8")
    assert told(page, numbers) == set()
    assert told((tmp_path / "class.html").read_text(encoding="utf-8"), numbers) == set()
    # It still says what the function does, on the cases that everybody has.
    [turned] = [m for m in marked.marks if m.exercise == "turn_around"]
    assert turned.verdict == "callable" and "ValueError: [" in turned.sentence
    leaked = EXERCISES["turn_around"].draw(SEED, hidden=True)[0][0].flatten().tolist()
    planted = [replace(m, sentence=f"ValueError: {leaked}") for m in marked.marks]
    write(tmp_path / "planted", {"Eve": {"n.ipynb": Marked(planted)}})
    assert told((tmp_path / "planted/feedback/Eve.html").read_text(encoding="utf-8"), numbers)


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
