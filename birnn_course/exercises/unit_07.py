"""The exercises of unit 07, spelling to sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from birnn_course.data.alignment import spoken
from birnn_course.exercises.cases import random_int, until
from birnn_course.exercises.spec import Arguments, Exercise, Mistake
from birnn_course.metrics import Scores, confusion_matrix
from birnn_course.word_errors import edit_distance, phone_error_rate, word_error_rate

Phones = list[str]
Listed = list[list[Phones]]
"""All pronunciations of each word; one word has at least one."""
Tags = list[list[int]]
"""The tag of each letter of each word."""


def _pick(options: Sequence[str], n: int, generator: Generator) -> list[str]:
    return [options[random_int(0, len(options) - 1, generator)] for _ in range(n)]


# ── 1 · say ─────────────────────────────────────────────────────────────────────────────────────

SOUNDS = ["_", "AE", "B", "K+S", "IY", "L", "Y+UW", "T"]


def say(scores: Tensor, names: list[str]) -> list[object]:
    """Phones by the aligner's own rule, and the least of the winners' probabilities."""
    probability, best = scores.softmax(-1).max(-1)
    return [list(spoken(names[tag] for tag in best.tolist())), float(probability.min())]


def _say_with(decode: Callable[[list[str]], Phones]) -> Callable[[Tensor, list[str]], list[object]]:
    def wrong(scores: Tensor, names: list[str]) -> list[object]:
        probability, best = scores.softmax(-1).max(-1)
        return [decode([names[tag] for tag in best.tolist()]), float(probability.min())]

    return wrong


def _merged(tags: list[str]) -> Phones:
    kept = [tag for i, tag in enumerate(tags) if i == 0 or tag != tags[i - 1]]
    return list(spoken(kept))


def _say_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    # the letter that the model is least sure of
    weakest = ("silent", "first", "joined", "silent at the end", "last")
    start = random_int(0, 7, generator)
    cases: list[Arguments] = []
    for i, weak in enumerate(weakest):
        n_tags = random_int(6, 8, generator) if hidden else (8, 6, 7, 8, 7)[i]
        order = 1 + torch.randperm(n_tags - 1, generator=generator)
        names = [SOUNDS[k] for k in order.tolist()]
        names.insert((start + i) % n_tags, "_")  # which number it has says nothing
        # each word has a silent letter, a joined tag and two equal neighbours
        extra = [[sound] for sound in _pick(names, random_int(2, 5, generator), generator)]
        parts = [["B", "B"], ["K+S"], ["_"], *extra]
        shuffled = [parts[k] for k in torch.randperm(len(parts), generator=generator).tolist()]
        sounds = [sound for part in shuffled for sound in part]
        if weak == "silent at the end":
            sounds.append("_")
        place = {"silent": sounds.index("_"), "first": 0, "joined": sounds.index("K+S")}.get(
            weak, len(sounds) - 1
        )
        # All letters have the same other scores, in different orders.
        scores = torch.randn(n_tags, generator=generator).repeat(len(sounds), 1)
        for t, sound in enumerate(sounds):
            scores[t] = scores[t, torch.randperm(n_tags, generator=generator)]
            sure = 0.5 if t == place else 1 + 2 * float(torch.rand((), generator=generator))
            best, chosen = int(scores[t].argmax()), names.index(sound)
            largest, other = float(scores[t, best]), float(scores[t, chosen])
            scores[t, best] = other
            scores[t, chosen] = largest + sure
        cases.append((scores, names))
    return cases


SAY = Exercise(
    name="say",
    unit="07",
    points=2,
    title="From scores to phones",
    cases=_say_cases,
    reference=say,
    mistakes=(
        Mistake(
            "silence-is-a-sound",
            "the tag for silence is spoken like any other",
            _say_with(lambda tags: [phone for tag in tags for phone in tag.split("+")]),
        ),
        Mistake(
            "one-letter-one-sound",
            "a joined tag is taken for one phone",
            _say_with(lambda tags: [tag for tag in tags if tag != "_"]),
        ),
        Mistake(
            "repeats-are-merged",
            "equal neighbours are merged, as in CTC; here each tag belongs to a letter of its own",
            _say_with(_merged),
        ),
    ),
    levels={
        "type": "Return a list of two things: the list of phones, and a float.",
        "shape": "The number of phones is another one. Print the tags first. Which of them make no "
        "phone, and which make two?",
        "direction": "The right phones in another order. Letters are read from left to right.",
        "value": "Print the tags of the first case, with their probabilities. The second thing is "
        "the smallest of them.",
    },
    hints=(
        "`tags` is there, one for each letter. What does `_` mean, and what does `K+S` mean?",
        "Go through the tags; leave out those that are `_`, and take the others apart with "
        '`tag.split("+")`.',
        'Make `phones = [phone for tag in tags if tag != "_" for phone in tag.split("+")]`. Then '
        "return `[phones, probability.min().item()]`.",
    ),
)


# ── 2 · words_wrong ─────────────────────────────────────────────────────────────────────────────

_ERROR_RATES = (
    "birnn_course.word_errors.word_error_rate",
    "birnn_course.word_errors.phone_error_rate",
)
PHONES = ["AA", "B", "K", "EH", "S", "T", "IY", "N"]


def words_wrong(said: list[Phones], listed: Listed) -> float:
    """The course's own."""
    return word_error_rate(said, listed)


