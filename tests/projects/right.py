"""Right projects, built in different ways."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from typing import Any

import torch
from sklearn.metrics import f1_score, recall_score
from torch import Tensor

from birnn_course import Scores, confusion_matrix

from projects import Planted, models


@torch.no_grad()
def packed(ids: Tensor, lengths: Tensor) -> Tensor:
    """A packed BiLSTM."""
    return models.tagger()(ids, lengths).argmax(-1)


@torch.no_grad()
def buckets(ids: Tensor, lengths: Tensor) -> Tensor:
    """The same weights on words of one length at a time: nothing is packed, nothing padded."""
    tags = torch.full_like(ids, -1)
    for n in lengths.unique().tolist():
        rows = lengths == n
        tags[rows, :n] = models.tagger()(ids[rows, :n]).argmax(-1)
    return tags


@torch.no_grad()
def one_by_one(ids: Tensor, lengths: Tensor) -> Tensor:
    """The same weights, word by word."""
    tags = torch.zeros(ids.shape, dtype=torch.int32)
    for row, (word, n) in enumerate(zip(ids, lengths.tolist(), strict=True)):
        tags[row, :n] = models.tagger()(word[None, :n]).argmax(-1)[0]
    return tags


@torch.no_grad()
def convolution(ids: Tensor, lengths: Tensor) -> Tensor:
    """A 1-D convolution whose pads are masked before every layer."""
    return models.convolution()(ids, lengths).argmax(-1)


def table(ids: Tensor, lengths: Tensor) -> Tensor:
    """No network: what the letter was most often between the same neighbours."""
    tags, known = torch.zeros_like(ids), models.contexts()
    for row, n in enumerate(lengths.tolist()):
        word = ids[row, :n].tolist()
        for at in range(n):
            keys = (models.around(word, at, k) for k in (2, 1, 0))
            tags[row, at] = next(known[key].most_common(1)[0][0] for key in keys if key in known)
    return tags


def with_the_course(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    scores = Scores(confusion_matrix(gold, pred, 4))
    return {"macro_f1": scores.average(), "recall": scores.recall}


def with_sklearn(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    real = torch.arange(gold.shape[1]) < lengths.unsqueeze(1)
    p, g = pred[real].numpy(), gold[real].numpy()
    kwargs = {"average": None, "labels": [0, 1, 2, 3], "zero_division": 0}
    return {
        "macro_f1": f1_score(g, p, **kwargs).mean(),
        "recall": recall_score(g, p, **kwargs),  # a NumPy array
    }


def by_counting(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    pairs: Counter[tuple[int, int]] = Counter()
    for p, g, n in zip(pred.tolist(), gold.tolist(), lengths.tolist(), strict=True):
        pairs.update(zip(p[:n], g[:n], strict=True))
    f1, recall = [], []
    for tag in range(4):
        hit = pairs[tag, tag]
        called = sum(n for (p, _), n in pairs.items() if p == tag)
        there = sum(n for (_, g), n in pairs.items() if g == tag)
        f1.append(2 * hit / (called + there) if called + there else 0.0)
        recall.append(hit / there if there else 0.0)
    return {"macro_f1": statistics.mean(f1), "recall": tuple(recall)}


def with_one_hot(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    real = gold >= 0
    p, g = torch.eye(4)[pred[real]], torch.eye(4)[gold[real]]
    both, called, there = (p * g).sum(0), p.sum(0), g.sum(0)
    precision, recall = (both / called).nan_to_num(), (both / there).nan_to_num()
    f1 = (2 * precision * recall / (precision + recall)).nan_to_num()
    return {"macro_f1": f1.mean(), "recall": recall}


def highest_mean(valid: Tensor, test: Tensor) -> int:
    return int(valid.mean(1).nan_to_num(-math.inf).argmax())


def masked_mean(valid: Tensor, test: Tensor) -> Tensor:
    return valid.mean(1).where(~valid.isnan().any(1), torch.tensor(-1.0)).argmax()


def in_python(valid: Tensor, test: Tensor) -> int:
    means = [statistics.fmean(row) for row in valid.tolist()]
    able = [i for i, mean in enumerate(means) if not math.isnan(mean)]
    return max(able, key=lambda i: means[i])


RIGHT = (
    Planted("packed BiLSTM", packed, with_the_course, highest_mean),
    Planted("buckets of one length", buckets, with_sklearn, in_python),
    Planted("one word at a time", one_by_one, by_counting, highest_mean),
    Planted("masked convolution", convolution, with_one_hot, masked_mean),
    Planted("table of neighbours", table, by_counting, in_python),
)
