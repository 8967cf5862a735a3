"""What the widgets share: one style sheet, first lines of script, a form without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget


def script(path: Path) -> str:
    """A widget's script, after what all of them start with.

    A script in the browser cannot import another one that lies beside it here.
    """
    shared = Path(__file__).with_name("widgets.js")
    return shared.read_text(encoding="utf-8") + path.read_text(encoding="utf-8")


class CourseWidget(anywidget.AnyWidget):
    """A widget that a static rendering shows as text and HTML; see :meth:`without_kernel`."""

    _css = Path(__file__).with_name("widgets.css")

    def without_kernel(self) -> tuple[str, str]:
        """What is stored and shown where no kernel runs: plain text and HTML, without a key."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        plain, html = self.without_kernel()
        return {**(data or {}), "text/plain": plain, "text/html": html}, metadata