def _share(wrong: Callable[[Phones, list[Phones]], bool]) -> Callable[..., float]:
    def rate(predicted: list[Phones], listed: Listed) -> float:
        verdicts = [wrong(s, rights) for s, rights in zip(predicted, listed, strict=True)]
        return sum(verdicts) / len(verdicts)

    return rate


def _spoil(reading: Phones, kind: str, generator: Generator) -> Phones:
    """A copy with one phone exchanged, left out, put in, or two put at the end."""
    at = random_int(0, len(reading) - 1, generator)
    if kind == "exchange":
        return [*reading[:at], "ZH", *reading[at + 1 :]]
    if kind == "leave out":
        return reading[1:] if len(reading) > 1 else ["ZH"]
    if kind == "put in":
        return ["ZH", *reading]
    if kind == "babble":
        return [*reading, *["ZH"] * (len(reading) + 2)]
    return list(reading)


def _readings(generator: Generator, n: int) -> list[Phones]:
    """One to three pronunciations of one word, which differ."""
    first = _pick(PHONES, random_int(1, 6, generator), generator)
    second, third = [*first[:-1], "UW"], ["OY", *first]
    return [first, second, third][:n]


def _word_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(6 if hidden else 5):
        listed = [_readings(generator, 1 + k % 3) for k in range(random_int(7, 12, generator))]
        predicted: list[Phones] = []
        exact = {1: 1, 2: 0, 4: 1, 5: 2}  # the second listed twice, the last listed once
        for k, rights in enumerate(listed):
            if k in exact:
                predicted.append(list(rights[exact[k]]))
                continue
            kinds = ("exchange", "leave out", "put in", "as listed")
            kind = kinds[(i + k) % 2 if k in (0, 3) else random_int(0, 3, generator)]
            predicted.append(_spoil(rights[0], kind, generator))
        for answer, right in _near_misses(generator):
            predicted.append(answer)
            listed.append([right])
        if i % 2:  # a word that is right whichever way one looks at it
            predicted.append(["B", "IY"])
            listed.append([["B", "IY"]])
        cases.append((predicted, listed))
    return cases


def _near_misses(generator: Generator) -> list[tuple[Phones, Phones]]:
    """What was said and what is right: wrong, and equal for who compares carelessly."""
    right = until(lambda phones: phones != phones[::-1], lambda: _pick(PHONES, 4, generator))
    return [
        (right[::-1], right),  # the same phones in another order
        ([*right, right[-1]], right),  # the same phones, one of them twice
        (right[:-1], right),  # right as far as it goes
        ([*right, "ZH"], right),  # goes on after the end
        ([], right),
        ([*right, "N", "G"], [*right, "NG"]),  # the same letters
    ]


