"""Find what was handed in: folders, nbgrader's layout, or a zip of a learning platform.

Names and contents come from students. Nothing is unpacked to the disk, no link is followed, and
only regular files are opened.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath

from birnn_course.errors import CourseError
from birnn_course.grading.notebooks import MOST_BYTES, UnreadableError

MOST_FILES = 20_000
MOST_FILES_OF_ONE = 40
_MOST_DEEP = 20  # folders in folders
MOST_UNPACKED = 4 * 2**30
MOST_NESTED = 20 * 2**20
_MOST_MEMBERS = 1_000  # of a zip that a student made
_WANTED = (".ipynb", ".json", ".zip")


@dataclass(frozen=True)
class Submission:
    """One file that was handed in.

    Parameters
    ----------
    student : str
        As the folder or the platform names them, any character.
    name : str
        The file's name, below the student's folder.
    read : callable
        Returns the bytes; raises :class:`UnreadableError`.
    """

    student: str
    name: str
    read: Callable[[], bytes]


def find(place: Path) -> list[Submission]:
    """All notebooks and exported records, sorted by student and name.

    Parameters
    ----------
    place : Path
        A folder with one folder for each student, nbgrader's ``submitted/``, or a zip.

    Raises
    ------
    CourseError
        If there is nothing, or the zip is damaged or would unpack to too much.
    """
    if place.is_dir():
        files = _in_folder(place)
    elif zipfile.is_zipfile(place):
        files = _in_zip(place)
    elif place.exists():
        raise CourseError(f"{place} is neither a folder nor a zip; name one of these.")
    else:
        raise CourseError(f"there is no {place}; name the folder or zip with the submissions.")
    listed = [(parts, read) for parts, read in files if not _is_of_no_student(parts)]
    # A zip often has everything in one folder of its own name.
    top = {parts[0] for parts, _ in listed if len(parts) > 1}
    if not place.is_dir() and top in ({place.stem}, {"submitted"}, {"submissions"}):
        listed = [(parts[1:] or parts, read) for parts, read in listed]
    found: dict[tuple[str, str], Submission] = {}
    for parts, read in listed:
        student, name = _whose(parts)
        found.setdefault((student, name), Submission(student, name, read))
    if not found:
        raise CourseError(f"{place} holds no notebook; each student should have a folder in it.")
    kept = list(_not_too_many(found[key] for key in sorted(found)))
    if len(kept) > MOST_FILES:
        raise CourseError(f"{place} holds more than {MOST_FILES:,} files; hand over less at once.")
    return kept


def _not_too_many(submissions: Iterable[Submission]) -> Iterator[Submission]:
    """No more of one student than anybody needs, so that nobody holds up the class."""
    for student, group in groupby(submissions, key=lambda submission: submission.student):
        handed_in = list(group)
        yield from handed_in[:MOST_FILES_OF_ONE]
        if len(handed_in) > MOST_FILES_OF_ONE:
            sentence = f"Only {MOST_FILES_OF_ONE} files of a student are read. Hand in fewer."
            yield Submission(student, "too many files", _refusing(sentence))


def _refusing(sentence: str) -> Callable[[], bytes]:
    def refuse() -> bytes:
        raise UnreadableError(sentence)

    return refuse


Found = Iterator[tuple[tuple[str, ...], Callable[[], bytes]]]


def _in_folder(place: Path) -> Found:
    for folder, folders, names in os.walk(place, followlinks=False):
        if len(Path(folder).relative_to(place).parts) >= _MOST_DEEP:
            folders.clear()
        for name in names:
            if name.lower().endswith(_WANTED):
                path = Path(folder) / name
                parts = tuple(map(_text, path.relative_to(place).parts))
                if name.lower().endswith(".zip"):
                    yield from _inner_zip(parts, partial(_read_file, path, MOST_NESTED))
                else:
                    yield parts, partial(_read_file, path, MOST_BYTES)


def _read_file(path: Path, most: int) -> bytes:
    """A regular file, and no other: a pipe would never end, a link leads elsewhere."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise UnreadableError("This is a link, not a file. Hand in the notebook itself.")
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("This is no regular file. Hand in the notebook itself.")
            return file.read(most + 1)
    except OSError as error:
        raise UnreadableError(f"The file cannot be read ({error.strerror}).") from None


