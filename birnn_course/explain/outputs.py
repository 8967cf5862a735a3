"""Errors about what comes out of an RNN: heads, pairs, states, views, indices, masks."""

from __future__ import annotations

import ast
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from birnn_course.explain.matching import (
    Clues,
    Explanation,
    Known,
    directions,
    is_output,
    is_state,
    known,
    shape,
    states,
    width,
)

TABLE: list[Known] = []


@known(
    TABLE,
    r"mat1 and mat2 shapes cannot be multiplied "
    r"\(\d+x(?P<got>\d+) and (?P<takes>\d+)x(?P<out>\d+)\)",
)
def _head(clues: Clues) -> Explanation | None:
    takes, got, out = clues.number("takes"), clues.number("got"), clues.number("out")
    one_way = {width(rnn) for rnn in clues.rnns if rnn.bidirectional}
    if got == 2 * takes and takes in one_way:
        return Explanation(
            f"Your linear layer takes {takes} features and got {got} = 2 x {takes}: a "
            f"bidirectional RNN joins both directions. Make it nn.Linear({got}, {out}).",
            ("head-keeps-its-size",),
        )
    if takes == 2 * got and got in one_way:
        sentence = (
            f"Your linear layer takes {takes} = 2 x {got} features and got {got}, one direction: "
            "h_n stacks the directions along its first axis and does not join them. "
            "torch.cat([h_n[-2], h_n[-1]], dim=1) does"
        )
        if any(_kind(clues, value) == "state" for value in clues.values):
            return Explanation(
                f"{sentence}, once an LSTM's state is taken apart: h_n, c_n = state.",
                ("h-n-is-joined", "state-tuple-is-h-n"),
            )
        return Explanation(f"{sentence}.", ("h-n-is-joined",))
    return None


Kind = Literal["packed", "padded", "result", "state"]


def _kind(clues: Clues, value: object) -> Kind | None:
    """What a tuple is that was taken for a tensor."""
    if isinstance(value, PackedSequence):
        return "packed"
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    first, second = value
    if isinstance(second, tuple):
        return "result" if isinstance(first, Tensor | PackedSequence) else None
    if not isinstance(second, Tensor):
        return None
    if isinstance(first, Tensor) and second.dim() == 1 and not second.is_floating_point():
        return "padded"
    for rnn in clues.rnns:
        if (
            isinstance(rnn, nn.LSTM)
            and is_state(first, rnn)
            and second.shape[:2] == first.shape[:2]
        ):
            return "state"
        if is_state(second, rnn) and (isinstance(first, PackedSequence) or is_output(first, rnn)):
            return "result"
    return None