WORDS_WRONG = Exercise(
    name="words_wrong",
    unit="07",
    points=2,
    by_hand=_ERROR_RATES,
    title="Word error rate with several pronunciations",
    cases=_word_cases,
    reference=words_wrong,
    mistakes=(
        Mistake(
            "first-pronunciation-only",
            "only the first listed pronunciation counts as right",
            _share(lambda predicted, rights: predicted != rights[0]),
        ),
        Mistake(
            "token-accuracy-is-word-accuracy",
            "phones are counted instead of words: a word that is nearly right counts as nearly "
            "right",
            lambda predicted, listed: phone_error_rate(predicted, listed),
        ),
        Mistake(
            "first-pronunciation-only",
            "a word has to equal every listed pronunciation, so that none with two can be right",
            _share(lambda predicted, rights: any(predicted != right for right in rights)),
        ),
    ),
    levels={
        "type": "Return a number.",
        "value": "Count by hand in the first case: for each word, is what was said among the "
        "listed pronunciations?",
    },
    hints=(
        "A word is right if what was said equals any of its listed pronunciations.",
        "`zip(said, listed)` gives what was said for a word, and a list of lists. `in` compares a "
        "list with each of them.",
        "Sum `s not in rights` over `zip(said, listed)`, and divide by `len(said)`.",
    ),
)


# ── 3 · phones_wrong ────────────────────────────────────────────────────────────────────────────


def phones_wrong(said: list[Phones], listed: Listed) -> float:
    """The course's own."""
    return phone_error_rate(said, listed)


def _closest(predicted: Phones, rights: list[Phones]) -> Phones:
    """Of equally close ones the longest."""
    return min(rights, key=lambda right: (edit_distance(predicted, right), -len(right)))


def _by_place(predicted: Phones, right: Phones) -> int:
    differing = sum(a != b for a, b in zip(predicted, right, strict=False))
    return differing + abs(len(predicted) - len(right))


def _rate(
    rule: Callable[[list[tuple[int, Phones, Phones]]], float],
    choose: Callable[[Phones, list[Phones]], Phones] = _closest,
) -> Callable[[list[Phones], Listed], float]:
    """A rate from the edits, what was said, and the listed pronunciation of each word."""

    def rate(predicted: list[Phones], listed: Listed) -> float:
        pairs = [(s, choose(s, rights)) for s, rights in zip(predicted, listed, strict=True)]
        return rule([(edit_distance(s, right), s, right) for s, right in pairs])

    return rate


def _phone_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    kinds = ("exchange", "leave out", "put in", "babble", "as listed")
    cases: list[Arguments] = []
    for i in range(6 if hidden else 5):
        listed = [_readings(generator, 1 + k % 2) for k in range(random_int(6, 9, generator))]
        predicted: list[Phones] = []
        for k, rights in enumerate(listed):
            kind = kinds[k] if k < 5 else kinds[random_int(0, 4, generator)]
            predicted.append(_spoil(rights[-1], kind, generator))
        # two listed ones are equally close, and the longer one counts, wherever it stands
        first = _pick(PHONES, random_int(2, 6, generator), generator)
        listed += [[first, ["OY", *first]], [["OY", *first], first]]
        predicted += [["ZH", *first], ["ZH", *first]]
        # the closest has the fewest edits, though fewer per phone lead to the other
        listed.append([["UW"], ["UW", "OY", *first]])
        predicted.append(["UW", "OY"])
        for answer, right in _near_misses(generator):
            listed.append([right])
            predicted.append(answer)
        if i % 2:  # a rate above 1
            phones = sum(max(map(len, rights)) for rights in listed)
            listed.append([["UW"]])
            predicted.append(["ZH"] * (phones + 3))
        cases.append((predicted, listed))
    return cases


