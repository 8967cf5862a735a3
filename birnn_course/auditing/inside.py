"""Probes that look at the recurrent modules inside a model, as far as they can be seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from birnn_course.auditing.bench import Bench
from birnn_course.auditing.findings import Finding, not_applicable, not_tested, ok, problem

_BACKWARD = re.compile(r"(^|[._])(bwd|backward|bw|rev|reversed?|r2l|right_to_left)([._\d]|$)")


@dataclass
class RecurrentCall:
    """One call of an ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` inside the model.

    ``inputs`` are those it got, padded again if they were packed; ``start`` and ``final`` are its
    hidden states before and after. ``steps`` and ``batch_size`` are as the module itself sees them.
    """

    name: str
    module: nn.RNNBase
    ndim: int
    steps: int
    batch_size: int | None
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
        return self.module.num_layers * (2 if self.module.bidirectional else 1)

    @property
    def looks_back(self) -> bool:
        """Whether its name says that it is one's own backward reader."""
        return bool(_BACKWARD.search(self.name))


Hook = Callable[[nn.Module, Any, Any, Any], Any]


def recurrent_modules(bench: Bench) -> list[tuple[str, nn.RNNBase]]:
    """The recurrent modules that can be seen, each once, by name."""
    found: dict[int, tuple[str, nn.RNNBase]] = {}
    for root in bench.roots:
        for name, module in root.named_modules():
            if isinstance(module, nn.RNNBase):
                found.setdefault(id(module), (name, module))
    return list(found.values())


@contextmanager
def hooked(hooks: list[tuple[nn.Module, Hook]]) -> Iterator[None]:
    """Forward hooks for a few calls."""
    handles = [m.register_forward_hook(hook, with_kwargs=True) for m, hook in hooks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def recurrent_calls(bench: Bench) -> list[RecurrentCall]:
    """What the recurrent modules were called with, in the order of the calls."""
    if bench.calls is not None:
        return bench.calls
    calls: list[RecurrentCall] = []

    def listener(name: str) -> Hook:
        def hook(module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
            assert isinstance(module, nn.RNNBase)
            x = args[0] if args else kwargs["input"]
            start = args[1] if len(args) > 1 else kwargs.get("hx")
            start = start[0] if isinstance(start, tuple) else start
            final = result[1][0] if isinstance(result[1], tuple) else result[1]
            packed = isinstance(x, PackedSequence)
            padded = pad_packed_sequence(x, batch_first=module.batch_first)[0] if packed else x
            one = padded.dim() == 2
            time = 0 if one or not module.batch_first else 1
            size = None if one else padded.shape[1 - time]
            start = start.clone() if isinstance(start, Tensor) else None
            calls.append(
                RecurrentCall(name, module, padded.dim(), padded.shape[time], size, packed,
                              padded.clone(), start, final.clone())
            )  # fmt: skip

        return hook

    with hooked([(module, listener(name)) for name, module in recurrent_modules(bench)]):
        bench.subject.raw(bench.x, bench.lengths)
    bench.calls = calls
    return calls


# ── weights ─────────────────────────────────────────────────────────────────────────────────────


def _matters(bench: Bench, module: nn.Module, names: list[str]) -> bool:
    """Whether some result moves when these weights are changed, for one call."""
    parameters = [p for n in names if isinstance(p := module._parameters.get(n), Tensor)]
    kept = [p.data.clone() for p in parameters]
    try:
        for p, old in zip(parameters, kept, strict=True):
            noise = torch.randn(old.shape, generator=bench.random).to(old)
            p.data.copy_(old + noise * max(float(old.float().std()), 0.1))
        changed = bench.run()
    finally:
        for p, old in zip(parameters, kept, strict=True):
            p.data.copy_(old)
    return bool((bench.gap(bench.base, changed) > bench.influence).any())


def directions_used(bench: Bench) -> Finding:
    """Change the weights of one direction: those that move no result were not used.

    The weights from state to state are multiplied with the state before, which is zero before the
    first step. So where they do not matter, though the others do, a direction was read after the
    very first of its steps, and all that it read afterwards is lost.
    """
    calls = [c for c in recurrent_calls(bench) if c.start is None and c.steps > 1]
    seen = {id(c.module): c for c in calls}
    if not seen:
        why = "it holds no nn.RNN, nn.GRU or nn.LSTM that can be seen and starts from zeros"
        return not_applicable(f"The probe looks at weights of RNNs, and {why}.")
    count = 0
    for call in seen.values():
        module = call.module
        suffixes = ["", "_reverse"] if module.bidirectional else [""]
        used: dict[tuple[int, str], tuple[bool, bool]] = {}
        for layer in range(module.num_layers):
            for suffix in suffixes:
                used[layer, suffix] = tuple(  # type: ignore[assignment]
                    _matters(bench, module, [f"weight_{kind}_l{layer}{suffix}"])
                    for kind in ("ih", "hh")
                )
                count += 1
        if not any(ih for ih, _ in used.values()):
            continue  # not used at all, such as a second head that is returned beside the scores
        found = _unused(bench, call, used)
        if found:
            labels = bench.subject.labels
            return not_tested("The model returns labels; audit its scores.") if labels else found
    return ok(
        f"Changing the weights of any of the {count} readers (layers times directions) changes "
        "results, those from state to state included."
    )


def _unused(
    bench: Bench, call: RecurrentCall, used: dict[tuple[int, str], tuple[bool, bool]]
) -> Finding | None:
    """The problem with one module, if some of its last layer is not used, or only for one step."""
    module, last = call.module, call.module.num_layers - 1
    forward, backward = used[last, ""], used.get((last, "_reverse"))
    unused = "is not used, changing its weights changes no result by a single digit"
    after_one = (
        "changing its weights from state to state changes no result by a single digit, so it was "
        "read after the first of its steps"
    )
    layer = f"layer {last}"
    text, ids = "", []
    if backward is None:
        if not forward[0]:
            text, ids = f"{layer} {unused}", ["first-states-are-forward", "last-state-readout"]
        elif not forward[1]:
            text, ids = f"{layer}: {after_one}", ["final-is-at-step-0"]
    elif not forward[0] and not backward[0]:
        text, ids = f"{layer}, both directions, {unused}", ["first-states-are-forward"]
    elif not forward[0]:
        text = f"the forward direction of {layer} {unused}"
        ids = ["last-state-readout", "h-n-forward-first", "only-backward"]
        modules = [m for root in bench.roots for m in root.modules()]
        width = 2 * module.hidden_size
        if last > 0 and any(isinstance(m, nn.Linear) and m.in_features == width for m in modules):
            ids[:2] = ids[1::-1]
    elif not backward[0]:
        text = f"the backward direction of {layer} {unused}"
        ids = ["backward-is-left-out", "gru-unpacks-like-lstm"]
        if last == 0 and not isinstance(module, nn.LSTM) and not bench.per_step:
            ids.reverse()
    elif not forward[1] and not backward[1]:
        text, ids = f"both directions of {layer}: {after_one}", ["swapped-halves"]
    elif not backward[1]:
        text = f"the backward direction of {layer}: {after_one}"
        ids = ["last-step-readout", "gather-at-the-length"]
        if bench.subject.takes_lengths and not _reads_last_column(bench, call):
            ids.reverse()
    elif not forward[1]:
        text = f"the forward direction of {layer}: {after_one}"
        ids = ["final-is-at-step-0", "swapped-halves"]
    return problem(f"{call.kind}: {text}.", *ids) if text else None


def _reads_last_column(bench: Bench, call: RecurrentCall) -> bool:
    """Whether shorter sequences too are read at the last step of the batch."""
    read = columns_read(bench, call)
    shorter = [i for i, n in enumerate(bench.lengths) if n < bench.x.shape[1]]
    return read is not None and bool(read[:, shorter, -1].any())


# ── outputs ─────────────────────────────────────────────────────────────────────────────────────


def _changed_by(bench: Bench, call: RecurrentCall, change: Callable[[Any, Any], Any]) -> Tensor:
    """Which results, per sequence or per step, move when what the module returns is changed."""

    def hook(module: nn.Module, args: Any, kwargs: Any, result: Any) -> Any:
        return change(result[0], result[1])

    with hooked([(call.module, hook)]):
        return bench.gaps(bench.base, bench.run()) > bench.influence


def columns_read(bench: Bench, call: RecurrentCall) -> Tensor | None:
    """``(2, batch, steps)``: which steps of the output each result reads, forward and backward.

    Adds noise to the output of one step, in one half, on its way from the module to the rest of
    the model. None where the module is called more than once.
    """
    module = call.module
    calls = [c for c in recurrent_calls(bench) if c.module is module]
    if len(calls) > 1 or call.ndim != 3 or bench.per_step:
        return None
    time = 1 if module.batch_first else 0
    halves = 2 if module.bidirectional else 1
    read = torch.zeros(2, len(bench.x), call.steps, dtype=torch.bool)
    for t in range(call.steps):
        for half in range(halves):

            def change(output: Any, state: Any, t: int = t, half: int = half) -> Any:
                data = output.data.clone() if isinstance(output, PackedSequence) else output.clone()
                size = data.shape[-1] // halves
                features = slice(half * size, (half + 1) * size)
                noise = torch.randn(size, generator=bench.random).to(data)
                if isinstance(output, PackedSequence):
                    begin = int(output.batch_sizes[:t].sum())
                    data[begin : begin + int(output.batch_sizes[t]), features] += noise
                    return output._replace(data=data), state
                data.select(time, t)[:, features] += noise
                return data, state

            read[half, :, t] = _changed_by(bench, call, change)
    return read


def state_read(bench: Bench) -> Finding:
    """Change c_n, h_n and the output of an LSTM, one at a time, before the model reads them."""
    calls = [c for c in recurrent_calls(bench) if isinstance(c.module, nn.LSTM)]
    if not calls or bench.per_step:
        return not_applicable( "The probe asks where an LSTM's one result per "
                       "sequence comes from.")  # fmt: skip
    call = calls[-1]

    def noisy(tensor: Tensor) -> Tensor:
        return tensor + torch.randn(tensor.shape, generator=bench.random).to(tensor)

    def in_output(output: Any, state: Any) -> Any:
        if isinstance(output, PackedSequence):
            return output._replace(data=noisy(output.data)), state
        return noisy(output), state

    out = int(_changed_by(bench, call, in_output).sum())
    h = int(_changed_by(bench, call, lambda o, s: (o, (noisy(s[0]), s[1]))).sum())
    c = int(_changed_by(bench, call, lambda o, s: (o, (s[0], noisy(s[1])))).sum())
    if c and not h and not out:
        return problem(
            f"{call.kind}: noise in c_n changes {c} of {len(bench.x)} results, noise in h_n or the "
            "output 0: what is read is the cell state.",
            "state-tuple-is-h-n",
            "c-n-is-h-n",
        )
    parts = [name for name, read in (("the output", out), ("h_n", h), ("c_n", c)) if read]
    return ok(f"Results are read from {' and '.join(parts) or 'elsewhere'}.")


def wiring(bench: Bench) -> Finding:
    """Compare what one recurrent module was given with what another one got or returned."""
    calls = recurrent_calls(bench)
    if len({id(c.module) for c in calls}) < 2:
        return not_applicable("The probe compares several RNNs of one model.")
    for k, later in enumerate(calls):
        for first in calls[:k]:
            wrong = _wrong_state(first, later) or _wrong_flip(first, later)
            if wrong and first.module is not later.module:
                text, ids = wrong
                return problem(text, *ids)
    return ok(f"The {len(calls)} RNN calls hand on states and inputs as usual.")


def _wrong_state(first: RecurrentCall, later: RecurrentCall) -> tuple[str, tuple[str, ...]] | None:
    """An encoder's states that became layers of a decoder."""
    start, final, layers = later.start, first.final, first.module.num_layers
    if start is None or not first.module.bidirectional or later.module.bidirectional:
        return None
    if start.shape == final.shape and torch.equal(start, final):
        return (
            f"{later.kind} starts layer 1 from the backward state of {first.kind}: its "
            f"{later.module.num_layers} layers got the {len(final)} blocks of h_n as they are.",
            ("encoder-state-fits-decoder",),
        )
    if layers > 1 and start.shape == final[:layers].shape and torch.equal(start, final[:layers]):
        return (
            f"{later.kind} starts from h_n[:{layers}] of {first.kind}, which holds both directions "
            "of its lower layers.",
            ("first-states-are-forward",),
        )
    return None


def _wrong_flip(first: RecurrentCall, later: RecurrentCall) -> tuple[str, tuple[str, ...]] | None:
    """Somebody's own backward reader that was given the inputs the wrong way round."""
    a, b = first.inputs, later.inputs
    if a.shape != b.shape or a.dim() != 3 or first.module.bidirectional:
        return None
    time = 1 if first.module.batch_first else 0
    for axis, what in ((2, "features"), (1 - time, "samples")):
        if a.shape[axis] > 1 and torch.equal(b, a.flip(axis)) and not torch.equal(b, a.flip(time)):
            return (
                f"{later.kind} reads all {b.numel()} numbers that {first.kind} reads, with the "
                f"{what} turned around and the steps in the same order.",
                ("flip-wrong-axis",),
            )
    if later.looks_back and not later.module.bidirectional and torch.equal(a, b):
        return (
            f"{later.kind} reads the same {b.numel()} numbers in the same order as {first.kind}.",
            ("both-read-forward", "unflipped-inputs"),
        )
    return None
