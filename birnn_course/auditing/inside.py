"""Probes that look at the recurrent modules inside a model, as far as they can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from birnn_course.auditing.bench import Bench, drawn_like
from birnn_course.findings import Finding, likeliest, not_applicable, not_tested, ok, problem

_LOOKS_BACK = re.compile(r"(^|[._])(bwd|backward|bw|rev|reversed?|r2l|right_to_left)([._\d]|$)")
_FORWARD, _BACKWARD = "the forward direction of ", "the backward direction of "
_BOTH = "both directions of "
# Which directions of the last layer are not read as they should be, whether not at all or not
# beyond their first step, and what that points to.
_UNREAD: dict[tuple[str, bool], tuple[str, ...]] = {
    ("", True): ("first-states-are-forward", "last-state-readout"),
    ("", False): ("final-is-at-step-0",),
    (_BOTH, True): ("first-states-are-forward",),
    (_BOTH, False): ("swapped-halves",),
    (_FORWARD, True): ("last-state-readout", "h-n-forward-first", "only-backward"),
    (_FORWARD, False): ("final-is-at-step-0", "swapped-halves"),
    (_BACKWARD, True): ("backward-is-left-out", "gru-unpacks-like-lstm"),
    (_BACKWARD, False): ("last-step-readout", "gather-at-the-length"),
}


@dataclass
class RecurrentCall:
    """One call of an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` inside the model.

    ``inputs`` are those it got, padded again if they were packed; ``start`` and ``final`` are its
    hidden states before and after.
    """

    name: str
    module: nn.RNNBase
    packed: bool
    inputs: Tensor
    start: Tensor | None
    final: Tensor

    @property
    def kind(self) -> str:
        """What it is, and its name in the model."""
        return type(self.module).__name__ + (f" `{self.name}`" if self.name else "")

    @property
    def blocks(self) -> int:
        """Layers times directions."""
        return self.module.num_layers * (1 + self.module.bidirectional)

    @property
    def time(self) -> int:
        """Which axis of its inputs it takes for the time."""
        return 1 if self.module.batch_first and self.inputs.dim() == 3 else 0

    @property
    def looks_back(self) -> bool:
        """Whether its name says that it is one's own backward reader."""
        return bool(_LOOKS_BACK.search(self.name)) and not self.module.bidirectional

    def turns(self, other: RecurrentCall, axis: int) -> bool:
        """Whether it got what the other one got, with this axis turned around."""
        mine, theirs = self.inputs, other.inputs
        return mine.dim() == 3 and mine.shape == theirs.shape and mine.equal(theirs.flip(axis))


def recurrent_modules(bench: Bench) -> dict[nn.RNNBase, str]:
    """The recurrent modules that can be seen, and their names."""
    names: dict[nn.RNNBase, str] = {}
    for root in bench.roots:
        for name, module in root.named_modules():
            if isinstance(module, nn.RNNBase):
                names.setdefault(module, name)
    return names


def recurrent_calls(bench: Bench) -> list[RecurrentCall]:
    """What the recurrent modules were called with, in the order of the calls."""
    if bench.calls is not None:
        return bench.calls
    calls: list[RecurrentCall] = []

    def listen(name: str, module: nn.RNNBase, args: Any, kwargs: Any, result: Any) -> None:
        x = args[0] if args else kwargs["input"]
        start = args[1] if len(args) > 1 else kwargs.get("hx")
        start, final = (s[0] if isinstance(s, tuple) else s for s in (start, result[1]))
        packed = isinstance(x, PackedSequence)
        padded = pad_packed_sequence(x, batch_first=module.batch_first)[0] if packed else x
        start = start.clone() if isinstance(start, Tensor) else None
        calls.append(RecurrentCall(name, module, packed, padded.clone(), start, final.clone()))

    with ExitStack() as stack:
        for module, name in recurrent_modules(bench).items():
            hook = module.register_forward_hook(partial(listen, name), with_kwargs=True)
            stack.enter_context(hook)
        bench.subject.raw(bench.x, bench.lengths)
    bench.calls = calls
    return calls


# ── weights ─────────────────────────────────────────────────────────────────────────────────────


def directions_used(bench: Bench) -> Finding:
    """Change the weights of one direction: those that move no result were not used.

    The weights from state to state are multiplied with the state before, which is zero before the
    first step. So where they do not matter, though the others do, a direction was read after the
    very first of its steps, and all that it read afterwards is lost.
    """
    calls = [c for c in recurrent_calls(bench) if c.start is None and c.inputs.shape[c.time] > 1]
    # Not where a parametrization makes the weights anew for each call.
    seen = {id(m): c for c in calls if {*(m := c.module)._flat_weights_names} <= {*m._parameters}}
    if not seen:
        why = "it holds no nn.RNN, nn.GRU or nn.LSTM that can be seen and starts from zeros"
        return not_applicable(f"The probe looks at weights of RNNs, and {why}.")
    for call in seen.values():
        used = {
            name: _matters(bench, call.module._parameters[name])
            for name in call.module._flat_weights_names
            if name.startswith(("weight_ih", "weight_hh"))
        }
        if not any(used[name] for name in used if "_ih_" in name):
            continue  # not used at all, such as a second head that is returned beside the scores
        found = _unused(bench, call, used)
        if found:
            labels = bench.subject.labels
            return not_tested("The model returns labels; audit its scores.") if labels else found
    return ok(
        f"Changing the weights of any of the {sum(c.blocks for c in seen.values())} readers "
        "(layers times directions) changes results, those from state to state included."
    )


def _matters(bench: Bench, weight: Tensor | None) -> bool:
    """Whether some result moves when these weights are changed, for one call."""
    assert weight is not None
    kept = weight.data.clone()
    try:
        noise = drawn_like(kept, bench.random) * max(float(kept.float().std()), 0.1)
        weight.data.copy_(kept + noise)
        return bool(bench.moved(bench.run()).any())
    finally:
        weight.data.copy_(kept)


def _unused(bench: Bench, call: RecurrentCall, used: dict[str, bool]) -> Finding | None:
    """The problem with one module, if some of its last layer is not used, or only for one step."""
    module, last = call.module, call.module.num_layers - 1
    ends = {"": ""} if not module.bidirectional else {_FORWARD: "", _BACKWARD: "_reverse"}
    silent = [who for who, end in ends.items() if not used[f"weight_ih_l{last}{end}"]]
    wrong = silent or [who for who, end in ends.items() if not used[f"weight_hh_l{last}{end}"]]
    if not wrong:
        return None
    who = wrong[0] if len(wrong) == 1 else _BOTH
    first = None
    if (who, bool(silent)) == (_FORWARD, True):
        wide = [m for m in bench.modules if isinstance(m, nn.Linear)
                and m.in_features == 2 * module.hidden_size]  # fmt: skip
        if last > 0 and wide:
            first = "h-n-forward-first"
    elif (who, bool(silent)) == (_BACKWARD, True):
        if last == 0 and not isinstance(module, nn.LSTM) and not bench.per_step:
            first = "gru-unpacks-like-lstm"
    elif who == _BACKWARD:
        last_pads = ~bench.real
        last_pads[:, :-1] = False
        read = outputs_read(bench, call, last_pads)
        if bench.subject.takes_lengths and (read is None or not bool(read.any())):
            first = "gather-at-the-length"
    text = (
        f"{'are' if who == _BOTH else 'is'} not used, changing its weights changes no result by a "
        "single digit."
    )
    if not silent:
        text = (
            "changing its weights from state to state changes no result by a single digit, so it "
            "was read after the first of its steps."
        )
    return problem(
        f"{call.kind}: {who}layer {last}{' ' if silent else ': '}{text}",
        *likeliest(_UNREAD[who, bool(silent)], first=first),
    )


# ── outputs ─────────────────────────────────────────────────────────────────────────────────────


def _changed_by(bench: Bench, call: RecurrentCall, change: Callable[[Any, Any], Any]) -> Tensor:
    """Which results, per sequence or per step, move when what the module returns is changed."""
    with call.module.register_forward_hook(lambda _, args, result: change(*result)):
        return bench.gaps(bench.base, bench.run()) > bench.influence


def outputs_read(bench: Bench, call: RecurrentCall, where: Tensor) -> Tensor | None:
    """``(batch,)``: which results read a module's padded output where ``where`` is true.

    None if it is not known which outputs belong to which of the steps ``(batch, seq_len)``.
    """
    calls = [c for c in recurrent_calls(bench) if c.module is call.module]
    seen = call.inputs.transpose(0, call.time).shape
    if len(calls) > 1 or bench.per_step or call.packed or seen[:-1] != where.T.shape:
        return None
    mask = (where.T if call.time == 0 else where)[..., None]

    def change(output: Tensor, state: Any) -> Any:
        return output + drawn_like(output, bench.random) * mask.to(output), state

    return _changed_by(bench, call, change)


def state_read(bench: Bench) -> Finding:
    """Change c_n, h_n and the output of an LSTM, one at a time, before the model reads them."""
    calls = [c for c in recurrent_calls(bench) if isinstance(c.module, nn.LSTM)]
    if not calls or bench.per_step:
        return not_applicable("The probe asks where an LSTM's one result per sequence comes from.")
    call = calls[-1]

    def noisy(value: Any) -> Any:
        if isinstance(value, PackedSequence):
            return value._replace(data=noisy(value.data))
        return value + drawn_like(value, bench.random)

    changes: dict[str, Callable[[Any, Any], Any]] = {
        "the output": lambda output, state: (noisy(output), state),
        "h_n": lambda output, state: (output, (noisy(state[0]), state[1])),
        "c_n": lambda output, state: (output, (state[0], noisy(state[1]))),
    }
    read = {what: int(_changed_by(bench, call, f).sum()) for what, f in changes.items()}
    parts = [what for what, count in read.items() if count]
    if parts == ["c_n"]:
        return problem(
            f"{call.kind}: noise in c_n changes {read['c_n']} of {len(bench.x)} results, noise in "
            "h_n or the output 0: what is read is the cell state.",
            "state-tuple-is-h-n",
            "c-n-is-h-n",
        )
    return ok(f"Results are read from {' and '.join(parts) or 'elsewhere'}.")


def wiring(bench: Bench) -> Finding:
    """Compare what one recurrent module was given with what another one got or returned."""
    calls = recurrent_calls(bench)
    if len({id(c.module) for c in calls}) < 2:
        return not_applicable("The probe compares several RNNs of one model.")
    for first, later in combinations(calls, 2):
        wrong = first.module is not later.module and (
            _wrong_state(first, later) or _wrong_input(first, later)
        )
        if wrong:
            bench.miswired = wrong.misconception
            return wrong
    return ok(f"The {len(calls)} RNN calls hand on states and inputs as usual.")


def _wrong_state(first: RecurrentCall, later: RecurrentCall) -> Finding | None:
    """An encoder's states that became layers of a decoder."""
    start, final, layers = later.start, first.final, first.module.num_layers
    if start is None or not first.module.bidirectional or later.module.bidirectional:
        return None
    if start.equal(final):
        return problem(
            f"{later.kind} starts layer 1 from the backward state of {first.kind}: its "
            f"{later.module.num_layers} layers got the {len(final)} blocks of h_n as they are.",
            "encoder-state-fits-decoder",
        )
    if layers > 1 and start.equal(final[:layers]):
        return problem(
            f"{later.kind} starts from h_n[:{layers}] of {first.kind}, which holds both directions "
            "of its lower layers.",
            "first-states-are-forward",
        )
    return None


def _wrong_input(first: RecurrentCall, later: RecurrentCall) -> Finding | None:
    """Somebody's own backward reader that was given the inputs the wrong way round."""
    if first.module.bidirectional:
        return None
    x = later.inputs
    for axis, what in ((2, "features"), (1 - first.time, "samples")):
        turned = later.turns(first, axis) and not later.turns(first, first.time)
        if turned and x.shape[axis] > 1:
            return problem(
                f"{later.kind} reads all {x.numel()} numbers that {first.kind} reads, with the "
                f"{what} turned around and the steps in the same order.",
                "flip-wrong-axis",
            )
    if later.looks_back and x.equal(first.inputs):
        return problem(
            f"{later.kind} reads the same {x.numel()} numbers in the same order as {first.kind}.",
            "both-read-forward",
            "unflipped-inputs",
        )
    return None
