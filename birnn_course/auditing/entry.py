"""The way in: find out how the model is called, run the probes, report."""

from __future__ import annotations

import math
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
from birnn_course.auditing.batch import GUESSED, UserBatch, read_user_batch
from birnn_course.auditing.bench import SECONDS, Bench, NotTestableError, make_bench, sharpen
from birnn_course.auditing.keeping import Snapshot, everything_kept, parts_of
from birnn_course.auditing.report import AuditReport
from birnn_course.auditing.subject import CallFailedError, ShapeError, Subject, lengths_parameter
from birnn_course.errors import CourseError
from birnn_course.findings import Finding, ask_in_order, likeliest, not_tested, ok, problem

_APART = ("samples apart", "repeatable")
# In this order: a later probe may build on what an earlier one found. Those named in the third
# place make no sense after a problem with one of these.
PROBES: tuple[tuple[str, Callable[[Bench], Finding], tuple[str, ...]], ...] = (
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
    parameters = [p for root in roots for p in root.parameters()]
    if any(is_lazy(p) for p in parameters):
        raise CourseError("the model has no weights yet; call it once before the audit.")
    user_batch = read_user_batch(batch, lengths, targets, pad_value, batch_first)
    name = str(getattr(model, "__name__", "") or type(model).__name__)
    if user_batch.has_lengths and user_batch.left_padded:
        takes_lengths = lengths_parameter(model)[0] is not None
        return AuditReport(name, (_left_padded(user_batch, takes_lengths),), (user_batch.layout,))
    home = parameters[0].device if parameters else batch.device
    user_batch = replace(user_batch, x=user_batch.x.to(home))
    deadline = time.thread_time() + SECONDS
    with everything_kept([*modules, *others]), ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        for module in modules:
            module.training = False
        state = Snapshot([*modules, *others], parameters=False)
        bench = _bench(model, roots, state, user_batch)
        axes = bench.subject.axes
        if axes.batch is None and axes.time == 0 and user_batch.layout is GUESSED:
            # Nothing said which axis is the batch, and the result has a row for each of the second.
            user_batch = read_user_batch(batch.to(home), lengths, targets, pad_value, False)
            user_batch = replace(user_batch, layout="time first, found from the result's rows")
            bench = _bench(model, roots, state, user_batch)
            axes = bench.subject.axes
        bench.causal, bench.stateful, bench.deadline = causal, stateful, deadline
        if axes.batch is not None:
            sharpen(bench, stack)
        called = _how_called(bench, moved=home != batch.device)
        first = replace(_axes_finding(bench), probe="axes of the result")
        readable = axes.batch is not None and first.misconception != "minus-infinity-is-safe"
        probes = list(PROBES)
        for what, function in (("loss", loss), ("metric", metric)):
            counted = partial(scoring.pads_counted, function=function, what=what, targets=targets)
            probes.append((f"pads in the {what}", counted, ()))
        unread = not_tested("Mend the axes or the values of the result first, see above.")
        findings = ask_in_order(
            (
                (title, partial(_ask, bench, probe) if readable else lambda: unread, needs)
                for title, probe, needs in probes
            ),
            lambda before: not_tested(f"See the probe `{before.probe}` above first."),
        )
        return AuditReport(name, (first, *findings), tuple(called))


def _bench(
    model: Callable[..., object], roots: list[nn.Module], state: Snapshot, batch: UserBatch
) -> Bench:
    """The bench for a model, which is given lengths only if there are some or it needs them."""
    subject = Subject(model, state, time_first=batch.time_first, has_lengths=batch.has_lengths)
    try:
        try:
            return make_bench(subject, roots, batch)
        except CallFailedError:
            if batch.has_lengths or subject.lengths_as is None or subject.lengths_needed:
                raise
            subject.lengths_needed = True  # they may be left out, says the signature alone
            return make_bench(subject, roots, batch)
    except CallFailedError as error:
        shape = tuple(batch.x.transpose(0, 1).shape if batch.time_first else batch.x.shape)
        with_lengths = " and lengths" if subject.takes_lengths else ""
        known = f" (misconception {error.misconceptions[0]})" if error.misconceptions else ""
        raise CourseError(
            f"with a batch of shape {shape}, {batch.x.dtype}{with_lengths} the model raises "
            f"{error}{known}; call it so yourself and mend that first, or audit a function that "
            "calls it as it wants."
        ) from None


def _left_padded(batch: UserBatch, takes_lengths: bool) -> Finding:
    """All that can be said of a batch with its padding on the left."""
    what = "The pads of this batch stand before the sequences"
    rest = "audit needs them after the end, as pad_sequence puts them"
    finding = not_tested(f"{what}; {rest}.")
    if takes_lengths:
        finding = problem(
            f"{what}, while lengths count from step 0: whoever packs the shortest keeps its first "
            f"{min(batch.lengths)} columns, pads among them, and drops the end of the data; "
            f"{rest}.",
            "left-padding-packs",
        )
    return replace(finding, probe="place of padding")


def _ask(bench: Bench, probe: Callable[[Bench], Finding]) -> Finding:
    """One probe; whatever happens to it, the others go on."""
    if bench.out_of_time:
        return not_tested(
            f"The {SECONDS:.0f} seconds were over; give a smaller batch or shorter sequences."
        )
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


def _how_called(bench: Bench, *, moved: bool) -> list[str]:
    """What was assumed, for the report."""
    subject, batch = bench.subject, bench.batch
    lines = [batch.layout]
    if subject.takes_lengths:
        how = "second argument" if subject.lengths_as in ("second", "any") else subject.lengths_as
        lines.append(f"{'' if batch.has_lengths else 'full '}lengths passed as {how}")
    elif batch.has_lengths:
        lines.append("without lengths, which it does not take; they still say where padding is")
    elif subject.lengths_as in (None, "any"):
        lines.append("without lengths; every step counts as real")
    else:
        lines.append("without lengths, since none were given; every step counts as real")
    if subject.axes.batch is not None:
        lines.append(f"one result per {'step' if bench.per_step else 'sequence'}")
    (n, steps), (all_n, all_steps) = bench.x.shape[:2], batch.x.shape[:2]
    why = f", since it runs {bench.sized}" if bench.sized else ""
    lines.append(f"probed with {n} of {all_n} sequences, cut to {steps} of {all_steps} steps{why}")
    if batch.pad_value != batch.stated_pad:
        lines.append(f"the pads hold {batch.pad_value:g}, not pad_value={batch.stated_pad:g}")
    if moved:
        lines.append(f"the batch was moved to {bench.x.device}, where the model is")
    if subject.labels:
        lines.append("it returns labels, not scores: no change is weak evidence")
    return lines


def _axes_finding(bench: Bench) -> Finding:
    """Change the size of the batch: the result must have an axis that follows."""
    subject, axes = bench.subject, bench.subject.axes
    n, steps = bench.x.shape[:2]
    shape = tuple(subject.raw(bench.x, bench.lengths).shape)
    size = f"For {n} sequences of {steps} steps the result has shape {shape}"
    ids: tuple[str, ...]
    if axes.batch is None:
        calls = inside.recurrent_calls(bench)
        ids = ("last-step-is-last-sample", "missing-batch-first-raises")
        text = "no axis follows the number of sequences"
        if axes.time == 0:
            text = "it has a row for each step, not for each sequence"
            if not subject.time_first and any(not c.module.batch_first for c in calls):
                ids = likeliest(ids, first="missing-batch-first-raises")
        elif shape[:1] and n % 2 == 0 and shape[0] == n // 2:
            ids = ("chunk-splits-directions", "view-joins-directions")
            text = "it has half as many rows"
        elif shape[:1] and shape[0] in {c.blocks for c in calls}:
            ids = ("batch-first-everywhere", "view-joins-directions")
            text = "it has a row for each block of h_n (layers times directions)"
        elif not shape or shape[0] == 1:
            ids = ("squeeze-is-harmless",)
        return problem(f"{size}: {text}.", *ids)
    if axes.time is not None and (axes.time < axes.batch) != subject.time_first:
        packs = subject.takes_lengths and any(c.packed for c in inside.recurrent_calls(bench))
        ids = ("transposed-only-once", "flag-is-enough-for-packing", "flattening-aligns")
        first, got = ("time", "batch") if subject.time_first else ("batch", "time")
        return problem(
            f"{size}: the {first} comes first in the batch and the {got} in the result. "
            "(If that is meant, as for F.ctc_loss, turn it around for the audit.)",
            *likeliest(ids, first="flag-is-enough-for-packing" if packs else None),
        )
    if bench.apart(bench.base.nan_to_num(0.0, math.inf, -math.inf), bench.base) >= 0.5:
        return problem(f"{size}, and results of real steps are nan.", "minus-infinity-is-safe")
    return ok(f"{size}.")
