"""Every viewer in JupyterLab: moved by keyboard alone, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from viewers import viewers

from browser.conftest import Lab

pytestmark = pytest.mark.browser

NEEDED = {
    "spelling_explorer": "SequenceTagger(26, len(data.tags), 8, bidirectional=True), data",
}
"""What a viewer cannot start without; the rest start with nothing."""


@pytest.mark.parametrize("name", viewers())
def test_a_viewer_follows_the_keyboard_and_stands_in_nobodys_way(lab: Lab, name: str) -> None:
    needed = NEEDED.get(name, "")
    words = "from birnn_course import SequenceTagger, load_spelling\ndata = load_spelling(50)\n"
    call = f"from birnn_course import {name}\n{name}({needed})"
    lab.insert_and_run(words + call if needed else call)
    panel = lab.page.locator(".jp-OutputArea .birnn-panel")
    expect(panel).to_be_visible(timeout=60_000)
    picture, sentence = panel.locator(".birnn-picture"), panel.get_by_role("status")
    keyboard = lab.page.keyboard

    # From control to control by Tab alone; an arrow key or a letter moves each, and the focus
    # stays in it.
    start = picture.inner_html(), sentence.inner_text()
    seen = {start}
    panel.locator("input").first.focus()
    for control in viewers()[name].controls:
        focused = panel.locator("input:focus")
        before = focused.input_value()
        at_the_end = control["kind"] == "whole" and int(before) == control["high"]
        if control["kind"] == "word":
            keyboard.press("s")
        else:
            keyboard.press("ArrowDown" if at_the_end or control["kind"] == "choice" else "ArrowUp")
        expect(focused).not_to_have_value(before)
        lab.page.wait_for_timeout(500)
        seen.add((picture.inner_html(), sentence.inner_text()))
        keyboard.press("Tab")
    # Not every move shows: another kind of cell has seen the same inputs.
    assert len(seen) > len(viewers()[name].controls) / 2

    for theme in ("Light", "Dark"):
        lab.set_theme(f"JupyterLab {theme}")
        assert lab.violations(".birnn-panel") == [], theme
        panel.scroll_into_view_if_needed()
        lab.screenshot(f"{name}-{theme.lower()}")
    assert lab.errors() == []
