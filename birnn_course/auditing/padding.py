"""Probes about padding: each compares two runs that differ in nothing but pads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from birnn_course.auditing.bench import Bench, NotTestableError
from birnn_course.auditing.calling import CallFailedError, ShapeError
from birnn_course.auditing.findings import Finding, relative
from birnn_course.auditing.inside import (
    RecurrentCall,
    columns_read,
    hooked,
    recurrent_calls,
)
from birnn_course.probes import pad_dependence

_PADS = 8
_NO_PADS = "No sequence of the batch is padded, as far as lengths say"


def _not_now(bench: Bench, probe: str) -> Finding | None:
    if not bench.padded:
        return Finding(probe, "not applicable", f"{_NO_PADS}; give lengths if some are.")
    if len(bench.x) > 1 and bench.found["samples apart"].verdict == "problem":
        return Finding(probe, "not tested", "The samples are not apart, see above.")
    if bench.found["repeatable"].verdict == "problem":
        return Finding(probe, "not tested", "The model uses random numbers, see above.")
    bench.need_steps()
    return None


def each_alone(bench: Bench) -> Finding:
    """Run each sequence without its pads and without the others: nothing else may decide."""
    probe = "each alone"
    if len(bench.x) > 1 and bench.found["samples apart"].verdict == "problem":
        return Finding(probe, "not tested", "The samples are not apart, see above.")
    if bench.found["repeatable"].verdict == "problem":
        return Finding(probe, "not tested", "The model uses random numbers, see above.")
    if bench.found.get("order of results", Finding("", "ok", "")).verdict == "problem":
        return Finding(probe, "not tested", "The results are not in order, see above.")
    if bench.stateful:
        return Finding(probe, "not tested", "stateful=True: the state belongs to this batch.")
    bench.need_steps()
    apart = _alone_gaps(bench)
    i = int(apart.argmax())
    if float(apart.max()) <= bench.rounding:
        return Finding(
            probe,
            "ok",
            f"Each of {len(apart)} sequences gives alone what it gives in the batch, up to "
            f"{float(apart.max()):.0e} of its size (rounding).{bench.caveat}",
        )
    pads = bench.x.shape[1] - bench.lengths[i]
    ids, pattern = pad_pattern(bench) if pads else (("padded-training-single-prediction",), "")
    return Finding(
        probe,
        "problem",
        f"Sequence {bench.rows[i]} ({bench.lengths[i]} steps, {pads} pads) gives alone, without "
        f"pads, a result that differs by {relative(float(apart.max()))} from that in the "
        f"batch.{pattern}",
        ids[0],
        ids[1:],
    )


def _alone_gaps(bench: Bench) -> Tensor:
    gaps = []
    for i, n in enumerate(bench.lengths):
        gaps.append(bench.gap(bench.base[i : i + 1], bench.alone(i)[None], [n]))
    return torch.cat(gaps)


def more_padding(bench: Bench) -> Finding:
    """Add pads after each end: see :func:`birnn_course.pad_dependence`."""
    probe = "amount of padding"
    refusal = _not_now(bench, probe)
    if refusal:
        return refusal
    if bench.stateful:
        return Finding(probe, "not tested", "stateful=True: the state belongs to this batch.")
    try:
        changes = pad_dependence(
            lambda x, n: bench.subject.run(x, n.tolist()).to(torch.float64),
            bench.x,
            bench.lengths,
            pads=_PADS,
            pad_value=bench.pad_value,
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
        return Finding(
            probe,
            "ok",
            f"{_PADS} more steps of padding change results by {float(change.max()):.0e} of their "
            f"size at most (rounding).{shorter}{bench.caveat}",
        )
    ids, pattern = pad_pattern(bench)
    return Finding(
        probe,
        "problem",
        f"{_PADS} more steps of padding after sequence {bench.rows[i]} ({bench.lengths[i]} steps) "
        f"change its result by {relative(float(change.max()))}.{pattern}",
        ids[0],
        ids[1:],
    )


def pad_content(bench: Bench) -> Finding:
    """Put something else into the pads: what is not read cannot matter."""
    probe = "content of padding"
    refusal = _not_now(bench, probe)
    if refusal:
        return refusal
    apart = _content_gap(bench)
    if apart <= bench.rounding:
        return Finding(probe, "ok", f"Other values in the pads change no result.{bench.caveat}")
    others = [bench.found[name].verdict for name in ("each alone", "amount of padding")]
    if others == ["ok", "ok"] and _first_pad_is_read(bench):
        return Finding(
            probe,
            "problem",
            f"Another value in the first pad changes results by up to {relative(apart)}, in later "
            "pads it changes none: what is read is the step after the last one.",
            "off-by-one-end",
            ("length-is-the-last-index",),
        )
    if others == ["ok", "ok"]:
        return Finding(
            probe,
            "ok",
            f"The model knows padding by its value, {bench.pad_value:g}: with another value there "
            "results change, with more of it they do not.",
        )
    if "problem" not in others and not bench.subject.takes_lengths:
        return Finding(probe, "not tested", "It may know padding by its value; see above for why "
                       "nothing else could be tried.")  # fmt: skip
    ids, pattern = pad_pattern(bench)
    return Finding(
        probe,
        "problem",
        f"Other values in the pads change results by up to {relative(apart)}.{pattern}",
        ids[0],
        ids[1:],
    )


def _content_gap(bench: Bench) -> float:
    real = bench.real
    if bool(real.all()):
        x = bench.padded_by(3)
        pads = torch.arange(x.shape[1]).expand(len(x), -1) >= bench.x.shape[1]
        return float(bench.gap(bench.run(x), bench.run(bench.redraw(pads, x))).max())
    return float(bench.gap(bench.base, bench.run(bench.redraw(~real))).max())


def _first_pad_is_read(bench: Bench) -> bool:
    """Whether an RNN reads on for one step, and the result is taken there.

    A convolution looks one step ahead too, and of zeros that is right; so this is asked only of
    one result per sequence, where lengths say which step to take.
    """
    has_conv = any(
        type(m).__name__.startswith("Conv") for root in bench.modules for m in root.modules()
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
    probe = "lengths"
    subject = bench.subject
    troubled = any(
        bench.found[name].verdict == "problem" for name in ("each alone", "amount of padding")
    )
    if not subject.takes_lengths:
        return Finding(probe, "not applicable", "The model takes no lengths" + (
            ", and padding changes its results; see above." if troubled else
            " and was called without."))  # fmt: skip
    shorter = [max(min(n, 2), n - 2) for n in bench.lengths]
    shorter[shorter.index(max(shorter))] = max(bench.lengths)
    if shorter == bench.lengths:
        return Finding(probe, "not tested", "The sequences are too short to say they are shorter.")
    moved = bench.gap(bench.base, bench.run(lengths=shorter), shorter)
    if float(moved.max()) > bench.influence:
        return Finding(
            probe,
            "ok",
            f"The model uses them: with shorter ones {int((moved > bench.influence).sum())} of "
            f"{len(moved)} results change.",
        )
    if troubled:
        ids, _ = pad_pattern(bench)
        return Finding(
            probe,
            "problem",
            "The model takes lengths and does not use them: with lengths that are 2 shorter no "
            "real step's result changes by a single digit, though padding changes results.",
            ids[0],
            ids[1:],
        )
    return Finding(
        probe,
        "ok",
        f"With other lengths no real step's result changes; none needs them.{bench.caveat}",
    )


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
    both = [c for c in calls if c.module.bidirectional]
    if bench.per_step:
        if any(not c.packed for c in both):
            return ("packing-only-for-h-n", "zeros-are-invisible"), (
                " The backward direction reads the pads first."
            )
        return ("zeros-are-invisible", "mean-over-pads", "packing-only-for-h-n"), ""
    if not calls or calls[-1].packed or _content_gap(bench) <= bench.rounding:
        return _pooled(bench, full)
    return _unpacked(bench, calls[-1], shorter, bool(both))


def _pooled(bench: Bench, full: int) -> tuple[tuple[str, ...], str]:
    """Whether it matters that there is a pad, or how many there are."""
    one, many = bench.run(bench.padded_by(1)), bench.run(bench.padded_by(_PADS))
    presence = float(bench.gap(bench.base, one)[full])
    amount = float(bench.gap(one, many).max())
    if presence > bench.rounding >= amount:
        return ("max-over-pads", "zeros-are-invisible"), (
            " The first pad changes a result and further ones do not, as with a maximum over zeros."
        )
    return ("mean-over-pads", "zeros-are-invisible"), (
        " Each further pad changes a result, as with a mean over all columns."
    )


def _unpacked(
    bench: Bench, call: RecurrentCall, shorter: list[int], both: bool
) -> tuple[tuple[str, ...], str]:
    """What of an RNN that ran over the pads is read."""
    read = columns_read(bench, call)
    if read is None or not shorter:
        return ("h-n-stops-at-the-end", "zeros-are-invisible"), ""
    columns = read.any(0)
    width = columns.shape[1]
    first_pads = [bench.lengths[i] for i in shorter]
    pads = [columns[i, bench.lengths[i] :] for i in shorter]
    if not columns.any():
        return ("h-n-stops-at-the-end", "zeros-are-invisible"), (
            " Results are read from h_n, and unpacked that is the state after the last pad."
        )
    if all(int(columns[i].sum()) == 1 for i in shorter):
        where = [int(columns[i].float().argmax()) for i in shorter]
        if where == [width - 1] * len(shorter) and where != first_pads:
            ids = ("ends-at-the-padding", "h-n-stops-at-the-end")
            if both:
                ids = (*ids, "last-step-readout")  # type: ignore[assignment]
            return ids, f" Every result is read at step {width - 1}, which is a pad for most."
        if where == first_pads:
            return ("off-by-one-end", "length-is-the-last-index"), (
                " Shorter sequences are read at the step after their last one."
            )
    if any(bool(p.any()) for p in pads):
        if all(bool(columns[i, n]) and int(columns[i, n:].sum()) == 1
               for i, n in zip(shorter, first_pads, strict=True)) and any(
            n < width - 1 for n in first_pads
        ):  # fmt: skip
            return ("off-by-one-end", "length-is-the-last-index"), (
                " Of the pads the first one is read."
            )
        if _is_maximum(bench, call):
            return ("max-over-pads", "zeros-are-invisible"), " A maximum is taken over pads too."
        return ("mean-over-pads", "zeros-are-invisible"), (
            f" The outputs at the pads are read too ({sum(int(p.sum()) for p in pads)} of them)."
        )
    return ("packing-only-for-h-n", "h-n-stops-at-the-end", "zeros-are-invisible"), (
        " No output at a pad is read, but the backward direction has read the pads first."
    )


def _is_maximum(bench: Bench, call: RecurrentCall) -> bool:
    """Very low outputs at the pads do not matter to a maximum, however low."""
    pads = ~bench.real
    if call.steps != pads.shape[1] or call.batch_size != len(pads):
        return False
    mask = (pads if call.module.batch_first else pads.T)[..., None]

    def low(value: float) -> Tensor:
        def hook(module: Any, args: Any, kwargs: Any, result: Any) -> Any:
            output = result[0]
            if isinstance(output, PackedSequence):
                return result
            return output.masked_fill(mask.to(output.device), value), result[1]

        with hooked([(call.module, hook)]):
            return bench.run()

    return float(bench.gap(low(-1e3), low(-2e3)).max()) <= bench.rounding


def _flipped_over_all(calls: list[RecurrentCall]) -> RecurrentCall | None:
    """Somebody's own backward reader that reads the rows of a padded batch from their far end."""
    for k, later in enumerate(calls):
        for first in calls[:k]:
            time = 1 if first.module.batch_first else 0
            if (
                first.inputs.shape == later.inputs.shape
                and first.inputs.dim() == 3
                and not (first.packed or later.packed)
                and torch.equal(later.inputs, first.inputs.flip(time))
            ):
                return later
    return None
