"""The exercises: functions that the learner writes, and what judges them."""

from birnn_course.exercises import checking
from birnn_course.exercises.checking import EXERCISES, check, examine, hint
from birnn_course.exercises.recording import record
from birnn_course.exercises.report import Report

checking.on_report = record

__all__ = ["EXERCISES", "Report", "check", "examine", "hint"]
