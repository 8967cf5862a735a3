"""What an explorable has that opens with a preset: a few controls, and the rest on demand."""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from birnn_course.widgets import CourseWidget


class PresetExplorer(CourseWidget):
    """An explorable that runs in the browser; ``name`` is its preset."""

    known_as: ClassVar[str]
    heading = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    controls: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    preset: traitlets.List[str] = traitlets.List().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    library = traitlets.Dict().tag(sync=True)

    def __init__(self, name: str, **shown: Any) -> None:
        super().__init__(**shown)
        self._name = name

    def descriptor(self) -> dict[str, Any]:
        """An explorer, with its preset and the values that its controls have now."""
        values = dict(self.values)
        return {"kind": "explorer", "name": self.known_as, "preset": self._name, "values": values}
