"""Classifiers that read the wrong numbers off a recurrent layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.pieces import ENDS, FULL, HIDDEN, Made, Reader, Shelf, frames, ids

READOUT = Shelf()


@READOUT.add("last-step-readout", "final-is-at-step-0")
def last_step_of_both_directions() -> Made:
    """The popular demo that reads a picture row by row and classifies by the last output."""

    class Model(Reader):
        def forward(self, rows: Tensor) -> Tensor:
            return self.head(self.rnn(rows)[0][:, -1])

    return Model(nn.LSTM, symbols=0), frames(FULL), {}


@READOUT.add("view-joins-directions", "reshape-mends-layout", "batch-first-everywhere")
def final_states_by_view() -> Made:
    """A text classifier that turns the stacked final states into rows by a view."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, (h_n, _) = self.rnn(self.packed(inputs, lengths))
            return self.head(h_n.view(-1, 2 * HIDDEN))

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@READOUT.add("padded-end-is-the-end")
def packed_then_last_step() -> Made:
    """Packs with care, unpacks, and takes the last column for each sequence's last state."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(self.read(inputs, lengths)[0][:, -1])

    return Model(nn.GRU, bidirectional=False), ids(ENDS), {"lengths": ENDS}


@READOUT.add("gather-at-the-length", "last-step-readout", "final-is-at-step-0")
def gather_at_the_length() -> Made:
    """Picks the output at each sequence's last real step, for both directions at once."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)
            return self.head(output[torch.arange(len(lengths)), lengths - 1])

    return Model(nn.GRU, symbols=0), frames(ENDS), {"lengths": ENDS}
