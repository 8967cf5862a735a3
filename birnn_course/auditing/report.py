"""What an audit found, as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from birnn_course.errors import CourseError
from birnn_course.findings import Finding, cell, misconceptions_of, table
from birnn_course.misconceptions.address import read_more, read_more_html


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
        return misconceptions_of(self.problems)

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
            lines.append(_filled(f"{f.sign} {f.probe}: {word}. {f.evidence}", 2, 4))
            lines += [_filled(text, 6, 6) for text in _cures(f)]
        return "\n".join(lines)

    def _html(self) -> str:
        called = f"<br>How it was called: {html.escape('; '.join(self.assumed))}."
        # No colours of our own: the notebook's theme has them for light and for dark.
        start = (
            f'<table style="border-collapse: collapse"><caption style="text-align: left">'
            f"<strong>{html.escape(self._heading())}</strong>{called if self.assumed else ''}"
            "</caption>"
        )
        return table(start, ("Probe", "Verdict", "Evidence"), map(_row, self.findings))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}


def _row(finding: Finding) -> str:
    word = "<strong>problem</strong>" if finding.verdict == "problem" else finding.verdict
    cures = "".join(f"<br>{text}" for text in _cures(finding, as_html=True))
    evidence = html.escape(finding.evidence) + cures
    return (
        cell(html.escape(finding.probe), heads="row") + cell(finding.marked(word)) + cell(evidence)
    )


def _cures(finding: Finding, *, as_html: bool = False) -> list[str]:
    """Lines for the misconception and its lesson, for what else it may be, and for its page."""
    if finding.cure is None:
        return []
    known, unit = finding.cure
    names, reality = [known.id, *finding.alternatives], known.reality
    more = (read_more_html if as_html else read_more)(known.id)
    where = f"Unit {unit.number}: {unit.title} ({unit.lesson})."
    if as_html:
        names = [f"<code>{html.escape(name)}</code>" for name in names]
        reality = html.escape(reality)
        # JupyterLab tells links from the text around them by colour alone.
        where = (
            f'<a href="{html.escape(unit.lesson)}" style="text-decoration: underline">'
            f"Unit {unit.number}: {html.escape(unit.title)}</a>"
        )
    lines = [f"Misconception {names[0]}: {reality} {where}"]
    lines += [f"It could also be {', '.join(names[1:])}."] if names[1:] else []
    return [*lines, more] if more else lines


def _filled(text: str, first: int, rest: int) -> str:
    start, indent = " " * first, " " * rest
    return textwrap.fill(
        text,
        92,
        initial_indent=start,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,  # such as an address
    )
