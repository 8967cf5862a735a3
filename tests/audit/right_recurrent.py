"""Right models with a recurrent layer inside, of which the audit must not complain."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.pieces import (
    ENDS,
    HIDDEN,
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

RECURRENT = Shelf()


class PackedTagger(Reader):
    """A score for every tag at every step, of packed sequences."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        return self.head(self.read(inputs, lengths)[0])


class PlainTagger(Reader):
    """The same without packing, which is right for one direction."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.rnn(self.embed(inputs))[0])


@RECURRENT.add()
def left_to_right_tagger() -> Made:
    """One direction needs no lengths: pads come after all that is scored."""
    told = {"lengths": ENDS, "targets": tags(ENDS), "loss": token_loss}
    return PlainTagger(nn.GRU, bidirectional=False), ids(ENDS), told


@RECURRENT.add()
def packed_tagger() -> Made:
    """The bidirectional tagger as lesson 04 builds it."""
    told = {"lengths": ENDS, "targets": tags(ENDS), "loss": token_loss}
    return PackedTagger(nn.LSTM), ids(ENDS), told


@RECURRENT.add()
def packed_tagger_time_first() -> Made:
    """Two layers of GRU over time-first frames, all four flags left out alike."""
    model = PackedTagger(nn.GRU, symbols=0, num_layers=2, batch_first=False)
    return model, frames(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@RECURRENT.add()
def packed_final_states() -> Made:
    """A classifier that joins the last layer's two final states, of two packed layers."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(last_states(self.rnn(self.packed(inputs, lengths))[1][0]))

    return Model(nn.LSTM, num_layers=2, dropout=0.3), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def masked_mean() -> Made:
    """Packed, summed over real steps, divided by their number."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)  # zeros after each end
            return self.head(output.sum(1) / lengths[:, None])

    return Model(nn.GRU, symbols=0), frames(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def masked_attention() -> Made:
    """Attention pooling with minus infinity on the pads before the softmax."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.LSTM)
            self.query = nn.Linear(2 * HIDDEN, 1)

        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)
            pads = ~mask_of(lengths, inputs.shape[1])
            weights = self.query(output)[..., 0].masked_fill(pads, -torch.inf).softmax(1)
            return self.head((weights[..., None] * output).sum(1))

    return Model(), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def causal_language_model() -> Made:
    """Left to right, each step asked for the next id; the last step has none to be asked for."""
    batch = ids(ENDS)
    targets = batch.roll(-1, dims=1)
    targets[~mask_of(ENDS - 1, batch.shape[1])] = -100
    told = {"lengths": ENDS, "targets": targets, "loss": token_loss, "causal": True}
    return PlainTagger(nn.LSTM, bidirectional=False, classes=SYMBOLS), batch, told
