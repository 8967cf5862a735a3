"""Probes about time: which inputs reach which results."""

from __future__ import annotations

import torch
from torch import Tensor

from birnn_course.auditing.batch import holds
from birnn_course.auditing.bench import Bench, relative
from birnn_course.auditing.inside import recurrent_calls, recurrent_modules
from birnn_course.auditing.subject import CallFailedError, ShapeError
from birnn_course.findings import Finding, likeliest, not_applicable, not_tested, ok, problem
from birnn_course.models import sequence_mask

_DRAWS = 3  # one new value may happen to change nothing, as under a maximum or a ReLU
_ONE_STEP = not_applicable("The sequences have one step.")


def _reached_from(bench: Bench, row: int, steps: list[int]) -> Tensor:
    """Which results of a sequence move when one of its steps is drawn anew.

    ``(len(steps), seq_len)`` for one result per step, else ``(len(steps),)``.
    """
    n = len(bench.x)
    variants = [bench.one_step(row, s)[row] for s in steps for _ in range(_DRAWS)]
    # The same sequence in every place of the batch: places may round differently.
    usual = bench.run_each(row, [bench.x[row]] * n)
    moved = bench.run_each(row, variants)
    expected = usual[torch.arange(len(variants)) % n]
    ends = [bench.lengths[row]] * len(variants)
    found = bench.gaps(expected, moved, ends) > bench.influence
    return found.reshape(len(steps), _DRAWS, *found.shape[1:]).any(1)


def _longest(bench: Bench) -> tuple[int, Tensor]:
    """The longest sequence, and which of its steps reach which of its results."""
    row = bench.lengths.index(max(bench.lengths))
    if bench.reach is None:
        bench.reach = _reached_from(bench, row, list(range(bench.lengths[row])))
    return row, bench.reach


def past_and_future(bench: Bench) -> Finding:
    """Draw one step anew: the outputs that move have read it."""
    if not bench.per_step:
        return not_applicable("There is one result per sequence.")
    if max(bench.lengths) < 2:
        return _ONE_STEP
    bench.need_steps()
    _, columns = _longest(bench)
    n = len(columns)
    reach = columns.T[:n]  # [t, s]: output t has read input s
    pairs = reach.nonzero().tolist()
    ahead = max((s - t for t, s in pairs), default=0)
    back = max((t - s for t, s in pairs), default=0)
    bi = any(m.bidirectional for m in recurrent_modules(bench))
    if bench.causal and ahead > 0:
        t, s = next((t, s) for t, s in pairs if s - t == ahead)
        ids = ("predict-the-next", "bidirectional-decoder")
        if not bi and ahead < n - 1:
            ids = ("lookahead-for-prediction", "predict-the-next")
        return problem(
            f"causal=True, and drawing step {s} anew changes the output of step {t}: outputs have "
            f"read up to {ahead} steps ahead.",
            *ids,
        )
    odd = _odd_pattern(bench, reach, bi)
    if odd:
        return odd
    before = f"up to {back} steps before it" if back else "no step before it"
    after = f"up to {ahead} after it" if ahead else "none after it"
    return ok(f"An output has read {before} and {after}, in a sequence of {n} steps{bench.caveat}.")


def _odd_pattern(bench: Bench, reach: Tensor, bi: bool) -> Finding | None:
    """Shapes that a reader turned around only once leaves behind."""
    n = len(reach)
    if n < 5 or reach.shape[1] != n:
        return None
    t, s = torch.arange(n)[:, None], torch.arange(n)
    if torch.equal(reach, (s <= t) | (s >= n - 1 - t)):
        ids: tuple[str, ...] = ("unflipped-outputs", "backward-half-reversed")
        return problem(
            f"The output of step 0 has read steps 0 and {n - 1} alone, and that of step {n - 1} "
            "everything: the backward half stands in reversed order.",
            *likeliest(ids, first="backward-half-reversed" if bi else None),
        )
    if torch.equal(reach, (s <= t) | (s <= n - 1 - t)):
        return problem(
            f"The output of step {n // 2} has read no step after {n // 2}, and that of step 0 all "
            f"{n}: a second reader reads forward, and its outputs are turned around.",
            "unflipped-inputs",
            "both-read-forward",
        )
    backward = [c for c in recurrent_calls(bench) if c.looks_back]
    if backward and torch.equal(reach, reach.tril()) and not bench.causal:
        ids = ("both-read-forward", "flip-wrong-axis", "unflipped-inputs")
        return problem(
            f"There is a {backward[0].kind}, but 0 of {n} outputs have read a later step.",
            *likeliest(ids, first=bench.miswired),
        )
    return None


def every_step(bench: Bench) -> Finding:
    """Draw the first, the last and the other steps anew: each should move something."""
    if max(bench.lengths) < 2:
        return _ONE_STEP
    bench.need_steps()
    row, columns = _longest(bench)
    heard = columns.any(1) if columns.dim() == 2 else columns
    rows = [i for i, n in enumerate(bench.lengths) if n > 1]
    first = {i: bool((heard if i == row else _reached_from(bench, i, [0]))[0].any()) for i in rows}
    try:
        # Not cut down: where a length goes wrong may depend on how long the sequences are.
        x = bench.batch.x[bench.rows].to(bench.x.dtype)
        ends = [bench.batch.lengths[i] for i in bench.rows]
        last = _last_counts(bench, x, ends)
    except (CallFailedError, ShapeError):
        x, ends = bench.x, bench.lengths
        last = _last_counts(bench, x, ends)
    no_first = [i for i in rows if not first[i]]
    no_last = [i for i in rows if not last[i]]
    if not no_first and not no_last:
        others = f", and so do all {len(heard)} of the longest" if bool(heard.all()) else ""
        return ok(f"First and last step of {len(rows)} sequences reach a result{others}.")
    text, ids = _deafness(bench, heard, no_first, no_last, x, ends)
    if not ids and len(no_last) < len(rows) and len(no_first) < len(rows):
        return ok(
            f"{text} Others of the same model count them, so it may be chance, as under a maximum."
        )
    if bench.subject.labels:
        return not_tested(f"{text} But the model returns labels, and a small influence flips none.")
    return problem(text, *ids)


