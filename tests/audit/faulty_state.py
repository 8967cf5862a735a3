"""Models that know what they must not know, or answer otherwise at every call."""

from __future__ import annotations

from torch import Tensor, nn

from audit.pieces import ENDS, SYMBOLS, Made, Reader, Shelf, ids

STATE = Shelf()
READS_AHEAD = ("predict-the-next", "bidirectional-decoder")


@STATE.add(*READS_AHEAD)
def bidirectional_language_model() -> Made:
    """A character model made bidirectional to lower its loss, still predicting the next one."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(self.read(inputs, lengths)[0])

    return Model(nn.GRU, classes=SYMBOLS), ids(ENDS), {"lengths": ENDS, "causal": True}
