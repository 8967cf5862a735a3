"""Which section of which lesson cures a misconception."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from birnn_course.course import UNITS, notebooks_folder
from birnn_course.misconceptions import catalogue

# Misconceptions that no lesson shows by a run of its own, by the section that tells what is right.
_TOLD = {
    ("01", "3 · Build one by hand"): (
        *("unflipped-inputs", "flip-wrong-axis", "both-read-forward", "shared-directions"),
        *("swapped-halves", "sum-is-concat"),
    ),
    ("01", "4 · What has each output seen?"): ("halves-see-everything",),
    ("01", "2 · A limit you can compute"): (
        *("limit-peeks", "limit-is-global-majority", "limit-forgets-the-past"),
        "sequences-count-alike",
    ),
    ("01", "7 · The middle way: answer late"): ("lookahead-wrong-way",),
    ("01", "8 · What it costs"): ("half-size-is-fair", "flag-is-fair"),
    ("01", "The sequence has not ended yet"): ("state-starts-anew", "stream-waits-for-the-end"),
    ("01", "The answer is the future"): (
        *("lookahead-for-prediction", "present-is-a-leak", "leak-at-the-last-step"),
    ),
    ("02", "2 · Which slice is which"): ("final-is-at-step-0", "directions-last-view"),
    ("02", "When lengths differ"): ("ends-at-the-padding", "length-is-the-last-index"),
    ("02", "Handing over to a decoder"): (
        *("backward-is-left-out", "decoder-without-state", "c-n-is-h-n", "mean-for-sum"),
    ),
    ("02", "7 · The loss looks for its classes"): ("sum-is-mean", "softmax-over-the-batch"),
    ("03", "2 · Who has seen whom?"): (
        *("rows-are-inputs", "samples-in-dimension-one", "first-sample-is-clean"),
    ),
    ("03", "1 · Find the error"): ("batch-first-is-the-default",),
    ("03", "The mend that breaks the next line"): (
        *("mended-twice", "transposed-only-once", "reshape-mends-layout"),
    ),
    ("03", "A state that stayed at home"): ("state-goes-nowhere",),
    ("04", "3 · Three ways around it"): ("pads-stay-when-cut",),
    ("04", "6 · Lengths that are wrong"): ("off-by-one-end",),
    ("04", "7 · After the network"): ("mean-of-sequence-means",),
}


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
        """From the folder with the lessons; JupyterLab makes a heading's anchor from its words."""
        return f"{quote(self.notebook)}#{quote(self.heading.replace(' ', '-'))}"


@cache
def sections() -> dict[str, Section]:
    """The section that cures a misconception, by its id.

    It is the one with the first run that shows it to be wrong; without one, the one that tells what
    is right; and else the whole lesson of its unit.
    """
    lessons = {unit.number: unit for unit in UNITS}
    found: dict[str, Section] = {}
    headings: set[tuple[str, str]] = set()
    for unit in UNITS:
        for heading, shown in _headings(unit.lesson, unit.title):
            headings.add((unit.number, heading))
            for misconception in shown:
                found.setdefault(misconception, Section(unit.number, unit.lesson, heading))
    for (number, heading), told in _TOLD.items():
        for misconception in told if (number, heading) in headings else ():
            found.setdefault(misconception, Section(number, lessons[number].lesson, heading))
    for misconception, entry in catalogue().items():
        if entry.unit in lessons:
            unit = lessons[entry.unit]
            found.setdefault(misconception, Section(unit.number, unit.lesson, unit.title))
    return found


def _headings(lesson: str, title: str) -> Iterator[tuple[str, list[str]]]:
    """Each heading of a lesson in turn, with the ids of what the cells below it show."""
    path = notebooks_folder() / lesson
    if not path.is_file():
        return
    heading, shown = title, list[str]()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            for line in "".join(cell["source"]).splitlines():
                if line.startswith("#"):
                    yield heading, shown
                    heading, shown = line.lstrip("#").strip(), []
        tags = cell["metadata"].get("tags", ())
        shown += [tag.removeprefix("mis:") for tag in tags if tag.startswith("mis:")]
    yield heading, shown
