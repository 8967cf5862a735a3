"""The final project: three functions that the learner writes, and what judges them."""

from birnn_course.project.checking import check_project, probe_project
from birnn_course.project.report import ProjectReport

__all__ = ["ProjectReport", "check_project", "probe_project"]
