"""Models whose answers about real steps move with the padding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_packed_sequence

from audit.pieces import (
    CLASSES,
    ENDS,
    FEATURES,
    HIDDEN,
    PADS_ARE_READ,
    SYMBOLS,
    Made,
    Reader,
    Shelf,
    frames,
    ids,
    last_states,
    mask_of,
    tags,
    token_loss,
)
from audit.right_others import Encoder
from audit.right_recurrent import PackedTagger, PlainTagger

PADDING = Shelf()


@PADDING.add("packing-only-for-h-n", *PADS_ARE_READ)
def padded_tagger_without_packing() -> Made:
    """The part-of-speech tutorial: two layers, time first, never packed, loss rightly masked."""
    model = PlainTagger(nn.LSTM, batch_first=False, num_layers=2, dropout=0.25)
    targets = tags(ENDS, batch_first=False)
    options = {"lengths": ENDS, "targets": targets, "loss": token_loss, "batch_first": False}
    return model, ids(ENDS, batch_first=False), options


@PADDING.add("mean-over-pads", *PADS_ARE_READ)
def mean_over_pads() -> Made:
    """A sentence encoder that packs and then averages over the whole padded axis."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(self.read(inputs, lengths)[0].mean(1))

    return Model(nn.GRU), ids(ENDS), {"lengths": ENDS}


