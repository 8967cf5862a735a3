"""What a check says, as text and as HTML. Neither holds an expected value."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from birnn_course.exercises.spec import Arguments, Level
from birnn_course.findings import Finding, Verdict, ask_in_order

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
    printed : str
        The beginning of what the function printed in that case, or else in the first.
    fingerprint : str
        The same for the same results; tells attempts apart.
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
    arguments: Arguments = field(default=(), compare=False)
    printed: str = ""
    fingerprint: str = ""

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

    def _look(self) -> str:
        if not self.arguments:
            return ""
        return f"{self.exercise}(*check({self.exercise}).arguments)"

    def __repr__(self) -> str:
        lines = [self._heading()]
        lines += [f"  {f.sign} {f.probe}: {_WORDS[f.verdict]}" for f in self.findings]
        lines += [text for text in (self.named, self.sentence) if text]
        if self._look():
            lines.append(f"See the first case that fails: {self._look()}")
        if self.printed:
            lines.append(f"Printed:\n{self.printed.rstrip()}")
        return "\n".join(lines)

    def _html(self) -> str:
        items = "".join(
            f"<li>{f.marked(f'{f.probe}: {_WORDS[f.verdict]}')}</li>" for f in self.findings
        )
        parts = [f"<p><strong>{html.escape(self._heading())}</strong></p>"]
        if items:
            parts.append(f'<ul style="list-style: none; padding-left: 1em">{items}</ul>')
        parts += [f"<p>{with_code(text)}</p>" for text in (self.named, self.sentence) if text]
        if self._look():
            parts.append(f"<p>See the first case that fails: <code>{self._look()}</code></p>")
        if self.printed:
            parts.append(f"<p>Printed:</p><pre>{html.escape(self.printed.rstrip())}</pre>")
        return f"<div>{''.join(parts)}</div>"

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
        page = "".join(f"<p>{with_code(line)}</p>" for line in self._lines())
        return {"text/plain": repr(self), "text/html": page}


def with_code(text: str) -> str:
    """``text`` as HTML, with what stands between backticks as code."""
    parts = html.escape(text).split("`")
    if len(parts) % 2 == 0:  # a backtick too many, as in a learner's own line
        return "`".join(parts)
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(parts))
