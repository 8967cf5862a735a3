"""Every viewer in JupyterLab: moved by keyboard alone, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from viewers import viewers

from browser.conftest import Lab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", viewers())
def test_a_viewer_follows_the_keyboard_and_stands_in_nobodys_way(lab: Lab, name: str) -> None:
    lab.insert_and_run(f"from birnn_course import {name}\n{name}()")
    panel = lab.page.locator(".jp-OutputArea .birnn-panel")
    expect(panel).to_be_visible(timeout=60_000)
    picture, sentence = panel.locator(".birnn-picture"), panel.get_by_role("status")
    keyboard = lab.page.keyboard

    # From control to control by Tab alone; each is moved by an arrow key, and something changes.
    controls = viewers()[name].controls
    panel.locator("input").first.focus()
    for control in controls:
        before = picture.inner_html(), sentence.inner_text()
        at_the_end = (
            control["kind"] == "whole"
            and viewers()[name].values[control["name"]] == (control["high"])
        )
        checked = panel.locator("input:focus")
        expect(checked).to_have_count(1)
        keyboard.press("ArrowDown" if at_the_end or control["kind"] == "choice" else "ArrowUp")
        expect(panel.locator("input:focus")).to_have_count(1)  # the focus stays in the control
        for _ in range(100):
            if (picture.inner_html(), sentence.inner_text()) != before:
                break
            lab.page.wait_for_timeout(50)
        else:
            raise AssertionError(f"{control['label']}: nothing changed")
        keyboard.press("Tab")

    for theme in ("Light", "Dark"):
        lab.set_theme(f"JupyterLab {theme}")
        assert lab.violations(".birnn-panel") == [], theme
        panel.scroll_into_view_if_needed()
        lab.screenshot(f"{name}-{theme.lower()}")
    assert lab.errors() == []
