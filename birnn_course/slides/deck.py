"""From a lesson to its slides: what is shown, and what the lecturer says meanwhile.

The slides are in the notebook's standard metadata, ``slideshow.slide_type``: ``slide`` begins one,
``-`` goes on, ``fragment`` waits for the next key press, ``notes`` is said and not shown, ``skip``
is for readers. A cell may also have ``birnn.slide`` with

- ``minutes``: how long the slide that begins here takes (2 if nothing is said);
- ``aims_at``: ids of the misconceptions that it is aimed at;
- ``vote``: ids of questions that the class votes on, each on a slide of its own when this one is
  done;
- ``title``: the heading of the slide that begins here, if it is not that of its section;
- ``say``: Markdown for the speaker notes, in place of the cell's own long paragraphs;
- ``hide``: ``input`` or ``output`` of a code cell, or ``typed``: the code and what it prints, so
  that the figure stays, or what is live; what it prints is then said;
- ``wait``: ``true`` lets the output of a code cell wait for the next key press;
- ``split``: ``true`` puts the output of a code cell on a slide of its own.

Long paragraphs of a lesson are what a lecturer says, so they become speaker notes. Headings, lists,
guesses, code, outputs and paragraphs of at most :data:`LONGEST` words are shown. What stands before
a heading inside a cell is about the cell before, and is said if that one is on a slide.
"""

from __future__ import annotations

import html
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from birnn_course.errors import CourseError
from birnn_course.explore.limit import LimitExplorer
from birnn_course.live import placeholder, restored
from birnn_course.misconceptions import catalogue
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Question, bank, practice
from birnn_course.questions.showing import markdown
from birnn_course.questions.widget import Quiz

LONGEST = 24
"""Words of the longest paragraph that is shown."""
LONGEST_LINE = 68
"""Letters of a line of code in the largest size; longer ones are broken where that does no harm."""
MINUTES, MINUTES_OF_A_VOTE = 2.0, 3.0
SMALLEST, LARGEST = 20.0, 28.0
"""Pixels of code on a screen 720 high."""
_TYPED = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
_WIDTH, _HEIGHT = 1168, 540  # what code can take of a slide, in pixels
_ASPECT = 0.602  # width by height of a letter of the code's font
TYPES = ("slide", "subslide", "fragment", "notes", "skip", "-")
_KEYS = {"minutes", "aims_at", "vote", "title", "say", "hide", "wait", "split"}

Kind = Literal["text", "code", "output", "figure", "live"]


@dataclass(frozen=True)
class Part:
    """One thing on a slide.

    Parameters
    ----------
    kind : {"text", "code", "output", "figure", "live"}
        What is live answers to mouse and keyboard: an explorable, a guess, its result.
    html : str
    step : bool
        Whether it waits for the next key press.
    """

    kind: Kind
    html: str
    step: bool = False


@dataclass
class Slide:
    """One slide.

    Parameters
    ----------
    heading : str
        HTML; that of the section if the slide has none of its own.
    minutes : float
        How long it takes in a lecture.
    aims_at : tuple of str
        Ids of misconceptions.
    parts : list of Part
        From top to bottom.
    notes : list of str
        HTML of what the lecturer says.
    """

    heading: str
    minutes: float = MINUTES
    aims_at: tuple[str, ...] = ()
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def code_size(self) -> float:
        """Of code and what it prints, in pixels on a screen 720 high: as large as there is room.

        An estimate. Whether a slide fits is measured in a browser, by the tests.
        """
        typed = (_plain(text) for part in self.parts for text in _TYPED.findall(part.html))
        lines = [line for text in typed for line in text.strip("\n").splitlines()]
        words = sum(len(_plain(part.html)) for part in self.parts if part.kind == "text")
        widest = _WIDTH / (_ASPECT * max(map(len, lines), default=1))
        highest = (_HEIGHT - 38 * words / 70) / (1.4 * max(len(lines), 1))
        return max(SMALLEST, min(LARGEST, widest, highest))


@dataclass(frozen=True)
class Deck:
    """The slides of one lesson."""

    title: str
    slides: list[Slide]

    @property
    def minutes(self) -> float:
        """How long the lecture takes."""
        return sum(slide.minutes for slide in self.slides)


