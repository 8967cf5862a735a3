"""Metrics for padded batches: count once over everything that is real, then divide.

Everything starts from a matrix of counts. Counts of batches, sequences or lengths can be added;
ratios such as F1 cannot be averaged. So count per batch, add the matrices, and compute the ratio
from the sum.

**Where there is nothing to divide by** a ratio is nan and not 0: the precision of a class that was
never predicted, the recall of one that does not occur, and everything for a batch that is padding
only (its counts are 0). scikit-learn warns and gives 0 for the first two, and raises for the last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from birnn_course.data.batches import IGNORED
from birnn_course.errors import CourseError

Metric = Literal["precision", "recall", "f1"]
Average = Literal["macro", "weighted", "micro"]


def confusion_matrix(
    targets: Tensor, predictions: Tensor, n_classes: int, *, mask: Tensor | None = None
) -> Tensor:
    """How often each class was taken for each class.

    Parameters
    ----------
    targets : Tensor
        Class numbers, ``(batch, seq_len)`` or any other shape. Targets of -100 are left out.
    predictions : Tensor
        Class numbers of the same shape. What stands where nothing is counted does not matter.
    n_classes : int
        All classes, whether they occur or not.
    mask : Tensor, optional
        Bool, of the same shape: count these only.

    Returns
    -------
    Tensor
        ``(n_classes, n_classes)``, int64, on the CPU. Rows are the true classes and columns the
        predicted ones, as in scikit-learn: ``[[TN, FP], [FN, TP]]`` for two classes.
    """
    _need_one_shape(targets, predictions, mask)
    flat = None if mask is None else mask.reshape(1, -1)
    pair = targets.reshape(1, -1), predictions.reshape(1, -1)
    return confusion_per_sequence(*pair, n_classes, mask=flat)[0]


def confusion_per_sequence(
    targets: Tensor, predictions: Tensor, n_classes: int, *, mask: Tensor | None = None
) -> Tensor:
    """One matrix of :func:`confusion_matrix` for each sequence, ``(batch, n_classes, n_classes)``.

    ``targets``, ``predictions`` and ``mask`` are ``(batch, seq_len)``, or ``(batch,)`` for one
    answer per sequence.
    """
    _need_one_shape(targets, predictions, mask)
    targets, predictions = targets.cpu(), predictions.cpu()
    counted = _counted(targets, mask)
    row = counted.nonzero()[:, 0]
    true, predicted = targets[counted].long(), predictions[counted].long()
    for name, classes in (("targets", true), ("predictions", predicted)):
        outside = classes[(classes < 0) | (classes >= n_classes)]
        if len(outside):
            raise CourseError(
                f"{name} must be classes from 0 to {n_classes - 1}, and {int(outside[0])} is "
                "among them. Padding is marked by targets of -100, or by the mask."
            )
    cell = (row * n_classes + true) * n_classes + predicted
    counts = torch.bincount(cell, minlength=len(targets) * n_classes**2)
    return counts.reshape(len(targets), n_classes, n_classes)


def confusion_by_length(
    targets: Tensor,
    predictions: Tensor,
    n_classes: int,
    lengths: Tensor,
    edges: Sequence[int],
) -> dict[str, Tensor]:
    """One matrix for each range of lengths.

    Parameters
    ----------
    targets, predictions, n_classes
        As in :func:`confusion_per_sequence`.
    lengths : Tensor
        ``(batch,)``.
    edges : sequence of int
        The longest length of each range, in rising order; longer sequences are left out.

    Returns
    -------
    dict of str to Tensor
        ``"1 to 20"`` and so on to a matrix of :func:`confusion_matrix`; they can be added.
    """
    matrices = confusion_per_sequence(targets, predictions, n_classes)
    low, found = 1, {}
    for high in edges:
        inside = (lengths >= low) & (lengths <= high)
        found[f"{low} to {high}"] = matrices[inside.cpu()].sum(0)
        low = high + 1
    return found


class Scores:
    """What follows from a matrix of :func:`confusion_matrix`. Shown as a table in a notebook.

    Parameters
    ----------
    matrix : Tensor
        ``(n_classes, n_classes)``, rows true, columns predicted.
    names : sequence of str, optional
        What the classes are called.

    Attributes
    ----------
    support, predicted : Tensor
        How often each class occurs and is predicted, ``(n_classes,)``, int64.
    precision, recall, f1 : Tensor
        Of each class, ``(n_classes,)``, float64; nan where there is nothing to divide by.
    accuracy : float
        Share of all that was counted; nan if nothing was.
    """

    def __init__(self, matrix: Tensor, names: Sequence[str] | None = None) -> None:
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise CourseError(
                f"Scores needs one square matrix of counts; this has shape {tuple(matrix.shape)}. "
                "Matrices of several sequences are added with .sum(0)."
            )
        self.matrix = matrix.cpu()
        self.names = [*map(str, names or range(len(matrix)))]
        self.support, self.predicted = self.matrix.sum(1), self.matrix.sum(0)
        hits = self.matrix.diagonal().double()
        self.precision = hits / self.predicted
        self.recall = hits / self.support
        self.f1 = 2 * hits / (self.predicted + self.support)
        n = int(self.matrix.sum())
        self.accuracy = float(hits.sum()) / n if n else math.nan

    def average(
        self, how: Average = "macro", metric: Metric = "f1", *, undefined: float = 0.0
    ) -> float:
        """One number for all classes.

        Parameters
        ----------
        how : {"macro", "weighted", "micro"}
            Every class counts the same; every class counts as often as it occurs; all counts are
            added up first. The last is the accuracy, where everything has exactly one class.
        metric : {"precision", "recall", "f1"}
            What is averaged.
        undefined : float
            Stands for a ratio that is nan, as ``zero_division`` does in scikit-learn. With nan
            such a class is left out.

        Returns
        -------
        float
            nan if nothing was counted, or nothing that counts is left.
        """
        if how not in ("macro", "weighted", "micro") or metric not in ("precision", "recall", "f1"):
            raise CourseError(
                "average takes macro, weighted or micro, and precision, recall or f1; "
                f"not {how!r} and {metric!r}."
            )
        values: Tensor = getattr(self, metric)
        weights = self.support.double() if how == "weighted" else torch.ones_like(values)
        if how == "micro" or not self.support.sum():
            return self.accuracy
        if math.isnan(undefined):
            values, weights = values[~values.isnan()], weights[~values.isnan()]
        values = values.nan_to_num(undefined)
        total = float(weights.sum())
        return float((values * weights).sum()) / total if total else math.nan

    def __str__(self) -> str:
        width = max(len(name) for name in [*self.names, "macro"]) + 2
        lines = [f"{'':{width}}precision  recall      F1   count"]
        ratios = (self.precision, self.recall, self.f1)
        for i, name in enumerate(self.names):
            shown = "".join(f"{float(r[i]):{w}.3f}" for r, w in zip(ratios, (9, 8, 8), strict=True))
            lines.append(f"{name:{width}}{shown}{int(self.support[i]):8,}")
        macro = [self.average("macro", metric) for metric in ("precision", "recall", "f1")]
        shown = "".join(f"{value:{w}.3f}" for value, w in zip(macro, (9, 8, 8), strict=True))
        lines.append(f"{'macro':{width}}{shown}{int(self.matrix.sum()):8,}")
        return "\n".join([*lines, f"accuracy {self.accuracy:.3f}"])

    __repr__ = __str__


class ThresholdCurve(NamedTuple):
    """The counts at every threshold, from the highest to the lowest."""

    thresholds: Tensor
    """A step is called positive if its score is at least this high."""
    true_positives: Tensor
    false_positives: Tensor
    positives: int
    """How many positives there are in all."""
    negatives: int

    @property
    def precision(self) -> Tensor:
        """Of what is called positive, the share that is; ``(n_thresholds,)``."""
        return self.true_positives / (self.true_positives + self.false_positives)

    @property
    def recall(self) -> Tensor:
        """Of what is positive, the share that is found; nan if nothing is."""
        return self.true_positives / self.positives if self.positives else self._nan()

    @property
    def f1(self) -> Tensor:
        """Of the positive class; nan if nothing is positive."""
        called = self.true_positives + self.false_positives
        f1 = 2 * self.true_positives / (called + self.positives)
        return f1 if self.positives else self._nan()

    def cost(self, miss: float, alarm: float) -> Tensor:
        """What all missed positives and all false alarms cost together."""
        return miss * (self.positives - self.true_positives) + alarm * self.false_positives

    def _nan(self) -> Tensor:
        return torch.full_like(self.true_positives, math.nan)


def threshold_curve(
    targets: Tensor, scores: Tensor, *, mask: Tensor | None = None
) -> ThresholdCurve:
    """What becomes of a two-class model at every threshold that makes a difference.

    Parameters
    ----------
    targets : Tensor
        1 for positive, 0 for negative, -100 for what is left out; any shape.
    scores : Tensor
        Of the same shape: the higher, the likelier positive. Probabilities or logits.
    mask : Tensor, optional
        Bool, of the same shape: count these only.

    Returns
    -------
    ThresholdCurve
        float64, on the CPU. Equal scores stand for one threshold.
    """
    _need_one_shape(targets, scores, mask)
    targets, scores = targets.cpu(), scores.detach().cpu()
    counted = _counted(targets, mask)
    positive = targets[counted] == 1
    ordered, order = scores[counted].sort(descending=True, stable=True)
    hits = positive[order].double().cumsum(0)
    last_of_its_value = torch.ones(len(ordered), dtype=torch.bool)
    last_of_its_value[:-1] = ordered[:-1] != ordered[1:]
    called = torch.arange(1, len(ordered) + 1, dtype=torch.float64)
    n_positive = int(positive.sum())
    return ThresholdCurve(
        ordered[last_of_its_value],
        hits[last_of_its_value],
        (called - hits)[last_of_its_value],
        n_positive,
        len(ordered) - n_positive,
    )


def average_precision(targets: Tensor, scores: Tensor, *, mask: Tensor | None = None) -> float:
    """The precision at every threshold, averaged over what each one adds to the recall.

    No threshold has to be chosen. Scores that know nothing reach the share of positives, the best
    possible ones 1. As ``average_precision_score`` of scikit-learn: no interpolation.

    Parameters
    ----------
    targets, scores, mask
        As in :func:`threshold_curve`.

    Returns
    -------
    float
        nan if nothing is positive.
    """
    curve = threshold_curve(targets, scores, mask=mask)
    if not curve.positives:
        return math.nan
    added = curve.recall.diff(prepend=torch.zeros(1, dtype=torch.float64))
    return float((added * curve.precision).sum())


def bootstrap_interval(
    counts: Tensor,
    statistic: Callable[[Tensor], float],
    *,
    level: float = 0.95,
    n: int = 1_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Between which values a statistic lies if other sequences had been drawn for the test.

    Sequences are drawn anew from the test set, with replacement, and their counts are added
    (Efron, 1979, doi 10.1214/aos/1176344552; percentile interval). Whole sequences, because the
    steps of one sequence belong together. It tells nothing about training with another seed.

    Parameters
    ----------
    counts : Tensor
        Per sequence: ``(n_sequences, ...)``, as from :func:`confusion_per_sequence`. To compare
        two models on the same sequences, stack their counts: ``(n_sequences, 2, ...)``.
    statistic : callable
        From summed counts ``(...)`` to a number.
    level : float
        Share of the draws that lie between the two values.
    n : int
        How often a test set is drawn.
    seed : int
        Decides the draws.

    Returns
    -------
    tuple of float
        The lower and the upper end. Draws for which the statistic is nan are left out; (nan, nan)
        if it always is.
    """
    if not 0 < level < 1 or not len(counts):
        raise CourseError("bootstrap_interval needs a level between 0 and 1 and some sequences.")
    generator = torch.Generator().manual_seed(seed)
    flat = counts.cpu().double().reshape(len(counts), -1)
    values = []
    for _ in range(n):
        drawn = torch.randint(len(flat), (len(flat),), generator=generator)
        times = torch.bincount(drawn, minlength=len(flat)).double()
        values.append(float(statistic((times @ flat).reshape(counts.shape[1:]))))
    kept = torch.tensor([value for value in values if not math.isnan(value)], dtype=torch.float64)
    if not len(kept):
        return math.nan, math.nan
    tails = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = kept.quantile(tails).tolist()
    return low, high


def _counted(targets: Tensor, mask: Tensor | None) -> Tensor:
    real = targets != IGNORED
    return real if mask is None else real & mask.bool().cpu()


def _need_one_shape(targets: Tensor, answers: Tensor, mask: Tensor | None) -> None:
    shapes = [tuple(t.shape) for t in (targets, answers, mask) if t is not None]
    if len(set(shapes)) > 1:
        *first, last = map(str, shapes)
        raise CourseError(
            "a metric needs one answer for each target, and a mask of the same shape; the shapes "
            f"are {', '.join(first)} and {last}. Scores of several classes become predictions "
            "with .argmax(-1)."
        )
