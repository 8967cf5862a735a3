"""What a stored notebook must look like, as functions from a notebook to a list of problems.

nbval compares outputs, but it accepts notebooks without any, cells out of order, and pictures
without a word. These rules look at what it does not. ``test_rules.py`` runs them on every notebook
and plants a failure for each.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

from birnn_course.course import UNITS
from birnn_course.misconceptions import catalogue

from colab import has_tag
from tables import heads_without_names

IGNORED = "nbval-ignore-output"
MOST_IGNORED = 0.15
MOST_BYTES = 300_000
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# Text that would change with the machine, the clock or a version.
CHANGING = {
    "a path of this machine": r"(?<![\w.])/(?:home|root|Users|tmp|usr|opt|work)/|[A-Z]:\\\\",
    "an object's address": r"0x[0-9a-f]{6,}",
    "a time": r"\b\d+(?:\.\d+)? ?(?:ms|µs|s|sec|seconds|minutes)\b",
    "a date": r"\b20\d\d-\d\d-\d\d\b",
    "a version": r"\b\d+\.\d+\.\d+\b",
    "a device": r"\bcuda(?::\d+)?\b|device\(",
}

Notebook = Any
Rule = Callable[[Notebook], list[str]]


def code_cells(notebook: Notebook) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", ()))


def _texts(cell: Any) -> Iterator[str]:
    """What a cell stored as text: printed, or the plain and HTML forms of what it showed."""
    for output in cell.outputs:
        yield output.get("text", "")
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                yield re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", data)


class _Images(HTMLParser):
    """The pictures of an HTML text: alternative text and source of each.

    A drawing in the text itself says what it shows by ``aria-label`` or its ``<title>``; its
    source is where it stands. One that stands beside its PNG in a figure is the same picture.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._in_title = self._is_drawing = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: (value or "").strip() for name, value in attrs}
        if tag == "img":
            self.found.append((attributes.get("alt", ""), attributes.get("src", "")))
        elif tag == "figure":
            self._is_drawing = attributes.get("class") == "birnn-draw"
        elif tag == "svg":
            label = attributes.get("aria-label", "")
            if not (self._is_drawing and self.found and label == self.found[-1][0]):
                self.found.append((label, f"{self.getpos()} in {id(self)}"))
        self._in_title = tag == "title"

    def handle_data(self, data: str) -> None:
        if self._in_title and self.found and not self.found[-1][0]:
            self.found[-1] = data.strip(), self.found[-1][1]
        self._in_title = False


