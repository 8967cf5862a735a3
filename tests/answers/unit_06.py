"""What test_exercises.py tries on the exercises of unit 06; see unit_01.py."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch

from answers import mistake_of
from birnn_course.exercises.unit_06 import read_out

Function = Callable[..., Any]


def rows_by_speaker(speakers: Any, n: int) -> Any:
    return sorted(
        row
        for speaker in set(speakers)
        for row in [i for i, who in enumerate(speakers) if who == speaker][-n:]
    )


def rows_by_counting_on(speakers: Any, n: int) -> Any:
    return [row for row, who in enumerate(speakers) if speakers[row + 1 :].count(who) < n]


def scale_joined(train: Any, test: Any) -> Any:
    frames = torch.cat(train)
    return [(x - frames.mean(0)) / frames.std(0) for x in test]


def scale_number_by_number(train: Any, test: Any) -> Any:
    columns = list(zip(*[row for x in train for row in x.tolist()], strict=True))
    mean = torch.tensor([statistics.fmean(column) for column in columns])
    deviation = torch.tensor([statistics.stdev(column) for column in columns])
    return tuple((x - mean) / deviation for x in test)


def change_of_the_batch(model: Any, x: Any, lengths: Any, pads: int) -> Any:
    more = torch.nn.functional.pad(x, (0, 0, 0, pads))
    return (read_out(model, more, lengths) - read_out(model, x, lengths)).abs().max().item()


def change_one_by_one(model: Any, x: Any, lengths: Any, pads: int) -> Any:
    largest = 0.0
    for sequence, n in zip(x, lengths, strict=True):
        few, n = sequence.unsqueeze(0), n.reshape(1)
        more = torch.cat([few, torch.zeros(1, pads, x.shape[2])], dim=1)
        before, after = (read_out(model, part, n)[0].tolist() for part in (few, more))
        largest = max([largest, *(abs(a - b) for a, b in zip(after, before, strict=True))])
    return largest


def choose_by_tensor(valid: Any, test: Any) -> Any:
    best = int(valid.median(1).values.argmax())
    return best, test[best].median().item()


def choose_by_list(valid: Any, test: Any) -> Any:
    medians = [statistics.median(row) for row in valid.tolist()]
    best = medians.index(max(medians))
    return [best, statistics.median(test.tolist()[best])]


def interval_of_accuracies(first: Any, second: Any, draws: Any) -> Any:
    # In float32, as most learners will
    gains = 100 * (second[draws].float().mean(1) - first[draws].float().mean(1))
    return gains.quantile(torch.tensor([0.025, 0.975])).tolist()


def interval_by_sorting(first: Any, second: Any, draws: Any) -> Any:
    a, b = first.tolist(), second.tolist()
    gains = sorted(100 * sum(b[i] - a[i] for i in row) / len(row) for row in draws.tolist())

    def quantile(share: float) -> float:
        place = share * (len(gains) - 1)
        low = int(place)
        return float(gains[low] + (place - low) * (gains[low + 1] - gains[low]))

    return (quantile(0.025), quantile(0.975))


def rival_by_tensor(train: Any, classes: Any, test: Any) -> Any:
    def features(sequences: Any) -> Any:
        return torch.stack([torch.cat([x.mean(0), x.std(0)]) for x in sequences])

    known, asked = features(train), features(test)
    mean, deviation = known.mean(0), known.std(0)
    known, asked = (known - mean) / deviation, (asked - mean) / deviation
    kinds, labels = sorted(set(classes)), torch.tensor(classes)
    centres = torch.stack([known[labels == kind].mean(0) for kind in kinds])
    return [kinds[i] for i in torch.cdist(asked, centres).argmin(1).tolist()]


def rival_number_by_number(train: Any, classes: Any, test: Any) -> Any:
    def features(x: Any) -> Any:
        columns = x.T.tolist()
        return [*map(statistics.fmean, columns), *map(statistics.stdev, columns)]

    known = [features(x) for x in train]
    centre = [statistics.fmean(column) for column in zip(*known, strict=True)]
    spread = [statistics.stdev(column) for column in zip(*known, strict=True)]
    kinds: dict[int, list[Any]] = {}
    for values, kind in zip(known, classes, strict=True):
        kinds.setdefault(kind, []).append(values)
    means = {
        kind: [statistics.fmean(column) for column in zip(*rows, strict=True)]
        for kind, rows in kinds.items()
    }

    def distance(values: Any, mean: Any) -> float:
        # the centre that was subtracted from both cancels out
        assert len(centre) == len(values)
        parts = zip(values, mean, spread, strict=True)
        return float(sum(((v - m) / s) ** 2 for v, m, s in parts))

    return [min(means, key=lambda kind: distance(features(x), means[kind])) for x in test]


SOLUTIONS: dict[str, tuple[Function, Function]] = {
    "valid_rows": (rows_by_speaker, rows_by_counting_on),
    "scale_utterances": (scale_joined, scale_number_by_number),
    "padding_change": (change_of_the_batch, change_one_by_one),
    "chosen_score": (choose_by_tensor, choose_by_list),
    "paired_interval": (interval_of_accuracies, interval_by_sorting),
    "simple_rival": (rival_by_tensor, rival_number_by_number),
}


def in_front_and_counted(model: Any, x: Any, lengths: Any, pads: int) -> Any:
    more = torch.nn.functional.pad(x, (0, 0, pads, 0))
    return (read_out(model, more, lengths + pads) - read_out(model, x, lengths)).abs().max().item()


TWO_AT_ONCE: dict[str, list[Function]] = {
    "valid_rows": [lambda speakers, n: list(range(n * len(set(speakers))))],
    "scale_utterances": [
        lambda train, test: [
            (x - torch.stack([y.mean(0) for y in test]).mean(0))
            / torch.stack([y.std(0) for y in test]).mean(0)
            for x in test
        ],
    ],
    "padding_change": [in_front_and_counted],
    "chosen_score": [
        lambda valid, test: (int(test.amax(1).argmax()), test.amax().item()),
        lambda valid, test: (int(valid.amax(1).argmax()), valid.amax().item()),
    ],
    "paired_interval": [
        lambda first, second, draws: [
            -end for end in mistake_of("paired_interval", "one-point-better")(first, second, draws)
        ],
    ],
    "simple_rival": [],
}
