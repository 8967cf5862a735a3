"""Which section of which lesson cures a misconception."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from birnn_course.course import UNITS, Unit, lesson_path, notebooks_folder
from birnn_course.misconceptions import catalogue


@dataclass(frozen=True)
class Section:
    """A section of a lesson.

    Parameters
    ----------
    unit : str
        Two digits.
    notebook : str
        The lesson's file name.
    heading : str
        As it stands in the notebook.
    """

    unit: str
    notebook: str
    heading: str

    @property
    def link(self) -> str:
        """From the root of the site; the anchor is the one that Sphinx gives to a heading."""
        return f"{quote(lesson_path(self.notebook))}.html#{anchor(self.heading)}"


def anchor(heading: str) -> str:
    """The id of a heading on a page that Sphinx has made: its words in plain small letters."""
    text = unicodedata.normalize("NFKD", heading.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"^[-0-9]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", text))


@cache
def sections() -> dict[str, Section]:
    """The section that cures a misconception, by its id.

    It is the one with the first run that shows it to be wrong; without one, the one that the
    catalogue names; and else the whole lesson of its unit.
    """
    found: dict[str, Section] = {}
    there: set[Section] = set()
    for unit in UNITS:
        for section, shown in shown_in_sections(unit):
            there.add(section)
            for misconception in shown:
                found.setdefault(misconception, section)
    lessons = {unit.number: unit for unit in UNITS}
    for misconception, entry in catalogue().items():
        if entry.unit in lessons:
            unit = lessons[entry.unit]
            named = [Section(unit.number, name, entry.section) for name in unit.lessons]
            lesson = Section(unit.number, unit.lesson, unit.title)
            found.setdefault(misconception, next((s for s in named if s in there), lesson))
    return found


def shown_in_sections(unit: Unit) -> Iterator[tuple[Section, list[str]]]:
    """Each section of a unit's lessons in turn, with the ids of what the cells below it show."""
    for section, cells in in_sections(unit):
        yield section, [name for cell in cells for name in shown_by(cell)]


def shown_by(cell: dict[str, Any]) -> list[str]:
    """The ids of the misconceptions that a cell shows to be wrong."""
    tags = cell["metadata"].get("tags", ())
    return [tag.removeprefix("mis:") for tag in tags if tag.startswith("mis:")]


def in_sections(unit: Unit) -> Iterator[tuple[Section, list[dict[str, Any]]]]:
    """Each section of a unit's lessons in turn, with its cells as they are stored.

    A cell of text that holds a heading is cut before it.
    """
    for name in unit.lessons:
        path = notebooks_folder() / name
        if not path.is_file():
            continue
        heading, cells = unit.title, list[dict[str, Any]]()
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "markdown":
                cells.append(cell)
                continue
            for part in re.split(r"^(?=#)", "".join(cell["source"]), flags=re.MULTILINE):
                if part.startswith("#"):
                    yield Section(unit.number, name, heading), cells
                    heading, cells = part.splitlines()[0].lstrip("#").strip(), []
                cells.append({**cell, "source": [part]})
        yield Section(unit.number, name, heading), cells
