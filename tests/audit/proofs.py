"""Ways to show, without the audit, that a model is faulty or right."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audit.pieces import HIDDEN, Made, mask_of

FAR, NEAR = 1e-3, 1e-5


class Bench:
    """A made case, whatever its layout, with batch-first questions."""

    def __init__(self, made: Made) -> None:
        self.model, batch, self.options = made
        if isinstance(self.model, nn.Module):
            self.model.eval()
        asked = inspect.signature(getattr(self.model, "forward", self.model)).parameters
        self.lengths_as = list(asked.values())[1].kind if len(asked) > 1 else None
        lengths = self.options.get("lengths")
        first = self.options.get("batch_first")
        self.time_first = first is False or (
            first is None and lengths is not None and len(lengths) != len(batch)
        )
        self.inputs = self.turned(batch)
        full = torch.full((len(self.inputs),), self.inputs.shape[1])
        self.lengths: Tensor = full if lengths is None else lengths
        self.pad = self.options.get("pad_value", 0)

    def turned(self, x: Tensor) -> Tensor:
        """From batch first to the model's layout or back."""
        return x.transpose(0, 1) if self.time_first else x

    def ask(self, inputs: Tensor | None = None, lengths: Tensor | None = None) -> Tensor:
        """What the model answers, batch first."""
        inputs = self.inputs if inputs is None else inputs
        lengths = self.lengths if lengths is None else lengths
        batch = self.turned(inputs).contiguous()
        with torch.no_grad():
            if self.lengths_as is None:
                result = self.model(batch)
            elif self.lengths_as is inspect.Parameter.KEYWORD_ONLY:
                result = self.model(batch, lengths=lengths.clone())
            else:
                result = self.model(batch, lengths.clone())
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


def pad_content_reaches(bench: Bench) -> None:
    """What stands in the pads changes the answer."""
    before, after = bench.ask(), bench.ask(bench.other(pads_of(bench)))
    assert max(gap(bench.real(before, i), bench.real(after, i)) for i in range(len(before))) > FAR


def answers_vary(bench: Bench) -> None:
    """The same question, asked twice in eval mode, has two answers."""
    assert gap(bench.ask(), bench.ask()) > FAR


def sight_ahead(bench: Bench) -> float:
    """How much an input changes the answers of earlier steps."""
    before, steps = bench.ask(), range(1, bench.inputs.shape[1])
    gaps = []
    for s in steps:
        after = bench.ask(bench.other(bench.lengths > s, s))
        gaps.append(gap(before[:, :s], after[:, :s]))
    return max(gaps)


def future_reaches(bench: Bench) -> None:
    """An earlier step's answer knows a later input."""
    assert sight_ahead(bench) > FAR


def blind(*, to: int, at: int | None = None) -> Proof:
    """Input step ``to`` of the first sequence does not reach its answer (at step ``at``)."""

    def proof(bench: Bench) -> None:
        before, after = bench.ask()[0], bench.ask(bench.other(0, to))[0]
        assert (gap(before, after) if at is None else gap(before[at], after[at])) < 1e-7

    return proof


def last_input_unread(bench: Bench) -> None:
    """The last real input of some sequence changes none of its answers."""
    before = bench.ask()
    gaps = []
    for i, end in enumerate(bench.lengths.tolist()):
        gaps.append(gap(before[i], bench.ask(bench.other(i, end - 1))[i]))
    assert min(gaps) < 1e-7


def data_beyond_the_length_unread(bench: Bench) -> None:
    """Short sequences have ids behind their length, and these change no answer of theirs."""
    short = bench.lengths < bench.inputs.shape[1]
    assert (bench.inputs[short, -1] != bench.pad).all()
    before, after = bench.ask()[short], bench.ask(bench.other(short, -1))[short]
    assert gap(before, after) < 1e-7


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


def cell_state_is_read(bench: Bench) -> None:
    """After one step the output gate, which makes the hidden state, has no say in the answer."""
    bench.inputs, bench.lengths = bench.inputs[:, :1], torch.ones_like(bench.lengths)
    gate = slice(3 * HIDDEN, 4 * HIDDEN)
    without_effect("rnn.weight_ih_l0", "rnn.weight_ih_l0_reverse", rows=gate)(bench)