PHONES_WRONG = Exercise(
    name="phones_wrong",
    unit="07",
    points=3,
    by_hand=_ERROR_RATES,
    title="Phone error rate",
    cases=_phone_cases,
    reference=phones_wrong,
    mistakes=(
        Mistake(
            "edits-per-predicted-phone",
            "the division is by the number of phones that were said; each one too many would "
            "enlarge the divisor as well",
            _rate(lambda rows: sum(e for e, _, _ in rows) / sum(len(s) for _, s, _ in rows)),
        ),
        Mistake(
            "mean-of-word-rates",
            "a rate is computed for each word and then averaged; here every phone counts the same",
            _rate(lambda rows: sum(e / len(r) for e, _, r in rows) / len(rows)),
        ),
        Mistake(
            "first-pronunciation-only",
            "what was said is compared with the first listed pronunciation, and not with the "
            "closest one",
            _rate(
                lambda rows: sum(e for e, _, _ in rows) / sum(len(r) for _, _, r in rows),
                choose=lambda predicted, rights: rights[0],
            ),
        ),
        Mistake(
            "positions-not-edits",
            "pronunciations are compared place by place; one phone left out shifts all that follow",
            _rate(lambda rows: sum(_by_place(s, r) for _, s, r in rows) / _listed_phones(rows)),
        ),
        Mistake(
            "edit-rate-below-one",
            "no word is allowed more edits than it has phones; insertions can be more",
            _rate(lambda rows: sum(min(e, len(r)) for e, _, r in rows) / _listed_phones(rows)),
        ),
    ),
    levels={
        "type": "Return a number.",
        "value": "Take the first case by hand: the edits of each word to its closest listed "
        "pronunciation, added up, and below it the phones of just those pronunciations.",
    },
    hints=(
        "There are two sums and one division. What is summed above, and what below?",
        "For each word, find the listed pronunciation with the fewest edits, and add its edits to "
        "one sum and its length to the other.",
        "`edits, minus_length = min((edit_distance(s, r), -len(r)) for r in rights)` gives both at "
        "once, and takes the longer of two that are equally close.",
    ),
)


def _listed_phones(rows: list[tuple[int, Phones, Phones]]) -> int:
    return sum(len(right) for _, _, right in rows)


# ── 4 · table_tagger ────────────────────────────────────────────────────────────────────────────


def table_tagger(words: list[str], tags: Tags, asked: list[str]) -> Tags:
    """The most frequent tag of letter and neighbours, or of the letter."""
    return _table(words, tags, asked)


def _window(word: str, i: int, left: int = 1, right: int = 1) -> str:
    return ("#" * left + word + "#" * right)[i : i + left + right + 1]


def _table(
    words: list[str],
    tags: Tags,
    asked: list[str],
    *,
    window: Callable[[str, int], str] = _window,
    back_off: bool = True,
) -> Tags:
    def best(key: Callable[[str, int], str]) -> dict[str, int]:
        counts: dict[str, Counter[int]] = {}
        for word, row in zip(words, tags, strict=True):
            for i, tag in enumerate(row):
                counts.setdefault(key(word, i), Counter())[tag] += 1
        # the smallest of equally frequent tags
        return {seen: min(c, key=lambda tag: (-c[tag], tag)) for seen, c in counts.items()}

    wide, letter = best(window), best(lambda word, i: word[i])
    overall = Counter(tag for row in tags for tag in row)
    frequent = min(overall, key=lambda tag: (-overall[tag], tag))
    return [
        [
            wide.get(window(word, i), letter[word[i]] if back_off else frequent)
            for i in range(len(word))
        ]
        for word in asked
    ]


def _wrapping(word: str, i: int) -> str:
    return word[i - 1] + word[i] + (word[i + 1] if i + 1 < len(word) else "#")


