"""What a lecturer should look at, grouped and ordered by what there is to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from birnn_course.grading.marks import Marked
from birnn_course.grading.printable import shortened
from birnn_course.grading.words import counted

HandedIn = Sequence[tuple[str, Marked]]
"""What a student handed in: the name of each notebook, and what it is worth."""

_GROUPS = {
    "blocked": ("Blocked by others", "Run the same command once more: it marks them again."),
    "same": ("The same code", "Their code is the same but for comments; talk to them."),
    "changed": ("Changed in totals.csv", "What you wrote stays. Delete a row to have it computed."),
    "ask": ("No answer that can be read", "Ask for the notebook, or hand it in for them."),
    "": ("Odd", "Have a look."),
    "stopped": ("Not run to the end", "Nothing to do, unless they ask."),
    "older": ("Several notebooks", "Nothing to do: of the newest the best counts."),
    "free": ("It costs nothing", "Nothing to do: another notebook of theirs counts."),
}
_MOST_NAMED = 5


@dataclass(frozen=True)
class Entry:
    """One line of the list: a student, a notebook (or empty), and why."""

    student: str
    notebook: str
    note: str


@dataclass
class Group:
    """Lines about which there is the same to do."""

    title: str
    todo: str
    entries: list[Entry] = field(default_factory=list)

    @property
    def number(self) -> int:
        """How many lines."""
        return len(self.entries)


def look_at(
    handed_in: Iterable[tuple[str, HandedIn]],
    counting: Mapping[str, Mapping[str, str]],
    changed: Iterable[tuple[str, str]],
) -> list[Group]:
    """The groups that have any line, in order of what there is to do.

    Parameters
    ----------
    handed_in : iterable of (str, HandedIn)
        Each student in turn.
    counting : dict
        In the order in which students are listed: by exercise the notebook that counts.
    changed : iterable of (str, str)
        For a student what stays in totals.csv as a person wrote it.
    """
    groups = {kind: Group(title, todo) for kind, (title, todo) in _GROUPS.items()}
    by_code: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for student, notebooks in handed_in:
        older = []
        for notebook, marked in notebooks:
            name = shortened(notebook)
            if marked.look == "older":
                older.append(name)
            elif marked.note:
                counts = not marked.marks or notebook in counting[student].values()
                kind = marked.look if counts else "free"
                groups[kind].entries.append(Entry(student, name, marked.note))
            if marked.code and any(mark.verdict != "not attempted" for mark in marked.marks):
                by_code[marked.code].append((student, name))
        if note := _several(notebooks, older):
            groups["older"].entries.append(Entry(student, "", note))
    places = {student: place for place, student in enumerate(counting)}
    for group in groups.values():
        group.entries.sort(key=lambda entry: places[entry.student])
    for copies in by_code.values():
        names = sorted({student for student, _ in copies})
        first = names[: _MOST_NAMED + 1]
        for student, notebook in copies if len(names) > 1 else ():
            others = _listed([name for name in first if name != student], len(names) - 1)
            groups["same"].entries.append(Entry(student, notebook, f"As {others}."))
    groups["changed"].entries += [Entry(who, "", f"{what}.") for who, what in changed]
    return [group for group in groups.values() if group.entries]


def _several(handed_in: HandedIn, older: Sequence[str]) -> str:
    """What is to be said of who handed in the same exercises several times; empty if nothing."""
    marked: defaultdict[str, int] = defaultdict(int)
    for _, each in handed_in:
        for exercise in {mark.exercise for mark in each.marks if mark.verdict != "unreadable"}:
            marked[exercise] += 1
    most = max(marked.values(), default=0)
    if not older and most < 2:
        return ""
    left_out = (
        f", and {counted(len(older), 'older one')} not: {_listed(older, len(older))}"
        if older
        else ""
    )
    return f"{counted(most, 'notebook')} with the same exercises were marked{left_out}."


def _listed(names: Sequence[str], number: int) -> str:
    """The first of so many names."""
    shown = names[:_MOST_NAMED]
    more = f" and {number - len(shown)} more" if number > len(shown) else ""
    return f"{', '.join(shown)}{more}"