@PADDING.add("mean-over-pads", *PADS_ARE_READ)
def attention_over_pads() -> Made:
    """Attention pooling after packing whose softmax runs over the pads as well."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.LSTM)
            self.query = nn.Linear(2 * HIDDEN, 1)

        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)
            weights = torch.softmax(self.query(output.tanh()), dim=1)
            return self.head((weights * output).sum(1))

    return Model(), ids(ENDS), {"lengths": ENDS}


@PADDING.add("h-n-stops-at-the-end", *PADS_ARE_READ)
def unpacked_final_states() -> Made:
    """Joins both final states as it should, of a batch that was never packed."""

    class Model(Reader):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(last_states(self.rnn(self.embed(inputs))[1][0]))

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@PADDING.add("h-n-stops-at-the-end", "ends-at-the-padding", *PADS_ARE_READ)
def left_to_right_last_step_over_pads() -> Made:
    """The beginner's sentiment model: one direction, and the output after the last pad."""

    class Model(Reader):
        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x)[0][-1])

    model = Model(nn.GRU, symbols=0, bidirectional=False, batch_first=False)
    return model, frames(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@PADDING.add("packing-only-for-h-n", *PADS_ARE_READ)
def unpacked_tagger_of_frames() -> Made:
    """A one-layer tagger of zero-padded vectors that takes lengths and only masks its scores."""

    class Model(Reader):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            scores = self.head(self.rnn(x)[0])
            return scores * mask_of(lengths, x.shape[1])[..., None]

    return Model(nn.RNN, symbols=0), frames(ENDS), {"lengths": ENDS}


@PADDING.add("pads-stay-when-cut", "packing-only-for-h-n", *PADS_ARE_READ)
def cut_to_the_longest() -> Made:
    """Cuts the batch to its longest sequence and reads what is left without packing."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            longest = int(lengths.max())
            scores = self.head(self.rnn(self.embed(inputs[:, :longest]))[0])
            return F.pad(scores, (0, 0, 0, inputs.shape[1] - longest))

    return Model(nn.GRU), ids(ENDS, width=15), {"lengths": ENDS}


@PADDING.add("max-over-pads", *PADS_ARE_READ)
def max_over_pads() -> Made:
    """Max pooling after unpacking, where a pad's zero beats every negative feature."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(self.read(inputs, lengths)[0].amax(1))

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@PADDING.add("mean-over-pads", *PADS_ARE_READ)
def attention_masked_after_the_softmax() -> Made:
    """Attention weights of pads are set to zero when they have taken their share already."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.GRU, symbols=0, batch_first=False)
            self.query = nn.Linear(2 * HIDDEN, 1)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(x, lengths)
            weights = self.query(output).softmax(0) * mask_of(lengths, len(x)).T[..., None]
            return self.head((weights * output).sum(0))

    return Model(), frames(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@PADDING.add("too-short-raises", "length-is-the-last-index", "off-by-one-end")
def lengths_one_too_small() -> Made:
    """Takes off one from the lengths for an end symbol that the data do not have."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(last_states(self.rnn(self.packed(inputs, lengths - 1))[1]))

    return Model(nn.GRU), ids(ENDS), {"lengths": ENDS}


@PADDING.add("too-short-raises")
def lengths_clamped() -> Made:
    """A limit from the configuration, below the longest sequences, clamps the lengths."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, (h_n, _) = self.rnn(self.packed(inputs, lengths.clamp(max=8)))
            return self.head(last_states(h_n))

    return Model(nn.LSTM, batch_first=False), ids(ENDS, batch_first=False), {"lengths": ENDS}


@PADDING.add("too-short-raises")
def relative_lengths_rounded_down() -> Made:
    """Lengths as shares of the width, multiplied again and cut off to whole numbers."""

    class Model(PackedTagger):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            share = lengths / x.shape[1]
            return super().forward(x, (share * x.shape[1]).long())

    lengths = torch.tensor([41, 32, 16, 8, 30, 25])
    return Model(nn.GRU, symbols=0), frames(lengths), {"lengths": lengths}


@PADDING.add("zeros-count-as-pads", "too-short-raises")
def zeros_counted_as_pads() -> Made:
    """Counts the ids that are not 0 for the lengths, in a vocabulary whose first word is 0."""

    class Model(PackedTagger):
        def forward(self, inputs: Tensor) -> Tensor:
            return super().forward(inputs, (inputs != 0).sum(1))

    batch = ids(ENDS)
    batch[:, 1] = 0
    return Model(nn.LSTM), batch, {"lengths": ENDS}


@PADDING.add("left-padding-packs")
def left_padded_batch() -> Made:
    """A tokenizer that pads on the left, before a model that packs."""
    batch = ids(ENDS)
    for row, end in zip(batch, ENDS.tolist(), strict=True):
        row.copy_(row.roll(len(row) - end))
    return PackedTagger(nn.GRU), batch, {"lengths": ENDS}


@PADDING.add("pad-packed-keeps-length")
def width_restored_on_the_wrong_side() -> Made:
    """Unpacking gave fewer steps than the tags have; the missing ones were put in front."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            packed = self.rnn(self.packed(inputs, lengths))[0]
            output, _ = pad_packed_sequence(packed, batch_first=True)
            missing = inputs.shape[1] - output.shape[1]
            return self.head(F.pad(output, (0, 0, missing, 0)))

    return Model(nn.LSTM), ids(ENDS, width=15), {"lengths": ENDS}


@PADDING.add(*PADS_ARE_READ)
def pads_leak_through_convolutions() -> Made:
    """Two convolutions before a packed layer: the first one's bias turns pads into something."""

    class Model(PackedTagger):
        def __init__(self) -> None:
            super().__init__(nn.LSTM, symbols=0)
            convolutions = [nn.Conv1d(FEATURES, FEATURES, 3, padding=1) for _ in range(2)]
            self.convolve = nn.Sequential(convolutions[0], nn.ReLU(), convolutions[1])

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            x = self.convolve(x.transpose(1, 2)).transpose(1, 2)
            return super().forward(x, lengths)

    return Model(), frames(ENDS), {"lengths": ENDS}


@PADDING.add("mean-over-pads", *PADS_ARE_READ)
def instance_norm_over_pads() -> Made:
    """Normalises each recording over its time axis, the zeros after its end included."""

    class Model(PackedTagger):
        def __init__(self) -> None:
            super().__init__(nn.GRU, symbols=0)
            self.norm = nn.InstanceNorm1d(FEATURES)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(self.norm(x.transpose(1, 2)).transpose(1, 2), lengths)

    return Model(), frames(ENDS), {"lengths": ENDS}


@PADDING.add("mean-over-pads", *PADS_ARE_READ)
def bag_of_embeddings_over_pads() -> Made:
    """Averages embeddings whose pad row is zero, and trusts that zero does not count."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(SYMBOLS, FEATURES, padding_idx=0)
            self.head = nn.Linear(FEATURES, CLASSES)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.embed(inputs).mean(1))

    return Model(), ids(ENDS), {"lengths": ENDS}


@PADDING.add(*PADS_ARE_READ)
def transformer_without_mask() -> Made:
    """An encoder that attends to the pads, since their embedding is zero anyway."""

    class Model(Encoder):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.encoder(self.placed(inputs)))

    return Model(), ids(ENDS), {"lengths": ENDS}
