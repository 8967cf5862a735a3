"""Keep in the learner's record what a check found."""

from __future__ import annotations

from functools import cache

from birnn_course.exercises.report import Report
from birnn_course.progress import Attempt, Record


@cache
def _record() -> Record:
    # one for the kernel: what cannot be saved now is kept in it and tried again
    return Record()


def record(report: Report) -> None:
    """Record an attempted exercise, unless it came out just as the time before.

    Running the cell again without a change is no second attempt.
    """
    if not report.attempted:
        return
    attempt = Attempt(
        item=report.exercise,
        kind="exercise",
        unit=report.unit,
        points=report.points,
        max_points=report.max_points,
        answer=report.fingerprint,
        probes=report.probes,
        misconception=report.misconception,
    )
    earlier = _record().attempts(report.exercise)
    if not earlier or earlier[-1].answer != attempt.answer:
        _record().add(attempt)
