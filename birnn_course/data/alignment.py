"""Letter-to-sound alignment: which letters of a word make which of its sounds.

A pronouncing dictionary says that *phone* is ``F OW N``. It does not say that *ph* makes the
``F`` and that the *e* is silent. To tag letters with sounds we have to find that out, and we find
it out from the words alone, by expectation maximisation (Dempster, Laird and Rubin, 1977) over the
monotone alignments in which each letter makes no sound, one sound, or two.

All words with the same number of letters and sounds are handled as one array, so the two dynamic
programmes below loop over positions and never over words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SILENT = "_"
"""The tag of a letter that makes no sound."""

JOIN = "+"
"""Between the two sounds of a letter that makes two, as *x* in *box*: ``K+S``."""

EARLY = 0.1
"""What sounding one letter later costs, in nats of log-probability.

In *llama* nothing in the data says which *l* is the silent one, and in *sing* nothing says whether
*n* or *g* makes the ``NG``. Without a rule the rounding of the last bit or a few chance words
decide, differently after each fit. With this cost the earlier letter sounds. It is small beside
evidence: a reading that is 1.11 times as likely outweighs it.
"""

Word = str
Phones = tuple[str, ...]
Tags = tuple[str, ...]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


def spoken(tags: Iterable[str]) -> Phones:
    """The phones that tags spell, in order: joined ones apart, silent letters left out."""
    return tuple(phone for tag in tags if tag != SILENT for phone in tag.split(JOIN))


class _Shape(NamedTuple):
    """All words of one length with one number of phones; ``n`` of them."""

    where: list[int]  # positions in the caller's list
    letters: Integers  # (n_letters, n)
    phones: Integers  # (n_phones, n)


class _Tables(NamedTuple):
    """One number per letter and what it may sound like: probabilities, or expected counts."""

    none: Floats  # (n_letters,)
    one: Floats  # (n_letters, n_phones)
    two: Floats  # (n_letters, n_phones, n_phones)


class Aligner:
    """Letter-to-sound alignment learned from ``(word, phones)`` pairs.

    Parameters
    ----------
    pairs : sequence of (str, tuple of str)
        The words to learn from, in lower case, each with its phones.
    rounds : int
        Rounds of expectation maximisation.
    early : float
        What sounding one letter later costs, in nats; 0 leaves ties to rounding.

    Examples
    --------
    >>> aligner = Aligner([("ab", ("AH", "B")), ("b", ("B",)), ("abb", ("AH", "B"))])
    >>> aligner.align([("abb", ("AH", "B"))])
    [('AH', 'B', '_')]
    """

    def __init__(
        self, pairs: Sequence[tuple[Word, Phones]], rounds: int = 20, *, early: float = EARLY
    ) -> None:
        self._early = early
        self._letters = {c: i for i, c in enumerate(sorted({c for w, _ in pairs for c in w}))}
        self._phones = {p: i for i, p in enumerate(sorted({p for _, ps in pairs for p in ps}))}
        a, p = len(self._letters), len(self._phones)
        # Two sounds on one letter start out unlikely: they are the exception.
        tables = _Tables(np.full(a, 0.3), np.full((a, p), 0.6 / p), np.full((a, p, p), 0.1 / p**2))
        shapes = list(self._by_shape(pairs))
        for _ in range(rounds):
            counts = _Tables(*(np.zeros_like(table) for table in tables))
            for shape in shapes:
                _add_expected_counts(shape, tables, counts, early)
            total = counts.none + counts.one.sum(1) + counts.two.sum((1, 2))
            total = np.maximum(total, np.finfo(float).tiny)
            tables = _Tables(
                counts.none / total, counts.one / total[:, None], counts.two / total[:, None, None]
            )
        self._tables = tables

    def align(self, pairs: Sequence[tuple[Word, Phones]]) -> list[Tags | None]:
        """One tag per letter for each pair; None where no alignment has any probability.

        A tag is a phone, two phones joined by ``+``, or ``_`` for a silent letter. Joined
        together the tags of a word spell its phones back.
        """
        names = self._names()
        result: list[Tags | None] = [None] * len(pairs)
        for shape in self._by_shape(pairs):
            sounds, possible = _best_path(shape, self._tables, self._early)
            readings = names[self._numbers(shape, sounds)].T.tolist()
            for where, reading, found in zip(shape.where, readings, possible, strict=True):
                if found:
                    result[where] = tuple(reading)
        return result

    def _names(self) -> npt.NDArray[np.object_]:
        """All tags there can be: the silent one, each phone, each two phones."""
        pairs = (JOIN.join(two) for two in product(self._phones, repeat=2))
        return np.array([SILENT, *self._phones, *pairs], dtype=object)

    def _numbers(self, shape: _Shape, sounds: Integers) -> Integers:
        """Where among the names the tag of each letter is, ``(L, n)``."""
        before = sounds.cumsum(0) - sounds  # phones that the letters before it make
        phones = np.pad(shape.phones, ((0, 2), (0, 0)))  # the last letters may make none
        first, second = (np.take_along_axis(phones, before + i, 0) for i in (0, 1))
        n = len(self._phones)
        return np.choose(sounds, (np.zeros_like(first), 1 + first, 1 + n + n * first + second))

    def _by_shape(self, pairs: Sequence[tuple[Word, Phones]]) -> Iterator[_Shape]:
        """Group the pairs; those with an unknown letter or phone, or too many phones, drop out."""
        groups: defaultdict[tuple[int, int], list[tuple[int, list[int], list[int]]]]
        groups = defaultdict(list)
        for where, (word, phones) in enumerate(pairs):
            if not 0 < len(word) >= len(phones) / 2:
                continue
            try:
                letters = [*map(self._letters.__getitem__, word)]
                sounds = [*map(self._phones.__getitem__, phones)]
            except KeyError:
                continue
            groups[len(word), len(phones)].append((where, letters, sounds))
        for (_, n_phones), members in sorted(groups.items()):
            places, letters_of, sounds_of = zip(*members, strict=True)
            yield _Shape(
                [*places],
                np.array(letters_of, dtype=np.intp).T,
                np.array(sounds_of, dtype=np.intp).reshape(len(members), n_phones).T,
            )


def _emissions(shape: _Shape, tables: _Tables, early: float) -> tuple[Floats, Floats, Floats]:
    """What each letter pays for each reading: ``(L, 1, n)``, ``(L, P, n)``, ``(L, P - 1, n)``."""
    letter, phone = shape.letters[:, None], shape.phones[None]
    late = np.exp(-early * np.arange(len(shape.letters)))[:, None, None]
    return (
        tables.none[letter],
        tables.one[letter, phone] * late,
        tables.two[letter, phone[:, :-1], phone[:, 1:]] * late**2,
    )


def _add_expected_counts(shape: _Shape, tables: _Tables, counts: _Tables, early: float) -> None:
    """The E step: how often each reading is used, averaged over all alignments of each word."""
    none, one, two = _emissions(shape, tables, early)
    length, (n_phones, n) = len(shape.letters), shape.phones.shape
    # forward[i, j]: probability that the first i letters made the first j phones
    forward = np.zeros((length + 1, n_phones + 1, n))
    forward[0, 0] = 1
    for i in range(length):
        forward[i + 1] = forward[i] * none[i]
        forward[i + 1, 1:] += forward[i, :-1] * one[i]
        forward[i + 1, 2:] += forward[i, :-2] * two[i]
    # backward[i, j]: probability that the letters from i on make the phones from j on
    backward = np.zeros_like(forward)
    backward[length, n_phones] = 1
    for i in reversed(range(length)):
        backward[i] = backward[i + 1] * none[i]
        backward[i, :-1] += backward[i + 1, 1:] * one[i]
        backward[i, :-2] += backward[i + 1, 2:] * two[i]
    likelihood = backward[0, 0]
    share = np.divide(1, likelihood, out=np.zeros(n), where=likelihood > 0)
    letter, phone = shape.letters[:, None], shape.phones[None]
    used_none = forward[:-1] * none * backward[1:] * share
    used_one = forward[:-1, :-1] * one * backward[1:, 1:] * share
    used_two = forward[:-1, :-2] * two * backward[1:, 2:] * share
    _add_at(counts.none, (letter,), used_none.sum(1, keepdims=True))
    _add_at(counts.one, (letter, phone), used_one)
    _add_at(counts.two, (letter, phone[:, :-1], phone[:, 1:]), used_two)


def _add_at(table: Floats, index: tuple[Integers, ...], amount: Floats) -> None:
    """``table[index] += amount`` that also counts repeated indices (``np.add.at``, but quick)."""
    flat = np.ravel_multi_index(np.broadcast_arrays(*index), table.shape)
    flat = np.broadcast_to(flat, amount.shape)
    table += np.bincount(flat.ravel(), amount.ravel(), table.size).reshape(table.shape)


def _best_path(
    shape: _Shape, tables: _Tables, early: float
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """The likeliest alignment: sounds per letter ``(L, n)``, and whether there is one ``(n,)``."""
    with np.errstate(divide="ignore"):
        none, one, two = (np.log(table) for table in _emissions(shape, tables, early))
    length, (n_phones, n) = len(shape.letters), shape.phones.shape
    best = np.full((n_phones + 1, n), -np.inf)
    best[0] = 0
    choice = np.zeros((length, n_phones + 1, n), dtype=np.intp)
    for i in range(length):
        options = np.full((3, n_phones + 1, n), -np.inf)
        options[0] = best + none[i]
        options[1, 1:] = best[:-1] + one[i]
        options[2, 2:] = best[:-2] + two[i]
        choice[i] = options.argmax(0)
        best = options.max(0)
    sounds = np.zeros((length, n), dtype=np.intp)
    at, columns = np.full(n, n_phones), np.arange(n)
    for i in reversed(range(length)):
        sounds[i] = choice[i, at, columns]
        at = at - sounds[i]
    return sounds, np.isfinite(best[n_phones])
