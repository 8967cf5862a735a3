"""Scores side by side: a mark for each, and a line that says how sure it is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from birnn_course.draw.charts import LETTER, mark, ticks, written
from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import Look, looks
from birnn_course.draw.scene import Label, Line, Scene
from birnn_course.errors import CourseError

Score = float | Sequence[float]
Scores = Mapping[str, Score]
Interval = tuple[float, float]

ROW, WIDTH, MOST = 26.0, 330.0, 40
NEAR_ZERO = 0.4  # an axis starts at zero if the lowest value is below this share of the highest


class _Row(NamedTuple):
    """One line of the picture; a heading has no values."""

    name: str
    values: list[float]
    interval: Interval | None = None
    look: Look = Look("text", 0)


def plot_points(
    scores: Scores | Mapping[str, Scores],
    *,
    alt: str,
    xlabel: str = "accuracy in %",
    intervals: Mapping[str, Interval] | Mapping[str, Mapping[str, Interval]] | None = None,
    interval: str = "95 % interval",
    limits: Mapping[str, float] | None = None,
    start: float | None = None,
) -> Drawing:
    """Scores as points, with intervals, and dashed lines for known limits.

    The axis starts where the scores are, and says so.

    Parameters
    ----------
    scores : mapping of str to float or sequence of float
        Name to a score, or to the scores of several runs: then the mark stands at their median,
        and the line reaches from the lowest to the highest. Or name of a group to such a mapping.
    alt : str
        What the picture shows, as a claim; never a trained number.
    xlabel : str
        Label of the axis. If it names ``%``, the axis ends at 100 at most.
    intervals : mapping, optional
        With the keys of ``scores``: the ends of the line through a score, such as from
        :func:`birnn_course.bootstrap_interval`.
    interval : str
        What such a line is.
    limits : mapping of str to float, optional
        Label to where a dashed line stands.
    start : float, optional
        Where the axis starts, if it shall not follow from the scores.

    Raises
    ------
    CourseError
        If there is no score that is a number, or there are more than 40 rows.
    """
    rows = list(_rows(scores, intervals or {}))
    limits = limits or {}
    known = [*limits.values(), *(v for row in rows for v in _extent(row))]
    known = [value for value in known if math.isfinite(value)]
    if not known or len(rows) > MOST:
        raise CourseError(f"plot_points needs scores that are numbers, in at most {MOST} rows.")
    marks = ticks(*_range(known, "%" in xlabel, start))
    left = 16 + LETTER * max(len(row.name) for row in rows)
    top = 12 + 20 * len(limits)
    bottom = top + ROW * len(rows) + 4
    scene = Scene()

    def at(value: float) -> float:
        return left + WIDTH * (value - marks[0]) / (marks[-1] - marks[0])

    for value in marks:
        scene.add(Line([(at(value), top), (at(value), bottom)], "tile", 1))
        scene.add(Label(at(value), bottom + 14, written(value), "muted", 12))
    scene.add(Line([(left, bottom), (left + WIDTH, bottom)], "muted", 1))
    for i, (label, limit) in enumerate(limits.items()):
        y = 10 + 20 * i
        scene.add(Line([(at(limit), y + 9), (at(limit), bottom)], "text", 1.5, dashed=True))
        side = "end" if at(limit) > left + WIDTH / 2 else "start"
        scene.add(Label(at(limit), y, label, "text", 12, side))  # type: ignore[arg-type]
    for i, row in enumerate(rows):
        _draw(scene, row, top + ROW * (i + 0.5), left, at)
    below = [xlabel if marks[0] == 0 else f"{xlabel}; the axis starts at {written(marks[0])}"]
    below += _explained(rows, interval)
    for i, text in enumerate(below):
        scene.add(Label(left, bottom + 34 + 18 * i, text, "muted", 12, "start"))
    return Drawing(scene, alt)


def _rows(scores: Scores | Mapping[str, Scores], intervals: Mapping[str, object]) -> Iterable[_Row]:
    names = {
        name: None
        for group, inner in scores.items()
        for name in (inner if isinstance(inner, Mapping) else [group])
    }
    style = looks(names)
    for name, inner in scores.items():
        if isinstance(inner, Mapping):
            yield _Row(name, [])
            inside = cast("Mapping[str, Interval]", intervals.get(name, {}))
            yield from (_row(each, v, inside.get(each), style) for each, v in inner.items())
        else:
            yield _row(name, inner, cast("Interval | None", intervals.get(name)), style)


def _row(name: str, score: Score, interval: Interval | None, style: Mapping[str, Look]) -> _Row:
    values = [float(v) for v in score] if isinstance(score, Iterable) else [float(score)]
    return _Row(name, values or [math.nan], interval, style[name])


def _extent(row: _Row) -> Iterable[float]:
    yield from row.values
    yield from row.interval or ()


def _range(known: list[float], percent: bool, start: float | None) -> Interval:
    low, high = min(known), max(known)
    margin = (high - low) / 10
    if start is not None:
        low = start
    elif 0 <= low < NEAR_ZERO * high:
        low = 0.0
    else:
        low -= margin
    high += margin
    return (max(low, 0.0), min(high, 100.0)) if percent else (low, high)


def _draw(scene: Scene, row: _Row, y: float, left: float, at: Callable[[float], float]) -> None:
    if not row.values:
        scene.add(Label(4, y, row.name, size=13, anchor="start", bold=True))
        return
    scene.add(Label(left - 10, y, row.name, row.look.ink, 13, "end"))
    middle = statistics.median(row.values)
    if not math.isfinite(middle):
        scene.add(Label(left + 6, y, "no value", "muted", 12, "start"))
        return
    low, high = row.interval or (min(row.values), max(row.values))
    if low < high:
        ends = [(at(end), y) for end in (low, high)]
        scene.add(Line(ends, row.look.ink, 2))
        scene.add(*(Line([(x, y - 4), (x, y + 4)], row.look.ink, 2) for x, _ in ends))
    if len(row.values) > 1:
        scene.add(*(Line([(at(v), y - 6), (at(v), y + 6)], row.look.ink, 1) for v in row.values))
    scene.add(mark(at(middle), y, row.look, 10))
    scene.add(Label(left + WIDTH + 12, y, _value(middle), size=13, anchor="start", bold=True))


def _value(value: float) -> str:
    return f"{value:z.1f}" if 1 <= abs(value) < 10_000 else f"{value:z.3g}"


def _explained(rows: list[_Row], interval: str) -> list[str]:
    runs = {len(row.values) for row in rows if len(row.values) > 1}
    of = f"{max(runs)} runs" if len(runs) == 1 else "all runs"
    lines = [f"mark: median; line: lowest to highest of {of}"] if runs else []
    return lines + ([f"line: {interval}"] if any(row.interval for row in rows) else [])
