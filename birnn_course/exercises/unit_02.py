"""The exercises of unit 02, shapes and states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course.exercises.cases import random_int, recurrent
from birnn_course.exercises.spec import (
    Arguments,
    Exercise,
    Mistake,
    Module,
    build_module,
    random_module,
)

Shape = tuple[int, ...]


def _call(module: Module, x: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """``output`` and the states: h_n, and c_n if there is one."""
    output, state = build_module(module)(x)
    return output, state if isinstance(state, tuple) else (state,)


# ── 1 · summarise ───────────────────────────────────────────────────────────────────────────────


def summarise(x: Tensor, module: Module) -> Tensor:
    """Read off ``output``: where each reader of the last layer has arrived."""
    size = module[1]["hidden_size"]
    output, _ = _call(module, x)
    return torch.cat([output[:, -1, :size], output[:, 0, size:]], dim=1)


def _summary_by(
    choose: Callable[[Tensor, tuple[Tensor, ...]], Tensor],
) -> Callable[[Tensor, Module], Tensor]:
    def summary(x: Tensor, module: Module) -> Tensor:
        return choose(*_call(module, x))

    return summary


def _forward_states_first(output: Tensor, states: tuple[Tensor, ...]) -> Tensor:
    h_n = states[0]
    forward, backward = h_n.view(2, len(h_n) // 2, *h_n.shape[1:])[:, -1]
    return torch.cat([forward, backward], dim=1)


def _summary_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # cell, layers, batch, steps, input size, hidden size
    plan: list[tuple[Any, ...]] = [
        ("GRU", 1, 3, 5, 2, 4),
        ("LSTM", 1, 2, 4, 3, 2),
        ("RNN", 2, 4, 6, 2, 3),
        ("LSTM", 2, 3, 5, 4, 2),
        ("GRU", 3, 2, 7, 3, 4),
    ]
    if hidden:
        ranges = ((2, 5), (3, 8), (2, 5), (2, 5))
        plan = [
            (cell, layers, *(random_int(*limits, generator) for limits in ranges))
            for cell, layers in zip(
                ("LSTM", "GRU", "RNN", "LSTM", "GRU", "LSTM"), (1, 2, 1, 2, 3, 3), strict=True
            )
        ]
        plan.append(("GRU", 2, 1, random_int(2, 4, generator), 3, 2))  # a single sequence
    return [
        (
            torch.randn(batch, steps, input_size, generator=generator),
            recurrent(cell, input_size, hidden_size, generator, layers=layers),
        )
        for cell, layers, batch, steps, input_size, hidden_size in plan
    ]


SUMMARISE = Exercise(
    name="summarise",
    unit="02",
    part="Part 4 · Two layers, and three bugs",
    points=2,
    title="One vector for a whole sequence",
    cases=_summary_cases,
    reference=summarise,
    mistakes=(
        Mistake(
            "last-step-readout",
            "you take the last step of `output`; there the backward reader has read one input",
            _summary_by(lambda output, states: output[:, -1]),
        ),
        Mistake(
            "view-joins-directions",
            "`reshape` cuts the numbers up in the order they stand, so that rows hold states of "
            "different sequences",
            _summary_by(lambda output, states: states[0][-2:].reshape(len(output), -1)),
        ),
        Mistake(
            "state-tuple-is-h-n",
            "you use the LSTM's `c_n`; the state it returns is the pair `(h_n, c_n)`",
            _summary_by(lambda output, states: torch.cat(list(states[-1][-2:]), dim=1)),
        ),
        Mistake(
            "h-n-forward-first",
            "you read `h_n` as all forward states and then all backward states; it goes layer by "
            "layer",
            _summary_by(_forward_states_first),
        ),
        Mistake(
            "first-states-are-forward",
            "you take the first two blocks of `h_n`; with more than one layer they belong to "
            "layer 0",
            _summary_by(lambda output, states: torch.cat(list(states[0][:2]), dim=1)),
        ),
        Mistake(
            "swapped-halves",
            "the backward state comes first; forward comes first everywhere in PyTorch",
            _summary_by(lambda output, states: torch.cat([states[0][-1], states[0][-2]], dim=1)),
        ),
        Mistake(
            "last-state-readout",
            "you take `h_n[-1]`, which is the backward state alone",
            _summary_by(lambda output, states: states[0][-1]),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: one vector for each sequence.",
        "shape": "Return (batch, 2 * hidden_size). Print the shape of `h_n`, and of the blocks "
        "that you take from it.",
        "direction": "These are the right numbers at wrong places. Check one row: its first half "
        "must be the forward state of that sequence, its second half the backward state.",
        "value": "The shape is right and the numbers are not. Compare your first half with "
        "`output[:, -1, :size]`, and your second half with `output[:, 0, size:]`.",
    },
    hints=(
        "Which two blocks of `h_n` belong to the last layer, whatever the number of layers?",
        "Count from the end: `h_n[-2]` is the forward state of the last layer and `h_n[-1]` the "
        "backward state. An LSTM gives you a pair of states; you want the first.",
        "`torch.cat([h_n[-2], h_n[-1]], dim=1)` puts two tensors of shape (batch, hidden_size) "
        "side by side.",
    ),
)


# ── 2 · from_output ─────────────────────────────────────────────────────────────────────────────


def from_output(output: Tensor, lengths: list[int]) -> Tensor:
    """One sequence at a time, each cut to its real length."""
    size = output.shape[-1] // 2
    real = [sequence[:length] for sequence, length in zip(output, lengths, strict=True)]
    return torch.stack([torch.cat([row[-1, :size], row[0, size:]]) for row in real])


def _from_steps(
    steps: Callable[[int, int], tuple[int, int]],
) -> Callable[[Tensor, list[int]], Tensor]:
    """Both halves at steps that depend on a sequence's length and the number of steps."""

    def choose(output: Tensor, lengths: list[int]) -> Tensor:
        size, seq_len = output.shape[-1] // 2, output.shape[1]
        rows = []
        for sequence, length in zip(output, lengths, strict=True):
            forward, backward = steps(length, seq_len)
            rows.append(torch.cat([sequence[forward, :size], sequence[backward, size:]]))
        return torch.stack(rows)

    return choose


