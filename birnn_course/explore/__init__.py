"""The interactive viewers."""

from birnn_course.explore.dependence import dependence_explorer

__all__ = ["dependence_explorer"]
