"""The exercises of unit 03, which axis is the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence, pad_sequence

from birnn_course.exercises.cases import CELLS, in_turn, outputs_of, random_int, recurrent
from birnn_course.exercises.spec import Arguments, Exercise, Mistake, Module, build_module


def _recurrent(cell: str, generator: Generator, *, batch_first: bool, **options: Any) -> Module:
    """A small recurrent module that reads vectors of 2 or 3 features."""
    sizes = random_int(2, 3, generator), random_int(3, 5, generator)
    return recurrent(cell, *sizes, generator, batch_first=batch_first, **options)


def _build(module: Module, *, batch_first: bool | None = None) -> nn.RNNBase:
    """The module, with its own ``batch_first`` or another."""
    name, arguments, weights = module
    if batch_first is not None:
        arguments = arguments | {"batch_first": batch_first}
    rnn = build_module((name, arguments, weights))
    assert isinstance(rnn, nn.RNNBase)
    return rnn


def _is_batch_first(module: Module) -> bool:
    return bool(module[1]["batch_first"])


def _directions(module: Module) -> int:
    return 2 if module[1]["bidirectional"] else 1


def _batch(module: Module, batch: int, steps: int, generator: Generator) -> Tensor:
    return torch.randn(batch, steps, module[1]["input_size"], generator=generator)


def _two_sizes(low: int, high: int, generator: Generator) -> tuple[int, int]:
    """Two different whole numbers."""
    first = random_int(low, high, generator)
    second = random_int(low, high - 1, generator)
    return first, second + (second >= first)


# ── 1 · samples_seen ────────────────────────────────────────────────────────────────────────────


Table = list[list[bool]]
"""Row i, column j: whether output i has seen sample j."""


def samples_seen(module: Module, x: Tensor) -> Table:
    """By the Jacobian: every output with respect to every input."""
    return _table(_jacobian(_build(module), x).any(3).any(1))


def _table(seen: Tensor) -> Table:
    return [[bool(entry) for entry in row] for row in seen]


def _jacobian(rnn: nn.RNNBase, x: Tensor) -> Tensor:
    """Where it is not zero: dimensions 0 and 1 of the outputs, then those of the inputs."""
    # The features of an output together: with random weights no two gradients cancel exactly.
    jacobian = torch.autograd.functional.jacobian(lambda x: outputs_of(rnn, x).sum(2), x)
    assert isinstance(jacobian, Tensor)
    return jacobian.ne(0).any(4)


def _little_and_negative(module: Module) -> Module:
    """The same module, which reads its inputs with small weights of the other sign."""
    name, arguments, weights = module
    factors = {key: -0.05 if key.startswith("weight_ih") else 1 for key in weights}
    return name, arguments, {key: factors[key] * weight for key, weight in weights.items()}


def _seen_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # Reads left to right along the batch, which alone is not symmetric; then the others.
    kinds = ((False, False), (True, False), (False, False), (True, True), (False, True))
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for i, (bidirectional, batch_first) in enumerate(kinds * (2 if hidden else 1)):
        module = _recurrent(
            next(cells), generator, bidirectional=bidirectional, batch_first=batch_first
        )
        if i % 2:  # Small and negative gradients count as well as large and positive ones.
            module = _little_and_negative(module)
        batch = random_int(2, 5 if hidden else 4, generator)
        steps = batch + random_int(1, 3, generator)
        cases.append((module, _batch(module, batch, steps, generator)))
    return cases


SAMPLES_SEEN = Exercise(
    name="samples_seen",
    unit="03",
    points=2,
    title="Which samples the output of each sample depends on",
    cases=_seen_cases,
    reference=samples_seen,
    mistakes=(
        Mistake(
            "rows-are-inputs",
            "rows and columns are swapped: row i shall hold what output i has seen",
            lambda module, x: [
                list(column) for column in zip(*samples_seen(module, x), strict=True)
            ],
        ),
        Mistake(
            "samples-in-dimension-one",
            "the output of sample i is taken to be `output[:, i]`; `x` has the batch in "
            "dimension 0, and what comes out is asked about in the same order",
            lambda module, x: _table(_jacobian(_build(module), x).any(3).any(0)[: len(x)]),
        ),
        Mistake(
            "samples-in-dimension-one",
            "the gradient is added up over dimensions 0 and 2, which leaves the steps of the "
            "input and not its samples",
            lambda module, x: _table(_jacobian(_build(module), x).any(2).any(1)),
        ),
        Mistake(
            "batch-first-is-the-default",
            "every sample is taken to have seen itself only; measure what this very module does",
            lambda module, x: _table(_jacobian(_build(module, batch_first=True), x).any(3).any(1)),
        ),
    ),
    levels={
        "type": "Return a list of lists of bools, as `.tolist()` makes of a bool tensor.",
        "shape": "Return a square: a row for each sample, with an entry for each sample.",
        "direction": "The right number of entries is True, at wrong places. A row belongs to an "
        "output, a column to an input.",
        "value": "Some samples are missing or too many. Take one output, go backward from it, and "
        "look which samples of `x` get a gradient.",
    },
    hints=(
        "`torch.autograd.grad(y, x)` tells how the number `y` moves with every entry of `x`. "
        "Which number belongs to sample i?",
        "Go backward from `output[i].sum()`, with `retain_graph=True` as you need the graph again. "
        "The gradient has the shape of `x`: which of its dimensions are to be added up?",
        "One row is `gradient.abs().sum((1, 2)) > 0`. Make one for every i in `range(len(x))` and "
        "put them together with `torch.stack(...).tolist()`.",
    ),
)


# ── 2 · read_batch ──────────────────────────────────────────────────────────────────────────────


def read_batch(module: Module, x: Tensor) -> Tensor:
    """The same weights in a module that takes the batch first."""
    return outputs_of(_build(module, batch_first=True), x)


def _read_reshaped(module: Module, x: Tensor) -> Tensor:
    if _is_batch_first(module):
        return read_batch(module, x)
    batch, steps, features = x.shape
    return outputs_of(_build(module), x.reshape(steps, batch, features)).reshape(batch, steps, -1)


def _read_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for i, batch_first in enumerate((False, True, False, True) * (2 if hidden else 1)):
        batch, steps = _two_sizes(2, 6, generator)
        if i == 4:  # as many samples as steps: no shape tells
            batch = steps
        elif i == 6:
            batch = 1
        module = _recurrent(
            next(cells),
            generator,
            layers=random_int(1, 2, generator),
            batch_first=batch_first,
            bidirectional=i not in (3, 6, 7),
        )
        cases.append((module, _batch(module, batch, steps, generator)))
    return cases


READ_BATCH = Exercise(
    name="read_batch",
    unit="03",
    points=2,
    title="Read a batch-first batch with any module",
    cases=_read_cases,
    reference=read_batch,
    mistakes=(
        Mistake(
            "batch-first-is-the-default",
            "`x` goes into every module as it is; one without `batch_first=True` then reads along "
            "the batch",
            lambda module, x: outputs_of(_build(module), x),
        ),
        Mistake(
            "mended-twice",
            "`x` is turned to time first for every module, also for one that wants the batch first",
            lambda module, x: outputs_of(_build(module), x.transpose(0, 1)).transpose(0, 1),
        ),
        Mistake(
            "transposed-only-once",
            "the output is not turned back; it comes in the order of the input",
            lambda module, x: outputs_of(
                _build(module), x if _is_batch_first(module) else x.transpose(0, 1)
            ),
        ),
        Mistake(
            "reshape-mends-layout",
            "the axes are changed with `reshape`, which cuts the sequences into other pieces",
            _read_reshaped,
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the outputs of all steps.",
        "shape": "Return the outputs with the batch first, as `x` has it: (batch, seq_len, "
        "directions * hidden_size).",
        "direction": "These are the right numbers at wrong places: the axes of the output are not "
        "in the order that is wanted.",
        "value": "The shape is right and the numbers are not. Read one sample alone and compare: "
        "does the module take your batch for time?",
    },
    hints=(
        "Which order of axes does this module want? It says so: `rnn.batch_first`.",
        "If it wants time first, swap the first two axes of `x`. And in which order does the "
        "output come?",
        "`x.transpose(0, 1)` swaps the axes. Do it before the call and once more after it, but "
        "only `if not rnn.batch_first`.",
    ),
)


# ── 3 · start_from ──────────────────────────────────────────────────────────────────────────────


def start_from(module: Module, x: Tensor, states: Tensor) -> Tensor:
    """One sample after the other, as sequences without a batch axis."""
    rnn = _build(module)
    return torch.stack(
        [outputs_of(rnn, sample, state) for sample, state in zip(x, states, strict=True)]
    )


def _started(turn: Callable[[Tensor], Tensor | None]) -> Callable[[Module, Tensor, Tensor], Tensor]:
    """All samples at once, from what ``turn`` makes of the states."""

    def read(module: Module, x: Tensor, states: Tensor) -> Tensor:
        return outputs_of(_build(module), x, turn(states))

    return read


def _readers_swapped(states: Tensor) -> Tensor:
    by_layer: Tensor = states.unflatten(1, (-1, 2)).flip(2).flatten(1, 2)
    return by_layer.transpose(0, 1).contiguous()


def _start_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cells = in_turn(("RNN", "GRU"), generator)
    cases: list[Arguments] = []
    for layers in (1, 2, 2, 1, 1, 2) if hidden else (1, 2, 2, 1):
        module = _recurrent(next(cells), generator, layers=layers, batch_first=True)
        batch = 2 * layers + random_int(1, 3, generator)
        steps = batch + random_int(1, 2, generator)
        states = torch.randn(batch, 2 * layers, module[1]["hidden_size"], generator=generator)
        cases.append((module, _batch(module, batch, steps, generator), states))
    return cases


START_FROM = Exercise(
    name="start_from",
    unit="03",
    points=3,
    title="Every sample starts from a state of its own",
    cases=_start_cases,
    reference=start_from,
    mistakes=(
        Mistake(
            "reshape-mends-layout",
            "`reshape` is used to bring the states into shape; it deals them out to the wrong "
            "samples",
            _started(
                lambda states: states.reshape(states.shape[1], states.shape[0], states.shape[2])
            ),
        ),
        Mistake(
            "state-goes-nowhere",
            "the states are not handed over, so that every sample starts from zeros",
            _started(lambda states: None),
        ),
        Mistake(
            "swapped-halves",
            "the two readers start from each other's states",
            _started(_readers_swapped),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the outputs of all steps.",
        "shape": "Return the outputs of all steps: (batch, seq_len, 2 * hidden_size).",
        "value": "The shape is right and the numbers are not. Take sample 0 alone, with its own "
        "state, and compare with row 0 of yours.",
    },
    hints=(
        "In which order of axes does an RNN want its initial state? And in which do the states "
        "come here?",
        "The module has `batch_first=True`, and its state is (layers × directions, batch, "
        "hidden_size) all the same. Move the axes; do not reshape.",
        "`states.transpose(0, 1).contiguous()` is the second argument of the call.",
    ),
)


# ── 4 · final_states ────────────────────────────────────────────────────────────────────────────


def final_states(module: Module, x: Tensor) -> Tensor:
    """Sample by sample from the outputs: the forward end, and the backward one at step 0."""
    rnn, size = _build(module), module[1]["hidden_size"]
    rows = []
    for sample in x.unbind(0 if _is_batch_first(module) else 1):
        outputs = outputs_of(rnn, sample)  # no batch axis, so no layout
        rows.append(torch.cat([outputs[-1, :size], outputs[0, size:]]))
    return torch.stack(rows)


def _h_n(module: Module, x: Tensor) -> Tensor:
    state = _build(module)(x)[1]
    h_n = state[0] if isinstance(state, tuple) else state
    assert isinstance(h_n, Tensor)
    return h_n


def _cut_into_rows(module: Module, x: Tensor) -> Tensor:
    last_layer = _h_n(module, x)[-_directions(module) :]
    return last_layer.reshape(last_layer.shape[1], -1)


def _last_step(module: Module, x: Tensor) -> Tensor:
    outputs = outputs_of(_build(module), x)
    return outputs[:, -1] if _is_batch_first(module) else outputs[-1]


def _final_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # layers, bidirectional, batch_first
    kinds: tuple[tuple[int, bool, bool], ...]
    kinds = ((1, True, True), (2, True, False), (1, True, False), (1, False, True))
    if hidden:
        kinds += ((2, True, True), (2, False, False), (2, False, True), (1, False, False))
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for layers, bidirectional, batch_first in kinds:
        module = _recurrent(
            next(cells),
            generator,
            layers=layers,
            bidirectional=bidirectional,
            batch_first=batch_first,
        )
        batch = 4 + random_int(1, 3, generator)  # more than there are rows in h_n
        steps = batch + random_int(1, 3, generator)
        x = _batch(module, batch, steps, generator)
        cases.append((module, x if batch_first else x.transpose(0, 1).contiguous()))
    return cases


FINAL_STATES = Exercise(
    name="final_states",
    unit="03",
    points=3,
    title="The final states of every sample, from any module",
    cases=_final_cases,
    reference=final_states,
    mistakes=(
        Mistake(
            "batch-first-everywhere",
            "the batch is looked for in dimension 0 of `h_n`; it is dimension 1, whatever the flag",
            lambda module, x: _h_n(module, x)[:, -_directions(module) :].flatten(1),
        ),
        Mistake(
            "view-joins-directions",
            "`h_n` is reshaped into rows, which hold states of different samples",
            _cut_into_rows,
        ),
        Mistake(
            "last-step-readout",
            "you take the last step of the output, where the backward reader has just begun",
            _last_step,
        ),
        Mistake(
            "last-step-is-last-sample",
            "you take `output[:, -1]` from every module; where time comes first, that is the last "
            "sample",
            lambda module, x: outputs_of(_build(module), x)[:, -1],
        ),
    ),
    levels={
        "type": "Return a tensor of floats: one row per sample.",
        "shape": "Return one row per sample, with the final states of all directions of the last "
        "layer side by side: (batch, directions * hidden_size).",
        "direction": "These are the right numbers at wrong places. Read one sample alone and see "
        "in which row its states should be.",
        "value": "The shape is right and the numbers are not. Read one sample alone and compare "
        "its row with yours.",
    },
    hints=(
        "Both layouts return `h_n` in the same order of axes. Which one?",
        "`h_n` is (layers × directions, batch, hidden_size), the last layer at the end. An LSTM "
        "returns a pair of states; `h_n` is the first.",
        "`torch.cat([h_n[-2], h_n[-1]], dim=1)` for both directions, and `h_n[-1]` for one.",
    ),
)


# ── 5 · read_sentences ──────────────────────────────────────────────────────────────────────────


def read_sentences(sentences: list[Tensor], module: Module) -> Tensor:
    """Each sentence alone, and zeros after its end."""
    rnn = _build(module)
    return pad_sequence([outputs_of(rnn, sentence) for sentence in sentences], batch_first=True)


def _unpacked_time_first(sentences: list[Tensor], module: Module) -> Tensor:
    packed = pack_sequence(sentences, enforce_sorted=False)
    output, _ = pad_packed_sequence(_build(module)(packed)[0])
    assert isinstance(output, Tensor)
    return output


def _unpacked_and_reshaped(sentences: list[Tensor], module: Module) -> Tensor:
    output = _unpacked_time_first(sentences, module)
    return output.reshape(output.shape[1], output.shape[0], -1)


def _not_packed(sentences: list[Tensor], module: Module) -> Tensor:
    return outputs_of(_build(module, batch_first=True), pad_sequence(sentences, batch_first=True))


def _not_packed_but_cut(sentences: list[Tensor], module: Module) -> Tensor:
    output = _not_packed(sentences, module)
    return pad_sequence(
        [row[: len(s)] for row, s in zip(output, sentences, strict=True)], batch_first=True
    )


def _sentences_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for i, batch_first in enumerate((True, False, True, False) * (2 if hidden else 1)):
        module = _recurrent(next(cells), generator, batch_first=batch_first)
        n = random_int(2, 5, generator)
        longest = n + random_int(2, 4, generator)
        lengths = [random_int(1, longest - 1, generator) for _ in range(n - 1)]
        # The longest comes first, anywhere, last; and a sentence of a single word is there too.
        lengths.insert((0, random_int(0, n - 1, generator), n - 1)[i % 3], longest)
        if i % 3 == 2:
            lengths[0] = 1
        sentences = [
            torch.randn(length, module[1]["input_size"], generator=generator) for length in lengths
        ]
        cases.append((sentences, module))
    return cases


READ_SENTENCES = Exercise(
    name="read_sentences",
    unit="03",
    points=3,
    title="Four places that agree",
    cases=_sentences_cases,
    reference=read_sentences,
    mistakes=(
        Mistake(
            "flag-is-enough-for-packing",
            "`pad_packed_sequence` has no `batch_first=True`; no other flag reaches it",
            _unpacked_time_first,
        ),
        Mistake(
            "reshape-mends-layout",
            "what comes out time first is reshaped to the wanted shape",
            _unpacked_and_reshaped,
        ),
        Mistake(
            "zeros-are-invisible",
            "the sentences are padded and not packed: the reader reads the zeros too",
            _not_packed,
        ),
        Mistake(
            "packing-only-for-h-n",
            "the sentences are not packed, and the outputs after the end are cut off; the backward "
            "reader has met the padding before the words",
            _not_packed_but_cut,
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the outputs for all words.",
        "shape": "Return (batch, longest, 2 * hidden_size), with the batch first.",
        "direction": "These are the right numbers at wrong places. Row i shall hold the outputs "
        "for sentence i.",
        "value": "The shape is right and the numbers are not. Read one sentence alone and compare "
        "with its row.",
    },
    hints=(
        "Three functions and one module have a `batch_first`. Which of the four have it?",
        "`pad_sequence` and `pack_padded_sequence` must agree with each other. What decides how "
        "`pad_packed_sequence` returns its result?",
        "Give `batch_first=True` to all three functions. The module's own flag does not matter for "
        "a packed sequence.",
    ),
)


# ── 6 · not_its_own ─────────────────────────────────────────────────────────────────────────────


def not_its_own(module: Module, x: Tensor, logged: Tensor) -> list[int]:
    """Read every sample without a batch axis and compare."""
    rnn = _build(module)
    return [i for i, sample in enumerate(x) if _differ(outputs_of(rnn, sample), logged[i])]


def _differ(one: Tensor, other: Tensor) -> bool:
    return not torch.allclose(one, other, rtol=0, atol=1e-4)


def _compared_in_the_batch(module: Module, x: Tensor, logged: Tensor) -> list[int]:
    outputs = outputs_of(_build(module), x)
    return [i for i in range(len(x)) if _differ(outputs[i], logged[i])]


def _steps_that_differ(module: Module, x: Tensor, logged: Tensor) -> list[int]:
    outputs = read_batch(module, x)
    return [t for t in range(x.shape[1]) if _differ(outputs[:, t], logged[:, t])]


def _logged_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # bidirectional, batch_first, whether the first and the last sample were mixed, and how the one
    # before the last was logged: with a single number that counts as another, at the last step or
    # the first, or with numbers that all count as equal
    kinds = (
        (True, False, True, False, "last step"),
        (False, False, False, True, "nearly equal"),
        (True, True, True, True, "first step"),
        (False, False, True, False, "nearly equal"),
        (True, False, False, True, "last step"),
    )
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for bidirectional, batch_first, first, last, how in kinds * (2 if hidden else 1):
        module = _recurrent(
            next(cells), generator, bidirectional=bidirectional, batch_first=batch_first
        )
        batch = random_int(5, 6, generator)
        x = _batch(module, batch, batch + random_int(2, 4, generator), generator)
        mixed = torch.rand(batch, generator=generator) < 0.5
        mixed[0], mixed[1], mixed[-2], mixed[-1] = first, True, False, last
        logged = torch.where(
            mixed[:, None, None],
            outputs_of(_build(module, batch_first=False), x),
            outputs_of(_build(module, batch_first=True), x),
        ).detach()
        if how == "nearly equal":
            logged[-2] += 8e-5 * torch.randn(logged[-2].shape, generator=generator).sign()
        else:
            unit = random_int(0, logged.shape[2] - 1, generator)
            if how == "first step":
                logged[-2, 0, unit] += 1.6e-4
            else:
                logged[-2, -1, unit] -= 1.6e-4
        cases.append((module, x, logged))
    return cases


NOT_ITS_OWN = Exercise(
    name="not_its_own",
    unit="03",
    points=3,
    title="Which logged answers were mixed with those of others",
    cases=_logged_cases,
    reference=not_its_own,
    mistakes=(
        Mistake(
            "batch-first-is-the-default",
            "you compare with what the module makes of the whole batch as it comes; without its "
            "flag, that is mixed itself",
            _compared_in_the_batch,
        ),
        Mistake(
            "samples-in-dimension-one",
            "you list the steps at which something differs, and not the samples",
            _steps_that_differ,
        ),
        Mistake(
            "first-sample-is-clean",
            "sample 0 is left out, as if nothing could have come before it; it has not seen its "
            "own other steps, and both ways it has seen the others",
            lambda module, x, logged: [i for i in not_its_own(module, x, logged) if i > 0],
        ),
    ),
    levels={
        "type": "Return a list of ints: the numbers of the samples.",
        "shape": "Your list has too few samples or too many. What would the module say about a "
        "sample that is alone?",
        "direction": "These are the right samples in another order; list them from first to last.",
        "value": "Some of these samples are not the ones. What would the module say about a sample "
        "that is alone?",
    },
    hints=(
        "Alone or in company: whose answer must not depend on the company?",
        "Read each sample alone and compare it with its log. How do you hand over one sample so "
        "that the module's `batch_first` does not matter?",
        "`build(module)(x[i])[0]` reads one sequence without a batch axis. Compare it with "
        "`logged[i]` by `torch.allclose(..., atol=1e-4)`, and keep the i where they differ.",
    ),
)

EXERCISES = (SAMPLES_SEEN, READ_BATCH, START_FROM, FINAL_STATES, READ_SENTENCES, NOT_ITS_OWN)
"""In the order of the notebook."""
