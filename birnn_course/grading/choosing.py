"""Which notebooks of a student are marked: of those with the same exercises the newest few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from birnn_course.grading.assignments import Assignment, belonging
from birnn_course.grading.notebooks import MOST_BYTES, UnreadableError, code_cells
from birnn_course.grading.submissions import Submission
from birnn_course.grading.words import counted

FEW = 3
"""So many are marked, and the best of them counts: a copy, a second thought, no more guesses."""
_MOST_READ = 3 * MOST_BYTES


def newest_few(
    submissions: Iterable[Submission], known: Sequence[Assignment]
) -> Iterator[Submission]:
    """All of them, in the same order; what is not to be marked refuses to be read.

    Only of students with more notebooks than a few is anything read here.
    """
    for _, group in groupby(submissions, key=lambda submission: submission.student):
        handed_in = list(group)
        notebooks = [submission for submission in handed_in if submission.is_notebook]
        refused = _older(notebooks, known) if len(notebooks) > FEW else set()
        for submission in handed_in:
            if submission.name in refused:
                submission = replace(submission, read=_left_out, is_left_out=True)
            yield submission


def _left_out() -> bytes:
    raise UnreadableError(
        f"It was not marked: {counted(FEW, 'newer notebook')} with the same exercises were handed "
        "in, and the best of these counts."
    )


def _older(notebooks: Sequence[Submission], known: Sequence[Assignment]) -> set[str]:
    """The names of those that have a few newer ones."""
    by_name = {n.name: [a.name for a in belonging(n.name, [], known)] for n in notebooks}
    times = Counter(name for names in by_name.values() for name in names or [""])
    crowded = {name for name, number in times.items() if number > FEW}
    marked: Counter[str] = Counter()
    older: set[str] = set()
    left = _MOST_READ
    for notebook in sorted(notebooks, key=lambda n: (n.when, n.name), reverse=True):
        names = by_name[notebook.name]
        if crowded.isdisjoint(names or [""]):
            continue
        if left < 0:
            older.add(notebook.name)
            continue
        try:
            data = notebook.read()
            left -= len(data)
            found = [a.name for a in belonging(notebook.name, code_cells(data), known)]
        except UnreadableError:
            continue  # nothing of it is run
        if found and all(marked[name] >= FEW for name in found):
            older.add(notebook.name)
        marked.update(found)
    return older