def _kind_of_call(clues: Clues, node: ast.expr | None) -> Kind | None:
    """What is returned by a call such as ``self.lstm(x)``, or by ``lstm(x)[1]``."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        called = node.value.func if isinstance(node.value, ast.Call) else None
        of_lstm = isinstance(clues.value(called), nn.LSTM)
        return "state" if of_lstm and node.slice.value == 1 else None
    if not isinstance(node, ast.Call):
        return None
    called = clues.value(node.func)
    if called is pad_packed_sequence:
        return "padded"
    return "result" if isinstance(called, nn.RNNBase) else None


def _taken_for_a_tensor(clues: Clues) -> Kind | None:
    """What the failing expression, or the module that raised, took for a tensor."""
    kind = _kind(clues, clues.local("input"))
    if kind:
        return kind
    node = clues.expression
    if isinstance(node, ast.Call):
        candidates = [
            *node.args,
            *([node.func.value] if isinstance(node.func, ast.Attribute) else []),
        ]
    elif isinstance(node, ast.Attribute | ast.Subscript):
        candidates = [node.value]
    elif isinstance(node, ast.BinOp):
        candidates = [node.left, node.right]
    else:
        candidates = []
    kinds = [_kind(clues, clues.value(c)) or _kind_of_call(clues, c) for c in candidates]
    return next((kind for kind in kinds if kind), None)


def _about_a_tuple(kind: Kind | None, clues: Clues) -> Explanation | None:
    if kind == "packed":
        return Explanation(
            "A PackedSequence is not a tensor: it holds the real steps of all sequences in .data. "
            "Unpack it with pad_packed_sequence(packed, batch_first=...), or apply the layer to "
            "the data and keep the rest: packed._replace(data=layer(packed.data)).",
            ("packed-is-a-tensor",),
        )
    if kind == "padded":
        return Explanation(
            "pad_packed_sequence returns two things, the padded tensor and the lengths: "
            "padded, lengths = pad_packed_sequence(...).",
            ("pad-packed-gives-a-tensor",),
        )
    if kind == "state":
        return Explanation(
            "An LSTM's state is a tuple of two tensors, (h_n, c_n): "
            "output, (h_n, c_n) = lstm(x). Indexing the tuple with [-1] gives c_n, without any "
            "error.",
            ("state-tuple-is-h-n",),
        )
    if kind == "result":
        where = (
            "nn.Sequential hands on what an RNN returns, and that is"
            if clues.inside(nn.Sequential)
            else "An RNN returns"
        )
        return Explanation(
            f"{where} a pair, (output, state). Take the pair apart before the next layer: "
            "output, state = rnn(x).",
            ("lstm-in-sequential",),
        )
    return None


@known(TABLE, r"must be Tensor, not (?:tuple|PackedSequence)")
@known(TABLE, r"'(?:tuple|PackedSequence)' object has no attribute")
@known(TABLE, r"tuple indices must be integers or slices, not tuple")
@known(
    TABLE, r"can't multiply sequence by non-int of type|unsupported operand type.*PackedSequence"
)
def _tuple_for_a_tensor(clues: Clues) -> Explanation | None:
    return _about_a_tuple(_taken_for_a_tensor(clues), clues)


@known(TABLE, r"(?:not enough|too many) values to unpack \(expected 2")
def _gru_has_no_cell(clues: Clues) -> Explanation | None:
    called = clues.value(clues.assigned.func) if isinstance(clues.assigned, ast.Call) else None
    if not isinstance(called, nn.GRU | nn.RNN):
        return None
    name, first = type(called).__name__, states(called)
    return Explanation(
        f"nn.{name} has no c_n: its state is one tensor, and unpacking it into two cuts its first "
        f"axis, which is {first} = {called.num_layers} x {directions(called)} long. Write "
        f"output, h_n = ...; with a first axis of 2 this runs, and is wrong.",
        ("gru-unpacks-like-lstm",),
    )


@known(TABLE, r"view size is not compatible with input tensor's size and stride")
def _view(clues: Clues) -> Explanation | None:
    node = clues.expression
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    viewed = node.func.value
    seen = clues.named(viewed)
    called = [clues.value(n.func) for n in ast.walk(viewed) if isinstance(n, ast.Call)]
    turned = isinstance(viewed, ast.Call) and isinstance(viewed.func, ast.Attribute)
    for rnn in clues.rnns:
        if turned and any(is_state(value, rnn) for value in seen):
            return Explanation(
                f"After transpose, h_n is no longer in one piece: use reshape, and the "
                f"{states(rnn)} states of each sample stand side by side. Without the transpose "
                "view and reshape both run, and mix samples.",
                ("view-joins-directions",),
            )
        if turned or not rnn.batch_first:
            continue
        outputs = [v for v in seen if is_output(v, rnn) and not v.is_contiguous()]
        if outputs or any(value is rnn for value in called):
            sizes = f" {shape(outputs[0])}" if outputs else ""
            return Explanation(
                f"The output{sizes} of an RNN with batch_first=True is the time-first result with "
                "two axes swapped, and not in one piece. Use reshape instead of view.",
                ("batch-first-can-be-viewed",),
            )
    return None


@known(
    TABLE,
    r"index (?P<index>-?\d+) is out of bounds for dimension (?P<dim>\d+) with size (?P<size>\d+)",
)
def _index(clues: Clues) -> Explanation | None:
    at, dim, size = clues.number("index"), clues.number("dim"), clues.number("size")
    seen = [value for value in clues.named(clues.expression) if isinstance(value, Tensor)]
    for rnn in clues.rnns:
        for tensor in seen:
            if tensor.dim() <= dim or tensor.shape[dim] != size:
                continue
            if is_output(tensor, rnn) and dim == (1 if rnn.batch_first else 0) and at == size:
                return Explanation(
                    f"Steps count from 0, so the last of {size} is {size - 1}: index with "
                    "length - 1. For shorter sequences the index `length` raises nothing and reads "
                    "a pad.",
                    ("padded-end-is-the-end",),
                )
            if is_state(tensor, rnn) and dim < 2:
                return Explanation(
                    f"h_n {shape(tensor)} is (num_layers x directions, batch, hidden_size): one "
                    f"state for each sequence, not for each step, so index {at} is not there. The "
                    "states of all steps are in output.",
                    ("h-n-per-step",),
                )
    return None


@known(
    TABLE,
    r"The size of tensor a \(\d+\) must match the size of tensor b \(\d+\) at "
    r"non-singleton dimension 2",
)
def _mask(clues: Clues) -> Explanation | None:
    seen = [value for value in clues.named(clues.expression) if isinstance(value, Tensor)]
    for tensor in seen:
        for flat in seen:
            if tensor.dim() == 3 and flat.dim() == 2 and flat.shape == tensor.shape[:2]:
                features = tensor.shape[2]
                return Explanation(
                    f"A mask {shape(flat)} does not fit onto {shape(tensor)}: sizes are matched "
                    f"from the right, {flat.shape[1]} against {features}. Give it a last axis with "
                    f"mask.unsqueeze(-1); with {flat.shape[1]} features it would have run, on the "
                    "wrong axis.",
                    ("mask-multiplies",),
                )
    return None


@known(TABLE, r"step must be greater than zero")
def _negative_step(clues: Clues) -> Explanation | None:
    seen = [value for value in clues.named(clues.expression) if isinstance(value, Tensor)]
    if not seen:
        return None
    return Explanation(
        f"A tensor cannot be sliced backward. For this {shape(seen[0])}, flip the time axis by its "
        "number, x.flip(1) with batch_first=True, and flip the outputs of a reader of the flipped "
        "input back.",
        ("unflipped-outputs",),
    )
