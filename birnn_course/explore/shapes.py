"""The shapes of a recurrent module as a viewer: what it returns, and which block is which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from birnn_course.explore.panel import Choice, Integer, Panel, View
from birnn_course.models import CELLS
from birnn_course.seeding import seeded

_DIRECTIONS = ("one", "both")


def shape_explorer() -> Panel:
    """A viewer that runs a small random module and draws ``output``, ``h_n`` and ``c_n`` in blocks.

    No rule about PyTorch's layout is built in. Every change runs the module; then each block of
    the states is compared with every slice of ``output``, and with what one layer and one
    direction give when they are run alone with the same weights. The labels say what was equal.
    """
    return Panel(
        "shapes",
        "Which block is which?",
        [
            Choice("cell", "Cell", tuple(CELLS)),
            Choice("directions", "Directions", _DIRECTIONS),
            Choice("batch_first", "batch_first", ("True", "False")),
            Integer("num_layers", "num_layers", 1, 3),
            Integer("batch", "batch", 1, 9),
            Integer("seq_len", "seq_len", 1, 9),
            Integer("input_size", "input_size", 1, 9),
            Integer("hidden_size", "hidden_size", 1, 9),
        ],
        {
            "cell": "gru",
            "directions": "both",
            "batch_first": "True",
            "num_layers": 1,
            "batch": 3,
            "seq_len": 6,
            "input_size": 5,
            "hidden_size": 2,
        },
        _draw,
    )


class _Run(NamedTuple):
    """What one call returned, always batch first for the comparisons, and how it was called."""

    module: nn.RNNBase
    x: Tensor
    output: Tensor
    states: dict[str, Tensor]


def _draw(
    cell: str,
    directions: str,
    batch_first: str,
    num_layers: int,
    batch: int,
    seq_len: int,
    input_size: int,
    hidden_size: int,
) -> View:
    with seeded(), torch.no_grad():
        module = CELLS[cell](
            input_size,
            hidden_size,
            num_layers,
            batch_first=batch_first == "True",
            bidirectional=directions == "both",
        )
        sizes = (batch, seq_len) if module.batch_first else (seq_len, batch)
        x = torch.randn(*sizes, input_size)
        output, state = module(x)
        states = dict(zip(("h_n", "c_n"), state if cell == "lstm" else (state,), strict=False))
        run = _Run(module, x, output, states)
        owners, places = _owners(run), _places(run)
    return View(_picture(run, owners, places), _sentence(run))


def _sentence(run: _Run) -> str:
    parts = [f"x {tuple(run.x.shape)} gives output {tuple(run.output.shape)}"]
    parts += [f"{name} {tuple(state.shape)}" for name, state in run.states.items()]
    return ", ".join(parts[:-1]) + f" and {parts[-1]}."


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=1e-5)


def _owners(run: _Run) -> dict[tuple[str, int], str]:
    """Which layer and direction, run alone, ends in the same state as each block."""
    found: dict[tuple[str, int], str] = {}
    for owner, ended in _each_alone(run):
        for (name, blocks), alone in zip(run.states.items(), ended, strict=True):
            for i, block in enumerate(blocks):
                if _same(block, alone):
                    found[name, i] = owner
    return found


def _each_alone(run: _Run) -> Iterator[tuple[str, tuple[Tensor, ...]]]:
    """Every layer and direction as a module of its own: its name, and the states it ends in."""
    module = run.module
    reading = run.x if module.batch_first else run.x.transpose(0, 1)
    for layer in range(module.num_layers):
        halves = []
        for direction in ("forward", "backward") if module.bidirectional else ("forward",):
            backward = direction == "backward"
            kind: type[Any] = type(module)
            alone = kind(reading.shape[-1], module.hidden_size, batch_first=True)
            suffix = f"_l{layer}" + ("_reverse" if backward else "")
            for name, weight in alone.named_parameters():
                weight.copy_(getattr(module, name.removesuffix("_l0") + suffix))
            output, ended = alone(reading.flip(1) if backward else reading)
            halves.append(output.flip(1) if backward else output)
            ended = ended if isinstance(ended, tuple) else (ended,)
            yield f"layer {layer}, {direction}", tuple(state[0] for state in ended)
        reading = torch.cat(halves, dim=-1)


def _places(run: _Run) -> dict[tuple[int, int], list[str]]:
    """Which blocks of the states stand at which step and in which slice of ``output``."""
    by_step = run.output.unbind(1 if run.module.batch_first else 0)
    found: dict[tuple[int, int], list[str]] = {}
    for step, features in enumerate(by_step):
        for part, values in enumerate(features.split(run.module.hidden_size, dim=-1)):
            found[step, part] = [
                f"{name}[{i}]"
                for name, blocks in run.states.items()
                for i, block in enumerate(blocks)
                if _same(block, values)
            ]
    return found


def _slice(run: _Run, step: int, part: int) -> str:
    """How one step of one part of ``output`` is written in code."""
    size = run.module.hidden_size
    features = f"{part * size}:{(part + 1) * size}"
    place = f":, {step}" if run.module.batch_first else f"{step}, :"
    return f"output[{place}, {features}]"


_CELL = "border:1px solid;padding:.25em .5em;text-align:center;"
_FILLED = _CELL + "border-width:3px;font-weight:bold;"


def _picture(
    run: _Run, owners: dict[tuple[str, int], str], places: dict[tuple[int, int], list[str]]
) -> str:
    tables = [_output_table(run, owners, places)]
    tables += [_state_table(run, name, owners, places) for name in run.states]
    return "".join(tables)


def _names(run: _Run) -> dict[str, str]:
    """What the sizes of each result stand for."""
    lead = "batch, seq_len" if run.module.batch_first else "seq_len, batch"
    n, layers = 2 if run.module.bidirectional else 1, run.module.num_layers
    blocks = f"{layers} layer{'s' * (layers > 1)} × {n} direction{'s' * (n > 1)}"
    state = f"{blocks}, batch, hidden_size"
    width = "2 × hidden_size" if n == 2 else "hidden_size"
    return {"output": f"{lead}, {width}", "h_n": state, "c_n": state}


def _caption(run: _Run, name: str, tensor: Tensor) -> str:
    return (
        '<caption style="text-align:left;white-space:nowrap;padding:.6em 0 .3em">'
        f"<strong>{name}</strong> {tuple(tensor.shape)} = ({_names(run)[name]})</caption>"
    )


def _output_table(
    run: _Run, owners: dict[tuple[str, int], str], places: dict[tuple[int, int], list[str]]
) -> str:
    size = run.module.hidden_size
    blocks = {f"{name}[{i}]": owner for (name, i), owner in owners.items()}
    steps = sorted({step for step, _ in places})
    parts = sorted({part for _, part in places})
    head = "".join(f'<th scope="col" style="{_CELL}">step {step}</th>' for step in steps)
    rows = []
    for part in parts:
        cells = "".join(
            f'<td style="{_FILLED if places[step, part] else _CELL}">'
            f"{'= ' + ' = '.join(places[step, part]) if places[step, part] else '·'}</td>"
            for step in steps
        )
        # A part belongs to the direction whose final state stands in it.
        found = {blocks[block] for step in steps for block in places[step, part] if block in blocks}
        label = f"features {part * size}:{(part + 1) * size}"
        label += "".join(f", {owner.partition(', ')[2]}" for owner in sorted(found))
        rows.append(f'<tr><th scope="row" style="{_CELL}">{label}</th>{cells}</tr>')
    return (
        f'<table style="border-collapse:collapse">{_caption(run, "output", run.output)}'
        f'<thead><tr><td style="{_CELL}"></td>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
        "<p>· no block of the states has these values</p>"
    )


def _state_table(
    run: _Run,
    name: str,
    owners: dict[tuple[str, int], str],
    places: dict[tuple[int, int], list[str]],
) -> str:
    rows = []
    for i in range(len(run.states[name])):
        block = f"{name}[{i}]"
        found = [_slice(run, *place) for place, blocks in places.items() if block in blocks]
        where = "".join(f"<div><code>{text}</code></div>" for text in found) or "nothing in output"
        owner = owners.get((name, i), "unknown")
        rows.append(
            f'<tr><th scope="row" style="{_FILLED if found else _CELL}"><code>{block}</code></th>'
            f'<td style="{_CELL}">{owner}</td><td style="{_CELL}">{where}</td></tr>'
        )
    heads = ("block", "final state of", "equals")
    head = "".join(f'<th scope="col" style="{_CELL}">{text}</th>' for text in heads)
    return (
        f'<table style="border-collapse:collapse">{_caption(run, name, run.states[name])}'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
