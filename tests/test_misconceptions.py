"""Every misconception of the catalogue is refuted by a run, on the installed PyTorch."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.misconceptions import SHOWN, Misconception, catalogue, parse
from birnn_course.misconceptions.lessons import shown_in_sections
from birnn_course.running.contrast import contrast
from birnn_course.running.snippets import execute, printed, same

Sides = tuple[object, object]


def sides(misconception: Misconception) -> Sides:
    """What its demonstration leaves in ``wrong`` and ``right``."""
    namespace = execute(misconception.demo, misconception.id)
    return namespace["wrong"], namespace["right"]


STORED: dict[str, list[str]] = json.loads(SHOWN.read_text(encoding="utf-8"))
_NUMBER = re.compile(r"-?\d+\.\d+")


def same_text(first: str, second: str) -> bool:
    """Whether two texts differ in nothing but the last digit of their decimals."""
    pairs = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=False)
    close = all(float(a) == pytest.approx(float(b), rel=1e-5, abs=0.011) for a, b in pairs)
    return close and _NUMBER.sub("", first) == _NUMBER.sub("", second)


def stale(found: Sides, kept: Sequence[str]) -> bool:
    """Whether a page would show something else than a run has left."""
    return len(kept) != 3 or not all(map(same_text, kept, contrast(*found)))


@pytest.mark.parametrize("misconception", catalogue().values(), ids=lambda m: m.id)
def test_a_run_refutes_it(misconception: Misconception) -> None:
    if misconception.needs == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sides(misconception)
        assert not same(*found)
        if misconception.needs != "cuda":
            assert not stale(found, STORED[misconception.id]), "run make shown"


def test_what_the_pages_show_is_what_a_run_shows() -> None:
    assert {*STORED} == {m.id for m in catalogue().values() if m.needs != "cuda"}
    found = torch.ones(2, 3), torch.full((2, 3), 2.0)
    kept = ["row [0]", "[1.00, 1.00, 1.00]", "[2.00, 2.00, 2.00]"]
    assert not stale(found, kept)
    assert not stale(found, [kept[0], "[1.00, 1.01, 1.00]", kept[2]])
    for wrong in ([kept[0], "[1.00, 1.20, 1.00]", kept[2]], ["row [1]", *kept[1:]], kept[1:], []):
        assert stale(found, wrong)


@pytest.mark.parametrize(
    ("wrong", "right", "shown"),
    [
        (1, 2, ("", "1", "2")),
        (0.123456, 0.123478, ("", "0.123456", "0.123478")),
        (0.5, 0.512, ("", "0.500", "0.512")),
        (True, False, ("", "True", "False")),
        ("a", None, ("", "'a'", "None")),
        ((3,), (3, 4), ("", "(3,)", "(3, 4)")),
        ([1, 2], [1], ("", "[1, 2]", "[1]")),
        (torch.zeros(2, 3), torch.zeros(3, 2), ("shape", "(2, 3)", "(3, 2)")),
        (torch.tensor(0.5), torch.tensor(2.0), ("", "0.50", "2.00")),
        (torch.tensor([-0.001]), torch.tensor([2.0]), ("", "[0.00]", "[2.00]")),
        (
            torch.tensor([[[0.0], [1.0]], [[0.0], [torch.nan]]]),
            torch.tensor([[[0.0], [5.0]], [[0.0], [1.0]]]),
            ("row [1, 1]", "[nan]", "[1.00]"),
        ),
        (torch.tensor([True, False]), torch.tensor([1, 1]), ("", "[True, False]", "[1, 1]")),
    ],
)  # fmt: skip
def test_what_is_shown_of_two_values(wrong: object, right: object, shown: tuple[str, ...]) -> None:
    assert contrast(wrong, right) == shown


@pytest.mark.parametrize("misconception", catalogue().values(), ids=lambda m: m.id)
def test_it_is_written_down_well(misconception: Misconception) -> None:
    assert misconception.id == misconception.id.lower().replace(" ", "-")
    assert misconception.unit in {f"{number:02}" for number in range(1, 9)}
    for text in (misconception.belief, misconception.reality):
        assert text.endswith(".")
        assert len(text.split()) <= 30


def believed_twice(entries: Iterable[Misconception]) -> list[str]:
    """Beliefs that stand under two ids."""
    counts = Counter(" ".join(m.belief.casefold().split()) for m in entries)
    return [belief for belief, n in counts.items() if n > 1]


def test_no_two_are_the_same_belief() -> None:
    assert believed_twice(catalogue().values()) == []
    (one,) = parse([entry(belief="A step.")], "01")
    assert believed_twice([one, replace(one, id="b", unit="02")]) == ["a step."]


def misplaced(entries: Iterable[Misconception]) -> list[str]:
    """Sections that the unit's lesson does not have, or that nobody needs: a cell shows it."""
    parts = {unit.number: list(shown_in_sections(unit)) for unit in UNITS}
    shown = {name for unit in parts.values() for _, names in unit for name in names}
    found = []
    for m in entries:
        if m.section and m.section not in (section.heading for section, _ in parts[m.unit]):
            found.append(f"{m.id}: the lesson of unit {m.unit} has no section {m.section!r}")
        if m.section and m.id in shown:
            found.append(f"{m.id}: a cell shows it, so it needs no section")
    return found


