"""What an audit found, as data, as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue

Verdict = Literal["ok", "problem", "not applicable", "not tested"]
# A sign beside the word, never instead of it.
_SIGNS: dict[Verdict, str] = {"ok": "✓", "problem": "✗", "not applicable": "–", "not tested": "?"}
_LESSONS = {unit.number: (unit.title, unit.lesson) for unit in UNITS}


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    Parameters
    ----------
    probe : str
        What was asked, in two or three words; unique in a report.
    verdict : {"ok", "problem", "not applicable", "not tested"}
        The last two: the question makes no sense for this model; it could not be answered.
    evidence : str
        One or two sentences, with the number that proves it or the reason why there is none.
    misconception : str or None
        Id of the likeliest misconception behind a problem, if the catalogue has one.
    alternatives : tuple of str
        Ids of others that leave the same traces.
    """

    probe: str
    verdict: Verdict
    evidence: str
    misconception: str | None = None
    alternatives: tuple[str, ...] = ()


def ok(evidence: str) -> Finding:
    """What is as it should be; ``audit`` adds the probe's name to this and the next three."""
    return Finding("", "ok", evidence)


def problem(evidence: str, *ids: str) -> Finding:
    """What is not; ``ids`` are misconceptions, the likeliest first."""
    return Finding("", "problem", evidence, ids[0] if ids else None, ids[1:])


def not_applicable(evidence: str) -> Finding:
    """A question that makes no sense for this model."""
    return Finding("", "not applicable", evidence)


def not_tested(evidence: str) -> Finding:
    """A question without an answer."""
    return Finding("", "not tested", evidence)


@dataclass(frozen=True, repr=False)
class AuditReport:
    """One finding per probe; as the last line of a cell it is shown.

    Parameters
    ----------
    model : str
        What was audited.
    findings : tuple of Finding
        In the order in which the probes ran.
    assumed : tuple of str
        How the model was called, and what was taken for granted: worth reading first.
    """

    model: str
    findings: tuple[Finding, ...]
    assumed: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that are problems."""
        return tuple(f for f in self.findings if f.verdict == "problem")

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Ids of the likeliest misconceptions behind the problems, each once."""
        return tuple(dict.fromkeys(f.misconception for f in self.problems if f.misconception))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, probe: str) -> Finding:
        found = {f.probe: f for f in self.findings}
        if probe not in found:
            names = ", ".join(found)
            raise CourseError(f"this audit has no probe called {probe!r}; it has {names}.")
        return found[probe]

    def _heading(self) -> str:
        n = len(self.problems)
        count = "no problem" if n == 0 else "1 problem" if n == 1 else f"{n} problems"
        tested = sum(f.verdict in ("ok", "problem") for f in self.findings)
        return f"audit of {self.model}: {count} found by {tested} probes"

    def __repr__(self) -> str:
        lines = [self._heading()]
        if self.assumed:
            lines.append(_filled(f"How it was called: {'; '.join(self.assumed)}.", 0, 2))
        for f in self.findings:
            word = f.verdict.upper() if f.verdict == "problem" else f.verdict
            lines.append(_filled(f"{_SIGNS[f.verdict]} {f.probe}: {word}. {f.evidence}", 2, 4))
            lines += [_filled(text, 6, 6) for text in _cures(f)]
        return "\n".join(lines)

    def _html(self) -> str:
        rows = "".join(map(_row, self.findings))
        called = f"<br>How it was called: {html.escape('; '.join(self.assumed))}."
        head = "".join(f'<th scope="col"{_LEFT}>{t}</th>' for t in ("Probe", "Verdict", "Evidence"))
        # No colours of our own: the notebook's theme has them for light and for dark.
        return (
            f'<table style="border-collapse: collapse"><caption style="text-align: left">'
            f"<strong>{html.escape(self._heading())}</strong>{called if self.assumed else ''}"
            f"</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}


_LEFT = ' style="text-align: left; vertical-align: top"'


def _row(finding: Finding) -> str:
    word = "<strong>problem</strong>" if finding.verdict == "problem" else finding.verdict
    cures = "".join(f"<br>{text}" for text in _cures(finding, as_html=True))
    return (
        f'<tr><th scope="row"{_LEFT}>{html.escape(finding.probe)}</th>'
        f'<td{_LEFT}><span aria-hidden="true">{_SIGNS[finding.verdict]}</span> {word}</td>'
        f"<td{_LEFT}>{html.escape(finding.evidence)}{cures}</td></tr>"
    )


def _cures(finding: Finding, *, as_html: bool = False) -> list[str]:
    """A line for the misconception and its lesson, and one for what else it may be."""
    known = catalogue().get(finding.misconception or "")
    if known is None:
        return []
    title, lesson = _LESSONS[known.unit]
    name, others, reality = known.id, [*finding.alternatives], known.reality
    where = f"Unit {known.unit}: {title} ({lesson})."
    if as_html:
        name, *others = (f"<code>{html.escape(text)}</code>" for text in (name, *others))
        reality = html.escape(reality)
        # JupyterLab tells links from the text around them by colour alone.
        where = (
            f'<a href="{html.escape(lesson)}" style="text-decoration: underline">'
            f"Unit {known.unit}: {html.escape(title)}</a>"
        )
    lines = [f"Misconception {name}: {reality} {where}"]
    return [*lines, f"It could also be {', '.join(others)}."] if others else lines


def relative(value: float) -> str:
    """A difference in words; it is given in units of the results' own size."""
    if value >= 10:
        return f"{value:.0f} times its size"
    return f"{100 * value:.0f} % of its size" if value >= 0.01 else f"{value:.1e} of its size"


def _filled(text: str, first: int, rest: int) -> str:
    start, indent = " " * first, " " * rest
    return textwrap.fill(
        text, 92, initial_indent=start, subsequent_indent=indent, break_on_hyphens=False
    )
