"""What the tests of the viewers share."""

from __future__ import annotations

from typing import Any

from birnn_course.explore.panel import Panel


def change(panel: Panel, **values: Any) -> str:
    """What the browser does when a control moves; returns the sentence below."""
    panel.values = {**panel.values, **values}
    return panel.sentence
