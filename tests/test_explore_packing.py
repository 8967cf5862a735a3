from __future__ import annotations

import re
from itertools import product

import torch
from panels import change

from birnn_course import packing_explorer
from birnn_course.explore.panel import Panel

IN_MEMORY = ["B0", "D0", "A0", "C0", "B1", "D1", "A1", "B2", "D2", "B3", "B4"]


def rows(panel: Panel) -> list[list[str]]:
    """The cells of the picture's body rows, without tags."""
    body = re.findall(r"<tr>(.*?)</tr>", panel.picture)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body if 'scope="row"' in row]


def test_it_shows_what_pytorch_packs() -> None:
    panel = packing_explorer()
    assert "the 11 real entries" in panel.sentence and "[4, 3, 2, 1, 1]" in panel.sentence
    assert rows(panel)[-1] == ["data", *IN_MEMORY]
    assert rows(panel)[4] == ["batch_sizes", *"43211"]


def test_the_way_there_and_back() -> None:
    panel = packing_explorer()
    assert change(panel, stage="padded").startswith("11 of 24 places are real, 13 are pads")
    assert rows(panel)[0] == ["A", "A0", "A1", *"····"]
    assert "The longest is first: B, D, A, C" in change(panel, stage="sorted")
    assert [row[0] for row in rows(panel)] == ["B", "D", "A", "C"]
    assert "first order again, with lengths [2, 5, 1, 3]; there are 5 steps, not the 6" in change(
        panel, stage="back"
    )
    assert [row[0] for row in rows(panel)] == ["A", "B", "C", "D"]
    assert rows(panel)[3] == ["D", "D0", "D1", "D2", "·", "·"]
    assert change(panel, total_length="6").endswith("there are 6 steps.")


def test_what_pytorch_refuses_is_a_sentence_and_the_picture_stays() -> None:
    panel = packing_explorer()
    before = panel.picture
    assert "must be sorted in decreasing order" in change(panel, enforce_sorted="True")
    assert "greater than 0" in change(panel, enforce_sorted="False", C=0)
    assert change(panel, C=None).startswith("Length of C: type a whole number from 0 to 7")
    assert panel.picture == before
    assert change(panel, C=0).startswith("PyTorch refuses to pack this: ") and panel.stale


def test_a_length_beyond_the_batch_packs_and_breaks_later() -> None:
    panel = packing_explorer()
    assert "No error, and the pack is broken" in change(panel, B=7)
    assert "refuses to unpack" in change(panel, stage="back")


def test_sorted_by_hand_it_needs_no_indices() -> None:
    panel = packing_explorer()
    values = {"A": 5, "B": 3, "C": 2, "D": 1, "enforce_sorted": "True", "stage": "sorted"}
    assert "keeps no sorted_indices" in change(panel, **values)


def test_whatever_is_chosen_something_readable_comes_back() -> None:
    panel = packing_explorer()
    stages, switches = ("padded", "sorted", "packed", "back"), ("False", "True")
    for a, b, stage, enforce in product((0, 1, 6, 7), (1, 4, 7), stages, switches):
        for total in ("None", "6"):
            chosen = {"stage": stage, "enforce_sorted": enforce, "total_length": total}
            sentence = change(panel, A=a, B=b, **chosen)
            assert sentence.endswith(".") or "PyTorch refuses" in sentence
            assert panel.picture.startswith("<table") and panel.picture.endswith("</table>")


def test_it_reads_without_a_kernel_and_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    data, _ = packing_explorer()._repr_mimebundle_()
    assert torch.equal(torch.randn(3), expected)
    assert data["text/plain"].startswith("[What does packing do to this batch? data holds the 11")
    assert "<caption" in data["text/html"] and "<script" not in data["text/html"]
