"""What marks depend on, as one number: after an update of the course it may be another."""

from __future__ import annotations

import hashlib
from pathlib import Path

MARKS_DEPEND_ON = (
    "course.py", "data", "exercises", "metrics.py", "models.py", "running", "sandbox",
    "seeding.py", "word_errors.py", "grading/assignments.py", "grading/case_sets.py",
    "grading/choosing.py", "grading/marking.py", "grading/notebooks.py",
)  # fmt: skip
"""Files and folders of the package: how cases are drawn, how they are answered, how it is run."""


def state(bank: Path | None, package: Path = Path(__file__).parents[1]) -> str:
    """A digest of all that marks depend on, a lecturer's own exercises among it.

    Parameters
    ----------
    bank : Path or None
        The folder of these exercises.
    package : Path
        The folder of the course's own code.
    """
    digest = hashlib.sha256()
    for name in MARKS_DEPEND_ON:
        _add(digest, package / name)
    if bank is not None and bank.is_dir():
        _add(digest, bank)
    return digest.hexdigest()[:16]


def _add(digest: hashlib._Hash, path: Path) -> None:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    for file in files:
        digest.update(f"{file.relative_to(path.parent).as_posix()}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
