"""What a check says, as text and as HTML. Neither holds an expected number."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor

from birnn_course.draw.beside import beside
from birnn_course.draw.inks import variables
from birnn_course.exercises.spec import Arguments, Level
from birnn_course.findings import Finding, Verdict, ask_in_order
from birnn_course.misconceptions.address import read_more, read_more_html

_LABELS: dict[Level, str] = {
    "callable": "runs",
    "type": "type",
    "shape": "shape or length",
    "direction": "direction and order",
    "padding": "padding",
    "value": "values",
}
# Ways for values to be wrong: where these say nothing, they are not thereby right.
_BEFORE_VALUES = ("direction", "padding")
_STYLE = (
    f"<style>{variables('.birnn-card', '--jp-layout-color1')}"
    ".birnn-card{border:1px solid var(--jp-border-color1,var(--muted));"
    "border-left:5px solid var(--muted);border-radius:8px;padding:.4em 1em;max-width:50em;"
    "background:var(--ground);color:var(--text);line-height:1.5}"
    ".birnn-card.ok{border-left-color:var(--right)}.birnn-card.problem{border-left-color:var(--wrong)}"
    ".birnn-card p{margin:.4em 0}.birnn-card i{font-style:normal}"
    ".birnn-card.birnn-card ul{list-style:none;padding:0;margin:.4em 0;display:flex;flex-wrap:wrap;"
    "gap:.3em 1.4em}"
    ".birnn-card li{margin:0}"
    ".birnn-card i>span{display:inline-block;width:1.3em;line-height:1.3em;border-radius:50%;"
    "text-align:center;font-weight:bold;border:2px solid var(--muted)}"
    ".birnn-card .ok>span{background:var(--right);color:var(--ground);border-color:var(--right)}"
    ".birnn-card .problem>span{color:var(--wrong);border-color:var(--wrong)}"
    ".birnn-card figure{margin:.4em 0}</style>"
)
_WORDS: dict[Verdict, str] = {"ok": "right", "problem": "wrong", "not looked at": "not looked at"}


@dataclass(frozen=True, repr=False)
class Report:
    """What came of checking one function; as the last line of a cell it is shown.

    Parameters
    ----------
    exercise, unit, title : str
        Which exercise; empty if there is none of that name.
    points, max_points : int
        All or nothing.
    attempted : bool
        False for a stub, and if there was nothing to check.
    level : Level or None
        The first level that fails; None if none does, or nothing was checked.
    sentence : str
        What is wrong and what to do next.
    misconception : str or None
        Id of the misconception that leads to this very result.
    named : str
        "Your result equals what you get if …", or empty.
    probes : tuple of str
        Ids of all misconceptions that the exercise can name.
    levels : tuple of Level
        The levels of the exercise, in order.
    arguments : tuple
        Those of the first case that fails; empty if none does.
    place : str
        Where it is taught; said if a level fails.
    printed : str
        The beginning of what the function printed in that case, or else in the first.
    fingerprint : str
        The same for the same results; tells attempts apart.
    beside : tuple of two Tensors or None
        The result of a function that passed, and the reference, in the first case; drawn.
    """

    exercise: str
    unit: str = ""
    title: str = ""
    points: int = 0
    max_points: int = 0
    attempted: bool = False
    level: Level | None = None
    sentence: str = ""
    misconception: str | None = None
    named: str = ""
    probes: tuple[str, ...] = ()
    levels: tuple[Level, ...] = ()
    place: str = ""
    arguments: Arguments = field(default=(), compare=False)
    printed: str = ""
    fingerprint: str = ""
    beside: tuple[Tensor, Tensor] | None = field(default=None, compare=False)

    @property
    def passed(self) -> bool:
        """Whether every case was right."""
        return self.attempted and self.level is None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One for each level, in order; those after the first problem were not looked at.

        Where values are wrong, nothing is said of their order and of padding.
        """
        left_out = _BEFORE_VALUES if self.level == "value" else ()
        asked = [level for level in self.levels if self.attempted and level not in left_out]
        labels = tuple(_LABELS[level] for level in asked)
        probes = (
            (label, partial(Finding, "", "problem" if level == self.level else "ok"), labels[:i])
            for i, (level, label) in enumerate(zip(asked, labels, strict=True))
        )
        return tuple(ask_in_order(probes, lambda _: Finding("", "not looked at")))

    def _heading(self) -> str:
        if not self.unit:
            return "check"
        return f"{self.exercise}: {self.points} of {self.max_points} points"

    def _sentences(self) -> list[str]:
        again = f"Read again: {self.place}" if self.level and self.place else ""
        return [text for text in (self.named, self.sentence, again) if text]

    def _look(self) -> str:
        if not self.arguments:
            return ""
        return f"{self.exercise}(*check({self.exercise}).arguments)"

    def __repr__(self) -> str:
        lines = [self._heading()]
        lines += [f"  {f.sign} {f.probe}: {_WORDS[f.verdict]}" for f in self.findings]
        lines += [t for t in (*self._sentences(), read_more(self.misconception)) if t]
        if self._look():
            lines.append(f"See the first case that fails: {self._look()}")
        if self.printed:
            lines.append(f"Printed:\n{self.printed.rstrip()}")
        return "\n".join(lines)

    def _html(self) -> str:
        items = "".join(
            f'<li><i class="{_class(f.verdict)}">'
            f"{f.marked(f'{f.probe}: {_WORDS[f.verdict]}')}</i></li>"
            for f in self.findings
        )
        parts = [f"<p><strong>{html.escape(self._heading())}</strong></p>"]
        if items:
            parts.append(f"<ul>{items}</ul>")
        parts += [f"<p>{with_code(text)}</p>" for text in self._sentences()]
        if link := read_more_html(self.misconception):
            parts.append(f"<p>{link}</p>")
        if self._look():
            parts.append(f"<p>See the first case that fails: <code>{self._look()}</code></p>")
        if self.printed:
            parts.append(f"<p>Printed:</p><pre>{html.escape(self.printed.rstrip())}</pre>")
        if self.beside:
            parts.append(beside(self.exercise, *self.beside))
        state = "ok" if self.passed else "problem" if self.level else ""
        return _card(state, parts)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}


