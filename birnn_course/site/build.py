"""Make the site: Sphinx reads the pages, our theme shows them, and all is put in place at once.

Whatever pages share lies once under ``_static``, named by what is in it. No page asks for anything
that is not in the folder.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tempfile
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from birnn_course import __version__
from birnn_course.course import UNITS, learner_notebooks
from birnn_course.draw.inks import variables
from birnn_course.errors import CourseError
from birnn_course.live import assets, scripts
from birnn_course.site import lessons
from birnn_course.site.pages import MAKERS, Page, lesson_path
from birnn_course.site.sharing import picture

TITLE = "Bidirectional RNNs"
MANIFEST = "birnn-site.json"
"""Says what was in each file of a site, so that nothing else is ever replaced."""
ROOT = "index"
_THEME = Path(__file__).parent / "theme"
_TABLE = re.compile(r'<table class="docutils.*?</table>', re.DOTALL)
_BESIDE = re.compile(r'(<a\b[^>]*\bhref=")(?![a-z]+:|/)([^"#]*)\.(?:ipynb|md)(?=[#"])')
_UNUSED = (
    ".buildinfo", "objects.inv", "_static/basic.css", "_static/pygments.css", "_static/file.png",
    "_static/minus.png", "_static/plus.png",
)  # fmt: skip
"""What Sphinx writes for other uses and other themes."""
_CONFIGURATION = {
    "project": TITLE,
    "version": __version__,
    "release": __version__,
    "root_doc": ROOT,
    "extensions": ["myst_parser"],
    "myst_all_links_external": True,  # they name pages as they will be; a test follows them all
    "exclude_patterns": [],
    "suppress_warnings": ["toc.not_included"],  # a menu of ours leads to the pages
    "html_theme": "theme",
    "html_theme_path": [str(_THEME.parent)],
    "html_title": TITLE,
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_search_summary": False,  # it would be fetched, which no page from a disk can
    "html_use_index": False,
    "html_permalinks": False,
    "smartquotes": False,
}


def write(out: Path) -> list[str]:
    """Write the whole site.

    Parameters
    ----------
    out : Path
        A folder that does not exist, is empty, or holds a site that nobody has changed; it is
        replaced as a whole, when the new one is finished.

    Returns
    -------
    list of str
        One sentence on what was written, and one for each thing that looks wrong.

    Raises
    ------
    CourseError
        If the folder holds anything else, or a notebook cannot be read.
    """
    out = out.resolve()
    refuse_strangers(out)
    made = pages()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        new = Path(folder) / "new"
        warnings = build(made, new)
        files = [path for path in sorted(new.rglob("*")) if path.is_file()]
        known = {path.relative_to(new).as_posix(): _digest(path.read_bytes()) for path in files}
        (new / MANIFEST).write_text(json.dumps(known, indent=0), encoding="utf-8")
        refuse_strangers(out)  # who put a file there meanwhile keeps it
        _put(new, out, Path(folder) / "old")
    size = sum((out / name).stat().st_size for name in known) / 1e6
    return [f"{out.name}: {len(made)} pages, {size:.1f} MB; open {ROOT}.html.", *warnings]


def _put(new: Path, out: Path, old: Path) -> None:
    """Put a folder in the place of another, which goes aside, or back if that fails."""
    if out.exists():
        out.rename(old)
    try:
        new.rename(out)
    except BaseException:
        if old.exists():
            old.rename(out)
        raise


def refuse_strangers(out: Path) -> None:
    """Make sure that a folder may be replaced.

    Raises
    ------
    CourseError
        If it has a file that no site of ours put there, or one that was changed since.
    """
    if out.is_file():
        raise CourseError(f"{out.name} is a file; name a folder.")
    if not out.exists():
        return
    try:
        known = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if name == MANIFEST or (path.is_dir() and not path.is_symlink()):
            continue
        if known.get(name) != _digest(path.read_bytes() if path.is_file() else b""):
            raise CourseError(
                f"{out.name} holds {name}, which this site has not put there as it is now; "
                "name another folder, or move that file away."
            )


def pages() -> list[Page]:
    """All pages of the site, the front page first, then the lessons in course order."""
    made = [page for name in MAKERS for page in _made_by(name)]
    made.sort(key=lambda page: page.path != ROOT)
    return made[:1] + lessons.pages() + made[1:]


def _made_by(name: str) -> list[Page]:
    found: list[Page] = import_module(f"{__package__}.{name}").pages()
    return found


def build(made: Sequence[Page], out: Path) -> list[str]:
    """Let Sphinx make some pages, the front page among them, in an empty folder.

    Parameters
    ----------
    made : sequence of Page
        What is on them.
    out : Path
        The folder; made if it does not exist.

    Returns
    -------
    list of str
        What Sphinx warns of.
    """
    warned = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        for page in made:
            target = source / f"{page.path}.md"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(page.source, encoding="utf-8")
        static = out / "_static"
        static.mkdir(parents=True)
        with docutils_namespace():  # what Sphinx registers is gone afterwards
            app = Sphinx(
                source, None, out, Path(folder) / "doctrees", "html",
                confoverrides=_CONFIGURATION, status=None, warning=warned,
            )  # fmt: skip
            app.connect("html-page-context", partial(_complete, made, static))
            app.build()
        (static / "inks.css").write_text(variables("body"), encoding="utf-8")
        (static / "share.png").write_bytes(picture())
        for name in _UNUSED:
            (out / name).unlink(missing_ok=True)
        (out / "_sources").rmdir()
        lines = warned.getvalue().replace(f"{source}{os.sep}", "").splitlines()
    return [line for line in map(lessons.uncoloured, lines) if line.strip()]


def _complete(
    made: Sequence[Page],
    static: Path,
    app: Sphinx,
    name: str,
    template: str,
    context: dict[str, Any],
    tree: object,
) -> None:
    """Give the template what it knows of a page, and what the page needs of the shared files."""
    at = next((page for page in made if page.path == name), None)
    body = context["body"] = _finished(context.get("body", ""))
    needed = scripts(body, keeps=True)
    files = [_shared(static, part, "js", text) for part, text in needed.items()]
    if at is not None and at.script:
        files.append(_shared(static, "page", "js", at.script))
    style = assets(body, keeps=True).style
    course = [lesson_path(notebook) for notebook in learner_notebooks()]
    titles = {page.path: page.title for page in made}
    place = course.index(name) if name in course else None
    context["birnn"] = {
        "page": at,
        "scripts": files,
        "styles": [_shared(static, "live", "css", style)] if style else [],
        "units": [
            [
                (path, titles[path])
                for path in course
                if path in titles and f"/{unit.number}_" in path
            ]
            for unit in UNITS
        ],
        "others": [
            (page.path, page.title)
            for page in made
            if page.path not in (ROOT, *course)
            and ("/" not in page.path or page.path.endswith("/index"))
        ],
        "earlier": _link(course, titles, place, -1),
        "later": _link(course, titles, place, 1),
        "version": __version__,
    }


def _link(
    course: Sequence[str], titles: dict[str, str], place: int | None, step: int
) -> tuple[str, str] | None:
    """The path and the title of the page before or after one, if there is one."""
    if place is None or not 0 <= place + step < len(course):
        return None
    path = course[place + step]
    return (path, titles[path]) if path in titles else None


def _finished(body: str) -> str:
    """A body whose wide tables scroll in themselves and whose links lead to pages."""
    body = _TABLE.sub(r'<div class="birnn-wide">\g<0></div>', body)
    return _BESIDE.sub(r"\1\2.html", body)


def _shared(static: Path, name: str, suffix: str, text: str) -> str:
    """The name of a file with this text that pages share."""
    data = text.encode()
    file = static / f"{name}-{_digest(data)[:10]}.{suffix}"
    if not file.exists():
        file.write_bytes(data)
    return file.name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
