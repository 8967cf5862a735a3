"""The words that a project is tested on, with their tags, and the metric that judges them."""

from __future__ import annotations

import random
from typing import NamedTuple

import torch
from torch import Tensor

from birnn_course.data.alignment import Word
from birnn_course.data.spelling import LETTERS
from birnn_course.data.stress import N_TEST, all_words
from birnn_course.metrics import Scores, confusion_matrix
from birnn_course.project.contract import N_TAGS


class WordSet(NamedTuple):
    """What the words are called in the report, the words, their letter ids, and their tags."""

    name: str
    words: tuple[Word, ...]
    letters: list[list[int]]
    tags: list[Tensor]


def judged_words(seed: int | None = None) -> WordSet:
    """The test words of the project, or as many others that a secret seed draws.

    Parameters
    ----------
    seed : int, optional
        For marks: words of no public set, and no relatives of training words but a handful.
    """
    (_, _, test, others), _ = all_words()
    if seed is None:
        return _tested("test", test)
    return _tested("hidden", tuple(random.Random(seed).sample(others, N_TEST)))


def validation_words() -> WordSet:
    """The words to choose by, whose tags the learner has."""
    return _tested("validation", all_words()[0][1])


def _tested(name: str, words: tuple[Word, ...]) -> WordSet:
    _, stresses = all_words()
    letters = [[LETTERS.index(letter) for letter in word] for word in words]
    return WordSet(name, words, letters, [torch.tensor(stresses[word]) for word in words])


def scores_of(predicted: list[Tensor], tags: list[Tensor]) -> Scores:
    """All counts of real letters, and what follows from them."""
    return Scores(confusion_matrix(torch.cat(tags), torch.cat(predicted), N_TAGS))