def _from_interleaved(output: Tensor, lengths: list[int]) -> Tensor:
    halves = output.reshape(*output.shape[:2], -1, 2)
    return from_output(torch.cat([halves[..., 0], halves[..., 1]], dim=-1), lengths)


def _from_swapped(output: Tensor, lengths: list[int]) -> Tensor:
    size = output.shape[-1] // 2
    return from_output(torch.cat([output[..., size:], output[..., :size]], dim=-1), lengths)


def _padded_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # Real outputs at the sequences' own steps. After the end stand numbers that mean nothing:
    # zeros would make it too easy to see that a pad was read.
    plan = [([5, 3, 2], 4), ([2, 6], 2), ([4, 1, 3, 7], 3), ([3, 3], 5)]
    if hidden:
        plan = [
            (
                [random_int(2, 7, generator) for _ in range(random_int(2, 5, generator))] + [extra],
                size,
            )
            for extra, size in ((1, 2), (3, 3), (8, 4), (2, 5), (4, 2))
        ]
        plan.append(([random_int(2, 5, generator)], 3))  # a single sequence
    cases: list[Arguments] = []
    for lengths, size in plan:
        module = recurrent("GRU", 3, size, generator)
        x = torch.randn(len(lengths), max(lengths), 3, generator=generator)
        packed = pack_padded_sequence(x, torch.tensor(lengths), True, False)
        with torch.no_grad():
            packed_output, _ = build_module(module)(packed)
        # One more step than the longest, as in a batch that was padded to a fixed length.
        output, _ = pad_packed_sequence(packed_output, True, total_length=max(lengths) + 1)
        pads = torch.arange(output.shape[1]) >= torch.tensor(lengths)[:, None]
        noise = torch.rand(output.shape, generator=generator) - 0.5
        cases.append((torch.where(pads[..., None], noise, output), lengths))
    return cases


