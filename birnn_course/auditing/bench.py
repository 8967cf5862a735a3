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
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from birnn_course.auditing.batch import UserBatch
from birnn_course.auditing.keeping import Coarsest, in_float64
from birnn_course.auditing.subject import CallFailedError, ShapeError, Subject, axes_of
from birnn_course.models import sequence_mask

MOST_SAMPLES = 5  # a prime, so that it is no number of layers times directions
MOST_STEPS = 12
# Probes that would begin after this are left out. Of this thread alone: what is tested must not
# depend on how busy the machine is.
SECONDS = 4.0
_ROUNDING = {torch.float64: 1e-9, torch.float16: 1e-2, torch.bfloat16: 8e-2}


class NotTestableError(Exception):
    """A question that cannot be answered here; the text says why."""


def drawn_like(values: Tensor, random: torch.Generator) -> Tensor:
    """Normal random numbers of the same shape, type and device."""
    return torch.randn(values.shape, generator=random).to(values)


def relative(value: float) -> str:
    """A difference in words; it is given in units of the results' own size."""
    if value >= 10:
        return f"{value:.0f} times its size"
    return f"{100 * value:.0f} % of its size" if value >= 0.01 else f"{value:.1e} of its size"


def put(where: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """``new`` at the steps where ``where``, ``(batch, seq_len)``, is true, else ``old``."""
    mask = where.to(old.device).reshape(*where.shape, *[1] * (old.dim() - 2))
    return torch.where(mask, new, old)


@dataclass
class Bench:
    """A few short sequences with the model that is asked about them.

    ``roots`` are the modules that can be seen; ``rows`` says which sequence of the user's batch
    each row of ``x`` comes from, ``sized`` why not fewer or shorter ones, and ``padded`` whether
    those sequences differ in length or the model is called with lengths. ``base`` is the result
    for ``x``, ``own_dtype`` the number format that the model gives it in, and ``dtype`` the
    coarsest one in use; ``noise`` is what the device adds by itself.

    The last fields are what a probe has found out and later ones build on; None where it was not
    tested: whether each sequence gives alone, and with more pads, what it gives in the batch;
    whether the model lays out its initial state batch first; which misconception readers with
    wrong states or inputs show; what recurrent modules were called with; which steps reach which.
    """

    subject: Subject
    roots: list[nn.Module]
    batch: UserBatch
    x: Tensor
    lengths: list[int]
    rows: list[int]
    padded: bool
    sized: str
    causal: bool = False
    stateful: bool = False
    deadline: float = math.inf
    base: Tensor = field(default_factory=lambda: torch.empty(0))
    own_dtype: torch.dtype = torch.float32
    dtype: torch.dtype = torch.float32
    noise: float = 0.0
    random: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))
    same_alone: bool | None = None
    same_with_more_pads: bool | None = None
    starts_batch_first: bool = False
    miswired: str | None = None
    calls: list[Any] | None = None
    reach: Tensor | None = None

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    @property
    def out_of_time(self) -> bool:
        """Whether no further probe should begin."""
        return time.thread_time() > self.deadline

    def run(self, x: Tensor | None = None, lengths: list[int] | None = None) -> Tensor:
        """The result for other inputs, or other lengths; see :meth:`Subject.run`."""
        if time.thread_time() > self.deadline + 0.5:
            raise NotTestableError("the time is over; give a smaller batch or shorter sequences")
        return self.subject.run(self.x if x is None else x, lengths or self.lengths)

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

    def alone(self, row: int, pads: int = 0) -> Tensor:
        """The result of one sequence in a batch of its own, padded by so much, ``(1, …)``."""
        n = self.lengths[row]
        cut = self._with_pads(self.x[row : row + 1, :n], pads)
        try:
            return self.run(cut, [n])
        except (CallFailedError, ShapeError):  # no batch of one: a batch of copies will do
            copies = cut.expand(len(self.x), *cut.shape[1:]).contiguous()
            return self.run(copies, [n] * len(copies))[:1]

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    @property
    def real(self) -> Tensor:
        """Which steps are no padding, ``(batch, seq_len)``."""
        return sequence_mask(self.lengths, self.x.shape[1])

    @property
    def shorter(self) -> list[int]:
        """Which rows are padded."""
        return [i for i, n in enumerate(self.lengths) if n < self.x.shape[1]]

    @property
    def pads_matter(self) -> bool | None:
        """Whether results depend on padding; None if the probes that ask it do not know."""
        same = self.same_alone, self.same_with_more_pads
        return True if False in same else None if None in same else False

    @property
    def modules(self) -> list[nn.Module]:
        """Everything that can be seen of the model."""
        return [m for root in self.roots for m in root.modules()]

    @cached_property
    def pool(self) -> Tensor:
        """Ids that occur, without that of the pads."""
        x = self.batch.x
        ids: Tensor = x[sequence_mask(self.batch.lengths, x.shape[1]).to(x.device)].unique()
        return ids[ids != self.batch.pad_value]

    def redraw(self, where: Tensor, x: Tensor | None = None) -> Tensor:
        """The inputs with other values where ``where``, ``(batch, seq_len)``, is true."""
        x = self.x if x is None else x
        if x.is_floating_point():
            real = self.x[self.real.to(x.device)].float()
            spread = float(real.std()) if real.numel() > 1 else 0.0
            drawn = torch.randn(x.shape, generator=self.random) * (spread or 1.0)
            return put(where, (drawn + float(real.mean())).to(x), x)
        if len(self.pool) < 2:
            raise NotTestableError("all ids of the batch are alike, so none can be changed")
        index = torch.randint(len(self.pool), x.shape, generator=self.random).to(x.device)
        other = self.pool[(index + 1) % len(self.pool)]
        return put(where, torch.where(self.pool[index] == x, other, self.pool[index]), x)

    def one_step(self, row: int, step: int) -> Tensor:
        """The inputs with one step of one sequence drawn anew."""
        where = torch.zeros(self.x.shape[:2], dtype=torch.bool)
        where[row, step] = True
        return self.redraw(where)

    def padded_by(self, pads: int) -> Tensor:
        """The inputs with more steps of padding."""
        return self._with_pads(self.x, pads)

    def _with_pads(self, x: Tensor, pads: int) -> Tensor:
        more = torch.full_like(x[:, :1], self.batch.pad_value)
        return torch.cat([x, more.repeat_interleave(pads, dim=1)], dim=1)

    # ── comparing ───────────────────────────────────────────────────────────────────────────────

    @property
    def per_step(self) -> bool:
        """Whether there is one result per step."""
        return self.subject.axes.time is not None

    def need_steps(self) -> None:
        """Refuse results that have another number of steps than the inputs."""
        if not self.subject.axes.steps:
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
        if self.per_step and self.subject.axes.steps:
            apart = apart * sequence_mask(lengths or self.lengths, apart.shape[1])
        return apart

    def gap(self, a: Tensor, b: Tensor, lengths: list[int] | None = None) -> Tensor:
        """How far two results lie apart, per sample: ``(batch,)``."""
        gaps = self.gaps(a, b, lengths)
        return gaps.amax(1) if gaps.dim() == 2 else gaps

    def apart(self, a: Tensor, b: Tensor, lengths: list[int] | None = None) -> float:
        """The largest of these gaps."""
        return float(self.gap(a, b, lengths).max())

    def moved(self, result: Tensor, lengths: list[int] | None = None) -> Tensor:
        """Whether a change of an input has reached each result: ``(batch,)``."""
        return self.gap(self.base, result, lengths) > self.influence

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
        stricter = 1000 if self.dtype == torch.float64 else 5
        return max(_ROUNDING.get(self.dtype, 1e-5) / stricter, 10 * self.noise)

    @property
    def caveat(self) -> str:
        """What to add to a sentence where no change says less than usual."""
        if not self.subject.labels:
            return ""
        return "; it returns labels, and a small influence flips none, so this is weak evidence"


