"""The interactive viewers."""

from birnn_course.explore.limit import limit_explorer
from birnn_course.explore.packing import packing_explorer
from birnn_course.explore.reading import reading_explorer
from birnn_course.explore.shapes import shape_explorer
from birnn_course.explore.spelling import spelling_explorer
from birnn_course.explore.threshold import threshold_explorer

__all__ = [
    "limit_explorer",
    "packing_explorer",
    "reading_explorer",
    "shape_explorer",
    "spelling_explorer",
    "threshold_explorer",
]
