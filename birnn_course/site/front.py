"""The front page: one question that shows what the course is about, then the course.

*city*: what sound is the *c*? The answers are those of two small networks of the reading explorer,
which run in the page. A letter that is still covered is a blank to them, zeros.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template

from birnn_course.course import UNITS, Unit, lesson_path
from birnn_course.explore.nets import stored
from birnn_course.explore.reading import SCRIPTS
from birnn_course.site.beliefs import INDEX
from birnn_course.site.markup import block, fenced, link, style
from birnn_course.site.pages import Page

WORD = "city"
NETS = ("both ways", "left to right")
"""Of the reading explorer's networks those that the page has."""
INSTALL = "make lab"
"""What installs the course and opens it, in a copy of its folder."""
_HERE = Path(__file__)
_GUESSES = {"k": "<b>k</b>, as in kite", "s": "<b>s</b>, as in sun", "": "Just show me"}
_START = "Three letters are still covered. What do you think?"
_WITHOUT_SCRIPT = (
    "In city the c sounds like an s, and only the i behind it says so. Where scripts may run, "
    "this page shows how."
)
_ABOUT = """\
Most bugs in bidirectional RNNs raise no error. The code runs, the shapes fit, the loss goes down,
and one of the two readers has seen a single letter. In this course you find such bugs with a
number: you guess it, run the code, and are surprised. **Every wrong answer in it is a program that
you can run**, so you never have to take our word for anything.

You need Python, tensors and a training loop. The rest grows from two readers of one word to a
network that reads 12,000 words aloud, and to a project of your own. When a bidirectional model is
the wrong choice, the course says so and shows you why.

All of it can be read here, with its quizzes and pictures that move when you do. To run and change
the code, to do the exercises and to have your own functions checked, install it.
"""


def pages() -> list[Page]:
    """The one page."""
    units = "".join(map(_unit, UNITS))
    more = (
        f"Also here: {link(f'{INDEX}.html', 'what people believe')}, sentence by sentence, each "
        f"with the run that refutes it; {link('messages.html', 'what PyTorch’s messages mean')}; "
        f"and {link('glossary.html', 'the words of the field')}."
    )
    parts = [
        "# Bidirectional RNNs in PyTorch",
        block(_first_screen()),
        "## Now a word of your own",
        block(_HERE.with_name("front_own.html").read_text(encoding="utf-8")),
        "Both networks are small, have learned from English words, and err. They run in this page; "
        "above, a covered letter was a blank to them.",
        "## What this course is",
        _ABOUT,
        "## The lessons",
        block(f'<ol class="bf-map">{units}</ol>'),
        more,
        "## Install it",
        "You need Python 3.11 or newer with venv, make, and about 2 GB of disk. In a copy of the "
        "course's folder:",
        fenced(INSTALL, "text"),
        "It installs everything into a folder of its own and opens the first lesson in JupyterLab."
        " Nothing is sent anywhere, and lessons need no network afterwards.",
    ]
    return [
        Page(
            "index",
            "Bidirectional RNNs in PyTorch",
            "\n\n".join(parts) + "\n",
            description="city: what sound is the c? A course in which you guess, run the code, and "
            "see why.",
            head=style(_HERE.with_name("front.css")),
            script=script(),
        )
    ]


def script() -> str:
    """What makes the page alive: the networks, what they compute, and what shows it."""
    kept = stored()
    library = {
        "tags": kept["tags"],
        "answers": kept["answers"],
        "nets": {name: kept["nets"][name] for name in NETS},
    }
    shared = [path for path in SCRIPTS if path.stem in ("forward", "tagger", "sounds", "squares")]
    widgets = _HERE.parents[1] / "widgets.js"
    texts = [p.read_text(encoding="utf-8") for p in (widgets, *shared, _HERE.with_suffix(".js"))]
    written = json.dumps(library, separators=(",", ":"))
    return f"(() => {{\nconst library = {written};\n{''.join(texts)}}})();\n"


def _first_screen() -> str:
    tiles = "".join(
        f'<button type="button" class="bf-tile{" bf-asked" if t == 0 else " bf-covered"}" disabled'
        f' aria-label="{letter if t == 0 else "covered"}">'
        f"{letter if t == 0 else '<span>?</span>'}</button>"
        for t, letter in enumerate(WORD)
    )
    guesses = "".join(
        f'<button type="button" class="bf-choice" data-guess="{guess}"><span>{text}</span></button>'
        for guess, text in _GUESSES.items()
    )
    template = Template(_HERE.with_suffix(".html").read_text(encoding="utf-8"))
    return template.substitute(
        first=WORD[0],
        word=WORD,
        start=_START,
        cells="<span></span>" * len(WORD),
        tiles=tiles,
        guesses=guesses,
        without_script=_WITHOUT_SCRIPT,
    )


def _unit(unit: Unit) -> str:
    low, high = unit.minutes
    minutes = f"{low}–{high}" if low != high else str(high)
    title, can = html.escape(unit.title), html.escape(unit.objectives[0])
    return (
        f'<li><a href="{lesson_path(unit.lesson)}.html"><small>{unit.number} · {minutes} minutes'
        f"</small><strong>{title}</strong><span>You can then {can}.</span></a></li>"
    )
