"""All ratios in one table, ``results/README.md``: the end of ``make bench``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import report

from birnn_course import files

ABOUT = """\
# What was measured

`make bench` makes the pages below and this table. A goal that is missed says so. Ratios come from
one run on one machine, so they say more than seconds do.
"""


class Page(NamedTuple):
    """What the summary takes from a page of results."""

    title: str
    where: str
    ratios: list[list[str]]


def read(path: Path) -> Page | None:
    """A page that :func:`report.page` wrote; None for any other."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = report.table(report.KEY, ()).splitlines()
    if head[0] not in lines or not lines[0].startswith("# "):
        return None
    start = lines.index(head[0])
    end = lines.index("", start)
    rows = [line.strip("| ").split(" | ") for line in lines[start + 2 : end]]
    rows = [[*row, ""][: len(report.KEY)] for row in rows]  # a ratio without a goal ends early
    return Page(lines[0].removeprefix("# "), lines[2], rows)


def summary(folder: Path) -> str:
    """The pages in ``folder``, machine by machine."""
    found = {path: read(path) for path in sorted(folder.glob("*.md")) if path.name != "README.md"}
    pages = {path: page for path, page in found.items() if page is not None}
    parts = [ABOUT]
    for where in dict.fromkeys(page.where for page in pages.values()):
        rows = [
            row for path, page in pages.items() if page.where == where for row in _rows(path, page)
        ]
        parts += [where, report.table(("benchmark", *report.KEY), rows, left=2)]
    others = [f"[{path.stem}]({path.name})" for path, page in found.items() if page is None]
    if others:
        parts.append(f"Measured apart, each by its own command: {', '.join(others)}.\n")
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _rows(path: Path, page: Page) -> Iterator[list[str]]:
    """The name of the page stands in its first row only."""
    for i, row in enumerate(page.ratios):
        yield ["" if i else f"[{page.title}]({path.name})", *row]


def main(arguments: list[str] | None = None) -> None:
    """Write and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=report.RESULTS, help="folder of results")
    folder = parser.parse_args(arguments).out
    text = summary(folder)
    files.write_atomic(folder / "README.md", text)
    print(text)


if __name__ == "__main__":
    main()
