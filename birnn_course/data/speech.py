"""Real speech: nine men say /ae/, and the question is who spoke (JapaneseVowels).

Source: the UCI Machine Learning Repository, doi 10.24432/C5NS47, which lists the data under
CC BY 4.0. Collected by Mineichi Kudo, Jun Toyama and Masaru Shimbo, Hokkaido University; cite
M. Kudo, J. Toyama, M. Shimbo (1999), Multidimensional curve classification using passing-through
regions, Pattern Recognition Letters 20, 1103–1111.

The numbers come from two text files in the installed package ``sktime``; neither that package nor
anything it needs is imported.
"""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from birnn_course.errors import CourseError

FRAME_SHIFT = 0.0064
"""Seconds from the start of one frame to that of the next; each frame covers 0.0256."""

Utterance = tuple[Tensor, int]
"""Frames ``(seq_len, 12)`` and the speaker, 0 to 8."""


@dataclass(frozen=True)
class Speech:
    """Utterances of the nine speakers, as the data set splits them.

    Attributes
    ----------
    train, test : tuple of (Tensor, int)
        Each utterance as ``(seq_len, 12)``, float32, 7 to 29 frames of LPC cepstrum coefficients
        without unit, and its speaker, 0 to 8. **Both are sorted by speaker.** The training
        utterances are 30 of each speaker; the test utterances were recorded on other occasions,
        24 to 88 of each.
    """

    train: tuple[Utterance, ...]
    test: tuple[Utterance, ...]


def load_speech() -> Speech:
    """The 270 training and the 370 test utterances, in the order of the files.

    Raises
    ------
    CourseError
        If the package ``sktime`` is not installed or its data files are missing or damaged.
    """
    try:
        return Speech(*(tuple(map(_utterance, _lines(part))) for part in ("TRAIN", "TEST")))
    except (importlib.metadata.PackageNotFoundError, OSError, ValueError):
        raise CourseError(
            "the speech data is missing or damaged; run: pip install --force-reinstall --no-deps "
            "sktime"
        ) from None


def _lines(part: str) -> list[str]:
    """What stands after @data: an utterance in each line."""
    _, marker, data = _file(part).read_text(encoding="utf-8").partition("@data\n")
    if not marker:
        raise ValueError("not a file in the .ts format")
    return data.splitlines()


def _file(part: str) -> Path:
    name = f"sktime/datasets/data/JapaneseVowels/JapaneseVowels_{part}.ts"
    return Path(str(importlib.metadata.distribution("sktime").locate_file(name)))


def _utterance(line: str) -> Utterance:
    """From ``1.86,1.89:-0.2,-0.3:…:1``: one coefficient over time after the other, the speaker."""
    *coefficients, speaker = line.split(":")
    series = [[float(value) for value in values.split(",")] for values in coefficients]
    return torch.tensor(series).T.contiguous(), int(speaker) - 1