def pads_of(bench: Bench) -> Tensor:
    return ~mask_of(bench.lengths, bench.inputs.shape[1])


def judged(bench: Bench, what: str, scores: Tensor, targets: Tensor) -> float:
    """Loss or metric of batch-first scores and targets in the user's layout."""
    return float(bench.options[what](bench.turned(scores), targets))


def scores_at_pads_count(what: str) -> Proof:
    """What the model says about pads changes the loss or the metric."""

    def proof(bench: Bench) -> None:
        assert changed_by_pads(bench, what) > FAR

    return proof


def changed_by_pads(bench: Bench, what: str) -> float:
    scores, targets = bench.ask(), bench.options["targets"]
    before, after = judged(bench, what, scores, targets), []
    for sure in 9 * torch.eye(scores.shape[-1], dtype=scores.dtype):
        other = scores.clone()
        other[pads_of(bench)] = sure
        after.append(judged(bench, what, other, targets))
    return max(abs(before - value) for value in after)


def changed_by_width(bench: Bench, what: str) -> float:
    scores, targets = bench.ask(), bench.options["targets"]
    filler = bench.turned(targets)[pads_of(bench)][0].item()
    wider = bench.turned(bench.more_pads(bench.turned(targets), filler))
    return abs(
        judged(bench, what, scores, targets)
        - judged(bench, what, bench.more_pads(scores, 0), wider)
    )


def width_counts(what: str) -> Proof:
    """More padding changes the loss or the metric."""

    def proof(bench: Bench) -> None:
        assert changed_by_width(bench, what) > FAR

    return proof


def perfect_scores_are_punished(bench: Bench) -> None:
    """The loss of scores that are right everywhere is far from zero."""
    targets = bench.options["targets"]
    perfect = 30 * F.one_hot(targets.clamp(min=0), bench.ask().shape[-1]).float()
    assert judged(bench, "loss", perfect, targets) > 1


def first_tag_does_not_count(bench: Bench) -> None:
    """What the model says about real tokens with tag 0 does not change the loss."""
    scores, targets = bench.ask(), bench.options["targets"]
    at_zero = (targets == 0) & ~pads_of(bench)
    assert at_zero.sum() > 2
    other = scores.clone()
    other[at_zero] = torch.randn_like(other[at_zero])
    before, after = (judged(bench, "loss", s, targets) for s in (scores, other))
    assert abs(before - after) < 1e-7


def order_counts(bench: Bench) -> None:
    """The metric changes when the same sequences come in another order."""
    scores, targets = bench.ask(), bench.options["targets"]
    orders = [torch.arange(len(scores)).roll(n) for n in range(len(scores))]
    values = [judged(bench, "metric", scores[order], targets[order]) for order in orders]
    assert max(values) - min(values) > FAR


# Of right models.


def as_if_alone_by(lengths: Tensor) -> Proof:
    """The same for a model that is told no lengths and finds them itself."""

    def proof(bench: Bench) -> None:
        bench.lengths = lengths
        each_as_if_alone(bench)

    return proof


def state_is_carried(bench: Bench) -> None:
    """Read in two pieces as in one, and every sequence as if alone."""
    assert isinstance(bench.model, nn.Module)
    fresh = [copy.deepcopy(bench.model) for _ in range(3)]
    x = bench.inputs
    with torch.no_grad():
        in_one = fresh[0](x)
        pieces = torch.cat([fresh[1](x[:, :4]), fresh[1](x[:, 4:])], dim=1)
        assert gap(in_one, pieces) < NEAR
        assert gap(in_one[2:3], fresh[2](x[2:3])) < NEAR
    answers_vary(bench)  # which is why its user has to say `stateful`


def each_as_if_alone(bench: Bench) -> None:
    """Every sequence is answered as the same sequence alone, and the answers are not all one."""
    assert from_alone(bench) < NEAR
    scores = bench.ask()
    assert gap(scores[0], scores[1]) > FAR


def never_sees_ahead(bench: Bench) -> None:
    """No input changes the answer of an earlier step."""
    assert sight_ahead(bench) < 1e-6


def pads_do_not_count(what: str) -> Proof:
    """Neither what is said about pads nor their number changes the loss or the metric."""

    def proof(bench: Bench) -> None:
        assert changed_by_pads(bench, what) < NEAR
        assert changed_by_width(bench, what) < NEAR

    return proof