FROM_OUTPUT = Exercise(
    name="from_output",
    unit="02",
    part="Part 2 · Which slice has read what",
    points=2,
    title="Both final states, read off `output`",
    cases=_padded_cases,
    reference=from_output,
    mistakes=(
        Mistake(
            "gather-at-the-length",
            "both halves are taken at the last real step; the backward reader starts there",
            _from_steps(lambda length, seq_len: (length - 1, length - 1)),
        ),
        Mistake(
            "last-step-readout",
            "both halves are taken at the last step of the batch, which is padding for shorter "
            "sequences, and where the backward reader has not read anything",
            _from_steps(lambda length, seq_len: (seq_len - 1, seq_len - 1)),
        ),
        Mistake(
            "backward-half-reversed",
            "the backward half is turned around in time before its step `length - 1` is taken; "
            "it is stored in the order of the inputs",
            _from_steps(lambda length, seq_len: (length - 1, seq_len - length)),
        ),
        Mistake(
            "final-is-at-step-0",
            "both halves are taken at step 0, where the forward reader has read one input",
            _from_steps(lambda length, seq_len: (0, 0)),
        ),
        Mistake(
            "final-is-at-step-0",
            "the two ends are the wrong way round: the forward half at step 0, the backward half "
            "at the last real step",
            _from_steps(lambda length, seq_len: (0, length - 1)),
        ),
        Mistake(
            "ends-at-the-padding",
            "the forward half is taken at the last step of the batch instead of the sequence's "
            "own last step",
            _from_steps(lambda length, seq_len: (seq_len - 1, 0)),
        ),
        Mistake(
            "length-is-the-last-index",
            "the forward half is taken one step too late; a sequence of length n ends at step "
            "n - 1",
            _from_steps(lambda length, seq_len: (length, 0)),
        ),
        Mistake(
            "directions-last-view",
            "features are taken alternately for the two directions; the first hidden_size of "
            "them are forward, the rest backward",
            _from_interleaved,
        ),
        Mistake(
            "swapped-halves",
            "the backward half is taken for the forward one; the first hidden_size features are "
            "forward",
            _from_swapped,
        ),
    ),
    levels={
        "type": "Return a tensor of floats: one vector for each sequence.",
        "shape": "Return (batch, 2 * hidden_size): as wide as `output`, and no time axis.",
        "direction": "These are the right numbers at wrong places. Take one sequence and write "
        "down which step you read for each half.",
        "value": "The shape is right and the numbers are not. Take one sequence alone: at which "
        "step has the forward reader arrived, and at which the backward reader?",
    },
    hints=(
        "Each reader has arrived where its sequence ends *for it*. For the forward reader that "
        "depends on the length.",
        "The forward half at step `length - 1`, the backward half at step 0. The forward half is "
        "the first half of the last axis.",
        "`rows = torch.arange(len(output))`, then `output[rows, torch.tensor(lengths) - 1]` picks "
        "one step for each sequence. Keep its first `size` features and join "
        "`output[:, 0, size:]` to them.",
    ),
)


# ── 3 · predict_shapes ──────────────────────────────────────────────────────────────────────────

Shapes = list[Shape]
"""Of ``output``, of ``h_n``, and for an LSTM of ``c_n``."""


def predict_shapes(
    cell: str,
    x_shape: Shape,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    batch_first: bool,
) -> Shapes:
    """Asked of PyTorch."""
    rnn = getattr(nn, cell)(
        x_shape[-1], hidden_size, num_layers, bidirectional=bidirectional, batch_first=batch_first
    )
    output, state = rnn(torch.zeros(x_shape))
    states = state if isinstance(state, tuple) else (state,)
    return [tuple(tensor.shape) for tensor in (output, *states)]


