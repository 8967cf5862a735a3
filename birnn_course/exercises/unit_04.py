"""The exercises of unit 04, padding and packing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course.exercises.cases import CELLS, in_turn, random_int, recurrent
from birnn_course.exercises.spec import Arguments, Exercise, Mistake, Module, build_module
from birnn_course.models import sequence_mask

A, PAD = 0, 26
"""The id of the letter a, and of the pad symbol."""


def _lengths(batch: int, longest: int, generator: Generator) -> Tensor:
    """Different lengths, the longest one somewhere inside, in no order that sorting would keep.

    A permutation of the rows must not be its own inverse, or unsorting twice could go unnoticed.
    """
    short = 1 + torch.randperm(longest - 1, generator=generator)[: batch - 1]
    short = short.sort().values
    # longest in the middle, the shortest first: for three rows 1, 9, 4
    order = [int(short[0]), longest, *short[1:].tolist()]
    return torch.tensor(order[:batch])


def _random_sizes(
    generator: Generator, *ranges: tuple[int, int]
) -> list[tuple[int, int, int, int]]:
    """Batch, longest, columns beyond it, and one more size; all but the third from its range."""
    drawn = [[random_int(*limits, generator) for limits in ranges] for _ in range(4)]
    return [(batch, longest, more, size) for more, (batch, longest, size) in enumerate(drawn)]


def _reading_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    """A padded batch with noise after the ends, its lengths, and a bidirectional module."""
    # batch, longest, columns beyond it, layers
    sizes = [(3, 5, 0, 1), (4, 6, 2, 1), (3, 4, 1, 2), (1, 3, 0, 1)]
    if hidden:
        sizes = [
            (random_int(3, 5, generator), random_int(5, 8, generator), more, layers)
            for more, layers in ((0, 1), (1, 1), (3, 2), (2, 1), (0, 2))
        ]
        sizes.append((1, random_int(2, 4, generator), 1, 2))
    cells = in_turn(CELLS, generator)
    cases: list[Arguments] = []
    for i, (batch, longest, more, layers) in enumerate(sizes):
        lengths = _lengths(batch, longest, generator) if batch > 1 else torch.tensor([longest])
        if i == 1:  # one of a single step, and two of one length
            lengths[0], lengths[-1] = 1, lengths[2]
        x = torch.randn(batch, longest + more, 2, generator=generator)
        cases.append((x, lengths, recurrent(next(cells), 2, 3, generator, layers=layers)))
    return cases


def _h_n(state: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """The hidden states, of an LSTM too."""
    return state[0] if isinstance(state, tuple) else state


def _alone(x: Tensor, lengths: Tensor, module: Module) -> list[tuple[Tensor, Tensor]]:
    """Outputs and ``h_n`` of every sequence, read without any padding."""
    rnn = build_module(module)
    results = []
    for sequence, n in zip(x, lengths.tolist(), strict=True):
        output, state = rnn(sequence[None, :n])
        results.append((output[0], _h_n(state)[:, 0]))
    return results


def _packed(
    x: Tensor, lengths: Tensor, module: Module, *, total_length: int | None = None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Outputs, ``h_n`` and ``unsorted_indices`` of the packed batch."""
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, state = build_module(module)(packed)
    padded, _ = pad_packed_sequence(output, batch_first=True, total_length=total_length)
    return padded, _h_n(state), packed.unsorted_indices


# ── 1 · read_packed ─────────────────────────────────────────────────────────────────────────────


def read_packed(x: Tensor, lengths: Tensor, module: Module) -> Tensor:
    """Every sequence read alone, side by side, zeros after its end."""
    outputs = [output for output, _ in _alone(x, lengths, module)]
    return torch.stack([F.pad(output, (0, 0, 0, x.shape[1] - len(output))) for output in outputs])


def _read_directly(x: Tensor, lengths: Tensor, module: Module) -> Tensor:
    outputs = build_module(module)(x)[0] * sequence_mask(lengths, x.shape[1])[..., None]
    assert isinstance(outputs, Tensor)
    return outputs


def _read_and_unsort(x: Tensor, lengths: Tensor, module: Module) -> Tensor:
    output, _, unsorted = _packed(x, lengths, module, total_length=x.shape[1])
    return output[unsorted]


