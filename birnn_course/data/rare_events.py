"""A sensor with rare events, and the exact chance of each event given what a model has read.

An event does not move the reading of its own step. It leaves a trace in the *next* readings, which
fades, in noise. Events have nothing to do with each other, so at the moment of an event nothing
that was read so far tells of it; what comes later does. All probabilities are known, so the best
possible scores are known as well, for a model that has read the past and for one that has read
everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import torch
from torch import Tensor

from birnn_course.errors import CourseError


@dataclass(frozen=True)
class RareEvents:
    """Sequences of readings in standard normal noise, with rare events.

    Parameters
    ----------
    rate : float
        The chance of an event, the same at every step.
    amplitude : float
        How much an event lifts the next reading, in standard deviations of the noise. Traces of
        several events add up.
    fade : float
        What is left of a trace from one step to the next.
    trace : int
        For how many steps an event is felt.
    seq_len : int
        Steps in a sequence. Nothing has happened before its first.
    """

    rate: float = 0.0196
    amplitude: float = 1.5
    fade: float = 0.8
    trace: int = 4
    seq_len: int = 60

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1 or not 1 <= self.trace < self.seq_len:
            raise CourseError(
                "RareEvents needs a rate between 0 and 1, and a trace of at least 1 step that is "
                f"shorter than the sequence; these are {self.rate}, {self.trace} and "
                f"{self.seq_len}."
            )

    @property
    def lifts(self) -> Tensor:
        """By how much an event lifts the readings 1, 2, … steps later, ``(trace,)``."""
        return self.amplitude * self.fade ** torch.arange(self.trace)

    def sample(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw ``n`` sequences, on the CPU.

        Returns
        -------
        readings : Tensor
            ``(n, seq_len, 1)``, float32.
        events : Tensor
            ``(n, seq_len)``, int64: 1 where an event is, else 0.
        """
        generator = torch.Generator().manual_seed(seed)
        events = (torch.rand(n, self.seq_len, generator=generator) < self.rate).long()
        readings = torch.randn(n, self.seq_len, generator=generator)
        for steps, lift in enumerate(self.lifts.tolist(), start=1):
            readings[:, steps:] += lift * events[:, :-steps]
        return readings.unsqueeze(-1), events

    def chance(self, readings: Tensor, context: Literal["left", "both"] = "both") -> Tensor:
        """The exact chance of an event at each step, given the readings.

        No model knows more: it is the best score to rank steps by, and it is calibrated.

        Parameters
        ----------
        readings : Tensor
            ``(n, seq_len, 1)``, as :meth:`sample` draws them.
        context : {"left", "both"}
            Given the readings up to and including the step's own, or the whole sequence. The
            first is ``rate`` everywhere: these readings do not depend on the event.

        Returns
        -------
        Tensor
            ``(n, seq_len)``, float64. By the forward-backward algorithm (Rabiner, 1989,
            doi 10.1109/5.18626); a state says which of the last ``trace`` steps had an event.
        """
        x = readings.squeeze(-1).double().cpu()
        if x.ndim != 2:
            raise CourseError(
                f"readings must be (n, seq_len, 1), and these are {tuple(readings.shape)}."
            )
        if context == "left":
            return torch.full_like(x, self.rate)
        states = torch.tensor(list(product((0, 1), repeat=self.trace)))  # the latest step first
        mean = states.double() @ self.lifts.double()
        fits = torch.exp(-0.5 * (x.unsqueeze(-1) - mean) ** 2)  # (n, seq_len, states)
        moves = self._moves(states)
        event = states[:, 0].double()  # in the next state, this step's event is the latest

        ahead = fits.new_zeros(len(x), len(states))
        ahead[:, 0] = 1  # nothing has happened yet
        forward = []
        for t in range(x.shape[1]):
            ahead = ahead * fits[:, t]
            ahead = ahead / ahead.sum(1, keepdim=True)
            forward.append(ahead)
            ahead = ahead @ moves
        chance = torch.empty_like(x)
        behind = torch.ones_like(ahead)  # what comes after the end tells nothing
        for t in reversed(range(x.shape[1])):
            joint = (forward[t] @ moves) * behind
            chance[:, t] = (joint @ event) / joint.sum(1)
            behind = (behind @ moves.T) * fits[:, t]
            behind = behind / behind.sum(1, keepdim=True)
        return chance

    def _moves(self, states: Tensor) -> Tensor:
        """The chance of each next state ``(states, states)``: an event or none enters in front."""
        number = {tuple(state): i for i, state in enumerate(states.tolist())}
        moves = torch.zeros(len(states), len(states), dtype=torch.float64)
        for state, i in number.items():
            moves[i, number[(1, *state[:-1])]] = self.rate
            moves[i, number[(0, *state[:-1])]] = 1 - self.rate
        return moves
