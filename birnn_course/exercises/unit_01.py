"""The exercises of unit 01, reading from both ends."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable
from fractions import Fraction
from functools import cache

import torch
from torch import Generator, Tensor, nn

from birnn_course.data import TaggingTask
from birnn_course.data.tasks import Sequence
from birnn_course.exercises.cases import CELLS, in_turn, outputs_of, random_int, recurrent, until
from birnn_course.exercises.spec import (
    Arguments,
    Exercise,
    Mistake,
    Module,
    bare,
    build_module,
    random_module,
)

Weights = dict[str, Tensor]
"""A state dict."""


def _two_sizes(generator: Generator) -> tuple[int, int]:
    """An input size and a hidden size."""
    return random_int(2, 5, generator), random_int(2, 5, generator)


def _recurrent(name: str, layers: int, bidirectional: bool, generator: Generator) -> Module:
    """A small recurrent module, with another size for its state than for its input."""
    sizes = random_int(2, 3, generator), random_int(4, 5, generator)
    return recurrent(name, *sizes, generator, layers=layers, bidirectional=bidirectional)


def _is_bidirectional(module: Module) -> bool:
    return bool(module[1]["bidirectional"])


# ── 1 · read_both_ways ──────────────────────────────────────────────────────────────────────────


def read_both_ways(x: Tensor, forward_weights: Weights, backward_weights: Weights) -> Tensor:
    """PyTorch's own bidirectional RNN with these weights."""
    hidden_size, input_size = forward_weights["weight_ih_l0"].shape
    rnn = nn.RNN(input_size, hidden_size, batch_first=True, bidirectional=True)
    reverse = {f"{name}_reverse": weight for name, weight in backward_weights.items()}
    rnn.load_state_dict(forward_weights | reverse)
    return outputs_of(rnn, x)


def _read(x: Tensor, weights: Weights) -> Tensor:
    """The outputs of an ordinary RNN with these weights."""
    hidden_size, input_size = weights["weight_ih_l0"].shape
    arguments = {"input_size": input_size, "hidden_size": hidden_size, "batch_first": True}
    return outputs_of(build_module(("RNN", arguments, weights)), x)


def _read_wrongly(
    backward_half: Callable[[Tensor, Weights, Weights], Tensor],
    join: Callable[[Tensor, Tensor], Tensor] = lambda f, b: torch.cat([f, b], dim=-1),
) -> Callable[[Tensor, Weights, Weights], Tensor]:
    """By hand, with a backward half or a way of joining that may be wrong."""

    def read(x: Tensor, forward_weights: Weights, backward_weights: Weights) -> Tensor:
        forward_half = _read(x, forward_weights)
        return join(forward_half, backward_half(x, forward_weights, backward_weights))

    return read


def _right_backward_half(x: Tensor, forward_weights: Weights, backward_weights: Weights) -> Tensor:
    return _read(x.flip(1), backward_weights).flip(1)


def _read_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # batch, steps, input size, hidden size; with one step there is nothing to turn around, and
    # with two equal sizes a wrong axis has the right one
    sizes = [(2, 5, 3, 4), (1, 4, 2, 3), (3, 6, 2, 2), (2, 1, 3, 2)]
    if hidden:
        lengths = [random_int(3, 8, generator) for _ in range(4)]
        sizes = [
            (random_int(2, 4, generator), lengths[0], *_two_sizes(generator)),
            (random_int(2, 4, generator), lengths[1], 2, random_int(3, 5, generator)),
            (1, lengths[2], random_int(3, 5, generator), 2),
            (random_int(2, 4, generator), 1, *_two_sizes(generator)),
            (lengths[3], lengths[3], *_two_sizes(generator)),
        ]
    cases: list[Arguments] = []
    for batch, steps, input_size, hidden_size in sizes:
        arguments = {"input_size": input_size, "hidden_size": hidden_size, "batch_first": True}
        weights = [random_module("RNN", arguments, generator)[2] for _ in range(2)]
        cases.append((torch.randn(batch, steps, input_size, generator=generator), *weights))
    return cases


