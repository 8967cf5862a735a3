"""Where the course keeps files on this machine, and how it writes them without half-done ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import platformdirs

from birnn_course.errors import CourseError


def home() -> Path:
    """Folder of everything the course keeps for this user; ``BIRNN_HOME`` overrides it."""
    return _overridden("BIRNN_HOME") or Path(
        platformdirs.user_data_dir("birnn-course", appauthor=False)
    )


def cache() -> Path:
    """Folder of what can be computed again: the user's cache, or ``BIRNN_HOME/cache``.

    ``BIRNN_CACHE`` overrides both, so that many homes can share what was computed once.
    """
    if chosen := _overridden("BIRNN_CACHE"):
        return chosen
    if chosen := _overridden("BIRNN_HOME"):
        return chosen / "cache"
    return Path(platformdirs.user_cache_dir("birnn-course", appauthor=False))


def _overridden(variable: str) -> Path | None:
    chosen = os.environ.get(variable)
    return Path(chosen).expanduser().absolute() if chosen else None


def numbered(start: str, end: str = "") -> Iterator[str]:
    """Names without end: ``start + end``, then with ``" 2"``, ``" 3"``, … between the two."""
    yield start + end
    number = 2
    while True:
        yield f"{start} {number}{end}"
        number += 1


def free_name(path: Path) -> Path:
    """``path`` if nothing is there, else the first of ``path 2``, ``path 3``, … that is free."""
    return next(p for name in numbered(path.name) if not (p := path.with_name(name)).exists())


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader, or a crash, sees the old file or the new one.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp's files are private; give this one the mode that open() would have.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_yaml(path: Traversable) -> list[Any]:
    """The entries of one of the course's data files.

    Raises
    ------
    CourseError
        If it is not YAML; the sentence names the file and the line.
    """
    import yaml

    # libyaml's loader is ten times as fast; PyYAML's wheels bring it, a build without it does not
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(yaml.load(path.read_text(encoding="utf-8"), loader) or ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise CourseError(
            f"{path.name}, line {mark.line + 1 if mark else 1}, cannot be read ({error.problem}); "
            "put a text in quotes that starts with a backtick or holds a colon or # and a space."
        ) from None
