"""Ask a learner's function one question after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from birnn_course.findings import Finding, ask_in_order, problem
from birnn_course.project.contract import BrokenError


class Query(NamedTuple):
    """What is asked, and names of questions whose problems are to be mended first."""

    text: str
    needs: tuple[str, ...] = ()


def ask_all(
    questions: Mapping[str, Query], probes: Mapping[str, Callable[[], Finding]]
) -> list[Finding]:
    """One finding per question, in their order; each is answered by the probe of its name."""
    asked = ((name, partial(_ask, probes[name]), q.needs) for name, q in questions.items())

    def mend_first(before: Finding) -> Finding:
        text = questions[before.probe].text
        return Finding("", "not looked at", f"Mend this first: {text[0].lower()}{text[1:]}")

    return [replace(f, question=questions[f.probe].text) for f in ask_in_order(asked, mend_first)]


def _ask(probe: Callable[[], Finding]) -> Finding:
    try:
        return probe()
    except BrokenError as error:
        return problem(error.sentence, error.misconception)
