"""Training as a race: loss and score of each model while it learns, drawn as it runs.

:func:`birnn_course.fit` tells a lane after each step what the model said; the rest is here.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from birnn_course.data.batches import IGNORED
from birnn_course.draw.charts import legend, mark, ticks, written
from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import Look, looks, style
from birnn_course.draw.live import Live, Pace, after_this_cell, kernel
from birnn_course.draw.scene import Label, Line, Scene
from birnn_course.errors import CourseError

Learned = Callable[[Tensor, Tensor, Tensor, Tensor], None]
"""Takes inputs, targets, scores and loss of a step."""

POINTS = 40  # of each curve, about
WINDOW = 3  # points whose targets make one score: few have little to say
WIDTH, HEIGHT = 250.0, 130.0  # of a panel, in pixels
LEFT, BETWEEN = 48.0, 64.0


class Point(NamedTuple):
    """What was learned since the point before it, summed over targets."""

    epoch: float
    loss: float
    targets: int
    right: int
    counted: int


class Race:
    """Loss and accuracy of models while they are trained, in one picture, with known limits.

    Each model gets a lane: ``fit(tagger, batches, epochs=4, watch=race.lane("both ways"))``. In a
    notebook the picture grows while the cell runs and stays below it, with a line of text. Every
    batch is scored before the model learns from it, so in the first epoch on what it has never
    seen.

    Parameters
    ----------
    where : callable, optional
        Maps inputs to a bool tensor of the targets' shape: score these only.
    limits : mapping of str to float, optional
        Label to an accuracy between 0 and 1, as :meth:`birnn_course.TaggingTask.limit` knows it.
    alt : str, optional
        What the picture shows, as a claim; never a trained number. Without it, what is drawn.

    Attributes
    ----------
    losses, scores : dict of str to float
        Name of each model to its loss per target in nats, and its accuracy between 0 and 1, in the
        last epoch.

    Raises
    ------
    CourseError
        If a limit is no share.
    """

    def __init__(
        self,
        *,
        where: Callable[[Tensor], Tensor] | None = None,
        limits: Mapping[str, float] | None = None,
        alt: str = "",
    ) -> None:
        self._where = where
        self._limits = {label: float(limit) for label, limit in (limits or {}).items()}
        for label, limit in self._limits.items():
            if not 0 <= limit <= 1:
                raise CourseError(f"{label}: give the limit as a share from 0 to 1, not {limit}.")
        self._alt = alt
        self._lanes: dict[str, Lane] = {}
        self._live: Live | None = None

    def lane(self, name: str) -> Lane:
        """A lane for one model; a lane of the same name that was there before is forgotten."""
        self._lanes.pop(name, None)
        lane = self._lanes[name] = Lane(self, name)
        return lane

    @property
    def losses(self) -> dict[str, float]:
        """Loss per target of the last epoch, in nats."""
        return {name: lane.loss for name, lane in self._lanes.items()}

    @property
    def scores(self) -> dict[str, float]:
        """Accuracy of the last epoch, between 0 and 1."""
        return {name: lane.score for name, lane in self._lanes.items()}

    def _place(self) -> Live:
        """Where the picture grows: one place for all lanes of a cell."""
        if self._live is None:
            self._live = Live()
            after_this_cell(self._leave)
        return self._live

    def _leave(self) -> Race:
        if self._live:
            self._live.close()
        self._live = None
        return self

    def _claim(self) -> str:
        limits = "".join(f", with {label} as a dashed line" for label in self._limits)
        return self._alt or (
            f"Loss and accuracy while training, epoch by epoch: {', '.join(self._lanes)}{limits}."
        )

    def _scene(self, news: str = "") -> Scene:
        return draw_race(self._lanes, self._limits, news)

    def _page(self, news: str) -> str:
        """The picture while it grows."""
        claim = html.escape(self._claim())
        svg = self._scene(news).svg().replace("<svg ", f'<svg role="img" aria-label="{claim}" ', 1)
        return f'<figure class="birnn-draw"><style>{style()}</style>{svg}</figure>'

    def _sentence(self) -> str:
        ended = (f"{name}: {lane.outcome()}" for name, lane in self._lanes.items())
        return f"{' · '.join(ended)}."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        if not self._lanes:
            return {"text/plain": "[A race without a model.]"}
        drawn = Drawing(self._scene(), self._claim())._repr_mimebundle_()
        line = self._sentence()
        return {
            **drawn,
            "text/plain": f"{drawn['text/plain']}\n{line}",
            "text/html": f"{drawn['text/html']}<p>{html.escape(line)}</p>",
        }


class Lane:
    """What one model has learned so far; see :meth:`Race.lane`."""

    def __init__(self, race: Race, name: str) -> None:
        self._race = race
        self.name = name
        self.epochs = 0
        self.points: list[Point] = []

    @property
    def loss(self) -> float:
        """Loss per target of the last epoch, in nats."""
        return _loss(self._last_epoch())

    @property
    def score(self) -> float:
        """Accuracy of the last epoch, between 0 and 1."""
        return _share(self._last_epoch())

    def outcome(self) -> str:
        """The last epoch in words; what training moves stands behind ≈."""
        reached = self.points[-1].epoch if self.points else 0.0
        epochs = f"{self.epochs} epoch{'s' if self.epochs != 1 else ''}"
        if reached < self.epochs:
            epochs = f"stopped in epoch {math.floor(reached) + 1} of {self.epochs}"
        return f"{epochs}, loss ≈ {self.loss:.2g}, accuracy ≈ {100 * self.score:.1f} %"

    def _last_epoch(self) -> list[Point]:
        return [point for point in self.points if point.epoch > self.points[-1].epoch - 1]

    @contextmanager
    def watching(self, epochs: int, n_batches: int, stays: bool = True) -> Iterator[Learned]:
        """For the time of a training: what is called after each of its steps.

        Parameters
        ----------
        epochs, n_batches : int
            How many, and how many in each.
        stays : bool
            Whether the picture is left behind.
        """
        self.epochs, self.points = epochs, []
        shell = kernel()
        if not (shell or stays):
            yield lambda *_: None
            return
        place = (self._race._place() if stays else Live()) if shell else None
        per_epoch = max(1, min(POINTS // epochs, n_batches))
        pace, tally = Pace(), _Tally(self._race._where)
        done = 0

        def learned(inputs: Tensor, targets: Tensor, scores: Tensor, loss: Tensor) -> None:
            nonlocal done
            tally.add(inputs, targets, scores, loss)
            done += 1
            if done * per_epoch // n_batches == (done - 1) * per_epoch // n_batches:
                return
            self.points.append(Point(done / n_batches, *tally.take()))
            if place and pace.due():
                epoch = math.ceil(done / n_batches)
                left = pace.left(done / (epochs * n_batches))
                news = f"{self.name}: epoch {epoch} of {epochs}, about {left:.0f} s left"
                place.show(self._race._page(news))
                pace.drawn()

        try:
            yield learned
        finally:
            if place and not stays:
                place.close()


class _Tally:
    """Counts that stay where they are made until they are read: a GPU would wait for each."""

    def __init__(self, where: Callable[[Tensor], Tensor] | None) -> None:
        self._where = where
        self._sums: list[tuple[Tensor, ...]] = []

    def add(self, inputs: Tensor, targets: Tensor, scores: Tensor, loss: Tensor) -> None:
        # Few operations: on short steps their number is what watching costs.
        known = targets != IGNORED
        right = scores.argmax(-1) == targets  # no class has the number of what is ignored
        n = scored = known.sum()
        if self._where:
            counted = known & self._where(inputs)
            right, scored = right & counted, counted.sum()
        self._sums.append((loss, n, right.sum(), scored))

    def take(self) -> tuple[float, int, int, int]:
        """Loss, targets, right answers and scored targets since the last time."""
        losses, *counts = (torch.stack(column) for column in zip(*self._sums, strict=True))
        self._sums.clear()
        targets, right, scored = torch.stack(counts).sum(1).tolist()
        return (losses * counts[0]).sum().item(), targets, right, scored


def draw_race(lanes: Mapping[str, Lane], limits: Mapping[str, float], news: str = "") -> Scene:
    """Two panels side by side, loss and accuracy, with a line for each lane."""
    scene = Scene()
    look = looks(lanes)
    losses = {
        name: [(point.epoch, _loss([point])) for point in lane.points]
        for name, lane in lanes.items()
    }
    heights = (y for curve in losses.values() for _, y in curve if math.isfinite(y))
    scores = {name: _smooth(lane.points) for name, lane in lanes.items()}
    right = LEFT + WIDTH + BETWEEN
    top = legend(scene, look, limits, LEFT, right + WIDTH - LEFT) + 12
    epochs = max((lane.epochs for lane in lanes.values()), default=1)
    first = _Panel(LEFT, top, epochs, ticks(0, max(heights, default=1.0), 3)[-1])
    second = _Panel(right, top, epochs, 1.0)
    for panel, title, curves in (
        (first, "loss in nats", losses),
        (second, "accuracy while training", scores),
    ):
        panel.draw(scene, title)
        for name, curve in curves.items():
            every = math.ceil(len(curve) * max(len(lanes), 2) / (2 * POINTS)) or 1
            panel.trace(scene, curve[::-every][::-1], look[name])
    for limit in limits.values():
        ends = [second.place(epoch, limit) for epoch in (0, epochs)]
        scene.add(Line(ends, "text", 1.5, dashed=True))
        scene.add(Label(ends[1][0] + 6, ends[1][1], f"{100 * limit:.3g} %", "text", 12, "start"))
    if news:
        scene.add(Label(LEFT, top + HEIGHT + 74, news, "text", 13, "start"))
    return scene


class _Panel(NamedTuple):
    """Axes: epochs to the right, from zero to ``most`` upwards."""

    left: float
    top: float
    epochs: int
    most: float

    def place(self, epoch: float, value: float) -> tuple[float, float]:
        """Where a point stands on the sheet."""
        share = min(max(value / self.most, 0.0), 1.0)
        y = self.top + 20 + HEIGHT * (1 - share)
        return self.left + WIDTH * epoch / self.epochs, y

    def draw(self, scene: Scene, title: str) -> None:
        """The frame, with round numbers."""
        scene.add(Label(self.left, self.top, title, size=13, anchor="start", bold=True))
        percent = title.startswith("accuracy")
        for value in ticks(0, self.most, 3):
            ends = [self.place(epoch, value) for epoch in (0, self.epochs)]
            text = f"{100 * value:.0f} %" if percent else written(value)
            scene.add(Line(ends, "pad-soft" if value else "muted", 1))
            scene.add(Label(self.left - 6, ends[0][1], text, "muted", 12, "end"))
        for epoch in ticks(0, self.epochs, 5):
            if epoch <= self.epochs and epoch == int(epoch):
                x, y = self.place(epoch, 0)
                scene.add(Label(x, y + 14, written(epoch), "muted", 12))
        x, y = self.place(self.epochs / 2, 0)
        scene.add(Label(x, y + 30, "epoch", "muted", 12))

    def trace(self, scene: Scene, curve: list[tuple[float, float]], look: Look) -> None:
        """One line, with a mark now and then."""
        exact = (self.place(*point) for point in curve if math.isfinite(point[1]))
        points = [(round(x), round(y)) for x, y in exact]  # whole pixels are enough, and short
        if len(points) > 1:
            scene.add(Line(points, look.ink, 2))
        scene.add(*(mark(x, y, look) for x, y in points[:: -(len(points) // 6 or 1)]))


def _smooth(points: list[Point]) -> list[tuple[float, float]]:
    return [
        (point.epoch, _share(points[max(0, i + 1 - WINDOW) : i + 1]))
        for i, point in enumerate(points)
    ]


def _loss(points: list[Point]) -> float:
    targets = sum(point.targets for point in points)
    return sum(point.loss for point in points) / targets if targets else math.nan


def _share(points: list[Point]) -> float:
    counted = sum(point.counted for point in points)
    return sum(point.right for point in points) / counted if counted else math.nan