def _shapes_with(
    output: Callable[[Shape, int], Shape] = lambda right, hidden_size: right,
    state: Callable[[Shape, Shape, int, bool], Shape] = lambda right, *_: right,
) -> Callable[..., Shapes]:
    """The right shapes, with what ``output`` and ``state`` make of them."""

    def predicted(*sizes: Any) -> Shapes:
        _, x_shape, hidden_size, num_layers, _, batch_first = sizes
        right, *states = predict_shapes(*sizes)
        states = [state(shape, x_shape, num_layers, batch_first) for shape in states]
        return [output(right, hidden_size), *states]

    return predicted


def _batch_in_front(right: Shape, x_shape: Shape, num_layers: int, batch_first: bool) -> Shape:
    return (right[1], right[0], right[2]) if batch_first and len(right) == 3 else right


def _one_for_each_step(right: Shape, x_shape: Shape, num_layers: int, batch_first: bool) -> Shape:
    if len(x_shape) == 2:
        return (right[0], x_shape[0], right[-1])
    return (right[0], x_shape[1 if batch_first else 0], right[-1])


def _two_dims_as_a_batch(right: Shape, x_shape: Shape, *_: int) -> Shape:
    return right if len(x_shape) == 3 else (right[0], x_shape[0], right[1])


def _shape_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # cell, input, hidden size, layers, bidirectional, batch first; two dimensions are one sequence
    cases: list[Arguments] = [
        ("GRU", (4, 7, 5), 3, 1, True, True),
        ("LSTM", (6, 2, 3), 5, 2, True, False),
        ("RNN", (3, 8, 2), 6, 2, False, True),
        ("GRU", (9, 4), 2, 1, True, True),
        ("LSTM", (5, 3), 7, 3, True, False),
        ("LSTM", (2, 9, 6), 4, 3, True, True),
    ]
    if not hidden:
        return cases
    cases += [
        ("RNN", (3, 8, 2), 6, 1, False, False),
        ("LSTM", (5, 3), 7, 2, False, True),
        ("GRU", (3, 8, 2), 6, 3, False, False),
    ]
    drawn: list[Arguments] = []
    for cell, x_shape, _, layers, bidirectional, batch_first in cases:
        # Sizes that all differ, also from the number of blocks, so that no wrong axis is right.
        a, b, c, hidden_size = (torch.randperm(9, generator=generator)[:4] + 7).tolist()
        sizes = (a, b, c) if len(x_shape) == 3 else (a, b)
        drawn.append((cell, sizes, hidden_size, layers, bidirectional, batch_first))
    return drawn


PREDICT_SHAPES = Exercise(
    name="predict_shapes",
    unit="02",
    part="Part 1 · What comes back",
    points=2,
    title="Every shape, without running anything",
    cases=_shape_cases,
    reference=predict_shapes,
    mistakes=(
        Mistake(
            "head-keeps-its-size",
            "`output` has hidden_size features in both directions together; it has hidden_size "
            "for each",
            _shapes_with(output=lambda right, hidden_size: (*right[:-1], hidden_size)),
        ),
        Mistake(
            "h-n-is-joined",
            "`h_n` has the two directions side by side; it stacks them, next to the layers",
            _shapes_with(
                state=lambda right, _, layers, __: (
                    layers,
                    *right[1:-1],
                    right[-1] * right[0] // layers,
                )
            ),
        ),
        Mistake(
            "h-0-forgets-directions",
            "`h_n` has one block for each layer; it has one for each layer and direction",
            _shapes_with(state=lambda right, _, num_layers, __: (num_layers, *right[1:])),
        ),
        Mistake(
            "batch-first-everywhere",
            "`batch_first=True` puts the batch first in `h_n` too; it concerns the input and "
            "`output` only",
            _shapes_with(state=_batch_in_front),
        ),
        Mistake(
            "h-n-per-step",
            "`h_n` has a state for each step; it has the final one of each sequence",
            _shapes_with(state=_one_for_each_step),
        ),
        Mistake(
            "two-dims-are-a-batch",
            "an input with two dimensions is a batch; it is one sequence, and its states have no "
            "batch axis",
            _shapes_with(state=_two_dims_as_a_batch),
        ),
    ),
    levels={
        "type": "Return a list of tuples of ints.",
        "shape": "Return the shapes of `output` and `h_n`, and for an LSTM of `c_n` as well, "
        "with one number for each axis. An input of two dimensions is one sequence without a "
        "batch.",
        "direction": "The sizes are right and their order is not. Where does the batch stand in "
        "`output`, and where in `h_n`?",
        "value": "A size is wrong. Build the module of that case, call it on `torch.randn`, and "
        "compare one axis at a time.",
    },
    hints=(
        "The last axis of `output` and the first axis of `h_n` both know about directions, in "
        "different ways.",
        "`output` is as `x`, but its last axis is directions × hidden_size. `h_n` is (layers × "
        "directions, batch, hidden_size), whatever `batch_first` says.",
        "With two dimensions leave the batch out of `h_n`. With three, the batch is `x_shape[0]` "
        "if `batch_first`, else `x_shape[1]`. `c_n` has the shape of `h_n`.",
    ),
)