READ_PACKED = Exercise(
    name="read_packed",
    unit="04",
    points=2,
    title="A padded batch, read as if each sequence were alone",
    cases=_reading_cases,
    reference=read_packed,
    real=lambda x, lengths, module: sequence_mask(lengths, x.shape[1]),
    mistakes=(
        Mistake(
            "packing-only-for-h-n",
            "the padded batch is read directly and its pads are zeroed afterwards; the backward "
            "reader has met them first",
            _read_directly,
        ),
        Mistake(
            "zeros-are-invisible",
            "the pads are set to zero before the batch is read; the biases move the state at "
            "every one of them",
            lambda x, lengths, module: _read_directly(
                x * sequence_mask(lengths, x.shape[1])[..., None], lengths, module
            ),
        ),
        Mistake(
            "comes-back-sorted",
            "the result is unsorted once more; with `enforce_sorted=False` it comes back in your "
            "order",
            _read_and_unsort,
        ),
        Mistake(
            "pad-packed-keeps-length",
            "unpacking gets no `total_length`; the result is then only as wide as the longest "
            "sequence",
            lambda x, lengths, module: _packed(x, lengths, module)[0],
        ),
        Mistake(
            "off-by-one-end",
            "each sequence is packed without its last step; a length counts the steps",
            lambda x, lengths, module: _packed(
                x, (lengths - 1).clamp(min=1), module, total_length=x.shape[1]
            )[0],
        ),
    ),
    levels={
        "type": "Return a tensor of floats: the outputs of all steps.",
        "shape": "Return as many rows and columns as `x` has, with 2 * hidden_size features. "
        "`pad_packed_sequence` needs to be told how wide the batch was.",
        "direction": "These are the right numbers at wrong places. Compare row 0 with sequence 0 "
        "read alone: is it the right sequence?",
        "padding": "All real steps are right. After the end there should be zeros.",
        "value": "The shape is right and the numbers are not. Read one sequence alone, without "
        "its pads, and compare the backward half at its last step.",
    },
    hints=(
        "What must the reader be told so that it never meets a pad? Two functions, one on the way "
        "in and one on the way out.",
        "`pack_padded_sequence` takes `x` and the lengths. Two of its arguments matter here: how "
        "the batch lies, and whether it is sorted.",
        "`pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)`, then the "
        "module, then `pad_packed_sequence(…, batch_first=True, total_length=x.shape[1])[0]`.",
    ),
)


# ── 2 · packed_final_states ─────────────────────────────────────────────────────────────────────


def packed_final_states(x: Tensor, lengths: Tensor, module: Module) -> Tensor:
    """The last layer's final states of every sequence read alone, forward then backward."""
    return torch.stack([torch.cat([h[-2], h[-1]]) for _, h in _alone(x, lengths, module)])


def _join(h_n: Tensor) -> Tensor:
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


def _final_at_the_length(x: Tensor, lengths: Tensor, module: Module) -> Tensor:
    output = _packed(x, lengths, module)[0]
    return output[torch.arange(len(x)), lengths - 1]


def _final_sorted(x: Tensor, lengths: Tensor, module: Module) -> Tensor:
    order = lengths.argsort(descending=True)
    packed = pack_padded_sequence(x[order], lengths[order], batch_first=True)
    return _join(_h_n(build_module(module)(packed)[1]))


