"""Text from students is printable, hides nothing, and names stay different."""

from __future__ import annotations

import unicodedata
from itertools import combinations

import pytest

from birnn_course.grading.printable import printable, printable_lines, printable_name

HIDING = [
    "\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9b", "\ud83d", "\udcff", "\u202a", "\u202e",
    "\u2066", "\u2069", "\u200b", "\u200e", "\u061c", "\ufeff", "\u00ad", "\u2060", "\u3164",
    "\u115f", "\u2800", "\U000e0041", "\ufffe", "\ue000",
]  # fmt: skip
HONEST = [
    "Ada", "李\u3000雷", "李\u00a0雷", "علی\u200cرضا", "श्री\u200dमान", "👩\u200d💻", "Ünal",
    "e\u0301", "O’Neil", "x; y", "葛\U000e0100城",
]  # fmt: skip


def hidden_in(text: str) -> list[str]:
    """Characters that are not seen, or change how others are."""
    joiners = "\u200c\u200d"
    return [
        c for c in text
        if (unicodedata.category(c)[0] == "C" and c not in joiners) or c in HIDING
    ]  # fmt: skip


@pytest.mark.parametrize("c", HIDING, ids=ascii)
def test_what_hides_something_becomes_visible(c: str) -> None:
    for text in (c, f"a{c}b", f"{c}=1+1", f"x = 1{c}"):
        for made in (printable(text), printable_name(text), printable_lines(f"{text}\n")):
            assert hidden_in(made.replace("\n", "")) == []
            made.encode("utf-8")
        assert len(printable(text)) == len(text)
    assert hidden_in(f"a{c}b")


@pytest.mark.parametrize("name", HONEST, ids=ascii)
def test_honest_names_stay(name: str) -> None:
    assert printable(name) == printable_name(name) == name


@pytest.mark.parametrize("joiner", ["\u200c", "\u200d"], ids=ascii)
def test_a_joiner_that_joins_nothing_is_seen(joiner: str) -> None:
    for name in (joiner, f"Ada{joiner}", f"{joiner}Ada", f"Ada {joiner} L"):
        assert joiner not in printable_name(name)


def test_names_never_merge() -> None:
    names = [*HONEST, *HIDING, *(f"Ada{c}" for c in HIDING), "Ada\ufffd", "Ada⟨U+202E⟩", "Ada⟨"]
    names += ["x" * 300, "x" * 299, "x" * 254, "x" * 255, "x" * 256, "x" * 300 + "\u202e"]
    made = [printable_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert max(map(len, made)) <= 255
    for one, other in combinations(made, 2):
        assert one != other


def test_a_line_is_one_line_and_lines_stay_lines() -> None:
    assert printable("a\r\n\tb\u2028c") == "a b c"
    assert printable_lines("a\n\tb\x1b") == "a\n\tb\ufffd"
