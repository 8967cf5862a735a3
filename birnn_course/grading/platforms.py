"""Whose a file is, from where a learning platform puts it.

Moodle's ``mod/assign/classes/downloader.php`` names a folder
``Full name_ID_assignsubmission_TYPE`` (older versions with ``_`` at its end), or puts the same and
``_`` before the name of a file. There is no ``_`` in the full name. A team has its own name and
number in their place, and those in no team are ``Default team``, without a number. TYPE is
``file``, ``onlinetext``, or the name of another plugin.

Canvas's ``lib/content_zipper.rb`` puts all in one folder, as
``sortablename[_LATE]_USER_ATTACHMENT_file``, and where names are hidden as
``[LATE_]anon_XXXXX_ATTACHMENT_file``. The name is in small letters, without spaces, and may hold
``_``, but no number between two of them. A text or a link that was handed in has no attachment:
``sortablename[_LATE]_USER_text.html``. Attachments are numbered in the order in which they come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple


class Place(NamedTuple):
    """Whose a file is, what they call it, and the number of its upload (0 if there is none)."""

    student: str
    name: str
    upload: int = 0


_MOODLE = re.compile(r"(?P<who>.+?)_assignsubmission_[a-z0-9]+(?:_(?P<name>.*))?")
_NAME = r"\S*?"
_USER = (
    r"(?:(?:LATE_)?(?P<anonymous>anon_[0-9A-Za-z]{5})"
    rf"|(?P<who>{_NAME})(?:_LATE)?_(?P<id>\d{{1,19}}))"
)
_CANVAS = re.compile(
    rf"{_USER}_(?:(?P<upload>\d{{1,19}})_(?P<name>.+)|(?P<text>(?:text|link)\.html))"
)


def whose(parts: Sequence[str]) -> Place:
    """The student and the name of a file.

    Parameters
    ----------
    parts : sequence of str
        Folders and file, from the folder of the class; the last is empty for a folder.
    """
    moodle = _MOODLE.fullmatch(parts[0])
    if len(parts) > 1:
        return Place(moodle["who"] if moodle else parts[0], "/".join(parts[1:]))
    if moodle and moodle["name"]:
        return Place(moodle["who"], moodle["name"])
    if canvas := _CANVAS.fullmatch(parts[0]):
        student = canvas["anonymous"] or f"{canvas['who']}_{canvas['id']}"
        return Place(student, canvas["name"] or canvas["text"], int(canvas["upload"] or 0))
    return Place(PurePosixPath(parts[0]).stem, parts[0])
