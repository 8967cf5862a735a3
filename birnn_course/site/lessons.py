"""Pages of the notebooks: text, code to read, stored outputs, and what lives without a kernel.

What answers a guess is folded together, from behind the guess to the next heading or guess, and
opens with the guess or on request.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal, NamedTuple

import mistune
import nbformat

from birnn_course.course import learner_notebooks, notebooks_folder
from birnn_course.descriptor import MIME
from birnn_course.errors import CourseError
from birnn_course.live import placeholder, restored
from birnn_course.site.pages import Page, lesson_path

NOT_RUN = (
    "Code cannot be run here: what it prints is from an earlier run. To run and change it, get the "
    "course and type <code>make lab</code>, which installs and opens it."
)
STILL = "In the course this one can be explored; here it stands still."
IN_THE_COURSE = "In the course these questions answer you."
_PLAIN = ("", "measured", "drawing")  # what may follow a result and be part of it
DESCRIBED = 220
"""Letters of the longest description of a page."""

# Notebooks know none of what MyST adds to Markdown.
_FRONT = "---\nmyst:\n  disable_syntax: [{}]\n---\n".format(
    ", ".join(f"myst_{name}" for name in ("line_comment", "block_break", "target", "role"))
)
_HEADING = re.compile(r"^(?=#{1,6} )", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_STYLE_OF_KEPT = re.compile(r'(?<=<div class="birnn-kept">)<style>.*?</style>', re.DOTALL)
_TO_RUN = re.compile(r"\s*<em>Run this cell to [^<]*</em>")
_TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def pages() -> list[Page]:
    """The pages of all notebooks of a learner, in course order.

    Raises
    ------
    CourseError
        If a notebook is missing or cannot be read.
    """
    return [page(name, _read(name)) for name in learner_notebooks()]


def _read(name: str) -> Any:
    try:
        return nbformat.read(notebooks_folder() / name, as_version=4)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError):
        raise CourseError(
            f"{name} cannot be read as a notebook; put the course's own copy back."
        ) from None


def page(name: str, notebook: Mapping[str, Any]) -> Page:
    """The page of one notebook.

    Parameters
    ----------
    name : str
        Its file name.
    notebook : mapping
        As nbformat reads it, with stored outputs.
    """
    items = list(_items(notebook["cells"]))
    sources = [
        folded(guess, "\n\n".join(item.source for item, _ in of_one)) if guess else
        "\n\n".join(item.source for item, _ in of_one)
        for guess, of_one in groupby(zip(items, answered(items), strict=True), lambda one: one[1])
    ]  # fmt: skip
    opening = next((c["source"] for c in notebook["cells"] if c["cell_type"] == "markdown"), "")
    title = _plain(opening.partition("\n")[0].lstrip("# ")) or name
    return Page(
        lesson_path(name), title, _FRONT + "\n\n".join(sources) + "\n", description(opening)
    )


class Item(NamedTuple):
    """A piece of a notebook, as MyST Markdown.

    Parameters
    ----------
    kind : {"text", "heading", "code", "output"}
        A text under a heading is one piece with it.
    source : str
        MyST Markdown.
    shows : str
        The kind of what lives in an output; empty for all else.
    guess : str
        The id of a guess, or of the guess that a result answers.
    """

    kind: Literal["text", "heading", "code", "output"]
    source: str
    shows: str = ""
    guess: str = ""


def _items(cells: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    noted = False
    for cell in cells:
        source = cell["source"].strip()
        if cell["cell_type"] == "markdown":
            for part in filter(None, map(str.strip, _parts(source))):
                yield Item("heading" if _HEADING.match(part) else "text", _linked(part))
        elif cell["cell_type"] == "code":
            anchors = "".join(
                f'<span id="{html.escape(tag.replace(":", "-"))}"></span>'
                for tag in cell["metadata"].get("tags", ())
                if tag.startswith("mis:")
            )
            note = "" if noted or not source else _note(NOT_RUN)
            noted = noted or bool(source)
            above = [_raw(anchors + note)] if anchors or note else []
            if source:
                yield Item("code", "\n\n".join([*above, _fenced("ipython3", source)]))
            yield from (item for output in cell["outputs"] if (item := _output(output)))


def _parts(source: str) -> list[str]:
    """A Markdown cell, cut before each heading; a ``#`` in code is none."""
    hidden = _FENCED.sub(lambda match: match[0].replace("#", "\0"), source)
    return [part.replace("\0", "#") for part in _HEADING.split(hidden)]