def make_bench(subject: Subject, roots: list[nn.Module], batch: UserBatch) -> Bench:
    """Cut the batch down to few samples and steps, as far as the model agrees.

    Raises
    ------
    CallFailedError
        If the model cannot be called with the whole batch either.
    """
    n, steps = batch.x.shape[:2]
    longest = max(batch.lengths)
    few, short = min(n, MOST_SAMPLES), min(longest, MOST_STEPS)
    # Two equal sizes would hide an exchange of axes.
    few -= few == short and few > 2
    short -= few == short and few == 2 and short > 2
    sizes = [(few, short, ""), (few, longest, f"only with {longest} steps")]
    if n == steps:
        sizes.append((min(n, 7), min(n, 7), "only with as many sequences as steps"))
    sizes.append((n, short, f"only with {n} sequences"))
    sizes.append((n, steps, f"only with {n} sequences of {steps} steps"))
    for rows, width, sized in sizes:
        bench = _cut(subject, roots, batch, rows, width, sized)
        try:
            _read_axes(bench)
            return bench
        except CallFailedError as error:
            failed = error
    raise failed


def _cut(
    subject: Subject, roots: list[nn.Module], batch: UserBatch, n: int, width: int, sized: str
) -> Bench:
    """The bench for one size: samples of different lengths, in the order of the batch."""
    ends, last = batch.lengths, len(batch.lengths) - 1
    by_length = sorted(range(last + 1), key=lambda i: ends[i])
    places = [round(k * last / (n - 1)) for k in range(n)] if n > 1 else [last]
    rows = sorted(by_length[place] for place in places)
    longest = max(ends[i] for i in rows)
    new = [min(ends[i], max(2, round(ends[i] * width / longest))) for i in rows]
    if min(new) == width and subject.takes_lengths and width > 3:
        # Nothing is padded, yet the model can handle it: the longest first, which suits those too
        # that want a sorted batch.
        new = [max(2, width - k - (k > 0)) for k in range(n)]
    if max(new) < width:
        new[new.index(max(new))] = width
    cut = batch.x[rows, :width].clone()
    cut[~sequence_mask(new, width).to(cut.device)] = batch.pad_value
    padded = min(new) < width or subject.takes_lengths
    return Bench(subject, roots, batch, cut, new, rows, padded, sized)