def _last_counts(bench: Bench, x: Tensor, ends: list[int]) -> Tensor:
    """Whether the last step of each sequence, drawn anew in all at once, moves its results."""
    last = torch.arange(x.shape[1]) == torch.tensor(ends)[:, None] - 1
    base, moved = bench.run(x, ends), torch.zeros(len(x), dtype=torch.bool)
    for _ in range(8):
        changed = bench.run(bench.redraw(last, x), ends)
        moved |= bench.gap(base, changed, ends) > bench.influence
        if bool(moved.all()):
            break
    return moved


def _deafness(
    bench: Bench, heard: Tensor, no_first: list[int], no_last: list[int], x: Tensor, ends: list[int]
) -> tuple[str, tuple[str, ...]]:
    """Which steps do not count, in words, and what that points to."""
    n = sum(length > 1 for length in bench.lengths)
    shorter = bench.shorter
    counted = heard.nonzero()[:, 0].tolist()
    if shorter and set(no_first) & set(no_last) == set(shorter):
        return (
            f"No step tried of the {len(shorter)} shorter sequences reaches a result: something is "
            "read after their ends.",
            ("padded-end-is-the-end", "off-by-one-end"),
        )
    if counted in ([0], [len(heard) - 1]) and not bench.per_step:
        ids = ("final-is-at-step-0",) if counted == [0] else ("last-step-readout",)
        return f"Step {counted[0]} alone reaches a result.", ids
    which = f"The last real step of {len(no_last)} of {n} sequences reaches no result"
    zeros = holds(x, bench.batch.pad_value) & sequence_mask(ends, x.shape[1])
    if no_last and bool(zeros[no_last].any(1).all()) and (
        bool(_last_counts(bench, bench.redraw(zeros, x), ends)[no_last].all())
    ):  # fmt: skip
        return (
            f"{which}, and each of them holds the value of pads, {bench.batch.pad_value:g}, before "
            "its end; with something else there it does.",
            ("zeros-count-as-pads", "too-short-raises"),
        )
    lengths = ("length-is-the-last-index", "off-by-one-end")
    if len(no_last) == n:
        short = ("too-short-raises",) if bench.subject.takes_lengths else ()
        return f"{which}.", (*short, *lengths)
    if no_last and _counts_if_shorter(bench, x, ends, no_last):
        some = ", ".join(map(str, sorted(ends[i] for i in no_last)))
        return (
            f"{which} (their lengths: {some}). Without a part of their beginnings all do: they "
            "are cut short inside the model.",
            ("too-short-raises", *lengths),
        )
    if no_first:
        which = f"The first step of {len(no_first)} of {n} sequences reaches no result"
    return f"{which}.", ()


def _counts_if_shorter(bench: Bench, x: Tensor, ends: list[int], silent: list[int]) -> bool:
    """Whether the same last steps count in shorter sequences.

    They would not if they were silent by chance. Very short sequences prove nothing, and a model
    that reads in blocks may drop what fills none.
    """
    for block in (2, 3, 4, 8):
        if all((n % block != 0) == (i in silent) for i, n in enumerate(ends)):
            return False
    for share in (2, 3):
        less = [n - n // share for n in ends]
        cut = torch.full_like(x, bench.batch.pad_value)
        for i, (n, new) in enumerate(zip(ends, less, strict=True)):
            cut[i, :new] = x[i, n - new : n]
        try:
            counts = _last_counts(bench, cut, less)
        except (CallFailedError, ShapeError):
            continue
        if bool(counts.all()) and min(ends[i] for i in silent) > 3:
            return True
    return False


def streaming(bench: Bench) -> Finding:
    """Read in two pieces with the state kept, and in one piece."""
    if not bench.stateful or not bench.per_step or bench.x.shape[1] < 4:
        return not_applicable("It is asked of a model with stateful=True and one result per step.")
    bench.need_steps()
    n, width = bench.x.shape[:2]
    x = bench.redraw(torch.ones(n, width, dtype=torch.bool))
    cut = width // 2
    in_one = bench.run(x, [width] * n)
    first = bench.run(x[:, :cut].contiguous(), [cut] * n)
    second = bench.subject.run(x[:, cut:].contiguous(), [width - cut] * n, reset=False)
    apart = bench.apart(in_one, torch.cat([first, second], dim=1), [width] * n)
    if apart <= bench.rounding:
        return ok(f"In two pieces it gives what it gives in one, up to {apart:.0e} of it.")
    differ = f"In two pieces the results differ by {relative(apart)} from those in one piece, "
    if bool(_longest(bench)[1].tril(-1).any()):
        return problem(
            f"{differ}and outputs have read steps after their own: the next piece comes too late "
            "for them.",
            "stream-in-chunks",
        )
    return not_tested(
        f"{differ}though none has read ahead: whatever is kept between calls, it is not a state "
        "to go on from."
    )
