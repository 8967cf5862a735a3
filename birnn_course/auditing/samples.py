"""Probes about calls and samples: nothing may depend on other calls or other sequences."""

from __future__ import annotations

import contextlib
import re

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from birnn_course.auditing.bench import Bench, relative
from birnn_course.auditing.inside import recurrent_calls
from birnn_course.auditing.subject import CallFailedError, ShapeError
from birnn_course.findings import Finding, likeliest, not_applicable, not_tested, ok, problem
from birnn_course.models import sequence_mask


def repeatable(bench: Bench) -> Finding:
    """The same input with other random numbers: a difference proves that some are used."""
    first, again, same_seed = (
        bench.subject.run(bench.x, bench.lengths, seed=seed) for seed in (0, 1, 0)
    )
    apart, rounding = bench.apart(first, again), bench.apart(first, same_seed)
    if rounding < apart:
        names = _random_calls(bench)
        called = ", ".join(names)
        start = re.search("randn|normal", called) and "drop" not in called
        what = f" (it calls {called})" if names else ""
        return problem(
            f"In eval mode the same batch gives results that differ by {relative(apart)} from call "
            f"to call, and by {relative(rounding)} if the random numbers are the same: the model "
            f"uses random numbers{what}.",
            *likeliest(("no-grad-is-eval", "random-h-0"), first="random-h-0" if start else None),
        )
    bench.noise = rounding  # what this device adds by itself
    if rounding > 1e-3:
        return problem(
            f"The same batch, with the same random numbers and the same state, gives results that "
            f"differ by {relative(rounding)}: something in the model changes that cannot be seen.",
            "carried-state-as-is",
            "no-grad-is-eval",
        )
    return ok("In eval mode the same batch gives the same result every time.")


def _random_calls(bench: Bench) -> list[str]:
    """Which functions of torch the model takes its random numbers from."""
    names: dict[str, None] = {}

    class Listener(TorchFunctionMode):
        def __torch_function__(  # type: ignore[no-untyped-def]
            self, func, types, args=(), kwargs=None
        ):
            name = getattr(func, "__name__", "")
            off = name == "dropout" and (kwargs or {}).get("training") is False
            if re.search("rand|drop|normal|bernoulli", name) and not off:
                names[name] = None
            return func(*args, **(kwargs or {}))

    with Listener():
        bench.run()
    return [n for n in names if "rand" not in n] or list(names)


def memory(bench: Bench) -> Finding:
    """Another batch in between: a difference proves that something of it was kept."""
    subject, x, ends = bench.subject, bench.x, bench.lengths
    if bench.stateful:
        return not_applicable("stateful=True: the model may keep a state between calls.")
    other = bench.redraw(bench.real)
    first = subject.run(x, ends)
    again = subject.run(x, ends, reset=False)
    subject.raw(other, ends, reset=False)
    after = subject.run(x, ends, reset=False)
    apart = max(bench.apart(first, again), bench.apart(first, after))
    if apart > bench.influence:
        return problem(
            f"After one more call the same batch gives a result that differs by {relative(apart)}, "
            "though random numbers are the same: the model keeps something from the call before. "
            "If that is meant, say stateful=True.",
            "carried-state-as-is",
            "state-is-remembered",
        )
    return ok("A result does not depend on the calls before it.")


def any_size(bench: Bench) -> Finding:
    """One sequence, and one fewer: the last batch of a data set is mostly smaller."""
    n = len(bench.x)
    if bench.stateful:
        return not_tested("stateful=True: the state may have one batch size.")
    longest = bench.lengths.index(max(bench.lengths))
    tries = [[longest]]
    if n > 2:
        tries.append([i for i in range(n) if i != (longest + 1) % n])
    for rows in tries:
        what = "1 sequence" if len(rows) == 1 else f"{len(rows)} sequences"
        try:
            result = bench.subject.raw(bench.x[rows], [bench.lengths[i] for i in rows])
            bench.subject.arrange(result, len(rows))
            gone = result.dim() < bench.subject.axes.ndim
        except CallFailedError as error:
            square = bool(bench.sized) and n == bench.x.shape[1]
            where = "as many sequences as steps" if square else f"{n} sequences"
            ids = _why_one_size(bench, error, len(rows), square)
            bench.starts_batch_first = ids[0] == "h-0-batch-first"
            return problem(f"With {where} it runs; with {what} it raises {error}.", *ids)
        except ShapeError:
            gone = True
        if gone:
            return problem(
                f"With {what} the result has shape {tuple(result.shape)}; no axis says how many "
                f"they are, as one does with {n}.",
                "squeeze-is-harmless" if len(rows) == 1 else "fixed-h-0",
            )
    sizes = f"1, {n - 1} and {n} sequences alike" if n > 2 else "one sequence too"
    return ok(f"It runs with {sizes}.")


