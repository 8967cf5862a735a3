"""What came of checking a project, as text, as HTML, and as a file that the learner keeps."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from birnn_course import __version__, files
from birnn_course.errors import CourseError
from birnn_course.exercises.report import with_code
from birnn_course.findings import Finding, cell, misconceptions_of, table
from birnn_course.misconceptions.address import read_more, read_more_html

_OURS = '<meta name="generator" content="birnn-course project report">'


@dataclass(frozen=True)
class Part:
    """What was found about one of the three functions, or about the held-out words.

    Parameters
    ----------
    title : str
        The heading.
    points, max_points : int
        What it earned, and what it could.
    findings : tuple of Finding
        In the order in which they were looked for.
    sentence : str
        What there is to say about the whole.
    attempted : bool
        False for a stub.
    """

    title: str
    points: int
    max_points: int
    findings: tuple[Finding, ...] = ()
    sentence: str = ""
    attempted: bool = True


@dataclass(frozen=True, repr=False)
class ProjectReport:
    """What came of :func:`birnn_course.check_project`; as the last line of a cell it is shown.

    Parameters
    ----------
    parts : tuple of Part
        The held-out words and the three functions.
    macro_f1 : float or None
        On words that the model has not seen; None if there were no predictions.
    sentence : str
        Why nothing could be checked, if so.
    printed : str
        The beginning of what the functions printed in their first calls.
    """

    parts: tuple[Part, ...] = ()
    macro_f1: float | None = None
    sentence: str = ""
    printed: str = ""

    @property
    def points(self) -> int:
        """What was earned."""
        return sum(part.points for part in self.parts)

    @property
    def max_points(self) -> int:
        """What could be earned."""
        return sum(part.max_points for part in self.parts)

    @property
    def attempted(self) -> bool:
        """Whether any of the three functions returned something."""
        return any(part.attempted for part in self.parts)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of all parts."""
        return tuple(finding for part in self.parts for finding in part.findings)

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Ids of all misconceptions found, in the order of the findings."""
        return misconceptions_of(self.findings)

    def save(self, path: str | Path = "my_project.html", written: str = "") -> None:
        """Write the report to a file that any browser opens, without a network.

        A report that is there already is replaced; any other file stays, and this one gets a
        number.

        Parameters
        ----------
        path : str or Path
            Where to.
        written : str
            Your own words, kept with it.

        Raises
        ------
        CourseError
            If it cannot be written.
        """
        target = Path(path)
        try:
            if target.exists() and _OURS not in target.read_text("utf-8", errors="replace"):
                names = files.numbered(target.stem, target.suffix)
                target = next(p for n in names if not (p := target.with_name(n)).exists())
            files.write_atomic(target, self._document(written))
        except OSError as error:
            raise CourseError(f"cannot write {path} ({error.strerror}).") from None
        print(f"Written to {target}.")

    def _heading(self) -> str:
        if self.sentence:
            return "Final project"
        return f"Final project: {self.points} of {self.max_points} points"

    def __repr__(self) -> str:
        lines = [self._heading()]
        lines += [self.sentence] if self.sentence else []
        for part in self.parts:
            lines += ["", f"{part.title}: {_points(part)}"]
            lines += [f"  {part.sentence}"] if part.sentence else []
            for finding in part.findings:
                lines.append(f"  {finding.sign} {finding.question}")
                lines += [f"    {text}" for text in (finding.evidence, *_cure(finding))]
                if more := read_more(finding.misconception):
                    lines.append(f"    {more}")
        if self.printed:
            lines += ["", f"Printed:\n{self.printed.rstrip()}"]
        return "\n".join(lines)

    def _body(self) -> str:
        parts = [f"<p><strong>{html.escape(self._heading())}</strong></p>"]
        if self.sentence:
            parts.append(f"<p>{with_code(self.sentence)}</p>")
        parts += [_part_html(part) for part in self.parts]
        if self.printed:
            parts.append(f"<p>Printed:</p><pre>{html.escape(self.printed.rstrip())}</pre>")
        return "".join(parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": f"<div>{self._body()}</div>"}

    def _document(self, written: str) -> str:
        words = f"<h2>In my own words</h2><pre>{html.escape(written.strip())}</pre>"
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{_OURS}\n'
            '<meta name="viewport" content="width=device-width">\n'
            f"<title>{html.escape(self._heading())}</title>\n<style>{_STYLE}</style>\n</head>\n"
            f"<body>\n<main>\n<h1>Bidirectional RNNs in PyTorch</h1>\n{self._body()}\n"
            f"{words if written.strip() else ''}\n"
            f"<footer><p>birnn-course {__version__}</p></footer>\n</main>\n</body>\n</html>\n"
        )


_STYLE = (
    ":root { color-scheme: light dark } body { color: CanvasText; background: Canvas } "
    "main { max-width: 50rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5; "
    "font-family: system-ui, sans-serif } "
    "table { border-collapse: collapse; width: 100% } "
    "th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; "
    "border-top: 1px solid } "
    "caption { text-align: left; font-weight: bold; padding: 1rem 0 .4rem } "
    "pre { white-space: pre-wrap }"
)


def _points(part: Part) -> str:
    of = f"{part.points} of {part.max_points} points"
    return of if part.attempted else f"not attempted yet, {of}"


def _cure(finding: Finding) -> Iterator[str]:
    """The belief behind a finding, and the unit that shows what happens."""
    if finding.cure is None:
        return
    known, unit = finding.cure
    yield f"A belief that leads there ({known.id}): “{known.belief}”"
    yield f"What happens: {known.reality} See unit {unit.number}, {unit.title}."


def _found(finding: Finding) -> Iterator[str]:
    """The same with the evidence before it, as HTML."""
    yield from map(with_code, (finding.evidence, *_cure(finding)))
    if more := read_more_html(finding.misconception):
        yield more


def _part_html(part: Part) -> str:
    title = f"{with_code(part.title)}: {_points(part)}"
    sentence = f"<p>{with_code(part.sentence)}</p>" if part.sentence else ""
    if not part.findings:
        return f"<p><strong>{title}</strong></p>{sentence}"
    rows = (
        cell(f.marked(f.verdict), style="; white-space: nowrap")
        + cell(with_code(f.question), heads="row", style="; font-weight: normal")
        + cell("<br>".join(_found(f)))
        for f in part.findings
    )
    start = f'<table><caption style="text-align: left; font-weight: bold">{title}</caption>'
    return table(start, ("verdict", "asked", "found"), rows) + sentence
