"""Bidirectional taggers made by hand from two left-to-right layers, and made wrongly."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.pieces import ENDS, FULL, PADS_ARE_READ, Made, Shelf, TwoReaders, ids, turned_within

BY_HAND = Shelf()


@BY_HAND.add("flip-reverses-padded", *PADS_ARE_READ)
def flipped_with_its_pads() -> Made:
    """A backward reader by hand: `x.flip(1)` and back, so that it starts in the pads."""

    class Model(TwoReaders):
        def forward(self, inputs: Tensor) -> Tensor:
            x = self.embed(inputs)
            return self.join(self.ahead(x)[0], self.back(x.flip(1))[0].flip(1))

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@BY_HAND.add("off-by-one-end", "length-is-the-last-index", *PADS_ARE_READ)
def reversed_from_one_step_too_late() -> Made:
    """Turns each sequence within its length, counting its last step as step `length`."""

    class Model(TwoReaders):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            seq_len = inputs.shape[1]
            back = (lengths[:, None] - torch.arange(seq_len)).clamp(0, seq_len - 1)
            row, x = torch.arange(len(back))[:, None], self.embed(inputs)
            return self.join(self.ahead(x)[0], self.back(x[row, back])[0][row, back])

    return Model(nn.GRU), ids(ENDS), {"lengths": ENDS}


@BY_HAND.add("unflipped-outputs", "backward-half-reversed")
def backward_states_left_reversed() -> Made:
    """Turns each sequence within its length, and joins the states in the order they came."""

    class Model(TwoReaders):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            x = self.embed(inputs)
            back = self.back(turned_within(x, lengths))[0]
            return self.join(self.ahead(x)[0], back)

    return Model(nn.GRU), ids(ENDS), {"lengths": ENDS}


@BY_HAND.add("unflipped-inputs", "both-read-forward")
def backward_reader_reads_forward() -> Made:
    """Turns the outputs of the second reader around and never its inputs."""

    class Model(TwoReaders):
        def forward(self, inputs: Tensor) -> Tensor:
            x = self.embed(inputs)
            return self.join(self.ahead(x)[0], self.back(x)[0].flip(1))

    return Model(nn.LSTM), ids(FULL), {}
