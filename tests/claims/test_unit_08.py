"""What unit 08 says about the task, beyond what it runs."""

from __future__ import annotations

import pytest
import torch

from birnn_course import SequenceTagger, fit, load_project, load_spelling, padded_batches
from birnn_course.data.alignment import Aligner
from birnn_course.models import count_parameters
from birnn_course.project.answers import WordSet, judged_words, scores_of, validation_words
from birnn_course.project.caller import here
from birnn_course.project.predicting import Predictor, predict_all
from birnn_course.project.rubric import BASELINES, HELD_OUT
from claims import EVERY_SEED

from projects import Function, models


def macro_f1(predict: Function, tested: WordSet) -> float:
    caller = here({"predict": predict, "score": predict, "choose": predict})
    return scores_of(predict_all(Predictor(caller), tested.letters), tested.tags).average()


def table(neighbours: int) -> Function:
    known = models.contexts()

    def predict(ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        tags = torch.zeros_like(ids)
        for row, n in enumerate(lengths.tolist()):
            word = ids[row, :n].tolist()
            for at in range(n):
                keys = (models.around(word, at, k) for k in range(neighbours, -1, -1))
                found = next(known[key] for key in keys if key in known)
                tags[row, at] = found.most_common(1)[0][0]
        return tags

    return predict


def lstm(bidirectional: bool, seed: int) -> Function:
    torch.manual_seed(seed)
    size = 64 if bidirectional else 96
    model = SequenceTagger(26, 4, size, bidirectional=bidirectional, embedding_dim=32)
    assert 51_000 <= count_parameters(model) <= 52_000
    project = load_project()
    fit(
        model,
        padded_batches(project.encode(project.train), 64, by_length=True, seed=seed),
        epochs=6,
        seed=seed,
    )

    @torch.no_grad()
    def predict(ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return model.eval()(ids, lengths).argmax(-1)

    return predict


SETS = {"test": None, "hidden": 123}
"""Sets of words by the seed that draws them."""


@pytest.mark.parametrize("drawn", SETS.values(), ids=SETS)
def test_the_baselines_without_training(drawn: int | None) -> None:
    tested = judged_words(drawn)
    found = [
        macro_f1(lambda ids, lengths: torch.zeros_like(ids), tested),
        macro_f1(table(0), tested),
        macro_f1(table(1), tested),
    ]
    for value, baseline in zip(found, BASELINES, strict=False):
        assert value == pytest.approx(baseline.macro_f1, abs=0.012)
    assert found[1] < HELD_OUT[0][0] - 0.03
    assert found[2] > HELD_OUT[1][0] + 0.03
    assert macro_f1(table(2), tested) < HELD_OUT[2][0] - 0.03


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_both_ways_earns_all_points_and_left_to_right_cannot(seed: int) -> None:
    uni, bi = lstm(False, seed), lstm(True, seed)
    for tested in map(judged_words, SETS.values()):
        assert macro_f1(uni, tested) < HELD_OUT[2][0] - 0.03
        assert macro_f1(bi, tested) > HELD_OUT[3][0] + 0.025
    assert 0.615 <= macro_f1(uni, validation_words()) < 0.64
    assert 0.77 <= macro_f1(bi, validation_words()) < 0.80


def test_a_packed_model_does_not_care_which_letter_the_pads_are() -> None:
    """``padded_batches`` pads with 0, here an *a*; another id leaves every weight as it is."""
    project, trained = load_project(), []
    for n_ids, pad_id in ((27, 0), (27, 25), (27, 26)):
        torch.manual_seed(0)
        model = SequenceTagger(n_ids, 4, 16, bidirectional=True, embedding_dim=8)
        pairs = project.encode(project.train[:640])
        fit(model, padded_batches(pairs, 64, pad_id=pad_id), epochs=2)
        trained.append(model.state_dict())
    for other in trained[1:]:
        assert all(torch.equal(other[name], weight) for name, weight in trained[0].items())


def test_where_the_stress_of_courage_is_and_that_it_is_no_tie() -> None:
    data = load_spelling(10_000, split="family")
    pairs = [(word, data.readings(word)[0]) for word in data.train]
    for early in (0.0, 0.1):
        (tags,) = Aligner(pairs, early=early).align([("courage", data.readings("courage")[0])])
        assert tags is not None and tags[3] == "ER"
    project = load_project()
    courage, courageous = (project.stresses[word] for word in ("courage", "courageous"))
    vowels = [at for at in range(5) if courage[at]]
    assert vowels == [3, 4] and all(courage[at] != courageous[at] for at in vowels)