def _read_axes(bench: Bench) -> None:
    """Run the model at this size and at two near it, and see which axes follow."""
    subject, x, ends = bench.subject, bench.x, bench.lengths
    n, steps = x.shape[:2]
    raw = subject.raw(x, ends)
    near = [(x[: n - 1], ends[: n - 1])] if n > 2 else [(torch.cat([x, x]), ends * 2)]
    if steps > 2:
        near.append((x[:, : steps - 1].contiguous(), [min(e, steps - 1) for e in ends]))
    else:
        near.append((bench.padded_by(1), ends))
    others = []
    for inputs, lengths in near:
        if max(lengths) < steps == inputs.shape[1]:
            lengths = [steps, *lengths[1:]]  # the longest sequence is the one left out
        try:
            shape = tuple(subject.raw(inputs, lengths).shape)
        except CallFailedError:
            continue
        others.append((shape, (len(inputs), inputs.shape[1])))
    subject.labels = not raw.is_floating_point()
    subject.axes = axes_of(tuple(raw.shape), (n, steps), others)
    bench.dtype = bench.own_dtype = raw.dtype
    if subject.axes.batch is not None:
        bench.base = subject.arrange(raw, n)


def sharpen(bench: Bench, stack: ExitStack) -> None:
    """Go on in float64 until ``stack`` is closed, if the model can, and says the same there.

    Rounding shrinks from 1e-7 to 1e-16 and an influence does not: so one is told from the other.
    A model that makes float32 numbers itself keeps float32's thresholds.
    """
    x, base = bench.x, bench.base
    if any(hasattr(m, "_orig_mod") for m in bench.modules):
        return  # to compile it again would take longer than the audit
    for default in dict.fromkeys((torch.get_default_dtype(), torch.float64)):
        with ExitStack() as tried:
            try:
                tried.enter_context(in_float64(bench.modules, default))
                bench.x = x.double() if x.is_floating_point() else x
                with Coarsest() as coarsest:
                    bench.base = bench.run()
                apart = bench.apart(base, bench.base)
            except Exception:  # many ways to insist on float32, and then it stays so
                apart = math.inf
            if apart < bench.rounding * 100:
                bench.dtype = coarsest.dtype
                stack.push(tried.pop_all())
                return
    bench.x, bench.base = x, base
