"""Probes about a loss and a metric: whether pads count."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from birnn_course.auditing.bench import NotTestableError
from birnn_course.auditing.calling import Axes
from birnn_course.auditing.findings import Finding, not_tested, ok, problem, relative
from birnn_course.data.batches import IGNORED

_PADS = 5


@dataclass
class Scored:
    """A batch with its scores and targets, as the model and the user lay them out.

    Parameters
    ----------
    scores, targets : Tensor
        As they are.
    axes : Axes
        Which axes of the scores are which.
    time_first : bool
        Whether the targets are (seq_len, batch).
    lengths : list of int
        Of all sequences.
    """

    scores: Tensor
    targets: Tensor
    axes: Axes
    time_first: bool
    lengths: list[int]
    random: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))

    @property
    def width(self) -> int:
        """How many steps the targets have."""
        return self.targets.shape[0 if self.time_first else 1]

    def real(self, width: int) -> Tensor:
        """Which steps are no padding, ``(batch, width)``."""
        return torch.arange(width) < torch.tensor(self.lengths)[:, None]

    def like_scores(self, mask: Tensor) -> Tensor:
        """A mask ``(batch, seq_len)`` with the scores' axes."""
        assert self.axes.batch is not None and self.axes.time is not None
        mask = mask if self.axes.batch < self.axes.time else mask.T
        for k in range(self.axes.ndim):
            if k not in (self.axes.batch, self.axes.time):
                mask = mask.unsqueeze(k)
        return mask.to(self.scores.device)

    def like_targets(self, mask: Tensor) -> Tensor:
        """A mask ``(batch, seq_len)`` with the targets' axes."""
        return (mask.T if self.time_first else mask).to(self.targets.device)

    def targets_by_row(self) -> Tensor:
        """The targets ``(batch, seq_len)``, on the CPU."""
        return (self.targets.transpose(0, 1) if self.time_first else self.targets).cpu()

    def redraw(self, where: Tensor) -> Tensor:
        """The scores with others where ``where``, ``(batch, seq_len)``, is true."""
        drawn = torch.randn(self.scores.shape, generator=self.random) * 3 * self._spread()
        drawn = drawn.to(self.scores)
        if self.looks_like_probabilities:
            drawn = (
                drawn.softmax(self.class_axis) if self.class_axis is not None else drawn.sigmoid()
            )
        return torch.where(self.like_scores(where), drawn, self.scores)

    def _spread(self) -> float:
        finite = self.scores.float()[self.scores.isfinite()]
        return float(finite.std()) if len(finite) > 1 and float(finite.std()) > 0 else 1.0

    @property
    def looks_like_probabilities(self) -> bool:
        """Whether all scores lie from 0 to 1, where a loss may insist on it."""
        return bool(((self.scores >= 0) & (self.scores <= 1)).all())

    @property
    def class_axis(self) -> int | None:
        """The axis of the classes, if there is one."""
        rest = [k for k in range(self.axes.ndim) if k not in (self.axes.batch, self.axes.time)]
        return rest[0] if len(rest) == 1 else None

    def longer(self, pad_target: float) -> Scored:
        """The same with more padding."""
        assert self.axes.time is not None
        more = self.scores.narrow(self.axes.time, 0, 1).repeat_interleave(_PADS, self.axes.time)
        noise = torch.randn(more.shape, generator=self.random).to(more) * self._spread()
        more = more if self.looks_like_probabilities else more + noise
        axis = 0 if self.time_first else 1
        ends = torch.full_like(self.targets.narrow(axis, 0, 1), pad_target)
        return Scored(
            torch.cat([self.scores, more], self.axes.time),
            torch.cat([self.targets, ends.repeat_interleave(_PADS, axis)], axis),
            self.axes,
            self.time_first,
            self.lengths,
            self.random,
        )


Form = Callable[[Scored, Tensor], float]


