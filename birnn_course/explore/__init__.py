"""The interactive viewers."""

from birnn_course.explore.dependence import dependence_explorer
from birnn_course.explore.shapes import shape_explorer

__all__ = ["dependence_explorer", "shape_explorer"]