# ── 4 · tagging_loss ────────────────────────────────────────────────────────────────────────────


def tagging_loss(logits: Tensor, tags: Tensor) -> Tensor:
    """Written out: minus the log probability of each right tag, averaged."""
    log_probabilities = logits - logits.logsumexp(dim=-1, keepdim=True)
    seq_len, batch, _ = logits.shape
    total = torch.zeros(())
    for n in range(batch):
        for t in range(seq_len):
            total -= log_probabilities[t, n, tags[n, t]]
    return total / (batch * seq_len)


def _loss_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # As many steps as tags, on purpose: a fixed window, where a wrong axis has the right size.
    sizes = [(3, 4), (2, 5), (4, 3), (5, 6)]
    if hidden:
        sizes = [(random_int(2, 6, generator), random_int(3, 7, generator)) for _ in range(5)]
    return [
        (
            3 * torch.randn(n, batch, n, generator=generator),
            torch.randint(n, (batch, n), generator=generator),
        )
        for batch, n in sizes
    ]


TAGGING_LOSS = Exercise(
    name="tagging_loss",
    unit="02",
    part="Part 6 · The loss looks for its classes",
    points=3,
    title="The loss of a tagger that puts time first",
    cases=_loss_cases,
    reference=tagging_loss,
    mistakes=(
        Mistake(
            "classes-last-in-loss",
            "the scores go in as (batch, seq_len, n_tags), with the classes last; "
            "`cross_entropy` takes dimension 1 for the classes",
            lambda logits, tags: F.cross_entropy(logits.transpose(0, 1), tags),
        ),
        Mistake(
            "view-moves-classes",
            "`view` makes the shape (batch, n_tags, seq_len) out of numbers that stand in "
            "another order",
            lambda logits, tags: F.cross_entropy(
                logits.reshape(len(tags), logits.shape[-1], -1), tags
            ),
        ),
        Mistake(
            "flattening-aligns",
            "both are flattened, or viewed, as they are; one has time first, the other the batch",
            lambda logits, tags: F.cross_entropy(logits.flatten(0, 1), tags.flatten()),
        ),
        Mistake(
            "softmax-before-loss",
            "the scores go through a softmax first; `cross_entropy` does that itself, so it is "
            "done twice",
            lambda logits, tags: F.cross_entropy(logits.softmax(-1).permute(1, 2, 0), tags),
        ),
        Mistake(
            "sum-is-mean",
            "the losses of all steps are summed; the mean is asked for",
            lambda logits, tags: F.cross_entropy(logits.permute(1, 2, 0), tags, reduction="sum"),
        ),
    ),
    levels={
        "type": "Return the loss as a tensor of floats, as `F.cross_entropy` gives it.",
        "shape": "Return one number: the mean over all steps of all sequences.",
        "value": "This is not the loss. Work it out for one step of one sequence: the scores are "
        "`logits[t, n]`, the tag is `tags[n, t]`.",
    },
    hints=(
        "Which axis of `logits` is which, and which of `tags`? `cross_entropy` wants the scores "
        "as (batch, n_tags, seq_len).",
        "Axes are moved by `transpose`, `permute` or `movedim`. `view` and `reshape` keep the "
        "numbers in their order.",
        "`logits.permute(1, 2, 0)` is (batch, n_tags, seq_len), and its numbers went along.",
    ),
)


