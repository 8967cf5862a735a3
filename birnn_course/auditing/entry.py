"""The way in: find out how the model is called, run the probes, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from birnn_course.auditing import inside, padding, reaching, samples, scoring
from birnn_course.auditing.bench import (
    SECONDS,
    Bench,
    NotTestableError,
    check_batch,
    make_bench,
    out_of_time,
    sharpen,
)
from birnn_course.auditing.calling import CallFailedError, ShapeError, Subject, lengths_parameter
from birnn_course.auditing.findings import (
    AuditReport,
    Finding,
    not_applicable,
    not_tested,
    ok,
    problem,
)
from birnn_course.auditing.keeping import Snapshot, everything_kept, parts_of
from birnn_course.errors import CourseError

Probe = Callable[[Bench], Finding]
_APART = ("samples apart", "repeatable")
# In this order: a later probe may ask what an earlier one found. Those named in the third place
# make no sense after a problem with one of these.
PROBES: tuple[tuple[str, Probe, tuple[str, ...]], ...] = (
    ("repeatable", samples.repeatable, ()),
    ("no memory of calls", samples.memory, ()),
    ("any batch size", samples.any_size, ()),
    ("samples apart", samples.samples_apart, ()),
    ("order of results", samples.order_of_results, _APART),
    ("each alone", padding.each_alone, (*_APART, "order of results")),
    ("amount of padding", padding.more_padding, _APART),
    ("content of padding", padding.pad_content, _APART),
    ("lengths", padding.lengths_used, ()),
    ("directions", inside.directions_used, ()),
    ("which state", inside.state_read, ()),
    ("wiring of readers", inside.wiring, ()),
    ("past and future", reaching.past_and_future, ("samples apart", "order of results")),
    ("every step counts", reaching.every_step, ("samples apart", "order of results")),
    ("reading in pieces", reaching.streaming, ()),
)


def audit(
    model: Callable[..., object],
    batch: Tensor,
    lengths: Tensor | Sequence[int] | None = None,
    *,
    targets: Tensor | None = None,
    loss: Callable[..., Any] | None = None,
    metric: Callable[..., Any] | None = None,
    pad_value: float = 0,
    batch_first: bool | None = None,
    causal: bool = False,
    stateful: bool = False,
) -> AuditReport:
    """Run the probes of the lessons on any model, and say what reaches what but should not.

    Each probe changes one thing, calls the model, and looks at what else changed. It works on a few
    short pieces of the batch, in eval mode and without gradients, within about five seconds.
    Afterwards the model is as it was, with its mode, gradients and hooks, and so are the random
    numbers.

    Parameters
    ----------
    model : callable
        Any ``nn.Module`` or function. It maps a padded batch, and lengths if it takes any (as its
        second argument, or by a name with "len" in it), to scores per step ``(batch, seq_len, n)``,
        ``(seq_len, batch, n)`` or ``(batch, seq_len)``, or per sequence ``(batch, n)`` or
        ``(batch,)``; or to a tuple, dict or dataclass that begins with them. If it needs more,
        audit a function: ``lambda x, lengths: model(x, lengths, mask)[1]``.
    batch : Tensor
        Ids ``(batch, seq_len)`` or floats ``(batch, seq_len, features)``, or with the time first.
    lengths : Tensor or sequence of int, optional
        ``(batch,)``: how many steps of each sequence are real. They say where padding is also for a
        model that takes none; without them every step counts as real.
    targets : Tensor, optional
        ``(batch, seq_len)``, laid out like the batch; needed for ``loss`` and ``metric``.
    loss, metric : callable, optional
        ``loss(scores, targets)`` gives one number, likewise ``metric``, with scores or with
        predicted classes. Both may take lengths or a mask as a third argument. How a metric is
        averaged over several batches cannot be seen here.
    pad_value : float
        What stands in the padding of ``batch``.
    batch_first : bool, optional
        Which axis of ``batch`` comes first. Left out, it is found from lengths, targets or the
        result where the sizes differ, else taken for True; the report says which.
    causal : bool
        Whether a model must not have read ahead, as for predicting the next token.
    stateful : bool
        Whether the model keeps a state between calls on purpose.

    Returns
    -------
    AuditReport
        One finding per probe; show it as the last line of a cell, or ask for ``.problems``.

    Raises
    ------
    CourseError
        If the batch is no batch, lengths do not fit, or the model raises with the batch as it is.

    Notes
    -----
    A change proves a path. No change is about this batch and these weights, in short pieces of it;
    a very small influence can be lost in rounding. Only ``nn.RNN``, ``nn.GRU`` and ``nn.LSTM``
    modules are looked into.
    """
    if not callable(model):
        raise CourseError(f"audit needs a model or a function, not {type(model).__name__}.")
    roots, others = parts_of(model)
    modules = list({id(m): m for root in roots for m in root.modules()}.values())
    if any(is_lazy(p) for m in roots for p in m.parameters()):
        raise CourseError("the model has no weights yet; call it once before the audit.")
    with everything_kept([*modules, *others]):
        for module in modules:
            module.training = False
        state = Snapshot([*modules, *others], parameters=False)
        with torch.inference_mode(False), torch.no_grad(), ExitStack() as stack:
            return _audit(
                model, roots, modules, stack, state, batch, lengths, targets, loss, metric,
                pad_value, batch_first,
                causal=causal, stateful=stateful,
            )  # fmt: skip


def _audit(
    model: Callable[..., object],
    roots: list[nn.Module],
    modules: list[nn.Module],
    stack: ExitStack,
    state: Snapshot,
    batch: Tensor,
    lengths: Tensor | Sequence[int] | None,
    targets: Tensor | None,
    loss: Callable[..., Any] | None,
    metric: Callable[..., Any] | None,
    pad_value: float,
    batch_first: bool | None,
    *,
    causal: bool,
    stateful: bool,
) -> AuditReport:
    deadline = time.thread_time() + SECONDS
    check_batch(batch, None, time_first=False)
    time_first, why = _layout(batch, lengths, targets, pad_value, batch_first)
    home = next((p.device for root in roots for p in root.parameters()), batch.device)

    def bench_for(time_first: bool) -> tuple[Bench, Tensor, list[int] | None, float]:
        x, ends = check_batch(batch.to(home), lengths, time_first=time_first)
        filler = _pad_value(x, ends, pad_value)
        subject = Subject(model, state, time_first=time_first, padded_ends=ends is not None)
        try:
            try:
                bench = make_bench(subject, roots, x, ends, filler)
            except CallFailedError:
                if ends is not None or subject.lengths_as is None or subject.lengths_needed:
                    raise
                subject.lengths_needed = True  # they may be left out, says the signature alone
                bench = make_bench(subject, roots, x, ends, filler)
        except CallFailedError as error:
            raise CourseError(_complaint(subject, x, ends, error)) from None
        bench.causal, bench.stateful, bench.deadline = causal, stateful, deadline
        return bench, x, ends, filler

    if lengths is not None and _padded_left(batch, lengths, time_first, pad_value):
        return _left_report(model, why, min(int(n) for n in lengths))
    bench, x, ends, filler = bench_for(time_first)
    axes = bench.subject.axes
    assert axes is not None
    if axes.batch is None and axes.time == 0 and batch_first is None and "taken" in why:
        # Nothing said which axis is the batch, and the result has a row for each of the second.
        time_first, why = True, "time first, found from the result's rows"
        bench, x, ends, filler = bench_for(time_first)
        axes = bench.subject.axes
        assert axes is not None
    scores_dtype = bench.dtype
    if axes.batch is not None:
        sharpen(bench, modules, stack)
    called = _how_called(bench, why, x, ends, filler, pad_value, home != batch.device)
    findings = [replace(_axes_finding(bench), probe="axes of the result")]
    probes = list(PROBES)
    for function, what in ((loss, "loss"), (metric, "metric")):
        score = partial(
            _score,
            function=function,
            what=what,
            targets=targets,
            x=x,
            ends=ends,
            dtype=scores_dtype,
        )
        probes.append((f"pads in the {what}", score, ()))
    if axes.batch is not None and findings[0].misconception != "minus-infinity-is-safe":
        for name, probe, needs in probes:
            bench.found[name] = replace(_ask(bench, probe, needs), probe=name)
        findings += bench.found.values()
    else:
        reason = "Mend the axes or the values of the result first, see above."
        findings += [Finding(name, "not tested", reason) for name, *_ in probes]
    return AuditReport(_name(model), tuple(findings), tuple(called))


def _name(model: object) -> str:
    name = type(model).__name__ if isinstance(model, nn.Module) else ""
    return str(name or getattr(model, "__name__", "") or type(model).__name__)


def _padded_left(
    batch: Tensor, lengths: Tensor | Sequence[int], time_first: bool, pad_value: float
) -> bool:
    """Whether the pads stand before the sequences and not after them."""
    x, ends = check_batch(batch, lengths, time_first=time_first)
    assert ends is not None
    plain = (x if x.dim() == 2 else x.flatten(2)[..., 0]).cpu() == pad_value
    place, n = torch.arange(x.shape[1]), torch.tensor(ends)[:, None]
    after, before = place >= n, place < x.shape[1] - n
    return bool(after.any()) and bool(plain[before].all()) and not bool(plain[after].all())


def _left_report(model: Callable[..., object], why: str, shortest: int) -> AuditReport:
    """All that can be said of a batch with its padding on the left."""
    what = "The pads of this batch stand before the sequences"
    rest = "audit needs them after the end, as pad_sequence puts them"
    finding = not_tested(f"{what}; {rest}.")
    if lengths_parameter(model)[0] is not None:
        finding = problem(
            f"{what}, while lengths count from step 0: whoever packs the shortest keeps its first "
            f"{shortest} columns, pads among them, and drops the end of the data; {rest}.",
            "left-padding-packs",
        )
    return AuditReport(_name(model), (replace(finding, probe="place of padding"),), (why,))


def _ask(bench: Bench, probe: Probe, needs: tuple[str, ...]) -> Finding:
    """One probe; whatever happens to it, the others go on."""
    if out_of_time(bench):
        return not_tested(
            f"The {SECONDS:.0f} seconds were over; give a smaller batch or shorter sequences."
        )
    for name in needs:
        if bench.found[name].verdict == "problem":
            return not_tested(f"See the probe `{name}` above first.")
    try:
        return probe(bench)
    except NotTestableError as error:
        return not_tested(f"It cannot be tested: {error}.")
    except (CallFailedError, CourseError) as error:
        return not_tested(f"With the inputs of this probe the model raises {error}")
    except ShapeError as error:
        return not_tested(f"The result changes its shape: {error}.")
    except Exception as error:  # one probe that fails at an unusual model must not end the audit
        return not_tested(f"The probe itself failed: {type(error).__name__}: {error}")


def _layout(
    batch: Tensor,
    lengths: Tensor | Sequence[int] | None,
    targets: Tensor | None,
    pad_value: float,
    batch_first: bool | None,
) -> tuple[bool, str]:
    """Whether the time comes first, and how that is known."""
    if batch_first is not None:
        return not batch_first, f"{'batch' if batch_first else 'time'} first, as batch_first says"
    rows, columns = batch.shape[:2]
    size, source = None, ""
    if lengths is not None:
        size, source = len(lengths), "lengths"
    elif targets is not None and targets.dim() == 1:
        size, source = len(targets), "targets"
    if size is not None and rows != columns and size in (rows, columns):
        return size == columns, f"{'batch' if size == rows else 'time'} first, found from {source}"
    if lengths is not None and rows == columns == size:
        ends = torch.as_tensor([int(n) for n in lengths])
        pads = torch.arange(columns) >= ends[:, None]
        plain = batch.flatten(2)[..., 0].cpu() == pad_value if batch.dim() > 2 else (
            batch.cpu() == pad_value
        )  # fmt: skip
        if bool(pads.any()) and bool(plain[pads].all()) != bool(plain.T[pads].all()):
            first = bool(plain[pads].all())
            return not first, f"{'batch' if first else 'time'} first, found from where pads are"
    return False, "batch first, taken for granted (say batch_first=False if it is not)"


def _pad_value(x: Tensor, ends: list[int] | None, said: float) -> float:
    """What stands in the pads, if that is one and the same value; else what was said."""
    if ends is None:
        return said
    pads = torch.arange(x.shape[1]) >= torch.tensor(ends)[:, None]
    there = x[pads.to(x.device)].unique()
    return float(there[0]) if len(there) == 1 else said


def _complaint(subject: Subject, x: Tensor, ends: list[int] | None, error: CallFailedError) -> str:
    shape = tuple(x.transpose(0, 1).shape if subject.time_first else x.shape)
    with_lengths = " and lengths" if subject.takes_lengths else ""
    known = f" (misconception {error.misconceptions[0]})" if error.misconceptions else ""
    return (
        f"with a batch of shape {shape}, {x.dtype}{with_lengths} the model raises {error}{known}; "
        "call it so yourself and mend that first, or audit a function that calls it as it wants."
    )


def _how_called(
    bench: Bench,
    why: str,
    x: Tensor,
    ends: list[int] | None,
    filler: float,
    said: float,
    moved: bool,
) -> list[str]:
    """What was assumed, for the report."""
    subject, axes = bench.subject, bench.subject.axes
    assert axes is not None
    lines = [why]
    if subject.takes_lengths:
        how = "second argument" if subject.lengths_as in ("second", "any") else subject.lengths_as
        lines.append(f"lengths passed as {how}" if ends else f"full lengths passed as {how}")
    elif ends is not None:
        lines.append("without lengths, which it does not take; they still say where padding is")
    elif subject.lengths_as in (None, "any"):
        lines.append("without lengths; every step counts as real")
    else:
        lines.append("without lengths, since none were given; every step counts as real")
    if axes.batch is not None:
        lines.append("one result per step" if axes.time is not None else "one result per sequence")
    n, steps = bench.x.shape[:2]
    lines.append(f"probed with {n} of {len(x)} sequences, cut to {steps} of {x.shape[1]} steps"
                 + (f", since it runs {bench.sized}" if bench.sized else ""))  # fmt: skip
    if filler != said:
        lines.append(f"the pads hold {filler:g}, not pad_value={said:g}")
    if moved:
        lines.append(f"the batch was moved to {bench.x.device}, where the model is")
    if subject.labels:
        lines.append("it returns labels, not scores: no change is weak evidence")
    return lines


def _axes_finding(bench: Bench) -> Finding:
    """Change the size of the batch: the result must have an axis that follows."""
    subject = bench.subject
    axes = subject.axes
    assert axes is not None
    n, steps = bench.x.shape[:2]
    shape = tuple(subject.raw(bench.x, bench.lengths).shape)
    size = f"for {n} sequences of {steps} steps the result has shape {shape}"
    if axes.batch is None:
        calls = inside.recurrent_calls(bench)
        ids: tuple[str, ...] = ("last-step-is-last-sample", "missing-batch-first-raises")
        text = "no axis follows the number of sequences"
        if axes.time == 0:
            text = "it has a row for each step, not for each sequence"
            if not subject.time_first and any(not c.module.batch_first for c in calls):
                ids = ids[::-1]
        elif shape[:1] and n % 2 == 0 and shape[0] == n // 2:
            ids = ("chunk-splits-directions", "view-joins-directions")
            text = "it has half as many rows"
        elif shape[:1] and shape[0] in {c.blocks for c in calls}:
            ids = ("batch-first-everywhere", "view-joins-directions")
            text = "it has a row for each block of h_n (layers times directions)"
        elif not shape or shape[0] == 1:
            ids = ("squeeze-is-harmless",)
        return problem(f"{size.capitalize()}: {text}.", *ids)
    if axes.time is not None and (axes.time < axes.batch) != subject.time_first:
        packed = subject.takes_lengths and any(c.packed for c in inside.recurrent_calls(bench))
        ids = ("transposed-only-once", "flag-is-enough-for-packing", "flattening-aligns")
        if packed:
            ids = ("flag-is-enough-for-packing", "transposed-only-once", "flattening-aligns")
        given, got = ("time", "batch") if subject.time_first else ("batch", "time")
        return problem(
            f"{size.capitalize()}: the {given} comes first in the batch and the {got} in the "
            "result. (If that is meant, as for F.ctc_loss, turn it around for the audit.)",
            *ids,
        )
    finite = bool(bench.gap(bench.base.nan_to_num(0.0), bench.base).max() < 0.5)
    if bool(bench.base.isnan().any()) and not finite:
        return problem(
            f"{size.capitalize()}, and results of real steps are nan.", "minus-infinity-is-safe"
        )
    return ok(f"{size.capitalize()}.")


def _score(
    bench: Bench,
    *,
    function: Callable[..., Any] | None,
    what: str,
    targets: Tensor | None,
    x: Tensor,
    ends: list[int] | None,
    dtype: torch.dtype,
) -> Finding:
    """The probes of the loss or the metric, on the whole batch."""
    subject = bench.subject
    assert subject.axes is not None
    if function is None or targets is None:
        missing = what if function is None else "targets"
        return not_applicable(f"No {missing} given.")
    lengths = ends or [x.shape[1]] * len(x)
    try:
        scored = scoring.scored_batch(
            subject.raw(x.to(bench.x.dtype), lengths).to(dtype), targets, subject.axes,
            time_first=subject.time_first, lengths=lengths,
        )  # fmt: skip
    except NotTestableError as error:
        say = not_applicable if subject.axes.time is None else not_tested
        return say(f"{str(error).capitalize()}.")
    if not scored.scores.is_floating_point():
        return not_tested("The model returns labels; audit its scores.")
    return scoring.pads_counted(scored, function, metric=what == "metric")
