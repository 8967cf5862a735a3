"""The threshold as a control: what a two-class model finds, what it costs, and for whom."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from birnn_course.data import RareEvents
from birnn_course.explore.panel import Integer, Panel, View
from birnn_course.metrics import Scores, confusion_matrix

MOST = 1_000


def threshold_explorer(
    targets: Tensor | None = None,
    scores: Tensor | None = None,
    *,
    threshold: int = 50,
    miss: int = 1,
    alarm: int = 1,
) -> Panel:
    """A viewer that counts again at every threshold, and adds up what the mistakes cost.

    Parameters
    ----------
    targets : Tensor, optional
        1 where something is to be found, 0 where not, -100 for padding; any shape.
    scores : Tensor, optional
        Probabilities of class 1, of the same shape. Without targets and scores: 1,000 sequences
        of :class:`birnn_course.data.RareEvents` with the exact chance of each event.
    threshold : int
        In percent: an alarm is raised where the score is at least this.
    miss, alarm : int
        What a missed event and a false alarm cost, in any unit.
    """
    if targets is None or scores is None:
        task = RareEvents()
        readings, targets = task.sample(1_000, seed=0)
        scores = task.chance(readings)
    return Panel(
        "threshold",
        "Where would you put the threshold?",
        [
            Integer("threshold", "Threshold in %", 0, 101),
            Integer("miss", "Cost of a missed event", 0, MOST),
            Integer("alarm", "Cost of a false alarm", 0, MOST),
        ],
        {"threshold": threshold, "miss": miss, "alarm": alarm},
        partial(_draw, targets.cpu(), scores.detach().cpu()),
    )


def _draw(targets: Tensor, scores: Tensor, threshold: int, miss: int, alarm: int) -> View:
    called = scores >= torch.tensor(threshold / 100, dtype=scores.dtype)
    result = Scores(confusion_matrix(targets, called.long(), 2))
    return View(_tables(result, miss, alarm), _sentence(result, threshold, miss, alarm))


def _cost(result: Scores, miss: int, alarm: int) -> int:
    (_, false_alarms), (missed, _) = result.matrix.tolist()
    return int(miss * missed + alarm * false_alarms)


def _sentence(result: Scores, threshold: int, miss: int, alarm: int) -> str:
    n_events, n_alarms = int(result.support[1]), int(result.predicted[1])
    found, cost = int(result.matrix[1, 1]), _cost(result, miss, alarm)
    if n_alarms:
        right = f"and {100 * found / n_alarms:.0f} in 100 alarms are right"
    else:
        right = "and there is no alarm that could be right"
    of_all = f"{100 * found / n_events:.0f} in 100 events are found" if n_events else "no event"
    silent = miss * n_events
    if cost == silent:
        worth = "as much as never raising an alarm"
    else:
        than = "less" if cost < silent else "more"
        worth = f"{abs(cost - silent):,} {than} than never raising an alarm"
    return f"At {threshold} %, {of_all} {right}. The mistakes cost {cost:,}, {worth}."


def _tables(result: Scores, miss: int, alarm: int) -> str:
    (tn, fp), (fn, tp) = result.matrix.tolist()
    edge = "padding:.25em .8em;text-align:right;border-bottom:1px solid"
    side = "padding:.25em .8em;text-align:left"

    def cell(kind: str, n: int, *, right: bool) -> str:
        mark = "✓" if right else "✗"
        weight = "normal" if right else "bold"
        return f'<td style="{edge};font-weight:{weight}">{n:,} <small>{kind} {mark}</small></td>'

    counts = (
        '<table style="border-collapse:collapse;display:inline-table;margin-right:2em">'
        "<caption>Counts: rows are true, columns predicted; ✓ right, ✗ a mistake</caption>"
        f'<thead><tr><td></td><th scope="col" style="{side}">no alarm</th>'
        f'<th scope="col" style="{side}">alarm</th></tr></thead><tbody>'
        f'<tr><th scope="row" style="{side}">no event</th>{cell("TN", tn, right=True)}'
        f"{cell('FP', fp, right=False)}</tr>"
        f'<tr><th scope="row" style="{side}">event</th>{cell("FN", fn, right=False)}'
        f"{cell('TP', tp, right=True)}</tr></tbody></table>"
    )
    ratios = {
        "precision": float(result.precision[1]),
        "recall": float(result.recall[1]),
        "F1": float(result.f1[1]),
        "accuracy": result.accuracy,
    }
    rows = "".join(
        f'<tr><th scope="row" style="{side}">{name}</th><td style="{edge}">{_ratio(value)}</td>'
        f'<td style="padding-left:.8em">{_bar(value)}</td></tr>'
        for name, value in ratios.items()
    )
    rows += (
        f'<tr><th scope="row" style="{side}">cost</th>'
        f'<td style="{edge}">{_cost(result, miss, alarm):,}</td><td></td></tr>'
    )
    return (
        f'{counts}<table style="border-collapse:collapse;display:inline-table">'
        "<caption>What follows from them, for events</caption>"
        f"<tbody>{rows}</tbody></table>"
    )


def _ratio(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _bar(value: float) -> str:
    width = 0.0 if math.isnan(value) else 8 * value
    return (
        '<div style="width:8em;border:1px solid" aria-hidden="true">'
        f'<div style="width:{width:.2f}em;height:.7em;background:currentColor"></div></div>'
    )