# ── 5 · translate ───────────────────────────────────────────────────────────────────────────────


def translate(x: Tensor, y: Tensor, encoder: Module, decoder: Module) -> Tensor:
    """The decoder starts each layer with the sum of the encoder's two final states of that layer.

    The encoder's layers are run one by one here, so that no order of ``h_n`` is relied on.
    """
    name, arguments, weights = encoder
    reading, started = x, []
    for layer in range(arguments["num_layers"]):
        part = {
            key.replace(f"_l{layer}", "_l0"): value
            for key, value in weights.items()
            if key.removesuffix("_reverse").endswith(f"_l{layer}")
        }
        one_layer = arguments | {"num_layers": 1, "input_size": reading.shape[-1]}
        reading, states = _call((name, one_layer, part), reading)
        started.append([state.sum(0) for state in states])
    by_kind = [torch.stack(kind) for kind in zip(*started, strict=True)]
    output: Tensor = build_module(decoder)(y, _as_state(by_kind))[0]
    return output


def _as_state(states: Sequence[Tensor]) -> Any:
    return tuple(states) if len(states) == 2 else states[0]


def _translate_by(
    start: Callable[[Tensor], Tensor | None], *, cells_too: bool = True
) -> Callable[[Tensor, Tensor, Module, Module], Tensor]:
    """The decoder starts with what ``start`` makes of the encoder's states."""

    def translated(x: Tensor, y: Tensor, encoder: Module, decoder: Module) -> Tensor:
        _, states = _call(encoder, x)
        if not cells_too:
            states = (states[0],) * len(states)
        started = [s for s in map(start, states) if s is not None]
        output: Tensor = build_module(decoder)(y, _as_state(started) if started else None)[0]
        return output

    return translated


def _by_layer(state: Tensor) -> Tensor:
    return state[0::2] + state[1::2]


def _translate_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # cell, layers, batch, steps in, steps out
    plan: list[tuple[Any, ...]] = [
        ("GRU", 1, 2, 4, 3),
        ("GRU", 2, 3, 5, 2),
        ("LSTM", 2, 4, 3, 5),
        ("LSTM", 3, 2, 6, 4),
    ]
    if hidden:
        plan = [
            (cell, layers, *(random_int(2, 6, generator) for _ in range(3)))
            for cell, layers in (("LSTM", 2), ("GRU", 3), ("RNN", 1), ("LSTM", 1), ("GRU", 2))
        ]
        plan.append(("LSTM", 3, 1, random_int(2, 4, generator), 1))  # a single sequence, one step
    cases: list[Arguments] = []
    for cell, layers, batch, steps_in, steps_out in plan:
        size = random_int(2, 5, generator)
        encoder = recurrent(cell, 3, size, generator, layers=layers)
        decoder = recurrent(cell, 2, size, generator, layers=layers, bidirectional=False)
        x = torch.randn(batch, steps_in, 3, generator=generator)
        y = torch.randn(batch, steps_out, 2, generator=generator)
        cases.append((x, y, encoder, decoder))
    return cases


