"""What the pages of a site ask for and lead to, read from the files."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ASKS = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src"}
"""What a browser fetches without being asked, and by which attribute."""


class Read(HTMLParser):
    """The anchors, the links and the requests of one page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.asked: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.anchors |= {known[name] for name in ("id", "name") if name in known}
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        if known.get("property") == "og:image":
            self.asked.append(known["content"])
        if ASKS.get(tag) in known:
            self.asked.append(known[ASKS[tag]])


def dead(folder: Path) -> list[str]:
    """Each link and request of a site within itself that leads to nothing."""
    pages = {path.resolve(): Read(path) for path in sorted(folder.rglob("*.html"))}
    return [
        f"{page.relative_to(folder.resolve())}: {target}"
        for page, read in pages.items()
        for target in read.links + read.asked
        if not urlsplit(target).scheme and not _is_there(page, target, pages)
    ]


def _is_there(page: Path, target: str, pages: dict[Path, Read]) -> bool:
    parts = urlsplit(target)
    other = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if parts.fragment and other in pages:
        return unquote(parts.fragment) in pages[other].anchors
    return other.is_file()


def elsewhere(folder: Path) -> Iterator[str]:
    """Each thing that a page of a site fetches from another place."""
    for page in sorted(folder.rglob("*.html")):
        for target in Read(page).asked:
            if urlsplit(target).scheme not in ("", "data") or target.startswith("//"):
                yield f"{page.name}: {target}"
