"""Probes about time: which inputs reach which results."""

from __future__ import annotations

import torch
from torch import Tensor

from birnn_course.auditing.bench import Bench
from birnn_course.auditing.findings import Finding, relative
from birnn_course.auditing.inside import recurrent_calls, recurrent_modules

_DRAWS = 3  # one new value may happen to change nothing, as under a maximum or a ReLU


def reached_from(bench: Bench, row: int, steps: list[int]) -> Tensor:
    """Which results of a sequence move when one of its steps is drawn anew.

    ``(len(steps), seq_len)`` for one result per step, else ``(len(steps),)``.
    """
    n = len(bench.x)
    variants = []
    for s in steps:
        only = torch.zeros(bench.x.shape[:2], dtype=torch.bool)
        only[row, s] = True
        variants += [bench.redraw(only)[row] for _ in range(_DRAWS)]
    # The same sequence in every place of the batch: places may round differently.
    usual = bench.run_each(row, [bench.x[row]] * n)
    moved = bench.run_each(row, variants)
    expected = usual[torch.arange(len(variants)) % n]
    ends = [bench.lengths[row]] * len(variants)
    found = bench.gaps(expected, moved, ends) > bench.influence
    return found.reshape(len(steps), _DRAWS, *found.shape[1:]).any(1)


def _refusal(bench: Bench, probe: str) -> Finding | None:
    if max(bench.lengths) < 2:
        return Finding(probe, "not applicable", "The sequences have one step.")
    for name in ("samples apart", "order of results"):
        if name in bench.found and bench.found[name].verdict == "problem":
            return Finding(probe, "not tested", f"See the probe `{name}` above first.")
    bench.need_steps()
    return None


def _whole(bench: Bench) -> tuple[int, Tensor]:
    """The longest sequence, and which of its steps reach which of its results."""
    row = bench.lengths.index(max(bench.lengths))
    if bench.reach is None:
        bench.reach = reached_from(bench, row, list(range(bench.lengths[row])))
    return row, bench.reach


def past_and_future(bench: Bench) -> Finding:
    """Draw one step anew: the outputs that move have read it."""
    probe = "past and future"
    if not bench.per_step:
        return Finding(probe, "not applicable", "There is one result per sequence.")
    refusal = _refusal(bench, probe)
    if refusal:
        return refusal
    _, columns = _whole(bench)
    reach = columns.T[: columns.shape[0]]  # [t, s]: output t has read input s
    n = reach.shape[0]
    pairs = [(t, s) for t in range(n) for s in range(reach.shape[1]) if reach[t, s]]
    ahead = max((s - t for t, s in pairs), default=0)
    back = max((t - s for t, s in pairs), default=0)
    bi = any(m.bidirectional for _, m in recurrent_modules(bench))
    if bench.causal and ahead > 0:
        t, s = next((t, s) for t, s in pairs if s - t == ahead)
        ids: tuple[str, ...] = ("predict-the-next", "bidirectional-decoder")
        if not bi and ahead < n - 1:
            ids = ("lookahead-for-prediction", "predict-the-next")
        if bench.found["directions"].misconception == "stacked-halves-stay-apart":
            ids = ("stacked-halves-stay-apart", "predict-the-next")
        return Finding(
            probe,
            "problem",
            f"causal=True, and drawing step {s} anew changes the output of step {t}: outputs have "
            f"read up to {ahead} steps ahead.",
            ids[0],
            ids[1:],
        )
    odd = _odd_pattern(bench, reach, bi)
    if odd:
        return odd
    reads = {
        (True, True): f"up to {back} steps before it and up to {ahead} after it",
        (True, False): f"up to {back} steps before it and none after it",
        (False, True): f"none before it and up to {ahead} steps after it",
        (False, False): "no other step",
    }[back > 0, ahead > 0]
    return Finding(
        probe, "ok", f"An output has read {reads}, in a sequence of {n} steps.{bench.caveat}"
    )


def _odd_pattern(bench: Bench, reach: Tensor, bi: bool) -> Finding | None:
    """Shapes that a reader turned around only once leaves behind."""
    probe, n = "past and future", reach.shape[0]
    if n < 5 or reach.shape[1] != n:
        return None
    t, s = torch.arange(n)[:, None], torch.arange(n)
    middle = n // 2
    if torch.equal(reach, (s <= t) | (s >= n - 1 - t)):
        two = ("unflipped-outputs", "backward-half-reversed")
        return Finding(
            probe,
            "problem",
            f"The output of step 0 has read steps 0 and {n - 1} alone, and that of step {n - 1} "
            "everything: the backward half stands in reversed order.",
            *((two[1], two[:1]) if bi else (two[0], two[1:])),
        )
    if torch.equal(reach, (s <= t) | (s <= n - 1 - t)):
        return Finding(
            probe,
            "problem",
            f"The output of step {middle} has read no step after {middle}, and that of step 0 all "
            f"{n}: a second reader reads forward, and its outputs are turned around.",
            "unflipped-inputs",
            ("both-read-forward",),
        )
    backward = [c for c in recurrent_calls(bench) if c.looks_back]
    if backward and torch.equal(reach, reach.tril()) and not bench.causal:
        seen = bench.found["wiring of readers"].misconception
        ids = [i for i in ("both-read-forward", "flip-wrong-axis", "unflipped-inputs") if i != seen]
        ids = [seen, *ids] if seen else ids
        return Finding(
            probe,
            "problem",
            f"There is a {backward[0].kind}, but 0 of {n} outputs have read a later step.",
            ids[0],
            tuple(ids[1:]),
        )
    return None


