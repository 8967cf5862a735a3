"""What an RNN returns, and what a slice of it is made of: found by looking, not by rule.

Where the final states stand in ``output`` is found by comparing values. Which numbers a slice takes
is found by taking the same slice of numbered places. What they have read is found by changing one
step of the input after the other.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from birnn_course.draw.inks import READERS
from birnn_course.errors import CourseError


@dataclass(frozen=True)
class Results:
    """What one call of a recurrent module returned.

    Parameters
    ----------
    output : Tensor
        ``(batch, seq_len, directions * hidden_size)``, or with the first two axes exchanged.
    states : mapping of str to Tensor
        ``h_n``, and of an LSTM ``c_n``: ``(num_layers * directions, batch, hidden_size)``.
    batch_first : bool
        Whether ``output`` has the batch as its first axis.

    Raises
    ------
    CourseError
        If the shapes are not those of one such call.
    """

    output: Tensor
    states: Mapping[str, Tensor]
    batch_first: bool = True

    def __post_init__(self) -> None:
        shapes = [tuple(self.output.shape), *(tuple(s.shape) for s in self.states.values())]
        fits = [len(shape) for shape in shapes] == [3] * len(shapes)
        if fits:
            directions, rest = divmod(self.output.shape[2], self.hidden)
            batch = self.output.shape[0 if self.batch_first else 1]
            fits = not rest and directions in (1, 2) and self.blocks % directions == 0
            fits = fits and all(s == (self.blocks, batch, self.hidden) for s in shapes[1:])
        if not fits:
            axes = "batch, seq_len" if self.batch_first else "seq_len, batch"
            raise CourseError(
                f"This needs output ({axes}, 2 * hidden_size) and h_n "
                "(2 * num_layers, batch, hidden_size) of one call, or both without the 2, not "
                f"{' and '.join(map(str, shapes))}."
            )

    @property
    def by_batch(self) -> Tensor:
        """Output with the batch as its first axis."""
        return self.output if self.batch_first else self.output.transpose(0, 1)

    @property
    def batch(self) -> int:
        """How many sequences."""
        return self.by_batch.shape[0]

    @property
    def steps(self) -> int:
        """How long they are."""
        return self.by_batch.shape[1]

    @property
    def blocks(self) -> int:
        """How many blocks each state has."""
        return self.states["h_n"].shape[0]

    @property
    def hidden(self) -> int:
        """Numbers of a state."""
        return self.states["h_n"].shape[2]

    @property
    def directions(self) -> int:
        """One or two."""
        return self.output.shape[2] // self.hidden

    @property
    def layers(self) -> int:
        """How many of them there are."""
        return self.blocks // self.directions

    def reader(self, block: int) -> str:
        """Whose final state a block is."""
        return READERS[block % self.directions]

    def layer(self, block: int) -> int:
        """Of which layer, from 0."""
        return block // self.directions

    def places(self, block: Tensor) -> list[tuple[int, int]]:
        """Each step and half of ``output`` where these values stand."""
        halves = self.by_batch.unflatten(2, (self.directions, self.hidden))
        close = (halves - block[:, None, None]).abs().amax((0, 3)) <= 1e-5
        return [(int(t), int(half)) for t, half in close.nonzero()]

    def named(self) -> dict[str, Tensor]:
        """The tensors under the names that a slice is written with."""
        return {"output": self.output, **self.states}


class Part(NamedTuple):
    """Numbers of a slice that have one history."""

    reader: str
    layer: int
    steps: tuple[int, ...]
    share: str


class Slice(NamedTuple):
    """A part of what an RNN returns.

    Parameters
    ----------
    text : str
        As it is written in code.
    shape : tuple of int
        Of what it gives.
    lit : set of (str, int, int, int)
        Name of the tensor; of ``output`` the sample, step and half, of a state the sample, the
        block and 0.
    parts : list of Part
        What its numbers have read; empty if nobody has asked.
    mixed : list of int
        The samples of its first row that is made of more than one.
    """

    text: str
    shape: tuple[int, ...]
    lit: frozenset[tuple[str, int, int, int]]
    parts: tuple[Part, ...] = ()
    mixed: tuple[int, ...] = ()


def run(rnn: nn.RNNBase, x: Tensor) -> Results:
    """Call the module."""
    if x.ndim != 3:
        raise CourseError(f"This needs a batch of three axes, not one of shape {tuple(x.shape)}.")
    with torch.no_grad():
        output, state = rnn(x)
    states = state if isinstance(state, tuple) else (state,)
    named = dict(zip(("h_n", "c_n"), states, strict=False))
    return Results(output, named, rnn.batch_first)


def taken(results: Results, text: str) -> Slice:
    """The places of which a slice is made.

    Parameters
    ----------
    results : Results
        What is sliced.
    text : str
        Such as ``output[:, -1]``: code with ``output``, ``h_n``, ``c_n``, ``torch``, and the sizes
        ``B``, ``T``, ``H`` and ``num_layers``.

    Raises
    ------
    CourseError
        If it fails, or is no tensor.
    """
    value = _evaluated(text, results, results.named())
    if not value.numel():
        raise CourseError(f"{text} takes nothing: its shape is {tuple(value.shape)}.")
    places = _evaluated(text, results, _numbered(results)).flatten()
    held = [results.by_batch, *results.states.values()]
    there = torch.cat([tensor.flatten() for tensor in held]).cpu()
    stands = places.dtype == torch.long and int(places.max()) < len(there)
    if not (stands and torch.equal(there[places], value.flatten().cpu())):
        raise CourseError(
            f"{text} computes; a drawing needs numbers as they stand, such as a slice."
        )
    return Slice(text, tuple(value.shape), frozenset(_place(results, n) for n in places.tolist()))


def read(rnn: nn.RNNBase, x: Tensor, text: str) -> Slice:
    """The same, with what each number has read: the module is run again for each step and sample.

    Raises
    ------
    CourseError
        As in :func:`taken`.
    """
    results = run(rnn, x)
    found = taken(results, text)
    # In doubles, so that a weak path over many steps is no rounding error.
    precise = copy.deepcopy(rnn).double().eval()
    x = x.double()

    def value(inputs: Tensor) -> Tensor:
        again = run(precise, inputs)
        return _evaluated(text, again, again.named())

    before = value(x)

    def moved(axis: int, i: int) -> Tensor:
        changed = x.clone()
        changed.select(axis, i).add_(1)
        return (value(changed) - before).abs() > 1e-12

    sample_axis = 0 if rnn.batch_first else 1
    steps = torch.stack([moved(1 - sample_axis, t).flatten() for t in range(results.steps)], 1)
    samples = torch.stack([moved(sample_axis, i).flatten() for i in range(results.batch)], 1)
    owners = _evaluated(text, results, _numbered(results)).flatten().tolist()
    histories = Counter(
        (*_owner(results, owner), tuple(row.nonzero().flatten().tolist()))
        for owner, row in zip(owners, steps, strict=True)
    )
    parts = tuple(
        Part(reader, layer, seen, _share(n, len(owners)))
        for (reader, layer, seen), n in histories.items()
    )
    rows = samples.unflatten(0, before.shape).any(1) if before.ndim == 2 else ()
    made_of = [tuple(row.nonzero().flatten().tolist()) for row in rows]
    return found._replace(parts=parts, mixed=next((m for m in made_of if len(m) > 1), ()))


def verdict(results: Results, found: Slice) -> tuple[str, str]:
    """Whether a slice can stand for the stands sequences: an ink and a sentence.

    The ink is ``right``, ``wrong``, or ``text`` where it depends on what is wanted.
    """
    short = [part for part in found.parts if len(part.steps) < results.steps]
    if found.mixed:
        who = " and ".join(map(str, found.mixed))
        return "wrong", f"A row of it has read sequences {who}: they are mixed."
    if short:
        least = min(short, key=lambda part: len(part.steps))
        n = len(least.steps)
        only = "one step only" if n == 1 else f"{n} of {results.steps} steps"
        return "wrong", f"{_capital(least.share)} has read {only}."
    lower = {part.layer + 1 for part in found.parts} - {results.layers}
    if lower:
        layers = " and ".join(f"layer {layer}" for layer in sorted(lower))
        return "text", f"It has read every step, but there is {layers} in it, not only the last."
    readers = {part.reader for part in found.parts}
    if len(readers) < results.directions:
        (reader,) = readers
        return "text", f"It has read every step, with the {reader} reader alone."
    return "right", "All of it has read every step" + (
        ", from both ends." if results.directions == 2 else "."
    )


def _evaluated(text: str, results: Results, tensors: Mapping[str, Tensor]) -> Tensor:
    sizes = {"B": results.batch, "T": results.steps, "H": results.hidden}
    names = {**tensors, **sizes, "num_layers": results.layers, "torch": torch}
    try:
        found = eval(text, {"__builtins__": {}}, names)
    except Exception as error:
        raise CourseError(f"{text} cannot be taken here: {error}.".replace("..", ".")) from None
    if not isinstance(found, Tensor):
        raise CourseError(f"{text} is no tensor; write a slice such as output[:, -1].")
    return found


def _numbered(results: Results) -> dict[str, Tensor]:
    """Tensors of the same shapes that hold the numbers of their own places, all different."""
    places = torch.arange(results.output.numel()).view(results.by_batch.shape)
    found = {"output": places if results.batch_first else places.transpose(0, 1)}
    first = places.numel()
    for name, state in results.states.items():
        found[name] = torch.arange(first, first + state.numel()).view(state.shape)
        first += state.numel()
    return found


def _place(results: Results, number: int) -> tuple[str, int, int, int]:
    size = results.output.numel()
    if number < size:
        cell, half = divmod(number // results.hidden, results.directions)
        return ("output", *divmod(cell, results.steps), half)
    name = "h_n"
    number -= size
    if number >= results.states["h_n"].numel():
        name, number = "c_n", number - results.states["h_n"].numel()
    block, sample = divmod(number // results.hidden, results.batch)
    return name, sample, block, 0


def _owner(results: Results, number: int) -> tuple[str, int]:
    """The reader whose number it is, and its layer."""
    name, _, block, half = _place(results, number)
    if name == "output":
        return READERS[half], results.layers - 1
    return results.reader(block), results.layer(block)


def _share(n: int, of: int) -> str:
    return "all of it" if n == of else "half of it" if 2 * n == of else f"{n} of its {of} numbers"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
