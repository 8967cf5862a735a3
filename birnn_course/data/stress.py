"""The words of the final project: which letters of a word carry its stress.

The same dictionary and the same alignment as :mod:`birnn_course.data.spelling`, with another tag
for each letter: does it make a vowel sound, and how is that stressed? *project* is ``P R AA1 JH
EH0 K T`` in the dictionary, so its *o* has primary stress, its *e* none, and no other letter makes
a vowel sound.

Nothing here hands out the tags of the test words. They are not secret: whoever opens the dictionary
finds them, and a notebook that does so measures nothing any more. Marks for a class are therefore
computed on other words, which a secret seed draws (:mod:`birnn_course.project`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from birnn_course.data.alignment import JOIN, SILENT, Phones, Tags, Word
from birnn_course.data.spelling import LETTERS, load_spelling, read_dictionary, uncollected
from birnn_course.errors import CourseError

STRESSES = ("no vowel sound", "unstressed", "secondary stress", "primary stress")
"""The four tags, by their numbers."""

N_TRAIN, N_TEST = 10_000, 3_000

_TAG = {"0": 1, "2": 2, "1": 3}  # the dictionary's marks
Stresses = tuple[int, ...]


@dataclass(frozen=True)
class Project:
    """Words with a stress for each letter; for the test words the letters only.

    No family of words (*nation*, *national*) is in two of the three sets.

    Attributes
    ----------
    train, valid : tuple of str
        10,000 words to learn from, and about 2,000 to choose by.
    test : tuple of str
        3,000 words whose tags are not handed out.
    stresses : mapping of str to tuple of int
        For each training and validation word one tag per letter, 0 to 3, named by ``STRESSES``.
    """

    train: tuple[Word, ...]
    valid: tuple[Word, ...]
    test: tuple[Word, ...]
    stresses: Mapping[Word, Stresses]

    def letters(self, word: Word) -> list[int]:
        """The letter ids of a word, a = 0 to z = 25."""
        return [LETTERS.index(letter) for letter in word]

    def encode(self, words: Iterable[Word]) -> list[tuple[list[int], list[int]]]:
        """Letter ids and tags of each word, as :func:`birnn_course.padded_batches` takes them.

        Raises
        ------
        CourseError
            For a word without tags here, such as a test word.
        """
        listed = list(words)
        missing = next((word for word in listed if word not in self.stresses), None)
        if missing is not None:
            raise CourseError(
                f"{missing!r} has no tags here; only training and validation words have. "
                "For letters alone there is project.letters(word)."
            )
        return [(self.letters(word), list(self.stresses[word])) for word in listed]


def load_project() -> Project:
    """The words of the final project; the same on every computer with the same dictionary.

    The first call takes some seconds and keeps its result in the user's cache folder.
    """
    parts, stresses = all_words()
    train, valid, test, _ = parts
    return Project(train, valid, test, {word: stresses[word] for word in (*train, *valid)})


@cache
@uncollected()
def all_words() -> tuple[tuple[tuple[Word, ...], ...], dict[Word, Stresses]]:
    """Training, validation, test and all other words; and the tags of every word."""
    data = load_spelling(N_TRAIN, split="family")
    test = data.test[:N_TEST]
    public = {*data.train, *data.dev, *test}
    others = tuple(sorted(data.sounds.keys() - public))
    readings = read_dictionary(stress=True)
    stresses = {word: stress_of(tags, readings[word][0]) for word, tags in data.sounds.items()}
    return (data.train, data.dev, test, others), stresses


def stress_of(tags: Tags, phones: Phones) -> Stresses:
    """One stress per letter, from the letter's sounds and the stressed phones of the same word.

    Of two vowels on one letter the one with more stress counts.

    Examples
    --------
    >>> stress_of(("S", "IH", "T", "IY"), ("S", "IH1", "T", "IY0"))
    (0, 3, 0, 1)
    """
    marks = iter([_TAG.get(phone[-1], 0) for phone in phones])
    return tuple(
        0 if tag == SILENT else max(next(marks), next(marks)) if JOIN in tag else next(marks)
        for tag in tags
    )