def _drawn_tags(
    word: str, letters: str, rule: Tensor, favourite: Tensor, generator: Generator
) -> list[int]:
    padded = [len(letters), *map(letters.index, word), len(letters)]
    return [
        0
        if random_int(0, 3, generator) == 0
        else int(favourite[b])
        if random_int(0, 2, generator) == 0
        else int(rule[a, b, c])
        for a, b, c in zip(padded, padded[1:], padded[2:], strict=False)
    ]


def _table_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for _ in range(5 if hidden else 4):
        n_letters, n_tags = random_int(4, 5, generator), random_int(5, 7, generator)
        letters = "aeilmnoprst"[:n_letters]
        # the sound of a letter hangs on its neighbours, the edges of the word included
        rule = torch.randint(1, n_tags, (n_letters + 1,) * 3, generator=generator)
        favourite = torch.randint(1, n_tags, (n_letters + 1,), generator=generator)

        def word_of(n: int, letters: str = letters, generator: Generator = generator) -> str:
            return "".join(_pick(letters, n, generator))

        words = [
            letters,
            *(word_of(random_int(2, 6, generator)) for _ in range(random_int(28, 34, generator))),
            letters[0],
        ]
        asked = [word_of(random_int(2, 7, generator)) for _ in range(random_int(14, 18, generator))]
        tags = [_drawn_tags(word, letters, rule, favourite, generator) for word in words]
        # Equally frequent tags, of letters with neighbours and of letters alone: the smaller comes
        # last, and first. The letters occur nowhere else.
        for tied, turn in (("bdg", 1), ("fhk", -1)):
            low, high = torch.randperm(n_tags, generator=generator)[:2].sort().values.tolist()
            for tag in (high, low)[::turn]:
                words.append(tied)
                tags.append([tag] * 3)
            asked += [tied, tied[::-1]]
        cases.append((words, tags, [*asked, letters[0], letters[1]]))
    return cases


TABLE_TAGGER = Exercise(
    name="table_tagger",
    unit="07",
    points=3,
    title="A table of letters with neighbours",
    cases=_table_cases,
    reference=table_tagger,
    mistakes=(
        Mistake(
            "no-back-off",
            "a window that was never seen gets the most frequent tag of all letters",
            lambda words, tags, asked: _table(words, tags, asked, back_off=False),
        ),
        Mistake(
            "negative-index-wraps",
            "the first letter's left neighbour is the word's last letter: `word[i - 1]` at i = 0",
            lambda words, tags, asked: _table(words, tags, asked, window=_wrapping),
        ),
        Mistake(
            "wider-window-is-better",
            "the window has two neighbours on each side; it is seen too rarely",
            lambda words, tags, asked: _table(
                words, tags, asked, window=lambda word, i: _window(word, i, 2, 2)
            ),
        ),
    ),
    levels={
        "type": "Return a list of lists of ints: one tag for each letter of each asked word.",
        "shape": "Return one list for each asked word, with one tag for each of its letters.",
        "direction": "The right tags at other places. Keep the order of words and letters.",
        "value": "Find the first letter of the first case that differs. Was its window seen in "
        "`words`? Does the word begin or end there?",
    },
    hints=(
        "Two tables are needed: the one with the letter alone, and one with neighbours.",
        '`("#" + word + "#")[i : i + 3]` is the letter at i with its neighbours, at the edges too.',
        "Build `wide` as `by_letter` is built, with this key, and answer "
        "`wide.get(key, by_letter[word[i]])`.",
    ),
)


# ── 5 · family_split ────────────────────────────────────────────────────────────────────────────


def family_split(families: list[int], n_test: int) -> list[int]:
    """Whole families in the order in which they appear, until there are enough words."""
    chosen: set[int] = set()
    for stem in families:
        if sum(other in chosen for other in families) >= n_test:
            break
        chosen.add(stem)
    return [i for i, stem in enumerate(families) if stem in chosen]


def _exactly(families: list[int], n_test: int) -> list[int]:
    """Cuts the last family."""
    order = {stem: k for k, stem in enumerate(dict.fromkeys(families))}
    by_family = sorted(range(len(families)), key=lambda i: order[families[i]])
    return sorted(by_family[:n_test])


