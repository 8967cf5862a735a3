"""What a student writes who has a mistake of an exercise in mind, in the notebook's own words.

For each exercise one body for each of its mistakes, in their order, to be put in the place of the
stub. They are written apart from the course's own wrong implementations, with the helpers that the
notebook gives, as a student's would be.
"""

from __future__ import annotations

from textwrap import dedent

_JOIN = "return torch.cat([forward_half, backward_half], dim=-1)"

_SEEN = """
    rnn, size = build(module), module[1]["hidden_size"]
    features = slice(size) if half == "forward" else slice(size, None)
    x = torch.randn(1, seq_len, module[1]["input_size"])
    {look}
    return seen[{step}].nonzero().flatten().tolist()
"""
_ASK = "seen = dependence_map(lambda x: rnn(x)[0][..., features], x)"

_HEAPS = """
    heaps, total = defaultdict(Counter), 0
    for words, tags, probability in sequences:
        for t, tag in enumerate(tags):
            heaps[{read}][tag] += {weight}
            total += {weight}
    return sum(max(heap.values()) for heap in heaps.values()) / total
"""

_STREAM = """
    rnn, state, parts = build(module), None, []
    for chunk in x.split(size, dim=1):
        output, state = rnn(chunk, state)
        state = {state}
        parts.append(output)
    return torch.cat(parts, dim=1)
"""

_LEAK = """
    bidirectional = module[1]["bidirectional"]
    return list(range({steps})) if {leaks} else []
"""

_H_N = """
    h_n = state[0] if isinstance(state, tuple) else state
    {rest}
"""

_FROM = """
    size = output.shape[-1] // 2
    rows, ends = torch.arange(len(output)), torch.tensor(lengths)
    return torch.cat([{forward}, {backward}], dim=1)
"""
_FORWARD_END = "output[rows, ends - 1, :size]"
_BACKWARD_END = "output[:, 0, size:]"

_SHAPES = """
    directions = 2 if bidirectional else 1
    output = (*x_shape[:-1], {features})
    batch = () if len(x_shape) == 2 else (x_shape[0] if batch_first else x_shape[1],)
    state = {state}
    return [output, state, state] if cell == "LSTM" else [output, state]
"""
_BOTH = "directions * hidden_size"

_TRANSLATE = """
    def start(state):
        return {start}

    _, state = build(encoder)(x)
    state = tuple(map(start, state)) if isinstance(state, tuple) else start(state)
    return build(decoder)(y, state)[0]
"""

_GESTURES = """
    output, h_n = build(module)({layout})
    scores = build(head)({summary})
    return {finish}
"""
_AXES = "recordings.transpose(1, 2)"
_ENDS = "torch.cat([h_n[-2], h_n[-1]], dim=1)"
_SOFTMAX = "scores.softmax(dim=-1)"

_PACKED = "packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)"
_MASK = "real = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]"
_LAST_TWO = "torch.cat([h_n[-2], h_n[-1]], dim=1)"

_FINAL = """
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, state = build(module)(packed)
    output, _ = pad_packed_sequence(output, batch_first=True)
    h_n = state[0] if isinstance(state, tuple) else state
    return {summary}
"""

_POOL = """
    real = (torch.arange(output.shape[1]) < lengths[:, None])[..., None]
    mean = {mean}
    most = {most}
    return torch.cat([mean, most], dim=1)
"""
_MEAN = "output.masked_fill(~real, 0).sum(1) / lengths[:, None]"
_MOST = 'output.masked_fill(~real, float("-inf")).amax(1)'

_LOSS = """
    losses = F.cross_entropy(scores.transpose(1, 2), tags, reduction="none")
    real = torch.arange(tags.shape[1]) < lengths[:, None]
    return {mean}.item()
"""

_LEFT = """
    words = [row[real] for row, real in zip(ids, is_real)]
    lengths = [len(word) for word in words]
    filled = ids.masked_fill(~is_real, 26)
    return {{"ids": {ids}, "lengths": {lengths}}}
"""
_WORDS = "pad_sequence(words, batch_first=True, padding_value=26)"

