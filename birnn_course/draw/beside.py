"""A learner's tensor beside the one that it should be, as two grids of squares."""

from __future__ import annotations

import html

from torch import Tensor

from birnn_course.draw.inks import style
from birnn_course.draw.scene import Cells, Label, Scene

SIDE = 15
MOST_ROWS, MOST_COLUMNS = 10, 16


def beside(name: str, mine: Tensor, reference: Tensor) -> str:
    """Both results as HTML, to be seen and not to be read off: no number stands in it.

    Parameters
    ----------
    name : str
        Of the function.
    mine, reference : Tensor
        Of the same shape. Of more than two axes the first of each outer one is shown, and of a
        large one its beginning.

    Returns
    -------
    str
        Empty for a single number.
    """
    if not mine.ndim:
        return ""
    grids = [_grid(each) for each in (mine, reference)]
    rows, columns = grids[0].shape
    largest = max(float(grid.abs().max()) for grid in grids) or 1.0
    scene = Scene()
    width = max(columns * SIDE, 96) + 28
    for i, (title, grid) in enumerate(zip(("yours", "the reference"), grids, strict=True)):
        left = 6 + i * width
        scene.add(
            Label(left, 12, title, size=13, anchor="start", bold=True),
            Cells((grid / largest).flatten().tolist(), left, 26, SIDE, columns, "text"),
        )
    shown = f": [{', '.join('0' * (mine.ndim - 2))}] is shown" if mine.ndim > 2 else ""
    caption = f"first case, shape {tuple(mine.shape)}{shown}"
    scene.add(Label(6, 42 + rows * SIDE, caption, "muted", 12, "start"))
    alt = html.escape(f"The result of {name} in the first case, and the reference: {caption}.")
    svg = scene.svg().replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
    return f'<figure class="birnn-draw"><style>{style()}</style>{svg}</figure>'


def _grid(values: Tensor) -> Tensor:
    values = values.detach().cpu().float().nan_to_num()
    while values.ndim > 2:
        values = values[0]
    if values.ndim == 1:
        values = values[None]
    return values[:MOST_ROWS, :MOST_COLUMNS]
