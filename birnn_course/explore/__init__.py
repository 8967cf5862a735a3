"""The interactive viewers."""

from birnn_course.explore.dependence import dependence_explorer
from birnn_course.explore.packing import packing_explorer
from birnn_course.explore.shapes import shape_explorer
from birnn_course.explore.threshold import threshold_explorer

__all__ = ["dependence_explorer", "packing_explorer", "shape_explorer", "threshold_explorer"]
