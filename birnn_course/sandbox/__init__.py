"""Where a student's code runs when it is graded; nothing in this folder knows an answer.

The grader (:mod:`birnn_course.grading`) starts :mod:`~birnn_course.sandbox.host` inside bubblewrap
and talks to each submission over a socket of its own: arguments go in, plain data comes out.
"""

MISSING = "missing"
"""What a submission says of a name for which it has no function."""
