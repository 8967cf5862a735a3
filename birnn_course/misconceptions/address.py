"""Links to the page of a misconception, where somebody has said where the site stands.

The site is what ``birnn site`` writes. Its address is an option, ``--lessons ADDRESS``, or stands
in the environment variable ``BIRNN_LESSONS``. Nothing is ever fetched from there; without an
address there are no links.
"""

from __future__ import annotations

import html
import os
import re
from urllib.parse import urlsplit

from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue

VARIABLE = "BIRNN_LESSONS"
_NEVER = re.compile(r"[\s\"<>\\?#]")
_LONGEST = 300


def checked(address: str) -> str:
    """An address of the site as links begin with it: without a slash at its end.

    Parameters
    ----------
    address : str
        With http, https or file in front, or a path from where the links stand. Empty for none.

    Raises
    ------
    CourseError
        If it is something else; links to it would lead nowhere, or run something.
    """
    text = address.strip()
    if not _is_address(text):
        raise CourseError(
            f"{text[:80]!r} is no address for links to the lessons; write one as "
            "https://course.example/site, file:///srv/site or ../site."
        )
    return text.removesuffix("/index.html").rstrip("/") or text


def _is_address(text: str) -> bool:
    if len(text) > _LONGEST or not text.isprintable() or _NEVER.search(text):
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # the port must be a number
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return bool(host) and "@" not in parts.netloc
    if parts.scheme == "file":
        return not host and parts.path.startswith("/")
    # what looks like a host without https:// would be taken for a folder
    start = parts.path.partition("/")[0]
    return not parts.scheme and not parts.netloc and (start in (".", "..") or "." not in start)


def one_folder_down(address: str) -> str:
    """The same address for a page that lies in a folder beside the one it was meant for."""
    is_path = address and not urlsplit(address).scheme and not address.startswith("/")
    return f"../{address}" if is_path else address


def belief_path(misconception: str) -> str:
    """Where the page of a misconception lies in the site, without a suffix."""
    return f"beliefs/{misconception}"


def page_of(misconception: str | None, site: str) -> str:
    """The address of its page; empty without an address of the site, or for an unknown id."""
    known = site and misconception in catalogue()
    return f"{site}/{belief_path(misconception or '')}.html" if known else ""


def read_more(misconception: str | None) -> str:
    """A line with the address of its page, for what is printed; empty where there is none."""
    try:
        page = page_of(misconception, checked(os.environ.get(VARIABLE, "")))
    except CourseError as error:
        return f"{VARIABLE}: {error}" if misconception else ""
    return f"Read more: {page}" if page else ""


def read_more_html(misconception: str | None) -> str:
    """The same as HTML, with a link that opens beside the notebook."""
    line = read_more(misconception)
    start, _, page = line.partition("Read more: ")
    if start or not page:
        return html.escape(line)
    return (
        f'Read more: <a href="{html.escape(page)}" target="_blank" rel="noopener" '
        f'style="text-decoration: underline">{html.escape(misconception or "")}</a>'
    )
