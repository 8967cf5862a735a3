"""The exercises of unit 06, real speech: splits, scaling, padding tests and honest reports."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from birnn_course.exercises.cases import random_int, recurrent, until
from birnn_course.exercises.spec import Arguments, Exercise, Mistake, Module, build_module
from birnn_course.models import sequence_mask

Labels = list[int]
Utterances = list[Tensor]
"""Each ``(seq_len, features)``."""
Model = tuple[str, Module]
"""How the outputs are read, and the recurrent module."""


def _utterances(
    n: int, features: int, level: Tensor | float, generator: Generator, longest: int = 12
) -> Utterances:
    """Random utterances of different lengths around a level."""
    return [
        torch.randn(random_int(4, longest, generator), features, generator=generator) + level
        for _ in range(n)
    ]


# ── 1 · valid_rows ──────────────────────────────────────────────────────────────────────────────


def valid_rows(speakers: Labels, n: int) -> Labels:
    """Counted from the end of the file: a row is chosen if fewer than n of its speaker follow."""
    rows, met = [], dict.fromkeys(speakers, 0)
    for row in range(len(speakers) - 1, -1, -1):
        met[speakers[row]] += 1
        if met[speakers[row]] <= n:
            rows.append(row)
    return rows[::-1]


def _at_equal_distances(speakers: Labels, n: int) -> Labels:
    k = n * len(set(speakers))
    return [(i + 1) * len(speakers) // k - 1 for i in range(k)]


def _row_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(5):
        n = ((3, 1, 2, 1, 2) if hidden else (2, 1, 3, 2, 1))[i]
        counts = [n + random_int(2, 6, generator) for _ in range(3 + i % 3)]
        # Somebody spoke no more often than that; in a sorted file, the first.
        counts[0 if i == 0 else random_int(0, 2, generator)] = n
        names = torch.randperm(20, generator=generator)[: len(counts)]  # whatever their numbers are
        speakers = names.repeat_interleave(torch.tensor(counts))
        if i % 2:  # not every file is sorted
            speakers = speakers[torch.randperm(len(speakers), generator=generator)]
        cases.append((speakers.tolist(), n))
    return cases


VALID_ROWS = Exercise(
    name="valid_rows",
    unit="06",
    points=2,
    title="A validation set with the same number of utterances of every speaker",
    cases=_row_cases,
    reference=valid_rows,
    mistakes=(
        Mistake(
            "order-of-the-file",
            "the last rows of the file are taken; where it is sorted they belong to a few speakers",
            lambda speakers, n: list(range(len(speakers) - n * len(set(speakers)), len(speakers))),
        ),
        Mistake(
            "order-of-the-file",
            "rows at equal distances are taken, whoever speaks in them; speakers with many "
            "utterances then get more",
            _at_equal_distances,
        ),
    ),
    levels={
        "type": "Return a list of ints, the numbers of the rows.",
        "shape": "Return `n` rows for each speaker.",
        "direction": "These are the right rows in another order. Sort them.",
        "value": "Print the speakers of your rows in the first case. Does each occur `n` times, "
        "and are these the last ones?",
    },
    hints=(
        "`rows_of[speaker]` holds the rows of one speaker. Which of them are wanted?",
        "These rows go from the first to the last. You want the end of that list, for each "
        "speaker, and all of them sorted.",
        "`chosen = [row for rows in rows_of.values() for row in rows[-n:]]`, and then "
        "`return sorted(chosen)`.",
    ),
)


# ── 2 · scale_utterances ────────────────────────────────────────────────────────────────────────


def scale_utterances(train: Utterances, test: Utterances) -> Utterances:
    """With sums over all training frames."""
    n = sum(len(x) for x in train)
    mean = torch.stack([x.sum(0) for x in train]).sum(0) / n
    squares = torch.stack([((x - mean) ** 2).sum(0) for x in train]).sum(0)
    return [(x - mean) / (squares / (n - 1)).sqrt() for x in test]


def _scaled_by(
    frames: Callable[[Utterances, Utterances], Tensor],
) -> Callable[[Utterances, Utterances], Utterances]:
    """Scaling by the mean and the deviation of some frames."""

    def scale(train: Utterances, test: Utterances) -> Utterances:
        used = frames(train, test)
        return [(x - used.mean(0)) / used.std(0) for x in test]

    return scale


def _by_utterance_means(train: Utterances, test: Utterances) -> Utterances:
    mean = torch.stack([x.mean(0) for x in train]).mean(0)
    deviation = torch.stack([x.std(0) for x in train]).mean(0)
    return [(x - mean) / deviation for x in test]


def _scale_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(4):
        features = random_int(2, 5, generator) if hidden else (3, 2, 4, 5)[i]
        level = 2 + torch.rand(features, generator=generator)
        n_train, n_test = random_int(5, 8, generator), random_int(2, 4, generator)
        # Every utterance has a level of its own, so that no two ways give the same.
        train = [
            x + random_int(-2, 2, generator) * 0.5
            for x in _utterances(n_train, features, level, generator)
        ]
        cases.append((train, _utterances(n_test, features, level + 1, generator)))
    return cases


SCALE_UTTERANCES = Exercise(
    name="scale_utterances",
    unit="06",
    points=3,
    title="Scale test utterances by what was learned from training",
    cases=_scale_cases,
    reference=scale_utterances,
    mistakes=(
        Mistake(
            "normalised-with-test",
            "mean and deviation are those of the test frames; an utterance then depends on its "
            "company",
            _scaled_by(lambda train, test: torch.cat(test)),
        ),
        Mistake(
            "normalised-with-test",
            "mean and deviation are those of training and test frames together",
            _scaled_by(lambda train, test: torch.cat([*train, *test])),
        ),
        Mistake(
            "normalised-by-itself",
            "each utterance is scaled by its own frames, so that its level and spread are gone",
            lambda train, test: [(x - x.mean(0)) / x.std(0) for x in test],
        ),
        Mistake(
            "pads-in-the-scaling",
            "the training utterances are padded with zeros first, and the pads are counted",
            _scaled_by(lambda train, test: pad_sequence(train).flatten(0, 1)),
        ),
        Mistake(
            "token-mean-is-sequence-mean",
            "means and deviations of the utterances are averaged; every frame should count the "
            "same",
            _by_utterance_means,
        ),
    ),
    levels={
        "type": "Return a list of float tensors, one for each test utterance.",
        "shape": "Return the test utterances in their order, each with its own shape.",
        "value": "Compute the mean of the first coefficient by hand, over all frames of all "
        "training utterances. Subtract it and look at your first number again.",
    },
    hints=(
        "Which utterances may have a say in mean and deviation? And does a long one count for "
        "more than a short one?",
        "`torch.cat(train)` holds all training frames below each other, `(frames, features)`.",
        "With `frames = torch.cat(train)`, return "
        "`[(x - frames.mean(0)) / frames.std(0) for x in test]`.",
    ),
)


# ── 3 · padding_change ──────────────────────────────────────────────────────────────────────────


def read_out(model: Model, x: Tensor, lengths: Tensor) -> Tensor:
    """As in the notebook: ``(batch, 2 * hidden_size)``, read in one of several ways."""
    readout, module = model
    rnn = build_module(module)
    if not readout.startswith("packed"):
        output, h_n = rnn(x)
    else:
        pack = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, h_n = rnn(pack)
        output, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
    if readout.endswith("final states"):
        return torch.cat([*h_n], dim=1)
    assert isinstance(output, Tensor)
    if readout.endswith("last column"):
        return output[:, -1]
    if readout.endswith("sum / length"):
        return output.sum(1) / lengths.unsqueeze(1)
    return output.mean(1)


def _followed_by(x: Tensor, pads: int) -> Tensor:
    return torch.cat([x, x.new_zeros(len(x), pads, x.shape[2])], dim=1)


def padding_change(model: Model, x: Tensor, lengths: Tensor, pads: int) -> float:
    """The largest absolute change."""
    return _change(read_out(model, _followed_by(x, pads), lengths), model, x, lengths)


def _change(padded: Tensor, model: Model, x: Tensor, lengths: Tensor) -> float:
    return (padded - read_out(model, x, lengths)).detach().abs().max().item()


def _changed_answers(model: Model, x: Tensor, lengths: Tensor, pads: int) -> float:
    before = read_out(model, x, lengths).argmax(1)
    after = read_out(model, _followed_by(x, pads), lengths).argmax(1)
    return (before != after).double().mean().item()


READOUTS = ("last column", "packed, mean", "packed, final states", "final states", "mean")


def _padding_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    def telling(cases: list[Arguments]) -> bool:
        """Whether answers change in some cases only, and the largest change is one downwards."""
        changes, shares = [], set()
        for model, x, lengths, pads in cases:
            before = read_out(model, x, lengths)
            after = read_out(model, _followed_by(x, pads), lengths)
            changes.append(after - before)
            shares.add((before.argmax(1) != after.argmax(1)).double().mean().item())
        downwards = any(bool(c.max() < c.abs().max() - 1e-3) for c in changes)
        return downwards and len(shares) > 1

    return until(telling, partial(_one_of_each_readout, generator, hidden))


def _one_of_each_readout(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i, readout in enumerate((*READOUTS, "packed, sum / length")):
        cell = ("GRU", "RNN")[(i + hidden) % 2]
        features, hidden_size = random_int(2, 4, generator), random_int(3, 6, generator)
        module = recurrent(cell, features, hidden_size, generator)
        batch, seq_len = random_int(3, 5, generator), random_int(6, 9, generator)
        lengths = torch.randint(2, seq_len - 1, (batch,), generator=generator)
        lengths[random_int(0, batch - 1, generator)] = seq_len
        x = torch.randn(batch, seq_len, features, generator=generator)
        x = x * sequence_mask(lengths, seq_len).unsqueeze(2)
        cases.append(((readout, module), x, lengths, random_int(3, 9, generator)))
    return cases


PADDING_CHANGE = Exercise(
    name="padding_change",
    unit="06",
    points=3,
    title="How much a model changes when only the padding grows",
    cases=_padding_cases,
    reference=padding_change,
    mistakes=(
        Mistake(
            "left-padding-packs",
            "the zeros are put in front of the utterances; the lengths count from the front",
            lambda model, x, lengths, pads: _change(
                read_out(model, F.pad(x, (0, 0, pads, 0)), lengths), model, x, lengths
            ),
        ),
        Mistake(
            "zeros-are-invisible",
            "the lengths grow with the padding, so that the zeros count as frames",
            lambda model, x, lengths, pads: _change(
                read_out(model, _followed_by(x, pads), lengths + pads), model, x, lengths
            ),
        ),
        Mistake(
            "good-score-good-readout",
            "the largest entries are compared, as an accuracy does, and not the numbers",
            _changed_answers,
        ),
    ),
    levels={
        "type": "Return a number, as `.item()` gives it.",
        "value": "Only the zeros after the end may be more. Print the shape of both inputs and "
        "both lengths, and the largest absolute difference of the two results.",
    },
    hints=(
        "Run the model twice. What differs between the two inputs, and what has to stay the same?",
        "`torch.nn.functional.pad(x, (0, 0, 0, pads))` adds frames of zeros after the end. The "
        "lengths stay.",
        "`more = read_out(model, F.pad(x, (0, 0, 0, pads)), lengths)`; return the largest entry of "
        "`(more - read_out(model, x, lengths)).abs()`.",
    ),
)


# ── 4 · chosen_score ────────────────────────────────────────────────────────────────────────────


def chosen_score(valid: Tensor, test: Tensor) -> list[int | float]:
    """Sorted instead of ``median``."""
    middle = valid.shape[1] // 2
    best = max(range(len(valid)), key=lambda i: sorted(valid[i].tolist())[middle])
    return [best, sorted(test[best].tolist())[middle]]


def _middle(scores: Tensor) -> Tensor:
    return scores.median(1).values


def _top(scores: Tensor) -> Tensor:
    return scores.amax(1)


def _reported(
    by: Callable[[Tensor], Tensor],
    of: Callable[[Tensor], Tensor],
    *,
    choose_on_test: bool = False,
    report_valid: bool = False,
) -> Callable[[Tensor, Tensor], list[int | float]]:
    """Choose by one summary over seeds, and report another."""

    def report(valid: Tensor, test: Tensor) -> list[int | float]:
        best = int(by(test if choose_on_test else valid).argmax())
        return [best, of(valid if report_valid else test)[best].item()]

    return report


def _score_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(5):
        models, seeds = (4, 6, 5, 7, 8)[i], (5, 3, 7, 5, 3)[i]
        if hidden:
            models, seeds = random_int(4, 8, generator), (3, 5, 7)[random_int(0, 2, generator)]

        def draw(size: tuple[int, ...] = (2, models, seeds)) -> Arguments:
            return tuple(60 + 38 * torch.rand(*size, generator=generator))

        cases.append(until(_lead_apart, draw))
    return cases


def _lead_apart(case: Arguments) -> bool:
    """Whether the ways to choose lead to different models, and none of them to the first."""
    valid, test = case
    right = int(_middle(valid).argmax())
    ways = (_middle(test), _top(valid), valid.mean(1), valid.amin(1), -_middle(valid))
    picks = [int(scores.argmax()) for scores in ways]
    return right not in (0, *picks) and picks[0] != picks[1]


CHOSEN_SCORE = Exercise(
    name="chosen_score",
    unit="06",
    points=2,
    title="Choose on validation, report on test",
    cases=_score_cases,
    reference=chosen_score,
    mistakes=(
        Mistake(
            "tuned-on-test",
            "the model is chosen by its test scores, and its number is too good then",
            _reported(_middle, _middle, choose_on_test=True),
        ),
        Mistake(
            "tuned-on-test",
            "the score that is reported is the one that the model was chosen by",
            _reported(_middle, _middle, report_valid=True),
        ),
        Mistake(
            "best-seed",
            "the best run of the chosen model is reported instead of the median",
            _reported(_middle, _top),
        ),
        Mistake(
            "best-seed",
            "the model with the best single validation run is chosen; one lucky seed decides then",
            _reported(_top, _middle),
        ),
    ),
    levels={
        "type": "Return an int and a float: which model, and its score.",
        "shape": "Return two things: which model, and its score.",
        "value": "Write down the medians of the validation scores in the first case. Which row has "
        "the highest? Its test row is the only one to look at.",
    },
    hints=(
        "Which of the two tables may have a say in the choice? And which number of a row stands "
        "for a typical run?",
        "`valid.median(1).values` holds one number per model.",
        "`best = int(valid.median(1).values.argmax())`, and the score is "
        "`test[best].median().item()`.",
    ),
)


# ── 5 · paired_interval ─────────────────────────────────────────────────────────────────────────


def paired_interval(first: Tensor, second: Tensor, draws: Tensor) -> list[float]:
    """By counting how often each utterance was drawn."""
    difference = second.double() - first.double()
    times = torch.stack([torch.bincount(d, minlength=len(first)) for d in draws]).double()
    return _ends(100 * times @ difference / len(first))


def _ends(gains: Tensor) -> list[float]:
    tails = torch.tensor([0.025, 0.975], dtype=torch.float64)
    return [float(end) for end in gains.double().quantile(tails)]


def _accuracies(right: Tensor, draws: Tensor) -> Tensor:
    return 100 * right[draws].double().mean(1)


def _unpaired(first: Tensor, second: Tensor, draws: Tensor) -> list[float]:
    a, b = _ends(_accuracies(first, draws)), _ends(_accuracies(second, draws))
    return [b[0] - a[1], b[1] - a[0]]


def _interval_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(4):
        n = random_int(60, 120, generator) if hidden else (90, 70, 120, 60)[i]
        gain = (0.8, 0.4)[i % 2]

        def draw(n: int = n, gain: float = gain) -> Arguments:
            easy = torch.rand(n, generator=generator) < 0.8  # on which both are right
            first = easy | (torch.rand(n, generator=generator) < 0.3)
            second = easy | (torch.rand(n, generator=generator) < gain)
            first[0], second[0], first[1], second[1] = True, False, False, True
            draws = torch.randint(n, (random_int(150, 200, generator), n), generator=generator)
            return first, second, draws

        cases.append(until(_ends_between, draw))
    return cases


def _ends_between(case: Arguments) -> bool:
    """Whether an end lies between two gains and is neither of them."""
    first, second, draws = case
    gains = _accuracies(second, draws) - _accuracies(first, draws)
    return any(float((gains - end).abs().min()) > 0.01 for end in _ends(gains))


PAIRED_INTERVAL = Exercise(
    name="paired_interval",
    unit="06",
    points=3,
    title="An interval for the gain of one model over another",
    cases=_interval_cases,
    reference=paired_interval,
    tolerance=1e-3,  # points; in float32 a quantile between two gains is off by more than 1e-5
    mistakes=(
        Mistake(
            "one-point-better",
            "both ends are the difference of the two scores; nothing is drawn",
            lambda first, second, draws: (
                [100 * float(second.double().mean() - first.double().mean())] * 2
            ),
        ),
        Mistake(
            "one-point-better",
            "each model gets an interval of its own, and these are subtracted; both answered the "
            "same utterances, so the draws belong together",
            _unpaired,
        ),
        Mistake(
            "argument-order",
            "the gain is that of the first model over the second",
            lambda first, second, draws: paired_interval(second, first, draws),
        ),
    ),
    levels={
        "type": "Return two floats: `[low, high]`.",
        "shape": "Return two floats: `[low, high]`.",
        "direction": "These are the right ends in the other order.",
        "value": "Take the first row of `draws`. What is the accuracy of each model on these "
        "utterances, and the gain in points? So for each row; then two quantiles.",
    },
    hints=(
        "A row of `draws` is a test set. What is the gain on that test set?",
        "`second[draws]` has the shape of `draws`; its mean over dimension 1 is the accuracy on "
        "each test set. Quantiles of 0.025 and 0.975 leave 95 % between them.",
        "`gains = 100 * (second[draws].double() - first[draws].double()).mean(1)`; return "
        "`[gains.quantile(0.025).item(), gains.quantile(0.975).item()]`.",
    ),
)


# ── 6 · simple_rival ────────────────────────────────────────────────────────────────────────────


def simple_rival(train: Utterances, classes: Labels, test: Utterances) -> Labels:
    """The nearest class mean, by distances of all pairs."""
    return _nearest(_features(train), classes, _features(test))


def _features(sequences: Utterances, correction: int = 1) -> Tensor:
    rows = [torch.cat([x.mean(0), x.std(0, correction=correction)]) for x in sequences]
    return torch.stack(rows).double()


def _scaled(features: Tensor, by: Tensor) -> Tensor:
    return (features - by.mean(0)) / by.std(0)


def _nearest(
    known: Tensor, classes: Labels, asked: Tensor, scale_asked_by: Tensor | None = None
) -> Labels:
    asked = _scaled(asked, known if scale_asked_by is None else scale_asked_by)
    kinds = sorted(set(classes))
    nearest = _distances(_scaled(known, known), classes, asked).argmin(1)
    return [kinds[i] for i in nearest.tolist()]


def _distances(
    known: Tensor,
    classes: Labels,
    asked: Tensor,
    p: float = 2,
    centre: Callable[[Tensor], Tensor] = lambda rows: rows.mean(0),
) -> Tensor:
    """From each of ``asked`` to the centre of each class, in the order of their numbers."""
    labels = torch.tensor(classes)
    centres = torch.stack([centre(known[labels == kind]) for kind in sorted(set(classes))])
    return torch.cdist(asked, centres, p=p)


def _rival_scaled_by_test(train: Utterances, classes: Labels, test: Utterances) -> Labels:
    asked = _features(test)
    return _nearest(_features(train), classes, asked, scale_asked_by=asked)


def _rival_with_pads(train: Utterances, classes: Labels, test: Utterances) -> Labels:
    def padded(sequences: Utterances) -> Utterances:
        return list(pad_sequence(sequences, batch_first=True))

    return _nearest(_features(padded(train)), classes, _features(padded(test)))


def _rival_at_the_end(train: Utterances, classes: Labels, test: Utterances) -> Labels:
    def ends(sequences: Utterances) -> Tensor:
        return torch.stack([x[-1] for x in sequences]).double()

    return _nearest(ends(train), classes, ends(test))


def _slips(train: Utterances, classes: Labels, test: Utterances) -> tuple[list[Labels], Tensor]:
    """What slips lead to: in measuring distances, in the features, and without classes' means.

    Also the distances of whoever makes none.
    """
    known, asked, kinds = _features(train), _features(test), sorted(set(classes))

    def answers(known: Tensor, asked: Tensor, **how: Any) -> Labels:
        return [kinds[i] for i in _distances(known, classes, asked, **how).argmin(1).tolist()]

    near, close = _scaled(known, known), _scaled(asked, known)
    half = known.shape[1] // 2
    biased = [(_features(train, k), _features(test, k)) for k in (0, 2)]
    slips = [
        *(answers(_scaled(some, some), _scaled(others, some)) for some, others in biased),
        answers(near, close, p=1),
        answers(near, close, p=torch.inf),
        answers(near, close, centre=lambda rows: rows.median(0).values),
        answers(near[:, :half], close[:, :half]),
        answers(near[:, half:], close[:, half:]),
        answers(known, asked),
        [classes[i] for i in torch.cdist(close, near).argmin(1).tolist()],
    ]
    return slips, _distances(near, classes, close)


N_SLIPS = 9


def _rival_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    seen: set[int] = set()
    cases: list[Arguments] = []
    for i in range(4):
        n_classes, features = (3, 4, 5, 3)[i], (2, 4, 3, 5)[i]
        if hidden:
            n_classes, features = random_int(3, 5, generator), random_int(2, 5, generator)
        levels = 0.8 * torch.randn(n_classes, features, generator=generator) + 2
        spreads = 0.4 + torch.rand(n_classes, features, generator=generator)
        # One feature is measured in other units.
        levels[:, 0], spreads[:, 0] = 5 * levels[:, 0], 5 * spreads[:, 0]

        def sequences(
            kinds: Labels, levels: Tensor = levels, spreads: Tensor = spreads
        ) -> Utterances:
            return [
                levels[kind]
                + spreads[kind]
                * torch.randn(random_int(4, 15, generator), levels.shape[1], generator=generator)
                for kind in kinds
            ]

        counts = torch.tensor([random_int(3, 6, generator) for _ in range(n_classes)])
        all_kinds = torch.arange(n_classes).repeat_interleave(counts)
        places = all_kinds[torch.randperm(len(all_kinds), generator=generator)].tolist()
        # A class is a number, and not its place among the others.
        names = (1 + torch.randperm(99, generator=generator)[:n_classes].sort().values).tolist()
        train, classes = sequences(places), [names[k] for k in places]
        # The test set has other shares of the classes, so its own level and spread are others.
        asked = [
            *torch.randint(n_classes, (8,), generator=generator).tolist(),
            *[i % n_classes] * 8,
        ]
        test = sequences(asked)
        while True:  # once, and in the last case until every slip has shown
            drawn = sequences([*range(n_classes)] * 20)
            shown = _telling(train, classes, drawn)
            test += [drawn[k] for k in {shown[slip] for slip in shown.keys() - seen}]
            seen |= shown.keys()
            if i < 3 or len(seen) == N_SLIPS:
                break
        cases.append((train, classes, test))
    return cases


def _telling(train: Utterances, classes: Labels, drawn: Utterances) -> dict[int, int]:
    """For slips that some sequence shows without doubt, which one that is."""
    slips, away = _slips(train, classes, drawn)
    kinds = sorted(set(classes))
    right = [kinds[i] for i in away.argmin(1).tolist()]
    first, second, *_ = away.sort(1).values.unbind(1)
    is_plain = (second - first > 1e-3).tolist()
    return {
        slip: k
        for slip, wrong in enumerate(slips)
        for k in range(len(drawn))
        if wrong[k] != right[k] and is_plain[k]
    }


SIMPLE_RIVAL = Exercise(
    name="simple_rival",
    unit="06",
    points=3,
    title="A rival without recurrence for any data set",
    cases=_rival_cases,
    reference=simple_rival,
    mistakes=(
        Mistake(
            "no-simple-rival",
            "the most frequent class is named for every sequence; that is the constant, and a "
            "rival may look at the data",
            lambda train, classes, test: [max(sorted(set(classes)), key=classes.count)] * len(test),
        ),
        Mistake(
            "normalised-with-test",
            "the test features are scaled by their own mean and deviation",
            _rival_scaled_by_test,
        ),
        Mistake(
            "pads-in-the-scaling",
            "the sequences are padded with zeros before mean and deviation are taken over time",
            _rival_with_pads,
        ),
        Mistake(
            "last-step-readout",
            "the last step stands for the sequence; one step is little, and here every step tells",
            _rival_at_the_end,
        ),
    ),
    levels={
        "type": "Return a list of ints, the class of each test sequence.",
        "shape": "Return one class for each test sequence.",
        "direction": "These are the right classes in another order. Keep the order of `test`.",
        "value": "Check the parts one by one: the features of one sequence, their scaling by the "
        "training features, the mean of the features of each class, the nearest of these.",
    },
    hints=(
        "Four steps: features for each sequence, scaling, a mean for each class, the nearest. "
        "Which of them may use the test set?",
        "`torch.stack([torch.cat([x.mean(0), x.std(0)]) for x in train])` is (sequences, 2 * "
        "features). Scale it, and the same for the test set, by the training mean and deviation.",
        "With scaled `known` and `asked` and `labels = torch.tensor(classes)`: centres are "
        "`known[labels == kind].mean(0)` for each class, and `torch.cdist(asked, "
        "centres).argmin(1)` says which is nearest.",
    ),
)


EXERCISES = (
    VALID_ROWS,
    SCALE_UTTERANCES,
    PADDING_CHANGE,
    CHOSEN_SCORE,
    PAIRED_INTERVAL,
    SIMPLE_RIVAL,
)
"""In the order of the notebook."""
