"""Probes about a loss and a metric: whether pads count."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from birnn_course.auditing.batch import holds
from birnn_course.auditing.bench import Bench, NotTestableError, put, relative
from birnn_course.auditing.subject import by_place, parameters_of
from birnn_course.data.batches import IGNORED
from birnn_course.findings import Finding, likeliest, not_applicable, not_tested, ok, problem
from birnn_course.models import sequence_mask

_PADS = 5
_AS_IS, _MOVED = "scores and targets as they are", "classes moved to dimension 1"
_COUNTED_IN_LOSS = ("one-filler-for-all", "ignore-index-zero", "pads-in-accuracy", "masked-mean")
_COUNTED_IN_METRIC = ("pads-in-accuracy", "one-filler-for-all", "masked-mean")
_DIVIDED_IN_LOSS = ("masked-mean", "one-filler-for-all")
_DIVIDED_IN_METRIC = ("pads-in-accuracy", "masked-mean")

Form = tuple[str, Callable[[Tensor], Tensor], bool]
"""A way to hand on scores and targets: its name, what is done to scores, if targets are flat."""


@dataclass
class Scored:
    """A loss or a metric with the whole batch's scores ``(batch, seq_len, …)`` and targets.

    ``order`` are the places of batch and time where the user lays out the scores, and
    ``time_first`` says it of the targets: the function gets both laid out like that.
    """

    function: Callable[..., Any]
    scores: Tensor
    targets: Tensor
    lengths: list[int]
    order: tuple[int, int]
    time_first: bool
    random: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))

    @property
    def real(self) -> Tensor:
        """Which steps are no padding, ``(batch, seq_len)``."""
        return sequence_mask(self.lengths, self.targets.shape[1])

    def laid_out(self, scores: Tensor) -> Tensor:
        """Scores as the user has them."""
        return scores.movedim((0, 1), self.order).contiguous()

    def forms(self, *, labels: bool) -> list[Form]:
        """The ways in which the function may want its arguments, the plainest first."""
        forms: list[Form] = [(_AS_IS, lambda s: s, False)]
        if self.scores.dim() == 2:
            forms.append(("both flattened", Tensor.flatten, True))
        if self.scores.dim() == 3:
            k = 3 - sum(self.order)
            if k != 1:
                forms.append((_MOVED, lambda s: s.movedim(k, 1), False))
            forms.append(("both flattened", lambda s: s.movedim(k, -1).flatten(0, 1), True))
            if labels:
                forms.append(("predictions", lambda s: s.argmax(k), False))
                flat = "predictions, both flattened"
                forms.append((flat, lambda s: s.argmax(k).flatten(), True))
        return forms

    def value(self, form: Form, scores: Tensor | None = None) -> float:
        """What the function says of these scores, or of its own."""
        _, turned, flat = form
        targets = self.targets.transpose(0, 1).contiguous() if self.time_first else self.targets
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            value = self.function(
                turned(self.laid_out(self.scores if scores is None else scores)),
                targets.flatten() if flat else targets,
                *self._third(),
            )
        if isinstance(value, Tensor) and value.numel() != 1:
            raise NotTestableError("it returns more than one number")
        return float(value)

    def _third(self) -> tuple[Tensor, ...]:
        """Lengths or a mask, for a function that takes them."""
        parameters = parameters_of(self.function)
        name = parameters[2].name.lower() if len(parameters) > 2 and by_place(parameters[2]) else ""
        if "mask" in name:
            return ((self.real.T if self.time_first else self.real).to(self.targets.device),)
        return (torch.tensor(self.lengths),) if "len" in name else ()

    def redraw(self, where: Tensor) -> Tensor:
        """The scores with others where ``where``, ``(batch, seq_len)``, is true."""
        drawn = self._noise(self.scores, 3)
        if self._are_probabilities:  # a loss may insist on them
            drawn = drawn.softmax(2) if drawn.dim() == 3 else drawn.sigmoid()
        return put(where, drawn, self.scores)

    def longer(self, pad_target: float) -> Scored:
        """The same with more padding."""
        more = self.scores[:, :1].repeat_interleave(_PADS, 1)
        more = more if self._are_probabilities else more + self._noise(more, 1)
        ends = torch.full_like(self.targets[:, :1], pad_target).repeat_interleave(_PADS, 1)
        return replace(
            self,
            scores=torch.cat([self.scores, more], 1),
            targets=torch.cat([self.targets, ends], 1),
        )

    def _noise(self, like: Tensor, times: float) -> Tensor:
        finite = self.scores.float()[self.scores.isfinite()]
        spread = float(finite.std()) if len(finite) > 1 else 0.0
        return (torch.randn(like.shape, generator=self.random) * times * (spread or 1.0)).to(like)

    @property
    def _are_probabilities(self) -> bool:
        return bool(((self.scores >= 0) & (self.scores <= 1)).all())


def pads_counted(
    bench: Bench, *, function: Callable[..., Any] | None, what: str, targets: Tensor | None
) -> Finding:
    """Change the scores at the pads, then add pads: neither may move the number.

    A loss is asked first whether each score is compared with its own target.
    """
    if function is None or targets is None:
        return not_applicable(f"No {what if function is None else 'targets'} given.")
    if not bench.per_step:
        return not_applicable("There is one result per sequence, and no pad has one.")
    scored = _scored(bench, function, targets)
    if not scored.scores.is_floating_point():
        return not_tested("The model returns labels; audit its scores.")
    real, metric = scored.real, what == "metric"
    if bool(real.all()):
        return not_tested("No sequence is padded; give a batch where some are.")
    try:
        form = _working_form(scored, labels=metric)
    except NotTestableError as error:
        return not_tested(f"The {what} could not be tried: {error}.")
    name, value = form[0], scored.value(form)
    values, counts = scored.targets[(~real).to(targets.device)].unique(return_counts=True)
    filler = float(values[counts.argmax()])
    if not metric:
        wrong = _classes_last(scored, form, value, filler) or _wrong_pairs(scored, form, filler)
        if wrong:
            return wrong
    moved = max(_apart(value, scored.value(form, scored.redraw(~real))) for _ in range(5))
    if moved > 1e-5:
        return problem(
            f"Other scores at the {int((~real).sum())} pads change the {what} by {relative(moved)} "
            f"({name}; the pads' target is {filler:g}).",
            *(_COUNTED_IN_METRIC if metric else _COUNTED_IN_LOSS),
        )
    more = ""
    try:
        grown = _apart(value, scored.longer(filler).value(form))
    except Exception:  # such as a mask of the user's own, which has one size
        grown, more = 0.0, "; more padding could not be tried"
    if grown > 1e-5:
        return problem(
            f"The scores at the pads do not matter, but {_PADS} more steps of padding change the "
            f"{what} by {relative(grown)} ({name}): it divides by the pads too.",
            *(_DIVIDED_IN_METRIC if metric else _DIVIDED_IN_LOSS),
        )
    alike = real & holds(scored.targets, filler)
    mixed = bool(alike.any()) and not torch.equal(alike, real)
    if (
        (not metric and filler != IGNORED and mixed)
        and all(scored.value(form, scored.redraw(alike)) == value for _ in range(3))
    ):  # fmt: skip
        return problem(
            f"The {int(alike.sum())} real steps with the target of the pads, {filler:g}, "
            f"do not count: other scores there leave the loss at {value:.4f} ({name}).",
            "ignore-index-zero",
            "one-filler-for-all",
        )
    return ok(f"Neither other scores at the pads nor more pads move the {what} ({name}{more}).")


def _scored(bench: Bench, function: Callable[..., Any], targets: Tensor) -> Scored:
    """Scores and targets of the whole batch, or the reason why they do not fit together."""
    batch, axes, time_first = bench.batch, bench.subject.axes, bench.subject.time_first
    assert axes.batch is not None and axes.time is not None
    if not axes.steps or targets.dim() < 2:
        raise NotTestableError("there is not one result for each target")
    scores = bench.subject.raw(batch.x.to(bench.x.dtype), batch.lengths).to(bench.own_dtype)
    sizes = n, steps = scores.shape[axes.batch], scores.shape[axes.time]
    if n != steps and targets.shape[:2] == sizes[:: 1 if time_first else -1]:
        time_first = not time_first  # turned around against the batch; the loss may know that
    targets = targets.detach().transpose(0, 1) if time_first else targets.detach()
    if len(targets) != n:
        raise NotTestableError(
            f"targets of shape {tuple(targets.shape)} do not fit scores of shape "
            f"{tuple(scores.shape)}"
        )
    if targets.shape[1] != steps:
        raise NotTestableError(
            f"there are {steps} steps of scores and {targets.shape[1]} of targets "
            "(pad_packed_sequence has total_length for that)"
        )
    order = axes.batch, axes.time
    return Scored(
        function, scores.movedim(order, (0, 1)), targets, batch.lengths, order, time_first
    )


def _working_form(scored: Scored, *, labels: bool) -> Form:
    """The first form that runs, gives a number, and minds what the real scores are."""
    complaint = ""
    for form in scored.forms(labels=labels):
        try:
            value = scored.value(form)
            others = [scored.value(form, scored.redraw(scored.real)) for _ in range(3)]
        except Exception as error:
            complaint = complaint or f" ({' '.join(str(error).split())[:120]})"
            continue
        if math.isfinite(value) and any(_apart(value, other) > 0 for other in others):
            return form
    raise NotTestableError(
        f"called with scores and targets it gives no number that depends on the scores{complaint}"
    )


def _apart(a: float, b: float) -> float:
    gap = abs(a - b) / max(abs(a), abs(b), 1e-12)
    return float(math.isnan(a) != math.isnan(b)) if math.isnan(gap) else gap


def _wrong_pairs(scored: Scored, form: Form, filler: float) -> Finding | None:
    """Change a score, a target, and both: if the two meet, the changes do not simply add up."""
    table, value = scored.targets.cpu().contiguous(), scored.value(form)
    if table.dim() > 2:
        return None
    real = scored.real & table.ne(filler)
    known, places = table[real].unique(), real.nonzero()
    if len(known) < 2:
        return None
    # The next one of all targets that occur.
    index = torch.searchsorted(known, table.clamp(known[0], known[-1]))
    other = known[(index + 1) % len(known)]

    def meet(scores: Tensor, where: Tensor) -> bool:
        targets = torch.where(where & real, other, table).to(scored.targets.device)
        now = replace(scored, targets=targets)
        a, b, c = scored.value(form, scores), now.value(form), now.value(form, scores)
        return abs(c - a - b + value) > 3e-6 * max(map(abs, (a, b, c, value)))

    astray: dict[str, list[tuple[int, int]]] = {"same": [], "another": []}
    tried = places[torch.linspace(0, len(places) - 1, min(len(places), 16)).long()].tolist()
    for i, t in tried:
        own, row = torch.zeros_like(real), torch.zeros_like(real)
        own[i, t], row[i] = True, True
        drawn = [scored.redraw(own) for _ in range(3)]
        if not any(meet(scores, own) for scores in drawn):
            if any(meet(scores, row & ~own) for scores in drawn):
                astray["same"].append((i, t))
            elif any(meet(scores, ~row) for scores in drawn):
                astray["another"].append((i, t))
    worst = max(astray, key=lambda k: len(astray[k]))
    if len(astray[worst]) < 2:
        return None
    i, t = astray[worst][0]
    ids = ("view-moves-classes", "flattening-aligns", "transposed-only-once")
    return problem(
        f"Scores and targets are paired wrongly: the score of sequence {i} at step {t} is not "
        f"compared with the target there but with one of {worst} sequence; so it is with "
        f"{sum(map(len, astray.values()))} of {len(tried)} tried.",
        *likeliest(ids, first=None if worst == "same" else "flattening-aligns"),
    )


def _classes_last(scored: Scored, form: Form, value: float, filler: float) -> Finding | None:
    """With as many steps as classes a loss may take the one for the other."""
    moved = [f for f in scored.forms(labels=False) if f[0] == _MOVED]
    shape = scored.laid_out(scored.scores).shape
    if form[0] != _AS_IS or not moved or shape[1] != shape[2]:
        return None
    longer = scored.longer(filler)
    try:
        right = scored.value(moved[0])
    except Exception:
        return None
    try:
        longer.value(form)
        return None
    except Exception:  # so it did take one for the other
        if _apart(value, right) < 1e-6:
            return None
    return problem(
        f"There are as many steps as classes, {shape[1]}, and the loss takes one for "
        f"the other: it gives {value:.4f}, with the classes in dimension 1 {right:.4f}.",
        "classes-last-in-loss",
    )