READ_BOTH_WAYS = Exercise(
    name="read_both_ways",
    unit="01",
    part="Part 2 · Two readers",
    points=2,
    title="A bidirectional RNN by hand",
    cases=_read_cases,
    reference=read_both_ways,
    mistakes=(
        Mistake(
            "unflipped-outputs",
            "the backward reader's outputs are left in the order in which it read: its first one "
            "belongs to the last input",
            _read_wrongly(lambda x, forward, backward: _read(x.flip(1), backward)),
        ),
        Mistake(
            "unflipped-inputs",
            "the backward reader's outputs are turned around, but not its inputs: it has read "
            "forward",
            _read_wrongly(lambda x, forward, backward: _read(x, backward).flip(1)),
        ),
        Mistake(
            "flip-wrong-axis",
            "`flip` turns the features around; time is dimension 1",
            _read_wrongly(lambda x, forward, backward: _read(x.flip(-1), backward).flip(-1)),
        ),
        Mistake(
            "both-read-forward",
            "both readers read forward: nothing is turned around in time, which is dimension 1 "
            "(`flip(0)` turns the batch)",
            _read_wrongly(lambda x, forward, backward: _read(x, backward)),
        ),
        Mistake(
            "shared-directions",
            "both readers use the forward weights",
            _read_wrongly(lambda x, forward, backward: _right_backward_half(x, forward, forward)),
        ),
        Mistake(
            "swapped-halves",
            "the backward half comes first; PyTorch puts the forward half first",
            _read_wrongly(_right_backward_half, lambda f, b: torch.cat([b, f], dim=-1)),
        ),
        Mistake(
            "sum-is-concat",
            "the two halves are added; PyTorch puts them side by side",
            _read_wrongly(_right_backward_half, torch.add),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the outputs of all steps.",
        "shape": "Return both halves side by side: (batch, seq_len, 2 * hidden_size). Print the "
        "shapes of the two halves, and of what you make of them.",
        "direction": "These are the right numbers at wrong places. Ask of each half which input "
        "its step 0 belongs to, and which half comes first.",
        "value": "The shape is right and the numbers are not. Compare one half at a time with "
        "PyTorch's: the first that differs tells where to look.",
    },
    hints=(
        "`read_forward` can only read from step 0 on. What can you give it so that it meets the "
        "last input first?",
        "Turn `x` around in time before it is read. Then look at the first output you get: to "
        "which input does it belong?",
        "`read_forward(x.flip(1), backward_weights)` is right but for the order of its steps. "
        "Put that right, and join the halves with `torch.cat` along the last dimension.",
    ),
)


# ── 2 · seen_by ─────────────────────────────────────────────────────────────────────────────────


def seen_by(module: Module, half: str, step: int, seq_len: int) -> list[int]:
    """Measured: the input steps from which a gradient reaches this half of this output."""
    hidden_size = module[1]["hidden_size"]
    start = hidden_size if half == "backward" else 0
    return _measured(module, step, seq_len, slice(start, start + hidden_size))


def _measured(module: Module, step: int, seq_len: int, features: slice) -> list[int]:
    x = torch.randn(seq_len, module[1]["input_size"]).requires_grad_()
    reaching = _reaching(outputs_of(build_module(module), x)[step, features], x)
    return [int(s) for s in reaching.nonzero().flatten()]


def _reaching(answers: Tensor, x: Tensor) -> Tensor:
    """Which steps of ``x`` reach some of these answers: bool, without the last dimension of ``x``.

    Not by :func:`birnn_course.dependence_map`, which the learner may well use. All answers are
    added up: with random weights no two gradients cancel exactly.
    """
    (gradient,) = torch.autograd.grad(answers.sum(), x)
    return gradient.ne(0).any(-1)


def _seen_if_halves_are_swapped(module: Module, half: str, step: int, seq_len: int) -> list[int]:
    if not _is_bidirectional(module):
        return []  # where the other half would be there is nothing
    return seen_by(module, "forward" if half == "backward" else "backward", step, seq_len)


def _seen_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # Layers, bidirectional, half, step. A backward half that somebody reverses shows at the first
    # and the last step; in the middle of a sequence it does not.
    kinds: tuple[tuple[int, bool, str, str], ...] = (
        (1, True, "forward", "inside"),
        (1, True, "backward", "inside"),
        (1, False, "forward", "inside"),
        (1, True, "backward", "last"),
        (1, True, "forward", "first"),
        (2, True, "forward", "inside"),
        (2, True, "backward", "inside"),
        (2, False, "forward", "inside"),
        (1, True, "backward", "first"),
    )
    if hidden:
        kinds += (
            (1, True, "forward", "last"),
            (2, True, "forward", "first"),
            (3, True, "backward", "last"),
            (3, False, "forward", "first"),
        )
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for layers, bidirectional, half, place in kinds:
        seq_len = random_int(4, 7 if hidden else 6, generator)
        inside = random_int(1, seq_len - 2, generator)
        step = {"first": 0, "inside": inside, "last": seq_len - 1}[place]
        module = _recurrent(next(cells), layers, bidirectional, generator)
        cases.append((module, half, step, seq_len))
    return cases


SEEN_BY = Exercise(
    name="seen_by",
    unit="01",
    part="Part 2 · Two readers",
    points=2,
    title="Which inputs one half of one output has seen",
    cases=_seen_cases,
    reference=seen_by,
    mistakes=(
        Mistake(
            "stacked-halves-stay-apart",
            "the forward half has seen only the past and the backward half only the future, "
            "however many layers there are; the second layer reads both halves of the first",
            lambda module, half, step, seq_len: list(
                range(step, seq_len) if half == "backward" else range(step + 1)
            ),
        ),
        Mistake(
            "halves-see-everything",
            "you look at the whole output, so that each half gets the credit for what the other "
            "has seen",
            lambda module, half, step, seq_len: _measured(module, step, seq_len, slice(None)),
        ),
        Mistake(
            "backward-half-reversed",
            "the steps of the backward half are counted from the end; in PyTorch's output, step t "
            "of both halves is about input t",
            lambda module, half, step, seq_len: seen_by(
                module, half, seq_len - 1 - step if half == "backward" else step, seq_len
            ),
        ),
        Mistake(
            "swapped-halves",
            "you take the backward half for the forward one; the forward half is the first",
            _seen_if_halves_are_swapped,
        ),
    ),
    levels={
        "type": "Return a list of ints, as `.nonzero().flatten().tolist()` gives.",
        "shape": "Your list has too many steps or too few. Ask the model: change one input, and "
        "see whether this half of this output changes.",
        "direction": "These are the right steps in another order; list them from first to last.",
        "value": "Your list is as long as it should be, and some of its steps are wrong. Ask the "
        "model: change one input, and see whether this half of this output changes.",
    },
    hints=(
        "The lesson asked a model what one output has seen. Here you ask about one half of it.",
        "Which features of the output belong to which half? `module[1]` holds the arguments, with "
        "the hidden size. Cut the half out, then ask `dependence_map` about it.",
        "Give `dependence_map` a function of `x` that returns `build(module)(x)[0][..., :size]`, "
        "or `[..., size:]` for the backward half. Row `step` of the map is the answer.",
    ),
)


# ── 3 · best_score ──────────────────────────────────────────────────────────────────────────────

Sequences = list[tuple[list[str], list[str], float]]
"""Words, tags and probability of every sequence of a small world."""


def best_score(sequences: Sequences, lookahead: int) -> float:
    """The exact limit of a :class:`TaggingTask` with these sequences."""
    exact = [
        Sequence(tuple(words), tuple(tags), Fraction(chance).limit_denominator(10**6))
        for words, tags, chance in sequences
    ]
    limit = TaggingTask(exact).limit("left", lookahead=lookahead, ambiguous_only=False)
    return float(limit)


def _score_if_known(
    known: Callable[[list[str], int, int], Hashable], *, count: bool = False
) -> Callable[[Sequences, int], float]:
    """The score of betting on the likeliest tag given what ``known(words, step, lookahead)`` says.

    With ``count`` every sequence weighs the same, whatever its probability.
    """

    def score(sequences: Sequences, lookahead: int) -> float:
        weights: defaultdict[Hashable, defaultdict[str, float]]
        weights = defaultdict(lambda: defaultdict(float))
        for words, tags, chance in sequences:
            for t, tag in enumerate(tags):
                weights[known(words, t, lookahead)][tag] += 1 if count else chance
        won = sum(max(by_tag.values()) for by_tag in weights.values())
        return won / sum(sum(by_tag.values()) for by_tag in weights.values())

    return score


def _random_sequences(seq_len: int, generator: Generator) -> Sequences:
    """Sixteen sequences of few words, so that many look the same for a while."""
    n, total = 16, 256
    # Whole numbers of 256ths are exact as floats and sum to one exactly.
    extra = torch.randint(n, (total - n,), generator=generator)
    # Squares make some sequences much likelier than others.
    extra = (extra * extra) // n
    parts = (1 + extra.bincount(minlength=n)).tolist()
    words = torch.randint(3, (n, seq_len), generator=generator)
    # The first two are the same words, so that reading to the end does not settle their tags; the
    # next two run together to the same letters.
    words[1], words[2, :2], words[3, :2] = words[0], torch.tensor([0, 1]), torch.tensor([1, 0])
    words[3, 2:] = words[2, 2:]
    # c is always an X: an unambiguous word counts too
    tags = torch.randint(3, (n, seq_len), generator=generator)
    tags[1], tags[3] = (tags[0] + 1) % 3, (tags[2] + 1) % 3
    tags = tags.masked_fill(words == 2, 0)
    return [
        ([("a", "aa", "c")[i] for i in words[k]], ["XYZ"[i] for i in tags[k]], parts[k] / total)
        for k in range(n)
    ]


def _score_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    by_hand: Sequences = [(["?", "x"], ["X", "-"], 0.75), (["?", "y"], ["Y", "-"], 0.25)]
    cases: list[Arguments] = [] if hidden else [(by_hand, 0), (by_hand, 1)]
    for lookahead in (0, 1, 2, 0, 1, 3, 6) if hidden else (0, 1, 2):
        seq_len = random_int(4, 6, generator) if hidden else 4
        cases.append((_random_sequences(seq_len, generator), lookahead))
    return cases


BEST_SCORE = Exercise(
    name="best_score",
    unit="01",
    part="Part 6 · Answer late",
    points=3,
    by_hand=("birnn_course.data.tasks.TaggingTask",),
    title="The best score of any model that answers this late",
    cases=_score_cases,
    reference=best_score,
    mistakes=(
        Mistake(
            "limit-peeks",
            "the model knows the whole sequence when it answers; it has read the words up to "
            "`lookahead` steps after its own, and no more",
            _score_if_known(lambda words, t, lookahead: (tuple(words), t)),
        ),
        Mistake(
            "limit-is-global-majority",
            "the model always bets on the tag that is the most frequent of all; it may bet "
            "differently for everything it can have read",
            _score_if_known(lambda words, t, lookahead: None),
        ),
        Mistake(
            "limit-forgets-the-past",
            "the model has forgotten the words before its own; it carries a state, so it may "
            "remember all of them",
            _score_if_known(lambda words, t, lookahead: tuple(words[t : t + 1 + lookahead])),
        ),
        Mistake(
            "lookahead-wrong-way",
            "the model has read `lookahead` words less instead of more",
            _score_if_known(
                lambda words, t, lookahead: (tuple(words[: max(t + 1 - lookahead, 0)]), t)
            ),
        ),
        Mistake(
            "sequences-count-alike",
            "every sequence counts the same, however likely it is",
            _score_if_known(
                lambda words, t, lookahead: (tuple(words[: t + 1 + lookahead]), t), count=True
            ),
        ),
    ),
    levels={
        "type": "Return a number: the share of all tags that the best model gets right.",
        "value": "This is not the limit. Work out a world of your own on paper, one in which an "
        "earlier word tells: which sequences look the same to the model when it answers?",
    },
    hints=(
        "Section 2 of the lesson did this for one step of each sentence: make heaps of what "
        "looks the same, and bet on the likeliest tag in each heap. Here every step counts.",
        "What has the model read when it answers for step `t`? That is the name of the heap. Into "
        "the heap goes the tag of step `t`, with the probability of its sequence.",
        "The name of the heap: `(t, tuple(words[:t + 1 + lookahead]))`. Add up the largest entry "
        "of every heap, and divide by the number of steps in a sequence.",
    ),
)


# ── 4 · fair_hidden_size ────────────────────────────────────────────────────────────────────────


def fair_hidden_size(cell: str, input_size: int, hidden_size: int, num_layers: int) -> int:
    """Counted on modules of PyTorch, from the smallest on."""
    return _largest_fair(
        lambda size: _count(cell, input_size, size, num_layers, bidirectional=True),
        _count(cell, input_size, hidden_size, num_layers, bidirectional=False),
    )


@cache
def _count(cell: str, *sizes: int, bidirectional: bool) -> int:
    """The number of weights of one of PyTorch's recurrent modules."""
    rnn = bare(cell)(*sizes, bidirectional=bidirectional)
    return sum(weight.numel() for weight in rnn.parameters())


def _largest_fair(count: Callable[[int], int], budget: int) -> int:
    return bisect_right(range(1, 513), budget, key=count)


# Input and hidden sizes of a one-layer RNN at which the budget is met exactly, so that "at most"
# differs from "less"; and those at which the biases decide.
_MET_EXACTLY = ((4, 18), (5, 21), (8, 30), (11, 39), (15, 28))
_BIASES_DECIDE = ((2, 19), (3, 22), (4, 25), (5, 28), (2, 33))


def _miscounted(input_size: int, hidden_size: int, num_layers: int) -> list[int]:
    """The right size, and those of slips: a bias or a layer too few or too many, and the like.

    The gates of a cell multiply both sides, so they decide nothing.
    """

    def fair(biases: int = 2, more: int = 0, least: int = 0) -> int:
        def count(size: int, directions: int) -> int:
            later = (num_layers - 1 + more) * (directions * size + size + biases)
            return directions * size * (input_size + size + biases + later)

        return _largest_fair(lambda size: count(size, 2), count(hidden_size, 1) - least)

    slips = [fair(biases=0), fair(biases=1), fair(biases=3), fair(more=1), fair(least=1)]
    return [fair(), *slips]


def _all_show(cases: list[Arguments]) -> bool:
    """Whether each of these slips gives another size in some case."""
    right, *slips = zip(*(_miscounted(*sizes) for _, *sizes in cases), strict=True)
    return right not in slips


def _fair_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # Half the size is about right where the inputs are much wider than the state, else too small.
    cases: list[Arguments] = [
        ("RNN", *_MET_EXACTLY[0], 1),
        ("RNN", *_BIASES_DECIDE[0], 1),
        ("LSTM", 32, 64, 1),
        ("GRU", 8, 48, 2),
        ("LSTM", 16, 40, 3),
        ("RNN", 30, 12, 2),
    ]
    if not hidden:
        return cases

    def draw() -> list[Arguments]:
        cells = in_turn(CELLS, generator)
        drawn: list[Arguments] = [
            (next(cells), random_int(2, 40, generator), random_int(16, 48, generator), layers)
            for layers in (1, 2, 3, 1, 2, 3)
        ]
        special = (pairs[random_int(0, 4, generator)] for pairs in (_MET_EXACTLY, _BIASES_DECIDE))
        return [*drawn, *(("RNN", *pair, 1) for pair in special)]

    return until(_all_show, draw)


FAIR_HIDDEN_SIZE = Exercise(
    name="fair_hidden_size",
    unit="01",
    part="Part 7 · What it costs",
    points=2,
    title="The size per direction that costs no more weights",
    cases=_fair_cases,
    reference=fair_hidden_size,
    mistakes=(
        Mistake(
            "half-size-is-fair",
            "you give each direction half of the size; state-to-state weights go with its square, "
            "so it can mostly be larger",
            lambda cell, input_size, hidden_size, num_layers: hidden_size // 2,
        ),
        Mistake(
            "exactly-double",
            "both directions cost exactly twice one; from the second layer on they cost more, as "
            "it reads both",
            lambda cell, input_size, hidden_size, num_layers: _largest_fair(
                lambda size: 2 * _count(cell, input_size, size, num_layers, bidirectional=False),
                _count(cell, input_size, hidden_size, num_layers, bidirectional=False),
            ),
        ),
        Mistake(
            "flag-is-fair",
            "the size stays as it is; then the bidirectional model has at least twice the weights",
            lambda cell, input_size, hidden_size, num_layers: hidden_size,
        ),
    ),
    levels={
        "type": "Return an int: the hidden size of each direction.",
        "value": "Count the weights of the model with your size, and with one more: the first "
        "must be within the budget, and the second above it.",
    },
    hints=(
        "What is the budget? Count the weights of the left-to-right model.",
        "Try sizes: build the bidirectional model of each, and count. `count_parameters` of the "
        "course counts for you.",
        "Start at size 1. Go on while the bidirectional model of the next size is still within "
        "the budget. `getattr(nn, cell)` is the class.",
    ),
)


# ── 5 · stream ──────────────────────────────────────────────────────────────────────────────────


def stream(x: Tensor, module: Module, size: int) -> Tensor:
    """Forward half: read in one piece. Backward half: each chunk as if there were nothing else."""
    rnn, hidden_size = build_module(module), module[1]["hidden_size"]
    alone = torch.cat([outputs_of(rnn, chunk) for chunk in x.split(size, dim=1)], dim=1)
    return torch.cat([outputs_of(rnn, x)[..., :hidden_size], alone[..., hidden_size:]], dim=-1)


def _stream_keeping(keep: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Module, int], Tensor]:
    """Chunk after chunk; of the two directions' states, what ``keep`` returns is handed on."""

    def read(x: Tensor, module: Module, size: int) -> Tensor:
        rnn = build_module(module)
        state, parts = None, []
        for chunk in x.split(size, dim=1):
            outputs, state = rnn(chunk, state)
            state = keep(state)
            parts.append(outputs)
        return torch.cat(parts, dim=1)

    return read