def _forms(
    function: Callable[..., Any], scored: Scored, *, labels: bool
) -> Iterator[tuple[str, Form]]:
    """The ways in which a loss or a metric may want its arguments, the plainest first."""

    def call(scores: Tensor, targets: Tensor, now: Scored) -> float:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            value = function(scores, targets, *_third(function, now))
        if isinstance(value, Tensor) and value.numel() != 1:
            raise NotTestableError("it returns more than one number")
        return float(value)

    k = scored.class_axis
    yield "scores and targets as they are", lambda now, s: call(s, now.targets, now)
    if k is not None and k != 1:
        yield "classes moved to dimension 1", lambda now, s: call(s.movedim(k, 1), now.targets, now)
    if k is not None:
        yield (
            "both flattened",
            lambda now, s: call(s.movedim(k, -1).flatten(0, 1), now.targets.flatten(), now),
        )
        if labels:
            yield "predictions", lambda now, s: call(s.argmax(k), now.targets, now)
            yield (
                "predictions, both flattened",
                lambda now, s: call(s.argmax(k).flatten(), now.targets.flatten(), now),
            )
    elif scored.scores.dim() == 2:
        yield "both flattened", lambda now, s: call(s.flatten(), now.targets.flatten(), now)


def _third(function: Callable[..., Any], scored: Scored) -> tuple[Tensor, ...]:
    """Lengths or a mask, for a function that insists on them."""
    call = getattr(function, "forward", None) or function
    try:
        parameters = list(inspect.signature(call).parameters.values())
    except (TypeError, ValueError):
        return ()
    if len(parameters) < 3 or parameters[2].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        return ()
    name = parameters[2].name.lower()
    if "mask" in name:
        return (scored.like_targets(scored.real(scored.width)),)
    return (torch.tensor(scored.lengths),) if "len" in name else ()


def _working_form(
    function: Callable[..., Any], scored: Scored, *, labels: bool
) -> tuple[str, Form, float]:
    """The first form that runs, gives a number, and minds what the real scores are."""
    real, complaint = scored.real(scored.width), ""
    for name, form in _forms(function, scored, labels=labels):
        try:
            value = form(scored, scored.scores)
            others = [form(scored, scored.redraw(real)) for _ in range(3)]
        except Exception as error:
            complaint = complaint or " ".join(str(error).split())[:120]
            continue
        if math.isfinite(value) and any(_apart(value, other) > 0 for other in others):
            return name, form, value
    raise NotTestableError(
        "called with scores and targets it gives no number that depends on the scores"
        + (f" ({complaint})" if complaint else "")
    )


def _apart(a: float, b: float) -> float:
    if math.isnan(a) and math.isnan(b):
        return 0.0
    gap = abs(a - b) / max(abs(a), abs(b), 1e-12)
    return 1.0 if math.isnan(gap) else gap


def pads_counted(scored: Scored, function: Callable[..., Any], *, metric: bool) -> Finding:
    """Change the scores at the pads, then add pads: neither may move the number.

    A loss is asked first whether each score is compared with its own target.
    """
    what = "metric" if metric else "loss"
    real = scored.real(scored.width)
    if bool(real.all()):
        return not_tested("No sequence is padded; give a batch where some are.")
    try:
        name, form, value = _working_form(function, scored, labels=metric)
    except NotTestableError as error:
        return not_tested(f"The {what} could not be tried: {error}.")
    pads = scored.targets[scored.like_targets(~real)]
    values, counts = pads.unique(return_counts=True)
    filler = float(values[counts.argmax()])
    if not metric:
        wrong = _classes_last(scored, function, name, value, filler)
        wrong = wrong or _wrong_pairs(scored, form, value, filler)
        if wrong:
            return wrong
    moved = max(_apart(value, form(scored, scored.redraw(~real))) for _ in range(5))
    ids = ("one-filler-for-all", "ignore-index-zero", "pads-in-accuracy", "masked-mean")
    if moved > 1e-5:
        return problem(
            f"Other scores at the {int((~real).sum())} pads change the {what} by {relative(moved)} "
            f"({name}; the pads' target is {filler:g}).",
            *((ids[2], ids[0], ids[3]) if metric else ids),
        )
    try:
        longer = scored.longer(filler)
        grown = _apart(value, form(longer, longer.scores))
    except Exception:
        grown = None
    if grown is not None and grown > 1e-5:
        return problem(
            f"The scores at the pads do not matter, but {_PADS} more steps of padding change the "
            f"{what} by {relative(grown)} ({name}): it divides by the pads too.",
            *((ids[2], ids[3]) if metric else (ids[3], ids[0])),
        )
    if not metric and filler != IGNORED:
        tokens = real & scored.targets_by_row().eq(filler)
        if bool(tokens.any()) and not bool(tokens.eq(real).all()):
            dropped = max(_apart(value, form(scored, scored.redraw(tokens))) for _ in range(3))
            if dropped == 0:
                return problem(
                    f"The {int(tokens.sum())} real steps with the target of the pads, {filler:g}, "
                    f"do not count: other scores there leave the loss at {value:.4f} ({name}).",
                    *ids[1::-1],
                )
    more = "" if grown is not None else "; more padding could not be tried"
    return ok(f"Neither other scores at the pads nor more pads move the {what} ({name}{more}).")