_BODIES: dict[str, list[str]] = {
    "read_both_ways": [
        f"backward_half = read_forward(x.flip(1), backward_weights)\n{_JOIN}",
        f"backward_half = read_forward(x, backward_weights).flip(1)\n{_JOIN}",
        f"backward_half = read_forward(x.flip(-1), backward_weights).flip(-1)\n{_JOIN}",
        f"backward_half = read_forward(x, backward_weights)\n{_JOIN}",
        f"backward_half = read_forward(x.flip(1), forward_weights).flip(1)\n{_JOIN}",
        "backward_half = read_forward(x.flip(1), backward_weights).flip(1)\n"
        "return torch.cat([backward_half, forward_half], dim=-1)",
        "return forward_half + read_forward(x.flip(1), backward_weights).flip(1)",
    ],
    "seen_by": [
        'return list(range(step, seq_len) if half == "backward" else range(step + 1))',
        _SEEN.format(look="seen = dependence_map(lambda x: rnn(x)[0], x)", step="step"),
        _SEEN.format(look=_ASK, step='seq_len - 1 - step if half == "backward" else step'),
        _SEEN.format(
            look='features = slice(size) if half == "backward" else slice(size, 2 * size)\n'
            '    if not module[1]["bidirectional"]:\n        return []\n    ' + _ASK,
            step="step",
        ),
    ],
    "best_score": [
        _HEAPS.format(read="t, tuple(words)", weight="probability"),
        _HEAPS.format(read='"all"', weight="probability"),
        _HEAPS.format(read="tuple(words[t:t + 1 + lookahead])", weight="probability"),
        _HEAPS.format(read="t, tuple(words[:max(t + 1 - lookahead, 0)])", weight="probability"),
        _HEAPS.format(read="t, tuple(words[:t + 1 + lookahead])", weight="1"),
    ],
    "fair_hidden_size": [
        "return hidden_size // 2",
        """
        def weights(size):
            return count_parameters(getattr(nn, cell)(input_size, size, num_layers))

        size = 0
        while 2 * weights(size + 1) <= weights(hidden_size):
            size += 1
        return size
        """,
        "return hidden_size",
    ],
    "stream": [
        "return in_chunks(x, module, size)",
        _STREAM.format(state="None"),
        "return build(module)(x)[0]",
        _STREAM.format(state="torch.stack([torch.zeros_like(state[0]), state[1]])"),
    ],
    "leaking_steps": [
        _LEAK.format(steps="seq_len - horizon", leaks="lookahead >= horizon"),
        _LEAK.format(steps="seq_len - horizon", leaks="bidirectional"),
        _LEAK.format(steps="seq_len - horizon", leaks="bidirectional or lookahead + 1 >= horizon"),
        _LEAK.format(steps="seq_len", leaks="bidirectional or lookahead >= horizon"),
    ],
    "summarise": [
        "return output[:, -1]",
        _H_N.format(rest="return h_n[-2:].reshape(len(x), -1)"),
        "c_n = state[1] if isinstance(state, tuple) else state\n"
        "return torch.cat([c_n[-2], c_n[-1]], dim=1)",
        _H_N.format(rest="return torch.cat([h_n[len(h_n) // 2 - 1], h_n[-1]], dim=1)"),
        _H_N.format(rest="return torch.cat([h_n[0], h_n[1]], dim=1)"),
        _H_N.format(rest="return torch.cat([h_n[-1], h_n[-2]], dim=1)"),
        _H_N.format(rest="return h_n[-1]"),
    ],
    "from_output": [
        _FROM.format(forward=_FORWARD_END, backward="output[rows, ends - 1, size:]"),
        "return output[:, -1]",
        _FROM.format(forward=_FORWARD_END, backward="output.flip(1)[rows, ends - 1, size:]"),
        "return output[:, 0]",
        _FROM.format(forward="output[:, 0, :size]", backward="output[rows, ends - 1, size:]"),
        _FROM.format(forward="output[:, -1, :size]", backward=_BACKWARD_END),
        _FROM.format(forward="output[rows, ends, :size]", backward=_BACKWARD_END),
        """
        rows, ends = torch.arange(len(output)), torch.tensor(lengths) - 1
        return torch.cat([output[rows, ends, 0::2], output[:, 0, 1::2]], dim=1)
        """,
        _FROM.format(forward="output[rows, ends - 1, size:]", backward="output[:, 0, :size]"),
    ],
    "predict_shapes": [
        _SHAPES.format(
            features="hidden_size", state="(num_layers * directions, *batch, hidden_size)"
        ),
        _SHAPES.format(features=_BOTH, state="(num_layers, *batch, directions * hidden_size)"),
        _SHAPES.format(features=_BOTH, state="(num_layers, *batch, hidden_size)"),
        _SHAPES.format(
            features=_BOTH,
            state="(*batch, num_layers * directions, hidden_size) if batch_first "
            "else (num_layers * directions, *batch, hidden_size)",
        ),
        _SHAPES.format(
            features=_BOTH,
            state="(num_layers * directions, x_shape[1 if batch and batch_first else 0], "
            "hidden_size)",
        ),
        _SHAPES.format(
            features=_BOTH,
            state="(num_layers * directions, *(batch or x_shape[:1]), hidden_size)",
        ),
    ],
    "tagging_loss": [
        "return nn.functional.cross_entropy(logits.transpose(0, 1), tags)",
        "seq_len, batch, n_tags = logits.shape\n"
        "return nn.functional.cross_entropy(logits.view(batch, n_tags, seq_len), tags)",
        "return nn.functional.cross_entropy(logits.flatten(0, 1), tags.flatten())",
        "return nn.functional.cross_entropy(logits.softmax(dim=-1).permute(1, 2, 0), tags)",
        'return nn.functional.cross_entropy(logits.permute(1, 2, 0), tags, reduction="sum")',
    ],
    "translate": [
        _TRANSLATE.format(start="state[:len(state) // 2]"),
        _TRANSLATE.format(start="state[:len(state) // 2] + state[len(state) // 2:]"),
        _TRANSLATE.format(start="state[len(state) // 2:]"),
        _TRANSLATE.format(start="state[0::2]"),
        "return build(decoder)(y)[0]",
        """
        _, state = build(encoder)(x)
        h_n = state[0] if isinstance(state, tuple) else state
        start = h_n[0::2] + h_n[1::2]
        return build(decoder)(y, (start, start) if isinstance(state, tuple) else start)[0]
        """,
        _TRANSLATE.format(start="(state[0::2] + state[1::2]) / 2"),
    ],
    "gesture_probabilities": [
        _GESTURES.format(
            layout="recordings.reshape(len(recordings), -1, recordings.shape[1])",
            summary=_ENDS,
            finish=_SOFTMAX,
        ),
        _GESTURES.format(layout=_AXES, summary="output[:, -1]", finish=_SOFTMAX),
        _GESTURES.format(
            layout=_AXES, summary="torch.cat([h_n[0], h_n[1]], dim=1)", finish=_SOFTMAX
        ),
        _GESTURES.format(
            layout=_AXES, summary="h_n[-2:].reshape(len(output), -1)", finish=_SOFTMAX
        ),
        _GESTURES.format(
            layout=_AXES, summary="torch.cat([h_n[-1], h_n[-2]], dim=1)", finish=_SOFTMAX
        ),
        _GESTURES.format(layout=_AXES, summary=_ENDS, finish="scores.softmax(dim=0)"),
        _GESTURES.format(layout=_AXES, summary=_ENDS, finish="scores.softmax(-1).squeeze()"),
    ],
    "read_packed": [
        f"{_MASK}\nreturn rnn(x)[0] * real",
        f"{_MASK}\nreturn rnn(x * real)[0] * real",
        f"{_PACKED}\n"
        "output, _ = pad_packed_sequence(rnn(packed)[0], True, total_length=x.shape[1])\n"
        "return output[packed.unsorted_indices]",
        f"{_PACKED}\nreturn pad_packed_sequence(rnn(packed)[0], batch_first=True)[0]",
        f"lengths = (lengths - 1).clamp(min=1)\n{_PACKED}\n"
        "return pad_packed_sequence(rnn(packed)[0], True, total_length=x.shape[1])[0]",
    ],
    "packed_final_states": [
        "_, state = build(module)(x)\n"
        "h_n = state[0] if isinstance(state, tuple) else state\n"
        f"return {_LAST_TWO}",
        _FINAL.format(summary="output[:, -1]"),
        _FINAL.format(summary="output[torch.arange(len(x)), lengths - 1]"),
        f"""
        order = lengths.argsort(descending=True)
        packed = pack_padded_sequence(x[order], lengths[order], batch_first=True)
        _, state = build(module)(packed)
        h_n = state[0] if isinstance(state, tuple) else state
        return {_LAST_TWO}
        """,
        _FINAL.format(summary="h_n[-2:].reshape(len(x), -1)"),
    ],
    "turn_around": [
        "return x.flip(1)",
        "longest = lengths.max()\n"
        "return torch.cat([x[:, :longest].flip(1), x[:, longest:]], dim=1)",
        "return x.flip(2)",
        """
        step = torch.arange(x.shape[1])
        index = torch.where(step < lengths[:, None], lengths[:, None] - step, step)
        index = index.clamp(max=x.shape[1] - 1)
        return x.gather(1, index[..., None].expand_as(x))
        """,
    ],
    "pool": [
        _POOL.format(mean="output.mean(1)", most=_MOST),
        _POOL.format(mean="output.masked_fill(~real, 0).mean(1)", most=_MOST),
        _POOL.format(mean=_MEAN, most="(output * real).amax(1)"),
        _POOL.format(mean=_MEAN, most="output.max(dim=1).values"),
    ],
    "masked_tagging_loss": [
        "return F.cross_entropy(scores.transpose(1, 2), tags, ignore_index=0).item()",
        _LOSS.format(mean="losses.mean()"),
        _LOSS.format(mean="(losses * real).mean()"),
        _LOSS.format(mean="((losses * real).sum(1) / lengths).mean()"),
    ],
    "from_the_left": [
        _LEFT.format(ids="filled[:, :max(lengths)]", lengths="lengths"),
        _LEFT.format(ids="filled[:, -max(lengths):]", lengths="lengths"),
        _LEFT.format(ids=_WORDS, lengths="(ids != 0).sum(1).tolist()"),
        _LEFT.format(ids="filled.flip(1)[:, :max(lengths)]", lengths="lengths"),
        _LEFT.format(ids="pad_sequence(words, batch_first=True)", lengths="lengths"),
    ],
}

WRONG: dict[str, list[str]] = {
    name: [dedent(body).strip() for body in bodies] for name, bodies in _BODIES.items()
}
"""By the exercise's name, a body for each of its mistakes."""
