"""What test_exercises.py tries on the exercises of unit 04; see ``unit_01.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from answers import mistake_of
from birnn_course.exercises.spec import build_module

Function = Callable[..., Any]


def read_by_packing(x: Tensor, lengths: Tensor, module: Any) -> Any:
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, _ = build_module(module)(packed)
    return pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0]


def read_sorted_by_hand(x: Tensor, lengths: Tensor, module: Any) -> Any:
    order = lengths.argsort(descending=True)
    packed = pack_sequence([x[i, : int(lengths[i])] for i in order.tolist()])
    output = pad_packed_sequence(build_module(module)(packed)[0], batch_first=True)[0]
    result = torch.zeros(*x.shape[:2], output.shape[2])
    result[order, : output.shape[1]] = output
    return result


def states_from_h_n(x: Tensor, lengths: Tensor, module: Any) -> Any:
    packed = pack_padded_sequence(x, lengths.tolist(), batch_first=True, enforce_sorted=False)
    state = build_module(module)(packed)[1]
    h_n = state[0] if module[0] == "LSTM" else state
    return h_n[-2:].transpose(0, 1).flatten(1)


def states_from_outputs(x: Tensor, lengths: Tensor, module: Any) -> Any:
    output = read_by_packing(x, lengths, module)
    forward, backward = output.chunk(2, dim=-1)
    at_the_end = torch.stack([row[n - 1] for row, n in zip(forward, lengths.tolist(), strict=True)])
    return torch.hstack([at_the_end, backward[:, 0]])


def turn_by_index(x: Tensor, lengths: Tensor) -> Any:
    n, step = lengths[:, None], torch.arange(x.shape[1])
    index = torch.where(step < n, n - 1 - step, step)
    return x[torch.arange(len(x))[:, None], index]


def turn_by_list(x: Tensor, lengths: Tensor) -> Any:
    rows = zip(x.tolist(), lengths.tolist(), strict=True)
    return torch.tensor([row[:n][::-1] + row[n:] for row, n in rows])


def pool_by_mask(output: Tensor, lengths: Tensor) -> Any:
    real = torch.arange(output.shape[1]) < lengths[:, None]
    mean = torch.einsum("btd,bt->bd", output, real.float()) / real.sum(1, keepdim=True)
    most = torch.where(real[:, :, None], output, -torch.inf).max(dim=1).values
    return torch.cat([mean, most], dim=-1)


def pool_step_by_step(output: Tensor, lengths: Tensor) -> Any:
    rows = []
    for sequence, n in zip(output, lengths.tolist(), strict=True):
        total, most = sequence[0].clone(), sequence[0]
        for step in sequence[1:n]:
            total += step
            most = torch.maximum(most, step)
        rows.append(torch.cat([total / n, most]))
    return torch.stack(rows)


def loss_by_ignoring(scores: Tensor, tags: Tensor, lengths: Tensor) -> Any:
    targets = tags.clone()
    for row, n in enumerate(lengths.tolist()):
        targets[row, n:] = -100
    return F.cross_entropy(scores.flatten(0, 1), targets.flatten()).item()


def loss_by_hand(scores: Tensor, tags: Tensor, lengths: Tensor) -> Any:
    log_probabilities = scores.log_softmax(-1)
    chosen = [
        log_probabilities[row, t, int(tags[row, t])].item()
        for row, n in enumerate(lengths.tolist())
        for t in range(n)
    ]
    return -sum(chosen) / len(chosen)


def left_by_rolling(ids: Tensor, is_real: Tensor) -> Any:
    lengths = is_real.sum(1)
    rows = [row.roll(int(n)) for row, n in zip(ids, lengths, strict=True)]
    pads = torch.arange(ids.shape[1]) >= lengths[:, None]
    filled = torch.stack(rows).masked_fill(pads, 26)
    return {"ids": filled[:, : int(lengths.max())], "lengths": lengths.tolist()}


def left_by_list(ids: Tensor, is_real: Tensor) -> Any:
    rows = [
        [letter for letter, real in zip(row, reals, strict=True) if real]
        for row, reals in zip(ids.tolist(), is_real.tolist(), strict=True)
    ]
    longest = max(map(len, rows))
    padded = [row + [26] * (longest - len(row)) for row in rows]
    return {"ids": torch.tensor(padded), "lengths": [len(row) for row in rows]}


SOLUTIONS: dict[str, tuple[Function, Function]] = {
    "read_packed": (read_by_packing, read_sorted_by_hand),
    "packed_final_states": (states_from_h_n, states_from_outputs),
    "turn_around": (turn_by_index, turn_by_list),
    "pool": (pool_by_mask, pool_step_by_step),
    "masked_tagging_loss": (loss_by_ignoring, loss_by_hand),
    "from_the_left": (left_by_rolling, left_by_list),
}


def halves_swapped(function: Function) -> Function:
    def swapped(*arguments: Any) -> Any:
        first, second = function(*arguments).chunk(2, dim=-1)
        return torch.cat([second, first], dim=-1)

    return swapped


def mean_and_max_leak(output: Tensor, lengths: Tensor) -> Any:
    return torch.cat([output.mean(1), output.amax(1)], dim=1)


def left_untouched(ids: Tensor, is_real: Tensor) -> Any:
    return {"ids": ids, "lengths": (ids != 0).sum(1).tolist()}


TWO_AT_ONCE: dict[str, list[Function]] = {
    "read_packed": [
        halves_swapped(mistake_of("read_packed", "packing-only-for-h-n")),
        lambda x, n, m: mistake_of("read_packed", "comes-back-sorted")(x, (n - 1).clamp(min=1), m),
    ],
    "packed_final_states": [
        halves_swapped(mistake_of("packed_final_states", "h-n-stops-at-the-end")),
        halves_swapped(mistake_of("packed_final_states", "unsort-only-outputs")),
    ],
    "turn_around": [
        lambda x, n: mistake_of("turn_around", "flip-reverses-padded")(x.flip(-1), n) * 2,
    ],
    "pool": [mean_and_max_leak, halves_swapped(mistake_of("pool", "mean-over-pads"))],
    "masked_tagging_loss": [
        lambda s, t, n: 2 * mistake_of("masked_tagging_loss", "one-filler-for-all")(s, t, n),
        lambda s, t, n: mistake_of("masked_tagging_loss", "masked-mean")(s, t, n - 1),
    ],
    "from_the_left": [left_untouched],
}