def deck(notebook: Mapping[str, Any]) -> Deck:
    """The slides of a lesson.

    Parameters
    ----------
    notebook : mapping
        As nbformat reads it, with stored outputs.

    Raises
    ------
    CourseError
        If a cell's metadata make no sense, or no cell begins a slide.
    """
    slides: list[Slide] = []
    votes: list[Slide] = []  # they come when the slide is done
    section, previous = "", "skip"
    for number, cell in enumerate(notebook["cells"], 1):
        shown = cell["metadata"].get("slideshow", {}).get("slide_type", "skip")
        options = cell["metadata"].get("birnn", {}).get("slide", {})
        _refuse_nonsense(number, shown, options, bool(slides))
        text = _Text(cell["source"]) if cell["cell_type"] == "markdown" else None
        if text is not None and text.heading:
            section = text.heading
        goes_on = shown in ("-", "fragment", "notes")
        if text is not None and slides and (goes_on or previous != "skip"):
            slides[-1].notes += text.before
        if shown != "skip":
            if not goes_on:
                slides, votes = slides + votes, []
                minutes = float(options.get("minutes", MINUTES))
                heading = inline(options.get("title", "")) or section
                slides.append(Slide(heading, minutes, tuple(options.get("aims_at", ()))))
            _add(slides, cell, text, shown, options)
        votes += [_vote(bank()[name]) for name in options.get("vote", ())]
        previous = shown
    if not slides:
        raise CourseError("no cell of this notebook begins a slide.")
    return Deck(_plain(slides[0].heading), slides + votes)


def _refuse_nonsense(number: int, shown: str, options: Mapping[str, Any], begun: bool) -> None:
    problem = ""
    if shown not in TYPES:
        problem = f"slide_type {shown!r} is none of {', '.join(TYPES)}"
    elif unknown := set(options) - _KEYS:
        problem = f"birnn.slide has {sorted(unknown)[0]!r}; known are {', '.join(sorted(_KEYS))}"
    elif unknown := set(options.get("aims_at", ())) - set(catalogue()):
        problem = f"there is no misconception {sorted(unknown)[0]!r}"
    elif unknown := set(options.get("vote", ())) - set(bank()):
        problem = f"there is no question {sorted(unknown)[0]!r}"
    elif options.get("hide") not in (None, "input", "output", "typed"):
        problem = f"hide is {options['hide']!r} and should be 'input', 'output' or 'typed'"
    elif wrong := [
        key for key in ("wait", "split") if not isinstance(options.get(key, True), bool)
    ]:
        problem = f"{wrong[0]} is {options[wrong[0]]!r} and should be true or false"
    elif wrong := [key for key in ("say", "title") if not isinstance(options.get(key, ""), str)]:
        problem = f"{wrong[0]} is {options[wrong[0]]!r} and should be text"
    elif not begun and shown in ("fragment", "notes", "-"):
        problem = "it goes on with a slide that nothing has begun"
    if problem:
        raise CourseError(f"cell {number}: {problem}.")


def _add(
    slides: list[Slide],
    cell: Mapping[str, Any],
    text: _Text | None,
    shown: str,
    options: Mapping[str, Any],
) -> None:
    slide, step = slides[-1], shown == "fragment"
    notes = [markdown(options["say"])] if "say" in options else []
    if text is not None:
        slide.notes += notes or ([text.all] if shown == "notes" else text.long)
        if text.short and shown != "notes":
            slide.parts.append(Part("text", text.short, step))
        return
    hidden = options.get("hide")
    if hidden not in ("input", "typed"):
        source = _comments_above(cell["source"])
        slide.parts.append(Part("code", highlight(source, _LEXER, _FORMATTER), step))
    outputs = [] if hidden == "output" else list(_outputs(cell))
    if hidden == "typed":
        notes += [printed for kind, printed in outputs if kind not in _SEEN]
        outputs = [output for output in outputs if output[0] in _SEEN]
    if options.get("split") and outputs:
        slide = Slide(slide.heading, slide.minutes / 2, slide.aims_at)
        slides[-1].minutes /= 2
        slides.append(slide)
    slide.notes += notes
    step = step or options.get("wait", False)
    slide.parts += [Part(kind, shown_as, step) for kind, shown_as in outputs]


_SEEN = ("figure", "live")  # what cannot be said
_LEXER = PythonLexer()
_FORMATTER = HtmlFormatter(cssclass="code")


def _comments_above(source: str) -> str:
    """Code whose long lines carry no comment: it stands above them, and the letters can grow."""
    lines = source.splitlines()
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        row, column = token.start[0] - 1, token.start[1]
        before = lines[row][:column].rstrip() if token.type == tokenize.COMMENT else ""
        if before and len(lines[row]) > LONGEST_LINE:
            indent = before[: len(before) - len(before.lstrip())]
            lines[row : row + 1] = [indent + token.string, before]
    return "\n".join(lines)


def _wrapped(line: str) -> str:
    """A line that is printed; a message goes on below its beginning."""
    message = _MESSAGE.search(line)
    if len(line) <= 1.1 * LONGEST_LINE or message is None:
        return line
    indent = " " * message.start()
    width = max(LONGEST_LINE, len(indent) + 40)
    wrapped = textwrap.wrap(line[message.start() :], width - len(indent), break_long_words=False)
    return line[: message.start()] + ("\n" + indent).join(wrapped)


_MESSAGE = re.compile(r"\b[A-Z]\w*(Error|Warning): ")


