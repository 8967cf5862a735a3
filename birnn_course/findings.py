"""What was found by asking: one kind of finding for ``audit``, the project, ``check``, ``doctor``.

A finding is the answer to one question. Questions are asked in an order, and one that makes no
sense after a problem with another is not asked: that one is to be mended first.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from birnn_course.course import UNITS, Unit
from birnn_course.misconceptions import Misconception, catalogue

Verdict = Literal["ok", "problem", "not applicable", "not tested", "not looked at", "not needed"]
# A sign beside the word, never instead of it.
_SIGNS: dict[Verdict, str] = {
    "ok": "✓", "problem": "✗", "not applicable": "–", "not tested": "?", "not looked at": "–",
    "not needed": "–",
}  # fmt: skip
_UNITS = {unit.number: unit for unit in UNITS}
TOP_LEFT = "text-align: left; vertical-align: top"


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    Parameters
    ----------
    probe : str
        What was asked, in two or three words; unique in a report.
    verdict : {"ok", "problem", "not applicable", "not tested", "not looked at", "not needed"}
        The last four: the question makes no sense here; it could not be answered; another problem
        is to be mended first; the answer is no, and one can do without.
    evidence : str
        One or two sentences, with the number that proves it or the reason why there is none.
    misconception : str or None
        Id of the likeliest misconception behind a problem, if the catalogue has one.
    alternatives : tuple of str
        Ids of others that leave the same traces.
    question : str
        What was asked, as a sentence, where a report shows one.
    """

    probe: str
    verdict: Verdict
    evidence: str = ""
    misconception: str | None = None
    alternatives: tuple[str, ...] = ()
    question: str = ""

    @property
    def sign(self) -> str:
        """A sign for the verdict."""
        return _SIGNS[self.verdict]

    def marked(self, word: str) -> str:
        """The sign and a word for the verdict as HTML; a screen reader reads the word alone."""
        return f'<span aria-hidden="true">{self.sign}</span> {word}'

    @property
    def cure(self) -> tuple[Misconception, Unit] | None:
        """The misconception behind it, and the unit whose lesson shows what really happens."""
        known = catalogue().get(self.misconception or "")
        return (known, _UNITS[known.unit]) if known else None


def ok(evidence: str) -> Finding:
    """What is as it should be; :func:`ask_in_order` adds the probe's name to it and the others."""
    return Finding("", "ok", evidence)


def problem(evidence: str, *ids: str | None) -> Finding:
    """What is not; ``ids`` are misconceptions, the likeliest first; None stands for none."""
    known = tuple(name for name in ids if name)
    return Finding("", "problem", evidence, next(iter(known), None), known[1:])


def not_applicable(evidence: str) -> Finding:
    """A question that makes no sense here."""
    return Finding("", "not applicable", evidence)


def not_tested(evidence: str) -> Finding:
    """A question without an answer."""
    return Finding("", "not tested", evidence)


def likeliest(ids: tuple[str, ...], *, first: str | None) -> tuple[str, ...]:
    """The same ids with ``first`` before the others, if it is one of them."""
    return tuple(sorted(ids, key=lambda name: name != first))


Probe = tuple[str, Callable[[], Finding], tuple[str, ...]]
"""A name, what answers the question, and names of probes whose problems are to be mended first."""


def ask_in_order(
    probes: Iterable[Probe], instead: Callable[[Finding], Finding]
) -> Iterator[Finding]:
    """One finding per probe, with its name; each may need probes that stand before it.

    ``instead`` says what is found where a probe is not asked; it gets the problem to be mended.
    """
    found: dict[str, Finding] = {}
    for name, ask, needs in probes:
        before = next((found[n] for n in needs if found[n].verdict == "problem"), None)
        found[name] = replace(instead(before) if before else ask(), probe=name)
        yield found[name]


def misconceptions_of(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Ids of the likeliest misconceptions, each once."""
    return tuple(dict.fromkeys(f.misconception for f in findings if f.misconception))


def cell(content: str, *, heads: str = "", style: str = "") -> str:
    """A table's cell of HTML; ``heads`` is ``row`` or ``col`` for one that is their heading."""
    tag, scope = ("th", f' scope="{heads}"') if heads else ("td", "")
    return f'<{tag}{scope} style="{TOP_LEFT}{style}">{content}</{tag}>'


def table(start: str, columns: Iterable[str], rows: Iterable[str]) -> str:
    """A table of HTML from its start with a caption, its headings, and the cells of each row."""
    head = "".join(cell(html.escape(title), heads="col") for title in columns)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
