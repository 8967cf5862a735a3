"""Which slice of what an RNN returns is which? An explorable that runs in the browser."""

from __future__ import annotations

import html
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from birnn_course.draw import slices
from birnn_course.draw.tensors import draw_slice
from birnn_course.errors import CourseError
from birnn_course.explore.nets import exported, packed
from birnn_course.explore.presets import PresetExplorer
from birnn_course.models import CELLS
from birnn_course.seeding import seeded
from birnn_course.widgets import script, style

_JS = Path(__file__).with_name("js")
SCRIPTS = tuple(
    _JS / f"{name}.js" for name in ("forward", "explorer", "returned", "slices", "shapes")
)
"""What draws it, for a page without a kernel; the last one defines ``render``."""

INPUT, HIDDEN, LAYERS, BATCH, STEPS = 5, 4, 3, 4, 7
_WAYS = ("both ways", "left to right")
_JOINED = "torch.cat([h_n[-2], h_n[-1]], dim=1)"
SLICES = (
    "output[:, -1]", "output[:, 0]", "output[-1]", "output[:, -1, :H]", "output[:, 0, H:]",
    "h_n[-1]", "h_n[-2]", "h_n[0]", _JOINED, "torch.cat([h_n[0], h_n[1]], dim=1)",
    "torch.cat([output[:, -1, :H], output[:, 0, H:]], dim=1)",
    "h_n.transpose(0, 1).reshape(B, -1)", "h_n.reshape(B, -1)",
    "h_n.view(num_layers, 2, B, H)[-1]", "h_n.view(2, num_layers, B, H)[:, -1]", "c_n[-1]",
)  # fmt: skip
"""The slices that can be chosen; others can be written."""

_CHOICES = {
    "slice": ("A slice", SLICES),
    "reads": ("The module reads", _WAYS),
    "layers": ("num_layers", ("1", "2", "3")),
    "kind": ("Module", tuple(CELLS)),
    "batch_first": ("batch_first", ("True", "False")),
    "seq_len": ("seq_len", tuple(str(n + 1) for n in range(STEPS))),
    "batch": ("batch", tuple(str(n + 1) for n in range(BATCH))),
}
_FIRST = {
    "slice": "output[:, -1]", "reads": "both ways", "layers": "1", "kind": "gru",
    "batch_first": "True", "seq_len": "6", "batch": "3",
}  # fmt: skip


class Preset(NamedTuple):
    """What one place of the course asks of the explorer."""

    heading: str
    controls: tuple[str, ...]
    first: dict[str, str]


PRESETS = {
    "one-layer": Preset("Which slice has read the whole sequence?", ("slice", "reads"), {}),
    "two-layers": Preset(
        "Which block is which?", ("layers", "kind"), {"layers": "2", "slice": _JOINED}
    ),
    "free": Preset("Explore freely: what comes back, and what it has read", tuple(_CHOICES), {}),
}


class ShapeExplorer(PresetExplorer):
    """A module, what it returns, and a slice of it; see :func:`shape_explorer`."""

    known_as = "shapes"
    _esm = script(*SCRIPTS)
    _css = style(_JS / "explorer.css", _JS / "shapes.css")

    def without_kernel(self) -> tuple[str, str]:
        """The slice as a drawing, and what it has read."""
        rnn, x = module(self.values), batch(self.values)
        try:
            found = slices.read(rnn, x, self.values["slice"])
            _, claim = slices.verdict(slices.run(rnn, x), found)
            sentence = f"{found.text} has the shape {found.shape}. {claim}"
            drawing = draw_slice(rnn, x, found.text)._repr_mimebundle_()["text/html"]
        except CourseError as error:
            sentence, drawing = str(error), ""
        return (
            f"[{self.heading} {sentence} Run this cell to explore.]",
            f"<p><strong>{html.escape(self.heading)}</strong></p>{drawing}"
            f"<p>{html.escape(sentence)} <em>Run this cell to explore.</em></p>",
        )


