"""The small batch on which the probes run, and the ways in which it is changed.

A probe changes one thing and looks at what else changes. That needs no gradient, so that it works
for ids, for labels and where cuDNN has no backward pass. The batch is short on purpose: over 50
steps the influence of the first one can fade below the rounding of float32, and look like none.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from birnn_course.auditing.calling import CallFailedError, ShapeError, Subject, axes_of
from birnn_course.auditing.findings import Finding
from birnn_course.auditing.keeping import Coarsest, in_float64
from birnn_course.errors import CourseError

MOST_SAMPLES = 5  # a prime, so that it is no number of layers times directions
MOST_STEPS = 12
# Probes that would begin after this are left out. Of this thread alone: what is tested must not
# depend on how busy the machine is.
SECONDS = 4.0
_ROUNDING = {torch.float64: 1e-9, torch.float16: 1e-2, torch.bfloat16: 8e-2}


class NotTestableError(Exception):
    """A question that cannot be answered here; the text says why."""


@dataclass
class Bench:
    """A few short sequences with the model that is asked about them.

    Parameters
    ----------
    subject : Subject
        The model.
    modules : list of nn.Module
        What it is made of, as far as it can be seen.
    x : Tensor
        ``(batch, seq_len)`` of ids or ``(batch, seq_len, features)``; pads hold ``pad_value``.
    lengths : list of int
        The longest is ``seq_len``.
    rows : list of int
        Which sequence of the user's batch each one comes from.
    pool : Tensor
        Ids that occur, without that of the pads; empty for floats.
    uncut, uncut_lengths : Tensor, list of int
        The same sequences with all their steps.
    padded : bool
        Whether the user's sequences differ in length, or the model is called with lengths.
    base : Tensor
        The result for ``x``.
    """

    subject: Subject
    modules: list[nn.Module]
    x: Tensor
    lengths: list[int]
    rows: list[int]
    pool: Tensor
    pad_value: float
    padded: bool
    sized: str
    uncut: Tensor
    uncut_lengths: list[int]
    causal: bool = False
    stateful: bool = False
    base: Tensor = field(default_factory=lambda: torch.empty(0))
    random: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))
    found: dict[str, Finding] = field(default_factory=dict)
    noise: float = 0.0
    dtype: torch.dtype = torch.float32
    calls: list[Any] | None = None
    reach: Tensor | None = None
    deadline: float = math.inf

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    def run(self, x: Tensor | None = None, lengths: list[int] | None = None) -> Tensor:
        """The result for other inputs, or other lengths; see :meth:`Subject.run`."""
        inputs = self.x if x is None else x
        if time.thread_time() > self.deadline + 0.5:
            raise NotTestableError("the time is over; give a smaller batch or shorter sequences")
        return self.subject.run(inputs, self.lengths if lengths is None else lengths)

    def run_each(self, row: int, variants: list[Tensor]) -> Tensor:
        """The results for many versions of one sequence, in batches of the usual size.

        Only for models that keep the samples of a batch apart.
        """
        n, results = len(self.x), []
        for start in range(0, len(variants), n):
            part = variants[start : start + n]
            batch = torch.stack([*part, *[part[-1]] * (n - len(part))])
            results.append(self.run(batch, [self.lengths[row]] * n)[: len(part)])
        return torch.cat(results)

    def alone(self, row: int) -> Tensor:
        """The result of one sequence without padding, in a batch of its own."""
        n = self.lengths[row]
        cut = self.x[row : row + 1, :n]
        try:
            return self.run(cut, [n])[0]
        except (CallFailedError, ShapeError):  # no batch of one: a batch of copies will do
            return self.run(cut.expand(len(self.x), *cut.shape[1:]).contiguous(),
                            [n] * len(self.x))[0]  # fmt: skip

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    @property
    def real(self) -> Tensor:
        """Which steps are no padding, ``(batch, seq_len)``."""
        return torch.arange(self.x.shape[1]) < torch.tensor(self.lengths)[:, None]

    def redraw(self, where: Tensor, x: Tensor | None = None) -> Tensor:
        """The inputs with other values where ``where``, ``(batch, seq_len)``, is true."""
        x = self.x if x is None else x
        where = where.to(x.device)
        if x.is_floating_point():
            real = self.x[self.real.to(x.device)].float()
            spread = float(real.std()) if real.numel() > 1 else 0.0
            drawn = torch.randn(x.shape, generator=self.random) * (spread or 1.0) + float(
                real.mean()
            )
            new = drawn.to(x)
        else:
            if len(self.pool) < 2:
                raise NotTestableError("all ids of the batch are alike, so none can be changed")
            index = torch.randint(len(self.pool), x.shape, generator=self.random).to(x.device)
            other = (index + 1) % len(self.pool)
            pool = self.pool.to(x.device)
            new = torch.where(pool[index] == x, pool[other], pool[index])
        mask = where.reshape(*where.shape, *[1] * (x.dim() - 2))
        return torch.where(mask, new, x)

    def padded_by(self, pads: int) -> Tensor:
        """The inputs with more steps of padding."""
        more = torch.full_like(self.x[:, :1], self.pad_value)
        return torch.cat([self.x, more.repeat_interleave(pads, dim=1)], dim=1)

    # ── comparing ───────────────────────────────────────────────────────────────────────────────

    @property
    def per_step(self) -> bool:
        """Whether there is one result per step."""
        axes = self.subject.axes
        return axes is not None and axes.time is not None

    def need_steps(self) -> None:
        """Refuse results that have another number of steps than the inputs."""
        axes = self.subject.axes
        assert axes is not None
        if not axes.steps:
            raise NotTestableError(
                f"the result has {self.base.shape[1]} steps for {self.x.shape[1]} of the input, "
                "so which are padding is not known"
            )

    def gaps(self, a: Tensor, b: Tensor, lengths: list[int] | None = None) -> Tensor:
        """How far two results lie apart, ``(batch,)`` or for each real step ``(batch, seq_len)``.

        In units of the results' own size; what stands in the padding does not count.
        """
        if self.per_step:
            n = min(a.shape[1], b.shape[1])
            a, b = a[:, :n], b[:, :n]
        same = (a == b) | (a.isnan() & b.isnan())
        # Beside a typical value: one score of -1e9 in a mask must not hide a change elsewhere.
        apart = (a - b).abs() / (self.size + torch.minimum(a.abs(), b.abs()))
        apart = torch.where(same, 0.0, apart.nan_to_num(1.0))
        apart = apart.amax(-1) if apart.shape[-1] else apart.sum(-1)
        if not self.per_step:
            return apart
        axes = self.subject.axes
        if axes is not None and axes.steps:
            ends = torch.tensor(self.lengths if lengths is None else lengths)
            apart = apart * (torch.arange(apart.shape[1]) < ends[:, None])
        return apart

    def gap(self, a: Tensor, b: Tensor, lengths: list[int] | None = None) -> Tensor:
        """How far two results lie apart, per sample: ``(batch,)``."""
        gaps = self.gaps(a, b, lengths)
        return gaps.amax(1) if gaps.dim() == 2 else gaps

    @property
    def size(self) -> float:
        """A typical absolute value of the results."""
        finite = self.base[self.base.isfinite() & (self.base != 0)].abs()
        return float(finite.median()) if len(finite) else 1.0

    @property
    def rounding(self) -> float:
        """What two ways to compute the same may differ by.

        Other batch sizes and packing add up in another order: about 100 times the step of the
        coarsest number format in use; in float64 no stricter than 1e-9.
        """
        return max(_ROUNDING.get(self.dtype, 1e-5), 10 * self.noise)

    @property
    def influence(self) -> float:
        """Above this a change of an input has reached a result.

        With the same shapes what is not reached mostly comes out bit by bit the same; but where a
        model finds the lengths itself, even then it may add up in another order.
        """
        return max(_ROUNDING.get(self.dtype, 1e-5) / (1000 if self.dtype == torch.float64 else 5),
                   10 * self.noise)  # fmt: skip

    @property
    def caveat(self) -> str:
        """What to add to a sentence where no change says less than usual."""
        if not self.subject.labels:
            return ""
        return "; it returns labels, and a small influence flips none, so this is weak evidence"


def make_bench(
    subject: Subject,
    modules: list[nn.Module],
    x: Tensor,
    lengths: list[int] | None,
    pad_value: float,
) -> Bench:
    """Cut the batch down to few samples and steps, as far as the model agrees.

    Raises
    ------
    CallFailedError
        If the model cannot be called with the whole batch either.
    """
    n, steps = x.shape[:2]
    ends = lengths or [steps] * n
    longest = max(ends)
    short = min(longest, MOST_STEPS)
    # Two equal sizes would hide an exchange of axes.
    few = min(n, MOST_SAMPLES)
    few -= few == short and few > 2
    short -= few == short and few == 2 and short > 2
    square = min(n, 7)
    sizes = [(few, short, ""), (few, longest, f"only with {longest} steps")]
    if n == steps:
        sizes.append((square, square, "only with as many sequences as steps"))
    sizes += [(n, short, f"only with {n} sequences"),
              (n, steps, f"only with {n} sequences of {steps} steps")]  # fmt: skip
    pool = _pool(x, ends, pad_value)
    for i, (rows, width, sized) in enumerate(sizes):
        width = min(width, steps)
        bench = _cut(subject, modules, x, lengths, pad_value, pool, (rows, width), sized)
        try:
            _read_axes(bench)
        except CallFailedError:
            if i == len(sizes) - 1:
                raise
            continue
        return bench
    raise AssertionError


def _pool(x: Tensor, ends: list[int], pad_value: float) -> Tensor:
    if x.is_floating_point():
        return torch.empty(0)
    real = torch.arange(x.shape[1]) < torch.tensor(ends)[:, None]
    ids: Tensor = x[real.to(x.device)].unique().cpu()
    return ids[ids != pad_value]


def _cut(
    subject: Subject,
    modules: list[nn.Module],
    x: Tensor,
    lengths: list[int] | None,
    pad_value: float,
    pool: Tensor,
    size: tuple[int, int],
    sized: str,
) -> Bench:
    """The bench for one size: samples of different lengths, in the order of the batch."""
    n, width = size
    ends = lengths or [x.shape[1]] * len(x)
    by_length = sorted(range(len(x)), key=lambda i: ends[i])
    picked = [by_length[round(k * (len(x) - 1) / max(n - 1, 1))] for k in range(n)]
    if n == 1:
        picked = [by_length[-1]]
    rows = sorted(set(picked)) if len(set(picked)) == n else list(range(n))
    longest = max(ends[i] for i in rows)
    new = [min(ends[i], max(2, round(ends[i] * width / longest))) for i in rows]
    if min(new) == width and subject.takes_lengths and width > 3:
        # Nothing is padded, yet the model can handle it: the longest first, which suits those too
        # that want a sorted batch.
        new = [max(2, width - k - (k > 0)) for k in range(n)]
    if max(new) < width:
        new[new.index(max(new))] = width
    cut = x[rows, :width].clone()
    real = torch.arange(width) < torch.tensor(new)[:, None]
    cut[~real.to(x.device)] = pad_value
    padded = min(new) < width or subject.takes_lengths
    return Bench(subject, modules, cut, new, rows, pool, pad_value, padded, sized,
                 x[rows], [ends[i] for i in rows])  # fmt: skip


def _read_axes(bench: Bench) -> None:
    """Run the model at this size and at two near it, and see which axes follow."""
    subject, x, ends = bench.subject, bench.x, bench.lengths
    n, steps = x.shape[:2]
    raw = subject.raw(x, ends)
    subject.labels = not (raw.is_floating_point() or raw.is_complex())
    others = []
    fewer = [min(e, steps - 1) for e in ends]
    near = [(x[: n - 1], ends[: n - 1])] if n > 2 else [(torch.cat([x, x]), ends * 2)]
    near += [(x[:, : steps - 1].contiguous(), fewer)] if steps > 2 else [(bench.padded_by(1), ends)]
    for inputs, lengths in near:
        if len(inputs) < n and max(lengths) < steps:
            lengths = [steps, *lengths[1:]]
        try:
            shape = tuple(subject.raw(inputs, lengths).shape)
        except CallFailedError:
            continue
        others.append((shape, (len(inputs), inputs.shape[1])))
    subject.axes = axes_of(tuple(raw.shape), (n, steps), others)
    bench.dtype = raw.dtype
    if subject.axes.batch is not None:
        bench.base = subject.arrange(raw, n)


def sharpen(bench: Bench, modules: list[nn.Module], stack: ExitStack) -> None:
    """Go on in float64 until ``stack`` is closed, if the model can, and says the same there.

    Rounding shrinks from 1e-7 to 1e-16 and an influence does not: so one is told from the other.
    A model that makes float32 numbers itself keeps float32's thresholds.
    """
    old = bench.x, bench.base
    if any(hasattr(m, "_orig_mod") for m in modules):
        return  # to compile it again would take longer than the audit
    for default in dict.fromkeys((torch.get_default_dtype(), torch.float64)):
        with ExitStack() as tried:
            try:
                tried.enter_context(in_float64(modules, default))
                bench.x = old[0].double() if old[0].is_floating_point() else old[0]
                with Coarsest() as coarsest:
                    bench.base = bench.run()
                apart = float(bench.gap(old[1], bench.base).max())
            except Exception:  # many ways to insist on float32, and then it stays so
                apart = math.inf
            if apart < bench.rounding * 100:
                bench.dtype = coarsest.dtype
                stack.push(tried.pop_all())
                return
    bench.x, bench.base = old


def check_batch(
    batch: object, lengths: object, *, time_first: bool
) -> tuple[Tensor, list[int] | None]:
    """The batch, batch first, and its lengths as numbers.

    Raises
    ------
    CourseError
        If they are no batch of sequences, or do not fit together.
    """
    if not isinstance(batch, Tensor) or batch.dim() < 2 or batch.numel() == 0:
        what = f"shape {tuple(batch.shape)}" if isinstance(batch, Tensor) else type(batch).__name__
        raise CourseError(
            "audit needs a padded batch: a tensor of ids (batch, seq_len) or of floats (batch, "
            f"seq_len, features), not {what}."
        )
    x = batch.detach()
    x = x.transpose(0, 1) if time_first else x
    if lengths is None:
        return x, None
    try:
        ends = [int(n) for n in lengths]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise CourseError("lengths must be whole numbers, one per sequence.") from None
    if len(ends) != len(x) or not all(1 <= n <= x.shape[1] for n in ends):
        raise CourseError(
            f"audit needs a length from 1 to {x.shape[1]} for each of the {len(x)} sequences, not "
            f"{ends if len(ends) < 9 else f'{len(ends)} of them, from {min(ends)} to {max(ends)}'}"
            "; if the time comes first in the batch, say batch_first=False."
        )
    return x, ends


def out_of_time(bench: Bench) -> bool:
    """Whether no further probe should begin."""
    return time.thread_time() > bench.deadline
