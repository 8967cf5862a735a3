"""Right taggers with a loss or a metric that is not what it is taken for."""

from __future__ import annotations

from typing import Any

from torch import nn

from audit.pieces import ENDS, Made, Shelf, ids, tags, token_loss
from audit.right_recurrent import PackedTagger

SCORING = Shelf()
PADS_ARE_COUNTED = ("one-filler-for-all", "masked-mean", "pads-in-accuracy")
"""The catalogue has no sentence on a loss that counts pads; these say it of their neighbours."""


def scored(pad: int = -100, **told: Any) -> Made:
    """A right tagger and its batch, with tags that are filled up by ``pad``."""
    told = {"lengths": ENDS, "targets": tags(ENDS, pad=pad), **told}
    return PackedTagger(nn.LSTM), ids(ENDS), told


@SCORING.add(*PADS_ARE_COUNTED)
def loss_counts_pads() -> Made:
    """Tags padded with 0, which is a tag as well, and a loss that nobody told about it."""
    return scored(pad=0, loss=token_loss)