PACKED_FINAL_STATES = Exercise(
    name="packed_final_states",
    unit="04",
    points=2,
    title="One vector per sequence from both final states",
    cases=_reading_cases,
    reference=packed_final_states,
    mistakes=(
        Mistake(
            "h-n-stops-at-the-end",
            "`h_n` comes from the padded batch, not packed; it is then the state after the pads, "
            "and the backward reader starts in them",
            lambda x, lengths, module: _join(_h_n(build_module(module)(x)[1])),
        ),
        Mistake(
            "padded-end-is-the-end",
            "you take the last column of the unpacked outputs; for all but the longest sequence "
            "that is padding",
            lambda x, lengths, module: _packed(x, lengths, module)[0][:, -1],
        ),
        Mistake(
            "last-step-readout",
            "you take the output at each sequence's last step for both directions; the backward "
            "reader has only just started there",
            _final_at_the_length,
        ),
        Mistake(
            "unsort-only-outputs",
            "the batch was sorted by hand and `h_n` was not put back into your order",
            _final_sorted,
        ),
        Mistake(
            "view-joins-directions",
            "`h_n` was reshaped; its rows then mix the states of different sequences",
            lambda x, lengths, module: _packed(x, lengths, module)[1][-2:].reshape(len(x), -1),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: one vector per sequence.",
        "shape": "Return (batch, 2 * hidden_size): the last layer's two final states side by side.",
        "direction": "These are the right numbers at wrong places. Which sequence does each row "
        "belong to, and which half comes first?",
        "value": "The shape is right and the numbers are not. Read one sequence alone, without "
        "its pads, and compare its `h_n` with your row, one half at a time.",
    },
    hints=(
        "Which of the two things that a packed reader returns holds final states already?",
        "Packed, `h_n` is the state at each sequence's own end and start. Of an LSTM you get a "
        "pair; `h_n` is its first part.",
        "Pack as in exercise 1, without unpacking. Then `torch.cat([h_n[-2], h_n[-1]], dim=1)`: "
        "the last layer's forward and backward states.",
    ),
)


# ── 3 · turn_around ─────────────────────────────────────────────────────────────────────────────


def turn_around(x: Tensor, lengths: Tensor) -> Tensor:
    """Every sequence reversed, its pads left where they are."""
    result = x.clone()
    for row, n in enumerate(lengths.tolist()):
        result[row, :n] = x[row, :n].flip(0)
    return result


def _turn_longest(x: Tensor, lengths: Tensor) -> Tensor:
    longest = int(lengths.max())
    return torch.cat([x[:, :longest].flip(1), x[:, longest:]], dim=1)


def _turn_around_a_step(x: Tensor, lengths: Tensor) -> Tensor:
    """Counts the length itself as a step: the first pad comes in, the first step goes out."""
    step = torch.arange(x.shape[1])
    index = torch.where(step < lengths[:, None], lengths[:, None] - step, step)
    return x.gather(1, index.clamp(max=x.shape[1] - 1)[..., None].expand_as(x))


def _turn_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    sizes = [(3, 5, 0, 2), (2, 4, 2, 3), (4, 6, 1, 1), (1, 5, 0, 4)]
    if hidden:
        sizes = _random_sizes(generator, (2, 5), (5, 8), (2, 4))
        sizes.append((1, random_int(2, 5, generator), 2, 3))
    cases: list[Arguments] = []
    for i, (batch, longest, more, features) in enumerate(sizes):
        lengths = _lengths(batch, longest, generator) if batch > 1 else torch.tensor([longest])
        lengths[0] = 1 if i == 1 else lengths[0]
        cases.append((torch.randn(batch, longest + more, features, generator=generator), lengths))
    return cases


TURN_AROUND = Exercise(
    name="turn_around",
    unit="04",
    points=2,
    title="Each sequence reversed within its own length",
    cases=_turn_cases,
    reference=turn_around,
    mistakes=(
        Mistake(
            "flip-reverses-padded",
            "whole rows are flipped, so that the pads come to the front",
            lambda x, lengths: x.flip(1),
        ),
        Mistake(
            "pads-stay-when-cut",
            "every row is turned within the longest length; the shorter ones bring their pads to "
            "the front",
            _turn_longest,
        ),
        Mistake(
            "flip-wrong-axis",
            "the features are turned around; time is dimension 1",
            lambda x, lengths: x.flip(-1),
        ),
        Mistake(
            "off-by-one-end",
            "step `lengths - step` is taken; the last step of a sequence is `lengths - 1`",
            _turn_around_a_step,
        ),
    ),
    levels={
        "type": "Return a tensor of floats, like `x`.",
        "shape": "Return a tensor of the shape of `x`; only the order of the steps changes.",
        "direction": "All numbers are there, at wrong places. Look at a row with pads: its last "
        "real step belongs to place 0, and its pads stay where they are.",
        "value": "These are other numbers. Perhaps some are lost or doubled: which step belongs to "
        "place 0 of a row with `n` real steps?",
    },
    hints=(
        "Do one row first, on paper: 3 real steps and 2 pads. Which step goes where?",
        "Place t gets step n - 1 - t while t < n, and keeps its own step after that. A loop over "
        "the rows is fine.",
        "In a loop: `result[row, :n] = x[row, :n].flip(0)` on a clone of `x`. Without a loop: "
        "`torch.where` for the index, then `gather` along dimension 1.",
    ),
)


# ── 4 · pool ────────────────────────────────────────────────────────────────────────────────────


def pool(output: Tensor, lengths: Tensor) -> Tensor:
    """Mean and maximum of the real steps of each sequence, taken one by one."""
    rows = [row[:n] for row, n in zip(output, lengths.tolist(), strict=True)]
    return torch.stack([torch.cat([row.mean(0), row.amax(0)]) for row in rows])


def _masked(output: Tensor, lengths: Tensor, filler: float) -> Tensor:
    return output.masked_fill(~sequence_mask(lengths, output.shape[1])[..., None], filler)


def _pool_with(
    mean: Callable[[Tensor, Tensor], Tensor] = lambda output, lengths: (
        _masked(output, lengths, 0).sum(1) / lengths[:, None]
    ),
    most: Callable[[Tensor, Tensor], Tensor] = lambda output, lengths: _masked(
        output, lengths, float("-inf")
    ).amax(1),
) -> Callable[[Tensor, Tensor], Tensor]:
    def wrong_pool(output: Tensor, lengths: Tensor) -> Tensor:
        return torch.cat([mean(output, lengths), most(output, lengths)], dim=1)

    return wrong_pool


def _pool_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    sizes = [(3, 5, 0, 4), (2, 4, 2, 3), (4, 6, 1, 2), (3, 7, 0, 5)]
    if hidden:
        sizes = _random_sizes(generator, (3, 5), (5, 8), (2, 5))
    cases: list[Arguments] = []
    for batch, longest, more, features in sizes:
        lengths = _lengths(batch, longest, generator)
        lengths[0] = 1
        # Negative at most real steps, so that zeros win; after the end stands something large.
        output = torch.randn(batch, longest + more, features, generator=generator) - 3
        output = output.where(sequence_mask(lengths, longest + more)[..., None], output.abs() + 2)
        # However small the number is that stands for a pad, a step may be smaller. It is the only
        # one of its sequence, so that no mean is inexact.
        output[0, 0] = -1e6 * (1 + torch.rand(features, generator=generator))
        cases.append((output, lengths))
    return cases


POOL = Exercise(
    name="pool",
    unit="04",
    points=3,
    title="Mean and maximum over the real steps",
    cases=_pool_cases,
    reference=pool,
    mistakes=(
        Mistake(
            "mean-over-pads",
            "the mean is taken over all columns, the pads included",
            _pool_with(mean=lambda output, lengths: output.mean(1)),
        ),
        Mistake(
            "masked-mean",
            "the pads are set to zero and the mean still divides by all columns",
            _pool_with(mean=lambda output, lengths: _masked(output, lengths, 0).mean(1)),
        ),
        Mistake(
            "max-over-pads",
            "the pads are set to zero before the maximum; zero beats every negative feature",
            _pool_with(most=lambda output, lengths: _masked(output, lengths, 0).amax(1)),
        ),
        Mistake(
            "max-over-pads",
            "the maximum is taken over all columns, the pads included",
            _pool_with(most=lambda output, lengths: output.amax(1)),
        ),
    ),
    levels={
        "type": "Return a tensor of floats: one vector per sequence.",
        "shape": "Return (batch, 2 * features): the means, then the maxima.",
        "direction": "These are the right numbers at wrong places: first all means, then all "
        "maxima, row by row.",
        "value": "The shape is right and the numbers are not. Cut one sequence at its length, "
        "take mean and maximum of that, and see which half of your row differs.",
    },
    hints=(
        "Both halves read columns that are not there. What do you put into those columns so that "
        "a sum does not notice? And a maximum?",
        "A mask: `torch.arange(output.shape[1]) < lengths[:, None]`, with `[..., None]` to reach "
        "over the features. The mean divides by the lengths.",
        "`output.masked_fill(~mask[..., None], 0).sum(1) / lengths[:, None]`, and the same with "
        '`float("-inf")` and `.amax(1)`.',
    ),
)


# ── 5 · masked_tagging_loss ─────────────────────────────────────────────────────────────────────


def masked_tagging_loss(scores: Tensor, tags: Tensor, lengths: Tensor) -> float:
    """Mean cross-entropy of the real steps, all put into one list."""
    rows = lengths.tolist()
    real_scores = torch.cat([row[:n] for row, n in zip(scores, rows, strict=True)])
    real_tags = torch.cat([row[:n] for row, n in zip(tags, rows, strict=True)])
    return F.cross_entropy(real_scores, real_tags).item()


def _losses(scores: Tensor, tags: Tensor) -> Tensor:
    return F.cross_entropy(scores.transpose(1, 2), tags, reduction="none")


def _loss_mean_of_means(scores: Tensor, tags: Tensor, lengths: Tensor) -> float:
    losses = _losses(scores, tags) * sequence_mask(lengths, tags.shape[1])
    return (losses.sum(1) / lengths).mean().item()


def _loss_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # batch, longest, columns beyond it, tags: never as many tags as steps
    sizes = [(3, 5, 0, 2), (2, 4, 2, 3), (4, 6, 1, 3), (3, 7, 0, 4)]
    if hidden:
        sizes = _random_sizes(generator, (3, 5), (6, 9), (2, 4))
    cases: list[Arguments] = []
    for batch, longest, more, n_tags in sizes:
        lengths = _lengths(batch, longest, generator)
        tags = torch.randint(n_tags, (batch, longest + more), generator=generator)
        tags[:, 0], tags[lengths.argmax(), 1] = n_tags - 1, 0  # no kind of tag is missing
        tags = tags.where(sequence_mask(lengths, longest + more), 0)
        cases.append((torch.randn(*tags.shape, n_tags, generator=generator), tags, lengths))
    return cases


MASKED_TAGGING_LOSS = Exercise(
    name="masked_tagging_loss",
    unit="04",
    points=3,
    title="The loss of the real steps",
    cases=_loss_cases,
    reference=masked_tagging_loss,
    mistakes=(
        Mistake(
            "one-filler-for-all",
            "`ignore_index=0` leaves out the pads and every real step whose tag is 0",
            lambda scores, tags, lengths: F.cross_entropy(
                scores.transpose(1, 2), tags, ignore_index=0
            ).item(),
        ),
        Mistake(
            "mean-over-pads",
            "the pads count as steps whose tag is 0",
            lambda scores, tags, lengths: _losses(scores, tags).mean().item(),
        ),
        Mistake(
            "masked-mean",
            "the losses of the pads are set to zero and the mean still divides by all places",
            lambda scores, tags, lengths: (
                (_losses(scores, tags) * sequence_mask(lengths, tags.shape[1])).mean().item()
            ),
        ),
        Mistake(
            "mean-of-sequence-means",
            "each sequence is averaged first and then the sequences; a step of a short sequence "
            "then counts for more",
            _loss_mean_of_means,
        ),
    ),
    levels={
        "type": "Return a float; `.item()` makes one of a tensor with one number.",
        "value": "This is not the mean over the real steps. Count: how many steps are real, and "
        "by what do you divide?",
    },
    hints=(
        "Tag 0 means two things here: a real tag, and padding. The tags alone cannot tell them "
        "apart. What can?",
        "Where a step is not real, give it a target that `cross_entropy` leaves out. And it wants "
        "the classes in dimension 1.",
        "With `real = torch.arange(tags.shape[1]) < lengths[:, None]`: "
        "`F.cross_entropy(scores.transpose(1, 2), tags.masked_fill(~real, -100)).item()`.",
    ),
)


# ── 6 · from_the_left ───────────────────────────────────────────────────────────────────────────

WORDS = (
    *("banana", "papaya", "fig", "apple", "mango", "cherry", "lemon", "lime", "kiwi", "quince"),
    *("avocado", "olive", "plum", "pear", "grape", "guava", "raspberry", "orange", "date"),
    *("coconut", "apricot", "almond", "acai", "currant", "melon", "peach", "satsuma"),
)
BEGIN_WITH_A = [word for word in WORDS if word[0] == "a"]
END_WITH_A = [word for word in WORDS if word[-1] == "a"]


def _letters(word: str) -> Tensor:
    return torch.tensor([ord(letter) - ord("a") for letter in word])


def from_the_left(ids: Tensor, is_real: Tensor) -> dict[str, Any]:
    """Row by row: take what is real, and pad it on the right."""
    rows = [row[real] for row, real in zip(ids, is_real, strict=True)]
    padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    return {"ids": padded, "lengths": [len(row) for row in rows]}


def _left_as_it_is(ids: Tensor, is_real: Tensor) -> dict[str, Any]:
    right = from_the_left(ids, is_real)
    width = right["ids"].shape[1]
    return {**right, "ids": ids.masked_fill(~is_real, PAD)[:, :width]}


def _left_cut_left(ids: Tensor, is_real: Tensor) -> dict[str, Any]:
    right = from_the_left(ids, is_real)
    return {**right, "ids": ids.masked_fill(~is_real, PAD)[:, -right["ids"].shape[1] :]}


def _left_flipped(ids: Tensor, is_real: Tensor) -> dict[str, Any]:
    right = from_the_left(ids, is_real)
    flipped = ids.masked_fill(~is_real, PAD).flip(1)
    return {**right, "ids": flipped[:, : right["ids"].shape[1]]}


def _left_padded_with_a(ids: Tensor, is_real: Tensor) -> dict[str, Any]:
    right = from_the_left(ids, is_real)
    return {**right, "ids": right["ids"].masked_fill(right["ids"] == PAD, A)}


def _left_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    chosen = [["banana", "fig"], ["lime", "papaya", "date"], ["plum", "avocado", "guava", "fig"]]
    chosen.append(["kiwi", "apple"])
    if hidden:
        chosen = []
        for batch in (1, 2, 3, 4):
            # A word ends with the letter that looks like padding, one begins with it, and a short
            # one has none, so that lengths differ.
            words = [
                END_WITH_A[random_int(0, len(END_WITH_A) - 1, generator)],
                BEGIN_WITH_A[random_int(0, len(BEGIN_WITH_A) - 1, generator)],
                *(WORDS[random_int(3, len(WORDS) - 1, generator)] for _ in range(batch - 1)),
            ]
            words.insert(random_int(0, batch + 1, generator), "fig")
            chosen.append(words)
        chosen.insert(1, [BEGIN_WITH_A[random_int(0, len(BEGIN_WITH_A) - 1, generator)]])
    for i, words in enumerate(chosen):
        # The last batch is as wide as its longest word, the others are wider.
        width = max(map(len, words)) + (0 if i == len(chosen) - 1 else random_int(1, 3, generator))
        ids = torch.stack(
            [F.pad(_letters(word), (width - len(word), 0), value=A) for word in words]
        )
        ends = torch.tensor([width - len(word) for word in words])
        cases.append((ids, torch.arange(width) >= ends[:, None]))
    return cases


FROM_THE_LEFT = Exercise(
    name="from_the_left",
    unit="04",
    points=3,
    title="Words that were padded on the left",
    cases=_left_cases,
    reference=from_the_left,
    mistakes=(
        Mistake(
            "left-padding-packs",
            "the first columns are kept, where the padding is; the words' ends are lost",
            _left_as_it_is,
        ),
        Mistake(
            "left-padding-packs",
            "the padding stays on the left; packing takes the first steps of every row",
            _left_cut_left,
        ),
        Mistake(
            "zeros-count-as-pads",
            "the lengths count what is not 0; the letter a is 0 as well",
            lambda ids, is_real: {
                **from_the_left(ids, is_real),
                "lengths": (ids != A).sum(1).tolist(),
            },
        ),
        Mistake(
            "flip-reverses-padded",
            "the rows are flipped; the padding is on the right then, and the words read backward",
            _left_flipped,
        ),
        Mistake(
            "one-filler-for-all",
            "the padding is still 0, which is the letter a; it needs an id of its own, 26",
            _left_padded_with_a,
        ),
    ),
    levels={
        "type": 'Return a dict: `"ids"`, a tensor of whole numbers, and `"lengths"`, a list of '
        "ints.",
        "shape": "The ids should be as wide as the longest word, with one length for each row.",
        "direction": "All numbers are there, at wrong places. Each row should begin with its word, "
        "in reading order.",
        "value": "Take one row and write down what you expect: its letters first, then 26 up to "
        "the width of the longest word, and its number of letters.",
    },
    hints=(
        "The side, the filler and the width are wrong. Row by row it is easy: which ids are real?",
        "`ids[row][is_real[row]]` is the word. Then you are where this unit began: a list of "
        "sequences of different lengths.",
        "Collect the words in a list, give it to `pad_sequence(…, batch_first=True, "
        "padding_value=26)`, and take the lengths from the list.",
    ),
)


EXERCISES = (
    READ_PACKED,
    PACKED_FINAL_STATES,
    TURN_AROUND,
    POOL,
    MASKED_TAGGING_LOSS,
    FROM_THE_LEFT,
)
"""In the order of the notebook."""
