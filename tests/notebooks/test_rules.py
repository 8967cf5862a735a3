"""Every stored notebook obeys every rule, and every rule catches its planted failure."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from birnn_course.course import UNITS, learner_notebooks, masters

import notebooks as tool
import rules

PATHS = tool.stored()


def read(path: Any) -> Any:
    return nbformat.read(path, as_version=4)


def test_the_notebooks_are_those_of_the_course() -> None:
    learners = [path.name for path in PATHS if path.parent == tool.NOTEBOOKS]
    solutions = [path.name for path in PATHS if path.parent == tool.SOLUTIONS]
    assert sorted(learners) == sorted(learner_notebooks())
    assert sorted(solutions) == sorted(masters())


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_stored_notebooks(path: Any, rule: rules.Rule) -> None:
    assert rule(read(path)) == []


def code(source: str, *outputs: Any, tags: tuple[str, ...] = (), **metadata: Any) -> Any:
    cell = nbformat.v4.new_code_cell(source, outputs=list(outputs))
    cell.metadata.update({"tags": list(tags), **metadata})
    return cell


def printed(text: str, name: str = "stdout") -> Any:
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(**data: str) -> Any:
    kinds = {
        "html": "text/html",
        "plain": "text/plain",
        "png": "image/png",
        "view": rules.WIDGET_VIEW,
    }
    return nbformat.v4.new_output("display_data", data={kinds[k]: v for k, v in data.items()})


def good() -> Any:
    """The smallest notebook that obeys every rule."""
    unit = UNITS[0]
    low, high = unit.minutes
    aims = "\n".join(f"- {aim}" for aim in unit.objectives)
    title = f"# {unit.number} · {unit.title}"
    opening = f"{title}\n{aims}\nYou need: Python. Time: {low} to {high} minutes."
    picture = '<img alt="a straight line" src="data:image/png;base64,AAAA">'
    cells = [
        nbformat.v4.new_markdown_cell(opening),
        code("device = setup(seed=0)"),
        code("1 + 1", printed("2\n")),
        code("plot()", shown(html=picture, plain="[a straight line]")),
        *[code(f"{i}", printed(f"{i}\n")) for i in range(4)],
        code(
            "fit()", printed("0.87\n"), tags=(rules.IGNORED,), birnn={"ignored_because": "trained"}
        ),
        code("assert True\nprint('yes')", printed("yes\n")),
        code("try_it()", printed("ValueError: no\n"), tags=("torch-message",)),
        code(
            "bug()",
            printed("1 2\n"),
            tags=("mis:exactly-double",),
            birnn={"shows": {"exactly-double": {"wrong": "1", "right": "2"}}},
        ),
        code(
            "ahead = both - one\nprint(f'≈ {ahead:.0f} points')",
            printed("≈ 14 points\n"),
            birnn={"claims": ["ahead > 10", "0 <= ahead < 40"]},
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    for count, cell in enumerate(rules.code_cells(notebook), 1):
        cell.execution_count = count
    return notebook


def cell_with(
    *outputs: Any, source: str = "x", tags: tuple[str, ...] = ()
) -> Callable[[Any], None]:
    """Replaces the second code cell."""

    def plant(notebook: Any) -> None:
        notebook.cells[2] = code(source, *outputs, tags=tags)
        notebook.cells[2].execution_count = 2

    return plant


def set_counts(*counts: int | None) -> Callable[[Any], None]:
    def plant(notebook: Any) -> None:
        for cell, count in zip(rules.code_cells(notebook), counts, strict=False):
            cell.execution_count = count

    return plant


def strip(notebook: Any) -> None:
    for cell in rules.code_cells(notebook):
        cell.outputs = []


def set_metadata(index: int, **metadata: Any) -> Callable[[Any], None]:
    return lambda notebook: notebook.cells[index].metadata.update(metadata)


def set_source(index: int, source: str) -> Callable[[Any], None]:
    return lambda notebook: notebook.cells[index].update(source=source)


def in_opening(old: str, new: str) -> Callable[[Any], None]:
    return lambda nb: nb.cells[0].update(source=nb.cells[0].source.replace(old, new))


LIAR = '<img alt="it reaches 93.1 %" src="data:image/png;base64,AAAA">'
OTHER = '<img alt="a straight line" src="data:image/png;base64,BBBB">'
DRAWN = "<svg><title>a curve</title><path/></svg>"

PLANTED: list[tuple[rules.Rule, Callable[[Any], None]]] = [
    (rules.ran_in_order, set_counts(7, 3)),
    (rules.ran_in_order, set_counts(None, None)),
    (rules.outputs_are_stored, strip),
    (rules.no_error_no_stderr, cell_with(printed("UserWarning", name="stderr"))),
    (
        rules.no_error_no_stderr,
        cell_with(nbformat.v4.new_output("error", ename="E", evalue="e", traceback=[])),
    ),
    (rules.no_widget_state, lambda notebook: notebook.metadata.update(widgets={"state": {}})),
    (rules.no_widget_state, cell_with(shown(view="{}", plain="x"))),
    (rules.no_installing, cell_with(source="%pip install torch")),
    (rules.no_installing, cell_with(source="!pip install torch")),
    (rules.no_network, cell_with(source="load('https://example.org/words.txt')")),
    (rules.no_network, cell_with(shown(html="<script>alert(1)</script>", plain="x"))),
    (rules.no_network, set_source(0, "![a picture](https://example.org/a.png)")),
    (rules.text_does_not_change, cell_with(printed("saved in /home/ada/model.pt\n"))),
    (rules.text_does_not_change, cell_with(printed("took 3.2 s\n"))),
    (rules.text_does_not_change, cell_with(printed("<object at 0x7f3a2b1c9d10>\n"))),
    (rules.text_does_not_change, cell_with(printed("torch 2.13.0\n"))),
    (rules.text_does_not_change, cell_with(printed("on 2026-11-22\n"))),
    (rules.text_does_not_change, cell_with(shown(plain="tensor(1., device('cuda:0'))"))),
    (rules.ignored_cells_are_few_and_answered, set_metadata(8, birnn={})),
    (rules.ignored_cells_are_few_and_answered, set_source(9, "print('yes')")),
    (rules.ignored_cells_are_few_and_answered, set_metadata(3, tags=["nbval-skip"])),
    (rules.ignored_cells_are_few_and_answered, set_source(3, "# NBVAL_IGNORE_OUTPUT\n1")),
    (
        rules.ignored_cells_are_few_and_answered,
        lambda nb: (
            nb.cells[5].update(copy.deepcopy(nb.cells[8]))
            or nb.cells[6].update(copy.deepcopy(nb.cells[9]))
        ),
    ),
    (rules.figures_have_alt_text, cell_with(shown(png="AAAA", plain="<Figure>"))),
    (rules.figures_have_alt_text, cell_with(shown(html='<img src="data:x">', plain="x"))),
    (rules.figures_have_alt_text, cell_with(shown(html=LIAR, plain="x"))),
    (rules.figures_have_alt_text, set_source(0, "![](picture.png)")),
    (rules.figures_have_alt_text, cell_with(shown(html="<svg><path/></svg>", plain="x"))),
    (rules.alt_texts_differ, cell_with(shown(html=OTHER, plain="x"))),
    (rules.alt_texts_differ, cell_with(shown(html=DRAWN * 2, plain="x"))),
    (rules.columns_are_named, set_source(0, "| | points |\n|---|---|\n| all | 20 |")),
    (rules.messages_of_torch_are_tagged, cell_with(printed("RuntimeError: sizes\n"))),
    (rules.demonstrations_are_compared, set_metadata(11, birnn={})),
    (rules.demonstrations_are_compared, set_metadata(11, tags=[])),
    (rules.demonstrations_are_compared, set_metadata(11, tags=["mis:no-such"])),
    (
        rules.demonstrations_are_compared,
        set_metadata(11, birnn={"shows": {"exactly-double": {"wrong": "1"}}}),
    ),
    (
        rules.demonstrations_are_compared,
        set_metadata(11, tags=["mis:x"], birnn={"shows": {"x": {"wrong": "1", "right": "2"}}}),
    ),
    (rules.numbers_that_move_are_claimed, cell_with(printed("≈ 3.1 %\n"))),
    (rules.numbers_that_move_are_claimed, set_metadata(12, birnn={})),
    (rules.numbers_that_move_are_claimed, set_metadata(12, birnn={"claims": ["ahead"]})),
    (rules.numbers_that_move_are_claimed, set_metadata(12, birnn={"claims": ["both > one"]})),
    (rules.numbers_that_move_are_claimed, set_metadata(12, birnn={"claims": ["ahead >"]})),
    (rules.no_semicolons, cell_with(source="fit(model);")),
    (rules.starts_with_setup, set_source(1, "import torch")),
    (rules.opens_like_a_unit, in_opening(UNITS[0].title, "Another title")),
    (rules.opens_like_a_unit, in_opening(UNITS[0].objectives[0], "")),
    (rules.opens_like_a_unit, in_opening("minutes", "hours")),
    (rules.opens_like_a_unit, in_opening("You need", "")),
    (rules.opens_like_a_unit, in_opening(UNITS[0].title, f"{UNITS[0].title}: deeper")),
    (rules.small_enough, cell_with(printed("x" * rules.MOST_BYTES))),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_the_smallest_good_notebook_passes(rule: rules.Rule) -> None:
    assert rule(good()) == []


@pytest.mark.parametrize(
    ("rule", "plant"), PLANTED, ids=[f"{rule.__name__}-{i}" for i, (rule, _) in enumerate(PLANTED)]
)
def test_a_planted_failure_is_caught(rule: rules.Rule, plant: Callable[[Any], None]) -> None:
    notebook = good()
    plant(notebook)
    assert rule(notebook)


def test_no_two_pictures_of_the_course_have_the_same_text() -> None:
    shown = [picture for path in PATHS for picture in rules.pictures(read(path))]
    assert len(shown) > 30
    assert rules.repeated_alternatives(shown) == []
    planted = [*shown, (shown[0][0], "another.png")]
    assert rules.repeated_alternatives(planted) == [shown[0][0]]


def test_the_two_faces_of_a_drawing_are_one_picture() -> None:
    image, drawn = '<img alt="a" src="data:x">', '<svg aria-label="{}"><path/></svg>'
    figure = f'<figure class="birnn-draw">{image}{drawn}</figure>'
    assert len(rules._Images(figure.format("a")).found) == 1
    assert len(rules._Images(figure.format("b")).found) == 2
    assert len(rules._Images(figure.format("a").replace("birnn-draw", "other")).found) == 2


def test_a_drawing_may_say_what_it_shows_in_two_ways() -> None:
    notebook = good()
    labelled = '<svg aria-label="a line"><path/></svg>'
    cell_with(shown(html=DRAWN + labelled, plain="x"))(notebook)
    assert [alt for alt, _ in rules.pictures(notebook)] == ["a curve", "a line", "a straight line"]


def test_every_rule_has_a_planted_failure() -> None:
    assert {rule for rule, _ in PLANTED} == set(rules.RULES)
