"""What the widgets share: one style sheet, first lines of script, a form without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget

from birnn_course.draw.inks import variables


def script(*paths: Path) -> str:
    """A widget's scripts as one, after what all of them start with.

    A script in the browser cannot import another one that lies beside it here. The last one
    defines ``render``; if it exports nothing itself, that is what the module exports.
    """
    text = _joined(*paths)
    return text if "export default" in text else f"{text}export default {{ render }};\n"


def classic(name: str, *paths: Path) -> str:
    """The same scripts for a page without modules, which may be opened from a disk.

    Afterwards ``birnn.NAME({ model, el })`` draws it, with anything for a model that has ``get``,
    ``set``, ``save_changes`` and ``on``.
    """
    named = f"globalThis.birnn = {{ ...globalThis.birnn, {name}: render }};"
    return f"(() => {{\n{_joined(*paths)}{named}\n}})();\n"


def _joined(*paths: Path) -> str:
    shared = Path(__file__).with_name("widgets.js")
    return "".join(path.read_text(encoding="utf-8") for path in (shared, *paths))


def style(*sheets: Path) -> str:
    """The style sheet of a widget: the course's colours, what all share, and its own sheets."""
    shared = Path(__file__).with_name("widgets.css")
    texts = (path.read_text(encoding="utf-8") for path in (shared, *sheets))
    # The ground is what widgets.css puts behind a panel.
    return variables(".birnn-panel", "--jp-layout-color1") + "".join(texts)


class CourseWidget(anywidget.AnyWidget):
    """A widget that a static rendering shows as text and HTML; see :meth:`without_kernel`."""

    _css: Any = style()

    def without_kernel(self) -> tuple[str, str]:
        """What is stored and shown where no kernel runs: plain text and HTML, without a key."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        plain, html = self.without_kernel()
        return {**(data or {}), "text/plain": plain, "text/html": html}, metadata
