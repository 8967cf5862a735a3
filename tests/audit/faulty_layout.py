"""Models that confuse the axes: batch with time, or numbers of one sample with another's."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from audit.pieces import (
    ENDS,
    FEATURES,
    FULL,
    PADS_ARE_READ,
    SQUARE,
    Made,
    Reader,
    Shelf,
    frames,
    ids,
    mask_of,
)
from audit.right_recurrent import PackedTagger, PlainTagger

LAYOUT = Shelf()
ALONG_THE_BATCH = (
    "missing-batch-first-raises",
    "layout-caught-later",
    "batch-first-is-the-default",
    "first-sample-is-clean",
)


@LAYOUT.add(*ALONG_THE_BATCH)
def tagger_without_batch_first() -> Made:
    """An intent-and-slot tagger that reads batch-first ids and never sets the flag."""
    return PlainTagger(nn.LSTM, batch_first=False), ids(ENDS), {"lengths": ENDS}


@LAYOUT.add("mended-twice", "pad-sequence-batch-first", *ALONG_THE_BATCH)
def time_first_batch_into_batch_first_tagger() -> Made:
    """The batch comes from `pad_sequence` as it is by default; the LSTM has the flag set."""
    model = PlainTagger(nn.LSTM, symbols=0)
    return model, frames(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@LAYOUT.add("last-step-is-last-sample", *ALONG_THE_BATCH)
def classifier_without_batch_first() -> Made:
    """The demo once more, with its `output[:, -1]`, after the flag was dropped."""

    class Model(Reader):
        def forward(self, rows: Tensor) -> Tensor:
            return self.head(self.rnn(rows)[0][:, -1])

    return Model(nn.GRU, symbols=0, batch_first=False, bidirectional=False), frames(FULL), {}


@LAYOUT.add("layout-caught-later", "missing-batch-first-raises", "batch-first-is-the-default")
def square_batch_hides_the_layout() -> Made:
    """As many sequences as steps, one direction, no flag: every shape fits."""
    model = PlainTagger(nn.RNN, batch_first=False, bidirectional=False)
    return model, ids(SQUARE), {"lengths": SQUARE, "batch_first": True}


@LAYOUT.add("flag-is-enough-for-packing", "layout-caught-later")
def pack_without_batch_first() -> Made:
    """The flag is set in the LSTM and in unpacking, not in packing; the batch is square."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            packed = pack_padded_sequence(self.embed(inputs), lengths, enforce_sorted=False)
            output, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
            return self.head(output)

    return Model(nn.LSTM), ids(SQUARE), {"lengths": SQUARE, "batch_first": True}


@LAYOUT.add("flag-is-enough-for-packing", "output-stays-time-first", "layout-caught-later")
def unpack_without_batch_first() -> Made:
    """The sentiment tutorial's unpacking without the flag, in a square batch of a tagger."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = pad_packed_sequence(self.rnn(self.packed(inputs, lengths))[0])
            return self.head(output)

    return Model(nn.GRU, symbols=0), frames(SQUARE), {"lengths": SQUARE, "batch_first": True}


@LAYOUT.add("transposed-only-once", "layout-caught-later")
def turned_to_time_first_and_not_back() -> Made:
    """Turns the batch for a time-first GRU and hands its output on as it comes."""

    class Model(Reader):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.rnn(self.embed(inputs).transpose(0, 1))[0])

    model = Model(nn.GRU, batch_first=False, bidirectional=False)
    return model, ids(SQUARE), {"lengths": SQUARE, "batch_first": True}


@LAYOUT.add("view-swaps-axes", "reshape-mends-layout", "layout-caught-later")
def axes_swapped_by_view() -> Made:
    """A video classifier's way to time first: a view of the right shape, and one back."""

    class Model(Reader):
        def forward(self, x: Tensor) -> Tensor:
            n, seq_len, features = x.shape
            output, _ = self.rnn(x.view(seq_len, n, features))
            return self.head(output.reshape(n, seq_len, -1))

    return Model(nn.LSTM, symbols=0, batch_first=False), frames(FULL), {}


@LAYOUT.add("input-size-is-length", "two-dims-are-a-batch", "squeeze-is-harmless")
def series_read_as_features() -> Made:
    """Forecasts from number series; squeezed, the batch becomes one sequence of wide steps."""

    class Model(Reader):
        def forward(self, series: Tensor) -> Tensor:
            return self.head(self.rnn(series.squeeze(-1))[0])

    model = Model(nn.LSTM, symbols=0, features=9, bidirectional=False, classes=1)
    return model, frames(FULL, features=1), {}


@LAYOUT.add("softmax-over-the-batch")
def probabilities_over_the_batch() -> Made:
    """Right time-first scores, then a softmax along dimension 1, which holds the samples."""

    class Model(PackedTagger):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(inputs, lengths).softmax(dim=1)

    return Model(nn.GRU, batch_first=False), ids(ENDS, batch_first=False), {"lengths": ENDS}


@LAYOUT.add("softmax-over-the-batch", *PADS_ARE_READ)
def statistics_of_all_samples() -> Made:
    """Standardises frames by the mean and deviation of the padded batch at hand."""

    class Model(PackedTagger):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            x = (x - x.mean((0, 1))) / (x.std((0, 1)) + 1e-5)
            return super().forward(x, lengths)

    return Model(nn.LSTM, symbols=0), frames(ENDS), {"lengths": ENDS}


@LAYOUT.add("softmax-over-the-batch", *PADS_ARE_READ)
def batch_norm_without_running_statistics() -> Made:
    """BatchNorm over channels with `track_running_stats=False`: in use it still mixes samples."""

    class Model(PackedTagger):
        def __init__(self) -> None:
            super().__init__(nn.GRU, symbols=0)
            self.norm = nn.BatchNorm1d(FEATURES, track_running_stats=False)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(self.norm(x.transpose(1, 2)).transpose(1, 2), lengths)

    return Model(), frames(ENDS), {"lengths": ENDS}


@LAYOUT.add("mask-multiplies", "layout-caught-later", *PADS_ARE_READ)
def mask_over_features() -> Made:
    """A mask without its last axis, where batch, steps and features are all eight."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output = self.rnn(self.embed(inputs))[0] * mask_of(lengths, inputs.shape[1])
            return self.head(output.sum(1))

    model = Model(nn.GRU, hidden=8, bidirectional=False)
    return model, ids(SQUARE), {"lengths": SQUARE, "batch_first": True}
