"""A drawing as the last line of a cell: seen in both themes, and where styles are stripped."""

from __future__ import annotations

import base64
import html
from typing import Any

from birnn_course.descriptor import described
from birnn_course.draw.inks import style
from birnn_course.draw.scene import Scene

MOST = 15_000
"""Bytes of a drawing in a notebook."""


class Drawing:
    """A sheet with its alternative text, shown by any notebook front end.

    Parameters
    ----------
    scene : Scene
        What is seen.
    alt : str
        What it shows, as a claim; never a trained number.
    """

    def __init__(self, scene: Scene, alt: str) -> None:
        self.scene = scene
        self.alt = alt

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        alt = html.escape(self.alt)
        # The picture is one thing to a screen reader, with the text that the hidden PNG had.
        svg = self.scene.svg().replace("<svg ", f'<svg role="img" aria-label="{alt}" ', 1)
        start = f'<figure class="birnn-draw"><style>{style()}</style><img alt="{alt}" src="'
        room = MOST - len((start + svg).encode()) - 60
        png = base64.b64encode(self.scene.png(room * 3 / 4)).decode("ascii")
        return {
            "text/plain": f"[{self.alt}]",
            "text/html": f'{start}data:image/png;base64,{png}">{svg}</figure>',
            **described("drawing", alt=self.alt),
        }
