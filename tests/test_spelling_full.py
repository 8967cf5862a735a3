"""The full-size speller, with few words: it can be stopped, and its scores are what they say."""

from __future__ import annotations

from pathlib import Path

import pytest
import spelling_full
import torch
from spelling_full import Settings, new_model, score, train

from birnn_course.data import Spelling

SMALL = Settings(n_train=300, hidden_size=8, num_layers=2, epochs=3)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def few(spelling: Spelling) -> Spelling:
    parts = (spelling.train[:300], spelling.dev[:40], spelling.test[:40])
    return Spelling(spelling.sounds, spelling.others, *parts)


def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(few: Spelling, tmp_path: Path) -> None:
    complete = train(few, SMALL, 0, CPU, tmp_path / "whole.pt")

    class StoppedError(Exception):
        pass

    def stop(epoch: object) -> None:
        raise StoppedError

    for _ in range(2):  # after the first epoch, and again as soon as it goes on
        with pytest.raises(StoppedError):
            train(few, SMALL, 0, CPU, tmp_path / "stopped.pt", stop)
    again = train(few, SMALL, 0, CPU, tmp_path / "stopped.pt")
    assert again["epochs"] == complete["epochs"]
    assert all(torch.equal(again["best"][name], value) for name, value in complete["best"].items())
    other = train(few, SMALL, 1, CPU, tmp_path / "other.pt")
    assert other["epochs"] != complete["epochs"]  # so that the comparison above can fail


def test_the_best_epoch_is_chosen_on_the_development_words(
    few: Spelling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, seen, states = iter([50.0, 30.0, 40.0]), [], []

    def score(model: torch.nn.Module, _: Spelling, words: tuple[str, ...]) -> dict[str, float]:
        seen.append(words)
        states.append({k: v.clone() for k, v in model.state_dict().items()})
        return {"loss": 1.0, "WER": next(rates)}

    monkeypatch.setattr(spelling_full, "score", score)
    done = train(few, SMALL, 0, CPU, tmp_path / "x.pt")
    assert seen == [few.dev] * 3
    assert all(torch.equal(done["best"][name], value) for name, value in states[1].items())
    assert not torch.equal(done["best"]["head.weight"], states[2]["head.weight"])


def test_a_model_that_knows_the_answers_makes_no_error(few: Spelling) -> None:
    model = new_model(few, SMALL)
    answers = {tuple(ids): tags for ids, tags in few.encode(few.test)}
    wrong = tuple(few.encode(few.test[:1])[0][0])

    def know(ids: torch.Tensor) -> torch.Tensor:
        rows = [answers[tuple(row)] for row in ids.tolist()]
        tags = torch.tensor(rows)
        for row, letters in zip(tags, ids.tolist(), strict=True):
            if tuple(letters) == wrong and spoil:
                row[0] = (row[0] + 1) % (len(few.tags) - 1)
        return torch.nn.functional.one_hot(tags, len(few.tags)).float() * 50

    model.forward = know  # type: ignore[method-assign, assignment]
    spoil = False
    found = score(model, few, few.test)
    unseen = [w for w in few.test if not {*few.sounds[w]} <= {*few.tags}]
    assert found["WER"] == pytest.approx(100 * len(unseen) / len(few.test))
    assert found["token accuracy"] == 100
    spoil = True
    assert score(model, few, few.test)["WER"] == pytest.approx(found["WER"] + 100 / 40)


def test_the_table_names_its_command_and_the_median(few: Spelling) -> None:
    runs = [
        {
            "seed": seed,
            "settings": {"n_train": 300},
            "parameters": 1234,
            "device": "CPU, one thread",
            "torch": "2.13.0",
            "minutes": 1.0,
            "epochs": [{"epoch": 1, "dev WER": 30.0 + seed}],
            "test": {"loss": 0.1, "WER": wer},
        }
        for seed, wer in enumerate((29.0, 27.0, 28.5))
    ]
    text = spelling_full.table(runs, "python x.py")
    assert "| median | 28.50 |" in text
    assert "`python x.py`" in text
    assert text.count("\n|") == 6
