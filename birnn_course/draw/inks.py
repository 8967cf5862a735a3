"""The colours and patterns of the course, and what they stand for.

Blue dots are the forward reader and orange stripes the backward reader, here and in every lesson,
slide and page; they mean nothing else. Each ink has a light and a dark face, with a contrast of at
least 4.5:1 for what is read (tested).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Ink(NamedTuple):
    """One meaning in two themes, as ``#rrggbb``."""

    light: str
    dark: str


INKS = {
    "text": Ink("#1a1a1e", "#ececf0"),
    "muted": Ink("#5a5a64", "#b4b4be"),
    "tile": Ink("#f4f5f7", "#26282e"),
    "lit": Ink("#fff3bf", "#5c4a00"),
    "forward": Ink("#0b5cad", "#76b7ff"),
    "forward-soft": Ink("#e3effb", "#14304d"),
    "backward": Ink("#b04a00", "#ffab66"),
    "backward-soft": Ink("#fdeadc", "#4a2a14"),
    "pad": Ink("#6b6b75", "#a5a5af"),
    "pad-soft": Ink("#ededf0", "#303036"),
    "right": Ink("#1a7f37", "#56d364"),
    "wrong": Ink("#b3261e", "#ff8a80"),
    "violet": Ink("#6f3aa5", "#c9a6f2"),
    "olive": Ink("#6b5d00", "#d8c75a"),
    "rose": Ink("#ad1f68", "#ff97c4"),
    "ground": Ink("#ffffff", "#111114"),
}

PATTERNS = {"forward": "dots", "backward": "stripes", "pad": "crosses"}
"""What fills a box that belongs to a reader, or to nobody: it is told apart without colour."""

READERS = ("forward", "backward")

SERIES = ("text", "violet", "olive", "rose")
"""The inks of what is compared and is no reader: models, classes, samples."""

MODELS = ("left to right", "both ways")
"""These two look the same in every figure, whatever stands beside them."""


class Look(NamedTuple):
    """How one series is drawn: in which ink, and with which of four marks, dashes or hatches."""

    ink: str
    pattern: int


def looks(names: Iterable[str]) -> dict[str, Look]:
    """How each series is drawn; 16 of them differ.

    A name that begins with forward or backward is a reader's and has its ink.
    """
    names = list(dict.fromkeys(names))
    kept = [*MODELS] if {*MODELS} & {*names} else []
    models = [*kept, *(name for name in names if not _reader(name) and name not in kept)]
    found = {name: Look(SERIES[i % 4], (i + i // 4) % 4) for i, name in enumerate(models)}
    for first, reader in enumerate(READERS):
        own = [name for name in names if _reader(name) == reader]
        found |= {name: Look(reader, (first + 2 * i) % 4) for i, name in enumerate(own)}
    return {name: found[name] for name in names}


def _reader(name: str) -> str:
    """Whose series it is, by the first word of its name; empty if it is no reader's."""
    return next((reader for reader in READERS if name.startswith(reader)), "")


def variables(where: str, ground: str = "") -> str:
    """The inks as variables of CSS, in both themes of a page, for the elements ``where``.

    Their ground is the page's own, if it has a variable of the name ``ground``.
    """

    def declared(theme: str) -> str:
        inks = {name: getattr(ink, theme) for name, ink in INKS.items()}
        if ground:
            inks["ground"] = f"var({ground},{inks['ground']})"
        return ";".join(f"--{name}:{colour}" for name, colour in inks.items())

    light, dark = declared("light"), declared("dark")
    themes = f"[data-jp-theme-light=false] {where},[data-theme=dark] {where}"
    return f"{where}{{{light}}}{themes}{{{dark}}}"


def style() -> str:
    """The style sheet of a drawing: the inks as variables, in both themes of a page.

    It also hides the PNG, so that one of the two is seen: the SVG where styles are kept, the PNG
    where they are not.
    """
    return (
        variables(".birnn-draw") + ".birnn-draw>img{display:none}"
        ".birnn-draw>svg{max-width:100%;height:auto;font-family:system-ui,sans-serif}"
        ".birnn-draw text{dominant-baseline:central}"
    )