@dataclass(frozen=True, repr=False)
class Hint:
    """One of the three steps of help; as the last line of a cell it is shown.

    Parameters
    ----------
    text : str
    step, steps : int
        Which one of how many; 0 where it is none of them.
    earlier : tuple of str
        Hints that are shown again before the text.
    """

    text: str
    step: int = 0
    steps: int = 0
    earlier: tuple[str, ...] = ()

    def _lines(self) -> list[str]:
        again = [f"Hint {i}: {text}" for i, text in enumerate(self.earlier, 1)]
        own = f"Hint {self.step} of {self.steps}: {self.text}" if self.steps else self.text
        return [*again, own]

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        parts = [f"<p>{with_code(line)}</p>" for line in self._lines()]
        if self.steps:
            dots = "".join(
                f'<i class="{"ok" if i <= self.step else ""}"><span>{i}</span></i> '
                for i in range(1, self.steps + 1)
            )
            parts.insert(0, f'<p aria-hidden="true">{dots}</p>')
        return {"text/plain": repr(self), "text/html": _card("", parts)}


def _card(state: str, parts: Sequence[str]) -> str:
    return f'<div class="birnn-card {state}">{_STYLE}{"".join(parts)}</div>'


def _class(verdict: Verdict) -> str:
    return verdict if verdict in ("ok", "problem") else ""


def with_code(text: str) -> str:
    """``text`` as HTML, with what stands between backticks as code."""
    parts = html.escape(text).split("`")
    if len(parts) % 2 == 0:  # a backtick too many, as in a learner's own line
        return "`".join(parts)
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
