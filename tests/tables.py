"""Tables in Markdown, in notebooks and in documents."""

from __future__ import annotations

import re


def heads_without_names(text: str) -> list[str]:
    """The first lines of tables where a column has no name.

    A screen reader says the head of the column with each cell of a table.
    """
    heads = re.findall(r"(?m)^(\|.*\|)\s*\n\|[\s:|-]+\|$", text)
    return [head for head in heads if not all(name.strip() for name in head[1:-1].split("|"))]
