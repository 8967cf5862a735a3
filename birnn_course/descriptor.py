"""What a stored output is, for whoever makes pages of the notebooks: read this, parse no source.

Each quiz, guess, explorable and drawing stores one object under :data:`MIME` beside its text and
its HTML. It has what is needed to build the thing again from the course's own files, and nothing
else: no key, nothing that depends on a record, a machine or a trained number. nbval compares it
strictly. Every object has ``kind``; by kind it also has

======================  ============================================================================
``quiz``                ``questions`` (ids, in order); ``unit`` where it is that unit's quiz
``diagnostic``          ``form`` and ``questions``
``warm_up``             ``unit`` that begins, ``questions`` for somebody without a record
``mixed_test``          ``number``, ``questions``, ``minutes`` (null without a clock)
``lecture``             ``questions``: the quiz for a class
``guess``               ``id``, ``question``, and ``choices``, or ``low``, ``high`` and ``unit``
``measured``            ``id`` of its guess, ``unit``, ``low`` and ``high`` (null without a line),
                        ``exact``; the result stands in the text, behind ≈ if it is not exact
``explorer``            ``name``, and ``values`` of its controls; of some also ``preset``
``drawing``             ``alt``; the drawing itself is the HTML
======================  ============================================================================

So ``{"kind": "guess", "id": "01-share", "question": "How many?", "low": 0, "high": 100,
"unit": "%"}`` is all of a guess. :mod:`birnn_course.live` makes of it what lives on a page; the
inventory (``diagnostic``) is on none.
"""

from __future__ import annotations

from typing import Any

MIME = "application/vnd.birnn.v1+json"

KINDS = frozenset(
    {
        "quiz", "diagnostic", "warm_up", "mixed_test", "lecture",
        "guess", "measured", "explorer", "drawing",
    }
)  # fmt: skip


def described(kind: str, **arguments: Any) -> dict[str, Any]:
    """The part of a MIME bundle that says what it is.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    **arguments
        As the table above has them; what JSON can hold.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind!r}; there are {', '.join(sorted(KINDS))}")
    return {MIME: {"kind": kind, **arguments}}
