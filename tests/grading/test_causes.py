"""Why a function is missing: the cell that stopped, or the one that was deleted."""

from __future__ import annotations

import pytest

from birnn_course.grading.causes import failed, why_missing, why_unknown

UNKNOWN = "NameError: name '{}' is not defined"
CELLS = ["import pandas", "import no\n\ndef f(x):\n    return x", "check(f)", "f(1)", "check(g)"]
ERRORS = [(2, "ModuleNotFoundError: no"), (3, UNKNOWN.format("f")), (4, UNKNOWN.format("f"))]


def test_a_check_that_only_misses_its_function_is_left_out() -> None:
    found = failed(CELLS, [*ERRORS, (5, UNKNOWN.format("g"))])
    assert [(cell.number, cell.line) for cell in found] == [
        (2, "import no"), (4, "f(1)"), (5, "check(g)"),
    ]  # fmt: skip
    # Another error of a check is one of its own; and so is it if nothing before it stopped.
    assert [c.number for c in failed(CELLS, [ERRORS[0], (3, "ValueError: f")])] == [2, 3]
    assert [c.number for c in failed(CELLS, [(3, UNKNOWN.format("f"))])] == [3]


def test_numbers_of_cells_that_are_not_there_are_ignored() -> None:
    assert failed(CELLS, [(0, "x"), (-1, "x"), (6, "x"), (10**9, "x")]) == []
    assert failed(["\n\n"], [(1, "x")])[0].line == ""
    assert len(failed(["y" * 10**6], [(1, "x")])[0].line) < 100


@pytest.mark.parametrize(
    ("source", "is_it"),
    [
        ("def f(x):", True), ("async def f(x):", True), ("class f:", True), ("f = abs", True),
        ("x = 1\nfrom a import b as f", True), ("import f", True),
        ("def ff(x):", False), ("    f = 1", False), ("f == 1", False), ("f(1)", False),
        ("print('def f')", False), ("# import f", False),
    ],
)  # fmt: skip
def test_the_cell_that_should_have_defined_it_is_named(source: str, is_it: bool) -> None:
    sentence = why_missing("f", failed([source], [(1, "ValueError: no")]))
    assert sentence == ("`f` is missing because cell 1 stopped: ValueError: no." if is_it else "")


def test_a_name_of_the_notebook_that_was_handed_out_is_known() -> None:
    notebook, stops = "02_shapes_exercises", "The function stops with " + UNKNOWN
    assert why_unknown(stops.format("build"), notebook, []) == (
        "`build` is defined in a cell of the original notebook."
    )
    assert why_unknown(stops.format("bild"), notebook, []) == ""
    assert why_unknown(stops.format("build"), "a lecturer's own", []) == ""
    assert why_unknown("The function stops with ValueError: build", notebook, []) == ""
    cells = failed(["x", "def build(m: 1/0): ..."], [(2, "ZeroDivisionError")])
    assert "cell 2 stopped" in why_unknown(stops.format("build"), notebook, cells)
