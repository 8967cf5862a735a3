"""Probes about padding: each compares two runs that differ in nothing but pads."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

from birnn_course.auditing.bench import Bench, NotTestableError, relative
from birnn_course.auditing.inside import RecurrentCall, outputs_read, recurrent_calls
from birnn_course.auditing.subject import CallFailedError, ShapeError
from birnn_course.findings import Finding, not_applicable, not_tested, ok, problem
from birnn_course.models import sequence_mask

_PADS = 8
_NONE = not_applicable(
    "No sequence of the batch is padded, as far as lengths say; give lengths if some are."
)
Pattern = tuple[tuple[str, ...], str]
"""The likeliest misconceptions, and what shows that it is they."""


def each_alone(bench: Bench) -> Finding:
    """Run each sequence without its pads and without the others: nothing else may decide."""
    if bench.stateful:
        return not_tested("stateful=True: the state belongs to this batch.")
    bench.need_steps()
    gaps = [
        bench.apart(bench.base[i : i + 1], bench.alone(i), [n]) for i, n in enumerate(bench.lengths)
    ]
    i = gaps.index(max(gaps))
    bench.same_alone = gaps[i] <= bench.rounding
    if bench.same_alone:
        return ok(
            f"Each of {len(gaps)} sequences gives alone what it gives in the batch, up to "
            f"{gaps[i]:.0e} of its size (rounding){bench.caveat}."
        )
    pads = bench.x.shape[1] - bench.lengths[i]
    ids, pattern = pad_pattern(bench) if pads else (("padded-training-single-prediction",), "")
    return problem(
        f"Sequence {bench.rows[i]} ({bench.lengths[i]} steps, {pads} pads) gives alone, without "
        f"pads, a result that differs by {relative(gaps[i])} from that in the batch.{pattern}",
        *ids,
    )


def more_padding(bench: Bench) -> Finding:
    """Add pads after the end of each sequence."""
    if not bench.padded:
        return _NONE
    bench.need_steps()
    if bench.stateful:
        return not_tested("stateful=True: the state belongs to this batch.")
    gaps = [
        bench.apart(bench.alone(i), bench.alone(i, _PADS), [n]) for i, n in enumerate(bench.lengths)
    ]
    i = gaps.index(max(gaps))
    bench.same_with_more_pads = gaps[i] <= bench.rounding
    if bench.same_with_more_pads:
        shorter = ""
        if bench.per_step and bench.run(bench.padded_by(3)).shape[1] == bench.x.shape[1]:
            shorter = (
                " The result has as many steps as the longest sequence, not as the batch: "
                "pad_packed_sequence has total_length for that."
            )
        return ok(
            f"{_PADS} more steps of padding change results by {gaps[i]:.0e} of their "
            f"size at most (rounding){bench.caveat}.{shorter}"
        )
    ids, pattern = pad_pattern(bench)
    return problem(
        f"{_PADS} more steps of padding after sequence {bench.rows[i]} ({bench.lengths[i]} steps) "
        f"change its result by {relative(gaps[i])}.{pattern}",
        *ids,
    )


def pad_content(bench: Bench) -> Finding:
    """Put something else into the pads: what is not read cannot matter."""
    if not bench.padded:
        return _NONE
    bench.need_steps()
    apart = _content_gap(bench)
    if apart <= bench.rounding:
        return ok(f"Other values in the pads change no result{bench.caveat}.")
    if bench.pads_matter is False:
        if _first_pad_is_read(bench):
            return problem(
                f"Another value in the first pad changes results by up to {relative(apart)}, in "
                "later pads it changes none: what is read is the step after the last one.",
                "off-by-one-end",
                "length-is-the-last-index",
            )
        return ok(
            f"The model knows padding by its value, {bench.batch.pad_value:g}: with another "
            "value there results change, with more of it they do not."
        )
    if bench.pads_matter is None and not bench.subject.takes_lengths:
        return not_tested(
            "It may know padding by its value; see above for why nothing else could be tried."
        )
    ids, pattern = pad_pattern(bench)
    return problem(
        f"Other values in the pads change results by up to {relative(apart)}.{pattern}", *ids
    )


def _content_gap(bench: Bench) -> float:
    x = bench.padded_by(0 if bool((~bench.real).any()) else 3)
    pads = ~sequence_mask(bench.lengths, x.shape[1])
    return bench.apart(bench.run(x), bench.run(bench.redraw(pads, x)))


def _first_pad_is_read(bench: Bench) -> bool:
    """Whether an RNN reads on for one step, and the result is taken there.

    A convolution looks one step ahead too, and of zeros that is right; so this is asked only of
    one result per sequence, where lengths say which step to take.
    """
    has_conv = any(type(m).__name__.startswith("Conv") for m in bench.modules)
    if bench.per_step or has_conv or not recurrent_calls(bench) or not bench.subject.takes_lengths:
        return False
    x = bench.padded_by(2)
    place = torch.arange(x.shape[1]) - torch.tensor(bench.lengths)[:, None]
    usual = bench.run(x)
    later = bench.apart(usual, bench.run(bench.redraw(place > 0, x)))
    first = bench.apart(usual, bench.run(bench.redraw(place == 0, x)))
    return first > bench.rounding >= later


def lengths_used(bench: Bench) -> Finding:
    """Say that the sequences are shorter, and look whether anything moves."""
    if not bench.subject.takes_lengths:
        so = ", and padding changes its results; see above" if bench.pads_matter else (
            " and was called without")  # fmt: skip
        return not_applicable(f"The model takes no lengths{so}.")
    shorter = [max(min(n, 2), n - 2) for n in bench.lengths]
    shorter[shorter.index(max(shorter))] = max(bench.lengths)
    if shorter == bench.lengths:
        return not_tested("The sequences are too short to say they are shorter.")
    moved = bench.moved(bench.run(lengths=shorter), shorter)
    if bool(moved.any()):
        return ok(
            f"The model uses them: with shorter ones {int(moved.sum())} of {len(moved)} results "
            "change."
        )
    if bench.pads_matter:
        return problem(
            "The model takes lengths and does not use them: with lengths that are 2 shorter no "
            "real step's result changes by a single digit, though padding changes results.",
            *pad_pattern(bench)[0],
        )
    return ok(f"With other lengths no real step's result changes; none needs them{bench.caveat}.")


# ── what a difference points to ─────────────────────────────────────────────────────────────────


def pad_pattern(bench: Bench) -> Pattern:
    """The likeliest misconceptions behind a result that depends on padding, and what shows it."""
    try:
        return _pattern(bench)
    except (CallFailedError, ShapeError, NotTestableError):
        return ("zeros-are-invisible", "packing-only-for-h-n"), ""


def _pattern(bench: Bench) -> Pattern:
    calls = recurrent_calls(bench)
    for first, later in combinations(calls, 2):
        if later.turns(first, first.time) and not (first.packed or later.packed):
            return ("flip-reverses-padded", "packing-only-for-h-n"), (
                f" {later.kind} reads the whole rows turned around, pads first."
            )
    shorter = bench.shorter
    moved = bench.moved(bench.run(bench.redraw(bench.real)))
    full = bench.lengths.index(max(bench.lengths))
    if shorter and not moved[shorter].any() and moved[full]:
        return ("padded-end-is-the-end", "off-by-one-end"), (
            f" Drawing the {len(shorter)} shorter sequences anew changes none of their results: "
            "what is read there is padding."
        )
    if bench.per_step:
        moved = bench.run(bench.padded_by(_PADS))[:, _PADS:]
        if moved.shape == bench.base.shape and bench.apart(bench.base, moved) <= bench.rounding:
            return ("pad-packed-keeps-length", "zeros-are-invisible"), (
                f" The results are the same and stand {_PADS} steps later: the missing steps are "
                "put in front."
            )
        if any(c.module.bidirectional and not c.packed for c in calls):
            return ("packing-only-for-h-n", "zeros-are-invisible"), (
                " The backward direction reads the pads first."
            )
        return ("zeros-are-invisible", "mean-over-pads", "packing-only-for-h-n"), ""
    if not calls or calls[-1].packed or _content_gap(bench) <= bench.rounding:
        one, many = bench.run(bench.padded_by(1)), bench.run(bench.padded_by(_PADS))
        if bench.apart(one, many) <= bench.rounding:
            return ("max-over-pads", "zeros-are-invisible"), (
                " The first pad changes a result and further ones do not, as with a maximum over "
                "zeros."
            )
        return ("mean-over-pads", "zeros-are-invisible"), (
            " Each further pad changes a result, as with a mean over all columns."
        )
    return _unpacked(bench, calls[-1])


def _unpacked(bench: Bench, call: RecurrentCall) -> Pattern:
    """What of an RNN that ran over the pads is read."""
    place = torch.arange(bench.x.shape[1]) - torch.tensor(bench.lengths)[:, None]
    at_the_end = place == place[:, -1:]
    ids = ("h-n-stops-at-the-end", "zeros-are-invisible")
    if not bench.shorter or outputs_read(bench, call, at_the_end) is None:
        return ids, ""

    def read(where: Tensor) -> bool:
        found = outputs_read(bench, call, where)
        return found is not None and bool(found[bench.shorter].any())

    if not read(torch.ones_like(at_the_end)):
        return ids, " Results are read from h_n, and unpacked that is the state after the last pad."
    if not read(~at_the_end):
        both = ("last-step-readout",) if call.module.bidirectional else ()
        return ("ends-at-the-padding", "h-n-stops-at-the-end", *both), (
            f" Every result is read at step {bench.x.shape[1] - 1}, which is a pad for most."
        )
    if not read(place >= 0):
        return ("packing-only-for-h-n", "h-n-stops-at-the-end", "zeros-are-invisible"), (
            " No output at a pad is read, but the backward direction has read the pads first."
        )
    if not read(place > 0):
        return ("off-by-one-end", "length-is-the-last-index"), " Of the pads the first one is read."
    return ("mean-over-pads", "max-over-pads", "zeros-are-invisible"), (
        " The outputs at the pads are read too."
    )