def _stream_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # cell, batch, steps, chunk; chunks of one step, a shorter last chunk, one chunk for all
    plan = [("GRU", 1, 6, 2), ("RNN", 2, 7, 3), ("GRU", 1, 4, 1), ("RNN", 1, 5, 5)]
    if hidden:
        cells, size = in_turn(("RNN", "GRU"), generator), random_int(2, 4, generator)
        short = size * random_int(2, 3, generator)
        sizes = [(short, size), (short + 1, size), (short + size - 1, size), (6, 1), (5, 5), (4, 6)]
        plan = [
            (next(cells), 1 + i % 2 * random_int(1, 2, generator), *steps)
            for i, steps in enumerate(sizes)
        ]
    return [
        (torch.randn(batch, steps, module[1]["input_size"], generator=generator), module, size)
        for cell, batch, steps, size in plan
        for module in [_recurrent(cell, 1, True, generator)]
    ]


STREAM = Exercise(
    name="stream",
    unit="01",
    part="Part 4 · When not to use it",
    points=3,
    title="A bidirectional model for sound that arrives in chunks",
    cases=_stream_cases,
    reference=stream,
    mistakes=(
        Mistake(
            "stream-in-chunks",
            "both states are handed on; the backward reader then starts a chunk with what came "
            "before it, as if that were what comes after",
            _stream_keeping(lambda state: state),
        ),
        Mistake(
            "state-starts-anew",
            "no state is handed on, so the forward reader forgets everything at each new chunk",
            _stream_keeping(torch.zeros_like),
        ),
        Mistake(
            "stream-waits-for-the-end",
            "all of `x` is read at once; in a stream, later chunks are not there yet",
            lambda x, module, size: outputs_of(build_module(module), x),
        ),
        Mistake(
            "swapped-halves",
            "the backward reader's state is handed on and the forward reader's is not; "
            "`state[0]` is the forward reader's",
            _stream_keeping(lambda state: torch.stack([torch.zeros_like(state[0]), state[1]])),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the outputs of all steps.",
        "shape": "Return the outputs of all chunks, joined in time: (batch, seq_len, "
        "2 * hidden_size).",
        "direction": "These are the right numbers at wrong places. Join the chunks in time, "
        "dimension 1, in the order in which they came.",
        "value": "The shape is right and the numbers are not. Look at one half at a time: the "
        "forward half must be as if read in one piece, the backward half as if each chunk were "
        "alone.",
    },
    hints=(
        "`in_chunks` hands the states of both readers on. For which of them is that right?",
        "`state` has the shape (2, batch, hidden_size): `state[0]` is the forward reader's, "
        "`state[1]` the backward reader's. An RNN without a state starts from zeros.",
        "After each chunk, make a new state: `state[0]` as it is, and zeros in place of "
        "`state[1]`. `torch.stack` puts two tensors into one of the right shape.",
    ),
)


# ── 6 · leaking_steps ───────────────────────────────────────────────────────────────────────────


def leaking_steps(module: Module, lookahead: int, horizon: int, seq_len: int) -> list[int]:
    """Measured, with the look-ahead built as the lesson's tagger builds it."""
    rnn, input_size = build_module(module), module[1]["input_size"]

    def answer(x: Tensor) -> Tensor:
        after_the_end = x.new_zeros(len(x), lookahead, input_size)
        return outputs_of(rnn, torch.cat([x, after_the_end], dim=1))[:, lookahead:]

    x = torch.randn(seq_len, seq_len, input_size).requires_grad_()  # a sequence for each answer
    reaching = _reaching(answer(x).diagonal(), x)
    return [t for t in range(seq_len - horizon) if reaching[t, t + horizon]]


def _leaks_if(
    leaks: Callable[[bool, int, int], bool], *, to_the_end: bool = False
) -> Callable[[Module, int, int, int], list[int]]:
    """All steps if ``leaks(bidirectional, lookahead, horizon)`` says so, or none."""

    def steps(module: Module, lookahead: int, horizon: int, seq_len: int) -> list[int]:
        if not leaks(_is_bidirectional(module), lookahead, horizon):
            return []
        return list(range(seq_len if to_the_end else seq_len - horizon))

    return steps


def _leak_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # layers, bidirectional, look-ahead compared to the horizon, None for no look-ahead at all
    kinds = (
        (1, False, None),
        (1, True, None),
        (2, True, None),
        (1, False, 0),
        (1, False, 1),
        (2, False, -1),
        (1, False, -1),
        (1, True, 0),
        (1, True, -1),
    )
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for i, (layers, bidirectional, more) in enumerate(kinds):
        seq_len = random_int(5, 8 if hidden else 6, generator)
        horizon = random_int(1 if more is None else 2, 3, generator)
        if hidden and i == 2:  # only the first step forecasts an input that is there
            horizon = seq_len - 1
        lookahead = 0 if more is None else horizon + more
        module = _recurrent(next(cells), layers, bidirectional, generator)
        cases.append((module, lookahead, horizon, seq_len))
    return cases


LEAKING_STEPS = Exercise(
    name="leaking_steps",
    unit="01",
    part="Part 8 · A leak that looks like success",
    points=3,
    title="The steps at which a forecaster has read what it forecasts",
    cases=_leak_cases,
    reference=leaking_steps,
    mistakes=(
        Mistake(
            "predict-the-next",
            "only look-ahead counts as a leak; a bidirectional model has read the answer too",
            _leaks_if(lambda bidirectional, lookahead, horizon: lookahead >= horizon),
        ),
        Mistake(
            "lookahead-for-prediction",
            "only reading backward counts as a leak; who answers `horizon` steps late has read "
            "the answer too",
            _leaks_if(lambda bidirectional, lookahead, horizon: bidirectional),
        ),
        Mistake(
            "present-is-a-leak",
            "having read the input just before the one to forecast counts as a leak; that one is "
            "allowed to be known",
            _leaks_if(
                lambda bidirectional, lookahead, horizon: bidirectional or lookahead >= horizon - 1
            ),
        ),
        Mistake(
            "leak-at-the-last-step",
            "the last steps leak too; what they forecast is not in the input, so it cannot have "
            "been read",
            _leaks_if(
                lambda bidirectional, lookahead, horizon: bidirectional or lookahead >= horizon,
                to_the_end=True,
            ),
        ),
    ),
    levels={
        "type": "Return a list of ints; an empty list if no step leaks.",
        "shape": "Your list has too many steps or too few. For each step ask: which input is to "
        "be forecast, is it in the sequence at all, and has this output read it?",
        "direction": "These are the right steps in another order; list them from first to last.",
        "value": "Your list is as long as it should be, and some of its steps are wrong. For each "
        "step ask: which input is to be forecast, and has this output read it?",
    },
    hints=(
        "Which input does the output for step `t` forecast? Which inputs has it read? You can "
        "think, or ask the model.",
        "A left-to-right model that answers `lookahead` steps late has read up to input "
        "`t + lookahead`. How far has a bidirectional one read?",
        "Step `t` leaks if input `t + horizon` exists and has been read: always by a "
        "bidirectional model, and by the other if `lookahead` is at least `horizon`.",
    ),
)


EXERCISES = (READ_BOTH_WAYS, SEEN_BY, BEST_SCORE, FAIR_HIDDEN_SIZE, STREAM, LEAKING_STEPS)
"""In the order of the notebook."""
