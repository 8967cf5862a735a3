"""What a run writes into OUT: nothing that a person changed is lost, and no file stops another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

from birnn_course.errors import CourseError, message_of
from birnn_course.files import numbered, write_atomic
from birnn_course.grading.store import Store
from birnn_course.grading.words import counted

_GONE = ""
_AT_ONCE = 200  # texts that are held


class Outputs:
    """Writes files into OUT and remembers which are its own.

    Parameters
    ----------
    folder : Path
        OUT.
    store : Store
        Where it is kept what was written.

    Attributes
    ----------
    sentences : list of str
        Which files somebody else had changed, and where they are now.
    failed : list of str
        Which could not be written, and why.
    """

    def __init__(self, folder: Path, store: Store) -> None:
        self.sentences: list[str] = []
        self._folder = folder
        self._store = store
        self._ours = store.written()
        self._waiting: dict[str, str] = {}
        self.failed: list[str] = []

    def add(self, path: str, make: Callable[[], str]) -> None:
        """Have a file written, below OUT, with the text that a function makes now."""
        try:
            self._waiting[path] = make()
        except Exception as error:  # a page that cannot be made stops no other
            self._fail(path, error)
        if len(self._waiting) >= _AT_ONCE:
            self.write()

    def read(self, path: str) -> bytes | None:
        """What is in a file below OUT; None if there is none that can be read."""
        target = self._folder / path
        try:
            return target.read_bytes() if target.is_file() else None
        except OSError:
            return None

    def write(self, merged: Collection[str] = ()) -> None:
        """Write what was added; a file that somebody else changed is set aside before.

        Parameters
        ----------
        merged : collection of str
            Files whose changes are in the new text.
        """
        digests = {p: _digest(text.encode("utf-8", "replace")) for p, text in self._waiting.items()}
        self._store.will_write(digests)
        for path, text in self._waiting.items():
            known = {digests[path], *self._ours.get(path, ())}
            try:
                if path not in merged:
                    self._set_aside(path, known)
                write_atomic(self._folder / path, text)
            except (OSError, ValueError) as error:
                self._fail(path, error)
                del digests[path]
        self._waiting.clear()
        self._store.have_written(digests)
        self._ours = self._store.written()

    def remove(self, folder: str, keep: Collection[str]) -> None:
        """Delete what a run wrote into this folder, and nobody changed, and is not to be kept."""
        gone = {}
        for path, digests in self._ours.items():
            if path.startswith(f"{folder}/") and path not in keep:
                there = self.read(path)
                try:
                    if there is not None and _digest(there) in digests:
                        (self._folder / path).unlink()
                except OSError as error:
                    self._fail(path, error)
                else:
                    gone[path] = _GONE
        self._store.have_written(gone)

    def complain(self) -> None:
        """Raise a :class:`CourseError` if anything could not be written."""
        if self.failed:
            raise CourseError(
                f"{counted(len(self.failed), 'file')} in {self._folder} could not be written: "
                f"{self.failed[0]}. All others are there, and so are the marks; mend that and run "
                "the same command again."
            )

    def _fail(self, path: str, error: Exception) -> None:
        why = error.strerror if isinstance(error, OSError) else message_of(error)
        self.failed.append(f"{path} ({why})")

    def _set_aside(self, path: str, known: Collection[str]) -> None:
        there = self.read(path)
        if there is None or _digest(there) in known:
            return
        target = self._folder / path
        names = numbered(f"{target.stem} (changed)", target.suffix)
        aside = next(p for name in names if not (p := target.with_name(name)).exists())
        target.rename(aside)
        self.sentences.append(f"{path} was changed by somebody; that one is {aside.name} now.")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
