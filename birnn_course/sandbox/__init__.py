"""Where a student's code runs when it is graded; nothing in this folder knows an answer.

Two sides with a wall between them. :mod:`~birnn_course.sandbox.outside` belongs to the grader: it
starts :mod:`~birnn_course.sandbox.inside` within bubblewrap and talks to each submission over a
socket of its own, in the words of :mod:`~birnn_course.sandbox.wire`: arguments go in, plain data
comes out.
"""

MISSING = "missing"
"""What a submission says of a name for which it has no function."""
