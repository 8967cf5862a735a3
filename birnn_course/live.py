"""Widgets that live on a page without a kernel: in a deck or on a site, opened from a disk too.

A page has a placeholder for each widget, and the styles and scripts of all of them once.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anywidget

from birnn_course import __version__
from birnn_course.course import TITLES
from birnn_course.descriptor import MIME
from birnn_course.explore import limit, reading, shapes
from birnn_course.explore.nets import stored
from birnn_course.learner import guessing
from birnn_course.questions import page as quizzes
from birnn_course.questions.bank import bank
from birnn_course.questions.judging import SENTENCES
from birnn_course.questions.widget import Quiz
from birnn_course.widgets import CourseWidget, classic, style

_HERE = Path(__file__).parent
_SCRIPTS = {
    "reading": reading.SCRIPTS,
    "shapes": shapes.SCRIPTS,
    "limit": limit.SCRIPTS,
    **guessing.SCRIPTS,
    "quiz": quizzes.SCRIPTS,
    "mixed_test": (*quizzes.SCRIPTS, _HERE / "learner" / "mixed.js"),
    "answers": (_HERE / "learner" / "answers.js",),
}
_WIDGETS: dict[type[CourseWidget], str] = {
    reading.ReadingExplorer: "reading",
    shapes.ShapeExplorer: "shapes",
    limit.LimitExplorer: "limit",
    guessing.Guess: "guess",
    guessing.Measured: "measured",
}
_PRESETS: dict[str, Callable[..., reading.ReadingExplorer | shapes.ShapeExplorer]] = {
    "reading": reading.reading_explorer,
    "shapes": shapes.shape_explorer,
}
_KIND = re.compile(r'<div class="birnn-live" data-kind="(\w+)">')
_FIGURE = re.compile(r"<figure.*?</figure>", re.DOTALL)
_TO_RUN = re.compile(r" Run this cell to [^.]*\.$")  # no page can
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


class Assets(NamedTuple):
    """What a page with widgets needs once: a style sheet and a script, both without tags."""

    style: str
    script: str


def restored(bundle: Mapping[str, Any]) -> CourseWidget | None:
    """The widget of a stored output, or None if it shows none that lives without a kernel.

    Parameters
    ----------
    bundle : mapping
        The output's ``data``, with the descriptor and, of a result, the text that states it.
    """
    known = dict(bundle.get(MIME, {}))
    kind, item = known.pop("kind", None), known.pop("id", "")
    if kind == "explorer" and "preset" in known:
        values = known["values"]
        first = {name: value for name, value in values.items() if name != "at"}
        explorer: CourseWidget = _PRESETS[known["name"]](known["preset"], **first)
        explorer.set_trait("values", values)
        return explorer
    if kind == "explorer" and known.pop("name") == "limit":
        return limit.LimitExplorer(**known)
    if kind == "guess":
        return guessing.guess(item, **known)
    if kind in ("quiz", "warm_up", "mixed_test"):
        return _quiz(kind, **known)
    value = _stated(bundle["text/plain"]) if kind == "measured" else None
    if value is None:
        return None
    result = guessing.measured(item, value, **known)
    if figure := _FIGURE.search(bundle.get("text/html", "")):
        result.picture = {"html": figure[0], "alt": ""}  # where its axes lie is not stored
    return result


def _quiz(kind: str, questions: Sequence[str], **known: Any) -> Quiz | None:
    """The questions, to be judged on the page; None if one is of the inventory, or unknown."""
    asked = [bank()[item] for item in questions if item in bank() and not bank()[item].form]
    if len(asked) < len(questions):
        return None
    return Quiz(asked, remember=False, described={"kind": kind, **known})


def _stated(text: str) -> float | str | list[float] | None:
    """What a result says was measured: it is no part of the descriptor, because it may move."""
    if choice := re.search(r"It is: (.*?)\.(?: Run this cell to [^.]*\.)?\]$", text, re.DOTALL):
        return choice[1]
    found = re.search(
        r"Measured: (.*?)(, at [^\]]*?)?\.(?: Run this cell to [^.]*\.)?\]$", text, re.DOTALL
    )
    if found is None:
        return None
    numbers = [float(number) for number in _NUMBER.findall(found[1])]
    return numbers if found[2] else numbers[0]


def placeholder(widget: CourseWidget) -> str:
    """What stands in the page where the widget will be; its text is seen until then."""
    if isinstance(widget, Quiz) and widget.diagnostic:
        raise ValueError("the inventory is on no page: who has seen its answers cannot be measured")
    if isinstance(widget, Quiz):
        test = widget.descriptor()["kind"] == "mixed_test"
        text = f"A quiz with {len(widget.questions)} questions; it needs JavaScript."
        more = {"titles": TITLES} if test else {}
        return _placed("mixed_test" if test else "quiz", text, {**quizzes.values(widget), **more})
    own = {*type(widget).class_trait_names(sync=True)}
    own -= {*anywidget.AnyWidget.class_trait_names(sync=True)}
    values = {name: getattr(widget, name) for name in sorted(own) if not name.startswith("_")}
    if isinstance(widget, reading.ReadingExplorer):
        del values["library"]  # the page has it once
    # Whoever makes the page does not answer for its readers.
    guessed = {guessing.Guess: ("value", "kept"), guessing.Measured: ("you",)}
    for one, names in guessed.items():
        values |= dict.fromkeys(names) if isinstance(widget, one) else {}
    # anywidget gives each widget a class of its own, below ours
    kind = next(name for known, name in _WIDGETS.items() if isinstance(widget, known))
    text = _TO_RUN.sub("", widget.without_kernel()[0].strip("[]"))
    return _placed(kind, text, values)


def your_answers() -> str:
    """What stands in a page where readers see what is kept of them, take it along or forget it."""
    text = "What you answered and guessed on these pages."
    return _placed("answers", text, {"titles": TITLES, "version": __version__})


def _placed(kind: str, text: str, values: Mapping[str, Any]) -> str:
    written = json.dumps(values, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<div class="birnn-live" data-kind="{kind}"><p>{html.escape(text)}</p>'
        f'<script type="application/json">{written}</script></div>'
    )


def assets(page: str, *, keeps: bool) -> Assets:
    """Styles and scripts of the widgets whose placeholders a page has; both empty if it has none.

    Parameters
    ----------
    page : str
        HTML.
    keeps : bool
        Whether answers and guesses are kept in the reader's browser; else they are gone with the
        page.
    """
    kinds = _kinds(page)
    if not kinds:
        return Assets("", "")
    script = "".join(scripts(page, keeps=keeps).values())
    styles = dict.fromkeys(kind._css for kind, name in _WIDGETS.items() if name in kinds)
    return Assets("\n".join(styles or [style()]), script.replace("</script", "<\\/script"))


def scripts(page: str, *, keeps: bool) -> dict[str, str]:
    """The same script in parts, by name and in order, for pages that share them as files."""
    kinds = _kinds(page)
    if not kinds:
        return {}
    known = {
        "known": {"keeps": keeps, "version": __version__, "sentences": SENTENCES},
        **_library(kinds),
    }
    shared = {
        name: f"globalThis.birnn = {{ ...globalThis.birnn, ...{json.dumps(values)} }};\n"
        for name, values in known.items()
    }
    start = [(_HERE / name).read_text(encoding="utf-8") for name in ("keeping.js", "live.js")]
    return {
        **{kind: classic(kind, *_SCRIPTS[kind]) for kind in kinds},
        **shared,
        "live": f"(() => {{\n{''.join(start)}}})();\n",
    }


def _kinds(page: str) -> list[str]:
    return sorted({*_KIND.findall(page)})


def _library(kinds: Collection[str]) -> dict[str, Any]:
    return {"library": {"library": stored()}} if "reading" in kinds else {}
