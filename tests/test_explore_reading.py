"""The reading explorer's Python face: its networks, its presets, and what it stores."""

from __future__ import annotations

import json

import pytest
import torch

from birnn_course.data.spelling import Spelling, family
from birnn_course.errors import CourseError
from birnn_course.explore.nets import FILE, NETS, WORDS, exported, rebuilt, store, stored
from birnn_course.explore.reading import PRESETS, reading_explorer
from birnn_course.models import SequenceTagger


def test_the_stored_networks_are_those_that_are_named() -> None:
    assert stored()["nets"].keys() == NETS.keys()
    for name, options in NETS.items():
        model = rebuilt(name)
        assert model.rnn.bidirectional == options["bidirectional"]
        assert model.rnn.num_layers == options["num_layers"]
        assert model.head.out_features == len(stored()["tags"])
    assert FILE.stat().st_size < 450_000


def test_what_is_stored_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    torch.manual_seed(0)
    model = SequenceTagger(26, 7, 5, bidirectional=True, cell="lstm", embedding_dim=3)
    net = json.loads(json.dumps(exported(model)))
    monkeypatch.setattr("birnn_course.explore.nets.stored", lambda: {"nets": {"both ways": net}})
    again = rebuilt("both ways").state_dict()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(again[name], weight.half().float(), rtol=0, atol=0)


def right_share(name: str, spelling: Spelling, words: list[str]) -> float:
    model, tags = rebuilt(name), stored()["tags"]
    right = total = 0
    for word in words:
        ids = torch.tensor([[ord(letter) - 97 for letter in word]])
        with torch.no_grad():
            answers = [tags[i] for i in model(ids)[0].argmax(-1).tolist()]
        right += sum(a == b for a, b in zip(answers, spelling.sounds[word], strict=True))
        total += len(word)
    return right / total


def test_both_ways_is_far_better_on_words_that_nobody_learned(spelling: Spelling) -> None:
    words = list(stored()["answers"])
    assert len(words) > 250
    both, one = (right_share(name, spelling, words) for name in ("both ways", "left to right"))
    assert both > one + 0.1
    assert both > 0.75


def test_what_lesson_01_says_of_city() -> None:
    assert reading_explorer(word="city").answers()[0] == "S"
    assert reading_explorer(word="city", reads="left to right").answers()[0] == "K"
    assert "city" in stored()["answers"]


def test_the_right_answers_are_the_dictionarys(spelling: Spelling) -> None:
    answers = stored()["answers"]
    assert answers.keys() <= {*WORDS}
    same = [word for word, tags in answers.items() if tags == " ".join(spelling.sounds[word])]
    # learning the alignment from other words moves a label now and then
    assert len(same) > 0.95 * len(answers)
    assert all(len(tags.split()) == len(word) for word, tags in answers.items())
    assert family("night") not in {family(word) for word in ("knight",)}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_opens_with_few_controls(preset: str) -> None:
    explorer = reading_explorer(preset, "city")
    assert len(explorer.preset) <= 2 or preset == "free"
    assert {*explorer.preset} <= {control["name"] for control in explorer.controls}
    described = explorer.descriptor()
    assert (described["kind"], described["name"], described["preset"]) == (
        "explorer",
        "reading",
        preset,
    )
    assert described["values"]["word"] == "city"
    plain, page = explorer.without_kernel()
    assert plain.endswith("Run this cell to explore.]") and "city: " in plain
    assert "<em>Run this cell" in page


def test_what_is_taught_later_is_in_no_early_preset() -> None:
    assert PRESETS["readers"].controls == ("reads",)
    later = {name: PRESETS[name].controls for name in ("summary", "layers", "pads")}
    assert later == {"summary": ("summary",), "layers": ("layers",), "pads": ("pads", "summary")}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"preset": "none"}, "There is no preset 'none'; choose one of readers, summary"),
        ({"word": "Zoë"}, "1 to 10 letters from a to z, not 'Zoë'"),
        ({"word": ""}, "1 to 10 letters"),
        ({"word": "a" * 11}, "1 to 10 letters"),
        ({"reads": "backwards"}, "There is no reads='backwards'"),
        ({"cell": "gru"}, "There is no cell='gru'. The explorer knows reads: both ways"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(arguments: dict[str, str], sentence: str) -> None:
    with pytest.raises(CourseError) as caught:
        reading_explorer(**arguments)
    assert sentence in str(caught.value)


def test_nothing_stored_is_lost_by_another_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, spelling: Spelling
) -> None:
    from pathlib import Path

    file = Path(str(tmp_path)) / "nets.json"
    monkeypatch.setattr("birnn_course.explore.nets.FILE", file)
    torch.manual_seed(0)
    model = SequenceTagger(26, len(spelling.tags), 4, bidirectional=True, cell="gru")
    store({"both ways": model}, spelling)
    kept = json.loads(file.read_text())
    assert kept["tags"] == list(spelling.tags)
    assert kept["nets"]["both ways"]["cell"] == "gru"


def test_what_is_stored_writes_sounds_as_the_page_does() -> None:
    text, html = reading_explorer(word="phone").without_kernel()
    assert "phone: f, –, oh, n, –." in text and ">f<" in html and "OW" not in text + html
