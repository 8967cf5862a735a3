"""What a page of the site is made of, and which modules make pages beside the lessons."""

from __future__ import annotations

from typing import NamedTuple

from birnn_course.course import lesson_path as lesson_path

MAKERS = ("front", "beliefs", "messages", "glossary", "answers")
"""Modules of this folder with a function ``pages() -> list[Page]``."""


class Page(NamedTuple):
    """One page before Sphinx has seen it.

    Parameters
    ----------
    path : str
        From the site's root, without suffix: ``"beliefs/last-step-readout"``.
    title : str
        Plain text.
    source : str
        MyST Markdown that opens with a heading; it may hold raw HTML.
    description : str
        One or two sentences for search engines and for whoever shares the page.
    head : str
        HTML for the page's head.
    script : str
        A classic script, run at the page's end. It is kept in a file of its own.
    """

    path: str
    title: str
    source: str
    description: str = ""
    head: str = ""
    script: str = ""
