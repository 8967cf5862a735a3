"""Where in a saved figure its axes lie: what is needed to lay a mark upon the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from birnn_course.errors import CourseError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def coordinates(figure: Figure, axes: int = 0) -> dict[str, tuple[float, ...]]:
    """Where the axes lie in the picture that ``savefig(..., bbox_inches="tight")`` makes.

    Parameters
    ----------
    figure : Figure
        As it is saved: with all that stands on it.
    axes : int
        Which of its axes.

    Returns
    -------
    dict of str to tuple of float
        ``box``: the left, top, right and bottom edge as shares of the picture's width and height;
        ``x``: what stands at the left and right edge; ``y``: at the bottom and the top.

    Raises
    ------
    CourseError
        If an axis is not linear: between its ends a mark would lie wrong.
    """
    import matplotlib as mpl

    ax = figure.axes[axes]
    if (ax.get_xscale(), ax.get_yscale()) != ("linear", "linear"):
        raise CourseError("A mark can be laid upon linear axes only.")
    figure.draw_without_rendering()
    pad = mpl.rcParams["savefig.pad_inches"]
    tight = figure.get_tightbbox().padded(pad)  # inches, from the lower left corner
    inside = ax.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    left, right = ((x - tight.x0) / tight.width for x in (inside.x0, inside.x1))
    top, bottom = ((tight.y1 - y) / tight.height for y in (inside.y1, inside.y0))
    return {"box": (left, top, right, bottom), "x": ax.get_xlim(), "y": ax.get_ylim()}
