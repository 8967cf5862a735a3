"""Probes about padding: each compares two runs that differ in nothing but pads."""

from __future__ import annotations

import torch

from birnn_course.auditing.bench import Bench, NotTestableError
from birnn_course.auditing.calling import CallFailedError, ShapeError
from birnn_course.auditing.findings import (
    Finding,
    not_applicable,
    not_tested,
    ok,
    problem,
    relative,
)
from birnn_course.auditing.inside import RecurrentCall, columns_read, recurrent_calls
from birnn_course.probes import pad_dependence

_PADS = 8
_NONE = not_applicable(
    "No sequence of the batch is padded, as far as lengths say; give lengths if some are."
)


def each_alone(bench: Bench) -> Finding:
    """Run each sequence without its pads and without the others: nothing else may decide."""
    if bench.stateful:
        return not_tested("stateful=True: the state belongs to this batch.")
    bench.need_steps()
    apart = torch.cat([
        bench.gap(bench.base[i : i + 1], bench.alone(i), [n])
        for i, n in enumerate(bench.lengths)
    ])  # fmt: skip
    i = int(apart.argmax())
    if float(apart.max()) <= bench.rounding:
        return ok(
            f"Each of {len(apart)} sequences gives alone what it gives in the batch, up to "
            f"{float(apart.max()):.0e} of its size (rounding).{bench.caveat}"
        )
    pads = bench.x.shape[1] - bench.lengths[i]
    ids, pattern = pad_pattern(bench) if pads else (("padded-training-single-prediction",), "")
    return problem(
        f"Sequence {bench.rows[i]} ({bench.lengths[i]} steps, {pads} pads) gives alone, without "
        f"pads, a result that differs by {relative(float(apart.max()))} from that in the "
        f"batch.{pattern}",
        *ids,
    )


def more_padding(bench: Bench) -> Finding:
    """Add pads after each end: see :func:`birnn_course.pad_dependence`."""
    if not bench.padded:
        return _NONE
    bench.need_steps()
    if bench.stateful:
        return not_tested("stateful=True: the state belongs to this batch.")
    try:
        changes = pad_dependence(
            lambda x, n: bench.subject.run(x, n.tolist()).to(torch.float64),
            bench.x,
            bench.lengths,
            pads=_PADS,
            pad_value=bench.given.pad_value,
        )
        change = changes.reshape(len(changes), -1).amax(1) / bench.size
    except (CallFailedError, ShapeError):  # no batch of one, or no other width
        change = bench.gap(bench.base, bench.run(bench.padded_by(_PADS)))
    i = int(change.argmax())
    if float(change.max()) <= bench.rounding:
        shorter = ""
        if bench.per_step and bench.run(bench.padded_by(3)).shape[1] == bench.x.shape[1]:
            shorter = (
                " The result has as many steps as the longest sequence, not as the batch: "
                "pad_packed_sequence has total_length for that."
            )
        return ok(
            f"{_PADS} more steps of padding change results by {float(change.max()):.0e} of their "
            f"size at most (rounding).{shorter}{bench.caveat}"
        )
    ids, pattern = pad_pattern(bench)
    return problem(
        f"{_PADS} more steps of padding after sequence {bench.rows[i]} ({bench.lengths[i]} steps) "
        f"change its result by {relative(float(change.max()))}.{pattern}",
        *ids,
    )


def pad_content(bench: Bench) -> Finding:
    """Put something else into the pads: what is not read cannot matter."""
    if not bench.padded:
        return _NONE
    bench.need_steps()
    apart = _content_gap(bench)
    if apart <= bench.rounding:
        return ok(f"Other values in the pads change no result.{bench.caveat}")
    others = [bench.found[name].verdict for name in ("each alone", "amount of padding")]
    if others == ["ok", "ok"] and _first_pad_is_read(bench):
        return problem(
            f"Another value in the first pad changes results by up to {relative(apart)}, in later "
            "pads it changes none: what is read is the step after the last one.",
            "off-by-one-end",
            "length-is-the-last-index",
        )
    if others == ["ok", "ok"]:
        return ok(
            f"The model knows padding by its value, {bench.given.pad_value:g}: with another "
            "value there results change, with more of it they do not."
        )
    if "problem" not in others and not bench.subject.takes_lengths:
        return not_tested(
            "It may know padding by its value; see above for why nothing else could be tried."
        )
    ids, pattern = pad_pattern(bench)
    return problem(
        f"Other values in the pads change results by up to {relative(apart)}.{pattern}", *ids
    )


def _content_gap(bench: Bench) -> float:
    x = bench.padded_by(0 if bool((~bench.real).any()) else 3)
    pads = torch.arange(x.shape[1]) >= torch.tensor(bench.lengths)[:, None]
    return float(bench.gap(bench.run(x), bench.run(bench.redraw(pads, x))).max())


def _first_pad_is_read(bench: Bench) -> bool:
    """Whether an RNN reads on for one step, and the result is taken there.

    A convolution looks one step ahead too, and of zeros that is right; so this is asked only of
    one result per sequence, where lengths say which step to take.
    """
    has_conv = any(
        type(m).__name__.startswith("Conv") for root in bench.roots for m in root.modules()
    )
    if bench.per_step or has_conv or not recurrent_calls(bench) or not bench.subject.takes_lengths:
        return False
    x = bench.padded_by(2)
    place = torch.arange(x.shape[1]) - torch.tensor(bench.lengths)[:, None]
    usual = bench.run(x)
    later = float(bench.gap(usual, bench.run(bench.redraw(place > 0, x))).max())
    first = float(bench.gap(usual, bench.run(bench.redraw(place == 0, x))).max())
    return first > bench.rounding >= later


