"""Models that confuse the axes: batch with time, or numbers of one sample with another's."""

from __future__ import annotations

from torch import Tensor, nn

from audit.pieces import ENDS, Made, Reader, Shelf, ids

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

    class Model(Reader):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.rnn(self.embed(inputs))[0])

    return Model(nn.LSTM, batch_first=False), ids(ENDS), {"lengths": ENDS}
