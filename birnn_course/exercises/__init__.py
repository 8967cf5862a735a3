"""The exercises: functions that the learner writes, and what judges them."""

from birnn_course.exercises.checking import EXERCISES, check, hint, run_cases
from birnn_course.exercises.report import Report

__all__ = ["EXERCISES", "Report", "check", "hint", "run_cases"]
