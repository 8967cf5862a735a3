"""Probes about calls and samples: nothing may depend on other calls or other sequences."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from birnn_course.auditing.bench import Bench
from birnn_course.auditing.calling import CallFailedError, ShapeError
from birnn_course.auditing.findings import Finding, relative
from birnn_course.auditing.inside import recurrent_calls


def repeatable(bench: Bench) -> Finding:
    """The same input with other random numbers: a difference proves that some are used."""
    probe, subject = "repeatable", bench.subject
    first, again = (subject.run(bench.x, bench.lengths, seed=seed, reset=True) for seed in (0, 1))
    same_seed = subject.run(bench.x, bench.lengths, seed=0, reset=True)
    apart = float(bench.gap(first, again).max())
    rounding = float(bench.gap(first, same_seed).max())
    if rounding < apart:
        names = _random_calls(bench)
        start = any("randn" in n or "normal" in n for n in names) and not any(
            "drop" in n for n in names
        )
        ids = ("random-h-0", "no-grad-is-eval") if start else ("no-grad-is-eval", "random-h-0")
        what = f" (it calls {', '.join(names)})" if names else ""
        return Finding(
            probe,
            "problem",
            f"In eval mode the same batch gives results that differ by {relative(apart)} from call "
            f"to call, and by {relative(rounding)} if the random numbers are the same: the model "
            f"uses random numbers{what}.",
            ids[0],
            ids[1:],
        )
    bench.noise = rounding  # what this device adds by itself
    if rounding > 1e-3:
        return Finding(
            probe,
            "problem",
            f"The same batch, with the same random numbers and the same state, gives results that "
            f"differ by {relative(rounding)}: something in the model changes that cannot be seen.",
            "carried-state-as-is",
            ("no-grad-is-eval",),
        )
    return Finding(probe, "ok", "In eval mode the same batch gives the same result every time.")


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
    drop = [n for n in names if "rand" not in n] if any("rand" not in n for n in names) else names
    return list(dict.fromkeys(drop))


def memory(bench: Bench) -> Finding:
    """Another batch in between: a difference proves that something of it was kept."""
    probe, subject = "no memory of calls", bench.subject
    if bench.stateful:
        return Finding(
            probe, "not applicable", "stateful=True: the model may keep a state between calls."
        )
    other = bench.redraw(bench.real)
    first = subject.run(bench.x, bench.lengths)
    again = subject.run(bench.x, bench.lengths, reset=False)
    subject.raw(other, bench.lengths, reset=False)
    after = subject.run(bench.x, bench.lengths, reset=False)
    apart = max(float(bench.gap(first, r).max()) for r in (again, after))
    if apart > bench.influence:
        return Finding(
            probe,
            "problem",
            f"After one more call the same batch gives a result that differs by {relative(apart)}, "
            "though random numbers are the same: the model keeps something from the call before. "
            "If that is meant, say stateful=True.",
            "carried-state-as-is",
            ("state-is-remembered",),
        )
    return Finding(probe, "ok", "A result does not depend on the calls before it.")


def any_size(bench: Bench) -> Finding:
    """One sequence, and one fewer: the last batch of a data set is mostly smaller."""
    probe, subject = "any batch size", bench.subject
    n = len(bench.x)
    if bench.stateful:
        return Finding(probe, "not tested", "stateful=True: the state may have one batch size.")
    longest = bench.lengths.index(max(bench.lengths))
    tries = [(bench.x[longest : longest + 1], [bench.lengths[longest]])]
    if n > 2:
        keep = [i for i in range(n) if i != (longest + 1) % n]
        tries.append((bench.x[keep], [bench.lengths[i] for i in keep]))
    for x, ends in tries:
        what = "1 sequence" if len(x) == 1 else f"{len(x)} sequences"
        try:
            shape = tuple(subject.raw(x, ends).shape)
            before = subject.squeezed
            subject.run(x, ends)
        except CallFailedError as error:
            square = bench.sized.endswith("steps") and "as many" in bench.sized
            ids = error.misconceptions or ("fixed-h-0",)
            if square:
                flag = "flag-is-enough-for-packing" if subject.takes_lengths else ""
                ids = (flag or "missing-batch-first-raises", *error.misconceptions)
            where = "as many sequences as steps" if square else f"{n} sequences"
            return Finding(
                probe,
                "problem",
                f"With {where} it runs; with {what} it raises {error}.",
                ids[0],
                tuple(ids[1:]),
            )
        except ShapeError:
            return Finding(
                probe,
                "problem",
                f"With {what} the result has shape {shape}; no axis says how many they are, as one "
                f"does with {n}.",
                "squeeze-is-harmless" if len(x) == 1 else "fixed-h-0",
            )
        if subject.squeezed and not before:
            return Finding(
                probe,
                "problem",
                f"With 1 sequence the result has shape {shape}: the batch axis is gone.",
                "squeeze-is-harmless",
            )
    return Finding(probe, "ok", f"It runs with 1, {n - 1 if n > 2 else n} and {n} sequences alike."
                   if n > 2 else "It runs with one sequence too.")  # fmt: skip


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
    probe, n = "samples apart", len(bench.x)
    if n < 2:
        return Finding(probe, "not tested", "The batch holds one sequence; give two or more.")
    moved = reached_samples(bench)
    reached = moved > bench.influence
    off = reached & ~torch.eye(n, dtype=torch.bool)
    if not off.any():
        return Finding(
            probe,
            "ok",
            f"Drawing one sequence anew changed no other one's result ({n} tried{bench.caveat}).",
        )
    if bool((reached.sum(0) <= 1).all()) and bool((reached.sum(1) <= 1).all()):
        return Finding(
            probe, "ok", "Each sequence reaches one result; but see the probe `order of results`."
        )
    i, j = divmod(int((moved * off).argmax()), n)
    ids, pattern = _mixing_pattern(bench, reached)
    if bench.found["any batch size"].misconception == "h-0-batch-first":
        ids, pattern = ("h-0-batch-first", *ids), "An initial state that goes astray would do that."
    return Finding(
        probe,
        "problem",
        f"Drawing sequence {bench.rows[j]} anew changes the result of sequence {bench.rows[i]} by "
        f"{relative(float(moved[i, j]))}; {int(off.any(1).sum())} of {n} results depend on other "
        f"sequences. {pattern}",
        ids[0],
        ids[1:],
    )


def _mixing_pattern(bench: Bench, reached: Tensor) -> tuple[tuple[str, ...], str]:
    """The likeliest misconceptions behind mixed samples, and what points to them."""
    n, steps = bench.x.shape[:2]
    calls = recurrent_calls(bench)
    for call in calls:
        if call.ndim == 2 and call.batch_size is None:
            ids = (
                ("two-dims-are-a-batch", "input-size-is-length")
                if bench.x.dim() > 2 or not bench.x.is_floating_point()
                else ("input-size-is-length", "two-dims-are-a-batch")
            )
            return ids, f"The {call.kind} got an input with two dimensions: one sequence."
    along_batch = [c for c in calls if c.packed is False and c.steps == n and c.batch_size == steps]
    if along_batch and n != steps:
        call = along_batch[0]
        ids = ("mended-twice", "batch-first-everywhere")
        if not call.module.batch_first:
            ids = ("missing-batch-first-raises", "batch-first-is-the-default")
        return ids, (
            f"The {call.kind} has batch_first={call.module.batch_first} and took the {n} sequences "
            "for steps."
        )
    if bench.x.dim() == 2 and bench.x.is_floating_point():
        return ("input-size-is-length", "two-dims-are-a-batch"), (
            "A batch of number sequences was read as one sequence with a row for each step."
        )
    same_step, own = _where_it_leaks(bench)
    if same_step and not own:
        packed = any(c.packed for c in calls)
        names = ["missing-batch-first-raises", "mended-twice", "flag-is-enough-for-packing"]
        if packed:
            names = ["flag-is-enough-for-packing", "missing-batch-first-raises"]
        elif calls and all(c.module.batch_first for c in calls):
            names = ["mended-twice", "missing-batch-first-raises"]
        return tuple(
            names
        ), "Only the same step of the others reaches it: the batch is read as time."
    if not bench.per_step and not bool(reached.all()):
        # h_n.reshape(batch, -1): row r holds blocks k*r to k*r + k - 1 of (blocks, batch).
        for k in {c.blocks for c in calls} | {2, 4}:
            cut = {(r, (k * r + b) % n) for r in range(n) for b in range(k)}
            if all(bool(reached[i, j]) == ((i, j) in cut) for i in range(n) for j in range(n)):
                return ("view-joins-directions", "reshape-mends-layout"), (
                    f"Each result reads the {k} sequences that stand in one row after h_n is cut "
                    f"up by view."
                )
    if bool(reached.all()) and own and (same_step or not bench.per_step):
        return ("softmax-over-the-batch", "view-joins-directions"), (
            "All sequences reach all results, at the step where they were changed and on: "
            "something is computed over the batch axis."
        )
    if bool(reached.tril().eq(reached).all()) or bool(reached.triu().eq(reached).all()):
        return ("missing-batch-first-raises", "two-dims-are-a-batch"), (
            "Each result depends on the sequences on one side of it only: the batch is read as "
            "time."
        )
    if bench.per_step or not any(c.blocks > 1 for c in calls):
        return ("view-swaps-axes", "reshape-mends-layout"), (
            "Steps of different sequences reach each other crosswise, as after a view."
        )
    return ("view-joins-directions", "view-swaps-axes", "reshape-mends-layout"), ""


def _where_it_leaks(bench: Bench) -> tuple[bool, bool]:
    """Whether leaks stay at the step they came from, and whether steps of one sample meet.

    For one result per sequence: whether of the others only the last step leaks, and whether a
    sequence's own earlier steps reach its result.
    """
    same_step, own, leaks = True, False, False
    n, steps = bench.x.shape[:2]
    for j in {0, n - 1}:
        for s in {0, bench.lengths[j] // 2, bench.lengths[j] - 1}:
            only = torch.zeros(n, steps, dtype=torch.bool)
            only[j, s] = True
            moved = bench.gaps(bench.base, bench.run(bench.redraw(only))) > bench.influence
            if moved.dim() == 2:
                others = moved.clone()
                others[j] = False
                leaks |= bool(others.any())
                if s < others.shape[1]:
                    others[:, s] = False
                same_step &= not bool(others.any())
                mine = moved[j].clone()
                mine[s : s + 1] = False
                own |= bool(mine.any())
            elif s < bench.lengths[j] - 1:
                own |= bool(moved[j])
                moved[j] = False
                same_step &= not bool(moved.any())
                leaks = True
    return same_step and leaks, own


def order_of_results(bench: Bench) -> Finding:
    """Put the sequences in another order: their results have to move with them."""
    probe, n = "order of results", len(bench.x)
    if n < 2:
        return Finding(probe, "not tested", "The batch holds one sequence; give two or more.")
    if bench.found["samples apart"].verdict == "problem":
        return Finding(probe, "not tested", "The samples are not apart, see above.")
    if bench.found["repeatable"].verdict == "problem":
        return Finding(probe, "not tested", "The model uses random numbers, see above.")
    # Not one exchange after another but a ring: doing it once and undoing it are different then.
    by_length = sorted(range(n), key=lambda i: -bench.lengths[i])
    ring = [by_length[(k + 1) % min(n, 3)] if k < 3 else by_length[k] for k in range(n)]
    x, ends = bench.x[ring], [bench.lengths[i] for i in ring]
    try:
        mixed = bench.run(x, ends)
    except CallFailedError as error:
        if "sorted" in str(error) or "decreasing" in str(error):
            return Finding(
                probe, "not tested", "The model refuses a batch that is not sorted by length."
            )
        raise
    expected = bench.base[ring]
    apart = bench.gap(expected, mixed, ends)
    if float(apart.max()) <= bench.rounding:
        reached = reached_samples(bench, x, ends) > bench.influence
        wrong = reached & ~torch.eye(n, dtype=torch.bool)
        if not wrong.any():
            return Finding(
                probe,
                "ok",
                f"In another order all {n} results are the same, each beside its own sequence.",
            )
    reached = reached_samples(bench, x, ends) > bench.influence
    down = sorted(range(n), key=lambda i: -ends[i])
    up = sorted(range(n), key=lambda i: ends[i])
    sources = [int(row.float().argmax()) if row.any() else -1 for row in reached]
    ids: tuple[str, ...] = ("sort-by-hand", "comes-back-sorted", "unsort-only-outputs")
    pattern = ""
    distinct = len(set(ends)) > 1
    if distinct and sources in (down, up):
        ids = ("sort-by-hand", "unsort-only-outputs", "packed-data-rebuilt")
        pattern = " The results stand in the order of the lengths."
    elif distinct and [sources[i] for i in down] == list(range(n)):
        ids, pattern = ("comes-back-sorted",), " They were put back into order once too often."
    i = int(apart.argmax())
    whose = sources[i]
    beside = (
        f" Beside sequence {bench.rows[ring[i]]} stands what sequence {bench.rows[ring[whose]]} "
        "decides."
        if whose not in (-1, i)
        else ""
    )
    return Finding(
        probe,
        "problem",
        f"With the sequences in another order {int((apart > bench.rounding).sum())} of {n} results "
        f"are others, by up to {relative(float(apart.max()))}.{beside}{pattern}",
        ids[0],
        ids[1:],
    )