def pictures(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Alternative text and source of every picture, in texts and in outputs."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from _Images(cell.source).found
            yield from re.findall(r"!\[([^\]]*)\]\(([^)\s]*)", cell.source)
        else:
            for output in cell.get("outputs", ()):
                yield from _Images(output.get("data", {}).get("text/html", "")).found


def repeated_alternatives(shown: Iterable[tuple[str, str]]) -> list[str]:
    """Alternative texts that stand for more than one picture."""
    sources: dict[str, set[str]] = {}
    for alt, source in shown:
        sources.setdefault(alt, set()).add(source)
    return [alt for alt, those in sources.items() if len(those) > 1]


def ran_in_order(notebook: Notebook) -> list[str]:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts and counts == list(range(1, len(counts) + 1)):
        return []
    return [f"the cells were not run in order from a fresh kernel: {counts}"]


def outputs_are_stored(notebook: Notebook) -> list[str]:
    if any(cell.outputs for cell in code_cells(notebook)):
        return []
    return ["no output is stored, so nothing would be compared"]


def no_error_no_stderr(notebook: Notebook) -> list[str]:
    return [
        f"cell {cell.execution_count} stores {output.get('name', 'an error')}"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def no_widget_state(notebook: Notebook) -> list[str]:
    problems = ["widget state is stored"] if "widgets" in notebook.metadata else []
    return problems + [
        f"cell {cell.execution_count} stores a widget view, which is dead without its state"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if WIDGET_VIEW in output.get("data", {})
    ]


def no_installing(notebook: Notebook) -> list[str]:
    return [
        f"cell {cell.execution_count} installs packages"
        for cell in code_cells(notebook)
        if re.search(r"(?m)^\s*[%!]\s*(?:\w+\s+-m\s+)?(?:pip|conda|uv)\b", cell.source)
        and not has_tag(cell)
    ]


def no_network(notebook: Notebook) -> list[str]:
    pattern = r"https?://|urlopen|requests\.|<script|torch\.hub"
    return [
        f"cell {cell.execution_count} needs the network, or looks as if: {found[0]}"
        for cell in code_cells(notebook)
        for text in [cell.source, *_texts(cell)]
        if (found := re.search(pattern, text)) and not has_tag(cell)
    ] + [
        f"a text loads an image from the network: {found[0]}"
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        and (found := re.search(r"!\[[^\]]*\]\(https?://|<img[^>]+src=.?https?://", cell.source))
    ]


def text_does_not_change(notebook: Notebook) -> list[str]:
    return [
        f"cell {cell.execution_count} stores {what}: {found[0]!r}"
        for cell in code_cells(notebook)
        if IGNORED not in tags(cell)
        for text in _texts(cell)
        for what, pattern in CHANGING.items()
        if (found := re.search(pattern, re.sub(r"style=\"[^\"]*\"", "", text)))
    ]


def ignored_cells_are_few_and_answered(notebook: Notebook) -> list[str]:
    problems = []
    cells = code_cells(notebook)
    ignored = [i for i, cell in enumerate(cells) if IGNORED in tags(cell)]
    if len(ignored) > MOST_IGNORED * len(cells):
        problems.append(f"{len(ignored)} of {len(cells)} code cells are not compared")
    for i in ignored:
        if not cells[i].metadata.get("birnn", {}).get("ignored_because"):
            problems.append(f"cell {i + 1} is not compared and its metadata gives no reason")
        after = cells[i + 1] if i + 1 < len(cells) else None
        if after is None or not re.search(r"(?m)^\s*assert ", after.source) or not after.outputs:
            problems.append(f"cell {i + 1} is not compared and the next one asserts nothing")
    return problems + [
        f"cell {cell.execution_count} is skipped or allowed to fail"
        for cell in cells
        if {"nbval-skip", "raises-exception"} & set(tags(cell)) or "NBVAL_" in cell.source
    ]


def figures_have_alt_text(notebook: Notebook) -> list[str]:
    return [
        f"cell {cell.execution_count} shows an image without alt text"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if any(kind.startswith("image/") for kind in output.get("data", {}))
    ] + [
        f"an image has {'a trained number in its' if alt else 'no'} alt text: {alt!r}"
        for alt, _ in pictures(notebook)
        if not alt or re.search(r"\d\.\d|\d ?%", alt)
    ]


def alt_texts_differ(notebook: Notebook) -> list[str]:
    return [
        f"two pictures have this text: {alt!r}" for alt in repeated_alternatives(pictures(notebook))
    ]


def columns_are_named(notebook: Notebook) -> list[str]:
    return [
        f"a column has no name in the table that begins {head}"
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for head in heads_without_names(cell.source)
    ]


def messages_of_torch_are_tagged(notebook: Notebook) -> list[str]:
    return [
        f"cell {cell.execution_count} stores a message and lacks the tag torch-message"
        for cell in code_cells(notebook)
        for text in _texts(cell)
        if re.search(r"\b[A-Z]\w*(?:Error|Warning): ", text) and "torch-message" not in tags(cell)
    ]


def demonstrations_are_compared(notebook: Notebook) -> list[str]:
    """The tag mis:… promises a wrong and a right result; conftest.py compares the two."""
    problems = []
    for cell in code_cells(notebook):
        tagged = {tag.removeprefix("mis:") for tag in tags(cell) if tag.startswith("mis:")}
        shown = cell.metadata.get("birnn", {}).get("shows", {})
        if tagged != set(shown) or any(set(pair) != {"wrong", "right"} for pair in shown.values()):
            problems.append(
                f"cell {cell.execution_count} is tagged for {sorted(tagged)} and compares "
                f"{sorted(shown)}: name a wrong and a right expression for each"
            )
        problems += [
            f"cell {cell.execution_count} demonstrates {name}, which is not in the catalogue"
            for name in sorted(tagged - set(catalogue()))
        ]
    return problems


def numbers_that_move_are_claimed(notebook: Notebook) -> list[str]:
    """Behind ≈ stands a number that is not compared: a claim about a name of its cell bounds it.

    A claim is a comparison that conftest.py evaluates when the notebook is compared.
    """
    problems = []
    for cell in code_cells(notebook):
        claims = cell.metadata.get("birnn", {}).get("claims", [])
        if not claims and any("≈" in text for text in _texts(cell)):
            problems.append(f"cell {cell.execution_count} prints ≈ and claims nothing")
        problems += [
            f"cell {cell.execution_count} claims no comparison of a name that it assigns: {claim}"
            for claim in claims
            if not _is_claim(claim, cell.source)
        ]
    return problems


def _is_claim(claim: str, source: str) -> bool:
    try:
        compared = ast.parse(claim, mode="eval").body
    except SyntaxError:
        return False
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    assigned = {node.id for node in nodes if isinstance(node.ctx, ast.Store)}
    used = {node.id for node in ast.walk(compared) if isinstance(node, ast.Name)}
    return isinstance(compared, ast.Compare) and bool(assigned & used)


def no_semicolons(notebook: Notebook) -> list[str]:
    """A front end hides the value of a line that ends so, and nbval does not."""
    return [
        f"cell {cell.execution_count} ends with a semicolon; assign the value instead"
        for cell in code_cells(notebook)
        if cell.source.rstrip().endswith(";")
    ]


def starts_with_setup(notebook: Notebook) -> list[str]:
    first = next(cell for cell in code_cells(notebook) if not has_tag(cell))
    if re.search(r"\bsetup\(", first.source):
        return []
    return ["the first code cell does not call setup()"]


def opens_like_a_unit(notebook: Notebook) -> list[str]:
    first = notebook.cells[0].source
    for unit in UNITS:
        if first.startswith(f"# {unit.number} · {unit.title}: exercises"):
            return [] if unit.has_exercises else ["the unit has no exercises in course.py"]
        if first.startswith(f"# {unit.number} · {unit.title}: deeper"):
            return [] if unit.has_deeper else ["the unit goes no deeper in course.py"]
        if first.startswith(f"# {unit.number} · {unit.title}"):
            missing = [aim for aim in unit.objectives if aim not in first.replace("*", "")]
            problems = [f"the opening lacks an objective of course.py: {aim}" for aim in missing]
            low, high = unit.minutes
            takes = f"about {low} minutes" if low == high else f"{low} to {high} minutes"
            if takes not in first:
                problems.append(f"the opening does not say: {takes}")
            return problems + (
                [] if "You need" in first else ["the opening names no prerequisites"]
            )
    return ["the title is not that of a unit in course.py"]


def small_enough(notebook: Notebook) -> list[str]:
    import nbformat

    size = len(nbformat.writes(notebook).encode())
    return [f"{size:,} bytes are too many"] if size > MOST_BYTES else []


RULES: tuple[Rule, ...] = (
    ran_in_order,
    outputs_are_stored,
    no_error_no_stderr,
    no_widget_state,
    no_installing,
    no_network,
    text_does_not_change,
    ignored_cells_are_few_and_answered,
    figures_have_alt_text,
    alt_texts_differ,
    columns_are_named,
    messages_of_torch_are_tagged,
    demonstrations_are_compared,
    numbers_that_move_are_claimed,
    no_semicolons,
    starts_with_setup,
    opens_like_a_unit,
    small_enough,
)
