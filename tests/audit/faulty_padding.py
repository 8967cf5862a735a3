"""Models whose answers about real steps move with the padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.pieces import ENDS, HIDDEN, Made, Reader, Shelf, ids, tags, token_loss

PADDING = Shelf()
PADS_ARE_READ = ("zeros-are-invisible", "padded-training-single-prediction")
"""True of every model in which the content of pads, or their number, reaches an answer."""


@PADDING.add("packing-only-for-h-n", *PADS_ARE_READ)
def padded_tagger_without_packing() -> Made:
    """The part-of-speech tutorial: two layers, time first, never packed, loss rightly masked."""

    class Model(Reader):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.rnn(self.embed(inputs))[0])

    model = Model(nn.LSTM, batch_first=False, num_layers=2, dropout=0.25)
    targets = tags(ENDS, batch_first=False)
    told = {"lengths": ENDS, "targets": targets, "loss": token_loss, "batch_first": False}
    return model, ids(ENDS, batch_first=False), told


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
