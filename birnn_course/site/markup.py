"""Text, code and HTML as they stand in the Markdown of a page."""

from __future__ import annotations

import html
import re
from pathlib import Path

_SPECIAL = re.compile(r"([\\*_\[\]<>#$&|~{}!])")


def plain(text: str) -> str:
    """A text without the backticks around its code."""
    return text.replace("`", "")


def escaped(text: str) -> str:
    """A text in which nothing but code between backticks means anything to Markdown."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick too many
        return _SPECIAL.sub(r"\\\1", text).replace("`", r"\`")
    return "`".join(p if i % 2 else _SPECIAL.sub(r"\\\1", p) for i, p in enumerate(parts))


def fenced(text: str, language: str) -> str:
    """A block of code; nothing in it can end it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def block(markup: str) -> str:
    """HTML as one block of Markdown: a blank line would end it."""
    return re.sub(r"\n(?:[ \t]*\n)+", "\n<!-- -->\n", markup.strip())


def link(address: str, text: str) -> str:
    """A link within a paragraph; Markdown's own are looked up among the sources."""
    return f'<a href="{html.escape(address)}">{text}</a>'


def up_from(path: str) -> str:
    """What leads from a page to the root of the site, as ``../`` from ``beliefs/x``."""
    return "../" * path.count("/")


def style(*sheets: Path) -> str:
    """A style element of a page; the colours of the course are the site's."""
    return f"<style>{''.join(path.read_text(encoding='utf-8') for path in sheets)}</style>"
