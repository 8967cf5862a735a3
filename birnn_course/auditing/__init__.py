"""``audit``: the probes of the lessons, run on anybody's model.

``entry.py`` is the way in. ``batch.py`` reads the user's batch, ``subject.py`` finds out how a
model is called and what its result looks like, ``keeping.py`` leaves everything as it was, and
``bench.py`` makes the small batch on which all probes run. Each of the others holds probes of one
kind, and ``report.py`` shows what they found.
"""

from .entry import audit as audit
from .report import AuditReport as AuditReport
