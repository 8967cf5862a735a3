"""The catalogue of misconceptions: what people believe, and a run that shows otherwise.

One YAML file per unit. Lessons, quizzes, exercises, the record and the grader all speak of a
misconception by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from birnn_course import files
from birnn_course.errors import CourseError

SHOWN = Path(__file__).with_name("shown.json")
"""What each demonstration has shown; ``make shown`` writes it anew."""


@dataclass(frozen=True)
class Misconception:
    """One thing that people believe about bidirectional RNNs and that a run refutes.

    Parameters
    ----------
    id : str
        Short name in lower case with hyphens, unique in the course.
    unit : str
        The unit that cures it.
    importance : int
        1 to 5: how often it is met times how much it hurts; a judgement.
    belief, reality : str
        One sentence each: what is believed, and what really happens.
    demo : str
        Python that leaves two different values in ``wrong`` and ``right``.
    needs : str
        ``cuda`` if the demo runs only where a GPU is; else empty.
    section : str
        Heading in the unit's lesson that tells what is right. Empty if a cell there shows it, or if
        it takes the whole lesson.
    """

    id: str
    unit: str
    importance: int
    belief: str
    reality: str
    demo: str
    needs: str = ""
    section: str = ""


@cache
def catalogue() -> dict[str, Misconception]:
    """All misconceptions by id, in the order of the units.

    Raises
    ------
    CourseError
        If an entry lacks a field or has an unknown one, or two have one id.
    """
    folder = resources.files(__name__)
    paths = sorted(p.name for p in folder.iterdir() if p.name.endswith(".yaml"))
    found: dict[str, Misconception] = {}
    for name in paths:
        entries = files.read_yaml(folder / name)
        for misconception in parse(entries, name.removesuffix(".yaml")):
            if misconception.id in found:
                raise CourseError(f"two misconceptions are called {misconception.id}; rename one.")
            found[misconception.id] = misconception
    return found


def parse(entries: list[dict[str, Any]], unit: str) -> list[Misconception]:
    """The misconceptions of one unit's file; see :func:`catalogue` for what is refused."""
    found = []
    for entry in entries:
        try:
            misconception = Misconception(unit=unit, **entry)
        except TypeError as error:
            raise CourseError(f"misconception {entry.get('id')} of unit {unit}: {error}.") from None
        if not 1 <= misconception.importance <= 5:
            raise CourseError(f"misconception {misconception.id}: importance must be 1 to 5.")
        if misconception.needs not in ("", "cuda"):
            raise CourseError(
                f"misconception {misconception.id}: needs must be cuda or be left out."
            )
        found.append(misconception)
    return found
