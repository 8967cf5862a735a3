"""The utterances: all there, as documented, and read without the package that ships them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch
from counted import work

from birnn_course.data import load_speech
from birnn_course.data import speech as module
from birnn_course.errors import CourseError

SPEECH = load_speech()
LENGTHS_TRAIN = (
    "7:1 9:2 10:10 11:18 12:22 13:21 14:22 15:41 16:28 17:27 18:22 19:13 20:8 21:14 22:5 23:11 "
    "24:2 25:2 26:1"
)
LENGTHS_TEST = (
    "7:1 9:8 10:15 11:26 12:31 13:43 14:45 15:38 16:38 17:35 18:25 19:11 20:16 21:14 22:8 23:5 "
    "24:6 25:3 26:1 29:1"
)


def histogram(part: tuple[module.Utterance, ...]) -> str:
    counts = Counter(len(frames) for frames, _ in part)
    return " ".join(f"{length}:{n}" for length, n in sorted(counts.items()))


def test_all_utterances_are_there_and_as_long_as_documented() -> None:
    assert (len(SPEECH.train), len(SPEECH.test)) == (270, 370)
    assert histogram(SPEECH.train) == LENGTHS_TRAIN
    assert histogram(SPEECH.test) == LENGTHS_TEST
    for frames, _ in (*SPEECH.train, *SPEECH.test):
        assert frames.shape[1] == 12 and frames.dtype == torch.float32
        assert frames.isfinite().all() and not (frames == 0).all(1).any()  # no pads inside


def test_both_parts_are_sorted_by_speaker() -> None:
    for part, counts in (
        (SPEECH.train, [30] * 9),
        (SPEECH.test, [31, 35, 88, 44, 29, 24, 40, 50, 29]),
    ):
        speakers = [speaker for _, speaker in part]
        assert speakers == sorted(speakers)
        assert [speakers.count(k) for k in range(9)] == counts


def test_coefficients_and_time_are_not_exchanged() -> None:
    first, speaker = SPEECH.train[0]
    assert first.shape == (20, 12) and speaker == 0
    assert first[:3, 0].tolist() == pytest.approx([1.860936, 1.891651, 1.939205])
    # What follows in time is alike; coefficients that follow each other are not.
    in_time = torch.cat([x.diff(dim=0).abs().flatten() for x, _ in SPEECH.train]).mean()
    across = torch.cat([x.diff(dim=1).abs().flatten() for x, _ in SPEECH.train]).mean()
    assert in_time < 0.3 * across


def test_no_utterance_is_in_both_parts() -> None:
    known = {frames.numpy().tobytes() for frames, _ in SPEECH.train}
    assert len(known) == 270
    assert not known & {frames.numpy().tobytes() for frames, _ in SPEECH.test}


def test_nothing_but_the_files_is_used() -> None:
    code = (
        "import sys; from birnn_course import load_speech; load_speech()\n"
        "print([m for m in ('sktime', 'pandas', 'sklearn', 'numba') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_it_does_too_little_to_need_a_cache() -> None:
    done = work(load_speech)
    assert done.calls < 50 * (270 + 370)  # for each utterance, and none for its numbers
    assert done.numbers < 5 * sum(x.numel() for x, _ in (*SPEECH.train, *SPEECH.test))


def _absent(part: str) -> Path:
    raise PackageNotFoundError("sktime")


def test_what_is_missing_or_damaged_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = module._file("TRAIN").read_text(encoding="utf-8")
    damaged = tmp_path / "data.ts"
    monkeypatch.setattr(module, "_file", lambda part: damaged)
    with pytest.raises(CourseError, match="run: pip install"):
        load_speech()
    for text in (
        "",
        complete.partition("@data")[0],
        complete.replace("1.860936", "x", 1),
        complete[:-40],
    ):
        damaged.write_text(text, encoding="utf-8")
        with pytest.raises(CourseError, match="missing or damaged"):
            load_speech()
    monkeypatch.setattr(module, "_file", _absent)
    with pytest.raises(CourseError, match="missing or damaged"):
        load_speech()
