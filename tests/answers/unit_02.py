"""What test_exercises.py tries on the exercises of unit 02.

``SOLUTIONS``: at least two right ones by different algorithms for each exercise. ``TWO_AT_ONCE``:
what no single mistake explains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from answers import mistake_of
from birnn_course.exercises.spec import build_module

Function = Callable[..., Any]


def states_of(module: Any, x: Tensor) -> tuple[Tensor, ...]:
    state = build_module(module)(x)[1]
    return state if isinstance(state, tuple) else (state,)


def summarise_by_blocks(x: Tensor, module: Any) -> Any:
    h_n = states_of(module, x)[0]
    return torch.cat([h_n[-2], h_n[-1]], dim=1)


def summarise_by_axes(x: Tensor, module: Any) -> Any:
    h_n = states_of(module, x)[0]
    by_layer = h_n.unflatten(0, (module[1]["num_layers"], 2))
    return by_layer[-1].transpose(0, 1).flatten(1)


def summarise_one_by_one(x: Tensor, module: Any) -> Any:
    return torch.stack([states_of(module, sequence)[0][-2:].flatten() for sequence in x])


def from_output_by_index(output: Tensor, lengths: list[int]) -> Any:
    size = output.shape[-1] // 2
    rows = torch.arange(len(output))
    forward = output[rows, torch.tensor(lengths) - 1, :size]
    return torch.cat([forward, output[:, 0, size:]], dim=1)


def from_output_by_gather(output: Tensor, lengths: list[int]) -> Any:
    forward, backward = output.chunk(2, dim=-1)
    index = (torch.tensor(lengths) - 1)[:, None, None].expand(-1, 1, forward.shape[-1])
    return torch.hstack([forward.gather(1, index).squeeze(1), backward.select(1, 0)])


def shapes_by_thought(
    cell: str, x_shape: Any, hidden_size: int, num_layers: int, both: bool, batch_first: bool
) -> Any:
    directions = 2 if both else 1
    blocks = num_layers * directions
    if len(x_shape) == 2:
        state: tuple[int, ...] = (blocks, hidden_size)
    else:
        state = (blocks, x_shape[0 if batch_first else 1], hidden_size)
    return [(*x_shape[:-1], directions * hidden_size)] + [state] * (2 if cell == "LSTM" else 1)


def shapes_by_running(
    cell: str, x_shape: Any, hidden_size: int, num_layers: int, both: bool, batch_first: bool
) -> Any:
    rnn = getattr(nn, cell)(
        x_shape[-1], hidden_size, num_layers, batch_first=batch_first, bidirectional=both
    )
    output, state = rnn(torch.zeros(x_shape))
    states = state if cell == "LSTM" else (state,)
    return [output.shape, *(tensor.shape for tensor in states)]


def shapes_as_lists(*arguments: Any) -> Any:
    return tuple(list(shape) for shape in shapes_by_thought(*arguments))


def loss_by_permuting(logits: Tensor, tags: Tensor) -> Any:
    return F.cross_entropy(logits.permute(1, 2, 0), tags)


def loss_by_flattening(logits: Tensor, tags: Tensor) -> Any:
    return nn.CrossEntropyLoss()(logits.flatten(0, 1), tags.T.flatten())


def loss_by_picking(logits: Tensor, tags: Tensor) -> Any:
    scores = logits.transpose(0, 1).log_softmax(-1)
    return -scores.gather(2, tags.unsqueeze(2)).mean()


def run_decoder(decoder: Any, y: Tensor, states: list[Tensor]) -> Any:
    return build_module(decoder)(y, tuple(states) if len(states) == 2 else states[0])[0]


def translate_by_slices(x: Tensor, y: Tensor, encoder: Any, decoder: Any) -> Any:
    states = [state[0::2] + state[1::2] for state in states_of(encoder, x)]
    return run_decoder(decoder, y, states)


def translate_by_axes(x: Tensor, y: Tensor, encoder: Any, decoder: Any) -> Any:
    layers = encoder[1]["num_layers"]
    states = [state.view(layers, 2, *state.shape[1:]).sum(1) for state in states_of(encoder, x)]
    return run_decoder(decoder, y, states)


def gestures_by_transpose(recordings: Tensor, module: Any, head: Any) -> Any:
    h_n = states_of(module, recordings.transpose(1, 2))[0]
    return torch.softmax(build_module(head)(torch.cat([h_n[-2], h_n[-1]], dim=1)), dim=1)


def gestures_from_output(recordings: Tensor, module: Any, head: Any) -> Any:
    output = build_module(module)(torch.einsum("nst->nts", recordings))[0]
    size = module[1]["hidden_size"]
    weight, bias = head[2]["weight"], head[2]["bias"]
    summary = torch.hstack([output[:, -1, :size], output[:, 0, size:]])
    return (summary @ weight.T + bias).log_softmax(-1).exp()


SOLUTIONS: dict[str, tuple[Function, ...]] = {
    "summarise": (summarise_by_blocks, summarise_by_axes, summarise_one_by_one),
    "from_output": (from_output_by_index, from_output_by_gather),
    "predict_shapes": (shapes_by_thought, shapes_by_running, shapes_as_lists),
    "tagging_loss": (loss_by_permuting, loss_by_flattening, loss_by_picking),
    "translate": (translate_by_slices, translate_by_axes),
    "gesture_probabilities": (gestures_by_transpose, gestures_from_output),
}


def halves_swapped(function: Function) -> Function:
    def swapped(*arguments: Any) -> Any:
        forward, backward = function(*arguments).chunk(2, dim=-1)
        return torch.cat([backward, forward], dim=-1)

    return swapped


def joined_and_one_per_layer(*arguments: Any) -> Any:
    shapes = mistake_of("predict_shapes", "h-n-is-joined")(*arguments)
    narrow = mistake_of("predict_shapes", "head-keeps-its-size")(*arguments)
    return [narrow[0], *shapes[1:]]


def summed_in_the_wrong_order(logits: Tensor, tags: Tensor) -> Any:
    return tags.numel() * mistake_of("tagging_loss", "flattening-aligns")(logits, tags)


def twice_softmaxed_view(logits: Tensor, tags: Tensor) -> Any:
    return mistake_of("tagging_loss", "view-moves-classes")(logits.softmax(-1), tags)


def mean_in_the_wrong_order(x: Tensor, y: Tensor, encoder: Any, decoder: Any) -> Any:
    def start(state: Tensor) -> Tensor:
        half = len(state) // 2
        return (state[:half] + state[half:]) / 2

    return run_decoder(decoder, y, [start(state) for state in states_of(encoder, x)])


def two_slips_with_gestures(recordings: Tensor, module: Any, head: Any) -> Any:
    output = build_module(module)(recordings.transpose(1, 2))[0]
    return build_module(head)(output[:, -1]).softmax(dim=0)


TWO_AT_ONCE: dict[str, list[Function]] = {
    "summarise": [
        halves_swapped(mistake_of("summarise", "last-step-readout")),
        halves_swapped(mistake_of("summarise", "view-joins-directions")),
        halves_swapped(mistake_of("summarise", "state-tuple-is-h-n")),
    ],
    "from_output": [
        halves_swapped(mistake_of("from_output", "gather-at-the-length")),
        halves_swapped(mistake_of("from_output", "last-step-readout")),
    ],
    "predict_shapes": [joined_and_one_per_layer],
    "tagging_loss": [summed_in_the_wrong_order, twice_softmaxed_view],
    "translate": [mean_in_the_wrong_order],
    "gesture_probabilities": [two_slips_with_gestures],
}
