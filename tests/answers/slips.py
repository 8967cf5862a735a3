"""Wrong solutions that are right but for a rare event, or for one rule of the exercise.

``CLASSIC`` once passed for right in some or all sets of cases; ``SLIPS`` are their like.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from birnn_course.exercises.checking import EXERCISES
from birnn_course.exercises.spec import build_module

Function = Callable[..., Any]


def reference(name: str) -> Function:
    return EXERCISES[name].reference


def without_the_last_sample(module: Any, x: Any, logged: Any) -> Any:
    return [i for i in reference("not_its_own")(module, x, logged) if i < len(x) - 1]


def compared_at(step: int) -> Function:
    def compared(module: Any, x: Any, logged: Any) -> Any:
        rnn = build_module(module)
        return [
            i
            for i in range(len(x))
            if not torch.allclose(rnn(x[i])[0][step], logged[i, step], rtol=0, atol=1e-4)
        ]

    return compared


def compared_within(tolerance: float) -> Function:
    def compared(module: Any, x: Any, logged: Any) -> Any:
        rnn = build_module(module)
        return [
            i for i in range(len(x)) if (rnn(x[i])[0] - logged[i]).abs().max().item() > tolerance
        ]

    return compared


def mean_difference(module: Any, x: Any, logged: Any) -> Any:
    rnn = build_module(module)
    return [i for i in range(len(x)) if (rnn(x[i])[0] - logged[i]).abs().mean() > 1e-4]


def filled_with(number: float) -> Function:
    def pooled(output: Any, lengths: Any) -> Any:
        real = (torch.arange(output.shape[1]) < lengths[:, None])[..., None]
        mean = output.masked_fill(~real, 0).sum(1) / lengths[:, None]
        return torch.cat([mean, output.masked_fill(~real, number).amax(1)], dim=1)

    return pooled


def cheapest(
    reached: Function = torch.ge, last: bool = False, first: int = 1, until: int = 10
) -> Function:
    def threshold(logits: Any, events: Any, miss: int, alarm: int) -> Any:
        probability, costs = logits.sigmoid(), {}
        for k in range(first, until):
            alarms = reached(probability, k / 10)
            missed = int((~alarms & (events == 1)).sum())
            costs[k / 10] = miss * missed + alarm * int((alarms & (events == 0)).sum())
        equal = [t for t, cost in costs.items() if cost == min(costs.values())]
        return equal[-1] if last else equal[0]

    return threshold


def names_if(starts: Function, goes_on: Function, by_sentence: bool = True) -> Function:
    """F1 over names that start and go on by these rules, of a tag and the kind before it."""

    def names(tags: list[str]) -> set[Any]:
        found, start, kind = set(), None, ""
        for t, tag in enumerate([*tags, "O"]):
            if start is not None and not goes_on(tag, kind):
                found.add((start, t, kind))
                start = None
            if start is None and starts(tag):
                start, kind = t, tag[2:]
        return found

    def f1(gold: Any, predicted: Any) -> Any:
        truth, answered = (
            {(i * by_sentence, *name) for i, tags in enumerate(rows) for name in names(tags)}
            for rows in (gold, predicted)
        )
        return 2 * len(truth & answered) / (len(truth) + len(answered))

    return f1


def begins(tag: str) -> bool:
    return tag[0] == "B"


def same_kind(tag: str, kind: str) -> bool:
    return tag == f"I-{kind}"


def from_minimum_to_maximum(train: Any, test: Any, right: Any, width: int) -> Any:
    clean = (test + width <= train.min()) | (test >= train.max() + width)
    return right[clean].double().mean().item()


def apart_by(more: int) -> Function:
    return lambda train, test, right, width: reference("honest_accuracy")(
        train, test, right, width + more
    )


def next_window_only(train: Any, test: Any, right: Any, width: int) -> Any:
    """Looks for the training window beside it in a list that it takes to be sorted."""
    at = torch.searchsorted(train, test)
    before, after = train[(at - 1).clamp(min=0)], train[at.clamp(max=len(train) - 1)]
    clean = ((test - before).abs() >= width) & ((after - test).abs() >= width)
    return right[clean].double().mean().item()


def words_by(equal: Function) -> Function:
    def rate(predicted: Any, listed: Any) -> Any:
        wrong = [
            not any(equal(answer, right) for right in rights)
            for answer, rights in zip(predicted, listed, strict=True)
        ]
        return sum(wrong) / len(wrong)

    return rate


def as_far_as_it_goes(answer: Any, right: Any) -> bool:
    return all(a == b for a, b in zip(answer, right, strict=False))


def phones_by(key: Function) -> Function:
    from birnn_course.word_errors import edit_distance

    def rate(predicted: Any, listed: Any) -> Any:
        edits = phones = 0
        for answer, rights in zip(predicted, listed, strict=True):
            chosen = min(rights, key=lambda r, a=answer: key(edit_distance(a, r), len(r)))
            edits, phones = edits + edit_distance(answer, chosen), phones + len(chosen)
        return edits / phones

    return rate


def rare_over(keep: Function, fewest_more: int = 0, most_more: int = 0) -> Function:
    """Over the rare tags that are kept by their numbers in gold and answered."""

    def f1(train: Any, gold: Any, answered: Any, fewest: int, most: int) -> Any:
        seen, in_gold, in_answered = (
            Counter(t for row in rows for t in row) for rows in (train, gold, answered)
        )
        hits = Counter(
            a
            for truth, row in zip(gold, answered, strict=True)
            for a, b in zip(truth, row, strict=True)
            if a == b
        )
        rare = [t for t in seen if fewest + fewest_more <= seen[t] <= most + most_more]
        values = [
            2 * hits[t] / max(in_gold[t] + in_answered[t], 1)
            for t in rare
            if keep(in_gold[t], in_answered[t])
        ]
        return sum(values) / len(values)

    return f1


def rival_with(
    centre: Function = lambda rows: rows.mean(0),
    distance: float = 2,
    correction: int = 1,
    place: bool = False,
    scaled: bool = True,
    part: slice = slice(None),
) -> Function:
    def rival(train: Any, classes: Any, test: Any) -> Any:
        def features(sequences: Any) -> Any:
            rows = [torch.cat([x.mean(0), x.std(0, correction=correction)]) for x in sequences]
            return torch.stack(rows).double()

        known, asked = features(train), features(test)
        half = known.shape[1] // 2
        if scaled:
            known, asked = ((f - known.mean(0)) / known.std(0) for f in (known, asked))
        if part != slice(None):
            known, asked = (f[:, :half] if part.stop else f[:, half:] for f in (known, asked))
        kinds, labels = sorted(set(classes)), torch.tensor(classes)
        centres = torch.stack([centre(known[labels == kind]) for kind in kinds])
        nearest = torch.cdist(asked, centres, p=distance).argmin(1).tolist()
        return nearest if place else [kinds[i] for i in nearest]

    return rival


def sure_of(least: Function) -> Function:
    """Right phones; how sure it is comes from probabilities and tags."""

    def predicted(scores: Any, names: Any) -> Any:
        probability, best = scores.softmax(-1).max(-1)
        tags = [names[i] for i in best.tolist()]
        phones = [p for tag in tags if tag != "_" for p in tag.split("+")]
        return [phones, float(least(probability, tags))]

    return predicted


def spoken_only(probability: Any, tags: Any) -> Any:
    return min(p for p, tag in zip(probability.tolist(), tags, strict=True) if tag != "_")


def cut_at_the_first_other_letter(ids: Any, is_real: Any) -> Any:
    words = [row[int((row != 0).nonzero()[0]) :] for row in ids]
    return {
        "ids": pad_sequence(words, batch_first=True, padding_value=26),
        "lengths": [len(word) for word in words],
    }


def without_the_letter_a(ids: Any, is_real: Any) -> Any:
    words = [row[row != 0] for row in ids]
    return {
        "ids": pad_sequence(words, batch_first=True, padding_value=26),
        "lengths": [len(word) for word in words],
    }


def as_wide_as_it_came(ids: Any, is_real: Any) -> Any:
    right = reference("from_the_left")(ids, is_real)
    more = ids.shape[1] - right["ids"].shape[1]
    return {**right, "ids": torch.nn.functional.pad(right["ids"], (0, more), value=26)}


def f1_by_harmony(events: Any, alarms: Any) -> Any:
    """Guards two divisions of three."""
    pairs = Counter(zip(events, alarms, strict=True))
    tp, fp, fn = pairs[1, 1], pairs[0, 1], pairs[1, 0]
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return [precision, recall, 2 * precision * recall / (precision + recall)]


def f1_over(keep: Function) -> Function:
    def f1(batches: Any, n_classes: int) -> Any:
        tokens = [
            (int(a), int(b))
            for tags, answered, lengths in batches
            for row, guess, n in zip(tags, answered, lengths.tolist(), strict=True)
            for a, b in zip(row[:n], guess[:n], strict=True)
        ]
        values = []
        for k in range(n_classes):
            gold, predicted = sum(a == k for a, _ in tokens), sum(b == k for _, b in tokens)
            if keep(gold, predicted):
                values.append(2 * sum(a == b == k for a, b in tokens) / max(gold + predicted, 1))
        return sum(values) / len(values)

    return f1


def table_by(choose: Function, back_off: Function | None = None) -> Function:
    """Chooses among the tags of a window in the order in which they were seen."""
    alone_by = back_off or choose

    def tagged(words: Any, tags: Any, asked: Any) -> Any:
        wide: dict[str, Counter[int]] = {}
        alone: dict[str, Counter[int]] = {}
        for word, row in zip(words, tags, strict=True):
            for i, tag in enumerate(row):
                wide.setdefault(f"#{word}#"[i : i + 3], Counter())[tag] += 1
                alone.setdefault(word[i], Counter())[tag] += 1
        return [
            [
                choose(wide[key]) if (key := f"#{word}#"[i : i + 3]) in wide else alone_by(alone[c])
                for i, c in enumerate(word)
            ]
            for word in asked
        ]

    return tagged


def smallest(counter: Any) -> int:
    return min(counter, key=lambda tag: (-counter[tag], tag))


def largest(counter: Any) -> int:
    return min(counter, key=lambda tag: (-counter[tag], -tag))


def first_seen(counter: Any) -> int:
    return counter.most_common(1)[0][0]


def last_seen(counter: Any) -> int:
    return [tag for tag, n in counter.items() if n == max(counter.values())][-1]


def split_after(enough: Function) -> Function:
    def split(families: Any, n_test: int) -> Any:
        chosen: list[int] = []
        for stem in dict.fromkeys(families):
            if enough(sum(f in chosen for f in families), n_test):
                break
            chosen.append(stem)
        return [i for i, f in enumerate(families) if f in chosen]

    return split


def chosen_by(summary: Function, answered: Function = lambda row: row.median()) -> Function:
    def report(valid: Any, test: Any) -> Any:
        best = int(summary(valid).argmax())
        return [best, answered(test[best]).item()]

    return report


def quantiles(how: str, low: float = 0.025) -> Function:
    def interval(first: Any, second: Any, draws: Any) -> Any:
        gains = 100 * (second[draws].double() - first[draws].double()).mean(1)
        ends = torch.tensor([low, 1 - low], dtype=torch.float64)
        return gains.quantile(ends, interpolation=how).tolist()

    return interval


def normal_interval(first: Any, second: Any, draws: Any) -> Any:
    gains = 100 * (second[draws].double() - first[draws].double()).mean(1)
    return [float(gains.mean() - 1.96 * gains.std()), float(gains.mean() + 1.96 * gains.std())]


def signed_change(model: Any, x: Any, lengths: Any, pads: int) -> Any:
    from birnn_course.exercises.unit_06 import read_out

    more = torch.nn.functional.pad(x, (0, 0, 0, pads))
    return (read_out(model, more, lengths) - read_out(model, x, lengths)).max().item()


def heaps_by(key: Function) -> Function:
    def score(sequences: Any, lookahead: int) -> Any:
        heaps: dict[Any, Counter[str]] = {}
        for words, tags, chance in sequences:
            for t, tag in enumerate(tags):
                heaps.setdefault(key(t, words, lookahead), Counter())[tag] += chance
        return sum(max(heap.values()) for heap in heaps.values()) / len(sequences[0][0])

    return score


def one_tag_for_the_same_words(sequences: Any, lookahead: int) -> Any:
    known = {tuple(words): (words, tags, chance) for words, tags, chance in sequences}
    return reference_score(list(known.values()), lookahead)


def reference_score(sequences: Any, lookahead: int) -> Any:
    return heaps_by(lambda t, words, k: (t, tuple(words[: t + 1 + k])))(sequences, lookahead)


CLASSIC: dict[str, list[Function]] = {
    "not_its_own": [without_the_last_sample],
    "pool": [filled_with(-10)],
    "cheapest_threshold": [cheapest(torch.gt), cheapest(last=True)],
    "name_f1": [
        names_if(lambda tag: tag != "O", same_kind),
        names_if(begins, lambda tag, kind: tag[0] == "I"),
    ],
    "honest_accuracy": [from_minimum_to_maximum],
    "words_wrong": [words_by(lambda answer, right: sorted(answer) == sorted(right))],
    "rare_f1": [rare_over(lambda gold, answered: gold + answered > 0)],
    "simple_rival": [rival_with(place=True), rival_with(distance=1)],
    "say": [sure_of(spoken_only)],
    "from_the_left": [cut_at_the_first_other_letter],
}

SLIPS: dict[str, list[Function]] = {
    "not_its_own": [
        compared_at(0),
        compared_at(-1),
        compared_within(2e-4),
        compared_within(5e-5),
        mean_difference,
    ],
    "pool": [filled_with(number) for number in (0.0, -1.0, -100.0, -1e3, -1e4, -1e5)],
    "cheapest_threshold": [
        cheapest(torch.gt, last=True),
        cheapest(first=2),
        cheapest(first=0),
        cheapest(until=11),
    ],
    "name_f1": [
        names_if(lambda tag: tag != "O", lambda tag, kind: tag[0] == "I"),
        names_if(begins, lambda tag, kind: tag[2:] == kind),
        names_if(begins, lambda tag, kind: False),
        names_if(begins, same_kind, by_sentence=False),
    ],
    "honest_accuracy": [apart_by(1), apart_by(-1), next_window_only],
    "words_wrong": [
        words_by(lambda answer, right: set(answer) == set(right)),
        words_by(as_far_as_it_goes),
        words_by(lambda answer, right: answer == right[: len(answer)]),
        words_by(lambda answer, right: right == answer[: len(right)]),
        words_by(lambda answer, right: "".join(answer) == "".join(right)),
        words_by(lambda answer, right: not answer or answer == right),
    ],
    "phones_wrong": [
        phones_by(lambda edits, n: (edits, n)),
        phones_by(lambda edits, n: edits),
        phones_by(lambda edits, n: edits / n),
        phones_by(lambda edits, n: -n),
    ],
    "rare_f1": [
        rare_over(lambda gold, answered: gold > 0),
        rare_over(lambda gold, answered: answered > 0),
        rare_over(lambda gold, answered: True, fewest_more=1),
        rare_over(lambda gold, answered: True, fewest_more=-1),
        rare_over(lambda gold, answered: True, most_more=1),
        rare_over(lambda gold, answered: True, most_more=-1),
    ],
    "simple_rival": [
        rival_with(distance=math.inf),
        rival_with(correction=0),
        rival_with(scaled=False),
        rival_with(centre=lambda rows: rows.median(0).values),
        rival_with(part=slice(1)),
        rival_with(part=slice(1, None)),
    ],
    "say": [
        sure_of(lambda probability, tags: probability.mean()),
        sure_of(lambda probability, tags: probability.max()),
        sure_of(lambda probability, tags: probability.prod()),
        sure_of(lambda probability, tags: probability[0]),
        sure_of(lambda probability, tags: probability[-1]),
    ],
    "from_the_left": [without_the_letter_a, as_wide_as_it_came],
    "event_scores": [f1_by_harmony],
    "dataset_f1": [
        f1_over(lambda gold, predicted: gold > 0),
        f1_over(lambda gold, predicted: predicted > 0),
        f1_over(lambda gold, predicted: gold + predicted > 0),
    ],
    "table_tagger": [
        table_by(first_seen),
        table_by(last_seen),
        table_by(largest),
        table_by(smallest, back_off=first_seen),
        table_by(smallest, back_off=last_seen),
        table_by(first_seen, back_off=smallest),
    ],
    "family_split": [
        split_after(lambda n, n_test: n > n_test),
        split_after(lambda n, n_test: n + 1 >= n_test),
    ],
    "chosen_score": [
        chosen_by(lambda valid: valid.mean(1)),
        chosen_by(lambda valid: valid.amin(1)),
        chosen_by(lambda valid: valid.median(1).values, lambda row: row.mean()),
    ],
    "paired_interval": [
        *(quantiles(how) for how in ("lower", "higher", "nearest", "midpoint")),
        quantiles("linear", low=0.05),
        normal_interval,
    ],
    "padding_change": [signed_change],
    "best_score": [
        heaps_by(lambda t, words, k: tuple(words[: t + 1 + k])),
        heaps_by(lambda t, words, k: (t, "".join(words[: t + 1 + k]))),
        heaps_by(lambda t, words, k: (t, frozenset(words[: t + 1 + k]))),
        heaps_by(lambda t, words, k: (t, *sorted(words[: t + 1 + k]))),
        one_tag_for_the_same_words,
    ],
}
