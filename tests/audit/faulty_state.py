"""Models that know what they must not know, or answer otherwise at every call."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_packed_sequence

from audit.pieces import (
    ENDS,
    FEATURES,
    FULL,
    HIDDEN,
    SYMBOLS,
    Made,
    Reader,
    Shelf,
    frames,
    ids,
    last_states,
)
from audit.right_recurrent import PackedTagger, PlainTagger

STATE = Shelf()
READS_AHEAD = ("predict-the-next", "bidirectional-decoder")
ANOTHER_ANSWER = ("random-h-0",)
"""Its second sentence is true of whatever answers otherwise at every call."""


@STATE.add(*READS_AHEAD)
def bidirectional_language_model() -> Made:
    """A character model made bidirectional to lower its loss, still predicting the next one."""
    model = PackedTagger(nn.GRU, classes=SYMBOLS)
    return model, ids(ENDS), {"lengths": ENDS, "causal": True}


@STATE.add("lookahead-for-prediction", *READS_AHEAD)
def inputs_shifted_the_wrong_way() -> Made:
    """A left-to-right language model whose inputs, not its targets, are moved one step on."""

    class Model(PlainTagger):
        def forward(self, inputs: Tensor) -> Tensor:
            return super().forward(inputs.roll(-1, dims=1))

    model = Model(nn.LSTM, bidirectional=False, classes=SYMBOLS)
    return model, ids(ENDS), {"lengths": ENDS, "causal": True}


@STATE.add("stream-in-chunks", "stream-waits-for-the-end", *READS_AHEAD)
def bidirectional_stream_in_chunks() -> Made:
    """A detector for live audio that carries both directions' states from chunk to chunk."""

    class Model(Reader):
        def forward(self, x: Tensor) -> Tensor:
            state, outputs = None, []
            for chunk in x.split(4, dim=1):
                output, state = self.rnn(chunk, state)
                outputs.append(output)
            return self.head(torch.cat(outputs, dim=1))

    return Model(nn.LSTM, symbols=0, classes=2), frames(FULL), {"causal": True}


@STATE.add(*ANOTHER_ANSWER, "carried-state-as-is", "state-goes-nowhere")
def state_kept_by_accident() -> Made:
    """`self.hidden` is set in every call, detached, and never made new between batches."""

    class Model(Reader):
        hidden: Tensor | None = None

        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            if self.hidden is not None and self.hidden.shape[1] != len(inputs):
                self.hidden = None  # the last batch is smaller
            output, h_n = self.rnn(self.packed(inputs, lengths), self.hidden)
            self.hidden = h_n.detach()
            return self.head(pad_packed_sequence(output, batch_first=True)[0])

    return Model(nn.GRU, bidirectional=False), ids(ENDS), {"lengths": ENDS}


@STATE.add(*ANOTHER_ANSWER)
def random_initial_state() -> Made:
    """The well-known tagger tutorial's `init_hidden` with `randn`, in use as in training."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            start = torch.randn(2, 2, len(inputs), HIDDEN).unbind()
            output, _ = self.rnn(self.packed(inputs, lengths), start)
            return self.head(pad_packed_sequence(output, batch_first=True)[0])

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@STATE.add(*ANOTHER_ANSWER, "no-grad-is-eval")
def dropout_that_knows_no_mode() -> Made:
    """`F.dropout` without `training=self.training`: `eval()` does not reach it."""

    class Model(Reader):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return self.head(F.dropout(self.read(x, lengths)[0], 0.3))

    return Model(nn.GRU, symbols=0), frames(ENDS), {"lengths": ENDS}


@STATE.add("h-0-batch-first", "batch-first-everywhere")
def initial_state_batch_first() -> Made:
    """An initial state made from each recording's first frame, batch first; four of each."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.GRU, symbols=0, num_layers=2)
            self.start = nn.Linear(FEATURES, 4 * HIDDEN)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            h_0 = self.start(x[:, 0]).view(len(x), 4, HIDDEN)
            output, _ = self.rnn(self.packed(x, lengths), h_0)
            return self.head(pad_packed_sequence(output, batch_first=True)[0])

    lengths = torch.tensor([10, 4, 7, 6])
    return Model(), frames(lengths), {"lengths": lengths}


@STATE.add("view-joins-directions", "reshape-mends-layout", "batch-first-everywhere")
def initial_state_by_view() -> Made:
    """The same brought into the expected shape by a view, which fits batches of any size."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.GRU, symbols=0)
            self.start = nn.Linear(FEATURES, 2 * HIDDEN)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            h_0 = self.start(x[:, 0]).view(2, len(x), HIDDEN)
            return self.head(last_states(self.rnn(self.packed(x, lengths), h_0)[1]))

    return Model(), frames(ENDS), {"lengths": ENDS}
