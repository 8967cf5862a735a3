"""Which section of which lesson cures a misconception."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from birnn_course.course import UNITS, notebooks_folder


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
        """A relative address; JupyterLab makes a heading's anchor from its words."""
        return f"{quote(self.notebook)}#{quote(self.heading.replace(' ', '-'))}"


@cache
def sections() -> dict[str, Section]:
    """The section with the first run that shows a misconception to be one, by its id."""
    found: dict[str, Section] = {}
    for unit in UNITS:
        path = notebooks_folder() / unit.lesson
        if not path.is_file():
            continue
        heading = unit.title
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                for line in source.splitlines():
                    if line.startswith("#"):
                        heading = line.lstrip("#").strip()
            for tag in cell["metadata"].get("tags", ()):
                if tag.startswith("mis:"):
                    section = Section(unit.number, unit.lesson, heading)
                    found.setdefault(tag.removeprefix("mis:"), section)
    return found