TRANSLATE = Exercise(
    name="translate",
    unit="02",
    part="Part 5 · What goes in, and what is handed on",
    points=3,
    title="From a bidirectional encoder to a decoder",
    cases=_translate_cases,
    reference=translate,
    mistakes=(
        Mistake(
            "first-states-are-forward",
            "the decoder gets the first blocks of `h_n`, as many as it has layers; they are not "
            "the forward states of all layers",
            _translate_by(lambda state: state[: len(state) // 2]),
        ),
        Mistake(
            "h-n-forward-first",
            "the first half of the blocks is added to the second half; forward and backward "
            "alternate, layer by layer",
            _translate_by(lambda state: state[: len(state) // 2] + state[len(state) // 2 :]),
        ),
        Mistake(
            "last-state-readout",
            "the decoder gets the last blocks of `h_n`, as many as it has layers",
            _translate_by(lambda state: state[len(state) // 2 :]),
        ),
        Mistake(
            "backward-is-left-out",
            "the decoder gets the forward states only; the sum of both is asked for",
            _translate_by(lambda state: state[0::2]),
        ),
        Mistake(
            "decoder-without-state",
            "the decoder gets no state, so that it knows nothing of `x`",
            _translate_by(lambda state: None),
        ),
        Mistake(
            "c-n-is-h-n",
            "an LSTM decoder gets `h_n` for `c_n` as well; the two are different states",
            _translate_by(_by_layer, cells_too=False),
        ),
        Mistake(
            "mean-for-sum",
            "the two states are averaged; their sum is asked for",
            _translate_by(lambda state: _by_layer(state) / 2),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the decoder's outputs at all steps.",
        "shape": "Return what the decoder returns for `y`: (batch, steps of y, hidden_size).",
        "direction": "These are the right numbers at wrong places. Return the decoder's outputs "
        "as they are.",
        "value": "The shape is right and the numbers are not. Write down what stands in block 0, "
        "1, 2 and 3 of the encoder's `h_n`, and which of them start which layer of the decoder.",
    },
    hints=(
        "The encoder has two states for each layer, the decoder has room for one. Which blocks "
        "belong to the same layer?",
        "Blocks 0 and 1 are layer 0, blocks 2 and 3 are layer 1: `h_n[0::2]` are the forward "
        "states of all layers, `h_n[1::2]` the backward ones. An LSTM has a second state.",
        "`def start(state): return state[0::2] + state[1::2]`. For an LSTM hand over "
        "`(start(h_n), start(c_n))`, else `start(h_n)`.",
    ),
)


# ── 6 · gesture_probabilities ───────────────────────────────────────────────────────────────────


def gesture_probabilities(recordings: Tensor, module: Module, head: Module) -> Tensor:
    """One recording at a time, without a batch axis, so that nothing can be mixed."""
    rnn, linear, size = build_module(module), build_module(head), module[1]["hidden_size"]
    rows = []
    for recording in recordings:
        output = rnn(torch.stack(recording.unbind(1)))[0]
        scores = linear(torch.cat([output[-1, :size], output[0, size:]]))
        rows.append(scores.exp() / scores.exp().sum())
    return torch.stack(rows)


def _gestures_by(
    choose: Callable[[Tensor, Tensor], Tensor] = lambda output, h_n: torch.cat(
        [h_n[-2], h_n[-1]], dim=1
    ),
    layout: Callable[[Tensor], Tensor] = lambda recordings: recordings.transpose(1, 2),
    finish: Callable[[Tensor], Tensor] = lambda scores: scores.softmax(dim=-1),
) -> Callable[[Tensor, Module, Module], Tensor]:
    def probabilities(recordings: Tensor, module: Module, head: Module) -> Tensor:
        output, states = _call(module, layout(recordings))
        scores: Tensor = build_module(head)(choose(output, states[0]))
        return finish(scores)

    return probabilities


def _view_time_last(recordings: Tensor) -> Tensor:
    return recordings.reshape(len(recordings), recordings.shape[2], recordings.shape[1])


def _gesture_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # layers, recordings, sensors, steps, hidden size, gestures; some with a single recording
    plan: list[tuple[Any, ...]] = [
        (1, 3, 2, 6, 4, 3),
        (2, 1, 3, 5, 2, 4),
        (1, 4, 5, 3, 3, 2),
        (2, 1, 4, 7, 3, 5),
    ]
    if hidden:
        ranges = ((2, 4), (5, 8), (2, 5), (2, 6))
        plan = [
            (layers, batch, *(random_int(*limits, generator) for limits in ranges))
            for layers, batch in ((1, 1), (2, 3), (1, 5), (2, 1), (1, 2))
        ]
        # More sensors than steps: the sizes do not tell which axis is time.
        plan.append((2, 4, random_int(5, 7, generator), random_int(2, 4, generator), 3, 4))
    cases: list[Arguments] = []
    for layers, batch, sensors, steps, size, gestures in plan:
        module = recurrent("GRU", sensors, size, generator, layers=layers)
        head = random_module(
            "Linear", {"in_features": 2 * size, "out_features": gestures}, generator
        )
        # The general weights are all positive; scores that differ between gestures need both signs.
        head[2]["weight"] = 2 * torch.randn(gestures, 2 * size, generator=generator)
        recordings = torch.randn(batch, sensors, steps, generator=generator)
        cases.append((recordings, module, head))
    return cases


GESTURE_PROBABILITIES = Exercise(
    name="gesture_probabilities",
    unit="02",
    part="Part 7 · Memory, and where dropout is",
    points=3,
    title="Gestures from a motion sensor",
    cases=_gesture_cases,
    reference=gesture_probabilities,
    mistakes=(
        Mistake(
            "view-swaps-axes",
            "`view` or `reshape` swaps sensors and time; it cuts the numbers up anew and moves "
            "none of them",
            _gestures_by(layout=_view_time_last),
        ),
        Mistake(
            "last-step-readout",
            "the summary is the last step of `output`, where the backward reader has read one "
            "input",
            _gestures_by(lambda output, h_n: output[:, -1]),
        ),
        Mistake(
            "first-states-are-forward",
            "the summary is made of the first two blocks of `h_n`; with two layers they belong "
            "to layer 0",
            _gestures_by(lambda output, h_n: torch.cat([h_n[0], h_n[1]], dim=1)),
        ),
        Mistake(
            "view-joins-directions",
            "`reshape` joins the two final states; its rows hold states of different recordings",
            _gestures_by(lambda output, h_n: h_n[-2:].reshape(len(output), -1)),
        ),
        Mistake(
            "swapped-halves",
            "the backward state comes first; the head was trained with forward first",
            _gestures_by(lambda output, h_n: torch.cat([h_n[-1], h_n[-2]], dim=1)),
        ),
        Mistake(
            "softmax-over-the-batch",
            "the softmax runs over the recordings; over the gestures it has to sum to 1",
            _gestures_by(finish=lambda scores: scores.softmax(dim=0)),
        ),
        Mistake(
            "squeeze-is-harmless",
            "`squeeze()` takes away the batch axis of a single recording",
            _gestures_by(finish=lambda scores: scores.softmax(-1).squeeze()),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: a probability for each gesture.",
        "shape": "Return (number of recordings, number of gestures), also for a single recording.",
        "direction": "These are the right numbers at wrong places. A row belongs to a recording, "
        "a column to a gesture.",
        "value": "The shape is right and the numbers are not. Does each row sum to 1? Does a "
        "recording give the same row alone as in the batch? Does the model read time steps?",
    },
    hints=(
        "Three things to settle: which axis is time, which states summarise a recording, and "
        "over which axis probabilities sum to 1.",
        "The module wants (batch, seq_len, input_size) and the recordings are (batch, sensors, "
        "seq_len): move the axes with `transpose`. The summary is that of exercise 1.",
        "`output, h_n = rnn(recordings.transpose(1, 2))`, then the head on "
        "`torch.cat([h_n[-2], h_n[-1]], dim=1)`, then `.softmax(dim=-1)`.",
    ),
)


EXERCISES = (SUMMARISE, FROM_OUTPUT, PREDICT_SHAPES, TAGGING_LOSS, TRANSLATE, GESTURE_PROBABILITIES)
"""In the order of the notebook."""
