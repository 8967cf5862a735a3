from __future__ import annotations

import re

import pytest
import torch
from counted import work
from panels import change

from birnn_course import threshold_explorer
from birnn_course.data import IGNORED, RareEvents
from birnn_course.explore.panel import Panel

TARGETS = torch.tensor([[1, 1, 0, 0, IGNORED], [1, 0, 0, 0, 0]])
SCORES = torch.tensor([[0.9, 0.3, 0.6, 0.2, 0.99], [0.5, 0.5, 0.1, 0.1, 0.0]])


def counts(panel: Panel) -> dict[str, int]:
    return {kind: int(n) for n, kind in re.findall(r"(\d+) <small>(\w\w) ", panel.picture)}


@pytest.mark.parametrize(
    ("values", "expected", "text"),
    [
        ({}, (2, 1, 2, 4), "67 in 100 events are found and 50 in 100 alarms are right"),
        ({"threshold": 51}, (1, 2, 1, 5), "33 in 100 events are found"),
        ({"threshold": 0}, (3, 0, 6, 0), "33 in 100 alarms are right"),
        ({"threshold": 101}, (0, 3, 0, 6), "0 in 100 events are found and there is no alarm"),
        ({"miss": 10}, (2, 1, 2, 4), "cost 12, 18 less than never raising an alarm"),
        ({"alarm": 10}, (2, 1, 2, 4), "cost 21, 18 more than never raising an alarm"),
        ({"miss": 2, "alarm": 2}, (2, 1, 2, 4), "cost 6, as much as never"),
    ],
)
def test_it_counts_again(values: dict[str, int], expected: tuple[int, ...], text: str) -> None:
    panel = threshold_explorer(TARGETS, SCORES)
    assert text in change(panel, **values)
    assert counts(panel) == dict(zip(("TP", "FN", "FP", "TN"), expected, strict=True))


def test_what_is_undefined_is_called_so() -> None:
    panel = threshold_explorer(TARGETS, SCORES)
    change(panel, threshold=101)
    assert "precision" in panel.picture and panel.picture.count("undefined") == 1
    nothing = threshold_explorer(torch.zeros(3), torch.rand(3))
    assert "no event" in nothing.sentence


def test_a_value_that_cannot_be_is_a_sentence_and_the_picture_stays() -> None:
    panel = threshold_explorer(TARGETS, SCORES)
    before = panel.picture
    assert change(panel, threshold=None) == "Threshold in %: type a whole number from 0 to 101."
    assert panel.picture == before


def test_it_starts_with_the_exact_chances_and_with_presets() -> None:
    panel = threshold_explorer(threshold=5, miss=19)
    assert panel.values == {"threshold": 5, "miss": 19, "alarm": 1}
    events = RareEvents().sample(1_000, seed=0)[1]
    assert counts_total(panel) == events.numel()
    assert "less than never raising an alarm" in panel.sentence


def counts_total(panel: Panel) -> int:
    numbers = re.findall(r"([\d,]+) <small>", panel.picture)
    return sum(int(n.replace(",", "")) for n in numbers)


def test_without_a_kernel_it_is_readable() -> None:
    data, _ = threshold_explorer(TARGETS, SCORES)._repr_mimebundle_()
    assert data["text/plain"].startswith("[Where would you put the threshold? At 50 %, 67 in 100")
    assert "<table" in data["text/html"] and '<th scope="row"' in data["text/html"]
    assert "<script" not in data["text/html"]


def test_a_change_looks_at_each_event_a_few_times_and_no_more() -> None:
    events = RareEvents().sample(4_000, seed=0)[1]
    panel = threshold_explorer(events, torch.rand(events.shape))
    moved = iter(range(100))
    done = work(lambda: change(panel, threshold=next(moved)))
    assert done.numbers < 25 * events.numel()
    assert done.calls < 1_000  # and none of them per event
