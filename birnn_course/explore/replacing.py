"""What a tagger says of a word when each letter is replaced by every other.

A bidirectional LSTM reads only half of it again: up to the replaced letter its forward states are
those of the word, and so are its backward states after it. What a letter adds to the gates is
computed once.
"""

from __future__ import annotations

from typing import TypeGuard

import torch
from torch import Tensor, nn

from birnn_course.data.spelling import LETTERS
from birnn_course.models import SequenceTagger

BY = len(LETTERS)


def replace_each(model: nn.Module, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities for a word, and those of its tags when a letter is another.

    Parameters
    ----------
    model, ids
        As :func:`birnn_course.explore.spelling.letter_influence` takes them.

    Returns
    -------
    Tensor
        ``(seq_len, n_tags)``.
    Tensor
        ``(seq_len, 26, seq_len)``: which letter is replaced, by what, and the probability of each
        letter's tag, which is the likeliest for the word itself.
    """
    return _reusing(model, ids) if _reusable(model) else _reading_all(model, ids)


def _reading_all(model: nn.Module, ids: Tensor) -> tuple[Tensor, Tensor]:
    steps = torch.arange(len(ids), device=ids.device)
    variants = ids.repeat(len(ids), BY, 1)  # which letter, by what, the word
    variants[steps, :, steps] = torch.arange(BY, device=ids.device)
    probability = model(variants.flatten(0, 1)).softmax(-1).unflatten(0, (len(ids), BY))
    original = probability[0, ids[0]]  # the first letter, replaced by itself
    return original, probability[:, :, steps, original.argmax(-1)]


def _reusable(model: nn.Module) -> TypeGuard[SequenceTagger]:
    return (
        type(model) is SequenceTagger
        and isinstance(model.rnn, nn.LSTM)
        and model.rnn.bidirectional
        and model.rnn.num_layers == 1
        and model.lookahead == 0
    )


def _reusing(model: SequenceTagger, ids: Tensor) -> tuple[Tensor, Tensor]:
    length = len(ids)
    steps = torch.arange(length, device=ids.device)
    ahead, back = model.head.weight.T.split(model.rnn.hidden_size)
    states, after = _read(model, ids, "")
    states_back, after_back = _read(model, ids.flip(0), "_reverse")
    scores, scores_back = states @ ahead + model.head.bias, states_back.flip(0) @ back
    original = (scores + scores_back).softmax(-1)
    tags = original.argmax(-1)

    def kept(changed: Tensor, unchanged: Tensor, answering: Tensor) -> Tensor:
        chosen = tags[answering, None, None].expand(-1, BY, 1)
        return changed.add_(unchanged).softmax(-1).gather(-1, chosen).squeeze(-1)

    found = original.new_empty(length, BY, length)
    both = after[0] @ ahead + after_back[0].flip(0) @ back
    found[steps, :, steps] = kept(both, model.head.bias, steps)
    for k in range(1, length):  # how far from the replaced letter
        left, right = steps[:-k], steps[k:]
        found[left, :, right] = kept(
            after[k] @ ahead, (scores_back[k:] + model.head.bias)[:, None], right
        )
        found[right, :, left] = kept(after_back[k].flip(0) @ back, scores[:-k, None], left)
    return original, found


def _read(model: SequenceTagger, ids: Tensor, way: str) -> tuple[Tensor, list[Tensor]]:
    """One direction's states of a word, and those k steps after each letter when it is replaced.

    ``(seq_len, hidden_size)``, and for each k ``(seq_len - k, 26, hidden_size)``.
    """
    of_input, recurrent, bias, bias_too = (
        getattr(model.rnn, f"{name}_l0{way}")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    recurrent = recurrent.T
    of_letter = model.embedding.weight[:BY] @ of_input.T + bias + bias_too  # adds to the gates
    read = of_letter[ids]
    h = c = read.new_zeros(recurrent.shape[0])
    states, gates, cells = [], [], []
    for x in read:
        gates.append(h @ recurrent)
        cells.append(c)
        h, c = _step(gates[-1] + x, c)
        states.append(h)
    h, c = _step(torch.stack(gates)[:, None] + of_letter, torch.stack(cells)[:, None])
    after = [h]
    for k in range(1, len(ids)):
        h, c = _step((h[:-1] @ recurrent).add_(read[k:, None]), c[:-1])
        after.append(h)
    return torch.stack(states), after


def _step(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """The next h and c of an LSTM; the gates are used up."""
    i, f, g, o = gates.chunk(4, -1)
    g.mul_(2)
    gates.sigmoid_()  # tanh(x) is 2 sigmoid(2x) - 1, for which PyTorch takes a third of the time
    c = (f * c).addcmul_(i, g.mul_(2).sub_(1))
    return (2 * c).sigmoid_().mul_(2).sub_(1).mul_(o), c