def _why_one_size(
    bench: Bench, error: CallFailedError, tried: int, square: bool
) -> tuple[str, ...]:
    """A start of one size, a start with its axes swapped, or axes that fit by chance."""
    sizes = re.search(r"hidden.* \((\d+), \d+, .*got \[(\d+),", str(error))
    ids: tuple[str, ...] = ()
    if sizes and int(sizes[2]) == tried != int(sizes[1]):
        ids = ("h-0-batch-first",)
    elif square and not sizes:
        packed = any(c.packed for c in recurrent_calls(bench))
        ids = ("flag-is-enough-for-packing" if packed else "layout-caught-later",
               "mask-multiplies", "missing-batch-first-raises")  # fmt: skip
    return tuple(dict.fromkeys((*ids, *error.misconceptions))) or ("fixed-h-0",)


def _reached(bench: Bench, x: Tensor, ends: list[int]) -> Tensor:
    """``(batch, batch)``: how far result ``i`` moves when sequence ``j`` is drawn anew."""
    base, real, columns = bench.run(x, ends), sequence_mask(ends, x.shape[1]), []
    for j in range(len(x)):
        only = torch.zeros_like(real)
        only[j] = real[j]
        columns.append(bench.gap(base, bench.run(bench.redraw(only, x), ends), ends))
    return torch.stack(columns, dim=1)


def samples_apart(bench: Bench) -> Finding:
    """Draw one sequence anew: a result that moves in another one proves a leak."""
    n = len(bench.x)
    if n < 2:
        return not_tested("The batch holds one sequence; give two or more.")
    moved = _reached(bench, bench.x, bench.lengths)
    reached = moved > bench.influence
    off = reached & ~torch.eye(n, dtype=torch.bool)
    if not off.any():
        return ok(
            f"Drawing one sequence anew changed no other one's result ({n} tried{bench.caveat})."
        )
    if int(reached.sum(0).max()) <= 1 and int(reached.sum(1).max()) <= 1:
        return ok("Each sequence reaches one result; but see the probe `order of results`.")
    i, j = divmod(int((moved * off).argmax()), n)
    ids, pattern = _mixing_pattern(bench, reached)
    if bench.starts_batch_first:
        ids = ("h-0-batch-first", *ids)
        pattern = "An initial state that goes astray would do that."
    return problem(
        f"Drawing sequence {bench.rows[j]} anew changes the result of sequence {bench.rows[i]} by "
        f"{relative(float(moved[i, j]))}; {int(off.any(1).sum())} of {n} results depend on other "
        f"sequences. {pattern}".strip(),
        *ids,
    )


def _mixing_pattern(bench: Bench, reached: Tensor) -> tuple[tuple[str, ...], str]:
    """The likeliest misconceptions behind mixed samples, and what points to them."""
    n, steps = bench.x.shape[:2]
    calls = recurrent_calls(bench)
    flat = [c for c in calls if c.inputs.dim() == 2]
    numbers = bench.x.dim() == 2 and bench.x.is_floating_point()
    if flat or numbers:
        what = f"The {flat[0].kind} got an input with two dimensions" if flat else "It was read"
        ids: tuple[str, ...] = ("two-dims-are-a-batch", "input-size-is-length")
        ids = likeliest(ids, first="input-size-is-length" if numbers else None)
        return ids, f"{what}: as one sequence with a row for each step."
    for call in calls:
        seen = call.inputs.transpose(0, call.time).shape[:2]
        if not call.packed and seen == (n, steps) and n != steps:
            ids = ("missing-batch-first-raises", "batch-first-is-the-default")
            if call.module.batch_first:
                ids = ("mended-twice", "batch-first-everywhere")
            return ids, (
                f"The {call.kind} has batch_first={call.module.batch_first} and took the {n} "
                "sequences for steps."
            )
    ring, x, ends = _ring(bench)
    beside = torch.inf
    with contextlib.suppress(CallFailedError):  # it may want a sorted batch
        beside = bench.apart(bench.base[ring], bench.run(x, ends), ends)
    if beside <= bench.rounding:
        ids = ("softmax-over-the-batch", "view-joins-directions")
        if bench.apart(bench.base, bench.run(bench.padded_by(3))) > bench.rounding:
            ids = ("softmax-over-the-batch", "padded-training-single-prediction",
                   "zeros-are-invisible")  # fmt: skip
        return ids, (
            "In another order the results are the same, each beside its own sequence: something is "
            "computed over the batch axis, as a softmax, a mean or a norm."
        )
    if _same_step_leaks(bench):
        ids = ("missing-batch-first-raises", "mended-twice", "flag-is-enough-for-packing")
        if any(c.packed for c in calls):
            ids = ("flag-is-enough-for-packing", "missing-batch-first-raises")
        elif calls and all(c.module.batch_first for c in calls):
            ids = ("mended-twice", "missing-batch-first-raises")
        return ids, "Only the same step of the others reaches it: the batch is read as time."
    if bench.per_step or all(c.blocks == 1 for c in calls):
        return ("view-swaps-axes", "reshape-mends-layout"), (
            "Steps of different sequences reach each other crosswise, as after a view."
        )
    return ("view-joins-directions", "view-swaps-axes", "reshape-mends-layout"), (
        "Each result reads other sequences too, as after h_n is cut up by view."
    )