def _linked(text: str) -> str:
    """A text whose names of notebooks lead to their pages, which lie beside this one."""
    for name in learner_notebooks():
        text = text.replace(f"`{name}`", f"[`{name}`]({name.removesuffix('.ipynb')}.html)")
    return text


def answered(items: Sequence[Item]) -> list[str]:
    """For each piece the guess that it answers, or nothing.

    All that stands between a guess and its result belongs to the answer, and what follows may tell
    it again: up to the next heading, the next guess, or what is used and not read. A heading never
    belongs to it.
    """
    found = [""] * len(items)
    asked = {item.guess for item in items if item.shows == "guess"}
    for start, item in enumerate(items):
        results = [i for i, other in enumerate(items) if other[2:] == ("measured", item.guess)]
        result = next((i for i in results if i > start), None)
        if item.shows != "guess" or result is None:
            continue
        for i in range(start + 1, len(items)):
            kind, _, shows, guess = items[i]
            others = shows == "guess" or (
                shows == "measured" and guess != item.guess and guess in asked
            )
            if i > result and (kind == "heading" or others or shows not in _PLAIN):
                break
            if kind != "heading" and not others:
                found[i] = found[i] or item.guess
    return found


def folded(guess: str, source: str) -> str:
    """What answers a guess, closed until it is made or the answer is asked for."""
    opening = f'<details class="birnn-answer" data-guess="{html.escape(guess)}">'
    summary = "<summary>Just show me</summary>"
    return f"{_raw(opening + summary)}\n\n{source}\n\n{_raw('</details>')}"


def _output(output: Mapping[str, Any]) -> Item | None:
    if output["output_type"] == "stream":
        return _printed(output["text"])
    if output["output_type"] == "error":
        return _printed(f"{output['ename']}: {output['evalue']}")
    data = output["data"]
    known = data.get(MIME, {})
    shows, guess = known.get("kind", ""), known.get("id", "")
    if widget := restored(data):
        return Item(
            "output", _raw(f'<div class="birnn-out">{placeholder(widget)}</div>'), shows, guess
        )
    if shows == "diagnostic":
        number = len(known["questions"])
        text = f"In the course {number} questions wait here. They are on no page: they measure."
        return Item("output", _raw(_note(text)), shows)
    markup = _TO_RUN.sub("", _STYLE_OF_KEPT.sub("", data.get("text/html", "")))
    markup = _TABLE.sub(r'<div class="birnn-wide">\g<0></div>', markup.strip())
    if not markup and "image/png" in data:
        alt = html.escape(data.get("text/plain", ""))
        markup = f'<img alt="{alt}" src="data:image/png;base64,{data["image/png"].strip()}">'
    if not markup:
        return _printed(data.get("text/plain", "")) if "text/html" not in data else None
    note = "" if shows in ("", "drawing", "measured") else IN_THE_COURSE
    note = _note(STILL if shows == "explorer" else note) if note else ""
    return Item("output", _raw(f'<div class="birnn-out">{markup}</div>{note}'), shows, guess)


def _printed(text: str) -> Item | None:
    text = html.escape(uncoloured(text).rstrip(), quote=False)
    return Item("output", _raw(f'<pre class="birnn-printed">{text}</pre>')) if text else None


def uncoloured(text: str) -> str:
    """A text without the codes that colour it in a terminal."""
    return _COLOURS.sub("", text)


def _note(text: str) -> str:
    return f'<p class="birnn-note">{text}</p>'


def _raw(markup: str) -> str:
    return _fenced("{raw} html", markup)


def _fenced(info: str, text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{info}\n{text}\n{fence}"


def description(opening: str) -> str:
    """The first paragraph below the heading, as plain text, cut behind a sentence."""
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", opening))
    first = _plain(next((p for p in paragraphs if p and not p.startswith(("#", "|", ">"))), ""))
    sentences, kept = re.split(r"(?<=[.?!]) ", first), ""
    for sentence in sentences:
        if kept and len(kept) + len(sentence) >= DESCRIBED:
            break
        kept = f"{kept} {sentence}".strip()
    return kept


def _plain(markdown: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", str(mistune.html(markdown)))).strip()
