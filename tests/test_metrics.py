"""Our metrics are scikit-learn's, on whatever is not padding, and the rest is as documented."""

from __future__ import annotations

import math
import warnings
from importlib.metadata import version
from typing import Any

import pytest
import torch
from packaging.version import Version
from sklearn import metrics as sk
from torch import Tensor

from birnn_course.data import IGNORED
from birnn_course.errors import CourseError
from birnn_course.exercises import EXERCISES
from birnn_course.exercises.unit_05 import dataset_f1, event_scores
from birnn_course.metrics import (
    Scores,
    average_precision,
    bootstrap_interval,
    confusion_by_length,
    confusion_matrix,
    confusion_per_sequence,
    threshold_curve,
)

with_many_cases = pytest.mark.parametrize(
    "n_cases", [200, pytest.param(1_000, marks=pytest.mark.full)]
)


def case(seed: int) -> tuple[Tensor, Tensor, int, Tensor]:
    """Padded targets and predictions: classes may be absent, rows may be padding only."""
    g = torch.Generator().manual_seed(seed)

    def random_int(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=g))

    n_classes, batch, seq_len = random_int(2, 6), random_int(1, 6), random_int(1, 9)
    present = random_int(1, n_classes)  # the others occur nowhere in the targets
    targets = torch.randint(present, (batch, seq_len), generator=g)
    predictions = torch.randint(random_int(1, n_classes), (batch, seq_len), generator=g)
    agree = torch.rand(batch, seq_len, generator=g) < torch.rand((), generator=g)
    predictions = torch.where(agree, targets, predictions)
    lengths = torch.randint(0, seq_len + 1, (batch, 1), generator=g)  # 0: a fully masked row
    real = torch.arange(seq_len) < lengths
    return targets, predictions, n_classes, real


def equal(ours: Any, theirs: Any) -> bool:
    ours, theirs = (torch.as_tensor(v, dtype=torch.float64) for v in (ours, theirs))
    return torch.allclose(ours, theirs, rtol=0, atol=1e-12, equal_nan=True)


@with_many_cases
def test_random_cases_agree_with_scikit_learn(n_cases: int) -> None:
    compared = absent = masked_rows = fully_masked = 0
    for seed in range(n_cases):
        targets, predictions, n_classes, real = case(seed)
        padded = torch.where(real, targets, IGNORED)
        matrix = confusion_matrix(padded, predictions, n_classes)
        assert torch.equal(matrix, confusion_matrix(targets, predictions, n_classes, mask=real))
        masked_rows += bool((~real).all(1).any())
        if not real.any():
            fully_masked += 1
            assert_counts_are_0_and_ratios_nan(matrix)
            continue
        true, predicted, labels = targets[real], predictions[real], list(range(n_classes))
        scores = Scores(matrix)
        absent += bool((scores.support == 0).any())
        assert equal(matrix, sk.confusion_matrix(true, predicted, labels=labels))
        assert equal(scores.accuracy, sk.accuracy_score(true, predicted))
        zero = (0.0, 1.0, math.nan)[seed % 3]
        options: dict[str, Any] = {"labels": labels, "zero_division": zero}
        ours = [scores.precision, scores.recall, scores.f1]
        theirs = sk.precision_recall_fscore_support(true, predicted, **options)
        for mine, other in zip(ours, theirs, strict=False):
            assert equal(mine.nan_to_num(zero), torch.as_tensor(other))
        for how in ("macro", "weighted", "micro"):
            values = sk.precision_recall_fscore_support(true, predicted, average=how, **options)
            for metric, other in zip(("precision", "recall", "f1"), values, strict=False):
                mine = scores.average(how, metric, undefined=zero)  # type: ignore[arg-type]
                if how == "weighted" and math.isnan(mine):
                    # Every class that occurs is left out: scikit-learn then averages
                    # over those that do not occur, all of them 0.
                    assert math.isnan(zero) and other == 0
                else:
                    assert equal(mine, other), (seed, how, metric, zero)
        compared += 1
    print(
        f"{compared} of {n_cases} cases equal scikit-learn's, {absent} with an absent class, "
        f"{masked_rows} with a fully masked row; {fully_masked} were padding only"
    )
    assert min(absent, masked_rows) > n_cases / 5 and fully_masked > n_cases / 100


