"""A page for each misconception: the belief, what really happens, and the run that shows it.

The address of a page, ``beliefs/ID.html``, is what reports link to. Nothing is run here: what the
demonstrations have shown is stored, and so are the cells of the lessons with their outputs.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from birnn_course.course import TITLES, UNITS, lesson_path
from birnn_course.descriptor import MIME
from birnn_course.live import placeholder, restored
from birnn_course.misconceptions import SHOWN, Misconception, catalogue
from birnn_course.misconceptions.address import belief_path
from birnn_course.misconceptions.lessons import Section, in_sections, sections, shown_by
from birnn_course.questions.bank import Question, practice
from birnn_course.site.markup import block, escaped, fenced, link, plain, style, up_from
from birnn_course.site.pages import Page

INDEX = "beliefs/index"
NEIGHBOURS = 6
"""How many others of the same lesson a page names at most."""
_SHEET = Path(__file__).with_name("beliefs.css")
_NO_GPU = (
    "This demonstration needs a CUDA GPU, so no numbers of it are stored here. Run it where there "
    "is one."
)
_RAISES = "The wrong version raises an error, so there is no result to compare."


def pages() -> list[Page]:
    """The page of each misconception, and one that lists them by lesson."""
    return [_index(), *map(page, catalogue().values())]


def page(known: Misconception) -> Page:
    """The page of one."""
    path = belief_path(known.id)
    root = up_from(path)
    section = sections()[known.id]
    parts = [
        f"# “{escaped(known.belief)}”",
        block(_kicker(known, root)),
        f"**What really happens.** {escaped(known.reality)}",
        "## The run that shows it",
        fenced(known.demo, "python"),
        _numbers(known),
        *_in_the_lesson(known, section, root),
        *_question(known, root),
        *_neighbours(known, root),
    ]
    return Page(
        path,
        plain(known.belief),
        "\n\n".join(parts) + "\n",
        description=f"What really happens: {plain(known.reality)}",
        head=style(_SHEET),
    )


def _kicker(known: Misconception, root: str) -> str:
    unit = link(f"{root}{INDEX}.html#unit-{known.unit}", f"unit {known.unit}")
    return (
        f'<p class="bb-kicker">A misconception of {unit}, '
        f"{html.escape(TITLES[known.unit])} · <code>{known.id}</code></p>"
    )


@cache
def _stored() -> dict[str, tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = json.loads(SHOWN.read_text(encoding="utf-8"))
    return found


def _numbers(known: Misconception) -> str:
    """What the demonstration leaves in ``wrong`` and ``right``, or why there is nothing."""
    if known.id not in _stored():
        return _NO_GPU
    shown, wrong, right = _stored()[known.id]
    cells = _differing(wrong, right)
    rows = "".join(
        f'<tr class="{name}"><th scope="row"><span aria-hidden="true">{sign}</span> {title}'
        f"<small><code>{name}</code>{f' · {html.escape(shown)}' if shown else ''}</small></th>"
        f"<td>{cell}</td></tr>"
        for name, sign, title, cell in (
            ("wrong", "✗", "What the belief leads to", cells[0]),
            ("right", "✓", "What is right", cells[1]),
        )
    )
    caption = f"<caption>{_RAISES}</caption>" if wrong == "None" else ""
    return block(f'<table class="bb-two">{caption}<tbody>{rows}</tbody></table>')


def _differing(wrong: str, right: str) -> tuple[str, str]:
    """Both as HTML; of two lists of one length what differs stands out."""
    sides = [side.removeprefix("[").removesuffix("]").split(", ") for side in (wrong, right)]
    if not wrong.startswith("[") or len(sides[0]) != len(sides[1]):
        return html.escape(wrong), html.escape(right)
    tags = ["span" if a == b else "b" for a, b in zip(*sides, strict=True)]
    first, second = (
        ", ".join(f"<{tag}>{html.escape(x)}</{tag}>" for tag, x in zip(tags, side, strict=True))
        for side in sides
    )
    return f"[{first}]", f"[{second}]"


@cache
def _cells() -> dict[str, tuple[Section, dict[str, Any]]]:
    """The first cell of a lesson that shows each misconception, with its section."""
    found: dict[str, tuple[Section, dict[str, Any]]] = {}
    for unit in UNITS:
        for section, cells in in_sections(unit):
            for cell in cells:
                for name in shown_by(cell):
                    found.setdefault(name, (section, cell))
    return found


def _in_the_lesson(known: Misconception, section: Section, root: str) -> Iterator[str]:
    yield "## In the lesson"
    where = link(f"{root}{section.link}", html.escape(plain(section.heading)))
    lesson = f"unit {section.unit}, {html.escape(TITLES[section.unit])}"
    if known.id not in _cells():
        yield f"What is right stands in {where} ({lesson})."
        return
    _, cell = _cells()[known.id]
    yield f"From {where} ({lesson}). Names that are not set here come from cells before it."
    yield fenced("".join(cell["source"]), "python")
    yield from filter(None, map(_output, cell["outputs"]))


def _output(output: dict[str, Any]) -> str:
    """A stored output: text, a table or a drawing; what is live belongs into the lesson."""
    if output["output_type"] == "stream":
        return _printed("".join(output["text"]))
    data = output.get("data", {})
    if data.get(MIME, {"kind": "drawing"})["kind"] != "drawing":
        return ""
    if markup := "".join(data.get("text/html", "")).strip():
        return block(f'<div class="birnn-out">{markup}</div>')
    return _printed("".join(data.get("text/plain", "")))


def _printed(text: str) -> str:
    written = html.escape(text.rstrip(), quote=False)
    return block(f'<pre class="birnn-printed">{written}</pre>') if written else ""


@cache
def _asked() -> dict[str, Question]:
    """The first question that each misconception has a wrong answer in."""
    found: dict[str, Question] = {}
    for question in practice():
        for name in question.probes:
            found.setdefault(name, question)
    return found


def _question(known: Misconception, root: str) -> Iterator[str]:
    question = _asked().get(known.id)
    if question is None:
        return
    yield "## A question on it"
    stored = {MIME: {"kind": "quiz", "questions": [question.id]}, "text/plain": ""}
    widget = restored(stored)
    if widget is not None:
        yield block(placeholder(widget))
        return
    unit = next(unit for unit in UNITS if unit.number == question.unit)
    lesson = unit.lessons[-1] if question.deeper else unit.lesson
    where = link(f"{root}{lesson_path(lesson)}.html", f"the quiz of unit {unit.number}")
    yield f"It is asked in {where} ({html.escape(unit.title)})."


def _neighbours(known: Misconception, root: str) -> Iterator[str]:
    others = [m for m in catalogue().values() if m.unit == known.unit and m.id != known.id]
    here = sections()[known.id]
    # a stable sort: those of the same section first, then as the catalogue has them
    others.sort(key=lambda m: (sections()[m.id] != here, -m.importance))
    yield "## Others of this lesson"
    shown = others[:NEIGHBOURS]
    yield "\n".join(f"- {_listed(m, root)}" for m in shown)
    if len(others) > len(shown):
        address = f"{root}{INDEX}.html#unit-{known.unit}"
        yield link(address, f"All {len(others) + 1} of unit {known.unit}")


def _listed(known: Misconception, root: str) -> str:
    return link(f"{root}{belief_path(known.id)}.html", f"“{escaped(known.belief)}”")


def _index() -> Page:
    root = up_from(INDEX)
    n = len(catalogue())
    parts = [
        "# What people believe",
        f"Each of these {n} sentences sounds right, and a run shows that it is not. Most of the "
        "mistakes behind them raise no error: the code runs, the shapes fit, the numbers are wrong."
        " Within a lesson, what is met often and hurts most comes first.",
    ]
    for unit in UNITS:
        own = [m for m in catalogue().values() if m.unit == unit.number]
        if not own:
            continue
        own.sort(key=lambda m: -m.importance)
        lesson = link(f"{root}{lesson_path(unit.lesson)}.html", "the lesson")
        parts += [
            block(f'<span id="unit-{unit.number}"></span>'),
            f"## {unit.number} · {unit.title}",
            f"{len(own)} sentences that {lesson} answers.",
            "\n".join(f"- {_listed(m, root)}" for m in own),
        ]
    return Page(
        INDEX,
        "What people believe",
        "\n\n".join(parts) + "\n",
        description=f"{n} beliefs about bidirectional RNNs, each with a run that refutes it.",
        head=style(_SHEET),
    )
