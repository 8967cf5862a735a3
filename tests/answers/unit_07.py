"""What test_exercises.py tries on the exercises of unit 07; see unit_01.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from birnn_course.exercises.unit_07 import _by_place, _closest, _table

Function = Callable[..., Any]


def say_by_loop(scores: Any, names: Any) -> Any:
    phones, least = [], 1.0
    for row in scores.softmax(1):
        tag = int(row.argmax())
        least = min(least, float(row[tag]))
        if names[tag] != "_":
            phones.extend(names[tag].split("+"))
    return phones, least


def say_by_joining(scores: Any, names: Any) -> Any:
    tags = [names[i] for i in scores.max(1).indices]
    text = "+".join(tag for tag in tags if tag != "_")
    winners = scores.exp().max(1).values / scores.exp().sum(1)
    return [text.split("+"), winners.min().item()]


def words_by_in(predicted: Any, listed: Any) -> Any:
    wrong = [s not in rights for s, rights in zip(predicted, listed, strict=True)]
    return sum(wrong) / len(wrong)


def words_by_text(predicted: Any, listed: Any) -> Any:
    right = 0
    for i, answer in enumerate(predicted):
        right += " ".join(answer) in {" ".join(reading) for reading in listed[i]}
    return 1 - right / len(predicted)


def distance(a: Any, b: Any) -> int:
    @cache
    def left(i: int, j: int) -> int:
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        return min(left(i + 1, j + 1) + (a[i] != b[j]), left(i + 1, j) + 1, left(i, j + 1) + 1)

    return left(0, 0)


def phones_by_recursion(predicted: Any, listed: Any) -> Any:
    above = below = 0
    for answer, rights in zip(predicted, listed, strict=True):
        edits = [distance(answer, right) for right in rights]
        above += min(edits)
        below += max(len(r) for r, e in zip(rights, edits, strict=True) if e == min(edits))
    return above / below


def phones_by_sorting(predicted: Any, listed: Any) -> Any:
    chosen = [
        sorted((distance(s, r), -len(r)) for r in rights)[0]
        for s, rights in zip(predicted, listed, strict=True)
    ]
    return -sum(e for e, _ in chosen) / sum(n for _, n in chosen)


def table_by_counting(words: Any, tags: Any, asked: Any) -> Any:
    wide: Any = {}
    alone: Any = {}
    for word, row in zip(words, tags, strict=True):
        padded = f"#{word}#"
        for i, tag in enumerate(row):
            for counts, key in ((wide, padded[i : i + 3]), (alone, word[i])):
                counts.setdefault(key, []).append(tag)

    def top(seen: Any) -> int:
        return max(sorted(set(seen)), key=seen.count)

    return [
        [top(wide.get(f"#{word}#"[i : i + 3]) or alone[c]) for i, c in enumerate(word)]
        for word in asked
    ]


def table_by_looking(words: Any, tags: Any, asked: Any) -> Any:
    """Searches all training letters anew for every letter that is asked."""
    known = [
        ("#" if i == 0 else word[i - 1], word[i], (word + "#")[i + 1], tag)
        for word, row in zip(words, tags, strict=True)
        for i, tag in enumerate(row)
    ]
    answers = []
    for word in asked:
        row = []
        for i, c in enumerate(word):
            a, b = "#" if i == 0 else word[i - 1], (word + "#")[i + 1]
            hits = [t for left, mid, right, t in known if (left, mid, right) == (a, c, b)]
            hits = hits or [t for _, mid, _, t in known if mid == c]
            count = Counter(hits)
            row.append(min(t for t in count if count[t] == max(count.values())))
        answers.append(row)
    return answers


def split_by_growing(families: Any, n_test: Any) -> Any:
    test: list[int] = []
    for i, stem in enumerate(families):
        if len(test) >= n_test:
            break
        if i not in test:
            test += [k for k, other in enumerate(families) if other == stem]
    return sorted(test)


def split_by_counting(families: Any, n_test: Any) -> Any:
    count, total, chosen = Counter(families), 0, []
    for stem in dict.fromkeys(families):
        if total < n_test:
            chosen.append(stem)
            total += count[stem]
    return [i for i, stem in enumerate(families) if stem in chosen]


def rare_by_counting(train: Any, gold: Any, predicted: Any, fewest: int, most: int) -> Any:
    seen = Counter(tag for row in train for tag in row)
    pairs = [
        pair
        for truth, answer in zip(gold, predicted, strict=True)
        for pair in zip(truth, answer, strict=True)
    ]
    values = []
    for tag in [tag for tag in seen if fewest <= seen[tag] <= most]:
        hits = pairs.count((tag, tag))
        both = sum(a == tag for a, _ in pairs) + sum(b == tag for _, b in pairs)
        values.append(2 * hits / both if both else 0.0)
    return sum(values) / len(values)


def rare_by_sklearn(train: Any, gold: Any, predicted: Any, fewest: int, most: int) -> Any:
    from sklearn.metrics import f1_score

    flat, truth, answers = (
        [tag for row in rows for tag in row] for rows in (train, gold, predicted)
    )
    labels = [tag for tag in set(flat) if fewest <= flat.count(tag) <= most]
    scores = f1_score(truth, answers, labels=labels, average="macro", zero_division=0)
    return float(scores)


SOLUTIONS: dict[str, tuple[Function, Function]] = {
    "say": (say_by_loop, say_by_joining),
    "words_wrong": (words_by_in, words_by_text),
    "phones_wrong": (phones_by_recursion, phones_by_sorting),
    "table_tagger": (table_by_counting, table_by_looking),
    "family_split": (split_by_growing, split_by_counting),
    "rare_f1": (rare_by_counting, rare_by_sklearn),
}


def spoken_as_it_is(scores: Any, names: Any) -> Any:
    """Speaks silence, and does not take joined tags apart."""
    probability, best = scores.softmax(-1).max(-1)
    return [[names[tag] for tag in best.tolist()], float(probability.min())]


def by_place_and_predicted(predicted: Any, listed: Any) -> Any:
    """Place by place, and divided by what was predicted."""
    pairs = [(s, _closest(s, rights)) for s, rights in zip(predicted, listed, strict=True)]
    return sum(_by_place(s, r) for s, r in pairs) / sum(len(s) for s, _ in pairs)


def wide_without_back_off(words: Any, tags: Any, asked: Any) -> Any:
    padded: Any = lambda word, i: f"##{word}##"[i : i + 5]  # noqa: E731
    return _table(words, tags, asked, window=padded, back_off=False)


TWO_AT_ONCE: dict[str, list[Function]] = {
    "say": [spoken_as_it_is],
    "phones_wrong": [by_place_and_predicted],
    "table_tagger": [wide_without_back_off],
}
