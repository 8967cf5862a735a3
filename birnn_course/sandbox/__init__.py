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
SHOWN = (
    "auditing", "data", "draw", "explain", "explore", "learner", "misconceptions", "running",
    "sandbox",
)  # fmt: skip
"""Folders of the package that can be read in the sandbox; every other one is empty there."""
ANSWERS = ("exercises", "questions", "grading", "project", "_notebooks", "_solutions")
"""Those of the others that know answers, for which something stands in."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
"""What of the machine's own is in the sandbox; no terminals, which submissions would share."""
READY, REFUSED, GONE = b"R", b"N", b"G"
"""What the host says of itself, or of a submission: one byte each."""

PROCESSOR_BYTES = 4
"""How long the message is that brings a submission: the number of its processor, or -1 for that on
which it is."""
MOST_ERRORS, LONGEST_TEXT = 20, 2_000
"""Of how many cells a submission tells errors, and how many characters of each text count."""

MISSING = "missing"
"""What a submission says of a name for which it has no function."""
