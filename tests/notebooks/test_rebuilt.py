"""Every rebuilt lesson obeys every rule, and every rule catches its planted failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import nbformat
import pytest
import rebuilt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from rebuilt import Lessons

from birnn_course.course import UNITS, estimate, notebooks_folder

from rules import IGNORED


def lessons_of(unit: Any) -> Lessons:
    folder = notebooks_folder()
    return Lessons(unit, [nbformat.read(folder / name, as_version=4) for name in unit.lessons])


@pytest.mark.parametrize("rule", rebuilt.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("unit", rebuilt.REBUILT, ids=lambda unit: unit.number)
def test_rebuilt_lessons(unit: Any, rule: rebuilt.Rule) -> None:
    assert rule(lessons_of(unit)) == []


def test_those_that_are_not_yet_rebuilt_are_units_of_the_course() -> None:
    assert {*rebuilt.NOT_YET} < {unit.number for unit in UNITS}


PICTURE = new_output(
    "display_data", data={"text/html": '<img alt="a line" src="data:image/png;base64,AAAA">'}
)
STRIP = "●○  about 10 minutes"


def good() -> Lessons:
    """The smallest unit that obeys every rule, without questions of its own."""
    cells = [
        new_markdown_cell("# 09 · Two parts\n\nIt takes @."),
        new_code_cell("word_explorer()"),
        new_markdown_cell(f"## Part 1 · First\n\n{STRIP}\n\nRead this."),
        new_code_cell("plot()  # a line", outputs=[PICTURE]),
    ]
    for n in range(3):
        cells.append(new_code_cell(f"guess('09-{n}', 'How many?', low=0, high=9)"))
        cells.append(new_code_cell(f"measured('09-{n}', {n})"))
    cells.append(new_markdown_cell(f"## Part 2 · Second\n\n{STRIP}"))
    cells.append(new_code_cell("plot()", outputs=[PICTURE]))
    cells += [new_code_cell(f"print(x{n})") for n in range(10)]
    notebook = new_notebook(cells=cells)
    low, high = rebuilt.minutes(notebook)
    cells[0].source = cells[0].source.replace("@", f"{low} to {high} minutes")
    unit = replace(UNITS[1], number="09", minutes=(low, high), has_deeper=False)
    return Lessons(unit, [notebook])


def source(index: int, text: str) -> Callable[[Lessons], None]:
    return lambda lessons: lessons.notebooks[0].cells[index].update(source=text)


def drop(index: int) -> Callable[[Lessons], None]:
    return lambda lessons: lessons.notebooks[0].cells.pop(index)


def add(*cells: Any) -> Callable[[Lessons], None]:
    return lambda lessons: lessons.notebooks[0].cells.extend(cells)


def ignored(text: str) -> Any:
    cell = new_code_cell("train()", outputs=[new_output("stream", text=text)])
    cell.metadata["tags"] = [IGNORED]
    return cell


PLANTED: list[tuple[rebuilt.Rule, Callable[[Lessons], None]]] = [
    (rebuilt.short_enough, add(new_markdown_cell("word " * 2_100))),
    (rebuilt.short_enough, add(new_code_cell("# " + "word " * 2_100))),
    (rebuilt.short_enough, add(new_code_cell(f"guess('a', '{'word ' * 2_100}')"))),
    (rebuilt.short_enough, add(*[new_markdown_cell("a")] * 55)),
    (rebuilt.short_enough, add(new_code_cell("x = " + "1 + " * 40 + "1"))),
    (rebuilt.opens_with_a_picture, source(1, "print(x)")),
    (rebuilt.parts_are_numbered_and_seen, source(2, f"## Part 2 · First\n\n{STRIP}")),
    (rebuilt.parts_are_numbered_and_seen, source(2, "## Part 1 · First")),
    (rebuilt.parts_are_numbered_and_seen, drop(3)),
    (rebuilt.parts_are_numbered_and_seen, drop(11)),
    (rebuilt.guesses_are_made, source(4, "print(x)")),
    (rebuilt.guesses_are_made, source(5, "print(x)")),
    (rebuilt.guesses_are_made, lambda lessons: lessons.notebooks[0].cells.__delitem__(slice(4, 6))),
    (rebuilt.guesses_are_made, add(new_markdown_cell("> **Guess.** How many?"))),
    (rebuilt.minutes_are_estimated, source(0, "It takes an hour.")),
    (rebuilt.minutes_are_estimated, add(new_markdown_cell("word " * 1_500))),
    (rebuilt.cells_hold_what_they_teach, add(new_code_cell("assert score > 0.9"))),
    (rebuilt.cells_hold_what_they_teach, add(new_code_cell("print('both ways wins')"))),
    (rebuilt.few_are_ignored, add(ignored("city"), ignored("cat"))),
    (rebuilt.few_are_ignored, add(ignored("88.1 %"))),
]


@pytest.mark.parametrize("rule", rebuilt.RULES, ids=lambda rule: rule.__name__)
def test_the_smallest_good_unit_passes(rule: rebuilt.Rule) -> None:
    assert rule(good()) == []


@pytest.mark.parametrize(
    ("rule", "plant"), PLANTED, ids=[f"{rule.__name__}-{i}" for i, (rule, _) in enumerate(PLANTED)]
)
def test_a_planted_failure_is_caught(rule: rebuilt.Rule, plant: Callable[[Lessons], None]) -> None:
    lessons = good()
    plant(lessons)
    assert rule(lessons)


def test_a_question_that_names_no_part_is_found() -> None:
    unit = UNITS[2]
    headings = new_notebook(cells=[new_markdown_cell("## Part 1 · Another")])
    assert rebuilt.questions_name_their_part(Lessons(unit, [headings]))
    taught = lessons_of(UNITS[1])
    taught.notebooks[0].cells = [
        c for c in taught.notebooks[0].cells if "## Part 2" not in c.source
    ]
    assert rebuilt.questions_name_their_part(taught)


def test_every_rule_has_a_planted_failure() -> None:
    planted = {rule for rule, _ in PLANTED} | {rebuilt.questions_name_their_part}
    assert planted == set(rebuilt.RULES)


def test_the_estimate_grows_with_each_of_what_it_counts() -> None:
    nothing = dict.fromkeys(("words", "code_lines", "guesses", "questions", "explorables"), 0)
    assert estimate(**nothing) == (0, 5)
    for what in nothing:
        low, high = estimate(**{**nothing, what: 2_000})
        assert 5 < low < high
