"""The interactive viewers."""

from birnn_course.explore.dependence import dependence_explorer
from birnn_course.explore.threshold import threshold_explorer

__all__ = ["dependence_explorer", "threshold_explorer"]
