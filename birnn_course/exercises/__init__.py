"""The exercises: functions that the learner writes, and what judges them."""

from birnn_course.exercises.checking import EXERCISES, check, examine, hint
from birnn_course.exercises.report import Report

__all__ = ["EXERCISES", "Report", "check", "examine", "hint"]
