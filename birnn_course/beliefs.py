"""What the answers of a learner say about their misconceptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from birnn_course.progress import Attempt

APART = timedelta(days=1)


def misconception_states(attempts: Iterable[Attempt]) -> dict[str, Literal["open", "overcome"]]:
    """Which misconceptions a learner has shown, and which of them they have overcome.

    Parameters
    ----------
    attempts : iterable of Attempt
        In any order; they count in the order of their times.

    Returns
    -------
    dict
        The state of each misconception that was ever shown, by id.

    Notes
    -----
    A misconception is *chosen* by each attempt whose ``misconception`` it is: a question or an
    exercise, the same item again or another.

    It is *shown* by a choice with ``sure=True``, and by the second and each further choice,
    however sure. The choices are counted from the start, or from when it was last overcome:
    after that, too, a single choice that is not sure changes nothing.

    Shown, it is *open*. It is *overcome* by what comes after it was last shown, whichever is
    first:

    * two right answers to two different questions that probe it, 24 hours or more apart;
    * an exercise passed that probes it.

    Right is who earned all points. An answer that chooses a misconception is no evidence against
    it, whatever its points. Wrong answers that do not choose it count neither way.
    """
    states: dict[str, Literal["open", "overcome"]] = {}
    choices: Counter[str] = Counter()
    right_since: dict[str, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda a: a.at):
        chosen = attempt.misconception
        if chosen is not None:
            choices[chosen] += 1
            if attempt.sure or choices[chosen] >= 2:
                states[chosen] = "open"
                right_since[chosen] = []
        for probed in attempt.probes if attempt.right else ():
            if probed == chosen or states.get(probed) != "open":
                continue
            if attempt.kind == "exercise" or any(
                earlier.item != attempt.item and attempt.at - earlier.at >= APART
                for earlier in right_since[probed]
            ):
                states[probed] = "overcome"
                choices[probed] = 0
            right_since[probed].append(attempt)
    return states