def _wrong_pairs(scored: Scored, form: Form, value: float, filler: float) -> Finding | None:
    """Change a score, a target, and both: if the two meet, the changes do not simply add up."""
    table = scored.targets_by_row()
    real = scored.real(scored.width) & table.ne(filler)
    known = table[real].unique()
    places = real.nonzero()
    if len(known) < 2 or table.dim() != 2:
        return None
    other = known[
        (torch.searchsorted(known, table.contiguous().clamp(known[0], known[-1])) + 1) % len(known)
    ]

    def meet(scores: Tensor, where: Tensor) -> bool:
        changed = torch.where(where & real, other, table)
        now = replace(scored, targets=changed.T if scored.time_first else changed)
        now.targets = now.targets.to(scored.targets.device)
        a, b, c = form(scored, scores), form(now, scored.scores), form(now, scores)
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
        *(ids if worst == "same" else (ids[1], ids[0], ids[2])),
    )


def _classes_last(
    scored: Scored, function: Callable[..., Any], name: str, value: float, filler: float
) -> Finding | None:
    """With as many steps as classes a loss may take the one for the other."""
    k = scored.class_axis
    if not name.endswith("as they are") or k in (None, 1) or scored.scores.dim() != 3:
        return None
    if scored.scores.shape[1] != scored.scores.shape[2]:
        return None
    forms = dict(_forms(function, scored, labels=False))
    try:
        right = forms["classes moved to dimension 1"](scored, scored.scores)
        longer = scored.longer(filler)
    except Exception:
        return None
    try:
        forms[name](longer, longer.scores)
        return None
    except Exception:
        if _apart(value, right) < 1e-6:
            return None
    return problem(
        f"There are as many steps as classes, {scored.scores.shape[1]}, and the loss takes one for "
        f"the other: it gives {value:.4f}, with the classes in dimension 1 {right:.4f}.",
        "classes-last-in-loss",
    )


def scored_batch(
    scores: Tensor, targets: Tensor, axes: Axes, *, time_first: bool, lengths: list[int]
) -> Scored:
    """Put scores and targets together.

    Raises
    ------
    NotTestableError
        If there is no score for each target.
    """
    if axes.time is None or axes.batch is None:
        raise NotTestableError("there is one result per sequence, and no pad has one")
    if not axes.steps or targets.dim() < 2:
        raise NotTestableError("there is not one result for each target")
    sizes = scores.shape[axes.batch], scores.shape[axes.time]
    if sizes[0] != sizes[1] and targets.shape[:2] == sizes[:: 1 if time_first else -1]:
        time_first = not time_first  # turned around against the batch; the loss may know that
    batch, time = (1, 0) if time_first else (0, 1)
    if targets.shape[batch] != scores.shape[axes.batch]:
        raise NotTestableError(
            f"targets of shape {tuple(targets.shape)} do not fit scores of shape "
            f"{tuple(scores.shape)}"
        )
    if targets.shape[time] != scores.shape[axes.time]:
        raise NotTestableError(
            f"there are {scores.shape[axes.time]} steps of scores and {targets.shape[time]} of "
            "targets (pad_packed_sequence has total_length for that)"
        )
    return Scored(scores, targets, axes, time_first, lengths)
