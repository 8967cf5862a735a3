"""What the widgets share: one style sheet, first lines of script, a form without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget

from birnn_course.descriptor import described
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


VIEW = "application/vnd.jupyter.widget-view+json"

# JupyterLab shows a view whose widget is gone as "model not found", and never the HTML of the same
# output. So the HTML is an output of its own, just before the view, and stays until the view has
# something to show; what the view says meanwhile, or says for ever, is plain text, and is hidden.
_HTML = "*:has(>.birnn-kept,>*>.birnn-kept)"
_KEPT = (
    f"<style>{_HTML}:has(+* .birnn-panel),"
    f"{_HTML}+* .jp-OutputArea-output:not([data-mime-type]):not(:has(*)){{display:none}}"
    ".jp-OutputArea-output>.birnn-kept"
    "{border:1px dashed;border-radius:8px;padding:.6em 1em;max-width:60em}</style>"
)


class CourseWidget(anywidget.AnyWidget):
    """A widget with a text that is stored, and seen wherever no kernel runs.

    See :meth:`without_kernel`. It shows itself as two outputs: what is stored, with the descriptor
    of :mod:`birnn_course.descriptor`, and the live view, which takes its place.
    """

    _css: Any = style()

    def without_kernel(self) -> tuple[str, str]:
        """What is stored and shown where no kernel runs: plain text and HTML, without a key."""
        raise NotImplementedError

    def descriptor(self) -> dict[str, Any]:
        """What it is: ``kind`` and arguments, see :mod:`birnn_course.descriptor`."""
        raise NotImplementedError

    def _stored(self) -> dict[str, Any]:
        plain, html = self.without_kernel()
        kept = f'<div class="birnn-kept">{_KEPT}{html}</div>'
        return {"text/plain": plain, "text/html": kept, **described(**self.descriptor())}

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), **self._stored()}, metadata

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data, _ = self._repr_mimebundle_()
        view = {VIEW: data.pop(VIEW)}
        display(data, raw=True)
        display(view, raw=True)
