"""What test_exercises.py tries on the exercises of unit 03.

``SOLUTIONS``: at least two right ones by different algorithms for each exercise. ``TWO_AT_ONCE``:
what no single mistake explains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from answers import mistake_of
from birnn_course import batch_dependence
from birnn_course.exercises.spec import build_module

Function = Callable[..., Any]


def seen_by_gradient(module: Any, x: Tensor) -> Any:
    rnn, x = build_module(module), x.clone().requires_grad_()
    output, _ = rnn(x)
    rows = []
    for i in range(len(x)):
        (gradient,) = torch.autograd.grad(output[i].sum(), x, retain_graph=True)
        rows.append(gradient.abs().sum((1, 2)) > 0)
    return torch.stack(rows).tolist()


def seen_by_change(module: Any, x: Tensor) -> Any:
    rnn = build_module(module)
    before = rnn(x)[0]
    seen = torch.zeros(len(x), len(x), dtype=torch.bool)
    for j in range(len(x)):
        changed = x.clone()
        changed[j] += 1
        seen[:, j] = (rnn(changed)[0] != before).flatten(1).any(1)
    return seen.tolist()


def seen_by_the_probe(module: Any, x: Tensor) -> Any:
    return (batch_dependence(build_module(module), x) > 0).tolist()


def read_by_turning(module: Any, x: Tensor) -> Any:
    rnn = build_module(module)
    if module[1]["batch_first"]:
        return rnn(x)[0]
    return rnn(x.transpose(0, 1))[0].transpose(0, 1)


def read_one_by_one(module: Any, x: Tensor) -> Any:
    rnn = build_module(module)
    return torch.stack([rnn(sample)[0] for sample in x])


def start_by_turning(module: Any, x: Tensor, states: Tensor) -> Any:
    return build_module(module)(x, states.permute(1, 0, 2).contiguous())[0]


def start_one_by_one(module: Any, x: Tensor, states: Tensor) -> Any:
    rnn = build_module(module)
    return torch.cat([rnn(x[i : i + 1], states[i][:, None])[0] for i in range(len(x))])


def states_from_h_n(module: Any, x: Tensor) -> Any:
    state = build_module(module)(x)[1]
    h_n = state[0] if module[0] == "LSTM" else state
    return torch.cat([h_n[-2], h_n[-1]], dim=1) if module[1]["bidirectional"] else h_n[-1]


def states_from_output(module: Any, x: Tensor) -> Any:
    arguments = module[1]
    output = build_module(module)(x)[0]
    if not arguments["batch_first"]:
        output = output.transpose(0, 1)
    size = arguments["hidden_size"]
    return torch.hstack([output[:, -1, :size], output[:, 0, size:]])


def sentences_packed(sentences: list[Tensor], module: Any) -> Any:
    padded = pad_sequence(sentences)
    lengths = [len(sentence) for sentence in sentences]
    packed = pack_padded_sequence(padded, lengths, enforce_sorted=False)
    return pad_packed_sequence(build_module(module)(packed)[0], batch_first=True)[0]


def sentences_alone(sentences: list[Tensor], module: Any) -> Any:
    rnn = build_module(module)
    result = torch.zeros(len(sentences), max(map(len, sentences)), 2 * module[1]["hidden_size"])
    for i, sentence in enumerate(sentences):
        result[i, : len(sentence)] = rnn(sentence)[0]
    return result


def logged_by_reading_alone(module: Any, x: Tensor, logged: Tensor) -> Any:
    rnn = build_module(module)
    return [i for i in range(len(x)) if not torch.allclose(rnn(x[i])[0], logged[i], atol=1e-4)]


def logged_by_the_other_layout(module: Any, x: Tensor, logged: Tensor) -> Any:
    name, arguments, weights = module
    right = build_module((name, arguments | {"batch_first": True}, weights))(x)[0]
    far = (right - logged).abs().flatten(1).amax(1) > 1e-4
    return far.nonzero().flatten().tolist()


SOLUTIONS: dict[str, tuple[Function, ...]] = {
    "samples_seen": (seen_by_gradient, seen_by_change, seen_by_the_probe),
    "read_batch": (read_by_turning, read_one_by_one),
    "start_from": (start_by_turning, start_one_by_one),
    "final_states": (states_from_h_n, states_from_output),
    "read_sentences": (sentences_packed, sentences_alone),
    "not_its_own": (logged_by_reading_alone, logged_by_the_other_layout),
}


def reshaped_everywhere(module: Any, x: Tensor) -> Any:
    batch, steps, features = x.shape
    output = build_module(module)(x.reshape(steps, batch, features))[0]
    return output.reshape(batch, steps, -1)


def halves_swapped(function: Function) -> Function:
    def swapped(*arguments: Any) -> Any:
        forward, backward = function(*arguments).chunk(2, dim=-1)
        return torch.cat([backward, forward], dim=-1)

    return swapped


TWO_AT_ONCE: dict[str, list[Function]] = {
    "samples_seen": [
        lambda module, x: mistake_of("samples_seen", "rows-are-inputs")(module, x)[::-1],
        lambda module, x: [[True] * len(x)] * x.shape[1],
    ],
    "read_batch": [
        reshaped_everywhere,
        halves_swapped(mistake_of("read_batch", "mended-twice")),
    ],
    "start_from": [
        halves_swapped(mistake_of("start_from", "reshape-mends-layout")),
        halves_swapped(mistake_of("start_from", "state-goes-nowhere")),
        lambda module, x, states: mistake_of("start_from", "swapped-halves")(
            module, x, states.flip(0)
        ),
    ],
    "final_states": [
        halves_swapped(mistake_of("final_states", "view-joins-directions")),
        halves_swapped(mistake_of("final_states", "last-step-readout")),
    ],
    "read_sentences": [
        halves_swapped(mistake_of("read_sentences", "zeros-are-invisible")),
        halves_swapped(mistake_of("read_sentences", "flag-is-enough-for-packing")),
    ],
    "not_its_own": [
        lambda *arguments: mistake_of("not_its_own", "batch-first-is-the-default")(*arguments)[1:],
        lambda *arguments: [
            i + 1 for i in mistake_of("not_its_own", "first-sample-is-clean")(*arguments)
        ],
    ],
}