def assert_counts_are_0_and_ratios_nan(matrix: Tensor) -> None:
    scores = Scores(matrix)
    assert not matrix.any()
    assert not scores.support.any() and not scores.predicted.any()
    assert scores.precision.isnan().all() and scores.recall.isnan().all()
    assert scores.f1.isnan().all() and math.isnan(scores.accuracy)
    for how in ("macro", "weighted", "micro"):
        assert math.isnan(scores.average(how))  # type: ignore[arg-type]


def test_a_batch_of_padding_only_where_scikit_learn_raises() -> None:
    nothing = torch.full((2, 3), IGNORED)
    assert_counts_are_0_and_ratios_nan(confusion_matrix(nothing, torch.zeros_like(nothing), 3))
    if Version(version("scikit-learn")) < Version("1.8"):
        return  # its accuracy is nan there, with a warning
    with pytest.raises(ValueError, match="minimum of 1"):
        sk.confusion_matrix([], [], labels=[])
    with pytest.raises(ValueError, match="minimum of 1"):
        sk.accuracy_score(torch.zeros(0), torch.zeros(0))


@with_many_cases
def test_thresholds_and_average_precision_agree_with_scikit_learn(n_cases: int) -> None:
    for seed in range(n_cases):
        g = torch.Generator().manual_seed(seed)
        shape = (4, 1 + seed % 9)
        targets = (torch.rand(shape, generator=g) < 0.3).long()
        scores = torch.randn(shape, generator=g)
        if seed % 2:
            scores = (2 * scores).round()  # many equal ones
        real = torch.rand(shape, generator=g) < 0.8
        true, score = targets[real], scores[real]
        ours = average_precision(targets, scores, mask=real)
        assert equal(ours, average_precision(torch.where(real, targets, IGNORED), scores))
        if not true.any():
            assert math.isnan(ours)
            continue
        assert equal(ours, sk.average_precision_score(true, score))
        curve = threshold_curve(targets, scores, mask=real)
        precision, recall, thresholds = sk.precision_recall_curve(true, score)
        assert equal(curve.thresholds.flip(0), thresholds.copy())
        assert equal(curve.precision.flip(0), precision[:-1].copy())
        assert equal(curve.recall.flip(0), recall[:-1].copy())
        for i, threshold in enumerate(curve.thresholds if seed % 20 < 2 else ()):
            called = (score >= threshold).long()
            assert equal(curve.f1[i], sk.f1_score(true, called))
            (tn, fp), (fn, tp) = sk.confusion_matrix(true, called, labels=[0, 1]).tolist()
            assert (curve.true_positives[i], curve.false_positives[i]) == (tp, fp)
            assert curve.cost(3, 2)[i] == 3 * fn + 2 * fp
            assert (curve.positives, curve.negatives) == (tp + fn, tn + fp)


def test_a_curve_without_positives_or_without_anything() -> None:
    curve = threshold_curve(torch.zeros(3), torch.tensor([1.0, 2.0, 3.0]))
    assert curve.recall.isnan().all() and curve.f1.isnan().all() and (curve.precision == 0).all()
    assert len(threshold_curve(torch.full((2,), IGNORED), torch.zeros(2)).thresholds) == 0


def test_the_matrix_of_the_lesson() -> None:
    targets = torch.tensor([1] * 60 + [0] * 40)
    predictions = torch.tensor([1] * 50 + [0] * 10 + [1] * 5 + [0] * 35)
    scores = Scores(confusion_matrix(targets, predictions, 2), names=["no", "yes"])
    assert scores.matrix.tolist() == [[35, 5], [10, 50]]
    rounded = [round(float(v[1]), 2) for v in (scores.precision, scores.recall, scores.f1)]
    assert rounded == [0.91, 0.83, 0.87]
    assert round(float(scores.f1[0]), 3) == 0.824
    assert round(scores.average("macro"), 3) == 0.847
    assert scores.accuracy == scores.average("micro") == 0.85
    assert "yes" in str(scores) and "0.909   0.833   0.870      60" in repr(scores)