def _ring(bench: Bench) -> tuple[list[int], Tensor, list[int]]:
    """Another order, and the inputs and lengths in it.

    The longest three in a ring, so that to do it once is not to undo it.
    """
    n = len(bench.x)
    by_length = sorted(range(n), key=lambda i: -bench.lengths[i])
    ring = [by_length[(k + 1) % min(n, 3)] if k < 3 else by_length[k] for k in range(n)]
    return ring, bench.x[ring], [bench.lengths[i] for i in ring]


def _same_step_leaks(bench: Bench) -> bool:
    """Whether leaks stay at the step they came from, and steps of one sequence never meet.

    For one result per sequence: whether of the others only the last step leaks, and of its own
    steps only the last one counts.
    """
    leaks = False
    for j in {0, len(bench.x) - 1}:
        end = bench.lengths[j]
        for s in {0, end // 2, end - 1}:
            moved = bench.gaps(bench.base, bench.run(bench.one_step(j, s))) > bench.influence
            leaks |= bool(moved.any())
            if bench.per_step:
                moved[:, s] = False
            if bool(moved.any()) and (bench.per_step or s < end - 1):
                return False
    return leaks


def order_of_results(bench: Bench) -> Finding:
    """Put the sequences in another order: their results have to move with them."""
    n = len(bench.x)
    if n < 2:
        return not_tested("The batch holds one sequence; give two or more.")
    ring, x, ends = _ring(bench)
    try:
        mixed = bench.run(x, ends)
    except CallFailedError as error:
        if "sorted" in str(error) or "decreasing" in str(error):
            return not_tested("The model refuses a batch that is not sorted by length.")
        raise
    apart = bench.gap(bench.base[ring], mixed, ends)
    reached = _reached(bench, x, ends) > bench.influence
    if float(apart.max()) <= bench.rounding and not (reached & ~torch.eye(n).bool()).any():
        return ok(f"In another order all {n} results are the same, each beside its own sequence.")
    down, up = (sorted(range(n), key=lambda i: sign * ends[i]) for sign in (-1, 1))
    sources = [int(row.float().argmax()) if row.any() else -1 for row in reached]
    ids: tuple[str, ...] = ("sort-by-hand", "comes-back-sorted", "unsort-only-outputs")
    text = (
        f"With the sequences in another order {int((apart > bench.rounding).sum())} of {n} results "
        f"are others, by up to {relative(float(apart.max()))}."
    )
    i = int(apart.argmax())
    if sources[i] not in (-1, i):
        text += (
            f" Beside sequence {bench.rows[ring[i]]} stands what sequence "
            f"{bench.rows[ring[sources[i]]]} decides."
        )
    if len(set(ends)) > 1 and sources in (down, up):
        ids = ("sort-by-hand", "unsort-only-outputs", "packed-data-rebuilt")
        text += " The results stand in the order of the lengths."
    elif len(set(ends)) > 1 and [sources[i] for i in down] == list(range(n)):
        ids, text = ("comes-back-sorted",), f"{text} They were put back into order once too often."
    return problem(text, *ids)
