"""What test_exercises.py tries on the exercises of unit 05; see unit_01.py."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch

from answers import mistake_of

Function = Callable[..., Any]


def accuracy_by_mask(scores: Any, tags: Any, lengths: Any) -> Any:
    real = torch.arange(tags.shape[1])[None] < lengths[:, None]
    return (scores.argmax(2) == tags)[real].float().mean().item()


def accuracy_sentence_by_sentence(scores: Any, tags: Any, lengths: Any) -> Any:
    right = total = 0
    for row, truth, n in zip(scores.tolist(), tags.tolist(), lengths.tolist(), strict=True):
        for t in range(n):
            right += row[t].index(max(row[t])) == truth[t]
            total += 1
    return right / total


def scores_by_counting(events: Any, alarms: Any) -> Any:
    counts = Counter(zip(events, alarms, strict=True))
    tp, fp, fn = counts[1, 1], counts[0, 1], counts[1, 0]
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return [precision, recall, 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0]


def scores_by_places(events: Any, alarms: Any) -> Any:
    there = {i for i, event in enumerate(events) if event}
    called = {i for i, alarm in enumerate(alarms) if alarm}
    both = len(there & called)
    return (
        both / max(len(called), 1),
        both / max(len(there), 1),
        2 * both / max(len(there) + len(called), 1),
    )


def threshold_by_trying(logits: Any, events: Any, miss: int, alarm: int) -> Any:
    def cost(threshold: float) -> int:
        alarms = logits.sigmoid() >= threshold
        return miss * int((events[~alarms] == 1).sum()) + alarm * int((events[alarms] == 0).sum())

    return min([k / 10 for k in range(1, 10)], key=cost)


def threshold_in_logits(logits: Any, events: Any, miss: int, alarm: int) -> Any:
    pairs = list(zip(logits.tolist(), events.tolist(), strict=True))
    best, cheapest = 0.0, math.inf
    for k in range(9, 0, -1):
        bound = math.log(k / 10 / (1 - k / 10))
        cost = sum(
            (miss if event else 0) if x < bound else (0 if event else alarm) for x, event in pairs
        )
        if cost <= cheapest:
            best, cheapest = k / 10, cost
    return best


def f1_by_matrix(batches: Any, n_classes: int) -> Any:
    total = torch.zeros(n_classes, n_classes)
    for tags, predicted, lengths in batches:
        for row, guess, n in zip(tags, predicted, lengths.tolist(), strict=True):
            for t in range(n):
                total[row[t], guess[t]] += 1
    hits = total.diagonal()
    return (2 * hits / (total.sum(0) + total.sum(1)).clamp(min=1)).mean().item()


def f1_class_by_class(batches: Any, n_classes: int) -> Any:
    tokens = [
        (int(a), int(b))
        for tags, predicted, lengths in batches
        for row, guess, n in zip(tags, predicted, lengths.tolist(), strict=True)
        for a, b in zip(row[:n], guess[:n], strict=True)
    ]
    f1s = []
    for k in range(n_classes):
        hits = sum(a == b == k for a, b in tokens)
        either = sum((a == k) + (b == k) for a, b in tokens)
        f1s.append(2 * hits / either if either else 0.0)
    return sum(f1s) / n_classes


def names_in(tags: Any) -> Any:
    found, open_name = [], None
    for t, tag in enumerate([*tags, "O"]):
        if open_name and tag != "I-" + open_name[1]:
            found.append((open_name[0], t, open_name[1]))
            open_name = None
        if tag[0] == "B":
            open_name = (t, tag[2:])
    return found


def names_by_sets(gold: Any, predicted: Any) -> Any:
    truth = {(i, n) for i, tags in enumerate(gold) for n in names_in(tags)}
    found = {(i, n) for i, tags in enumerate(predicted) for n in names_in(tags)}
    precision, recall = len(truth & found) / len(found), len(truth & found) / len(truth)
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def names_by_counting(gold: Any, predicted: Any) -> Any:
    hits = total = 0
    for truth, tags in zip(gold, predicted, strict=True):
        there, found = names_in(truth), names_in(tags)
        hits += sum(name in there for name in found)
        total += len(there) + len(found)
    return 2 * hits / total


def honest_by_distance(train: Any, test: Any, right: Any, width: int) -> Any:
    clean = ((test[:, None] - train[None]).abs() >= width).all(dim=1)
    return right[clean].float().mean().item()


def honest_by_marking(train: Any, test: Any, right: Any, width: int) -> Any:
    seen = [False] * 1_000
    for start in train.tolist():
        seen[start : start + width] = [True] * width
    kept = [
        hit
        for s, hit in zip(test.tolist(), right.tolist(), strict=True)
        if not any(seen[s : s + width])
    ]
    return sum(kept) / len(kept)


SOLUTIONS: dict[str, tuple[Function, Function]] = {
    "token_accuracy": (accuracy_by_mask, accuracy_sentence_by_sentence),
    "event_scores": (scores_by_counting, scores_by_places),
    "cheapest_threshold": (threshold_by_trying, threshold_in_logits),
    "dataset_f1": (f1_by_matrix, f1_class_by_class),
    "name_f1": (names_by_sets, names_by_counting),
    "honest_accuracy": (honest_by_distance, honest_by_marking),
}


def mean_over_sentences_with_pads(scores: Any, tags: Any, lengths: Any) -> Any:
    hits = scores.argmax(-1) == tags
    return (hits.sum(1) / lengths).mean().item()


def swapped_and_generous(events: Any, alarms: Any) -> Any:
    precision, recall, f1 = mistake_of("event_scores", "zero-division-is-cosmetic")(events, alarms)
    return [recall, precision, f1]


TWO_AT_ONCE: dict[str, list[Function]] = {
    "token_accuracy": [mean_over_sentences_with_pads],
    "event_scores": [swapped_and_generous],
    "cheapest_threshold": [
        lambda logits, events, miss, alarm: mistake_of("cheapest_threshold", "logits-at-half")(
            logits, events, 1, 1
        ),
    ],
    "dataset_f1": [
        lambda batches, n: mistake_of("dataset_f1", "mean-of-batch-f1")(
            [
                (tags, predicted, torch.full_like(lengths, tags.shape[1]))
                for tags, predicted, lengths in batches
            ],
            n,
        ),
    ],
    "name_f1": [
        lambda gold, predicted: (
            sum(
                mistake_of("name_f1", "accuracy-shows-skill")([g], [s])
                for g, s in zip(gold, predicted, strict=True)
            )
            / len(gold)
        ),
    ],
    "honest_accuracy": [
        lambda train, test, right, width: float((right & ~torch.isin(test, train)).double().mean()),
    ],
}