def _not_related(families: list[int], n_test: int) -> list[int]:
    """The first words, without those that have a relative further on."""
    rest = set(families[n_test:])
    return [i for i in range(n_test) if families[i] not in rest]


def _split_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(6 if hidden else 5):

        def draw(i: int = i) -> Arguments:
            n_more = random_int(5, 9, generator)
            sizes = [3, 1, 4, 2, *(random_int(1, 4, generator) for _ in range(n_more))]
            names = torch.randperm(90, generator=generator)[: len(sizes)].tolist()
            words = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
            order = torch.randperm(len(words), generator=generator).tolist()
            families = [words[k] for k in order]
            before, together = _around_a_family(families)
            # a number that cuts a family near its end, none, or one after its first word
            return families, (together - 1, together, before + 1)[i % 3]

        cases.append(until(_comes_again, draw))
    return cases


def _comes_again(case: Arguments) -> bool:
    """Whether a family comes again before the last one is taken, and words are left over."""
    families, n_test = case
    chosen = [families[i] for i in family_split(families, n_test)]
    before = families[: max(families.index(stem) for stem in set(chosen))] if n_test > 1 else []
    return len(set(before)) < len(before) and n_test < len(families) - 4


def _around_a_family(families: list[int]) -> tuple[int, int]:
    """How many words the first families have, without and with one of several words."""
    count, taken = Counter(families), 0
    for stem in dict.fromkeys(families):
        taken += count[stem]
        if taken >= 5 and count[stem] > 1:
            return taken - count[stem], taken
    return 0, 0


FAMILY_SPLIT = Exercise(
    name="family_split",
    unit="07",
    points=3,
    title="A split that keeps families together",
    cases=_split_cases,
    reference=family_split,
    mistakes=(
        Mistake(
            "random-split-is-fair",
            "the first words are taken one by one; their relatives stay in training",
            lambda families, n_test: list(range(n_test)),
        ),
        Mistake(
            "random-split-is-fair",
            "the test set is cut to exactly the number asked for, in the middle of a family",
            _exactly,
        ),
        Mistake(
            "random-split-is-fair",
            "test words with a relative in training are thrown away; whole families are to be "
            "moved over",
            _not_related,
        ),
    ),
    levels={
        "type": "Return a list of ints: positions in `families`.",
        "shape": "Another number of test words is right. Whole families are taken until there are "
        "at least `n_test` words, and not one family more.",
        "direction": "The right positions in another order: let them rise.",
        "value": "Look at the first case. Which family comes first? All of its words are test "
        "words, wherever they stand.",
    },
    hints=(
        "Decide about families, not about words. In which order do they come?",
        "Collect families in a set, in the order of their first word, and stop as soon as the "
        "words of the collected ones are at least `n_test`.",
        "`sum(f in chosen for f in families)` counts the words so far. In the end return the "
        "positions i with `families[i] in chosen`.",
    ),
)


# ── 6 · rare_f1 ─────────────────────────────────────────────────────────────────────────────────


def rare_f1(train: Tags, gold: Tags, told: Tags, fewest: int, most: int) -> float:
    """From the course's confusion matrix, over the tags that training words have so often."""
    seen = _counts(train)
    return _macro(gold, told, [tag for tag in seen if fewest <= seen[tag] <= most])


def _counts(rows: Tags) -> Counter[int]:
    return Counter(tag for row in rows for tag in row)


def _scores(gold: Tags, predicted: Tags) -> Scores:
    truth, tags = (torch.tensor([tag for row in rows for tag in row]) for rows in (gold, predicted))
    return Scores(confusion_matrix(truth, tags, int(max(truth.max(), tags.max())) + 20))


def _macro(gold: Tags, predicted: Tags, which: Sequence[int]) -> float:
    return float(_scores(gold, predicted).f1.nan_to_num(0)[list(which)].mean())


