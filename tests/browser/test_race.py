"""A training in JupyterLab: what is seen while it runs, and what stays."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.axe import violations
from browser.lab import Lab

pytestmark = [pytest.mark.browser, pytest.mark.full]

SOURCE = """import time, torch
from birnn_course import Race, SequenceTagger, fit

def slowly(x):
    time.sleep(0.02)
    return x >= 0

ids = torch.arange(400).view(100, 4) % 4
race = Race(where=slowly, limits={"left-to-right limit": 0.6})
for name, both in [("left to right", False), ("both ways", True)]:
    torch.manual_seed(0)
    model = SequenceTagger(4, 4, 8, bidirectional=both)
    losses = fit(model, [*zip(ids.split(2), ids.split(2))], epochs=2, watch=race.lane(name))
print("trained")"""


def test_a_training_is_seen_and_its_result_stays(scratch: Lab) -> None:
    output = scratch.insert_and_run("pass")
    scratch.page.evaluate(
        """source => {
            const { content } = window.jupyterapp.shell.currentWidget;
            content.activeCell.model.sharedModel.setSource(source);
            window.jupyterapp.commands.execute('notebook:run-cell');
        }""",
        SOURCE,
    )
    growing = output.locator("figure.birnn-draw:not(:has(img)) svg")
    expect(growing).to_contain_text("s left")
    scratch.screenshot("race-growing")
    expect(growing).to_contain_text("both ways: epoch")
    left = output.locator("figure.birnn-draw:has(img)")
    expect(left.locator("svg")).to_be_visible()
    expect(growing).to_have_count(0)
    expect(left.locator("img")).to_be_hidden()
    expect(output).to_contain_text("both ways: 2 epochs, loss ≈ ")
    assert scratch.errors() == []
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        left.scroll_into_view_if_needed()
        scratch.screenshot(f"race-{theme.lower()}")
        assert violations(scratch.page, ".jp-OutputArea") == []
