"""Text from students, made printable once, where it enters."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator

LONGEST = 200
"""Characters of a file's name, or of a line, in reports."""
_LONGEST_NAME = 255  # as in most file systems
_JOINERS = "\u200c\u200d"  # Persian, Indic and other names need them, and so do many pictures
_BLANKS = "\u034f\u115f\u1160\u2800\u3164\uffa0"  # count as letters or symbols, and show nothing
_BREAKS = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_UNSEEN = "\ufffd"


def printable(text: str) -> str:
    """A line that can be written anywhere and hides nothing.

    Breaks become spaces. Half characters, control characters, those that turn the direction of
    writing or show nothing become ``\ufffd``; joiners within a word stay.
    """
    if text.isprintable() and not any(blank in text for blank in _BLANKS):
        return text
    return "".join(_seen(_BREAKS.sub(" ", text)))


def printable_lines(text: str) -> str:
    """The same for a text of several lines, whose line breaks and tabs stay."""
    parts = re.split(r"([\n\t])", text)
    return "".join(part if part in "\n\t" else printable(part) for part in parts)


def printable_name(name: str) -> str:
    """A name that can be written anywhere; different names stay different.

    What does not show becomes ``\u27e8U+202E\u27e9``, and so does the bracket itself. Of a name
    that is too long, a digest stands in the place of its end.
    """
    shown = "".join(
        c if c == seen and c != "\u27e8" else f"\u27e8U+{ord(c):04X}\u27e9"
        for c, seen in zip(name, _seen(name), strict=True)
    )
    if len(shown) <= _LONGEST_NAME:
        return shown
    digest = hashlib.sha256(shown.encode()).hexdigest()[:8]
    return f"{shown[: _LONGEST_NAME - 10]}\u2026{digest}"


def shortened(text: str, most: int = LONGEST) -> str:
    """The text, or its beginning where it is longer."""
    return text if len(text) <= most else f"{text[:most]} \u2026"


def _seen(text: str) -> Iterator[str]:
    """Each character, or what stands for it."""
    for before, c, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        visible = (c.isprintable() and c not in _BLANKS) or unicodedata.category(c) == "Zs"
        joins = c in _JOINERS and _is_joined(before) and _is_joined(after)
        yield c if visible or joins else _UNSEEN


def _is_joined(c: str) -> bool:
    return c.isprintable() and c != " " and c not in _BLANKS
