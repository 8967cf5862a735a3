"""How wrong a pronunciation is: word error rate and phone error rate.

A tagger answers letter by letter, a listener hears a word. One wrong letter makes the word wrong,
and a word that may be said in two ways is right in either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from birnn_course.errors import CourseError

Phones = Sequence[str]


def edit_distance(a: Sequence[object], b: Sequence[object]) -> int:
    """The fewest insertions, deletions and substitutions that turn ``a`` into ``b``.

    Levenshtein (1966); the table is filled row by row (Wagner and Fischer, 1974,
    doi 10.1145/321796.321811).
    """
    row = list(range(len(b) + 1))  # from nothing to the first j of b: j insertions
    for i, x in enumerate(a, 1):
        above_left, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            cheapest = min(above_left + (x != y), row[j] + 1, row[j - 1] + 1)
            above_left, row[j] = row[j], cheapest
    return row[-1]


def word_error_rate(predicted: Iterable[Phones], listed: Iterable[Collection[Phones]]) -> float:
    """Share of words whose pronunciation is none of the listed ones.

    Parameters
    ----------
    predicted : iterable of sequence of str
        One pronunciation for each word.
    listed : iterable of collection of sequence of str
        All right pronunciations of each word, at least one.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    CourseError
        If there is no word, a word without a pronunciation, or not one prediction for each word.
    """
    wrong = [
        all(tuple(p) != tuple(right) for right in rights) for p, rights in _pairs(predicted, listed)
    ]
    return sum(wrong) / len(wrong)


def phone_error_rate(predicted: Iterable[Phones], listed: Iterable[Collection[Phones]]) -> float:
    """Edits that the predictions need, per phone of the listed pronunciation that is closest.

    Parameters
    ----------
    predicted, listed
        As in :func:`word_error_rate`. Of two that are equally close the longer one counts.

    Returns
    -------
    float
        0 if all is right; above 1 if there are more edits than phones.

    Raises
    ------
    CourseError
        As :func:`word_error_rate`.
    """
    edits = phones = 0
    for answer, rights in _pairs(predicted, listed):
        fewest, length = min((edit_distance(answer, right), -len(right)) for right in rights)
        edits, phones = edits + fewest, phones - length
    return edits / phones


def _pairs(
    predicted: Iterable[Phones], listed: Iterable[Collection[Phones]]
) -> list[tuple[Phones, Collection[Phones]]]:
    answers, rights = list(predicted), list(listed)
    if not answers or len(answers) != len(rights) or not all(rights):
        raise CourseError(
            "an error rate needs one prediction for each word and at least one listed "
            f"pronunciation of each; there are {len(answers)} predictions for {len(rights)} words."
        )
    return list(zip(answers, rights, strict=True))