def _by_test(train: Tags, gold: Tags, predicted: Tags, fewest: int, most: int) -> float:
    seen = _counts(gold)
    return _macro(gold, predicted, [tag for tag in seen if fewest <= seen[tag] <= most])


def _micro(train: Tags, gold: Tags, predicted: Tags, fewest: int, most: int) -> float:
    seen = _counts(train)
    which = [tag for tag in seen if fewest <= seen[tag] <= most]
    scores = _scores(gold, predicted)
    hits = scores.matrix.diagonal()[which].sum()
    return float(2 * hits / (scores.support[which].sum() + scores.predicted[which].sum()))


def _rare_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    """Words of a made-up language: its tags are numbers, and its letters do not matter."""
    cases: list[Arguments] = []
    for _ in range(6 if hidden else 5):
        fewest, most = random_int(3, 5, generator), random_int(9, 14, generator)
        # frequent, rare, just rare enough, too rare, and a little too frequent
        times = [random_int(60, 90, generator), random_int(30, 50, generator)]
        times += [random_int(fewest, most, generator) for _ in range(3)] + [1, fewest - 1, 2]
        times += [fewest, most, most + 1, fewest + 1, most - 1]
        n_tags = random_int(len(times), 18, generator)
        names = torch.randperm(n_tags, generator=generator)[: len(times)].tolist()
        train = _words_of(
            [t for t, n in zip(names, times, strict=True) for _ in range(n)], generator
        )
        # In the test words other tags are rare; of the last two, which are rare in training, one is
        # nowhere and one is told only.
        counts = [random_int(5, 9, generator), 40, 4, 20, 10, 1, 2, 3, 5, 6, 7, 0, 0]
        gold = _words_of(
            [t for t, n in zip(names, counts, strict=True) for _ in range(n)], generator
        )
        predicted = [
            [
                tag if random_int(0, 9, generator) < 7 else names[random_int(0, 4, generator)]
                for tag in row
            ]
            for row in gold
        ]
        predicted[0][0] = predicted[-1][0] = names[-1]
        cases.append((train, gold, predicted, fewest, most))
    return cases


def _words_of(tags: list[int], generator: Generator) -> Tags:
    """The tags shuffled and cut into words."""
    left = [tags[i] for i in torch.randperm(len(tags), generator=generator).tolist()]
    words: Tags = []
    while left:
        n = random_int(2, 7, generator)
        words.append(left[:n])
        left = left[n:]
    return words


RARE_F1 = Exercise(
    name="rare_f1",
    unit="07",
    points=3,
    title="Macro-F1 over the rare sounds of another language",
    cases=_rare_cases,
    reference=rare_f1,
    mistakes=(
        Mistake(
            "macro-over-every-tag",
            "every tag of the training words is in the list, however often it occurs",
            lambda train, gold, predicted, fewest, most: _macro(gold, predicted, [*_counts(train)]),
        ),
        Mistake(
            "macro-over-every-tag",
            "the list is chosen by counts in the test words; they decide nothing",
            _by_test,
        ),
        Mistake(
            "micro-f1-tells-more",
            "the counts of the rare tags are added up before the F1 is taken; the more frequent "
            "among them speak loudest then",
            _micro,
        ),
    ),
    levels={
        "type": "Return a number.",
        "value": "Print the list of rare tags in the first case, with their counts in `train`. "
        "Then the F1 of each: twice its hits, divided by how often it occurs plus how often it is "
        "told.",
    },
    hints=(
        "First the list: which tags occur how often in `train`? Then one F1 for each.",
        "`Counter(tag for row in train for tag in row)` counts. For a tag you need three numbers "
        "over all letters: hits, occurrences in `gold`, occurrences in `told`.",
        "The F1 of a tag is `2 * hits / (in_gold + in_told)`, or 0 if both are 0; return the mean "
        "over the tags whose training count is from `fewest` to `most`.",
    ),
)


EXERCISES = (SAY, WORDS_WRONG, PHONES_WRONG, TABLE_TAGGER, FAMILY_SPLIT, RARE_F1)
