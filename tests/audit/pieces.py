"""What the models of the zoo have in common: batches, masks, losses, and a module to start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

Model = Callable[..., Any]
Made = tuple[Model, Tensor, dict[str, Any]]
"""A model, a padded batch, and what else its user would tell the audit."""

ENDS = torch.tensor([11, 4, 7, 3, 9, 6])
"""The lengths in most batches; the padded batch is 11 wide."""
FULL = torch.full((6,), 9)
"""Six sequences of one length: a batch without padding."""
SQUARE = torch.tensor([8, 5, 3, 8, 6, 2, 7, 4])
"""As many sequences as the longest has steps."""
SYMBOLS, FEATURES, HIDDEN, CLASSES = 40, 12, 16, 5

PADS_ARE_READ = ("zeros-are-invisible", "padded-training-single-prediction")
"""True of every model in which the content of pads, or their number, reaches an answer."""


@dataclass(frozen=True)
class Case:
    """A model and its batch; ``bugs`` are the misconceptions of which a report should name one.

    An id belongs to ``bugs`` if what the catalogue says under it in ``reality`` is what goes
    wrong in this model. A right model has none.
    """

    name: str
    make: Callable[[], Made]
    bugs: frozenset[str]


class Shelf(list[Case]):
    """Cases in the order in which they were written."""

    def add(self, *bugs: str) -> Callable[[Callable[[], Made]], Callable[[], Made]]:
        """Put what the function below makes, from a fixed seed, on the shelf, by its name."""

        def put(build: Callable[[], Made]) -> Callable[[], Made]:
            @wraps(build)
            def make() -> Made:
                torch.manual_seed(0)
                model, batch, options = build()
                if "lengths" in options:
                    options["lengths"] = options["lengths"].clone()  # many cases share one tensor
                return model, batch, options

            self.append(Case(build.__name__, make, frozenset(bugs)))
            return make

        return put


def mask_of(lengths: Tensor, seq_len: int) -> Tensor:
    """Which steps are real, ``(batch, seq_len)``."""
    return torch.arange(seq_len) < lengths[:, None]


def padded(values: Tensor, lengths: Tensor, pad: float, batch_first: bool) -> Tensor:
    values[~mask_of(lengths, values.shape[1])] = pad
    return values if batch_first else values.transpose(0, 1).contiguous()


def ids(lengths: Tensor, *, width: int = 0, pad: int = 0, batch_first: bool = True) -> Tensor:
    """Random ids from 1 on, with pads after each end."""
    shape = len(lengths), width or int(lengths.max())
    return padded(torch.randint(1, SYMBOLS, shape), lengths, pad, batch_first)


def frames(
    lengths: Tensor, *, width: int = 0, features: int = FEATURES, batch_first: bool = True
) -> Tensor:
    """Random vectors, with zeros after each end."""
    shape = len(lengths), width or int(lengths.max()), features
    return padded(torch.randn(shape), lengths, 0, batch_first)


def tags(
    lengths: Tensor,
    *,
    width: int = 0,
    pad: int = -100,
    first: int = 0,
    classes: int = CLASSES,
    batch_first: bool = True,
) -> Tensor:
    """A random class for every step, and the filler after each end."""
    shape = len(lengths), width or int(lengths.max())
    return padded(torch.randint(first, classes, shape), lengths, pad, batch_first)


def token_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy over all tokens but those with the target -100."""
    return F.cross_entropy(scores.flatten(0, 1), targets.flatten())


def hits(scores: Tensor, targets: Tensor) -> float:
    """The share of targets that the highest score hits."""
    return (scores.argmax(-1) == targets).float().mean().item()


class Reader(nn.Module):
    """Embedding (for ids), recurrent layer, linear layer; each case writes its own ``forward``."""

    def __init__(
        self,
        cell: type[nn.RNNBase] = nn.LSTM,
        *,
        symbols: int = SYMBOLS,
        pad: int = 0,
        features: int = FEATURES,
        hidden: int = HIDDEN,
        classes: int = CLASSES,
        head: int = 0,
        batch_first: bool = True,
        bidirectional: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols, features, padding_idx=pad) if symbols else nn.Identity()
        self.rnn = cell(
            features, hidden, batch_first=batch_first, bidirectional=bidirectional, **options
        )
        self.head = nn.Linear(head or hidden * (1 + bidirectional), classes)

    def packed(self, inputs: Tensor, lengths: Tensor) -> PackedSequence:
        """The embedded inputs, packed as they should be."""
        return pack_padded_sequence(
            self.embed(inputs), lengths, batch_first=self.rnn.batch_first, enforce_sorted=False
        )

    def read(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Any]:
        """Padded outputs and final states, both as they should be."""
        output, state = self.rnn(self.packed(inputs, lengths))
        time = 1 if self.rnn.batch_first else 0
        output, _ = pad_packed_sequence(
            output, batch_first=self.rnn.batch_first, total_length=inputs.shape[time]
        )
        return output, state


def last_states(h_n: Tensor) -> Tensor:
    """The final states of both directions of the last layer, side by side."""
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


class TwoReaders(nn.Module):
    """Two left-to-right layers from which a case makes a bidirectional one by hand."""

    def __init__(self, cell: type[nn.RNNBase]) -> None:
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, FEATURES, padding_idx=0)
        self.ahead = cell(FEATURES, HIDDEN, batch_first=True)
        self.back = cell(FEATURES, HIDDEN, batch_first=True)
        self.head = nn.Linear(2 * HIDDEN, CLASSES)

    def join(self, ahead: Tensor, back: Tensor) -> Tensor:
        return self.head(torch.cat([ahead, back], dim=-1))


def turned_within(x: Tensor, lengths: Tensor) -> Tensor:
    """Each batch-first sequence in reversed order, its pads where they were."""
    steps = torch.arange(x.shape[1])
    back = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return x[torch.arange(len(x))[:, None], back]
