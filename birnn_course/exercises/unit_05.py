"""The exercises of unit 05, metrics that tell the truth."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor

from birnn_course.exercises.cases import random_int, until
from birnn_course.exercises.spec import Arguments, Exercise, Mistake
from birnn_course.metrics import Scores, confusion_matrix
from birnn_course.models import sequence_mask

Labels = list[int]
TokenBatch = tuple[Tensor, Tensor, Tensor]
"""Tags and predictions, both ``(batch, seq_len)``, and lengths ``(batch,)``."""
Sentences = list[list[str]]


def _lengths(batch: int, seq_len: int, generator: Generator) -> Tensor:
    """Random lengths; the first sequence fills its row and the second is short."""
    lengths = torch.randint(2, seq_len, (batch,), generator=generator)
    lengths[0], lengths[1] = seq_len, random_int(1, 2, generator)
    return lengths


# ── 1 · token_accuracy ──────────────────────────────────────────────────────────────────────────


def token_accuracy(scores: Tensor, tags: Tensor, lengths: Tensor) -> float:
    """From the course's own counts."""
    real = sequence_mask(lengths, tags.shape[1])
    return Scores(confusion_matrix(tags, scores.argmax(-1), scores.shape[-1], mask=real)).accuracy


def _accuracy_by(
    share: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Callable[[Tensor, Tensor, Tensor], float]:
    """An accuracy made of right or wrong, tags, and which places are real."""

    def accuracy(scores: Tensor, tags: Tensor, lengths: Tensor) -> float:
        hits = (scores.argmax(-1) == tags).double()
        return float(share(hits, tags, sequence_mask(lengths, tags.shape[1])))

    return accuracy


def _accuracy_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    sizes = [(2, 7, 3), (3, 5, 2), (4, 9, 4), (2, 10, 5)]  # batch, steps, classes
    if hidden:
        sizes = [
            (random_int(2, 5, generator), random_int(6, 12, generator), random_int(2, 5, generator))
            for _ in range(5)
        ]
        sizes[0] = (2, random_int(6, 12, generator), 5)  # more classes than sentences
    cases: list[Arguments] = []
    for batch, seq_len, n_classes in sizes:
        lengths = _lengths(batch, seq_len, generator)
        tags = torch.randint(n_classes, (batch, seq_len), generator=generator)
        tags[:, 0] = 1  # so that some token is not of class 0
        tags = tags * sequence_mask(lengths, seq_len)
        scores = torch.randn(batch, seq_len, n_classes, generator=generator)
        scores[..., 0] += 0.6 * (~sequence_mask(lengths, seq_len))  # pads are easy
        cases.append((scores, tags, lengths))
    return cases


TOKEN_ACCURACY = Exercise(
    name="token_accuracy",
    unit="05",
    points=2,
    title="Accuracy over tokens, without the pads",
    cases=_accuracy_cases,
    reference=token_accuracy,
    mistakes=(
        Mistake(
            "pads-in-accuracy",
            "the pads are counted as well, as if they were tokens of class 0",
            _accuracy_by(lambda hits, tags, real: hits.mean()),
        ),
        Mistake(
            "masked-mean",
            "hits at pads are taken out of the sum, and the division is still by all places",
            _accuracy_by(lambda hits, tags, real: (hits * real).mean()),
        ),
        Mistake(
            "ignore-index-zero",
            "every place with tag 0 is left out; 0 is a tag of real tokens too",
            _accuracy_by(lambda hits, tags, real: hits[tags != 0].mean()),
        ),
        Mistake(
            "token-mean-is-sequence-mean",
            "an accuracy is computed for each sentence and then averaged; here every token counts "
            "the same",
            _accuracy_by(lambda hits, tags, real: ((hits * real).sum(1) / real.sum(1)).mean()),
        ),
    ),
    levels={
        "type": "Return a number, as `.item()` gives it.",
        "value": "This is not the share of right tokens. Count by hand in the first case: how many "
        "real tokens are there, and how many of them are right?",
    },
    hints=(
        "`hits` is there. Which of its entries belong to tokens?",
        "Sentence `i` has tokens at the steps below `lengths[i]`. Compare `torch.arange(seq_len)` "
        "with `lengths.unsqueeze(1)`: that is a table of the shape of `tags`.",
        "With `real = torch.arange(tags.shape[1]) < lengths.unsqueeze(1)`, the answer is the mean "
        "of `hits[real]`, as a float.",
    ),
)


# ── 2 · event_scores ────────────────────────────────────────────────────────────────────────────


def event_scores(events: Labels, alarms: Labels) -> list[float]:
    """Of class 1, with 0 for 0/0: scikit-learn's, without the two seconds of its import."""
    return _scores_from(lambda tp, fp, fn, tn: _three(tp, fp, fn))(events, alarms)


def _three(tp: int, fp: int, fn: int, nothing: float = 0.0) -> list[float]:
    """Precision, recall and F1, with ``nothing`` for 0/0."""
    precision = tp / (tp + fp) if tp + fp else nothing
    recall = tp / (tp + fn) if tp + fn else nothing
    total = precision + recall
    return [precision, recall, 2 * precision * recall / total if total else 0.0]


def _scores_from(
    rule: Callable[[int, int, int, int], list[float]],
) -> Callable[[Labels, Labels], list[float]]:
    """Scores from TP, FP, FN and TN."""

    def scores(events: Labels, alarms: Labels) -> list[float]:
        pairs = list(zip(events, alarms, strict=True))
        return rule(*(pairs.count(pair) for pair in ((1, 1), (0, 1), (1, 0), (0, 0))))

    return scores


def _event_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    by_hand: Arguments = ([1] * 60 + [0] * 40, [1] * 50 + [0] * 10 + [1] * 5 + [0] * 35)
    cases: list[Arguments] = [] if hidden else [by_hand]
    for kind in ("usual", "usual", "silent", "silent", "no event", "nothing"):
        n = random_int(14, 40, generator)
        events = (torch.rand(n, generator=generator) < 0.3).long()
        flipped = torch.rand(n, generator=generator) < torch.where(events == 1, 0.35, 0.2)
        alarms = torch.where(flipped, 1 - events, events)
        # Each of the four counts is there, and precision and recall differ.
        ends = torch.tensor([[1, 1, 0, 0, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0, 1, 1]])
        events, alarms = torch.cat([torch.stack([events, alarms]), ends], dim=1)
        if kind in ("silent", "nothing"):
            alarms = torch.zeros_like(alarms)
        if kind in ("no event", "nothing"):
            events = torch.zeros_like(events)
        cases.append((events.tolist(), alarms.tolist()))
    # Counts at which one may wrongly take a score for 0/0, or the other way round: none is right,
    # one alarm, one event, no mistake at all; and counts that are equal.
    n, more = random_int(2, 5, generator), random_int(6, 9, generator)
    for tp, fp, fn in (
        (0, n, more),
        (1, 0, more),
        (1, more, 0),
        (more, 0, 0),
        (n, n, 2 * n),
        (n, 2 * n, n),
    ):
        pairs = torch.tensor([[1, 1]] * tp + [[0, 1]] * fp + [[1, 0]] * fn + [[0, 0]] * more)
        pairs = pairs[torch.randperm(len(pairs), generator=generator)]
        cases.append((pairs[:, 0].tolist(), pairs[:, 1].tolist()))
    return cases


EVENT_SCORES = Exercise(
    name="event_scores",
    unit="05",
    points=2,
    by_hand=("birnn_course.metrics",),
    apart=True,
    title="Precision, recall and F1 from four counts",
    cases=_event_cases,
    reference=event_scores,
    mistakes=(
        Mistake(
            "argument-order",
            "events and alarms are exchanged: the share of alarms that are right is the "
            "precision, and the share of events that are found is the recall",
            _scores_from(lambda tp, fp, fn, tn: _three(tp, fn, fp)),
        ),
        Mistake(
            "matrix-layout",
            "the true negatives are taken for the true positives: these are the scores of "
            "*no event*",
            _scores_from(lambda tp, fp, fn, tn: _three(tn, fn, fp)),
        ),
        Mistake(
            "zero-division-is-cosmetic",
            "1 stands for 0/0; a model that never raises an alarm then has full precision",
            _scores_from(lambda tp, fp, fn, tn: _three(tp, fp, fn, nothing=1.0)),
        ),
        Mistake(
            "micro-f1-tells-more",
            "the counts of both classes are added up first; all three are the accuracy then",
            _scores_from(lambda tp, fp, fn, tn: [(tp + tn) / (tp + fp + fn + tn)] * 3),
        ),
    ),
    levels={
        "type": "Return three numbers: `[precision, recall, f1]`.",
        "shape": "Return three numbers: `[precision, recall, f1]`.",
        "direction": "These are the right numbers at wrong places. Of the alarms, which share is "
        "right? That one comes first.",
        "value": "Work out the first case by hand. It is the one of the lesson: 0.91, 0.83, 0.87. "
        "Then think of a model without any alarm.",
    },
    hints=(
        "Count four things: alarms that are right, alarms that are not, events that were missed, "
        "and the rest. Which of them go into the precision?",
        "`tp = sum(e == 1 and a == 1 for e, a in zip(events, alarms))`, and so on. Precision is "
        "tp / (tp + fp), recall tp / (tp + fn).",
        "Guard all three divisions: `precision = tp / (tp + fp) if tp + fp else 0.0`. F1 is "
        "2 · tp / (2 · tp + fp + fn), and 0.0 if that has nothing to divide by.",
    ),
)


# ── 3 · cheapest_threshold ──────────────────────────────────────────────────────────────────────

THRESHOLDS = [k / 10 for k in range(1, 10)]


def cheapest_threshold(logits: Tensor, events: Tensor, miss: int, alarm: int) -> float:
    """The lowest cost on a grid, by the confusion matrix at each threshold."""
    return _best(logits.double().sigmoid(), events, lambda tn, fp, fn, tp: miss * fn + alarm * fp)


def _best(scores: Tensor, events: Tensor, cost: Callable[..., float]) -> float:
    """The threshold at which ``cost(tn, fp, fn, tp)`` is lowest, the lowest such."""
    return _cheapest(scores, events, cost)[0]


def _cheapest(
    scores: Tensor,
    events: Tensor,
    cost: Callable[..., float],
    reached: Callable[[Tensor, float], Tensor] = torch.ge,
) -> list[float]:
    """All thresholds at which the cost is lowest, from the lowest on."""
    costs = []
    for threshold in THRESHOLDS:
        matrix = confusion_matrix(events, reached(scores, threshold).long(), 2)
        costs.append(cost(*matrix.flatten().tolist()))
    return [t for t, c in zip(THRESHOLDS, costs, strict=True) if c == min(costs)]


# The price of a miss and of an alarm; what decides; how much the model says too little or too
# much. "tie": two thresholds cost the same. "line": a probability is a threshold. Or the cheapest
# is the lowest or the highest of all.
_PRICES: tuple[tuple[int, int, str | float, float], ...] = (
    (4, 1, "tie", -0.6),
    (1, 4, "tie", -0.6),
    (2, 1, "line", 1.1),
    (1, 2, "tie", 0.6),
    (300, 1, 0.1, -0.6),
    (1, 300, 0.9, 0.6),
)


def _threshold_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for miss, alarm, decides, shift in _PRICES:
        if hidden and decides != "line":
            shift *= 0.6 + 0.6 * float(torch.rand((), generator=generator))

        def draw(
            miss: int = miss,
            alarm: int = alarm,
            decides: str | float = decides,
            shift: float = shift,
        ) -> Arguments:
            n = random_int(300, 420, generator)
            true = 1.6 * torch.randn(n, generator=generator) - 0.6
            events = (torch.rand(n, generator=generator) < true.sigmoid()).long()
            # Between the candidates, where no rounding decides.
            logits = ((true + shift) * 50).round() / 50 + 0.003
            if decides == "tie":
                logits, events = _tied(logits, events, miss, alarm)
            elif decides == "line":
                logits, events = _on_the_line(logits, events)
            return logits, events, miss, alarm

        cases.append(until(partial(_decides, decides), draw))
    return cases


def _tied(logits: Tensor, events: Tensor, miss: int, alarm: int) -> tuple[Tensor, Tensor]:
    """Without steps between the cheapest threshold and the next: both cost the same."""
    cheapest = cheapest_threshold(logits, events, miss, alarm)
    probability = logits.double().sigmoid()
    kept = (probability < cheapest) | (probability >= cheapest + 0.1)
    return logits[kept], events[kept]


def _on_the_line(logits: Tensor, events: Tensor) -> tuple[Tensor, Tensor]:
    """From 0.5 to 0.6 there are only steps without an event, whose probability is 0.5 exactly."""
    probability = logits.double().sigmoid()
    kept, line = (probability < 0.5) | (probability >= 0.6), torch.zeros(8)
    return torch.cat([logits[kept], line]), torch.cat([events[kept], line.long()])


def _decides(what: str | float, case: Arguments) -> bool:
    """Whether the answer hangs on it."""
    logits, events, miss, alarm = case
    probability = logits.double().sigmoid()

    def cost(tn: int, fp: int, fn: int, tp: int) -> float:
        return float(miss * fn + alarm * fp)

    cheapest = _cheapest(probability, events, cost)
    if what == "tie":
        return len(cheapest) > 1
    if what == "line":
        return cheapest[0] != _cheapest(probability, events, cost, reached=torch.gt)[0]
    # Without any alarm, or with alarms only, it would cost less; that is none of the nine.
    counts = confusion_matrix(events, (probability >= what).long(), 2).flatten().tolist()
    other = min(miss * int(events.sum()), alarm * int((1 - events).sum()))
    return cheapest == [what] and other < cost(*counts)


CHEAPEST_THRESHOLD = Exercise(
    name="cheapest_threshold",
    unit="05",
    points=3,
    title="The threshold that costs least",
    cases=_threshold_cases,
    reference=cheapest_threshold,
    mistakes=(
        Mistake(
            "logits-at-half",
            "the logits themselves are compared with the threshold; it is one for probabilities",
            lambda logits, events, miss, alarm: _best(
                logits, events, lambda tn, fp, fn, tp: miss * fn + alarm * fp
            ),
        ),
        Mistake(
            "accuracy-shows-skill",
            "the threshold is the one with the highest accuracy, so that both mistakes cost the "
            "same",
            lambda logits, events, miss, alarm: _best(
                logits.double().sigmoid(), events, lambda tn, fp, fn, tp: fn + fp
            ),
        ),
        Mistake(
            "f1-shows-skill",
            "the threshold is the one with the highest F1, which knows nothing of your costs",
            lambda logits, events, miss, alarm: _best(
                logits.double().sigmoid(),
                events,
                lambda tn, fp, fn, tp: -2 * tp / (2 * tp + fp + fn),
            ),
        ),
    ),
    levels={
        "type": "Return one of the nine thresholds, a float.",
        "value": "Another threshold costs less. Print the cost at each of the nine in the first "
        "case: `miss` for every event without an alarm, `alarm` for every alarm without an event.",
    },
    hints=(
        "Nine candidates: try them all. What do you have to count at each?",
        "`logits.sigmoid() >= threshold` are the alarms. Count the events without one, and the "
        "alarms without an event.",
        "Write a function `cost(threshold)` that returns `miss * missed + alarm * false_alarms`, "
        "and return `min(thresholds, key=cost)`: of equal ones it takes the first, the lowest.",
    ),
)


# ── 4 · dataset_f1 ──────────────────────────────────────────────────────────────────────────────


def dataset_f1(batches: list[TokenBatch], n_classes: int) -> float:
    """scikit-learn's macro F1 over all real tokens together, with 0 for 0/0."""
    return _f1_from(lambda matrices: _total(matrices).average())(batches, n_classes)


def _f1_from(
    rule: Callable[[list[Tensor]], float], *, pads: bool = False
) -> Callable[[list[TokenBatch], int], float]:
    """A score from the confusion matrices of the batches."""

    def f1(batches: list[TokenBatch], n_classes: int) -> float:
        matrices = []
        for tags, predicted, lengths in batches:
            real = None if pads else sequence_mask(lengths, tags.shape[1])
            matrices.append(confusion_matrix(tags, predicted, n_classes, mask=real))
        return rule(matrices)

    return f1


def _total(matrices: list[Tensor]) -> Scores:
    return Scores(torch.stack(matrices).sum(0))


def _over_classes_that_occur(matrices: list[Tensor]) -> float:
    scores = _total(matrices)
    return float(scores.f1[scores.support > 0].mean())


def _dataset_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for i in range(5 if hidden else 4):
        n_classes = random_int(3, 5, generator)
        occurring = n_classes - (i != 1)  # in most cases the last class does not occur
        answers = occurring + (i == 2)  # in one it is answered all the same
        batches = []
        for size in (4, 3, 1, 2)[: 3 + i % 2]:
            batch, seq_len = size + 1, random_int(4, 9, generator)
            lengths = _lengths(batch, seq_len, generator)
            rare = torch.rand(batch, seq_len, generator=generator) < 0.6
            tags = torch.randint(occurring, (batch, seq_len), generator=generator)
            tags = torch.where(rare, 0, tags) * sequence_mask(lengths, seq_len)
            predicted = torch.randint(answers, (batch, seq_len), generator=generator)
            predicted[0, 0] = answers - 1
            agree = torch.rand(batch, seq_len, generator=generator) < 0.6
            batches.append((tags, torch.where(agree, tags, predicted), lengths))
        cases.append((batches, n_classes))
    return cases


DATASET_F1 = Exercise(
    name="dataset_f1",
    unit="05",
    points=3,
    title="Macro F1 over a data set that comes in padded batches",
    cases=_dataset_cases,
    reference=dataset_f1,
    mistakes=(
        Mistake(
            "mean-of-batch-f1",
            "an F1 is computed in each batch and then averaged; counts can be added, F1s cannot",
            _f1_from(lambda ms: sum(Scores(m).average("macro") for m in ms) / len(ms)),
        ),
        Mistake(
            "pads-in-accuracy",
            "the pads are counted as well, as if they were tokens of class 0",
            _f1_from(lambda ms: _total(ms).average("macro"), pads=True),
        ),
        Mistake(
            "micro-f1-tells-more",
            "the counts of all classes are added up first: that is micro F1, and the accuracy",
            _f1_from(lambda ms: _total(ms).average("micro")),
        ),
        Mistake(
            "accuracy-shows-skill",
            "each class counts as often as it occurs: that is weighted F1, and the frequent class "
            "speaks",
            _f1_from(lambda ms: _total(ms).average("weighted")),
        ),
        Mistake(
            "absent-classes-ignored",
            "only classes that occur in the tags are averaged; the task was all `n_classes`, with "
            "0 for one that does not occur",
            _f1_from(_over_classes_that_occur),
        ),
    ),
    levels={
        "type": "Return a number from 0 to 1.",
        "value": "This is not the macro F1 over all real tokens. Add up one confusion matrix over "
        "the batches, and print it: its sum must be the number of real tokens.",
    },
    hints=(
        "Which of the lines of `report` cannot be right, whatever comes after it? Think of what "
        "may be added over batches and what may not.",
        "In the loop, collect counts: `confusion_matrix(tags, told, n_classes, mask=...)`, where "
        "the mask says which places are below their sentence's length. Add the matrices.",
        '`Scores(total).average("macro")` after the loop is the answer; it counts a class that '
        "does not occur as 0.",
    ),
)


# ── 5 · name_f1 ─────────────────────────────────────────────────────────────────────────────────


def name_f1(gold: Sentences, said: Sentences) -> float:
    """Names as marked stretches, found by a pattern in the joined tags."""
    truth, predicted = (
        {(i, *name) for i, tags in enumerate(sentences) for name in _names(tags)}
        for sentences in (gold, said)
    )
    return 2 * len(truth & predicted) / (len(truth) + len(predicted))


def _names(tags: list[str]) -> set[tuple[int, int, str]]:
    """Start, end and kind of every name."""
    found = set()
    for start, tag in enumerate(tags):
        if tag.startswith("B-"):
            inside = [other == f"I-{tag[2:]}" for other in (*tags[start + 1 :], "end")]
            found.add((start, start + 1 + inside.index(False), tag[2:]))
    return found


def _token_f1(gold: Sentences, predicted: Sentences) -> float:
    pairs = [pair for g, s in zip(gold, predicted, strict=True) for pair in zip(g, s, strict=True)]
    hits = sum(g == s != "O" for g, s in pairs)
    return 2 * hits / sum((g != "O") + (s != "O") for g, s in pairs)


def _mean_of_sentences(gold: Sentences, predicted: Sentences) -> float:
    scores = [
        name_f1([g], [s]) if _names(g) or _names(s) else 0.0
        for g, s in zip(gold, predicted, strict=True)
    ]
    return sum(scores) / len(scores)


def _token_share(gold: Sentences, predicted: Sentences) -> float:
    pairs = [pair for g, s in zip(gold, predicted, strict=True) for pair in zip(g, s, strict=True)]
    return sum(g == s for g, s in pairs) / len(pairs)


# True tags and answers in which a rule decides: what is no name, where one ends, and whose it is.
# Each follows an O and is followed by one, unless it ends its sentence.
_RULES = (
    (["O", "O"], ["I-PER", "O"]),  # an I without a B is no name
    (["B-LOC", "O"], ["B-LOC", "I-PER"]),  # nor does one of another kind go on with a name
    (["B-PER", "I-PER"], ["I-PER", "I-PER"]),
    (["B-LOC", "B-LOC"], ["B-LOC", "B-LOC"]),  # two names side by side
    (["B-PER", "B-PER"], ["B-PER", "I-PER"]),
    (["B-PER", "I-PER", "O"], ["B-PER", "I-PER", "I-LOC"]),
    (["B-LOC", "I-LOC", "I-LOC"], ["B-LOC", "I-LOC", "B-LOC"]),
)


def _random_names(generator: Generator) -> tuple[list[str], list[str]]:
    """A tagged sentence, and what a tagger with typical mistakes makes of it."""
    gold: list[str] = []
    predicted: list[str] = []
    for _ in range(random_int(2, 4, generator)):
        gap = random_int(1, 3, generator)
        gold += ["O"] * gap
        predicted += ["O"] * gap
        kind, other = ("PER", "LOC") if random_int(0, 1, generator) else ("LOC", "PER")
        length = random_int(1, 3, generator)
        name = [f"B-{kind}", *[f"I-{kind}"] * (length - 1)]
        gold += name
        mistake = random_int(0, 5, generator)
        if mistake == 0:
            predicted += ["O"] * length
        elif mistake == 1:
            predicted += [f"B-{other}", *[f"I-{other}"] * (length - 1)]
        elif mistake == 2 and length > 1:
            predicted += [*name[:-1], "O"]
        else:
            predicted += name
    return gold, predicted


def _name_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    lesson = ["B-PER", "I-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O"]
    short = ["B-PER", "O", "O", "O", "B-LOC", "I-LOC", "O", "O"]
    cases: list[Arguments] = [] if hidden else [([lesson, ["B-LOC", "O"]], [short, ["B-LOC", "O"]])]
    for n in (5, 6, 7, 8) if hidden else (3, 4, 3):
        pairs = [_random_names(generator) for _ in range(n)]
        # A name that is cut short and one that is found, so that every case says something.
        pairs.append((["O", "B-PER", "I-PER"], ["O", "B-PER", "O"]))
        pairs.append((["B-LOC", "I-LOC", "O", "O", "O"], ["B-LOC", "I-LOC", "O", "O", "O"]))
        # The same name at the same place of two sentences, each missing in the other list.
        pairs += [(["O", "B-PER", "O"], ["O", "O", "O"]), (["O", "O", "O"], ["O", "B-PER", "O"])]
        for k, (gold, predicted) in enumerate(_RULES):
            before = ["O"] * random_int(0, 3, generator)
            after = ["O"] * (k % 2 * random_int(0, 2, generator))
            pairs.append(([*before, *gold, *after], [*before, *predicted, *after]))
        cases.append(([g for g, _ in pairs], [s for _, s in pairs]))
    return cases


NAME_F1 = Exercise(
    name="name_f1",
    unit="05",
    points=3,
    title="F1 over whole names",
    cases=_name_cases,
    reference=name_f1,
    mistakes=(
        Mistake(
            "token-f1-is-entity-f1",
            "every token of a name counts by itself; a name counts only if all of it is right",
            _token_f1,
        ),
        Mistake(
            "mean-of-batch-f1",
            "an F1 is computed for each sentence and then averaged; add up the counts of all "
            "sentences first",
            _mean_of_sentences,
        ),
        Mistake(
            "accuracy-shows-skill", "this is the share of right tokens, O included", _token_share
        ),
    ),
    levels={
        "type": "Return a number from 0 to 1.",
        "value": "Write down the names of the first case by hand, as (sentence, first token, end, "
        "kind), for `gold` and for `said`. How many are in both?",
    },
    hints=(
        "Two sets of names: the true ones and the found ones. What makes two names equal?",
        "`entities` gives the names of one sentence. Two sentences can have a name at the same "
        "place, so put the number of the sentence into each name.",
        "`{(i, *name) for i, tags in enumerate(gold) for name in entities(tags)}`, the same for "
        "`said`; then twice the size of what is in both, divided by the two sizes together.",
    ),
)


# ── 6 · honest_accuracy ─────────────────────────────────────────────────────────────────────────


def honest_accuracy(train_starts: Tensor, test_starts: Tensor, right: Tensor, width: int) -> float:
    """By the set of all steps that training has seen."""
    seen = {step for start in train_starts.tolist() for step in range(start, start + width)}
    clean = [seen.isdisjoint(range(start, start + width)) for start in test_starts.tolist()]
    return float(right[torch.tensor(clean)].double().mean())


def _accuracy_where(
    keep: Callable[[Tensor, int], Tensor], *, all_count: bool = False
) -> Callable[[Tensor, Tensor, Tensor, int], float]:
    """Over the test windows for which ``keep(distances to all training windows, width)``."""

    def accuracy(train_starts: Tensor, test_starts: Tensor, right: Tensor, width: int) -> float:
        away = test_starts.unsqueeze(1) - train_starts
        kept = keep(away, width).all(1)
        return float((right & kept).double().sum() / (len(right) if all_count else kept.sum()))

    return accuracy


def _apart(away: Tensor, width: int) -> Tensor:
    return away.abs() >= width


def _window_cases(generator: Generator, hidden: bool) -> list[Arguments]:
    cases: list[Arguments] = []
    for _ in range(5 if hidden else 4):
        width = random_int(3, 6, generator)
        # Training windows lie in two parts, and test windows before, between and after them.
        gap = 3 * width + random_int(1, 6, generator)
        train = torch.randperm(40, generator=generator)[:12].sort().values + 20
        train[6:] += gap
        first, last = int(train[0]), int(train[-1])
        end, again = int(train[5]) + width, int(train[6]) - width  # what just fits between
        far = torch.randperm(60, generator=generator)[:20] + last + 2 * width
        # One of each kind: the same window, one that begins inside another, one that ends inside,
        # those with a single step in common, and neighbours that just touch.
        one_step = torch.tensor([first - width + 1, last + width - 1, end - 1, again + 1])
        touching = torch.tensor([last + width, first - width, end, again])
        near = torch.tensor([first, last, last + 1, first - 1, last + 2])
        early = torch.arange(0, first - width + 1, 4)
        inside = torch.arange(end, again + 1, 2)
        test = torch.cat([far, near, touching, one_step, early, inside]).unique()
        test = test[torch.randperm(len(test), generator=generator)]
        train = train[torch.randperm(len(train), generator=generator)]
        apart = _apart(test.unsqueeze(1) - train, width).all(1)
        chance = torch.where(apart, 0.55, 0.95)  # what was seen is known
        right = torch.rand(len(test), generator=generator) < chance
        right[(test == first) | (test == last + 1)] = True
        right[test == first - 1] = True
        right[torch.isin(test, one_step)] = True
        right[(test >= end) & (test <= again)] = False
        cases.append((train, test, right, width))
    return cases


HONEST_ACCURACY = Exercise(
    name="honest_accuracy",
    unit="05",
    points=3,
    title="Accuracy on windows that training has not seen",
    cases=_window_cases,
    reference=honest_accuracy,
    mistakes=(
        Mistake(
            "split-after-windowing",
            "all test windows count, those that share steps with training windows too",
            _accuracy_where(lambda away, width: torch.ones_like(away, dtype=torch.bool)),
        ),
        Mistake(
            "split-after-windowing",
            "only windows that are in both sets are left out; a window one step away shares nearly "
            "all of its steps",
            _accuracy_where(lambda away, width: away != 0),
        ),
        Mistake(
            "split-after-windowing",
            "only the first step of a test window is looked at; it can end in a training window",
            _accuracy_where(lambda away, width: (away < 0) | (away >= width)),
        ),
        Mistake(
            "masked-mean",
            "the division is by all test windows, not by those that are left",
            _accuracy_where(_apart, all_count=True),
        ),
    ),
    levels={
        "type": "Return a number from 0 to 1.",
        "value": "Take the first case and list, for each test window, its steps. Which windows "
        "share a step with any training window?",
    },
    hints=(
        "A window that starts at s holds the steps s to s + width − 1. When do two windows have a "
        "step in common?",
        "They have one if their starts are less than `width` apart, in either direction. Compare "
        "every test window with every training window.",
        "`away = test_starts.unsqueeze(1) - train_starts` holds all distances. A test window is "
        "clean where `(away.abs() >= width).all(1)`. Then the mean of `right` over those.",
    ),
)


EXERCISES = (TOKEN_ACCURACY, EVENT_SCORES, CHEAPEST_THRESHOLD, DATASET_F1, NAME_F1, HONEST_ACCURACY)
"""In the order of the notebook."""
