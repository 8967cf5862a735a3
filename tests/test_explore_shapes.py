from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from counted import work
from torch import nn

from birnn_course import shape_explorer
from birnn_course.explore import shapes
from birnn_course.explore.panel import Panel


def explore(**values: Any) -> Panel:
    """What the browser does when controls move."""
    panel = shape_explorer()
    panel.values = {**panel.values, **values}
    return panel


def rows(panel: Panel, name: str) -> dict[str, tuple[str, list[str]]]:
    """Block of a state to its owner and the slices of output it equals."""
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", panel.picture):
        head = re.match(rf"<th[^>]*><code>({name}\[\d+\])</code></th>", row)
        if head:
            owner, where = re.findall(r"<td[^>]*>(.*?)</td>", row)
            found[head[1]] = (owner, re.findall(r"<code>(.*?)</code>", where))
    return found


def test_one_layer_both_ways() -> None:
    panel = shape_explorer()
    assert panel.sentence == "x (3, 6, 5) gives output (3, 6, 4) and h_n (2, 3, 2)."
    assert rows(panel, "h_n") == {
        "h_n[0]": ("layer 0, forward", ["output[:, 5, 0:2]"]),
        "h_n[1]": ("layer 0, backward", ["output[:, 0, 2:4]"]),
    }


def test_two_layers_of_an_lstm_time_first() -> None:
    panel = explore(cell="lstm", num_layers=2, batch_first="False")
    assert panel.sentence == (
        "x (6, 3, 5) gives output (6, 3, 4), h_n (4, 3, 2) and c_n (4, 3, 2)."
    )
    assert rows(panel, "h_n") == {
        "h_n[0]": ("layer 0, forward", []),
        "h_n[1]": ("layer 0, backward", []),
        "h_n[2]": ("layer 1, forward", ["output[5, :, 0:2]"]),
        "h_n[3]": ("layer 1, backward", ["output[0, :, 2:4]"]),
    }
    assert [owner for owner, _ in rows(panel, "c_n").values()] == [
        "layer 0, forward",
        "layer 0, backward",
        "layer 1, forward",
        "layer 1, backward",
    ]
    assert all(where == [] for _, where in rows(panel, "c_n").values())


def test_one_direction() -> None:
    panel = explore(directions="one", cell="rnn")
    assert "output (3, 6, 2) and h_n (1, 3, 2)" in panel.sentence
    assert rows(panel, "h_n") == {"h_n[0]": ("layer 0, forward", ["output[:, 5, 0:2]"])}


def test_one_step_holds_both_final_states() -> None:
    panel = explore(seq_len=1)
    places = [where for _, where in rows(panel, "h_n").values()]
    assert places == [["output[:, 0, 0:2]"], ["output[:, 0, 2:4]"]]


def test_the_labels_are_found_by_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that stacks its states the other way round gets other labels."""

    class Reversed(nn.GRU):
        def forward(self, x: Any, state: Any = None) -> Any:
            output, h_n = super().forward(x, state)
            return output, h_n.flip(0)

    monkeypatch.setitem(shapes.CELLS, "gru", Reversed)
    assert rows(explore(num_layers=2), "h_n")["h_n[3]"][0] != "layer 1, backward"
    assert rows(explore(), "h_n")["h_n[0]"][1] == ["output[:, 0, 2:4]"]


def test_a_value_that_cannot_be_is_a_sentence_and_the_picture_stays() -> None:
    panel = shape_explorer()
    before = panel.picture
    panel.values = {**panel.values, "num_layers": 4}
    assert panel.sentence == "num_layers: type a whole number from 1 to 3."
    panel.values = {**panel.values, "num_layers": 1, "batch_first": "maybe"}
    assert panel.sentence == "batch_first: choose True or False."
    assert panel.picture == before


def test_exploring_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    explore(cell="lstm")
    assert torch.equal(torch.randn(3), expected)


def test_without_a_kernel_it_is_readable() -> None:
    data, _ = shape_explorer()._repr_mimebundle_()
    assert data["text/plain"].startswith("[Which block is which? x (3, 6, 5) gives output")
    assert data["text/html"].count("<table") == 2
    assert "Run this cell" in data["text/html"]


def test_the_largest_setting_is_drawn_with_little_work() -> None:
    sizes = ("num_layers", "batch", "seq_len", "input_size", "hidden_size")
    largest = dict(zip(sizes, (3, 9, 9, 9, 9), strict=True))
    done = work(lambda: explore(cell="lstm", **largest))
    assert done.calls < 20_000 and done.numbers < 1_000_000