def shape_explorer(preset: str = "free", **values: str | int | bool) -> ShapeExplorer:
    """See what a recurrent module returns, and what a slice of it has read.

    ``output`` is drawn as a slab and each final state as a stack, with a line from each block of
    ``h_n`` to the place in ``output`` where the same numbers stand. The slice that is asked for is
    lit. Everything is found by running the module: places by comparing values, and what a number
    has read by changing one step of the input after the other. The module runs in the browser,
    with the weights of one that PyTorch has made; its ``input_size`` is 5, its ``hidden_size`` 4.

    Parameters
    ----------
    preset : {"free", "one-layer", "two-layers"}
        Which controls stand above the picture: all of them; the slice and the directions of one
        layer; or the number of layers and the kind of module. The button *Explore freely* brings
        the others, with a field for a slice of your own.
    **values : str, int or bool
        First values of the controls: ``slice``, ``reads``, ``layers``, ``kind``, ``batch_first``,
        ``seq_len``, ``batch``.

    Raises
    ------
    CourseError
        If there is no such preset or value, or the slice cannot be taken.
    """
    if preset not in PRESETS:
        raise CourseError(f"There is no preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    heading, controls, start = PRESETS[preset]
    first = {**_FIRST, **start, **{name: str(value) for name, value in values.items()}}
    for name, value in first.items():
        if name not in _CHOICES or (name != "slice" and value not in _CHOICES[name][1]):
            known = "; ".join(f"{n}: {', '.join(v)}" for n, (_, v) in _CHOICES.items())
            raise CourseError(f"There is no {name}={value!r}. The explorer knows {known}.")
    slices.taken(slices.run(module(first), batch(first)), first["slice"])
    return ShapeExplorer(
        preset,
        heading=heading,
        note="✓ and ✗ say whether all of the slice has read the whole sequence. The sample in "
        f"front is the first. input_size is {INPUT}, hidden_size {HIDDEN}.",
        controls=[
            {"name": name, "label": label, "options": options, "list": name == "slice"}
            for name, (label, options) in _CHOICES.items()
        ],
        preset=controls,
        first=first,
        values=first,
        library=library(),
    )


@cache
def _made() -> dict[str, nn.RNNBase]:
    """One module of three layers for each kind and direction: fewer layers are its first ones."""
    with seeded():
        return {
            f"{kind}, {way}": CELLS[kind](
                INPUT, HIDDEN, LAYERS, batch_first=True, bidirectional=way == _WAYS[0]
            )
            .half()
            .float()  # as the browser has them
            for kind in CELLS
            for way in _WAYS
        }


@cache
def _inputs() -> Tensor:
    with seeded():
        return torch.randn(BATCH, STEPS, INPUT).half().float()


@cache
def library() -> dict[str, Any]:
    """What the browser needs, as JSON: the modules, and a batch of inputs."""
    nets = {name: exported(rnn) for name, rnn in _made().items()}
    return {"nets": nets, "x": packed(_inputs())}


def module(values: dict[str, str]) -> nn.RNNBase:
    """The module that the controls describe, in PyTorch."""
    longest = _made()[f"{values['kind']}, {values['reads']}"]
    with seeded():  # the first weights are drawn, and thrown away
        rnn: nn.RNNBase = CELLS[values["kind"]](
            INPUT, HIDDEN, int(values["layers"]),
            batch_first=values["batch_first"] == "True", bidirectional=longest.bidirectional,
        )  # fmt: skip
    rnn.load_state_dict({name: longest.state_dict()[name] for name in rnn.state_dict()})
    return rnn.eval()


def batch(values: dict[str, str]) -> Tensor:
    """Its input."""
    x = _inputs()[: int(values["batch"]), : int(values["seq_len"])]
    return x if values["batch_first"] == "True" else x.transpose(0, 1)
