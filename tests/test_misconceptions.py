"""Every misconception of the catalogue is refuted by a run, on the installed PyTorch."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import torch

from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.misconceptions import Misconception, catalogue, parse
from birnn_course.misconceptions.lessons import shown_in_sections
from birnn_course.running.snippets import execute, printed, same


def demonstrated(misconception: Misconception) -> bool:
    """Whether the demo leaves two different values."""
    namespace = execute(misconception.demo, misconception.id)
    return not same(namespace["wrong"], namespace["right"])


@pytest.mark.parametrize("misconception", catalogue().values(), ids=lambda m: m.id)
def test_a_run_refutes_it(misconception: Misconception) -> None:
    if misconception.needs == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert demonstrated(misconception)


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
    assert demonstrated(good)
    assert not demonstrated(bad)


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