def test_counts_add_up_over_sequences_and_over_lengths() -> None:
    targets, predictions, n_classes, real = case(5)
    padded = torch.where(real, targets, IGNORED)
    each = confusion_per_sequence(padded, predictions, n_classes)
    assert each.shape == (len(targets), n_classes, n_classes)
    total = confusion_matrix(padded, predictions, n_classes)
    assert torch.equal(each.sum(0), total)
    for i in range(len(targets)):
        assert torch.equal(each[i], confusion_matrix(padded[i], predictions[i], n_classes))
    lengths = real.sum(1)
    parts = confusion_by_length(padded, predictions, n_classes, lengths, edges=[2, 5, 9])
    assert list(parts) == ["1 to 2", "3 to 5", "6 to 9"]
    assert torch.equal(torch.stack([*parts.values()]).sum(0), total)
    one_answer = confusion_per_sequence(torch.tensor([0, 1]), torch.tensor([1, 1]), 2)
    assert one_answer.tolist() == [[[0, 1], [0, 0]], [[0, 0], [0, 1]]]


def test_the_bootstrap_interval_is_close_to_the_formula_for_a_share() -> None:
    n, share = 400, 0.8
    hits = torch.tensor([1.0] * 320 + [0.0] * 80)
    counts = torch.stack([hits, torch.ones(n)], dim=1)
    low, high = bootstrap_interval(counts, lambda c: float(c[0] / c[1]), n=4_000)
    standard_error = (share * (1 - share) / n) ** 0.5
    assert low == pytest.approx(share - 1.96 * standard_error, abs=0.004)
    assert high == pytest.approx(share + 1.96 * standard_error, abs=0.004)
    again = bootstrap_interval(counts, lambda c: float(c[0] / c[1]), n=4_000)
    assert again == (low, high)


def test_sequences_are_drawn_whole() -> None:
    # Steps of one sequence all agree, so there are as many facts as sequences, not as steps.
    hits = torch.tensor([50.0] * 10 + [0.0] * 10)
    low, high = bootstrap_interval(hits, lambda c: float(c) / 1_000)
    assert high - low > 0.3
    nothing = bootstrap_interval(hits, lambda c: math.nan)
    assert all(math.isnan(value) for value in nothing)


def test_what_cannot_be_counted_is_said_in_a_sentence() -> None:
    ids = torch.zeros(2, 3, dtype=torch.long)
    with pytest.raises(CourseError, match=r"\(2, 3\) and \(2, 3, 4\)\. Scores of several"):
        confusion_matrix(ids, torch.zeros(2, 3, 4), 4)
    with pytest.raises(CourseError, match="targets must be classes from 0 to 1, and 2"):
        confusion_matrix(ids + 2, ids, 2)
    with pytest.raises(CourseError, match="predictions must be classes from 0 to 1, and -1"):
        confusion_matrix(ids, ids - 1, 2)
    with pytest.raises(CourseError, match=r"added with \.sum\(0\)"):
        Scores(confusion_per_sequence(ids, ids, 2))
    with pytest.raises(CourseError, match="average takes"):
        Scores(torch.eye(2)).average("mean")  # type: ignore[arg-type]
    with pytest.raises(CourseError, match="some sequences"):
        bootstrap_interval(torch.zeros(0, 2), lambda c: 0.0)
    ignored = torch.where(torch.rand(2, 3) < 2, IGNORED, ids)
    confusion_matrix(ignored, ids - 7, 2)  # what stands at padding does not matter


def test_gradients_and_devices_do_not_matter() -> None:
    scores = torch.randn(2, 5, requires_grad=True)
    targets = torch.tensor([[0, 1, 0, 1, 1], [0, 0, 1, 0, IGNORED]])
    assert 0 <= average_precision(targets, scores) <= 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Scores(confusion_matrix(targets, (scores > 0).long(), 2)).average()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("hidden", [False, True])
def test_right_answers_of_exercises_are_scikit_learns(seed: int, hidden: bool) -> None:
    for events, alarms in EXERCISES["event_scores"].draw(seed, hidden=hidden):
        three = sk.precision_recall_fscore_support(
            events, alarms, average="binary", zero_division=0
        )[:3]
        assert event_scores(events, alarms) == pytest.approx(three, abs=1e-12)
    for batches, n_classes in EXERCISES["dataset_f1"].draw(seed, hidden=hidden):
        real = [torch.arange(tags.shape[1]) < n[:, None] for tags, _, n in batches]
        tags = torch.cat([batch[0][here] for batch, here in zip(batches, real, strict=True)])
        predicted = torch.cat([batch[1][here] for batch, here in zip(batches, real, strict=True)])
        labels = range(n_classes)
        macro = sk.f1_score(tags, predicted, labels=labels, average="macro", zero_division=0)
        assert dataset_f1(batches, n_classes) == pytest.approx(macro, abs=1e-12)
