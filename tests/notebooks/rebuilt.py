"""What a lesson must be that has been rebuilt: short, in parts, drawn, guessed at, with numbers.

Like ``rules.py``: functions from a unit's lessons to a list of problems, each with a planted
failure in ``test_rebuilt.py``. Units that are not yet rebuilt stand in :data:`NOT_YET`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from birnn_course.course import UNITS, Unit, estimate
from birnn_course.questions.bank import practice

from rules import IGNORED, code_cells, pictures, tags

NOT_YET = ("03", "04", "05", "06", "07", "08")
REBUILT = tuple(unit for unit in UNITS if unit.number not in NOT_YET)

MOST_CELLS, MOST_WORDS, MOST_QUESTIONS = 55, 2_100, 10
LONGEST_LINE = 100  # letters that fit beside the contents
GUESSES = range(3, 7)
MOST_IGNORED = 0.05
_WORD = r"[^\W_][\w'’-]*"
_PART = re.compile(r"^## Part (\d+) · .+$", re.MULTILINE)

Notebook = Any


class Lessons(NamedTuple):
    """A unit with its notebooks: the core lesson first."""

    unit: Unit
    notebooks: list[Notebook]


Rule = Callable[[Lessons], list[str]]


def words(notebook: Notebook) -> int:
    """Words that are read: texts, comments, and what a guess asks."""
    return sum(len(re.findall(_WORD, text)) for text in _read(notebook))


def _read(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield cell.source
            continue
        for token in tokenize.generate_tokens(io.StringIO(cell.source).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
        for call in _calls(cell.source, "guess"):
            yield from _strings(call)


def _calls(source: str, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def _strings(call: ast.Call) -> list[str]:
    nodes = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    found = (node for argument in nodes for node in ast.walk(argument))
    return [n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def _named(notebook: Notebook, name: str) -> list[str]:
    """The first arguments, as written, of all calls of a function."""
    return [
        ast.literal_eval(call.args[0])
        for cell in code_cells(notebook)
        for call in _calls(cell.source, name)
        if call.args and isinstance(call.args[0], ast.Constant)
    ]


def _explorables(cell: Any) -> list[str]:
    return re.findall(r"\b\w+_explorer(?=\()", cell.source)


def minutes(notebook: Notebook) -> tuple[int, int]:
    """What :func:`birnn_course.course.estimate` says of a lesson."""
    cells = code_cells(notebook)
    quizzes = [call for cell in cells for call in _calls(cell.source, "quiz")]
    asked = 0
    for call in quizzes:
        deeper = any(keyword.arg == "deeper" for keyword in call.keywords)
        unit = ast.literal_eval(call.args[0])
        asked += len(practice(unit, deeper=deeper))
    return estimate(
        words=words(notebook),
        code_lines=sum(bool(line.strip()) for cell in cells for line in cell.source.splitlines()),
        guesses=len(_named(notebook, "guess")),
        questions=asked,
        explorables=sum(len(_explorables(cell)) for cell in cells),
    )


def short_enough(lessons: Lessons) -> list[str]:
    found = []
    for notebook in lessons.notebooks:
        if len(notebook.cells) > MOST_CELLS:
            found.append(f"{len(notebook.cells)} cells")
        if words(notebook) > MOST_WORDS:
            found.append(f"{words(notebook)} words")
        found += [
            f"a long line: {line}"
            for cell in code_cells(notebook)
            for line in cell.source.splitlines()
            if len(line) > LONGEST_LINE
        ]
    return found


def opens_with_a_picture(lessons: Lessons) -> list[str]:
    """A drawing or an explorable within the first three cells."""
    return [
        f"notebook {n} opens without a picture"
        for n, notebook in enumerate(lessons.notebooks, 1)
        if not any(map(_is_seen, notebook.cells[:3]))
    ]


def _is_seen(cell: Any) -> bool:
    one = type("One", (), {"cells": [cell]})
    return bool(list(pictures(one))) or (cell.cell_type == "code" and bool(_explorables(cell)))


def parts_are_numbered_and_seen(lessons: Lessons) -> list[str]:
    """Parts count on through core and deeper; each says where it stands, and shows something."""
    found, number = [], 0
    for notebook in lessons.notebooks:
        begun = [(i, _PART.search(cell.source)) for i, cell in enumerate(notebook.cells)]
        starts = [
            (i, match) for i, match in begun if match and notebook.cells[i].cell_type != "code"
        ]
        if not starts:
            found.append("no parts")
        for (i, match), (end, _) in zip(
            starts, [*starts[1:], (len(notebook.cells), None)], strict=True
        ):
            number += 1
            if int(match[1]) != number:
                found.append(f"part {match[1]} should be part {number}")
            if not re.search(r"^[●○]+  ", notebook.cells[i].source, re.MULTILINE):
                found.append(f"part {number} does not show where it stands")
            if lessons.unit.has_exercises and not any(map(_is_seen, notebook.cells[i:end])):
                found.append(f"part {number} shows no picture")
    return found


def guesses_are_made(lessons: Lessons) -> list[str]:
    """Three to six in a core lesson that teaches; each guess is answered, in order."""
    found = []
    for notebook in lessons.notebooks:
        made, answered = _named(notebook, "guess"), _named(notebook, "measured")
        if made != answered:
            found.append(f"guessed {made}, measured {answered}")
    n = len(_named(lessons.notebooks[0], "guess"))
    if lessons.unit.has_exercises and n not in GUESSES:
        found.append(f"{n} guesses")
    texts = [
        cell.source for nb in lessons.notebooks for cell in nb.cells if cell.cell_type != "code"
    ]
    found += ["a guess is asked and not taken" for text in texts if "> **Guess" in text]
    return found


def minutes_are_estimated(lessons: Lessons) -> list[str]:
    found = []
    for notebook in lessons.notebooks:
        low, high = minutes(notebook)
        if f"{low} to {high} minutes" not in notebook.cells[0].source:
            found.append(f"the opening does not say: {low} to {high} minutes")
    if lessons.unit.minutes != minutes(lessons.notebooks[0]):
        found.append(f"course.py says {lessons.unit.minutes}")
    return found


def cells_hold_what_they_teach(lessons: Lessons) -> list[str]:
    """No ``assert``, and no sentence in the place of a result."""
    found = []
    for notebook in lessons.notebooks:
        for cell in code_cells(notebook):
            tree = ast.parse(cell.source)
            if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
                found.append(f"an assert: {cell.source[:40]!r}")
            found += [
                f"a fixed sentence is printed: {ast.unparse(call)}"
                for call in _calls(cell.source, "print")
                if call.args and all(isinstance(a, ast.Constant) for a in call.args)
            ]
    return found


def few_are_ignored(lessons: Lessons) -> list[str]:
    """At most one cell in twenty is not compared, and none that prints a number."""
    found = []
    for notebook in lessons.notebooks:
        cells = code_cells(notebook)
        ignored = [cell for cell in cells if IGNORED in tags(cell)]
        if len(ignored) > MOST_IGNORED * len(cells):
            found.append(f"{len(ignored)} of {len(cells)} cells are not compared")
        found += [
            f"cell {cell.execution_count} prints numbers and is not compared"
            for cell in ignored
            if any(re.search(r"\d", output.get("text", "")) for output in cell.outputs)
        ]
    return found


def questions_name_their_part(lessons: Lessons) -> list[str]:
    """Each question names a part of its unit's lessons; the core asks ten at most."""
    unit = lessons.unit.number
    headings = [
        {match[0].removeprefix("## ") for cell in nb.cells for match in _PART.finditer(cell.source)}
        for nb in lessons.notebooks
    ]
    core = practice(unit, deeper=False)
    found = [f"{len(core)} questions in the core"] if len(core) > MOST_QUESTIONS else []
    for question in practice(unit):
        taught = headings[0] if not question.deeper else set().union(*headings)
        if question.part not in taught:
            found.append(f"{question.id} names no part of its lesson: {question.part!r}")
    return found


RULES: tuple[Rule, ...] = (
    short_enough,
    opens_with_a_picture,
    parts_are_numbered_and_seen,
    guesses_are_made,
    minutes_are_estimated,
    cells_hold_what_they_teach,
    few_are_ignored,
    questions_name_their_part,
)