def _in_zip(place: Path) -> Found:
    try:
        archive = zipfile.ZipFile(place)
        yield from _members(lambda: archive, (), MOST_FILES)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise CourseError(f"{place} is a damaged zip ({error}); download it again.") from None


def _members(opened: Callable[[], zipfile.ZipFile], outer: tuple[str, ...], most: int) -> Found:
    archive = opened()
    infos = archive.infolist()
    if len(infos) > most or sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise CourseError(
            f"{archive.filename or '/'.join(outer)} would unpack to too much; a zip of notebooks "
            "does not. Nothing was read from it."
        )
    for info in infos:
        path = PurePosixPath(_text(info.filename).replace("\\", "/"))
        is_link = stat.S_ISLNK(info.external_attr >> 16)
        odd = path.is_absolute() or ".." in path.parts or is_link
        if info.is_dir() or odd or not path.name.lower().endswith(_WANTED):
            continue
        if path.parts[0][1:2] == ":" or len(path.parts) > _MOST_DEEP:
            continue
        if path.name.lower().endswith(".zip"):
            if not outer:
                read = _reader(opened, info, MOST_NESTED)
                yield from _inner_zip(path.parts, read)
        else:
            yield (*outer, *path.parts), _reader(opened, info, MOST_BYTES)


def _reader(
    opened: Callable[[], zipfile.ZipFile], info: zipfile.ZipInfo, most: int
) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            # What the header says of the size is the student's word; this is a limit.
            with opened().open(info) as file:
                return file.read(most + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
            raise UnreadableError(f"The file in the zip cannot be read ({error}).") from None
        except Exception as error:  # zlib.error, LZMAError
            raise UnreadableError(f"The file in the zip is damaged ({error}).") from None

    return read


def _inner_zip(parts: tuple[str, ...], read: Callable[[], bytes]) -> Found:
    """A zip that a student handed in; what is wrong with it costs that student only."""

    def opened() -> zipfile.ZipFile:  # each time anew, so that no zip stays in memory
        data = read()
        if len(data) > MOST_NESTED:
            raise UnreadableError("The zip is too large. Hand in the notebook itself.")
        return zipfile.ZipFile(io.BytesIO(data))

    outer = parts[:-1] if len(parts) > 1 else (PurePosixPath(parts[-1]).stem,)
    try:
        files = list(_members(opened, outer, _MOST_MEMBERS))
    except Exception as error:  # also what zipfile makes of nonsense: struct.error, IndexError, …
        sentence = (
            str(error)
            if isinstance(error, UnreadableError)
            else "The zip cannot be unpacked. Hand in the notebook itself."
        )
        yield parts, _refusing(sentence)
        return
    yield from files


# Moodle: "Ada Lovelace_1234567_assignsubmission_file_", as a folder or before the file's name;
# Canvas: "lovelaceada_LATE_123_4567_name.ipynb".
_MOODLE = re.compile(r"^(.+?_\d+)_assignsubmission_file_?(.*)$")
_CANVAS = re.compile(r"^([^_]+)(?:_LATE)?_(\d+)_\d+_(.+)$")


def _whose(parts: tuple[str, ...]) -> tuple[str, str]:
    """The student and the name of a file, from where it lies."""
    first = _MOODLE.match(parts[0])
    if len(parts) > 1:
        return (first[1] if first else parts[0]), "/".join(parts[1:])
    if first and first[2]:
        return first[1], first[2]
    if canvas := _CANVAS.match(parts[0]):
        return f"{canvas[1]}_{canvas[2]}", canvas[3]
    return PurePosixPath(parts[0]).stem, parts[0]


def _is_of_no_student(parts: tuple[str, ...]) -> bool:
    """Checkpoints of Jupyter and what systems put beside files."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _text(name: str) -> str:
    """A name without half characters and control characters, so that it can be written anywhere."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "�" for c in text)
