"""What test_exercises.py tries on the exercises of unit 01.

``SOLUTIONS``: at least two right ones by different algorithms for each exercise. ``TWO_AT_ONCE``:
what no single mistake explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor, nn

from answers import mistake_of
from birnn_course.data import Sequence, TaggingTask
from birnn_course.exercises.spec import build_module

Function = Callable[..., Any]


def one_direction(x: Tensor, weights: dict[str, Tensor]) -> Any:
    hidden_size, input_size = weights["weight_ih_l0"].shape
    rnn = nn.RNN(input_size, hidden_size, batch_first=True)
    rnn.load_state_dict(weights)
    return rnn(x)[0]


def read_by_two_modules(x: Tensor, forward: dict[str, Tensor], backward: dict[str, Tensor]) -> Any:
    halves = one_direction(x, forward), one_direction(x.flip(1), backward).flip(1)
    return torch.cat(halves, dim=2)


def read_step_by_step(x: Tensor, forward: dict[str, Tensor], backward: dict[str, Tensor]) -> Any:
    def states(weights: dict[str, Tensor], steps: Any) -> dict[int, Tensor]:
        state, found = torch.zeros(len(x), len(weights["bias_ih_l0"])), {}
        for t in steps:
            state = torch.tanh(
                torch.einsum("bd,hd->bh", x[:, t], weights["weight_ih_l0"])
                + torch.einsum("bg,hg->bh", state, weights["weight_hh_l0"])
                + weights["bias_ih_l0"]
                + weights["bias_hh_l0"]
            )
            found[t] = state
        return found

    there = states(forward, range(x.shape[1]))
    back = states(backward, reversed(range(x.shape[1])))
    return torch.stack([torch.hstack([there[t], back[t]]) for t in range(x.shape[1])], dim=1)


def seen_by_thought(module: Any, half: str, step: int, seq_len: int) -> Any:
    _, arguments, _ = module
    if arguments["bidirectional"] and arguments["num_layers"] > 1:
        return list(range(seq_len))
    return list(range(step, seq_len) if half == "backward" else range(step + 1))


def seen_by_change(module: Any, half: str, step: int, seq_len: int) -> Any:
    rnn, size = build_module(module).eval(), module[1]["hidden_size"]
    chosen = slice(size, None) if half == "backward" else slice(size)
    x = torch.randn(1, seq_len, module[1]["input_size"])
    seen = []
    for s in range(seq_len):
        changed = x.clone()
        changed[:, s] += 1
        if not torch.equal(rnn(x)[0][0, step, chosen], rnn(changed)[0][0, step, chosen]):
            seen.append(s)
    return tuple(seen)


def score_by_heaps(sequences: Any, lookahead: int) -> Any:
    heaps: dict[Any, Counter[str]] = {}
    for words, tags, chance in sequences:
        for t, tag in enumerate(tags):
            heap = heaps.setdefault((t, tuple(words[: t + 1 + lookahead])), Counter())
            heap[tag] += Fraction(chance)  # type: ignore[assignment]
    total = sum((max(heap.values()) for heap in heaps.values()), Fraction())
    return total / len(sequences[0][0])


def score_by_reading_on(sequences: Any, lookahead: int) -> Any:
    """Word by word: what is still possible splits with each word that is read."""
    seq_len = len(sequences[0][0])

    def won(possible: Any, n_read: int) -> float:
        # Answers are due for step n_read - 1 - lookahead, and for all that is left at the end.
        due = [n_read - 1 - lookahead]
        if n_read == seq_len:
            due = list(range(max(seq_len - 1 - lookahead, 0), seq_len))
        points = 0.0
        for t in due:
            if t >= 0:
                by_tag: Counter[str] = Counter()
                for _, tags, chance in possible:
                    by_tag[tags[t]] += chance
                points += max(by_tag.values())
        if n_read < seq_len:
            for word in {words[n_read] for words, _, _ in possible}:
                points += won([s for s in possible if s[0][n_read] == word], n_read + 1)
        return points

    return won(sequences, 0) / seq_len


def fair_by_building(cell: str, input_size: int, hidden_size: int, num_layers: int) -> Any:
    def numbers(size: int, both: bool) -> int:
        module = getattr(nn, cell)(input_size, size, num_layers, bidirectional=both)
        return sum(weight.numel() for weight in module.state_dict().values())

    budget = numbers(hidden_size, False)
    return max(h for h in range(1, hidden_size) if numbers(h, True) <= budget)


def fair_by_formula(cell: str, input_size: int, hidden_size: int, num_layers: int) -> Any:
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[cell]

    def numbers(size: int, directions: int) -> int:
        first = input_size + size + 2
        later = directions * size + size + 2
        return directions * gates * size * (first + (num_layers - 1) * later)

    low, high = 0, hidden_size
    while high - low > 1:
        middle = (low + high) // 2
        if numbers(middle, 2) <= numbers(hidden_size, 1):
            low = middle
        else:
            high = middle
    return low


def stream_with_a_new_state(x: Tensor, module: Any, size: int) -> Any:
    rnn, state, parts = build_module(module), None, []
    for chunk in x.split(size, dim=1):
        output, state = rnn(chunk, state)
        state[1] = 0
        parts.append(output)
    return torch.cat(parts, dim=1)


def stream_by_two_readers(x: Tensor, module: Any, size: int) -> Any:
    name, arguments, weights = module
    one_way = arguments | {"bidirectional": False}
    readers = []
    for suffix in ("", "_reverse"):
        names = [key for key in weights if key.endswith("_reverse") == bool(suffix)]
        part = {key.removesuffix("_reverse"): weights[key] for key in names}
        readers.append(build_module((name, one_way, part)))
    result = torch.zeros(*x.shape[:2], 2 * arguments["hidden_size"])
    result[..., : arguments["hidden_size"]] = readers[0](x)[0]
    for start in range(0, x.shape[1], size):
        chunk = x[:, start : start + size]
        backward = readers[1](chunk.flip(1))[0].flip(1)
        result[:, start : start + size, arguments["hidden_size"] :] = backward
    return result


def leaks_by_thought(module: Any, lookahead: int, horizon: int, seq_len: int) -> Any:
    leaks = module[1]["bidirectional"] or lookahead >= horizon
    return list(range(seq_len - horizon)) if leaks else []


def leaks_by_change(module: Any, lookahead: int, horizon: int, seq_len: int) -> Any:
    rnn = build_module(module)
    x = torch.randn(1, seq_len, module[1]["input_size"])

    def answers(x: Tensor) -> Any:
        zeros = torch.zeros(1, lookahead, x.shape[2])
        return rnn(torch.cat([x, zeros], dim=1))[0][0, lookahead:]

    leaking = []
    for t in range(seq_len):
        if t + horizon < seq_len:
            changed = x.clone()
            changed[0, t + horizon] -= 1
            if (answers(x)[t] != answers(changed)[t]).any():
                leaking.append(t)
    return leaking


SOLUTIONS: dict[str, tuple[Function, Function]] = {
    "read_both_ways": (read_by_two_modules, read_step_by_step),
    "seen_by": (seen_by_thought, seen_by_change),
    "best_score": (score_by_heaps, score_by_reading_on),
    "fair_hidden_size": (fair_by_building, fair_by_formula),
    "stream": (stream_with_a_new_state, stream_by_two_readers),
    "leaking_steps": (leaks_by_thought, leaks_by_change),
}


def halves_swapped(function: Function) -> Function:
    def swapped(*arguments: Any) -> Any:
        forward, backward = function(*arguments).chunk(2, dim=-1)
        return torch.cat([backward, forward], dim=-1)

    return swapped


def alike(sequences: Any) -> Any:
    return [(words, tags, 1 / len(sequences)) for words, tags, _ in sequences]


def shifted(steps: list[int]) -> list[int]:
    return [step + 1 for step in steps]


def of_ambiguous_words_only(sequences: Any, lookahead: int) -> float:
    """The limit that the lesson computes, where the exercise asks for all words."""
    exact = [Sequence(tuple(w), tuple(t), Fraction(p)) for w, t, p in sequences]
    return float(TaggingTask(exact).limit("left", lookahead=lookahead))


def fair_but_cheaper(cell: str, input_size: int, hidden_size: int, num_layers: int) -> Any:
    """Strictly fewer weights, where as many are allowed."""
    return largest(cell, input_size, hidden_size, num_layers, lambda n, budget: n < budget)


def fair_without_biases(cell: str, input_size: int, hidden_size: int, num_layers: int) -> Any:
    return largest(cell, input_size, hidden_size, num_layers, biases=False)


def largest(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    fits: Callable[[int, int], bool] = int.__le__,
    biases: bool = True,
) -> int:
    def weights(size: int, bidirectional: bool) -> int:
        options = {"bidirectional": bidirectional, "bias": biases, "device": "meta"}
        rnn = getattr(nn, cell)(input_size, size, num_layers, **options)
        return sum(weight.numel() for weight in rnn.parameters())

    budget = weights(hidden_size, False)
    return max(size for size in range(1, hidden_size + 1) if fits(weights(size, True), budget))


TWO_AT_ONCE: dict[str, list[Function]] = {
    "read_both_ways": [
        lambda x, f, b: mistake_of("read_both_ways", "unflipped-outputs")(x, f, f),
        halves_swapped(mistake_of("read_both_ways", "unflipped-outputs")),
        halves_swapped(mistake_of("read_both_ways", "flip-wrong-axis")),
        lambda x, f, b: mistake_of("read_both_ways", "sum-is-concat")(x, f, f),
    ],
    "seen_by": [
        lambda module, half, step, n: mistake_of("seen_by", "stacked-halves-stay-apart")(
            module, half, n - 1 - step if half == "backward" else step, n
        ),
    ],
    "best_score": [
        lambda s, k: mistake_of("best_score", "limit-peeks")(alike(s), k),
        lambda s, k: mistake_of("best_score", "lookahead-wrong-way")(alike(s), k),
        lambda s, k: mistake_of("best_score", "limit-forgets-the-past")(alike(s), k),
        of_ambiguous_words_only,
    ],
    "fair_hidden_size": [
        lambda *arguments: mistake_of("fair_hidden_size", "exactly-double")(*arguments) // 2,
        fair_but_cheaper,
        fair_without_biases,
    ],
    "stream": [
        halves_swapped(mistake_of("stream", "stream-in-chunks")),
        halves_swapped(mistake_of("stream", "state-starts-anew")),
    ],
    "leaking_steps": [
        lambda *arguments: shifted(mistake_of("leaking_steps", "predict-the-next")(*arguments)),
        lambda module, k, h, n: list(range(n)) if module[1]["bidirectional"] else [],
        # late answers hide that the model reads backward
        lambda module, k, h, n: (
            list(range(n - h)) if (k >= h if k else module[1]["bidirectional"]) else []
        ),
    ],
}