def _outputs(cell: Mapping[str, Any]) -> Iterator[tuple[Kind, str]]:
    for output in cell["outputs"]:
        if output["output_type"] == "stream":
            printed = "\n".join(map(_wrapped, output["text"].rstrip().splitlines()))
            yield "output", f"<pre>{html.escape(printed)}</pre>"
            continue
        data = output.get("data", {})
        widget = restored(data)
        # The limit's rows do not fit on a slide, and a class is asked in the form for lectures.
        if widget and not isinstance(widget, LimitExplorer | Quiz):
            yield "live", placeholder(widget)
        elif markup := data.get("text/html", "").strip():
            yield ("figure" if "<img" in markup or "<svg" in markup else "output"), markup
        elif "text/html" not in data and data.get("text/plain"):
            yield "output", f"<pre>{html.escape(data['text/plain'])}</pre>"


# ── text ────────────────────────────────────────────────────────────────────────────────────────


class _Renderer(mistune.HTMLRenderer):
    """Marks the paragraphs that stand for themselves, in no list and no quotation."""

    def paragraph(self, text: str) -> str:
        """A paragraph."""
        return f"<p class=own>{text}</p>\n"

    def block_quote(self, text: str) -> str:
        """A quotation; in the lessons it asks for a guess."""
        return super().block_quote(text.replace("<p class=own>", "<p>"))

    def list_item(self, text: str) -> str:
        """An entry of a list."""
        return super().list_item(text.replace("<p class=own>", "<p>"))


_render = mistune.create_markdown(
    renderer=_Renderer(escape=False), plugins=["table", "strikethrough"]
)
_OWN = re.compile(r"<p class=own>(.*?)</p>\n", re.DOTALL)
_HEADING = re.compile(r"<h[1-6]>(.*?)</h[1-6]>\n?", re.DOTALL)


class _Text:
    """A Markdown cell, taken apart; what stands before its heading is about the cell before."""

    def __init__(self, source: str) -> None:
        rendered = str(_render(source))
        heading = _HEADING.search(rendered)
        self.heading: str = heading[1] if heading else ""
        before = rendered[: heading.start()].strip() if heading else ""
        self.before = [before.replace("<p class=own>", "<p>")] if before else []
        rest = _HEADING.sub("", rendered[heading.end() :] if heading else rendered)
        self.all = rest.replace("<p class=own>", "<p>")
        own = [p for p in _OWN.findall(rest) if not p.startswith(_FOR_READERS)]
        self.long = [f"<p>{p}</p>" for p in own if not _is_short(p)]
        self.short = _OWN.sub(lambda m: f"<p>{m[1]}</p>\n" if _is_short(m[1]) else "", rest).strip()


def _is_short(paragraph: str) -> bool:
    return len(_plain(paragraph).split()) <= LONGEST and not paragraph.startswith(_FOR_READERS)


_FOR_READERS = ("<strong>Time", "<strong>You need")  # in the opening of a lesson


def _plain(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


# ── votes ───────────────────────────────────────────────────────────────────────────────────────


def _vote(question: Question) -> Slide:
    """Think, vote, talk, vote again; the next key press tells."""
    text = markdown(question.text)
    if question.code:
        text += highlight(question.code, _LEXER, _FORMATTER)
    options = [question.answers[i] for i in shuffled(question)]
    items = []
    for letter, answer in zip("ABCDEFGH", options, strict=False):
        mark = "✓ " if answer.right else "✗ "
        shown = (
            markdown(answer.text)
            if question.kind in ("one", "several")
            else (f"<pre>{html.escape(answer.text.rstrip())}</pre>")
        )
        feedback = f"{mark}{inline(answer.feedback)}"
        right = " right" if answer.right else ""
        items.append(_OPTION.format(letter=letter, shown=shown, feedback=feedback, right=right))
    several = "<p>More than one may be right.</p>" if question.kind == "several" else ""
    parts = [
        Part(
            "text",
            f'<div class="question">{text}{several}</div><ol class="vote">{"".join(items)}</ol>',
        )
    ]
    ids = tuple(dict.fromkeys(a.misconception for a in options if a.misconception))
    asked = [q.id for q in practice(question.unit, deeper=question.deeper)]
    place = ""
    if question.id in asked:
        number = f"{asked.index(question.id) + 1} of {len(asked)}"
        deeper = "deeper " if question.deeper else ""
        place = f"<p>Question {number} in the {deeper}quiz of unit {question.unit}.</p>"
    notes = [
        place,
        "<p>Think alone: half a minute. Vote. If less than two thirds are right, talk to your "
        "neighbour for a minute and vote again. The next key press tells.</p>",
        markdown(question.worked),
    ]
    return Slide("Think · vote · talk · vote again", MINUTES_OF_A_VOTE, ids, parts, notes)


_OPTION = (
    '<li><span class="letter">{letter}</span><div>{shown}'
    '<div class="feedback fragment{right}" data-fragment-index="0">{feedback}</div></div></li>'
)


def inline(text: str) -> str:
    """Markdown of one paragraph as HTML that can stand in a line."""
    return re.sub(r"^<p>(.*)</p>$", r"\1", markdown(text), flags=re.DOTALL)
