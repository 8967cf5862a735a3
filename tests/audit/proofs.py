"""Ways to show, without the audit, that a model is faulty or right."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audit.pieces import Made, mask_of

FAR, NEAR = 1e-3, 1e-5


class Bench:
    """A made case, whatever its layout, with batch-first questions."""

    def __init__(self, made: Made) -> None:
        self.model, batch, self.told = made
        if isinstance(self.model, nn.Module):
            self.model.eval()
        asked = getattr(self.model, "forward", self.model)
        self.takes_lengths = len(inspect.signature(asked).parameters) > 1
        lengths = self.told.get("lengths")
        first = self.told.get("batch_first")
        self.time_first = first is False or (
            first is None and lengths is not None and len(lengths) != len(batch)
        )
        self.inputs = self.turned(batch)
        whole = torch.full((len(self.inputs),), self.inputs.shape[1])
        self.lengths: Tensor = whole if lengths is None else lengths
        self.pad = self.told.get("pad_value", 0)

    def turned(self, x: Tensor) -> Tensor:
        """From batch first to the model's layout or back."""
        return x.transpose(0, 1) if self.time_first else x

    def ask(self, inputs: Tensor | None = None, lengths: Tensor | None = None) -> Tensor:
        """What the model answers, batch first."""
        inputs = self.inputs if inputs is None else inputs
        lengths = self.lengths if lengths is None else lengths
        batch = self.turned(inputs).contiguous()
        with torch.no_grad():
            if self.takes_lengths:
                result = self.model(batch, lengths=lengths.clone())
            else:
                result = self.model(batch)
        scores = result[0] if isinstance(result, tuple) else result
        return self.turned(scores) if scores.dim() == 3 else scores

    def real(self, scores: Tensor, i: int) -> Tensor:
        """Of sequence ``i``, without what is said about pads."""
        return scores[i, : self.lengths[i]] if scores.dim() == 3 else scores[i]

    def alone(self, i: int) -> Tensor:
        """What the model says of one sequence without neighbours and without pads."""
        return self.ask(self.inputs[i : i + 1, : self.lengths[i]], self.lengths[i : i + 1])[0]

    def other(self, *where: Any) -> Tensor:
        """The inputs, with something else at one place."""
        inputs = self.inputs.clone()
        if inputs.is_floating_point():
            inputs[where] = inputs[where] + 1.5
        else:
            most = int(inputs.max())
            inputs[where] = 1 + inputs[where] % (most - 1)  # neither 0 nor the same id
        return inputs

    def more_pads(self, x: Tensor, pad: float, n: int = 5) -> Tensor:
        """A batch-first tensor with ``n`` more steps of padding."""
        return torch.cat([x, torch.full_like(x[:, :1], pad).repeat_interleave(n, 1)], dim=1)


Proof = Callable[[Bench], None]


def gap(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


def from_alone(bench: Bench) -> float:
    scores = bench.ask()
    return max(gap(bench.real(scores, i), bench.alone(i)) for i in range(len(bench.lengths)))


# Of faulty models.


def alone_differs(bench: Bench) -> None:
    """A sequence in the batch is not answered as the same sequence alone."""
    assert from_alone(bench) > FAR


def neighbour_reaches(bench: Bench) -> None:
    """Another sequence in the batch changes the answer."""
    before = bench.ask()
    gaps = []
    for j in range(len(bench.lengths)):
        after = bench.ask(bench.other(j, slice(bench.lengths[j])))
        gaps += [
            gap(bench.real(before, i), bench.real(after, i)) for i in range(len(before)) if i != j
        ]
    assert max(gaps) > FAR


def more_pads_reach(bench: Bench) -> None:
    """Nothing but a wider batch changes the answer."""
    before, after = bench.ask(), bench.ask(bench.more_pads(bench.inputs, bench.pad))
    n = range(len(before))
    assert max(gap(bench.real(before, i), bench.real(after, i)) for i in n) > FAR


def future_reaches(bench: Bench) -> None:
    """The first step's answer knows a later input."""
    last = int(bench.lengths[0]) - 1
    assert gap(bench.ask()[0, 0], bench.ask(bench.other(0, last))[0, 0]) > 1e-6


def without_effect(*weights: str, rows: slice = slice(None)) -> Proof:
    """The answer stays when these weights change: what they compute is thrown away."""

    def proof(bench: Bench) -> None:
        assert isinstance(bench.model, nn.Module)
        before = bench.ask()
        for name in weights:
            with torch.no_grad():
                bench.model.get_parameter(name)[rows] += 1
        assert gap(before, bench.ask()) < 1e-6

    return proof


def pads_of(bench: Bench) -> Tensor:
    return ~mask_of(bench.lengths, bench.inputs.shape[1])


def judged(bench: Bench, what: str, scores: Tensor, targets: Tensor) -> float:
    """Loss or metric of batch-first scores and targets in the user's layout."""
    return float(bench.told[what](bench.turned(scores), targets))


def scores_at_pads_count(what: str) -> Proof:
    """What the model says about pads changes the loss or the metric."""

    def proof(bench: Bench) -> None:
        assert changed_by_pads(bench, what) > FAR

    return proof


def changed_by_pads(bench: Bench, what: str) -> float:
    scores, targets = bench.ask(), bench.told["targets"]
    at_pads = scores.clone()
    at_pads[pads_of(bench)] = 9 * F.one_hot(torch.tensor(1), scores.shape[-1]).to(scores)
    return abs(judged(bench, what, scores, targets) - judged(bench, what, at_pads, targets))


# Of right models.


def each_as_if_alone(bench: Bench) -> None:
    """Every sequence is answered as the same sequence alone, and the answers are not all one."""
    assert from_alone(bench) < NEAR
    scores = bench.ask()
    assert gap(scores[0], scores[1]) > FAR


def never_sees_ahead(bench: Bench) -> None:
    """No input changes the answer of an earlier step."""
    before = bench.ask()
    for s in range(1, bench.inputs.shape[1]):
        assert gap(before[:, :s], bench.ask(bench.other(slice(None), s))[:, :s]) < NEAR


def pads_do_not_count(what: str) -> Proof:
    """Neither what is said about pads nor their number changes the loss or the metric."""

    def proof(bench: Bench) -> None:
        assert changed_by_pads(bench, what) < NEAR

    return proof
