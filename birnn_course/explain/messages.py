"""The messages of PyTorch that the course knows, as it prints them, with what is said of each.

Each was raised by wrong code, on the version of PyTorch that ``constraints.txt`` names, and
explained as in a notebook. A page can show them without running anything. ``make shown`` writes the
file anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from birnn_course.explain import inputs, losses, outputs, packing
from birnn_course.explain.matching import Known

FILE = Path(__file__).with_name("messages.json")
TABLES = {
    "inputs": inputs.TABLE,
    "outputs": outputs.TABLE,
    "packing": packing.TABLE,
    "losses": losses.TABLE,
}
"""What is known, by what the messages are about."""


class Message(NamedTuple):
    """One message, and what is said of it.

    Parameters
    ----------
    about : str
        A key of :data:`TABLES`.
    fragment : str
        Of the :class:`~birnn_course.explain.matching.Known` that has explained it.
    raised : str
        The kind of the exception and its message.
    code : str
        What raised it; empty if that takes another machine than the one it was written on.
    text : str
        The explanation, with the numbers of this call.
    misconceptions : tuple of str
        What may be behind it, the likeliest first.
    """

    about: str
    fragment: str
    raised: str
    code: str
    text: str
    misconceptions: tuple[str, ...]


@cache
def messages() -> tuple[Message, ...]:
    """All that are stored, in the order of the tables."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return tuple(Message(**{**m, "misconceptions": tuple(m["misconceptions"])}) for m in stored)


def in_order(found: list[Message]) -> list[Message]:
    """The same by table and, within it, by the place of their fragment; each but once."""
    places = {
        (about, known.fragment): place
        for place, (about, known) in enumerate(
            (about, known) for about, table in TABLES.items() for known in table
        )
    }
    return sorted({*found}, key=lambda m: (places[m.about, m.fragment], m.raised, m.text))


def which(known: Known) -> str:
    """What a known message is about."""
    return next(about for about, table in TABLES.items() if known in table)
