"""Packing as a viewer: choose lengths, and follow four sequences into the pack and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from birnn_course.explore.panel import Choice, Integer, Panel, View

NAMES = "ABCD"
SEQ_LEN = 6
"""Steps of the padded batch, however long its sequences are."""
PAD = -1
_STAGES = ("padded", "sorted", "packed", "back")
_CAPTION = '<caption style="text-align:left;white-space:nowrap">'
_CELL = "width:2.4em;height:1.9em;padding:0;text-align:center;"


def packing_explorer() -> Panel:
    """A viewer that packs a batch of four marked sequences with PyTorch and unpacks it again.

    Nothing in it knows how packing works: every change calls ``pack_padded_sequence`` and
    ``pad_packed_sequence`` and shows what they return, or the error they raise. Lengths of 0, and
    longer than the batch, can be tried.
    """
    return Panel(
        "packing",
        "What does packing do to this batch?",
        [
            *(Integer(name, f"Length of {name}", 0, SEQ_LEN + 1) for name in NAMES),
            Choice("enforce_sorted", "enforce_sorted", ("False", "True")),
            Choice("total_length", "total_length", ("None", str(SEQ_LEN))),
            Choice("stage", "Show", _STAGES),
        ],
        {
            "A": 2, "B": 5, "C": 1, "D": 3,
            "enforce_sorted": "False", "total_length": "None", "stage": "packed",
        },
        _draw,
    )  # fmt: skip


def _draw(
    A: int,  # noqa: N803 (the names of the sequences on the screen)
    B: int,  # noqa: N803
    C: int,  # noqa: N803
    D: int,  # noqa: N803
    enforce_sorted: str,
    total_length: str,
    stage: str,
) -> View:
    lengths = [A, B, C, D]
    batch = _marked(lengths)
    if stage == "padded":
        return View(
            _grid(batch, NAMES, f"The padded batch, {SEQ_LEN} steps; · is a pad"),
            f"{sum(_real(lengths))} of {batch.numel()} places are real, "
            f"{batch.numel() - sum(_real(lengths))} are pads.",
        )
    packed = _pack(batch, lengths, enforce_sorted == "True")
    order = packed.sorted_indices
    rows = list(range(len(NAMES))) if order is None else order.tolist()
    if stage == "sorted":
        names = [NAMES[row] for row in rows]
        return View(
            _grid(batch[rows], names, "The rows in the order of packing; · is a pad"),
            f"The longest is first: {', '.join(names)}. "
            + (
                "They were in this order already, so PyTorch keeps no sorted_indices."
                if order is None
                else f"sorted_indices is {rows}."
            ),
        )
    if stage == "packed":
        return View(_packed(packed, batch[rows], rows), _what_is_packed(packed))
    return _back(packed, None if total_length == "None" else int(total_length))


def _marked(lengths: Sequence[int]) -> Tensor:
    """Row r holds 10 r, 10 r + 1, … at its real steps, and pads after them: ``(4, SEQ_LEN)``."""
    marks = 10 * torch.arange(len(lengths))[:, None] + torch.arange(SEQ_LEN)
    return marks.masked_fill(torch.arange(SEQ_LEN) >= torch.tensor(lengths)[:, None], PAD)


def _real(lengths: Sequence[int]) -> list[int]:
    return [min(n, SEQ_LEN) for n in lengths]


def _pack(batch: Tensor, lengths: Sequence[int], enforce_sorted: bool) -> PackedSequence:
    try:
        return pack_padded_sequence(
            batch, torch.tensor(lengths), batch_first=True, enforce_sorted=enforce_sorted
        )
    except RuntimeError as error:
        raise ValueError(f"PyTorch refuses to pack this: {error}") from None


def _name(mark: int) -> str:
    return "·" if mark == PAD else f"{NAMES[mark // 10]}{mark % 10}"


def _what_is_packed(packed: PackedSequence) -> str:
    n, promised = len(packed.data), int(packed.batch_sizes.sum())
    sizes = packed.batch_sizes.tolist()
    if n != promised:
        return (
            f"No error, and the pack is broken: data has {n} entries and batch_sizes {sizes} "
            f"promises {promised}, because a length is longer than the batch."
        )
    return (
        f"data holds the {n} real entries, step by step and without pads; batch_sizes {sizes} says "
        "how many sequences are still there at each step."
    )


def _back(packed: PackedSequence, total_length: int | None) -> View:
    try:
        padded, lengths = pad_packed_sequence(
            packed, batch_first=True, padding_value=PAD, total_length=total_length
        )
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"PyTorch refuses to unpack this: {error}") from None
    steps = padded.shape[1]
    lost = f", not the {SEQ_LEN} that went in" if steps != SEQ_LEN else ""
    return View(
        _grid(padded, NAMES, f"Unpacked again, {steps} steps; · is a pad"),
        f"The rows are in their first order again, with lengths {lengths.tolist()}; there are "
        f"{steps} steps{lost}.",
    )


def _grid(batch: Tensor, names: Sequence[str], caption: str) -> str:
    head = "".join(f'<th scope="col" style="{_CELL}">{t}</th>' for t in range(batch.shape[1]))
    rows = "".join(
        f'<tr><th scope="row" style="padding:0 .6em">{name}</th>{_cells(row.tolist())}</tr>'
        for name, row in zip(names, batch, strict=True)
    )
    return _table(caption, f'<th scope="col" style="padding:0 .6em">step</th>{head}', rows)


def _packed(packed: PackedSequence, batch: Tensor, rows: Sequence[int]) -> str:
    """The entries under the step they belong to, one row each, and the same in one line."""
    marks, sizes = packed.data.tolist(), packed.batch_sizes.tolist()
    columns, at = [], 0
    for size in sizes:
        columns.append(marks[at : at + size])
        at += size
    head = "".join(f'<th scope="col" style="{_CELL}">{t}</th>' for t in range(len(sizes)))
    body = "".join(
        f'<tr><th scope="row" style="padding:0 .6em">{NAMES[row]}</th>'
        + "".join(
            f'<td style="{_CELL}{_edge(i < len(c))}">{_name(c[i]) if i < len(c) else ""}</td>'
            for c in columns
        )
        + "</tr>"
        for i, row in enumerate(rows)
    )
    counts = "".join(f'<td style="{_CELL}font-weight:bold">{size}</td>' for size in sizes)
    line = "".join(f'<td style="{_CELL}{_edge(True)}">{_name(mark)}</td>' for mark in marks)
    return (
        _table(
            "What is packed, by step",
            f'<th scope="col" style="padding:0 .6em">step</th>{head}',
            f'{body}<tr><th scope="row" style="padding:0 .6em">batch_sizes</th>{counts}</tr>',
        )
        + '<table style="border-collapse:collapse;margin-top:.8em">'
        + f"{_CAPTION}The same as it lies in memory</caption>"
        + f'<tbody><tr><th scope="row" style="padding:0 .6em">data</th>{line}</tr></tbody></table>'
    )


def _cells(marks: Sequence[int]) -> str:
    return "".join(f'<td style="{_CELL}{_edge(mark != PAD)}">{_name(mark)}</td>' for mark in marks)


def _edge(real: bool) -> str:
    return "border:1px solid currentColor;" if real else ""


def _table(caption: str, head: str, rows: str) -> str:
    return (
        f'<table style="border-collapse:collapse">{_CAPTION}{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )
