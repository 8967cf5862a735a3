"""Right models without a recurrent layer, or built in an unusual way."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audit.pieces import CLASSES, ENDS, FEATURES, SYMBOLS, Made, Shelf, frames, ids, mask_of

OTHERS = Shelf()


class Encoder(nn.Module):
    """Embedding with positions, a small Transformer encoder, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, 16, padding_idx=0)
        self.place = nn.Embedding(100, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(16, CLASSES)

    def placed(self, inputs: Tensor) -> Tensor:
        steps = torch.arange(inputs.shape[1], device=inputs.device)
        return self.embed(inputs) + self.place(steps)


@OTHERS.add()
def transformer_with_mask() -> Made:
    """An encoder with positions that is told where the pads are."""

    class Model(Encoder):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            pads = ~mask_of(lengths, inputs.shape[1]).to(inputs.device)
            return self.head(self.encoder(self.placed(inputs), src_key_padding_mask=pads))

    return Model(), ids(ENDS), {"lengths": ENDS}


@OTHERS.add()
def masked_convolutions() -> Made:
    """Two convolutions, with the pads set back to zero before each."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(FEATURES, 16, 3, padding=1)
            self.second = nn.Conv1d(16, CLASSES, 5, padding=2)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            real = mask_of(lengths, x.shape[1])[:, None].to(x)
            x = self.first(x.transpose(1, 2) * real).relu()
            return self.second(x * real).transpose(1, 2)

    return Model(), frames(ENDS), {"lengths": ENDS}


@OTHERS.add()
def causal_convolutions() -> Made:
    """Padded on the left only, for streaming: nothing after a step is read, pads included."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(FEATURES, 16, 3)
            self.second = nn.Conv1d(16, CLASSES, 3, dilation=2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(F.pad(x.transpose(1, 2), (2, 0))).relu()
            return self.second(F.pad(x, (4, 0))).transpose(1, 2)

    return Model(), frames(ENDS), {"lengths": ENDS, "causal": True}


@OTHERS.add()
def bag_of_embeddings() -> Made:
    """Averages the embeddings of what is no pad; it takes no lengths."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(SYMBOLS, FEATURES, padding_idx=0)
            self.head = nn.Linear(FEATURES, CLASSES)

        def forward(self, inputs: Tensor) -> Tensor:
            real = inputs != 0
            return self.head(self.embed(inputs).sum(1) / real.sum(1, keepdim=True))

    return Model(), ids(ENDS), {"lengths": ENDS}
