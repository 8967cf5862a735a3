"""How good can any model be that reads only so far? An explorable that runs in the browser."""

from __future__ import annotations

import html
import math
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import traitlets

from birnn_course.data.tasks import TaggingTask, names_task
from birnn_course.errors import CourseError
from birnn_course.widgets import CourseWidget, script, style

_JS = Path(__file__).with_name("js")
SCRIPTS = (_JS / "limit.js",)
FARTHEST, MOST_ROWS, MOST_BEGINNINGS, MOST_COUNTED = 8, 36, 80, 100_000

Rest = tuple[tuple[str, ...], str]
"""The words after a beginning, and the tag of its last word."""


class LimitExplorer(CourseWidget):
    """Sentences in heaps that look the same; see :func:`limit_explorer`."""

    _esm = script(*SCRIPTS)
    _css = style(_JS / "limit.css")
    heading = traitlets.Unicode().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    library = traitlets.Dict().tag(sync=True)

    def descriptor(self) -> dict[str, Any]:
        """An explorer, with all that its script asks for: any task can be in it."""
        traits = {name: getattr(self, name) for name in ("heading", "values", "library")}
        return {"kind": "explorer", "name": "limit", **traits}

    def without_kernel(self) -> tuple[str, str]:
        """The heaps as a table, at the look-ahead that is chosen."""
        beginning = self.library["beginnings"][self.values["beginning"]]
        words = " ".join(beginning["words"])
        k = self.values["lookahead"]
        heaps: defaultdict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
        for rest, tag, n in self.library["rests"][beginning["rest"]]:
            heap = heaps[tuple(rest[:k])]
            heap[tag] = heap.get(tag, 0) + n
        rows = [
            (" ".join([words, *seen]), max(tags, key=tags.__getitem__), tags)
            for seen, tags in heaps.items()
        ]
        limit = Fraction(*self.library["limits"][k])
        sentence = (
            f"Look-ahead {k}: {len(rows)} heap{'s' * (len(rows) > 1)}; "
            f"the best that any model can do is {limit}."
        )
        lines = "".join(
            f"<tr><td>{html.escape(seen)} …</td><td>{html.escape(bet)}</td>"
            f"<td>{tags[bet]} of {sum(tags.values())}</td></tr>"
            for seen, bet, tags in rows
        )
        head = "".join(f'<th scope="col">{name}</th>' for name in ("heap", "best bet", "right"))
        return (
            f"[{self.heading} {sentence} Run this cell to explore.]",
            f"<p><strong>{html.escape(self.heading)}</strong></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
            f"<p>{html.escape(sentence)} <em>Run this cell to explore.</em></p>",
        )


def limit_explorer(
    task: TaggingTask | None = None,
    *,
    lookahead: int = 0,
    of: tuple[str, str] = ("sentence", "word"),
    heading: str = "How far must a model read before it can know?",
) -> LimitExplorer:
    """Uncover the words after an ambiguous one, and watch the heaps of equal sentences split.

    Sentences that look the same up to the last uncovered word are one heap, and any model gives
    one answer to a heap. The best answers are counted exactly, from all sentences of the task.

    Parameters
    ----------
    task : TaggingTask, optional
        By default :func:`birnn_course.names_task`.
    lookahead : int
        How many words after the ambiguous one are uncovered at first.
    of : (str, str)
        What one sequence of the task is, and one step of it.
    heading : str
        The question above it.

    Raises
    ------
    CourseError
        If nothing in the task is ambiguous or a look-ahead never helps; if the look-ahead is out of
        range; or if there is too much to show: at most 8 words ahead, 80 beginnings, 36 ways to go
        on after one, and 100,000 sentences in whose proportions these come.
    """
    library = heaps_of(task or names_task())
    farthest = len(library["limits"]) - 1
    if not 0 <= lookahead <= farthest:
        raise CourseError(f"lookahead: choose a whole number from 0 to {farthest}.")
    return LimitExplorer(
        heading=heading,
        values={"lookahead": lookahead, "beginning": 0},
        library={**library, "of": list(of)},
    )


def heaps_of(task: TaggingTask) -> dict[str, Any]:
    """What the browser needs to know of a task, as JSON.

    Returns
    -------
    dict
        ``limits``: the exact limit at each look-ahead, as numerator and denominator, up to the
        look-ahead that is as good as the whole sentence. ``beginnings``: the ``words`` up to an
        ambiguous one, and which ``rest`` follows. ``rests``: lists of words, tag and number of
        sentences, in the order in which heaps stay together.

    Raises
    ------
    CourseError
        As in :func:`limit_explorer`.
    """
    if not task.ambiguous:
        raise CourseError("No word of this task is ambiguous, so there is no bet to make.")
    limits = [task.limit("left")]
    while limits[-1] != task.limit("both"):
        if len(limits) > FARTHEST:
            raise CourseError(
                f"This task decides more than {FARTHEST} steps after a word; take a shorter one."
            )
        limits.append(task.limit("left", lookahead=len(limits)))
    if len(limits) == 1:
        raise CourseError("In this task no look-ahead helps: what stands before a word decides.")
    beginnings = _beginnings(task, len(limits) - 1)
    rests: list[list[tuple[tuple[str, ...], str, int]]] = []
    listed = []
    for words, chances in beginnings.items():
        rest = _counted(chances)
        if rest not in rests:
            rests.append(rest)
        listed.append({"words": words, "rest": rests.index(rest)})
    if len(listed) > MOST_BEGINNINGS or max(map(len, rests)) > MOST_ROWS:
        raise CourseError(
            f"This task has {len(listed)} beginnings and up to {max(map(len, rests))} ways to go "
            f"on; there is room for {MOST_BEGINNINGS} and {MOST_ROWS}. Take a smaller one."
        )
    return {
        "limits": [[limit.numerator, limit.denominator] for limit in limits],
        "beginnings": listed,
        "rests": rests,
    }


def _beginnings(task: TaggingTask, farthest: int) -> dict[tuple[str, ...], dict[Rest, Fraction]]:
    """What may follow each beginning that ends with an ambiguous word, with its probability."""
    found: defaultdict[tuple[str, ...], defaultdict[Rest, Fraction]]
    found = defaultdict(lambda: defaultdict(Fraction))
    for words, tags, probability in task.sequences:
        for t, word in enumerate(words):
            if word in task.ambiguous:
                rest = words[t + 1 : t + 1 + farthest]
                found[words[: t + 1]][rest, tags[t]] += probability
    return dict(found)


def _counted(chances: dict[Rest, Fraction]) -> list[tuple[tuple[str, ...], str, int]]:
    """In whole sentences, as few as give the proportions; equal first words stand together."""
    shares = [chance / sum(chances.values()) for chance in chances.values()]
    sentences = math.lcm(*(share.denominator for share in shares))
    if sentences > MOST_COUNTED:
        raise CourseError(
            f"The chances of this task need {sentences:,} sequences to be shown; "
            f"there is room for {MOST_COUNTED:,}. Take rounder ones."
        )
    order: dict[str, int] = {}
    for words, _ in chances:
        for word in words:
            order.setdefault(word, len(order))
    rows = [
        (words, tag, int(share * sentences))
        for (words, tag), share in zip(chances, shares, strict=True)
    ]
    return sorted(rows, key=lambda row: [order[word] for word in row[0]])
