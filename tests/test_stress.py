"""The project's words: the right tags, no family on two sides, and no tags of the test words."""

from __future__ import annotations

from collections import Counter

import pytest

from birnn_course import load_project
from birnn_course.data.alignment import spoken
from birnn_course.data.spelling import family, load_spelling, read_dictionary
from birnn_course.data.stress import N_TRAIN, STRESSES, all_words, stress_of
from birnn_course.errors import CourseError


def test_the_tags_are_those_of_the_dictionary() -> None:
    _, stresses = all_words()
    expected = {
        "photograph": "0030100200",
        "courage": "0003100",
        "courageous": "0001300010",
        "a": "1",
        "project": "0030100",
    }
    assert {w: "".join(map(str, stresses[w])) for w in expected} == expected
    assert len(STRESSES) == 4


def test_every_vowel_has_its_mark_on_a_letter() -> None:
    """Counted in the dictionary; on one letter with two vowels the stronger mark stays."""
    readings, (_, stresses) = read_dictionary(stress=True), all_words()
    marks = {"0": 1, "2": 2, "1": 3}
    differing = 0
    for word, tags in stresses.items():
        there = Counter(marks[p[-1]] for p in readings[word][0] if p[-1] in marks)
        differing += there != Counter(tag for tag in tags if tag)
    assert differing < 0.005 * len(stresses)


def test_stress_is_all_that_the_two_dictionaries_differ_in() -> None:
    with_marks, without = read_dictionary(stress=True), read_dictionary()
    assert with_marks.keys() == without.keys()
    for word, readings in with_marks.items():
        bare = [tuple(phone.rstrip("012") for phone in reading) for reading in readings]
        assert tuple(dict.fromkeys(bare)) == without[word]
    assert with_marks["record"][0] != with_marks["record"][1]


def test_the_alignment_is_that_of_the_spelling() -> None:
    data = load_spelling(N_TRAIN, split="family")
    readings = read_dictionary(stress=True)
    word = "industry"
    bare = tuple(phone.rstrip("012") for phone in readings[word][0])
    assert spoken(data.sounds[word]) == bare
    assert stress_of(data.sounds[word], readings[word][0]) == all_words()[1][word]


def test_two_vowels_on_one_letter() -> None:
    assert stress_of(("AY+AH", "_"), ("AY1", "AH0")) == (3, 0)
    assert stress_of(("B", "Y+UW"), ("B", "Y", "UW2")) == (0, 2)


def test_the_sets_are_disjoint_and_no_family_is_split() -> None:
    project = load_project()
    sets = [{*words} for words in (project.train, project.valid, project.test)]
    assert [round(len(words), -2) for words in sets] == [10_000, 2_000, 3_000]
    families = [{family(word) for word in words} for words in sets]
    assert not families[0] & families[1]
    assert not families[0] & families[2]
    assert not families[1] & families[2]


def test_the_test_words_have_no_tags_here() -> None:
    project = load_project()
    assert project.stresses.keys() == {*project.train, *project.valid}
    ids, tags = project.encode(["industry"])[0]
    assert ids == project.letters("industry")
    assert len(ids) == len(tags)
    with pytest.raises(CourseError, match="has no tags here"):
        project.encode(project.test[:1])
