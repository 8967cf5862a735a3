"""What `check` and `hint` show in JupyterLab, in both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.conftest import Lab

pytestmark = pytest.mark.browser

START = "import torch\nfrom birnn_course import check, hint\n"
BODIES = {
    "not attempted yet": ("...", "Not attempted yet"),
    "a mistake that is named": ("return x.new_zeros(0)", "shape or length: wrong"),
    "an error of the learner's": ("return x.flop(1)", "AttributeError"),
    "printed": ("print('<b>bold</b>'); return torch.zeros(len(x), x.shape[1], 99)", "Printed:"),
}
RIGHT = """\
    rnn = torch.nn.RNN(x.shape[2], len(f["weight_hh_l0"]), batch_first=True, bidirectional=True)
    rnn.load_state_dict(f | {f"{name}_reverse": weight for name, weight in b.items()})
    return rnn(x)[0]
"""
HALVES_SWAPPED = """\
    rnn = torch.nn.RNN(x.shape[2], len(f["weight_hh_l0"]), batch_first=True, bidirectional=True)
    rnn.load_state_dict(f | {f"{name}_reverse": weight for name, weight in b.items()})
    halves = rnn(x)[0].chunk(2, dim=-1)
    return torch.cat([halves[1], halves[0]], dim=-1)
"""


def checked(lab: Lab, body: str) -> None:
    source = f"{START}def read_both_ways(x, f, b):\n{body}\ncheck(read_both_ways)"
    lab.insert_and_run(source)


def test_what_check_and_hint_show_stands_in_nobodys_way(lab: Lab) -> None:
    # mark the output area of each cell, so that axe looks at ours and not at JupyterLab
    cells = {f"    {body}": expected for body, expected in BODIES.values()}
    cells |= {RIGHT: "2 of 2 points", HALVES_SWAPPED: "Your result equals what you get if"}
    for body, expected in cells.items():
        checked(lab, body)
        output = lab.notebook().locator(".jp-OutputArea").first
        expect(output).to_contain_text(expected, timeout=60_000)
    lab.insert_and_run(f"{START}hint('read_both_ways')")
    expect(lab.notebook().locator(".jp-OutputArea").first).to_contain_text("Hint 1 of 3")
    n = len(cells) + 1
    lab.page.evaluate(
        """n => document.querySelectorAll('.jp-Notebook .jp-OutputArea').forEach(
            (node, i) => { if (i < n) node.classList.add('ours'); })""",
        n,
    )
    assert lab.page.locator(".ours").count() == n
    for theme in ("Light", "Dark"):
        lab.set_theme(f"JupyterLab {theme}")
        assert lab.violations(".ours") == []
        lab.screenshot(f"check-{theme.lower()}")


def test_a_check_that_nobody_can_read_would_be_found(lab: Lab) -> None:
    checked(lab, "    ...")
    output = lab.notebook().locator(".jp-OutputArea").first
    expect(output).to_contain_text("Not attempted yet", timeout=60_000)
    output.evaluate("node => { node.style.color = '#888'; node.style.background = '#999'; }")
    output.evaluate("node => node.classList.add('ours')")
    assert any("color-contrast" in found for found in lab.violations(".ours"))
