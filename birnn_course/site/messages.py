"""A page of PyTorch's messages, as it prints them: what each means, and what to do.

The sentences are those that a notebook shows under a traceback, with the numbers of a real call;
see :mod:`birnn_course.explain.messages`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from birnn_course.course import TITLES, UNITS
from birnn_course.explain.messages import Message, messages
from birnn_course.misconceptions import catalogue
from birnn_course.misconceptions.address import belief_path
from birnn_course.misconceptions.lessons import Section, in_sections
from birnn_course.site.markup import block, link, plain, style
from birnn_course.site.pages import Page

PATH = "messages"
GROUPS = {
    "inputs": "What goes into an RNN",
    "outputs": "What comes out of it",
    "packing": "Padding and packing",
    "losses": "Losses and metrics",
}
_HERE = Path(__file__)
_INTRODUCTION = """\
An error is the friendly case: most mistakes with RNNs raise none. Here is what PyTorch says when it
does, what it means, and what to do. Each message comes from wrong code that was run, so the numbers
are those of that code.

In a notebook, `%load_ext birnn_course` writes the same under your own traceback, with your own
numbers.
"""


def pages() -> list[Page]:
    """The one page."""
    parts = ["# What PyTorch's messages mean", _INTRODUCTION, _find()]
    for about, entries in groupby(messages(), lambda message: message.about):
        parts += [f"## {GROUPS[about]}", *_entries(entries)]
    return [
        Page(
            PATH,
            "What PyTorch's messages mean",
            "\n\n".join(parts) + "\n",
            description="PyTorch's messages about RNNs, packing and losses: what each means, and "
            "what to do.",
            head=style(_HERE.with_name("messages.css")),
            script=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
        )
    ]


def _find() -> str:
    """A field for a message; it is there only if the script is."""
    return block(
        '<div class="bm-find" hidden><label for="bm-text">Paste your message, or type a '
        'word of it</label><textarea id="bm-text" rows="2" spellcheck="false"></textarea>'
        '<p role="status"></p></div>'
    )


def _entries(entries: Iterable[Message]) -> Iterator[str]:
    """One for each way to recognise a message, with all that such a message may mean."""
    for fragment, alike in groupby(entries, lambda message: message.fragment):
        cases = "".join(
            f'<p class="bm-raised"><code>{_on_one_line(raised)}</code></p>'
            f"{''.join(map(_meaning, same))}"
            for raised, same in groupby(alike, lambda message: message.raised)
        )
        known = html.escape(in_javascript(fragment))
        yield block(f'<div class="bm-entry" data-known="{known}">{cases}{_met(fragment)}</div>')


def in_javascript(fragment: str) -> str:
    """The same regular expression as JavaScript writes it."""
    return fragment.replace("(?P<", "(?<")


def _meaning(message: Message) -> str:
    code = (
        f'<details><summary>Code that raises it</summary><pre tabindex="0">'
        f"<code>{_on_one_line(message.code)}</code></pre></details>"
        if message.code
        else ""
    )
    return f"<p>{html.escape(message.text)}</p>{_beliefs(message.misconceptions)}{code}"


def _on_one_line(text: str) -> str:
    """With line breaks that neither Markdown nor a browser takes for the end of a block."""
    return html.escape(text).replace("\n", "&#10;")


def _beliefs(names: Iterable[str]) -> str:
    items = []
    for name in names:
        known = catalogue().get(name)
        if known:
            where = f"{TITLES[known.unit]}, unit {known.unit}"
            page = link(f"{belief_path(name)}.html", f"“{html.escape(plain(known.belief))}”")
            items.append(f"<li>{page} <small>{html.escape(where)}</small></li>")
    return (
        f'<p class="bm-behind">What may be behind it:</p><ul>{"".join(items)}</ul>' if items else ""
    )


@cache
def _printed() -> list[tuple[Section, str]]:
    """What the cells that store a message have printed, by section."""
    return [
        (section, "".join("".join(output.get("text", "")) for output in cell.get("outputs", ())))
        for unit in UNITS
        for section, cells in in_sections(unit)
        for cell in cells
        if "torch-message" in cell["metadata"].get("tags", ())
    ]


def _met(fragment: str) -> str:
    """The section of a lesson that raises it on purpose, if there is one."""
    for section, printed in _printed():
        if re.search(fragment, printed):
            where = link(section.link, html.escape(plain(section.heading)))
            return f'<p class="bm-met">Raised on purpose in unit {section.unit}: {where}.</p>'
    return ""
