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
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
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
        The file's name, below the student's folder; empty for who handed in no notebook.
    read : callable
        Returns the bytes; raises :class:`UnreadableError`.
    """

    student: str
    name: str
    read: Callable[[], bytes]


def find(place: Path) -> list[Submission]:
    """All notebooks and exported records, sorted by student and name.

    A student without a notebook has one submission without a name, whose ``read`` says what was
    handed in instead.

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
    top = {parts[0] for parts, read in listed if read and len(parts) > 1}
    if not place.is_dir() and top in ({place.stem}, {"submitted"}, {"submissions"}):
        inside = [(parts, read) for parts, read in listed if parts[0] in top or len(parts) == 1]
        listed = [(parts[1:] or parts, read) for parts, read in inside]
    found: dict[tuple[str, str], Submission] = {}
    without: dict[str, list[str]] = defaultdict(list)
    for parts, read in listed:
        student, name = _whose(parts)
        is_notebook = read is not None and not name.lower().endswith(".json")
        if not is_notebook and (len(parts) > 1 or name != parts[0]):  # else it is of no student
            without[student].append(name)
        if read is not None:
            found.setdefault((student, name), Submission(student, name, read))
    having = {student for student, name in found if not name.lower().endswith(".json")}
    if not having:
        raise CourseError(f"{place} holds no notebook; each student should have a folder in it.")
    for student in without.keys() - having:
        found[student, ""] = Submission(student, "", _refusing(*_instead(without[student])))
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
            reason = f"Only {MOST_FILES_OF_ONE} files of a student are read."
            yield Submission(student, "too many files", _refusing(reason, "Hand in fewer."))


def _instead(names: Sequence[str]) -> tuple[str, str]:
    """The note on a student without a notebook, from the names of what there is."""
    files = sorted(name for name in names if name and not name.endswith("/"))
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    there = f"There is {', '.join(files[:_MOST_NAMED])}{more}." if files else "There is nothing."
    return f"No notebook was handed in. {there}", _ITSELF


_MOST_NAMED = 5
_ITSELF = "Hand in the notebook itself."


def _refusing(reason: str, advice: str = "") -> Callable[[], bytes]:
    def refuse() -> bytes:
        raise UnreadableError(reason, advice)

    return refuse


Found = Iterator[tuple[tuple[str, ...], Callable[[], bytes] | None]]
"""Where each file lies and how to read it. None for what is not read, such as a folder, whose last
part is empty: it shows that there is a student."""


def _in_folder(place: Path) -> Found:
    for folder, folders, names in os.walk(place, followlinks=False):
        above = Path(folder).relative_to(place).parts
        if not above:
            yield from (((_text(name), ""), None) for name in folders)
        if len(above) >= _MOST_DEEP:
            folders.clear()
        for name in names:
            path = Path(folder) / name
            parts = tuple(map(_text, (*above, name)))
            if name.lower().endswith(".zip"):
                yield from _inner_zip(parts, partial(_read_file, path, MOST_NESTED))
            elif name.lower().endswith(_WANTED):
                yield parts, partial(_read_file, path, MOST_BYTES)
            else:
                yield parts, None


def _read_file(path: Path, most: int) -> bytes:
    """A regular file, and no other: a pipe would never end, a link leads elsewhere."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise UnreadableError("This is a link, not a file.", _ITSELF)
        with os.fdopen(os.open(path, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableError("This is no regular file.", _ITSELF)
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
        odd = path.is_absolute() or ".." in path.parts or not path.parts
        if odd or path.parts[0][1:2] == ":" or len(path.parts) > _MOST_DEEP:
            continue
        if info.is_dir() or is_link or not path.name.lower().endswith(_WANTED):
            yield (*outer, *path.parts, *([""] if info.is_dir() else [])), None
        elif not path.name.lower().endswith(".zip"):
            yield (*outer, *path.parts), _reader(opened, info, MOST_BYTES)
        elif not outer:
            yield from _inner_zip(path.parts, _reader(opened, info, MOST_NESTED))


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
            raise UnreadableError("The zip is too large.", _ITSELF)
        return zipfile.ZipFile(io.BytesIO(data))

    outer = parts[:-1] if len(parts) > 1 else (PurePosixPath(parts[-1]).stem,)
    try:
        files = list(_members(opened, outer, _MOST_MEMBERS))
    except UnreadableError as error:
        yield parts, _refusing(error.reason, error.advice)
    except Exception:  # also what zipfile makes of nonsense: struct.error, IndexError, …
        yield parts, _refusing("The zip cannot be unpacked.", _ITSELF)
    else:
        yield (*outer, parts[-1]), None
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
