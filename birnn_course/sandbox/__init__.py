"""Where a student's code runs when it is graded; nothing in this folder knows an answer.

Two sides, and neither imports the other. :mod:`~birnn_course.sandbox.outside` belongs to the
grader: it starts :mod:`~birnn_course.sandbox.inside` within bubblewrap and talks to each submission
over a socket of its own, in the messages of :mod:`~birnn_course.sandbox.wire`: arguments go in,
plain data comes out. What both sides have to know is here.
"""

HOST = "birnn_course.sandbox.inside.host"
"""The module that bubblewrap runs."""
PRIVATE = "/private"
"""The one folder in which a student's code can write."""
ANSWERS = ("exercises", "questions", "grading", "project", "_notebooks")
"""Folders of the package that are empty in the sandbox."""
READY, REFUSED, GONE = b"R", b"N", b"G"
"""What the host says of itself, or of a submission: one byte each."""

MISSING = "missing"
"""What a submission says of a name for which it has no function."""
