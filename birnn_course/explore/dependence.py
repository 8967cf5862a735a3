"""The dependence map as a viewer: choose a model and a step, see which inputs reach it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from birnn_course.explore.panel import Choice, Integer, Panel, View
from birnn_course.models import CELLS
from birnn_course.probes import dependence_map
from birnn_course.seeding import seeded

_READERS = ("left to right", "right to left", "both ways")


def dependence_explorer() -> Panel:
    """A viewer that builds a small random RNN and shows which inputs reach each of its outputs.

    Nothing in it knows the answer: every change runs :func:`birnn_course.dependence_map` on a
    freshly built model.
    """
    return Panel(
        "dependence",
        "Which inputs has this output seen?",
        [
            Choice("reads", "The model reads", _READERS),
            Choice("cell", "Cell", tuple(CELLS)),
            Integer("seq_len", "Sequence length", 2, 12),
            Integer("late", "Answers this many steps late", 0, 4),
            Integer("step", "Output step t", 0, 11),
        ],
        {"reads": "left to right", "cell": "lstm", "seq_len": 8, "late": 0, "step": 2},
        _draw,
    )


def _draw(reads: str, cell: str, seq_len: int, late: int, step: int) -> View:
    if step >= seq_len:
        raise ValueError(
            f"A sequence of length {seq_len} has the steps 0 to {seq_len - 1}; choose one of them."
        )
    reached = _run(reads, cell, seq_len, late)
    return View(_table(reached, step), _sentence(reached[step], step))


def _run(reads: str, cell: str, seq_len: int, late: int) -> Tensor:
    """Build the model, run it, and see what reached what: bool ``(seq_len, seq_len)``."""
    with seeded():
        rnn = CELLS[cell](3, 4, batch_first=True, bidirectional=reads == "both ways")
        inputs = torch.randn(1, seq_len, 3)

    def model(x: Tensor) -> Tensor:
        if reads == "right to left":
            x = x.flip(1)
        output: Tensor = rnn(F.pad(x, (0, 0, 0, late)))[0][:, late:]
        return output.flip(1) if reads == "right to left" else output

    return dependence_map(model, inputs) > 0


def _sentence(row: Tensor, step: int) -> str:
    seen = row.nonzero().flatten().tolist()
    unseen = len(row) - len(seen)
    which = f"input {seen[0]}" if len(seen) == 1 else f"inputs {seen[0]} to {seen[-1]}"
    return f"Output {step} has seen {which}; {unseen or 'none'} of {len(row)} cannot reach it."


def _table(reached: Tensor, step: int) -> str:
    steps = range(len(reached))
    cell = "width:2em;height:1.9em;padding:0;text-align:center;"
    chosen = "border-top:3px solid;border-bottom:3px solid;font-weight:bold;"
    head = "".join(f'<th scope="col" style="{cell}">{s}</th>' for s in steps)
    rows = []
    for t, row in enumerate(reached.tolist()):
        style = cell + (chosen if t == step else "")
        cells = "".join(f'<td style="{style}">{"●" if seen else "·"}</td>' for seen in row)
        label = f"output {t}" + (" ◀" if t == step else "")
        rows.append(f'<tr><th scope="row" style="padding:0 .6em">{label}</th>{cells}</tr>')
    return (
        '<table style="border-collapse:collapse">'
        "<caption>● the input reaches the output, · it does not</caption>"
        f'<thead><tr><th scope="col" style="padding:0 .6em">input</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
