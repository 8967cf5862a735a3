"""What the accessibility checker axe-core finds on a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

THREADS = "https://github.com/jupyterlab/jupyterlab/issues/"


class Upstream(NamedTuple):
    """A rule that JupyterLab itself breaks: where, and the issue in which that is discussed."""

    part: str
    issue: int


# In its frame around our texts and outputs.
FRAME = {
    "aria-allowed-attr": Upstream("jp-button", 16891),  # aria-pressed on the toolbar's buttons
    "aria-input-field-name": Upstream("cm-content", 10347),  # the editor of a cell has no name
    "aria-required-children": Upstream("jp-WindowedPanel-viewport", 14765),  # the list of cells
    "color-contrast": Upstream("jp-InputPrompt", 10008),  # the number of a cell, colours of code
    "region": Upstream("jp-skiplink-wrapper", 9688),  # the link that skips to the notebook
}
# In what it makes of our Markdown.
RENDERED = {
    "link-in-text-block": Upstream("jp-RenderedMarkdown", 9399),  # links are not underlined
}


def thread(listed: Mapping[str, Upstream], rule: str) -> str:
    return f"{THREADS}{listed[rule].issue}" if rule in listed else "not listed"


# axe sees contrast only on a page that has a height of its own, which JupyterLab's has not.
_HEIGHT = "html, body { height: 100vh !important; }"


class Violation(NamedTuple):
    """One element that breaks one rule."""

    rule: str
    selector: str
    html: str
    why: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.html} at {self.selector}: {self.why}"


def violations(page: Page, inside: str = "html", *, undecided: bool = True) -> list[Violation]:
    """What axe-core finds inside the elements of a selector, of which one must exist.

    What it cannot decide, such as the contrast of a text that is covered, counts as found unless
    ``undecided`` is false; signs such as ✓, which axe-core takes for pictures, the quotation
    marks that the browser sets and what is written in a drawing do not. The last it can never
    decide; tests/test_draw.py measures its contrast.
    """
    assert page.locator(inside).count(), f"nothing matches {inside}"
    page.add_style_tag(content=_HEIGHT)
    kinds = ["violations", "incomplete"] if undecided else ["violations"]
    found = Axe().run(page, context=inside, options={"resultTypes": kinds}).response
    return [
        Violation(
            rule["id"],
            " ".join(map(str, node["target"])),
            node["html"][:160],
            "; ".join(check["message"] for check in node["any"]),
        )
        for kind in kinds
        for rule in found[kind]
        for node in rule["nodes"]
        if not any(_is_only_a_sign(check) for check in node["any"])
        if not (kind == "incomplete" and node["html"].startswith("<text"))
    ]


# Why axe-core leaves a contrast undecided: it is no letter, it is a single one, it is a <q>'s mark.
SIGNS = ("nonBmp", "shortTextContent", "pseudoContent")


def _is_only_a_sign(check: dict[str, Any]) -> bool:
    data = check.get("data")
    return isinstance(data, dict) and data.get("messageKey") in SIGNS
