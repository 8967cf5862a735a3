"""The words of the field that the course uses, each with where it is taught."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from birnn_course import files
from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.exercises.report import with_code
from birnn_course.misconceptions import catalogue
from birnn_course.misconceptions.address import belief_path
from birnn_course.misconceptions.lessons import Section, in_sections
from birnn_course.site.markup import block, link, plain, style
from birnn_course.site.pages import Page

PATH = "glossary"
_HERE = Path(__file__)
_LESSONS = {unit.number: unit for unit in UNITS}


@dataclass(frozen=True)
class Word:
    """One word of the field.

    Parameters
    ----------
    term : str
        The word; code stands between backticks.
    unit : str
        Where it is taught.
    means : str
        One or two sentences.
    used : str
        How the lesson writes it, if not as the term.
    exists : str
        An expression that PyTorch can evaluate if it has this name.
    misconceptions : tuple of str
        Ids of beliefs about it.
    """

    term: str
    unit: str
    means: str
    used: str = ""
    exists: str = ""
    misconceptions: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """The end of the address of its entry."""
        return re.sub(r"[^a-z0-9]+", "-", plain(self.term).lower()).strip("-")


@cache
def words() -> tuple[Word, ...]:
    """All of them, in alphabetical order.

    Raises
    ------
    CourseError
        If an entry lacks a field, has an unknown one, or speaks of what does not exist.
    """
    found = tuple(map(parse, files.read_yaml(_HERE.with_suffix(".yaml"))))
    return tuple(sorted(found, key=lambda word: plain(word.term).lower()))


def parse(entry: dict[str, Any]) -> Word:
    """One entry; see :func:`words` for what is refused."""
    term = entry.get("term")
    try:
        word = Word(**{**entry, "misconceptions": tuple(entry.get("misconceptions", ()))})
    except TypeError as error:
        raise CourseError(f"glossary, {term}: {str(error).partition(') ')[2] or error}.") from None
    if word.unit not in _LESSONS:
        raise CourseError(f"glossary, {term}: there is no unit {word.unit}.")
    for name in word.misconceptions:
        if name not in catalogue():
            raise CourseError(f"glossary, {term}: there is no misconception {name}.")
    return word


def taught_in(word: Word) -> Section | None:
    """The section of its unit that teaches it; None if none uses it.

    It is the first with the word in bold, else in its heading, else anywhere below the opening.
    """
    pattern = rf"(?<![a-z]){re.escape(word.used or plain(word.term))}"
    texts = [
        (section, "\n".join("".join(cell["source"]) for cell in cells))
        for section, cells in in_sections(_LESSONS[word.unit])
    ]
    found = [(s, text) for s, text in texts if re.search(pattern, text, re.IGNORECASE)]
    headed = [s for s, _ in found if re.search(pattern, s.heading, re.IGNORECASE)]
    bold = [s for s, text in found if re.search(rf"\*\*`?{pattern}", text, re.IGNORECASE)]
    # the opening lists all that comes
    opening = f"· {_LESSONS[word.unit].title}"
    order = [*bold, *headed, *(s for s, _ in found)]
    return next((s for s in order if opening not in s.heading), next(iter(order), None))


def pages() -> list[Page]:
    """The one page."""
    entries = "".join(map(_entry, words()))
    parts = [
        "# The words of the field",
        "What they mean, as this course uses them, and where they are taught.",
        block(f'<dl class="bg-words">{entries}</dl>'),
    ]
    return [
        Page(
            PATH,
            "The words of the field",
            "\n\n".join(parts) + "\n",
            description="Batch, hidden state, packing, macro-F1: what each of them means.",
            head=style(_HERE.with_suffix(".css")),
        )
    ]


def _entry(word: Word) -> str:
    section = taught_in(word)
    where = f"unit {word.unit}"
    if section is not None:
        where = link(
            f"{section.link}", f"unit {word.unit}, “{html.escape(plain(section.heading))}”"
        )
    beliefs = "".join(
        f'<span class="bg-not">Not so: {_belief(name)}</span>' for name in word.misconceptions
    )
    return (
        f'<dt id="{word.anchor}">{with_code(word.term)}</dt>'
        f"<dd>{with_code(word.means)} <small>Taught in {where}.</small>{beliefs}</dd>"
    )


def _belief(name: str) -> str:
    text = html.escape(plain(catalogue()[name].belief))
    return link(f"{belief_path(name)}.html", f"“{text}”")
