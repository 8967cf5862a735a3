"""What `check` and `hint` show in JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.lab import Lab

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


def test_what_check_and_hint_show(scratch: Lab) -> None:
    cells = {f"    {body}": expected for body, expected in BODIES.values()}
    cells |= {RIGHT: "2 of 2 points", HALVES_SWAPPED: "Your result equals what you get if"}
    for body, expected in cells.items():
        output = scratch.insert_and_run(
            f"{START}def read_both_ways(x, f, b):\n{body}\ncheck(read_both_ways)"
        )
        expect(output).to_contain_text(expected)
        # what is right is drawn beside the reference, and nothing else is
        expect(output.get_by_role("img")).to_have_count(int(body == RIGHT))
    output = scratch.insert_and_run(f"{START}hint('read_both_ways')")
    expect(output).to_contain_text("Hint 1 of 3")
    assert scratch.errors() == []
    for theme in ("Light", "Dark"):
        scratch.set_theme(theme)
        scratch.screenshot(f"check-{theme.lower()}")
