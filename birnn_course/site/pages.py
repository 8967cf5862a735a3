"""What a page of the site is, whoever has made it."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """A page.

    Parameters
    ----------
    path : str
        Where it lies, without a suffix, from the root of the site.
    title : str
        Plain text.
    source : str
        MyST Markdown, which may hold HTML.
    description : str
        One sentence for search engines, and for whoever gets a link to it.
    head : str
        HTML for the head of the page.
    script : str
        A classic script for the end of the page.
    """

    path: str
    title: str
    source: str
    description: str = ""
    head: str = ""
    script: str = ""
