"""Right taggers with a loss or a metric that is not what it is taken for."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from audit.pieces import ENDS, Made, Shelf, hits, ids, tags, token_loss
from audit.right_recurrent import PackedTagger

SCORING = Shelf()
PADS_ARE_COUNTED = ("one-filler-for-all", "masked-mean", "pads-in-accuracy")
"""The catalogue has no sentence on a loss that counts pads; these say it of their neighbours."""


def scored(pad: int = -100, **options: Any) -> Made:
    """A right tagger and its batch, with tags that are filled up by ``pad``."""
    options = {"lengths": ENDS, "targets": tags(ENDS, pad=pad), **options}
    return PackedTagger(nn.LSTM), ids(ENDS), options


@SCORING.add(*PADS_ARE_COUNTED)
def loss_counts_pads() -> Made:
    """Tags padded with 0, which is a tag as well, and a loss that nobody told about it."""
    return scored(pad=0, loss=token_loss)


@SCORING.add("masked-mean", "pads-in-accuracy")
def masked_loss_divided_by_all() -> Made:
    """Multiplies the losses by the mask and takes the mean over the whole table."""

    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        each = F.cross_entropy(scores.transpose(1, 2), targets.clamp(min=0), reduction="none")
        return (each * (targets >= 0)).mean()

    return scored(loss=loss)


@SCORING.add("ignore-index-zero", "one-filler-for-all")
def ignored_zero_is_a_tag() -> Made:
    """Pads the tags with 0 and leaves out 0, which is the first real tag."""

    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=0)

    return scored(pad=0, loss=loss)


@SCORING.add(*PADS_ARE_COUNTED)
def accuracy_counts_pads() -> Made:
    """The share of right tags in the padded table; pads count as tag 0."""
    return scored(pad=0, metric=hits)


@SCORING.add(*PADS_ARE_COUNTED)
def accuracy_divided_by_all() -> Made:
    """Counts hits at real steps only, and divides by the size of the table."""

    def metric(scores: Tensor, targets: Tensor) -> float:
        return (scores.argmax(-1) == targets).sum().item() / targets.numel()

    return scored(metric=metric)


@SCORING.add("mean-of-batch-accuracies", "mean-of-sequence-means", "token-mean-is-sequence-mean")
def accuracy_as_mean_of_batches() -> Made:
    """Token accuracy of an evaluation loop that averages over its batches of four."""

    def metric(scores: Tensor, targets: Tensor) -> float:
        shares = [
            hits(predicted[gold >= 0], gold[gold >= 0])
            for predicted, gold in zip(scores.split(4), targets.split(4), strict=True)
        ]
        return sum(shares) / len(shares)

    return scored(metric=metric)


@SCORING.add("classes-last-in-loss")
def loss_takes_steps_for_classes() -> Made:
    """Hands the scores to the loss as they come, where there are as many steps as classes."""
    lengths = torch.tensor([5, 3, 4, 5, 2, 4])
    options = {"lengths": lengths, "targets": tags(lengths), "loss": F.cross_entropy}
    return PackedTagger(nn.LSTM), ids(lengths), options


@SCORING.add("view-moves-classes")
def classes_moved_by_view() -> Made:
    """Brings the classes to dimension 1 by a view instead of a transposition."""

    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        n, seq_len, classes = scores.shape
        return F.cross_entropy(scores.reshape(n, classes, seq_len), targets)

    return scored(loss=loss)


@SCORING.add("flattening-aligns")
def time_first_scores_batch_first_tags() -> Made:
    """Flattens time-first scores and batch-first tags, which are then paired wrongly."""
    options = {"lengths": ENDS, "targets": tags(ENDS), "loss": token_loss, "batch_first": False}
    return PackedTagger(nn.GRU, batch_first=False), ids(ENDS, batch_first=False), options
