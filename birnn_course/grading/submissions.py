"""Find what was handed in: folders, nbgrader's layout, or a zip of a learning platform.

Names and contents come from students. Nothing is unpacked to the disk, no link is followed, and
only regular files are opened.
"""

from __future__ import annotations

import io
import os
import stat
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from birnn_course.errors import CourseError
from birnn_course.files import numbered
from birnn_course.grading.notebooks import MOST_BYTES, UnreadableError
from birnn_course.grading.platforms import Place, whose
from birnn_course.grading.printable import printable_name, shortened

MOST_FILES = 20_000
MOST_FILES_OF_ONE = 40
_MOST_DEEP = 20  # folders in folders
MOST_UNPACKED = 4 * 2**30
MOST_NESTED = 20 * 2**20
_MOST_MEMBERS = 1_000  # of a zip that a student made
_MEMBER = b"PK\x01\x02"  # stands before each in the list at the end of a zip
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
    when : tuple of numbers
        Larger for what was handed in later by the same student: the number of the upload if the
        platform says it, the time of the file, the time of the file in the zip.
    is_left_out : bool
        Whether it is not to be marked; then ``read`` says why.
    """

    student: str
    name: str
    read: Callable[[], bytes]
    when: tuple[float, ...] = ()
    is_left_out: bool = False

    @property
    def is_notebook(self) -> bool:
        """Whether it is to be marked; else it is a record, or there is none."""
        return bool(self.name) and not self.name.lower().endswith(".json")


def find(place: Path, leaving_out: Collection[Path] = ()) -> list[Submission]:
    """All notebooks and exported records, sorted by student and name.

    A student without a notebook has one submission without a name, whose ``read`` says what was
    handed in instead. Files of one name that lie in different places are different files.

    Parameters
    ----------
    place : Path
        A folder with one folder for each student, nbgrader's ``submitted/``, or a zip.
    leaving_out : collection of Path
        Folders in it that nobody handed in, such as OUT.

    Raises
    ------
    CourseError
        If there is nothing, or the zip is damaged or would unpack to too much.
    """
    if place.is_dir():
        files = _in_folder(place, {path.parent.resolve() / path.name for path in leaving_out})
    elif place.is_file() and zipfile.is_zipfile(place):  # no device, which may have no end
        files = _in_zip(place)
    elif place.exists():
        raise CourseError(f"{place} is neither a folder nor a zip; name one of these.")
    else:
        raise CourseError(f"there is no {place}; name the folder or zip with the submissions.")
    listed = [file for file in files if not _is_of_no_student((*file.parts, *file.inside))]
    # A zip often has everything in one folder of its own name.
    top = {file.parts[0] for file in listed if file.read and len(file.parts) > 1}
    if not place.is_dir() and top in ({place.stem}, {"submitted"}, {"submissions"}):
        listed = [
            file._replace(parts=file.parts[1:] or file.parts)
            for file in listed
            if file.parts[0] in top or len(file.parts) == 1
        ]
    found: dict[tuple[str, str], Submission] = {}
    without: dict[str, list[str]] = defaultdict(list)
    for file, owner, name in _named(listed):
        is_notebook = file.read is not None and not name.lower().endswith(".json")
        if not is_notebook and _shows_a_student(file, owner):
            without[owner.student].append(name)
        if file.read is not None:
            when = (owner.upload, *file.when)
            found[owner.student, name] = Submission(owner.student, name, file.read, when)
    having = {submission.student for submission in found.values() if submission.is_notebook}
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
        newest = sorted(handed_in, key=lambda s: (s.when, s.name))[-MOST_FILES_OF_ONE:]
        yield from sorted(newest, key=lambda submission: submission.name)
        if len(handed_in) > MOST_FILES_OF_ONE:
            reason = f"Only {MOST_FILES_OF_ONE} files of a student are read, the newest."
            yield Submission(student, "too many files", _refusing(reason, "Hand in fewer."))


def _instead(names: Sequence[str]) -> tuple[str, str]:
    """The note on a student without a notebook, from the names of what there is."""
    files = sorted(shortened(name) for name in names if name and not name.endswith("/"))
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    there = f"There is {', '.join(files[:_MOST_NAMED])}{more}." if files else "There is nothing."
    return f"No notebook was handed in. {there}", _ITSELF


_MOST_NAMED = 5
_ITSELF = "Hand in the notebook itself."


def _refusing(reason: str, advice: str = "") -> Callable[[], bytes]:
    def refuse() -> bytes:
        raise UnreadableError(reason, advice)

    return refuse


class _File(NamedTuple):
    """Where a file lies and how to read it.

    ``parts`` are those of the file that was handed in; ``inside`` those in it, if it is a zip.
    ``read`` is None for what is not read, such as a folder, whose last part is empty: it shows that
    there is a student. ``when`` is the time of the file, and of the file in the zip.
    """

    parts: tuple[str, ...]
    read: Callable[[], bytes] | None
    when: tuple[float, ...] = ()
    inside: tuple[str, ...] = ()


def _shows_a_student(file: _File, owner: Place) -> bool:
    """Not so a loose file that no platform named; but whoever makes a zip is one."""
    is_loose = len(file.parts) == 1 and owner.name == file.parts[0]
    return not is_loose or file.parts[0].lower().endswith(".zip")


def _named(files: Sequence[_File]) -> Iterator[tuple[_File, Place, str]]:
    """Each file with its owner and a name that no other file of theirs has.

    What lies in a zip is called as if it were unpacked beside it. If a name is there twice, the
    zip stands in it too; if it still is, the platform's own name of the file does.
    """
    owners = [whose(file.parts) for file in files]
    keys: dict[int, tuple[str, str]] = {}
    left = [number for number, file in enumerate(files) if file.read is not None]
    for choice in range(3):
        asked = {
            number: (owners[number].student, _names(files[number], owners[number])[choice])
            for number in left
        }
        times, taken = Counter(asked.values()), set(keys.values())
        keys |= {n: key for n, key in asked.items() if times[key] == 1 and key not in taken}
        left = [number for number in left if number not in keys]
    taken = set(keys.values())
    for number in left:  # the same member of the same zip twice
        student = owners[number].student
        path = PurePosixPath(_names(files[number], owners[number])[0])
        free = numbered(str(path.with_suffix("")), path.suffix)
        keys[number] = next((student, name) for name in free if (student, name) not in taken)
        taken.add(keys[number])
    for number, (file, owner) in enumerate(zip(files, owners, strict=True)):
        _, name = keys.get(number, ("", _names(file, owner)[0]))
        yield file, owner, name


def _names(file: _File, owner: Place) -> tuple[str, str, str]:
    """What a file may be called, from short to certain."""
    zipped = "/".join((owner.name, *file.inside))
    path = "/".join((*file.parts, *file.inside))
    if not file.inside:
        return owner.name, owner.name, path
    beside = [part for part in owner.name.split("/")[:-1] if part]
    return "/".join((*beside, *file.inside)), zipped, path


def _in_folder(place: Path, leaving_out: Collection[Path]) -> Iterator[_File]:
    zips: Counter[str] = Counter()
    here = place.resolve()
    for folder, folders, names in os.walk(place, followlinks=False):
        above = Path(folder).relative_to(place).parts
        folders[:] = [name for name in folders if here.joinpath(*above, name) not in leaving_out]
        if not above:
            yield from (_File((printable_name(name), ""), None) for name in folders)
        if len(above) >= _MOST_DEEP:
            folders.clear()
        for name in names:
            path = Path(folder) / name
            parts = tuple(map(printable_name, (*above, name)))
            if not name.lower().endswith(_WANTED):
                yield _File(parts, None)
                continue
            when = _modified(path)
            if name.lower().endswith(".zip"):
                yield from _inner_zip(parts, partial(_read_file, path, MOST_NESTED), when, zips)
            else:
                yield _File(parts, partial(_read_file, path, MOST_BYTES), (when,))


def _modified(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


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


def _in_zip(place: Path) -> Iterator[_File]:
    try:
        archive = zipfile.ZipFile(place)
        zips: Counter[str] = Counter()
        for file in _members(lambda: archive, MOST_FILES, MOST_NESTED):
            if file.read is not None and file.parts[-1].lower().endswith(".zip"):
                yield from _inner_zip(file.parts, file.read, file.when[0], zips)
            else:
                yield file
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise CourseError(f"{place} is a damaged zip ({error}); download it again.") from None


def _members(
    opened: Callable[[], zipfile.ZipFile], most: int, most_nested: int = 0
) -> Iterator[_File]:
    """What is in a zip. A zip in it is read up to ``most_nested`` bytes; 0 leaves it alone."""
    archive = opened()
    infos = archive.infolist()
    if len(infos) > most or sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise CourseError(
            f"{archive.filename} would unpack to too much; a zip of notebooks does not. Nothing "
            "was read from it."
        )
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        is_link = stat.S_ISLNK(info.external_attr >> 16)
        odd = path.is_absolute() or ".." in path.parts or not path.parts
        if odd or path.parts[0][1:2] == ":" or len(path.parts) > _MOST_DEEP:
            continue
        parts = tuple(map(printable_name, path.parts))
        is_zip = path.name.lower().endswith(".zip")
        if info.is_dir() or is_link or not path.name.lower().endswith(_WANTED):
            yield _File((*parts, *([""] if info.is_dir() else [])), None)
        elif not is_zip or most_nested:
            read = _reader(opened, info, most_nested if is_zip else MOST_BYTES)
            yield _File(parts, read, (_time_of(info),))


def _time_of(info: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):  # a date that there is not
        return 0.0


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


def _inner_zip(
    parts: tuple[str, ...], read: Callable[[], bytes], when: float, zips: Counter[str]
) -> Iterator[_File]:
    """A zip that a student handed in; what is wrong with it costs that student only."""

    def opened() -> zipfile.ZipFile:  # each time anew, so that no zip stays in memory
        data = read()
        if len(data) > MOST_NESTED:
            raise UnreadableError("The zip is too large.", _ITSELF)
        if data.count(_MEMBER) > 20 * _MOST_MEMBERS:  # before there is an object for each
            raise UnreadableError("The zip holds too many files.", _ITSELF)
        return zipfile.ZipFile(io.BytesIO(data))

    student = whose(parts).student
    zips[student] += 1
    try:
        if zips[student] > MOST_FILES_OF_ONE:
            raise UnreadableError(f"Only {MOST_FILES_OF_ONE} zips of a student are read.")
        files = list(_members(opened, _MOST_MEMBERS))
    except UnreadableError as error:
        yield _File(parts, _refusing(error.reason, error.advice), (when,))
    except Exception:  # also what zipfile makes of nonsense: struct.error, IndexError, …
        yield _File(parts, _refusing("The zip cannot be unpacked.", _ITSELF), (when,))
    else:
        yield _File(parts, None)
        for file in files:
            yield _File(parts, file.read, (when, *file.when), file.parts)


def _is_of_no_student(parts: tuple[str, ...]) -> bool:
    """Checkpoints of Jupyter and what systems put beside files."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)