def every_step(bench: Bench) -> Finding:
    """Draw the first, the last and the other steps anew: each should move something."""
    probe = "every step counts"
    refusal = _refusal(bench, probe)
    if refusal:
        return refusal
    row, columns = _whole(bench)
    heard = columns.any(1) if columns.dim() == 2 else columns
    ends = {row: (bool(heard[0]), bool(heard[-1]))}
    for i, n in enumerate(bench.lengths):
        if i not in ends and n > 1:
            both = reached_from(bench, i, [0, n - 1])
            both = both.any(1) if both.dim() == 2 else both
            ends[i] = (bool(both[0]), bool(both[1]))
    deaf = [i for i in ends if not any(ends[i])]
    no_first = [i for i in ends if not ends[i][0]]
    no_last = [i for i in ends if not ends[i][1]]
    silent = [s for s in range(len(heard)) if not heard[s]]
    if not no_first and not no_last:
        return Finding(
            probe,
            "ok",
            f"First and last step of {len(ends)} sequences reach a result"
            + (f", and so do all {len(heard)} of the longest." if not silent else "."),
        )
    text, ids = _deafness(bench, heard, deaf, no_first, no_last, len(ends))
    if not ids and len(no_last) < len(ends) and len(no_first) < len(ends):
        return Finding(probe, "ok", f"{text} Others of the same model count them, so it may be "
                       "chance, as under a maximum.")  # fmt: skip
    if bench.subject.labels:
        return Finding(probe, "not tested", f"{text} But the model returns labels, and a small "
                       "influence flips none.")  # fmt: skip
    return Finding(probe, "problem", text, ids[0] if ids else None, ids[1:])


def _deafness(
    bench: Bench, heard: Tensor, deaf: list[int], no_first: list[int], no_last: list[int], n: int
) -> tuple[str, tuple[str, ...]]:
    """Which steps do not count, in words, and what that points to."""
    width = bench.x.shape[1]
    shorter = [i for i, length in enumerate(bench.lengths) if length < width]
    counted = [s for s in range(len(heard)) if heard[s]]
    if shorter and set(deaf) == set(shorter):
        return (
            f"No step tried of the {len(deaf)} shorter sequences reaches a result: something is "
            "read after their ends.",
            ("padded-end-is-the-end", "off-by-one-end"),
        )
    if counted == [0] and not bench.per_step:
        return "Step 0 alone reaches a result.", ("final-is-at-step-0",)
    if counted == [len(heard) - 1] and not bench.per_step:
        return "The last step alone reaches a result.", ("last-step-readout",)
    if len(no_last) == n:
        lengths = ("too-short-raises", "length-is-the-last-index", "off-by-one-end")
        others = ("length-is-the-last-index", "off-by-one-end")
        return (
            f"The last real step reaches no result, in any of {n} sequences tried.",
            lengths if bench.subject.takes_lengths else others,
        )
    has_zero = [i for i in no_last if _holds_pad_value(bench, i)]
    if no_last and len(has_zero) == len(no_last) and bench.subject.axes is not None:
        return (
            f"The last real step of {len(no_last)} sequences reaches no result, and each of them "
            f"holds the id {bench.pad_value:g} before its end.",
            ("zeros-count-as-pads",),
        )
    which = "first" if no_first else "last"
    some = no_first or no_last
    return f"The {which} step of {len(some)} of {n} sequences reaches no result.", ()


def _holds_pad_value(bench: Bench, row: int) -> bool:
    x = bench.x[row, : bench.lengths[row]]
    return not x.is_floating_point() and bool((x == bench.pad_value).any())


def streaming(bench: Bench) -> Finding:
    """Read in two pieces with the state kept, and in one piece."""
    probe = "reading in pieces"
    if not bench.stateful or not bench.per_step or bench.x.shape[1] < 4:
        return Finding(probe, "not applicable", "It is asked of a model with stateful=True and one "
                       "result per step.")  # fmt: skip
    bench.need_steps()
    n, width = bench.x.shape[:2]
    x = bench.redraw(torch.ones(n, width, dtype=torch.bool))
    cut = width // 2
    whole = bench.run(x, [width] * n)
    first = bench.subject.run(x[:, :cut].contiguous(), [cut] * n)
    second = bench.subject.run(x[:, cut:].contiguous(), [width - cut] * n, reset=False)
    apart = float(bench.gap(whole, torch.cat([first, second], dim=1), [width] * n).max())
    if apart <= bench.rounding:
        return Finding(
            probe, "ok", f"In two pieces it gives what it gives in one, up to {apart:.0e} of it."
        )
    _, columns = _whole(bench)
    if columns.dim() == 2 and bool(columns.tril(-1).any()):
        return Finding(
            probe,
            "problem",
            f"In two pieces the results differ by {relative(apart)} from those in one piece, "
            "and outputs have read steps after their own: the next piece comes too late for them.",
            "stream-in-chunks",
        )
    return Finding(
        probe,
        "not tested",
        f"In two pieces the results differ by {relative(apart)} from those in one piece, though "
        "none has read ahead: whatever is kept between calls, it is not a state to go on from.",
    )
