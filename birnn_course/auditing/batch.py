"""What the user gave: the batch turned batch first, its lengths, and where its pads are."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from birnn_course.errors import CourseError
from birnn_course.models import sequence_mask

GUESSED = "batch first, taken for granted (say batch_first=False if it is not)"


@dataclass(frozen=True)
class UserBatch:
    """The user's batch.

    ``x`` holds ids ``(batch, seq_len)`` or floats ``(batch, seq_len, features)``, and ``lengths``
    full lengths where the user has none. ``pad_value`` is what stands in the pads, ``stated_pad``
    what the user says does; ``layout`` is how it was known whether the time comes first.
    """

    x: Tensor
    lengths: list[int]
    has_lengths: bool
    pad_value: float
    stated_pad: float
    time_first: bool
    layout: str

    @property
    def left_padded(self) -> bool:
        """Whether the pads stand before the sequences and not after them."""
        steps = self.x.shape[1]
        pads, after = holds(self.x, self.stated_pad), ~sequence_mask(self.lengths, steps)
        before = sequence_mask([steps - n for n in self.lengths], steps)
        return bool(after.any()) and bool(pads[before].all()) and not bool(pads[after].all())


def holds(x: Tensor, value: float) -> Tensor:
    """Which steps hold nothing but this value, ``(batch, seq_len)``."""
    return (x == value).flatten(2).all(2).cpu() if x.dim() > 2 else (x == value).cpu()


def read_user_batch(
    batch: object,
    lengths: object,
    targets: Tensor | None,
    pad_value: float,
    batch_first: bool | None,
) -> UserBatch:
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
    try:
        ends = None if lengths is None else [int(n) for n in lengths]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise CourseError("lengths must be whole numbers, one per sequence.") from None
    time_first, layout = _layout(batch, ends, targets, pad_value, batch_first)
    x = batch.detach().transpose(0, 1) if time_first else batch.detach()
    n, steps = x.shape[:2]
    if ends is None:
        return UserBatch(x, [steps] * n, False, pad_value, pad_value, time_first, layout)
    if len(ends) != n or not all(1 <= end <= steps for end in ends):
        raise CourseError(
            f"audit needs a length from 1 to {steps} for each of the {n} sequences, not "
            f"{ends if len(ends) < 9 else f'{len(ends)} of them, from {min(ends)} to {max(ends)}'}"
            "; if the time comes first in the batch, say batch_first=False."
        )
    there = x[~sequence_mask(ends, steps).to(x.device)].unique()
    held = float(there[0]) if len(there) == 1 else pad_value
    return UserBatch(x, ends, True, held, pad_value, time_first, layout)


def _layout(
    batch: Tensor,
    ends: list[int] | None,
    targets: Tensor | None,
    pad_value: float,
    batch_first: bool | None,
) -> tuple[bool, str]:
    """Whether the time comes first, and how that is known."""
    if batch_first is not None:
        return not batch_first, f"{'batch' if batch_first else 'time'} first, as batch_first says"
    rows, columns = batch.shape[:2]
    size, source = None, ""
    if ends is not None:
        size, source = len(ends), "lengths"
    elif targets is not None and targets.dim() == 1:
        size, source = len(targets), "targets"
    if rows != columns and size in (rows, columns):
        return size == columns, f"{'batch' if size == rows else 'time'} first, found from {source}"
    if ends is not None and rows == columns == size:
        after, pads = ~sequence_mask(ends, columns), holds(batch, pad_value)
        first = bool(pads[after].all())
        if bool(after.any()) and first != bool(pads.T[after].all()):
            return not first, f"{'batch' if first else 'time'} first, found from where pads are"
    return False, GUESSED
