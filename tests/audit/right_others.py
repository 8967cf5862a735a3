"""Right models without a recurrent layer, or built in an unusual way."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from audit.pieces import CLASSES, ENDS, SYMBOLS, Made, Shelf, ids, mask_of

OTHERS = Shelf()


@OTHERS.add()
def transformer_with_mask() -> Made:
    """An encoder with positions that is told where the pads are."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(SYMBOLS, 16, padding_idx=0)
            self.place = nn.Embedding(100, 16)
            layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.head = nn.Linear(16, CLASSES)

        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            seq_len = inputs.shape[1]
            x = self.embed(inputs) + self.place(torch.arange(seq_len, device=inputs.device))
            pads = ~mask_of(lengths, seq_len).to(inputs.device)
            return self.head(self.encoder(x, src_key_padding_mask=pads))

    return Model(), ids(ENDS), {"lengths": ENDS}
