"""What the accessibility checker axe-core finds on a page."""

from __future__ import annotations

from typing import NamedTuple

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


def violations(page: Page, inside: str = "html") -> list[Violation]:
    """Everything that axe-core finds inside the elements of a selector, of which one must exist."""
    assert page.locator(inside).count(), f"nothing matches {inside}"
    page.add_style_tag(content=_HEIGHT)
    found = Axe().run(page, context=inside, options={"resultTypes": ["violations"]})
    return [
        Violation(rule["id"], " ".join(map(str, node["target"])), node["html"][:160])
        for rule in found.response["violations"]
        for node in rule["nodes"]
    ]