def test_every_section_that_is_named_is_there_and_needed() -> None:
    assert misplaced(catalogue().values()) == []
    by_text, by_run = catalogue()["swapped-halves"], catalogue()["last-step-readout"]
    assert by_text.section and not by_run.section
    lost = replace(by_text, section=by_text.section.upper())
    assert misplaced([lost]) == [
        f"swapped-halves: the lesson of unit 01 has no section {lost.section!r}"
    ]
    assert misplaced([replace(by_text, unit="02")])  # it is a heading of its own unit only
    assert misplaced([replace(by_run, section=by_text.section)]) == [
        "last-step-readout: a cell shows it, so it needs no section"
    ]


def entry(**changes: Any) -> dict[str, Any]:
    good = {
        "id": "a",
        "importance": 3,
        "belief": "b.",
        "reality": "r.",
        "demo": "wrong = 1\nright = 2",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def test_a_demo_that_shows_nothing_is_found() -> None:
    (good,) = parse([entry()], "01")
    (bad,) = parse([entry(demo="wrong = torch.zeros(2)\nright = torch.zeros(2)")], "01")
    assert not same(*sides(good))
    assert same(*sides(bad))


def test_a_bad_entry_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for changes in ({"demo": None}, {"colour": "red"}, {"importance": 6}, {"needs": "luck"}):
        with pytest.raises(CourseError, match="misconception a"):
            parse([entry(**changes)], "01")
    monkeypatch.setattr("birnn_course.misconceptions.files.read_yaml", lambda _: [entry(), entry()])
    catalogue.cache_clear()
    with pytest.raises(CourseError, match="two misconceptions are called a"):
        catalogue()
    catalogue.cache_clear()


def test_a_snippet_sees_torch_and_nothing_else() -> None:
    names = {name for name in execute("", "empty") if not name.startswith("__")}
    assert names == {"torch", "nn", "F"}
    assert printed("print(1)\nprint(2)", "two") == "1\n2"


def test_a_snippet_neither_depends_on_nor_moves_the_random_numbers() -> None:
    torch.manual_seed(3)
    expected = torch.randn(2)
    torch.manual_seed(3)
    first = execute("x = torch.randn(2)", "a")["x"]
    assert torch.equal(torch.randn(2), expected)
    assert torch.equal(execute("x = torch.randn(2)", "a")["x"], first)


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (torch.zeros(2), torch.zeros(2) + 1e-7, True),
        (torch.zeros(2), torch.zeros(3), False),
        (torch.zeros(2), torch.zeros(2, dtype=torch.long), False),
        ((1, [torch.ones(1)]), [1, (torch.ones(1),)], True),
        ((1, 2), (1, 2, 3), False),
        (True, 1, False),
        (1.5, 1.5, True),
        ("a", "b", False),
    ],
)
def test_what_counts_as_the_same(first: object, second: object, equal: bool) -> None:
    assert same(first, second) is equal
