"""What a slice is made of, and what it has read, against PyTorch's own values and gradients."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from birnn_course.draw import slices
from birnn_course.draw.slices import Results, Slice
from birnn_course.models import CELLS

B, T, H = 3, 5, 4
BOTH = ("forward", "backward")
SUMMARY = "torch.cat([h_n[-2], h_n[-1]], dim=1)"


def made(kind: str = "gru", layers: int = 1, both: bool = True, first: bool = True) -> nn.RNNBase:
    torch.manual_seed(0)
    return CELLS[kind](3, H, layers, bidirectional=both, batch_first=first)


def batch(first: bool = True) -> Tensor:
    torch.manual_seed(1)
    x = torch.randn(B, T, 3)
    return x if first else x.transpose(0, 1)


def read(text: str, layers: int = 1, both: bool = True) -> tuple[Results, Slice]:
    rnn = made(layers=layers, both=both)
    return slices.run(rnn, batch()), slices.read(rnn, batch(), text)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_final_states_are_found_at_opposite_ends(
    kind: str, layers: int, both: bool, first: bool
) -> None:
    results = slices.run(made(kind, layers, both, first), batch(first))
    places = [results.places(block) for block in results.states["h_n"]]
    ends = [[(T - 1, 0)], [(0, 1)]][: results.directions]
    assert places == [[]] * (layers - 1) * results.directions + ends
    assert all(results.places(block) == [] for block in results.states.get("c_n", []))


def test_a_module_that_stacks_its_states_otherwise_is_seen() -> None:
    results = slices.run(made(), batch())
    turned = Results(results.output, {"h_n": results.states["h_n"].flip(0)})
    assert turned.places(turned.states["h_n"][0]) == [(0, 1)]


@pytest.mark.parametrize(
    ("text", "lit"),
    [
        ("output[:, -1]", {("output", b, T - 1, half) for b in range(B) for half in (0, 1)}),
        ("output[:, 0, H:]", {("output", b, 0, 1) for b in range(B)}),
        ("output[1, 2:4, :H]", {("output", 1, 2, 0), ("output", 1, 3, 0)}),
        ("h_n[-1]", {("h_n", b, 1, 0) for b in range(B)}),
        (SUMMARY, {("h_n", b, i, 0) for b in range(B) for i in (0, 1)}),
        ("h_n.transpose(0, 1).reshape(B, -1)[0]", {("h_n", 0, i, 0) for i in (0, 1)}),
    ],
)
def test_a_slice_is_lit_where_its_numbers_stand(
    text: str, lit: set[tuple[str, int, int, int]]
) -> None:
    assert slices.taken(slices.run(made(), batch()), text).lit == lit


def test_time_first_the_same_code_takes_something_else() -> None:
    results = slices.run(made(first=False), batch(first=False))
    found = slices.taken(results, "output[:, -1]")
    assert found.shape == (T, 2 * H)
    assert found.lit == {("output", B - 1, t, half) for t in range(T) for half in (0, 1)}


def steps_by_gradient(rnn: nn.RNNBase, x: Tensor, t: int, half: int) -> tuple[int, ...]:
    """Which steps of the input have a gradient from one half of one output."""
    x = x.clone().requires_grad_()
    rnn(x)[0][:, t, half * H : (half + 1) * H].sum().backward()
    assert x.grad is not None
    return tuple(x.grad.abs().sum((0, 2)).nonzero().flatten().tolist())


@pytest.mark.parametrize("layers", [1, 2])
def test_what_a_slice_has_read_is_what_has_a_gradient(layers: int) -> None:
    rnn = made("lstm", layers)
    for t, half in itertools.product(range(T), (0, 1)):
        text = f"output[:, {t}, {half} * H:{half + 1} * H]"
        (part,) = slices.read(rnn, batch(), text).parts
        assert part.steps == steps_by_gradient(rnn, batch(), t, half)
        assert (part.reader, part.layer, part.share) == (BOTH[half], layers - 1, "all of it")


@pytest.mark.parametrize(
    ("text", "layers", "ink", "sentence"),
    [
        ("output[:, -1]", 1, "wrong", "Half of it has read one step only."),
        ("output[:, 0]", 1, "wrong", "Half of it has read one step only."),
        ("output[:, 1, :H]", 1, "wrong", "All of it has read 2 of 5 steps."),
        ("output[:, -1]", 2, "right", "All of it has read every step, from both ends."),
        (SUMMARY, 1, "right", "All of it has read every step, from both ends."),
        ("h_n[-1]", 1, "text", "It has read every step, with the backward reader alone."),
        (SUMMARY.replace("-2", "0").replace("-1", "1"), 2, "text",
         "It has read every step, but there is layer 1 in it, not only the last."),
        ("h_n.reshape(B, -1)", 1, "wrong",
         "A row of it has read sequences 0 and 1: they are mixed."),
        ("h_n.transpose(0, 1).reshape(B, -1)", 1, "right",
         "All of it has read every step, from both ends."),
        ("torch.cat([output[:, -1, :H], output[:, 0, H:]], dim=1)", 1, "right",
         "All of it has read every step, from both ends."),
    ],
)  # fmt: skip
def test_the_verdict_says_what_was_measured(
    text: str, layers: int, ink: str, sentence: str
) -> None:
    assert slices.verdict(*read(text, layers)) == (ink, sentence)


def test_left_to_right_the_last_step_is_the_summary() -> None:
    assert slices.verdict(*read("output[:, -1]", both=False)) == (
        "right",
        "All of it has read every step.",
    )


def test_a_reader_that_is_deaf_is_found() -> None:
    """What it has read is measured: a reader without input weights has read nothing."""
    rnn = made()
    with torch.no_grad():
        rnn.weight_ih_l0_reverse.zero_()
    found = slices.read(rnn, batch(), SUMMARY)
    assert [part.steps for part in found.parts] == [tuple(range(T)), ()]
    ink, sentence = slices.verdict(slices.run(rnn, batch()), found)
    assert (ink, sentence) == ("wrong", "Half of it has read 0 of 5 steps.")
