"""Probes about calls and samples: nothing may depend on other calls or other sequences."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from birnn_course.auditing.bench import Bench
from birnn_course.auditing.calling import CallFailedError, ShapeError
from birnn_course.auditing.findings import (
    Finding,
    not_applicable,
    not_tested,
    ok,
    problem,
    relative,
)
from birnn_course.auditing.inside import recurrent_calls


def repeatable(bench: Bench) -> Finding:
    """The same input with other random numbers: a difference proves that some are used."""
    first, again, same_seed = (
        bench.subject.run(bench.x, bench.lengths, seed=seed) for seed in (0, 1, 0)
    )
    apart = float(bench.gap(first, again).max())
    rounding = float(bench.gap(first, same_seed).max())
    if rounding < apart:
        names = _random_calls(bench)
        drops = any("drop" in n for n in names)
        start = any("randn" in n or "normal" in n for n in names) and not drops
        ids = ("random-h-0", "no-grad-is-eval") if start else ("no-grad-is-eval", "random-h-0")
        what = f" (it calls {', '.join(names)})" if names else ""
        return problem(
            f"In eval mode the same batch gives results that differ by {relative(apart)} from call "
            f"to call, and by {relative(rounding)} if the random numbers are the same: the model "
            f"uses random numbers{what}.",
            *ids,
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
    names: list[str] = []

    class Listener(TorchFunctionMode):
        def __torch_function__(  # type: ignore[no-untyped-def]
            self, func, types, args=(), kwargs=None
        ):
            name = getattr(func, "__name__", "")
            if any(part in name for part in ("rand", "drop", "normal", "bernoulli")) and not (
                name == "dropout" and (kwargs or {}).get("training") is False
            ):
                names.append(name)
            return func(*args, **(kwargs or {}))

    with Listener():
        bench.run()
    drop = [n for n in names if "rand" not in n]
    return list(dict.fromkeys(drop or names))


def memory(bench: Bench) -> Finding:
    """Another batch in between: a difference proves that something of it was kept."""
    subject = bench.subject
    if bench.stateful:
        return not_applicable("stateful=True: the model may keep a state between calls.")
    other = bench.redraw(bench.real)
    first = subject.run(bench.x, bench.lengths)
    again = subject.run(bench.x, bench.lengths, reset=False)
    subject.raw(other, bench.lengths, reset=False)
    after = subject.run(bench.x, bench.lengths, reset=False)
    apart = max(float(bench.gap(first, r).max()) for r in (again, after))
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
    subject, n = bench.subject, len(bench.x)
    if bench.stateful:
        return not_tested("stateful=True: the state may have one batch size.")
    longest = bench.lengths.index(max(bench.lengths))
    tries = [[longest]]
    if n > 2:
        tries.append([i for i in range(n) if i != (longest + 1) % n])
    for rows in tries:
        x, ends = bench.x[rows], [bench.lengths[i] for i in rows]
        what = "1 sequence" if len(x) == 1 else f"{len(x)} sequences"
        before = subject.squeezed
        try:
            shape = tuple(subject.raw(x, ends).shape)
            subject.run(x, ends)
        except CallFailedError as error:
            where = "as many sequences as steps" if _square(bench) else f"{n} sequences"
            ids = _why_one_size(bench, error, len(x))
            return problem(f"With {where} it runs; with {what} it raises {error}.", *ids)
        except ShapeError:
            return problem(
                f"With {what} the result has shape {shape}; no axis says how many they are, as one "
                f"does with {n}.",
                "squeeze-is-harmless" if len(x) == 1 else "fixed-h-0",
            )
        if subject.squeezed and not before:
            return problem(
                f"With 1 sequence the result has shape {shape}: the batch axis is gone.",
                "squeeze-is-harmless",
            )
    sizes = f"1, {n - 1} and {n} sequences alike" if n > 2 else "one sequence too"
    return ok(f"It runs with {sizes}.")


def _square(bench: Bench) -> bool:
    return bool(bench.sized) and bench.x.shape[0] == bench.x.shape[1]


def _why_one_size(bench: Bench, error: CallFailedError, tried: int) -> tuple[str, ...]:
    """A start of one size, a start with its axes swapped, or axes that fit by chance."""
    sizes = re.search(r"hidden.* \((\d+), \d+, .*got \[(\d+),", str(error))
    if sizes and int(sizes[2]) == tried != int(sizes[1]):
        return tuple(dict.fromkeys(("h-0-batch-first", *error.misconceptions)))
    if _square(bench) and not sizes:
        flag = "flag-is-enough-for-packing" if any(
            c.packed for c in recurrent_calls(bench)) else "layout-caught-later"  # fmt: skip
        others = ("mask-multiplies", "missing-batch-first-raises", *error.misconceptions)
        return tuple(dict.fromkeys((flag, *others)))
    return error.misconceptions or ("fixed-h-0",)


def reached_samples(
    bench: Bench, x: Tensor | None = None, lengths: list[int] | None = None
) -> Tensor:
    """``(batch, batch)``: how far result ``i`` moves when sequence ``j`` is drawn anew."""
    inputs = bench.x if x is None else x
    ends = bench.lengths if lengths is None else lengths
    base = bench.run(inputs, ends)
    columns = []
    real = torch.arange(inputs.shape[1]) < torch.tensor(ends)[:, None]
    for j in range(len(inputs)):
        only = torch.zeros_like(real)
        only[j] = real[j]
        columns.append(bench.gap(base, bench.run(bench.redraw(only, inputs), ends), ends))
    return torch.stack(columns, dim=1)


def samples_apart(bench: Bench) -> Finding:
    """Draw one sequence anew: a result that moves in another one proves a leak."""
    n = len(bench.x)
    if n < 2:
        return not_tested("The batch holds one sequence; give two or more.")
    moved = reached_samples(bench)
    reached = moved > bench.influence
    off = reached & ~torch.eye(n, dtype=torch.bool)
    if not off.any():
        return ok(
            f"Drawing one sequence anew changed no other one's result ({n} tried{bench.caveat})."
        )
    if bool((reached.sum(0) <= 1).all()) and bool((reached.sum(1) <= 1).all()):
        return ok("Each sequence reaches one result; but see the probe `order of results`.")
    i, j = divmod(int((moved * off).argmax()), n)
    ids, pattern = _mixing_pattern(bench, reached)
    if bench.found["any batch size"].misconception == "h-0-batch-first":
        ids = ("h-0-batch-first", *(i for i in ids if i != "h-0-batch-first"))
        pattern = "An initial state that goes astray would do that."
    return problem(
        f"Drawing sequence {bench.rows[j]} anew changes the result of sequence {bench.rows[i]} by "
        f"{relative(float(moved[i, j]))}; {int(off.any(1).sum())} of {n} results depend on other "
        f"sequences. {pattern}",
        *ids,
    )


def _mixing_pattern(bench: Bench, reached: Tensor) -> tuple[tuple[str, ...], str]:
    """The likeliest misconceptions behind mixed samples, and what points to them."""
    n, steps = bench.x.shape[:2]
    calls = recurrent_calls(bench)
    ids: tuple[str, ...]
    names: tuple[str, ...]
    numbers = bench.x.dim() == 2 and bench.x.is_floating_point()
    flat = [c for c in calls if c.ndim == 2]
    if flat or numbers:
        ids = ("two-dims-are-a-batch", "input-size-is-length")
        what = f"The {flat[0].kind} got an input with two dimensions" if flat else "It was read"
        return ids[::-1] if numbers else ids, f"{what}: as one sequence with a row for each step."
    along_batch = [c for c in calls if not c.packed and c.steps == n and c.batch_size == steps]
    if along_batch and n != steps:
        call = along_batch[0]
        ids = ("mended-twice", "batch-first-everywhere")
        if not call.module.batch_first:
            ids = ("missing-batch-first-raises", "batch-first-is-the-default")
        return ids, (
            f"The {call.kind} has batch_first={call.module.batch_first} and took the {n} sequences "
            "for steps."
        )
    if _moves_with_its_sequence(bench):
        ids = ("softmax-over-the-batch", "view-joins-directions")
        if float(bench.gap(bench.base, bench.run(bench.padded_by(3))).max()) > bench.rounding:
            ids = (ids[0], "padded-training-single-prediction", "zeros-are-invisible")
        return ids, (
            "In another order the results are the same, each beside its own sequence: something is "
            "computed over the batch axis, as a softmax, a mean or a norm."
        )
    same_step = _same_step_leaks(bench)
    if same_step:
        names = ("missing-batch-first-raises", "mended-twice", "flag-is-enough-for-packing")
        if any(c.packed for c in calls):
            names = (names[2], names[0])
        elif calls and all(c.module.batch_first for c in calls):
            names = (names[1], names[0])
        return names, ("Only the same step of the others reaches it: the batch is read as time.")
    if not bench.per_step and not bool(reached.all()):
        # h_n.reshape(batch, -1): row r holds blocks k*r to k*r + k - 1 of (blocks, batch).
        for k in {c.blocks for c in calls} | {2, 4}:
            cut = torch.zeros(n, n, dtype=torch.bool)
            for r in range(n):
                cut[r, [(k * r + b) % n for b in range(k)]] = True
            if torch.equal(reached, cut):
                return ("view-joins-directions", "reshape-mends-layout"), (
                    f"Each result reads the {k} sequences that stand in one row after h_n is cut "
                    f"up by view."
                )
    if torch.equal(reached.tril(), reached) or torch.equal(reached.triu(), reached):
        return ("missing-batch-first-raises", "two-dims-are-a-batch"), (
            "Each result depends on the sequences on one side of it only: the batch is read as "
            "time."
        )
    if bench.per_step or not any(c.blocks > 1 for c in calls):
        return ("view-swaps-axes", "reshape-mends-layout"), (
            "Steps of different sequences reach each other crosswise, as after a view."
        )
    return ("view-joins-directions", "view-swaps-axes", "reshape-mends-layout"), ""


def _ring(bench: Bench) -> list[int]:
    """Another order: the longest three in a ring, so that to do it once is not to undo it."""
    n = len(bench.x)
    by_length = sorted(range(n), key=lambda i: -bench.lengths[i])
    return [by_length[(k + 1) % min(n, 3)] if k < 3 else by_length[k] for k in range(n)]


def _moves_with_its_sequence(bench: Bench) -> bool:
    """Whether results move along when the sequences are put into another order."""
    ring = _ring(bench)
    ends = [bench.lengths[i] for i in ring]
    try:
        mixed = bench.run(bench.x[ring], ends)
    except CallFailedError:
        return False
    return float(bench.gap(bench.base[ring], mixed, ends).max()) <= bench.rounding


def _same_step_leaks(bench: Bench) -> bool:
    """Whether leaks stay at the step they came from, and steps of one sequence never meet.

    For one result per sequence: whether of the others only the last step leaks, and of its own
    steps only the last one counts.
    """
    leaks, n = False, len(bench.x)
    for j in {0, n - 1}:
        end = bench.lengths[j]
        for s in {0, end // 2, end - 1}:
            only = torch.zeros(bench.x.shape[:2], dtype=torch.bool)
            only[j, s] = True
            moved = bench.gaps(bench.base, bench.run(bench.redraw(only))) > bench.influence
            leaks |= bool(moved.any())
            if moved.dim() == 2:
                moved[:, s : s + 1] = False
                if bool(moved.any()):
                    return False
            elif s < end - 1 and bool(moved.any()):
                return False
    return leaks


def order_of_results(bench: Bench) -> Finding:
    """Put the sequences in another order: their results have to move with them."""
    n = len(bench.x)
    if n < 2:
        return not_tested("The batch holds one sequence; give two or more.")
    ring = _ring(bench)
    x, ends = bench.x[ring], [bench.lengths[i] for i in ring]
    try:
        mixed = bench.run(x, ends)
    except CallFailedError as error:
        if "sorted" in str(error) or "decreasing" in str(error):
            return not_tested("The model refuses a batch that is not sorted by length.")
        raise
    apart = bench.gap(bench.base[ring], mixed, ends)
    reached = reached_samples(bench, x, ends) > bench.influence
    if float(apart.max()) <= bench.rounding and not (reached & ~torch.eye(n).bool()).any():
        return ok(f"In another order all {n} results are the same, each beside its own sequence.")
    down = sorted(range(n), key=lambda i: -ends[i])
    sources = [int(row.float().argmax()) if row.any() else -1 for row in reached]
    ids: tuple[str, ...] = ("sort-by-hand", "comes-back-sorted", "unsort-only-outputs")
    pattern = ""
    if len(set(ends)) > 1 and sources in (down, sorted(range(n), key=lambda i: ends[i])):
        ids = ("sort-by-hand", "unsort-only-outputs", "packed-data-rebuilt")
        pattern = " The results stand in the order of the lengths."
    elif len(set(ends)) > 1 and [sources[i] for i in down] == list(range(n)):
        ids, pattern = ("comes-back-sorted",), " They were put back into order once too often."
    i = int(apart.argmax())
    whose = sources[i]
    beside = (
        f" Beside sequence {bench.rows[ring[i]]} stands what sequence {bench.rows[ring[whose]]} "
        "decides."
    )
    return problem(
        f"With the sequences in another order {int((apart > bench.rounding).sum())} of {n} results "
        f"are others, by up to {relative(float(apart.max()))}."
        + (beside if whose not in (-1, i) else "") + pattern,
        *ids,
    )  # fmt: skip
