"""What the accessibility checker axe-core finds on a page."""

from __future__ import annotations

from typing import Any, NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# axe sees contrast only on a page that has a height of its own, which JupyterLab's has not.
_HEIGHT = "html, body { height: 100vh !important; }"


class Violation(NamedTuple):
    """One element that breaks one rule."""

    rule: str
    selector: str
    html: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.html} at {self.selector}"


def violations(page: Page, inside: str = "html", *, undecided: bool = True) -> list[Violation]:
    """What axe-core finds inside the elements of a selector, of which one must exist.

    What it cannot decide, such as the contrast of a text that is covered, counts as found unless
    ``undecided`` is false; signs such as ✓ do not, which axe-core takes for pictures.
    """
    assert page.locator(inside).count(), f"nothing matches {inside}"
    page.add_style_tag(content=_HEIGHT)
    kinds = ["violations", "incomplete"] if undecided else ["violations"]
    found = Axe().run(page, context=inside, options={"resultTypes": kinds}).response
    return [
        Violation(rule["id"], " ".join(map(str, node["target"])), node["html"][:160])
        for kind in kinds
        for rule in found[kind]
        for node in rule["nodes"]
        if not any(_is_a_sign(check) for check in node["any"])
    ]


def _is_a_sign(check: dict[str, Any]) -> bool:
    data = check.get("data")
    return isinstance(data, dict) and data.get("messageKey") in ("nonBmp", "shortTextContent")