def lengths_used(bench: Bench) -> Finding:
    """Say that the sequences are shorter, and look whether anything moves."""
    before = [bench.found[name].verdict for name in ("each alone", "amount of padding")]
    if not bench.subject.takes_lengths:
        return not_applicable("The model takes no lengths" + (
            ", and padding changes its results; see above." if "problem" in before else
            " and was called without."))  # fmt: skip
    shorter = [max(min(n, 2), n - 2) for n in bench.lengths]
    shorter[shorter.index(max(shorter))] = max(bench.lengths)
    if shorter == bench.lengths:
        return not_tested("The sequences are too short to say they are shorter.")
    moved = bench.gap(bench.base, bench.run(lengths=shorter), shorter) > bench.influence
    if bool(moved.any()):
        return ok(
            f"The model uses them: with shorter ones {int(moved.sum())} of {len(moved)} results "
            "change."
        )
    if "problem" in before:
        return problem(
            "The model takes lengths and does not use them: with lengths that are 2 shorter no "
            "real step's result changes by a single digit, though padding changes results.",
            *pad_pattern(bench)[0],
        )
    return ok(f"With other lengths no real step's result changes; none needs them.{bench.caveat}")


# ── what a difference points to ─────────────────────────────────────────────────────────────────


def pad_pattern(bench: Bench) -> tuple[tuple[str, ...], str]:
    """The likeliest misconceptions behind a result that depends on padding, and what shows it."""
    try:
        return _pattern(bench)
    except (CallFailedError, ShapeError, NotTestableError):
        return ("zeros-are-invisible", "packing-only-for-h-n"), ""


def _pattern(bench: Bench) -> tuple[tuple[str, ...], str]:
    calls = recurrent_calls(bench)
    flipped = _flipped_over_all(calls)
    if flipped:
        return ("flip-reverses-padded", "packing-only-for-h-n"), (
            f" {flipped.kind} reads the whole rows turned around, pads first."
        )
    width = bench.x.shape[1]
    shorter = [i for i, n in enumerate(bench.lengths) if n < width]
    full = bench.lengths.index(width) if width in bench.lengths else 0
    moved = bench.gap(bench.base, bench.run(bench.redraw(bench.real))) > bench.influence
    if shorter and not moved[shorter].any() and moved[full]:
        return ("padded-end-is-the-end", "off-by-one-end"), (
            f" Drawing the {len(shorter)} shorter sequences anew changes none of their results: "
            "what is read there is padding."
        )
    if bench.per_step:
        later = bench.run(bench.padded_by(_PADS))[:, _PADS:]
        if later.shape == bench.base.shape and (
            float(bench.gap(bench.base, later).max()) <= bench.rounding
        ):
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
        return _pooled(bench)
    return _unpacked(bench, calls[-1], shorter)


def _pooled(bench: Bench) -> tuple[tuple[str, ...], str]:
    """Whether it matters that there is a pad, or how many there are."""
    one, many = bench.run(bench.padded_by(1)), bench.run(bench.padded_by(_PADS))
    if float(bench.gap(one, many).max()) <= bench.rounding:
        return ("max-over-pads", "zeros-are-invisible"), (
            " The first pad changes a result and further ones do not, as with a maximum over zeros."
        )
    return ("mean-over-pads", "zeros-are-invisible"), (
        " Each further pad changes a result, as with a mean over all columns."
    )


def _unpacked(bench: Bench, call: RecurrentCall, shorter: list[int]) -> tuple[tuple[str, ...], str]:
    """What of an RNN that ran over the pads is read."""
    read = columns_read(bench, call)
    if read is None or not shorter:
        return ("h-n-stops-at-the-end", "zeros-are-invisible"), ""
    columns = read.any(0)
    width = columns.shape[1]
    if not columns.any():
        return ("h-n-stops-at-the-end", "zeros-are-invisible"), (
            " Results are read from h_n, and unpacked that is the state after the last pad."
        )
    pads = [columns[i] & ~bench.real[i] for i in shorter]
    firsts = [int(p.float().argmax()) for p in pads]
    single = all(int(p.sum()) == 1 for p in pads)
    if single and firsts == [bench.lengths[i] for i in shorter] != [width - 1] * len(firsts):
        return ("off-by-one-end", "length-is-the-last-index"), " Of the pads the first one is read."
    if single and all(int(columns[i].sum()) == 1 for i in shorter):
        both = ("last-step-readout",) if call.module.bidirectional else ()
        return ("ends-at-the-padding", "h-n-stops-at-the-end", *both), (
            f" Every result is read at step {width - 1}, which is a pad for most."
        )
    if any(bool(p.any()) for p in pads):
        return ("mean-over-pads", "max-over-pads", "zeros-are-invisible"), (
            f" The outputs at the pads are read too ({sum(int(p.sum()) for p in pads)} of them)."
        )
    return ("packing-only-for-h-n", "h-n-stops-at-the-end", "zeros-are-invisible"), (
        " No output at a pad is read, but the backward direction has read the pads first."
    )


def _flipped_over_all(calls: list[RecurrentCall]) -> RecurrentCall | None:
    """Somebody's own backward reader that reads the rows of a padded batch from their far end."""
    for k, later in enumerate(calls):
        for first in calls[:k]:
            a, b, time = first.inputs, later.inputs, 1 if first.module.batch_first else 0
            padded = not (first.packed or later.packed)
            if padded and a.shape == b.shape and a.dim() == 3 and torch.equal(b, a.flip(time)):
                return later
    return None
