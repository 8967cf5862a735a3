"""Synthetic tagging tasks small enough to write down every sequence they can produce.

Because every sequence is known with its probability, so is the best accuracy of *any* model that
sees only part of it: group the sequences by what the model sees and always answer the likeliest
tag. No network, however large, can do better, and :meth:`TaggingTask.limit` computes it exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import product
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from birnn_course.errors import CourseError

Context = Literal["left", "right", "both"]


class Sequence(NamedTuple):
    """One sequence the task can produce."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    probability: Fraction


class TaggingTask:
    """A distribution over tagged sequences of one length, all of them listed.

    Parameters
    ----------
    sequences : iterable of Sequence
        All sequences of the task; their probabilities sum to one.

    Attributes
    ----------
    words, tags : tuple of str
        The vocabulary and the tag set, sorted; ids are positions in them.
    ambiguous : frozenset of str
        The words that occur with more than one tag.
    """

    def __init__(self, sequences: Iterable[Sequence]) -> None:
        self.sequences = tuple(sequences)
        total = sum(s.probability for s in self.sequences)
        lengths = {len(s.words) for s in self.sequences} | {len(s.tags) for s in self.sequences}
        if total != 1 or len(lengths) != 1:
            raise CourseError(
                "the sequences of a TaggingTask need one common length and probabilities that "
                f"sum to 1; these sum to {total} and have lengths {sorted(lengths)}."
            )
        self.words = tuple(sorted({w for s in self.sequences for w in s.words}))
        self.tags = tuple(sorted({t for s in self.sequences for t in s.tags}))
        pairs = {pair for s in self.sequences for pair in zip(s.words, s.tags, strict=True)}
        self.ambiguous = frozenset(
            word for word in self.words if sum(first == word for first, _ in pairs) > 1
        )

    def limit(
        self, context: Context, *, lookahead: int = 0, ambiguous_only: bool = True
    ) -> Fraction:
        """The best expected accuracy of any model with this much context.

        Parameters
        ----------
        context : {"left", "right", "both"}
            What the model has read when it answers for a word: everything up to and including
            it, everything from it on, or the whole sequence.
        lookahead : int
            With ``"left"``: how many words further a model may read before it answers.
        ambiguous_only : bool
            Count the ambiguous words only, or all words.

        Returns
        -------
        Fraction
            Exact, by enumeration of all sequences.
        """
        chances: defaultdict[object, defaultdict[str, Fraction]]
        chances = defaultdict(lambda: defaultdict(Fraction))
        for words, tags, probability in self.sequences:
            for t, (word, tag) in enumerate(zip(words, tags, strict=True)):
                if word in self.ambiguous or not ambiguous_only:
                    first = t if context == "right" else 0
                    end = t + 1 + lookahead if context == "left" else len(words)
                    chances[t, words[first:end]][tag] += probability
        best = sum((max(tags.values()) for tags in chances.values()), Fraction())
        return best / sum(sum(tags.values()) for tags in chances.values())

    def sample(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """Draw ``n`` sequences: word ids and tag ids, each ``(n, seq_len)``, int64, on the CPU."""
        weights = torch.tensor([float(s.probability) for s in self.sequences], dtype=torch.float64)
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.multinomial(weights, n, replacement=True, generator=generator)
        word_id = {word: i for i, word in enumerate(self.words)}
        tag_id = {tag: i for i, tag in enumerate(self.tags)}
        words = torch.tensor([[word_id[w] for w in s.words] for s in self.sequences])
        tags = torch.tensor([[tag_id[t] for t in s.tags] for s in self.sequences])
        return words[drawn], tags[drawn]

    def is_ambiguous(self, words: Tensor) -> Tensor:
        """Which word ids belong to ambiguous words: bool, the shape of ``words``."""
        table = torch.tensor([word in self.ambiguous for word in self.words], device=words.device)
        return table[words]


def names_task() -> TaggingTask:
    """Names that are people or places, and a last word that tells which.

    *today Jordan , they say , has freckles* is about a person; *… has ports* is about a place.
    Six of the twelve names are ambiguous: a person with probability 3/5, whatever came before.
    """
    openings = ("today", "yesterday", "sometimes", "apparently")
    asides = (("they", "say"), ("we", "hear"), ("people", "think"), ("he", "wrote"))
    endings = {"PERSON": ("freckles", "twins", "toothache"), "PLACE": ("ports", "trams", "suburbs")}
    names = {
        ("Jordan", "Georgia", "Sydney", "Chelsea", "Florence", "Paris"): Fraction(3, 5),
        ("Maria", "Kenji", "Fatima"): Fraction(1),
        ("Berlin", "Peru", "Nairobi"): Fraction(0),
    }
    n_names = sum(len(group) for group in names)
    return TaggingTask(
        Sequence(
            (opening, name, ",", *aside, ",", "has", ending),
            ("O", tag, "O", "O", "O", "O", "O", "O"),
            chance / (len(openings) * n_names * len(asides) * len(endings[tag])),
        )
        for opening, (group, person), aside in product(openings, names.items(), asides)
        for name in group
        for tag, chance in (("PERSON", person), ("PLACE", 1 - person))
        if chance
        for ending in endings[tag]
    )


def cue_task(distance: int) -> TaggingTask:
    """A question mark whose tag is told by a cue exactly ``distance`` words later.

    The rest are filler words ``a`` and ``b``. The cue is ``x`` with probability 3/5, else ``y``;
    the question mark stands anywhere in the first four places of ``distance + 4`` words.
    """
    if distance < 1:
        raise CourseError(f"cue_task needs a distance of at least 1, not {distance}.")
    places, seq_len = 4, distance + 4

    def sequence(start: int, cue: str, fillers: tuple[str, ...]) -> tuple[str, ...]:
        words = list(fillers)
        words.insert(start, "?")
        words.insert(start + distance, cue)
        return tuple(words)

    return TaggingTask(
        Sequence(
            sequence(start, cue, fillers),
            tuple(cue.upper() if t == start else "-" for t in range(seq_len)),
            chance / (places * 2 ** (seq_len - 2)),
        )
        for start in range(places)
        for cue, chance in (("x", Fraction(3, 5)), ("y", Fraction(2, 5)))
        for fillers in product("ab", repeat=seq_len - 2)
    )
