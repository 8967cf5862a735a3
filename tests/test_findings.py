"""What audit, project, check and doctor share: findings, and which problem is mended first."""

from __future__ import annotations

from functools import partial

import pytest

from birnn_course.findings import (
    Finding,
    ask_in_order,
    likeliest,
    misconceptions_of,
    not_applicable,
    not_tested,
    ok,
    problem,
)
from birnn_course.misconceptions import catalogue


def instead(before: Finding) -> Finding:
    return Finding("", "not looked at", f"Mend {before.probe} first.")


@pytest.mark.parametrize("bad", [None, "shape", "order"])
def test_what_needs_an_answer_that_is_a_problem_is_not_asked(bad: str | None) -> None:
    asked: list[str] = []

    def ask(name: str) -> Finding:
        asked.append(name)
        return problem("No.") if name == bad else ok("Yes.")

    needs = {"shape": (), "order": (), "pads": ("shape", "order"), "speed": ()}
    probes = [(name, partial(ask, name), needed) for name, needed in needs.items()]
    found = list(ask_in_order(probes, instead))
    assert [finding.probe for finding in found] == list(needs)
    assert asked == [name for name in needs if name != "pads" or bad is None]
    pads = found[2]
    assert (pads.verdict, pads.evidence) == (
        ("not looked at", f"Mend {bad} first.") if bad else ("ok", "Yes.")
    )


def test_only_a_problem_keeps_others_from_being_asked() -> None:
    for verdict in (not_applicable("None."), not_tested("None."), ok("Yes.")):
        probes = [("a", lambda v=verdict: v, ()), ("b", lambda: ok("Yes."), ("a",))]
        assert [f.verdict for f in ask_in_order(probes, instead)] == [verdict.verdict, "ok"]


def test_the_likeliest_misconception_comes_first_and_the_others_keep_their_order() -> None:
    ids = ("a", "b", "c")
    assert likeliest(ids, first="c") == ("c", "a", "b")
    assert likeliest(ids, first=None) == likeliest(ids, first="d") == ids
    finding = problem("No.", *likeliest(ids, first="b"))
    assert (finding.misconception, finding.alternatives) == ("b", ("a", "c"))
    assert problem("No.", None) == problem("No.")


def test_each_finding_names_a_misconception_once_and_its_unit() -> None:
    name = next(iter(catalogue()))
    found = [problem("No.", name), ok("Yes."), problem("No."), problem("No.", name)]
    assert misconceptions_of(found) == (name,)
    cure = found[0].cure
    assert cure is not None
    assert (cure[0].id, cure[1].number) == (name, catalogue()[name].unit)
    assert found[1].cure is None


def test_a_screen_reader_reads_the_word_and_not_the_sign() -> None:
    assert ok("Yes.").marked("right") == '<span aria-hidden="true">✓</span> right'
    assert problem("No.").sign == "✗"
